"""How good is a model? The loss over a whole text, in units that any two models share.

The ideas in order: cut a row of tokens into windows that do not overlap and predict every token of it once, end marks included; add up the nats;
divide by the bytes of the stories, not by the tokens, because a tokenizer with longer tokens has fewer and harder guesses to make.

Built by hand in: chapter 03. Left out on purpose: sliding windows, which flatter every model a little and cost many times more.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minilm.data import count_bytes
from minilm.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The summed loss of a model over a text, and the two ways to divide it."""

    nats: float
    """Summed cross-entropy of all tokens, end-of-text included; natural logarithm."""
    n_tokens: int
    """Tokens predicted."""
    n_bytes: int
    """UTF-8 bytes of the stories, without separators."""

    @property
    def bits_per_byte(self) -> float:
        return bits_per_byte(self.nats, self.n_bytes)

    @property
    def nats_per_token(self) -> float:
        return self.nats / self.n_tokens

    def to_dict(self) -> dict:
        return {"bits_per_byte": self.bits_per_byte, "nats_per_token": self.nats_per_token, **asdict(self)}


def bits_per_byte(total_nats: float, total_bytes: int) -> float:
    """Convert a summed loss to bits per byte, which does not depend on the tokenizer.

    total_nats: summed cross-entropy, natural log. total_bytes: UTF-8 bytes of the same text.
    Raises ValueError if total_bytes < 1. Source: docs/SOURCES.md#pile

    >>> round(bits_per_byte(math.log(256) * 10, 10), 6)
    8.0
    """
    if total_bytes < 1:
        raise ValueError(f"bits per byte of {total_bytes} bytes of text; give a text that is not empty")
    return total_nats / math.log(2) / total_bytes


@torch.no_grad()
def evaluate(model: nn.Module, ids: np.ndarray, tokenizer: Tokenizer, *, batch_size: int = 16, progress=None) -> Evaluation:
    """Sum the loss of `model` over a row of ids, each predicted exactly once.

    ids: stories laid end to end, each followed by the end-of-text id (`data.encode_stories`). The first story, too, is predicted from an
    end-of-text. model: anything with `.config.context_length` that maps tokens (B, T) to logits (B, T, V). progress: called with numbers of tokens.
    Raises ValueError for an empty row.
    """
    if len(ids) == 0:
        raise ValueError("there are no tokens to evaluate; give a text that is not empty")
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    nats = 0.0
    for tokens, targets in _windows(ids, model.config.context_length, tokenizer.end_of_text, batch_size):
        logits = model(tokens.to(device)).flatten(0, 1).float()
        nats += F.cross_entropy(logits, targets.to(device).flatten(), reduction="sum").item()
        if progress:
            progress(targets.numel())
    return Evaluation(nats=nats, n_tokens=len(ids), n_bytes=count_bytes(ids, tokenizer))


def _windows(ids: np.ndarray, context_length: int, first: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut ids into batches of (tokens, targets), both (B, T); the rest that fills no window comes last, as a batch of its own."""
    n_full = len(ids) // context_length
    for start in [*range(0, n_full, batch_size), n_full]:
        end = min(start + batch_size, n_full) * context_length if start < n_full else len(ids)
        begin = start * context_length
        if begin == end:
            continue
        targets = torch.from_numpy(np.asarray(ids[begin:end]).astype(np.int64))
        before = int(ids[begin - 1]) if begin else first
        tokens = torch.cat((torch.tensor([before]), targets[:-1]))
        width = min(context_length, end - begin)
        yield tokens.view(-1, width), targets.view(-1, width)
