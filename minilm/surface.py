"""How much of a story is a model's own? Counts that need no judge: what is new, what is copied, what comes again, how alike the stories are.

The ideas in order: which runs of words stand in no training story (`facts.run_novelty`), and how long the longest one is that does
(`longest_copied`); what a story says twice (`repeated_share`); how alike two texts are by the pairs of words that they share (`rouge`), among the
stories of a model, which should differ, and against the training stories, which should not be told again (`surface`).

Used in: chapter 09. Left out on purpose: stems, synonyms and other languages; a story told anew in other words counts as new.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from statistics import fmean

import numpy as np

from minilm.facts import run_novelty, words_in

LENGTHS = (1, 2, 3, 4, 5)  # words
REPEATED = 4  # words: shorter runs come again in every good story
N_PAIRS = 2000  # of stories that are compared with each other
N_TOLD = 1000  # training stories that each story is compared with


def _runs(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def repeated_share(story: str, n: int = REPEATED) -> float:
    """The share of the runs of n words that stood in the same story before; 0 for a story with fewer words.

    >>> repeated_share("No no no no no no, said Ben.")
    0.4
    """
    runs = _runs(words_in(story), n)
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def longest_copied(stories: Sequence[str], train: Iterable[str]) -> list[int]:
    """For each story the length in words of its longest run that stands in a training story too.

    Runs grow by a word at a time; a training story that shares none of one length can share none longer, so few are left soon.

    >>> longest_copied(["The red cat sat down.", "A cow."], ["A red cat sat up.", "The dog sat down."])
    [3, 1]
    """
    texts, others = [words_in(story) for story in stories], [words_in(story) for story in train]
    longest, n = [0] * len(texts), 0
    while others:
        n += 1
        runs = [set(_runs(words, n)) for words in texts]
        wanted, known, left = set().union(*runs), set(), []
        for words in others:
            if shared := wanted.intersection(_runs(words, n)):
                known |= shared
                left.append(words)
        others = left
        longest = [length if known.isdisjoint(own) else n for length, own in zip(longest, runs, strict=True)]
    return longest


def rouge(candidate: str, reference: str, n: int = 2) -> tuple[float, float]:
    """ROUGE-n of two texts: the precision, and its harmonic mean with the recall (F); 0 for texts with fewer than n words.

    Precision is the share of the candidate's different runs of n words that the reference holds too. Source: docs/SOURCES.md#rouge

    >>> rouge("the cat sat", "the cat ran off")
    (0.5, 0.4)
    """
    return _rouge(set(_runs(words_in(candidate), n)), set(_runs(words_in(reference), n)))


def _rouge(candidate: set, reference: set) -> tuple[float, float]:
    if not candidate or not reference:
        return 0.0, 0.0
    shared = len(candidate & reference)
    return shared / len(candidate), 2 * shared / (len(candidate) + len(reference))


def surface(stories: Sequence[str], train_text: Sequence[str] = (), lengths: Sequence[int] = LENGTHS, seed: int = 0) -> dict[str, float]:
    """Measure the stories of a model, alone and, if there are any, against training stories. Shares are from 0 to 1.

    train_text: training stories, or a sample of them; with fewer of them more looks new. lengths: of the runs whose novelty is told; those
    that no story is long enough for are left out. seed: of the sample, where there are more pairs of stories than 2,000 or training stories than 1,000.
    Raises ValueError for no story and for one without words, TypeError for stories given as one string. Source: docs/SOURCES.md#tinystories
    """
    stories = _checked(stories)
    rng, pairs = np.random.default_rng(seed), [set(_runs(words_in(story), 2)) for story in stories]
    among = [_rouge(pairs[i], pairs[j]) for i, j in _sample(list(combinations(range(len(pairs)), 2)), N_PAIRS, rng)]
    words = [word for story in stories for word in words_in(story)]
    found = {
        "n_stories": len(stories),
        "n_words": len(words),
        "different_words": len(set(words)),
        f"repeated_{REPEATED}": fmean(map(repeated_share, stories)),
    }
    if among:
        found |= {"rouge_2_precision_among": fmean(p for p, _ in among), "rouge_2_f_among": fmean(f for _, f in among)}
    if isinstance(train_text, str):
        raise TypeError("the training text is one string; give a list of strings, one for each story")
    return found | _against(stories, list(train_text), lengths, pairs, rng) if len(train_text) else found


def _against(stories: list[str], train: list[str], lengths: Sequence[int], pairs: list[set], rng: np.random.Generator) -> dict[str, float]:
    if bad := [n for n in lengths if not (isinstance(n, int) and n > 0)]:
        raise ValueError(f"a run of {bad[0]!r} words; lengths must be whole numbers from 1 on")
    lengths = [n for n in lengths if n <= max(len(words_in(story)) for story in stories)]
    new = run_novelty([*train, *stories], len(stories), lengths)
    copied = longest_copied(stories, train)
    told = [set(_runs(words_in(story), 2)) for story in _sample(train, N_TOLD, rng)]
    nearest = [tuple(map(max, zip(*(_rouge(own, other) for other in told), strict=True))) for own in pairs]
    return {f"new_{n}": share for n, share in new} | {
        "copied_mean": fmean(copied),
        "copied_longest": max(copied),
        "rouge_2_precision_train": fmean(precision for precision, _ in nearest),
        "rouge_2_f_train": fmean(f for _, f in nearest),
    }


def _sample(things: list, n: int, rng: np.random.Generator) -> list:
    return things if len(things) <= n else [things[i] for i in rng.choice(len(things), n, replace=False)]


def _checked(stories: Sequence[str]) -> list[str]:
    """The stories as a list. Raises ValueError unless they are texts with words in them, and at least one; the message names a place, not a story."""
    if isinstance(stories, str):
        raise TypeError("the stories are one string; give a list of strings, one for each story")
    stories = list(stories)
    if not stories:
        raise ValueError("there is no story; give at least one")
    for number, story in enumerate(stories, start=1):
        if not isinstance(story, str) or not words_in(story):
            raise ValueError(f"story {number} of {len(stories)} has no words; leave it out")
    return stories
