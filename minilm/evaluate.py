"""How good is a model? The loss over a whole text, in units that any two models share; and which share of a set of items it answers rightly.

The ideas in order: cut a row of tokens into windows that do not overlap and predict every token of it once, end marks included; add up the nats;
divide by the bytes of the stories, not by the tokens, because a tokenizer with longer tokens has fewer and harder guesses to make. Of several ways
to go on, the model's answer is the one that it holds likeliest (`score_choices`); a share of items comes with an interval (`accuracy`), and two
models are compared on the same items, item by item (`compare`), or over several seeds (`mean_difference`).

Built by hand in: chapters 03 and 09. Left out on purpose: sliding windows, which flatter every model a little and cost many times more; answers that
a judge must read.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor, nn

from minilm.data import count_bytes
from minilm.items import Item
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

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens the model chooses, as it were."""
        return math.exp(self.nats_per_token)

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


# Which of several ways to go on does the model hold likeliest?

NORMALISATIONS = ("none", "token", "byte")


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a model makes of a set of items."""

    likelihoods: list[list[float]]
    """For each item the log-probability of each choice after the context, natural logarithm; per token or per byte if so asked."""
    right: np.ndarray
    """For each item whether the right choice is likelier than every other. A tie is no answer, and so not right."""
    greedy: np.ndarray
    """For each item whether every token of the right choice is the likeliest where it stands: whether the model would have written it."""
    n_cut: int
    """Items of which the beginning was cut off, because the context is longer than the window."""


@dataclass(kw_only=True)
class _Row:
    """One choice after its context, as ids of which the first `start` are only read."""

    ids: list[int]
    start: int
    was_cut: bool
    nats: float = 0.0
    greedy: bool = False

    def size(self, normalise: str, tokenizer: Tokenizer) -> int:
        judged = self.ids[self.start :]
        return {"none": 1, "token": len(judged), "byte": len(tokenizer.decode_bytes(judged))}[normalise]


@torch.no_grad()
def score_choices(model: nn.Module, tokenizer: Tokenizer, items: Sequence[Item], *, normalise: str = "none", batch_size: int = 16,
                  progress=None) -> Scores:  # fmt: skip
    """Score each choice of each item by its summed log-likelihood after the context, before which stands an end-of-text as before every story.

    normalise: `none` leaves the sum, which favours short choices; `token` and `byte` divide it by how many of them were judged. Context and choice are
    encoded together. Where a tokenizer merges across the border between them, the merged token is judged with the choice, and all choices of the item
    are judged from the same place on. A context that does not fit into the window is cut from the left, alike for all choices of an item.
    model: as for `evaluate`. progress: called with numbers of choices.
    Raises ValueError for another normalisation, for no items, and for a choice that alone is longer than the window.
    """
    if normalise not in NORMALISATIONS:
        raise ValueError(f"normalise is {normalise!r}; it must be one of {', '.join(NORMALISATIONS)}")
    if not items:
        raise ValueError("there are no items to score; give at least one")
    rows = [_rows(item, tokenizer, model.config.context_length) for item in items]
    waiting = sorted((row for choices in rows for row in choices), key=lambda row: len(row.ids))  # alike in length, so little is padded
    for begin in range(0, len(waiting), batch_size):
        _judge(model, batch := waiting[begin : begin + batch_size])
        if progress:
            progress(len(batch))
    likelihoods = [[-row.nats / row.size(normalise, tokenizer) for row in choices] for choices in rows]
    right = [all(found[item.answer] > other for i, other in enumerate(found) if i != item.answer) for item, found in zip(items, likelihoods)]
    greedy = [choices[item.answer].greedy for item, choices in zip(items, rows)]
    return Scores(likelihoods=likelihoods, right=np.array(right), greedy=np.array(greedy), n_cut=sum(choices[0].was_cut for choices in rows))


def _rows(item: Item, tokenizer: Tokenizer, window: int) -> list[_Row]:
    """Encode the choices of an item and find the place from which on they are judged, the same for all."""
    encoded = [[tokenizer.end_of_text, *tokenizer.encode(item.context + choice)] for choice in item.choices]
    n_bytes, start = len(item.context.encode()), 1
    while all(len(ids) > start + 1 and ids[start] == encoded[0][start] for ids in encoded):
        n_bytes -= len(tokenizer.vocab[encoded[0][start]])
        if n_bytes < 0:  # this token reaches into the choices
            break
        start += 1
    over = max(0, max(map(len, encoded)) - 1 - window)  # the last token is predicted, not read
    if over >= start:
        raise ValueError(f"a choice of {max(map(len, encoded)) - start} tokens does not fit into a window of {window}: {max(item.choices, key=len)!r}")
    return [_Row(ids=ids[over:], start=start - over, was_cut=over > 0) for ids in encoded]


def _judge(model: nn.Module, rows: list[_Row]) -> None:
    """Read a batch of rows and note in each how unlikely its judged tokens are, and whether all are the likeliest."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    width = max(len(row.ids) for row in rows) - 1
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    for i, row in enumerate(rows):  # what is padded on the right comes after all that is judged, and no token looks ahead
        tokens[i, : len(row.ids) - 1] = torch.tensor(row.ids[:-1])
    logits = model(tokens.to(device))
    for i, row in enumerate(rows):
        judged = logits[i, row.start - 1 : len(row.ids) - 1].float()
        targets = torch.tensor(row.ids[row.start :], device=device)
        row.nats = F.cross_entropy(judged, targets, reduction="sum").item()
        row.greedy = bool((judged.argmax(-1) == targets).all())


