"""`python -m minilm.cli`, for torchrun and for places without the script `minilm`."""

import sys

from minilm.cli import main

sys.exit(main())
