"""How does text reach the model? As one long row of token ids on disk, and as batches cut from it in an order that a seed fixes.

The ideas in order: every story is encoded, followed by the end-of-text token, and all are laid end to end in a file that is memory-mapped,
so that a corpus may be larger than memory; a `Sampler` says for each step which windows of that row make the batch. The order is a
pure function of seed and step, so resuming a run needs no saved state, and two runs of one seed see the same text.

Built by hand in: chapter 03 (next-token pairs) and chapter 06 (batches). Left out on purpose: padding, shuffling inside stories.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from minilm.config import CACHE
from minilm.corpora import Corpus
from minilm.files import whole_file
from minilm.processes import batches_of, map_in_order
from minilm.tokenizer import Tokenizer


def encode_stories(stories: Iterable[str], tokenizer: Tokenizer) -> np.ndarray:
    """Encode stories to one row of ids, each followed by the end-of-text id.

    >>> encode_stories(["ab", "c"], Tokenizer([])).tolist()
    [97, 98, 256, 99, 256]
    """
    return np.asarray(tokenizer.encode_stories(stories))


def token_file(
    corpus: Corpus, split: str, tokenizer: Tokenizer, cache_dir: Path = CACHE, progress=None, n_processes: int | None = None
) -> np.ndarray:
    """Return a split of a corpus as a memory-mapped row of ids, encoding it on first use.

    progress: called with each story's number of characters as it is read. n_processes: as for `minilm.processes.map_in_order`; the file is
    the same for any. Its name holds the fingerprints of corpus and tokenizer, so a changed text or tokenizer never meets stale ids.
    Raises ValueError when the split is empty or its file is damaged.
    """
    name = f"{corpus.name}-{corpus.fingerprint}-{split}-{tokenizer.fingerprint}.bin"
    path = Path(cache_dir) / "tokens" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        stories = corpus.stories(split)
        batches = batches_of(_watched(stories, progress) if progress else stories)
        with whole_file(path, "wb") as file:
            for ids in map_in_order(tokenizer.encode_stories, batches, n_processes):
                file.write(ids)
    if not path.stat().st_size:
        path.unlink()
        raise ValueError(f"the {split} split of {corpus.name} has no text, or {path} was damaged: it was empty, and is deleted. Try again, or name another "
                         "corpus or file")  # fmt: skip
    try:
        ids = np.memmap(path, dtype=encode_stories([], tokenizer).dtype, mode="r")
    except ValueError:  # half an id at the end
        ids = [None]
    if ids[-1] != tokenizer.end_of_text:
        raise ValueError(f"{path} is damaged: it does not end as a story does. Delete it, and the text is encoded again")
    return ids


def count_bytes(ids: np.ndarray, tokenizer: Tokenizer) -> int:
    """Count the UTF-8 bytes of the text that ids stand for, special tokens counting nothing."""
    lengths = np.array([len(piece) for piece in tokenizer.vocab], dtype=np.int64)
    lengths[list(tokenizer.special_tokens.values())] = 0
    return int(lengths[ids].sum())


class Sampler:
    """Says which windows of a token row make each batch.

    An epoch shifts the row by a random offset, cuts it into windows of context_length + 1 tokens and visits all of them in random order, so
    that a repeated corpus is cut at new places each time. Raises ValueError when the row is too short for one window.

    >>> sampler = Sampler(np.arange(100), context_length=4, batch_size=2, seed=0)
    >>> tokens, targets = sampler.batch(step=7)
    >>> tokens.shape, bool((targets == tokens + 1).all())
    (torch.Size([2, 4]), True)
    """

    def __init__(self, ids: np.ndarray, context_length: int, batch_size: int, seed: int):
        # Windows are T + 1 long, and the random offset may cost one window.
        self.n_windows = len(ids) // (context_length + 1) - 1
        if self.n_windows < 1:
            need = 2 * (context_length + 1)
            raise ValueError(f"the text has {len(ids)} tokens; context_length {context_length} needs at least {need}")
        self.ids, self.context_length, self.batch_size, self.seed = ids, context_length, batch_size, seed
        self._epoch = None

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The inputs and targets of a step, both int64 (B, T); targets are the inputs moved on by one token."""
        windows = [self._window(step * self.batch_size + i) for i in range(self.batch_size)]
        both = torch.from_numpy(np.stack(windows).astype(np.int64))  # (B, T + 1)
        return both[:, :-1], both[:, 1:]

    def _window(self, index: int) -> np.ndarray:
        epoch, position = divmod(index, self.n_windows)
        if epoch != self._epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._epoch, self._offset, self._order = epoch, rng.integers(self.context_length + 1), rng.permutation(self.n_windows)
        start = self._offset + self._order[position] * (self.context_length + 1)
        return self.ids[start : start + self.context_length + 1]


def _watched(stories: Iterable[str], progress):
    for story in stories:
        progress(len(story))
        yield story
