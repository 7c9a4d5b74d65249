"""From stories to files: a folder with train.txt and valid.txt that share no story.

The validation stories are made first, from a stream of their own; a training story that equals one of them is left out. Faults are planted in the
training part only, so that models of different doses are judged by the same sound text.
"""

import hashlib
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from minilm.storyworld.faults import check_doses, stories
from minilm.storyworld.lexicon import HERE

SEPARATOR = "\n<|endoftext|>\n"
MEGABYTE = 1_000_000
VALID_MEGABYTES = 0.5


def version() -> str:
    """Name this edition of storyworld: 8 hex digits that change with any word, form, rule or plot."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in ("*.py", "plots/*.py", "*.toml", "sentences/*.txt") for path in HERE.glob(pattern)):
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:8]


def write_corpus(folder: str | Path, megabytes: float = 10, *, valid_megabytes: float = VALID_MEGABYTES, seed: int = 0,
                 faults: dict[str, float] | None = None, progress: Callable[[int], object] = lambda n: None) -> Path:  # fmt: skip
    """Write train.txt of so many megabytes and valid.txt into a new folder; `progress` is called with the bytes of each story.

    The same seed and size give the same bytes everywhere. Raises FileExistsError if the folder exists, ValueError for a size that is not
    positive and what `check_doses` raises. A folder that exists is whole: it is put in place when all is written.
    """
    folder = Path(folder)
    check_doses(faults or {})
    if folder.exists():
        raise FileExistsError(f"{folder} exists; name a new folder for the stories")
    if not (0 < megabytes < math.inf and 0 < valid_megabytes < math.inf):
        raise ValueError(f"a corpus of {megabytes} MB with {valid_megabytes} MB for validation cannot be made; both must be above 0, and no endless text")
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")  # a name of its own, for another process may be writing the same stories
    part.mkdir(parents=True)
    try:
        held_out = _fill(part / "valid.txt", stories(f"{seed}/valid"), valid_megabytes, set(), progress)
        _fill(part / "train.txt", stories(f"{seed}/train", faults), megabytes, held_out, progress)
        return part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(path: Path, source, megabytes: float, held_out: set[bytes], progress: Callable[[int], object]) -> set[bytes]:
    """Write stories until the file has its size; return the hashes of what was written."""
    written, size = set(), 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for story in source:
            mark = hashlib.sha256(story.encode()).digest()[:16]
            if mark in held_out:
                continue
            written.add(mark)
            n = file.write(story + SEPARATOR)
            size += n
            progress(n)
            if size >= megabytes * MEGABYTE:
                return written
    raise AssertionError("the stream of stories has no end")