# How sure may one be?


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """The share of items that were answered rightly, its 95 % interval, and what guessing blindly would give."""

    share: float
    low: float
    high: float
    n_items: int
    chance: float


def accuracy(right: np.ndarray, chance: float = 0.0) -> Accuracy:
    """Count what was right, with Wilson's interval, which holds for few items and for shares near 0 and 1 too. Raises ValueError for no items.

    >>> found = accuracy(np.array([True, True, True, False]))
    >>> round(found.low, 2), found.share, round(found.high, 2)
    (0.3, 0.75, 0.95)
    """
    if not len(right):
        raise ValueError("there is no share of 0 items; give at least one")
    interval = stats.binomtest(int(np.sum(right)), len(right)).proportion_ci(0.95, method="wilson")
    return Accuracy(share=float(np.mean(right)), low=float(interval.low), high=float(interval.high), n_items=len(right), chance=chance)


def chance_level(items: Sequence[Item]) -> float:
    """The share that guessing blindly gives."""
    return sum(1 / len(item.choices) for item in items) / len(items)


def last_word_accuracy(scores: Scores) -> Accuracy:
    """How often the model would have written the very word, mark included, that was left out. Source: docs/SOURCES.md#lambada"""
    return accuracy(scores.greedy)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How much better one model is than another on the same items."""

    difference: float
    """Share of the first less share of the second."""
    low: float
    high: float
    p_value: float
    """How often two equally good models would differ as much or more: McNemar's exact test. Source: docs/SOURCES.md#mcnemar"""
    n_only_first: int
    n_only_second: int


def compare(first: np.ndarray, second: np.ndarray, *, n_samples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare two models that answered the same items, item by item: where both are right or both wrong, nothing is learned about the difference.

    first, second: for each item whether it was answered rightly. The 95 % interval is a bootstrap over the items. Raises ValueError for unequal sets.

    >>> compare(np.array([True] * 8 + [False] * 2), np.array([True] * 3 + [False] * 7)).p_value
    0.0625
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if first.shape != second.shape or not first.size:
        raise ValueError(f"{first.size} and {second.size} answers; give both models the same items, at least one")
    n, only_first, only_second = first.size, int((first & ~second).sum()), int((second & ~first).sum())
    shares = np.array([only_first, only_second, n - only_first - only_second]) / n
    # To draw items with replacement is to draw how many of each of the three sorts there are.
    drawn = np.random.default_rng(seed).multinomial(n, shares, n_samples)
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]) / n, [2.5, 97.5])
    differ = only_first + only_second
    p_value = stats.binomtest(only_first, differ).pvalue if differ else 1.0
    return Comparison(difference=(only_first - only_second) / n, low=float(low), high=float(high), p_value=float(p_value),
                      n_only_first=only_first, n_only_second=only_second)  # fmt: skip


def mean_difference(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The mean of the differences of pairs, and half the width of its 95 % interval by Student's t; infinite for one pair.

    Raises ValueError unless there is at least one pair, and as many of the second as of the first.

    >>> mean, half_width = mean_difference([1.1, 1.2, 1.4], [1.0, 1.1, 1.2])
    >>> round(mean, 4), round(half_width, 4)
    (0.1333, 0.1434)
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"{len(first)} and {len(second)} values; give as many of both, at least one pair")
    pairs = [a - b for a, b in zip(first, second)]
    half = stats.t.ppf(0.975, len(pairs) - 1) * stdev(pairs) / math.sqrt(len(pairs)) if len(pairs) > 1 else math.inf
    return mean(pairs), float(half)
