"""How far does counting get? The interpolated n-gram, the baseline that every model must beat.

The ideas in order: an n-gram is a shorter one and a token, so each gets a number from the two (`_rank`); the guess from the longest
context is mixed with that of the next shorter one, down to "all tokens are equally likely"; a shorter context counts in how many *different*
places a token was seen, not how often (Kneser and Ney), because "Francisco" is frequent and yet follows only "San".

Built by hand in: chapter 03. Left out on purpose: one discount for each count (modified Kneser-Ney), pruning.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Level:
    """What was counted of the n-grams of one length.

    keys: sorted (context number, token) pairs in one integer each; counts: one for each key; totals and kinds: sum of the counts, and how
    many different tokens, for each context; discount: taken off every count and given to the shorter context.
    """

    keys: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    kinds: np.ndarray
    discount: float


class NGram:
    """An interpolated Kneser-Ney model of tokens. Source: docs/SOURCES.md#kneserney

    >>> counted = NGram(np.array([0, 1, 0, 1, 0, 2]), vocab_size=3, order=2)
    >>> counted.probabilities(np.array([0, 1])).round(3).tolist()
    [0.333, 0.644]
    """

    def __init__(self, ids: np.ndarray, vocab_size: int, order: int = 5) -> None:
        """Count a row of ids. Raises ValueError if it is shorter than `order`, or holds an id outside the vocabulary."""
        ids = np.asarray(ids, dtype=np.int64)
        if order < 1 or len(ids) < order:
            raise ValueError(f"{len(ids)} tokens cannot be counted in n-grams of {order}; give more text or a lower order of at least 1")
        if ids.min() < 0 or ids.max() >= vocab_size:
            raise ValueError(
                f"ids reach from {ids.min()} to {ids.max()}; with a vocabulary of {vocab_size} they must be 0 to {vocab_size - 1}"
            )
        self.vocab_size, self.order = vocab_size, order
        numbers, contexts, grams = [], [np.zeros(len(ids), dtype=np.int64)], []
        for n in range(order):  # contexts[n][i]: number of the n tokens before token i
            keys, first, number = np.unique(contexts[n][n:] * vocab_size + ids[n:], return_index=True, return_inverse=True)
            grams.append((keys, first + n))
            numbers.append(np.concatenate([np.full(n, -1), number]))
            contexts.append(np.concatenate([[-1], numbers[n][:-1]]))
        self.levels = []
        for n in range(order):
            keys, _ = grams[n]
            if n == order - 1:
                counts = np.bincount(numbers[n][n:], minlength=len(keys))
            else:  # in how many different n-grams one longer does it stand at the end?
                counts = np.bincount(numbers[n][grams[n + 1][1]], minlength=len(keys))
            self.levels.append(self._level(keys, counts))

    def _level(self, keys: np.ndarray, counts: np.ndarray) -> Level:
        contexts = keys // self.vocab_size
        ones, twos = (counts == 1).sum(), (counts == 2).sum()
        discount = ones / (ones + 2 * twos) if ones else 0.5
        totals = np.bincount(contexts, counts)
        return Level(keys, counts, totals, np.bincount(contexts[counts > 0], minlength=len(totals)), discount)

    def probabilities(self, ids: np.ndarray) -> np.ndarray:
        """Give each token of a row the probability that the tokens before it led to expect."""
        ids = np.asarray(ids, dtype=np.int64)
        guess = np.full(len(ids), 1 / self.vocab_size)
        context = np.zeros(len(ids), dtype=np.int64)  # number of the n tokens before, -1 if they were never seen
        for level in self.levels:
            known = (context >= 0) & (context < len(level.totals))
            totals = np.where(known, level.totals[np.where(known, context, 0)], 0)
            known &= totals > 0
            number = self._rank(level, context, ids)
            counts = np.where(number >= 0, level.counts[number], 0)
            kinds = level.kinds[np.where(known, context, 0)]
            totals = np.maximum(totals, 1)
            mixed = (np.maximum(counts - level.discount, 0) + level.discount * kinds * guess) / totals
            guess = np.where(known, mixed, guess)
            context = np.concatenate([[-1], number[:-1]])
        return guess

    def _rank(self, level: Level, context: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Find the number of each (context, token); -1 if it was never seen."""
        keys = np.where(context >= 0, context * self.vocab_size + ids, -1)
        place = np.minimum(np.searchsorted(level.keys, keys), len(level.keys) - 1)
        return np.where(level.keys[place] == keys, place, -1)

    def nats(self, ids: np.ndarray) -> float:
        """Sum the surprise of a row, -ln p of each token."""
        return float(-np.log(self.probabilities(ids)).sum())
