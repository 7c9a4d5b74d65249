"""What can be said about a text without a model? Counts that tell good data from poor.

In order: words, how often each comes (`word_ranks`), how their number of kinds grows (`vocabulary_growth`), how many runs of them are new (`run_novelty`);
sentences and openings that come again (`corpus_facts`); stories that are copies of others, word for word or almost (`duplicates`, `near_duplicates`);
how far a compressor gets.

Built by hand in: chapter 01. Left out on purpose: languages without blanks between words.
"""

import lzma
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from zlib import crc32

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
SENTENCE_END = re.compile(r'(?<=[.!?"])\s+')
OPENING = 5  # words
SHINGLE = 5  # words
SHARED = 0.5  # of the runs of a story: from there on it is nearly the same as another
BUCKETS = 64  # of the sketch of a story


def words_in(text: str) -> list[str]:
    """Split a text into words in lower case, without marks.

    >>> words_in("Don't go, Lily!")
    ["don't", 'go', 'lily']
    """
    return WORD.findall(text.lower())


def vocabulary_growth(stories: Iterable[str], n_points: int = 40) -> list[tuple[int, int]]:
    """Tell how many different words there are among the first n: (n, kinds) at about `n_points` places, evenly spaced."""
    words = [word for story in stories for word in words_in(story)]
    step, seen, points = max(1, len(words) // n_points), set(), []
    for n, word in enumerate(words, start=1):
        seen.add(word)
        if n % step == 0 or n == len(words):
            points.append((n, len(seen)))
    return points


def word_ranks(stories: Iterable[str], n_points: int = 60) -> list[tuple[int, float]]:
    """Tell how often the word of each rank occurs: (rank, times in a million words) at about `n_points` ranks, evenly spaced on a logarithmic scale.

    >>> word_ranks(["a cat", "a dog", "a cat", "a b"])
    [(1, 500000.0), (2, 250000.0), (3, 125000.0), (4, 125000.0)]
    """
    counts = sorted(Counter(word for story in stories for word in words_in(story)).values(), reverse=True)
    ranks = sorted({round(len(counts) ** (i / (n_points - 1))) for i in range(n_points)})
    return [(rank, round(1e6 * counts[rank - 1] / sum(counts), 3)) for rank in ranks]


def run_novelty(stories: Sequence[str], n_judged: int = 100, lengths: Sequence[int] = (1, 2, 3, 4, 5, 6, 8, 10)) -> list[tuple[int, float]]:
    """Tell which share of the runs of n words in the last `n_judged` stories stands in no earlier story: (n, share) for each length.

    >>> run_novelty(["the cat ran", "the dog ran", "the cat sat"], n_judged=1, lengths=(1, 2))
    [(1, 0.3333), (2, 0.5)]
    """
    texts = [words_in(story) for story in stories]
    found = []
    for n in lengths:
        judged = Counter(run for words in texts[-n_judged:] for run in _runs_of(words, n))
        known = judged.keys() & (run for words in texts[:-n_judged] for run in _runs_of(words, n))
        found.append((n, round(1 - sum(judged[run] for run in known) / judged.total(), 4)))
    return found


def _runs_of(words: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    return (tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def word_entropy(words: Counter) -> float:
    """Bits that name one word of a text, if only the counts of its words are known: few words, or a few used most of the time, give little.

    >>> word_entropy(Counter("abcd"))
    2.0
    """
    total = sum(words.values())
    return -sum(count / total * math.log2(count / total) for count in words.values())


def opening(story: str) -> str:
    """The first words of a story in lower case."""
    return " ".join(words_in(story[:200])[:OPENING])


def duplicates(stories: Sequence[str]) -> list[int]:
    """Find the stories that are equal to an earlier one but for white space; return their places.

    >>> duplicates(["A cat.", "A dog.", "A  cat."])
    [2]
    """
    seen, found = set(), []
    for i, story in enumerate(stories):
        text = " ".join(story.split())
        if text in seen:
            found.append(i)
        seen.add(text)
    return found


def near_duplicates(stories: Sequence[str]) -> dict[int, int]:
    """Find the stories of whose five-word runs at least half stand in one earlier story too; return place: place of the earlier one.

    Candidates are found by a sketch, the smallest hash of a story's runs in each of 64 buckets; what they share is then counted exactly.
    Source: docs/SOURCES.md#minhash
    """
    by_mark: dict[tuple[int, int], int] = {}
    runs_of: list[set[int]] = []
    found = {}
    for i, story in enumerate(stories):
        runs = _runs(story)
        marks = _sketch(runs)
        likely = Counter(by_mark[mark] for mark in marks if mark in by_mark)
        for j, _ in likely.most_common(3):
            if len(runs & runs_of[j]) >= SHARED * max(1, len(runs)):
                found[i] = j
                break
        runs_of.append(runs)
        for mark in marks:
            by_mark.setdefault(mark, i)
    return found


def _runs(story: str) -> set[int]:
    words = words_in(story)
    return {crc32(" ".join(words[i : i + SHINGLE]).encode()) for i in range(max(1, len(words) - SHINGLE + 1))}


def _sketch(runs: set[int]) -> list[tuple[int, int]]:
    smallest: dict[int, int] = {}
    for run in runs:
        bucket = run % BUCKETS
        if run < smallest.get(bucket, 1 << 32):
            smallest[bucket] = run
    return list(smallest.items())


def corpus_facts(stories: Sequence[str]) -> dict[str, float]:
    """Measure a corpus: sizes, kinds of words, what comes again, and how small it can be packed. Shares are from 0 to 1.

    Raises ValueError if there is no story.
    """
    if not stories:
        raise ValueError("there is no story to measure")
    text = "\n".join(stories)
    size = len(text.encode())
    words = Counter(words_in(text))
    n_words = sum(words.values())
    sentences = [sentence for story in stories for sentence in SENTENCE_END.split(story) if sentence]
    openings = Counter(map(opening, stories))
    return {
        "n_stories": len(stories),
        "n_bytes": size,
        "n_words": n_words,
        "bytes_per_story": size / len(stories),
        "words_per_sentence": n_words / len(sentences),
        "different_words": len(words),
        "different_words_seen_5_times": sum(count >= 5 for count in words.values()),
        "word_entropy": word_entropy(words),
        "top_100_words_share": sum(count for _, count in words.most_common(100)) / n_words,
        "most_common_opening_share": openings.most_common(1)[0][1] / len(stories),
        "duplicate_sentence_share": 1 - len(set(sentences)) / len(sentences),
        "duplicate_story_share": len(duplicates(stories)) / len(stories),
        "near_duplicate_story_share": len(near_duplicates(stories)) / len(stories),
        "xz_bytes_per_byte": len(lzma.compress(text.encode(), preset=6)) / size,
    }
