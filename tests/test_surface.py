"""Counts of new, copied and repeated words: by hand on texts small enough to count, and against a search that tries everything."""

import random

import pytest

from minilm.surface import longest_copied, repeated_share, rouge, surface

TRAIN = ["The red cat sat on the mat and slept.", "A dog ran home. It was late."]


def test_the_longest_copied_run_against_a_search_of_all():
    rng = random.Random(0)
    stories, train = ([" ".join(rng.choices("abcd", k=14)) for _ in range(12)] for _ in range(2))
    for story, found in zip(stories, longest_copied(stories, train), strict=True):
        words = story.split()
        runs = [words[i:j] for i in range(14) for j in range(i + 1, 15)]
        assert found == max(len(run) for run in runs if any(f" {' '.join(run)} " in f" {text} " for text in train))


def test_copies_do_not_cross_from_one_training_story_to_the_next():
    assert longest_copied(["and slept a dog", "zzz", TRAIN[0]], TRAIN) == [2, 0, 9]
    assert longest_copied(["a cat"], []) == [0]


def test_repetition_within_a_story():
    assert repeated_share("a b c d e f g h") == 0 and repeated_share("a b c") == 0
    assert repeated_share("a b c d " * 5) == pytest.approx(1 - 4 / 17)


def test_rouge_by_hand():
    assert rouge("a b c d", "a b x c d e") == (pytest.approx(2 / 3), pytest.approx(2 * 2 / (3 + 5)))
    assert rouge("a b a b", "a b") == (0.5, pytest.approx(2 / 3))  # a run counts once
    assert rouge("A b, c!", "a B c") == (1, 1) and rouge("a", "a b") == (0, 0) and rouge("a b c", "b", n=1) == (pytest.approx(1 / 3), 0.5)


def test_the_surface_of_copied_and_of_new_stories():
    copied = surface(TRAIN, TRAIN)
    assert all(copied[f"new_{n}"] == 0 for n in (1, 2, 3, 4, 5)) and copied["copied_mean"] == 8 and copied["copied_longest"] == 9
    assert copied["rouge_2_precision_train"] == copied["rouge_2_f_train"] == 1 and copied["rouge_2_f_among"] == 0
    new = surface(["Zig zag zog zug zeg.", "Zig zag zog zug zeg."], TRAIN)
    assert new["new_1"] == new["new_5"] == 1 and new["copied_longest"] == 0 and new["rouge_2_f_train"] == 0
    assert new["rouge_2_precision_among"] == new["rouge_2_f_among"] == 1 and (new["n_words"], new["different_words"]) == (10, 5)


def test_partly_new_runs_and_the_nearest_training_story():
    found = surface(["The red cat ran home.", "Mine."], TRAIN, lengths=(1, 2, 9))
    assert found["new_1"] == pytest.approx(1 / 6, abs=1e-4) and found["new_2"] == 0.25 and "new_9" not in found
    assert found["copied_mean"] == 1.5 and found["copied_longest"] == 3
    assert found["rouge_2_precision_train"] == pytest.approx(2 / 4 / 2)  # the first training story shares two pairs of four, the second one; "mine" has none


def test_without_training_text_and_with_one_story():
    assert set(surface(["A cat ran."])) == {"n_stories", "n_words", "different_words", "repeated_4"}


def test_large_numbers_are_sampled_by_seed():
    rng = random.Random(0)
    stories = [" ".join(rng.choices("abcdefgh", k=12)) for _ in range(80)]  # 3,160 pairs
    train = [" ".join(rng.choices("abcdefgh", k=12)) for _ in range(1200)]
    first, again, other = (surface(stories, train, seed=seed) for seed in (0, 0, 1))
    assert first == again and first["rouge_2_f_among"] != other["rouge_2_f_among"]
    assert first["rouge_2_f_among"] == pytest.approx(other["rouge_2_f_among"], abs=0.02) and first["new_3"] == other["new_3"]


def test_what_cannot_be_measured_is_said():
    for stories, train, lengths, error, says in (
        ([], (), (1,), ValueError, "no story"),
        (["A cat.", "..."], (), (1,), ValueError, "story 2 of 2 has no words"),
        ("A cat.", (), (1,), TypeError, "one string"),
        (["A cat."], "A cat.", (1,), TypeError, "training text is one string"),
        (["A cat."], TRAIN, (0,), ValueError, "a run of 0 words"),
    ):
        with pytest.raises(error, match=says):
            surface(stories, train, lengths)
