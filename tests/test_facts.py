"""Counts without a model: checked by hand on texts small enough to count, and on copies that were planted."""

import lzma
import math
import random

import pytest

from minilm.facts import corpus_facts, duplicates, near_duplicates, opening, run_novelty, vocabulary_growth, word_ranks, words_in

TALES = ["A cat sat. A cat ran.", "A dog sat. A cat ran!", "A cat  sat. A cat\nran."]


def test_facts_counted_by_hand():
    facts = corpus_facts(TALES)
    size = len("\n".join(TALES))
    assert facts["n_stories"] == 3 and facts["n_words"] == 18 and facts["different_words"] == 5
    assert facts["words_per_sentence"] == pytest.approx(18 / 6)
    assert facts["n_bytes"] == size and facts["bytes_per_story"] == pytest.approx(size / 3)
    assert facts["duplicate_story_share"] == facts["near_duplicate_story_share"] == pytest.approx(1 / 3)
    assert facts["word_entropy"] == pytest.approx(-sum(n / 18 * math.log2(n / 18) for n in (6, 5, 3, 3, 1)))  # a, cat, sat, ran, dog
    assert facts["duplicate_sentence_share"] == 0 and corpus_facts(["It ran. It sat.", "It ran."])["duplicate_sentence_share"] == pytest.approx(1 / 3)
    assert facts["most_common_opening_share"] == pytest.approx(2 / 3)
    assert facts["top_100_words_share"] == 1 and facts["different_words_seen_5_times"] == 2
    assert facts["xz_bytes_per_byte"] == pytest.approx(len(lzma.compress("\n".join(TALES).encode(), preset=6)) / size)


def test_bytes_are_counted_not_letters():
    assert corpus_facts(["Café."])["n_bytes"] == 6


def test_growth_counts_kinds_among_the_first_words():
    assert vocabulary_growth(["a b a", "c a b d"], n_points=7) == [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 3), (7, 4)]
    assert vocabulary_growth(["a b c"] * 100, n_points=2)[-1] == (300, 3)


def test_openings_and_words():
    assert opening('"Oh no!" said Tom, and ran.') == "oh no said tom and"
    assert words_in("It's 5 o'clock.") == ["it's", "o'clock"]


def test_copies_are_found_at_their_places():
    assert duplicates(TALES) == [2] and duplicates([]) == []


def test_near_copies_are_found_and_chance_likeness_is_not():
    rng = random.Random(0)
    words = [f"{a}{b}" for a in "bcdfghklmnprst" for b in ("a", "e", "ill", "o", "un")]
    tales = [" ".join(rng.choice(words) for _ in range(120)) for _ in range(200)]
    planted = {}
    for i in range(0, 60, 2):
        changed = tales[i].split()
        for j in rng.sample(range(120), 4):
            changed[j] = "zzz"
        planted[len(tales)] = i
        tales.append(" ".join(changed))
    assert near_duplicates(tales) == planted
    assert near_duplicates([tales[0], tales[0][: len(tales[0]) // 3] + " ".join(tales[1].split()[:90])]) == {}
    assert near_duplicates(tales[:2] * 2) == {2: 0, 3: 1}


def test_nothing_cannot_be_measured():
    with pytest.raises(ValueError, match="no story"):
        corpus_facts([])


def test_ranks_are_those_of_sorted_counts():
    words = "a a a a b b b c c d".split()
    assert word_ranks([" ".join(words)]) == [(1, 400000), (2, 300000), (3, 200000), (4, 100000)]
    many = word_ranks([" ".join(f"w{chr(97 + i % 26)}{chr(97 + i // 26)} " * (1 + 600 // (i + 1)) for i in range(600))], n_points=10)
    assert len(many) == 10 and (many[0][0], many[-1][0]) == (1, 600) and [times for _, times in many] == sorted((times for _, times in many), reverse=True)


def test_new_runs_are_those_that_no_earlier_story_holds():
    """Against a search for each run, blanks around it, in each earlier story."""
    rng = random.Random(0)
    stories = [" ".join(rng.choices("abcd", k=12)) for _ in range(8)]
    for n, share in run_novelty(stories, n_judged=3, lengths=(2, 3, 4)):
        runs = [words[i : i + n] for words in map(str.split, stories[5:]) for i in range(12 - n + 1)]
        new = [run for run in runs if not any(f" {' '.join(run)} " in f" {story} " for story in stories[:5])]
        assert share == pytest.approx(len(new) / len(runs), abs=1e-4)
    assert 0 < share < 1
