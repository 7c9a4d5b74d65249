"""Where can a model run without this repository? In Hugging Face's `transformers`, in llama2.c, in whatever reads GGUF; and theirs can run here.

A model of ours is a LLaMA, so nothing is computed anew: only names, orders and file formats differ. What a format cannot say is refused, not bent.

In reading order:
- `common`: names, the letters that files write for bytes, what is refused; `quantised_model` tells what fewer bits cost
- `to_hf`, `to_gguf`: a folder for transformers, one file for llama.cpp and its kin
- `to_llama2c`: the files of llama2.c, and the texts that its simpler encoder splits otherwise than ours (`split_otherwise`)
- `from_hf`: the other way

Built by hand in: chapter 13. Left out on purpose: SentencePiece vocabularies, rescaled RoPE, pickles, GGUF's finer quantisations.
"""

from collections.abc import Callable
from pathlib import Path

from minilm.export.common import GGUF_PATTERNS, LLAMA3_PATTERN, WEIGHTS, arrays, quantised_model
from minilm.export.from_hf import import_hf
from minilm.export.to_gguf import export_gguf
from minilm.export.to_hf import export_hf
from minilm.export.to_llama2c import Split, export_llama2c, llama2c_order, llama2c_pieces, split_otherwise

__all__ = ["EXPORTS", "GGUF_PATTERNS", "LLAMA3_PATTERN", "WEIGHTS", "Split", "arrays", "export_gguf", "export_hf", "export_llama2c", "import_hf",
           "llama2c_order", "llama2c_pieces", "quantised_model", "split_otherwise"]  # fmt: skip

EXPORTS: dict[str, Callable[..., Path]] = {"hf": export_hf, "llama2c": export_llama2c, "gguf": export_gguf}
