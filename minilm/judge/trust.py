"""Can a judge be trusted? It must see known faults, and agree with other judges of the same stories."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from minilm.judge.asking import Judge
from minilm.scaling import bootstrap

ANCHORS = {kind: tuple(stories) for kind, stories in tomllib.loads(Path(__file__).with_name("anchors.toml").read_text(encoding="utf-8")).items()}
"""Stories of our own, by what is wrong with them."""
EXPECTED = (("grammar", "broken"), ("grammar", "pleading"), ("consistency", "contradictory"), ("creativity", "repeated"), ("plot", "repeated"))
"""A criterion, and the stories that must get lower marks for it than the good ones."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The marks of the good stories for one criterion beside those of stories with a fault, in the order of `ANCHORS`; None is unjudged."""

    criterion: str
    fault: str
    good: tuple[int | None, ...]
    faulty: tuple[int | None, ...]

    @property
    def holds(self) -> bool:
        """Whether every good story is judged above every faulty one."""
        return None not in self.good + self.faulty and min(self.good) > max(self.faulty)


def calibrate(judge: Judge, *, consent: bool = False) -> list[Comparison]:
    """Let a judge mark the anchors, and lay the marks side by side; trust a judge for which each comparison `holds`.

    Raises ValueError and JudgeFailed as `Judge.mark` does.
    """
    told = [story for stories in ANCHORS.values() for story in stories]
    marks = dict(zip(told, judge.mark(told, consent=consent), strict=True))

    def column(kind: str, criterion: str) -> tuple[int | None, ...]:
        return tuple(getattr(marks[story], criterion, None) for story in ANCHORS[kind])

    return [Comparison(criterion=name, fault=kind, good=column("good", name), faulty=column(kind, name)) for name, kind in EXPECTED]


# Whether two judges agree


def quadratic_kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Cohen's kappa with squared differences as weights: 1 if two rows of marks are equal, 0 if they agree no better than by chance.

    It is 1 - (mean squared difference of the pairs) / (that of every mark of one with every mark of the other). Raises ValueError where it
    has no meaning, because all marks are one and the same. Source: docs/SOURCES.md#kappa

    >>> quadratic_kappa([1, 2, 3], [1, 2, 3])
    1.0
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    by_chance = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    if by_chance == 0:
        raise ValueError("all marks are the same, so that agreement has no meaning; judge more stories")
    return float(1 - np.mean((a - b) ** 2) / by_chance)


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Rank correlation. Raises ValueError where it has no meaning, because one judge gives the same mark to all."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        raise ValueError("one judge gives all stories the same mark, so that they have no order; judge more stories")
    return float(stats.spearmanr(first, second).statistic)


def agreement(first: Sequence[int | None], second: Sequence[int | None], n_samples: int = 1000, seed: int = 0) -> dict[str, tuple[float, float, float]]:
    """How far two judges agree on the same stories: (value, low, high), with 95 % intervals from samples of the stories.

    first, second: their marks for one criterion, story by story; pairs with an unjudged one (None) are left out. Samples in which one judge's
    marks are all the same are drawn anew. Raises ValueError for rows of unequal length, fewer than three pairs, and marks that are all the same.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} marks; give both judges the same stories")
    pairs = np.array([pair for pair in zip(first, second, strict=True) if None not in pair], float).reshape(-1, 2)
    if len(pairs) < 3:
        raise ValueError(f"{len(pairs)} stories were judged by both; agreement can be told from three on, and needs some dozens")

    def measure(drawn: np.ndarray) -> list[float]:
        a, b = pairs[drawn].T
        return [float(np.mean(b - a)), spearman(a, b), quadratic_kappa(a, b)]

    values = measure(np.arange(len(pairs)))
    low, high = np.percentile(bootstrap(measure, len(pairs), n_samples, seed), [2.5, 97.5], axis=0).tolist()
    return dict(zip(("mean_difference", "spearman", "kappa"), zip(values, low, high, strict=True), strict=True))
