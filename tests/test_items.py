"""Items can be answered by whoever understood the story, and by nobody who only counted its words."""

import json
import math
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice

import pytest

from minilm.corpora import read_stories
from minilm.facts import words_in
from minilm.items import (
    CUES,
    FUNCTION_WORDS,
    KINDS,
    Item,
    _facts_about,
    ahead,
    balanced,
    cloze_from_stories,
    differing,
    few_shot,
    fingerprint,
    is_fair,
    leaked,
    places,
    read_items,
    repeated,
    storyworld_items,
    write_items,
)  # fmt: skip
from minilm.storyworld import Grade, grade, split_sentences, stories
from minilm.storyworld.reader import Reader
from minilm.storyworld.world import Thing

N = {"facts": 8, "looks": 2, "context": 30, "reasoning": 14}
ITEM = Item(context="Ben has a cat. Ann pets", choices=(" the cat.", " Ann."), answer=0, kind="facts", source="nowhere")


@cache
def items_of(kind: str) -> list[Item]:
    return cloze_from_stories(islice(stories("cloze"), 400), 60) if kind == "cloze" else storyworld_items(kind, N[kind])


# Guessers who look at words only, written without the module's own: from a context and what differs in the choices to a number for each choice.


def mentions(context: str, phrase: str) -> list[int]:
    padded = " " + "".join(letter if letter.isalnum() else " " for letter in context.lower()) + " "
    wanted = " " + "".join(letter if letter.isalnum() else " " for letter in phrase.lower()) + " "
    return [i for i in range(len(padded)) if padded.startswith(wanted, i)]


COMMON = Counter(word for story in islice(stories("counted"), 300) for word in words_in(story))
GUESSERS = {
    "most often in the context": lambda context, phrases, choices: [len(mentions(context, phrase)) for phrase in phrases],
    "last in the context": lambda context, phrases, choices: [mentions(context, phrase)[-1] for phrase in phrases],
    "first in the context": lambda context, phrases, choices: [-mentions(context, phrase)[0] for phrase in phrases],
    "the shortest": lambda context, phrases, choices: [-len(choice) for choice in choices],
}
OTHERS = {  # against which nothing is balanced: they must not be far off
    "most often in the language": lambda context, phrases, choices: [sum(COMMON[word] for word in words_in(phrase)) for phrase in phrases],
    "listed first": lambda context, phrases, choices: [-i for i in range(len(choices))],
    "first in the alphabet": lambda context, phrases, choices: [-sorted(phrases).index(phrase) for phrase in phrases],
}


def expected_right(items: list[Item], guess) -> float:
    """How many a guesser gets right on average, if it throws dice between equals."""
    total = 0.0
    for item in items:
        numbers = guess(item.context, differing(item.choices), item.choices)
        total += (numbers[item.answer] == max(numbers)) / numbers.count(max(numbers))
    return total


@pytest.mark.parametrize("kind", [*N, "cloze"])
def test_shallow_guessers_are_within_an_item_of_chance(kind):
    items = items_of(kind)
    chance = sum(1 / len(item.choices) for item in items)
    for name, guess in GUESSERS.items():
        assert abs(expected_right(items, guess) - chance) <= 1, name
    assert GUESSERS.keys() == CUES.keys()


@pytest.mark.parametrize("kind", [*N, "cloze"])
def test_other_guessers_are_within_three_standard_errors_of_chance(kind):
    items = items_of(kind)
    chances = [1 / len(item.choices) for item in items]
    bound = 3 * math.sqrt(sum(p * (1 - p) for p in chances))
    for name, guess in OTHERS.items():
        assert abs(expected_right(items, guess) - sum(chances)) <= bound, name


def test_without_the_balance_a_shallow_guesser_would_be_far_ahead():
    """That the last mentioned is right more often than not is what the balance is for."""
    assert ahead(replace(ITEM, context="Ann saw the cat. Ann sat by the", choices=(" the cat.", " Ann."))) == (-0.5, -0.5, -0.5, -0.5)
    one_sided = [replace(ITEM, context=f"Ann saw the cat {i}. It was big. Tom pets", source=str(i)) for i in range(40)]
    assert ahead(one_sided[0])[1] == 0.5 and len(list(balanced(one_sided))) == 2  # the first and, by its slack, no more than one ahead
    other_sided = [replace(item, answer=1, source=item.source + "b") for item in one_sided]
    assert len(list(balanced(one_sided + other_sided))) == 80
    assert len(list(balanced(other_sided + one_sided, slack=3))) == 80
    assert len(list(balanced([one_sided[0], replace(one_sided[0], answer=1)]))) == 1  # of one source


@pytest.mark.parametrize("kind", list(N))
def test_the_reader_finds_a_fault_in_the_wrong_choice_alone(kind):
    for item in items_of(kind):
        right, wrong = item.text, item.context + item.choices[1 - item.answer]
        found = [[fault for _, fault in grade(text).faults if fault.kind not in ("want", "ending")] for text in (right, wrong)]
        assert not found[0] and found[1], item


@pytest.mark.parametrize("kind", [*N, "cloze"])
def test_every_choice_stands_in_the_context_and_each_story_gives_one_item(kind):
    items = items_of(kind)
    assert len({item.source for item in items}) == len(items) == N.get(kind, 60)
    for item in items:
        assert item.kind == kind and all(mentions(item.context, phrase) for phrase in differing(item.choices))
        assert not item.context[-1].isspace() and all(choice[0].isspace() for choice in item.choices)
    assert not repeated(items)


def test_a_fact_is_what_nothing_has_changed():
    reader = Reader()
    for number, sentence in enumerate(["A girl named Ana lived in a small house.", "Ana met a girl named Mia.", "Ana had a red ball."]):
        reader.read(sentence, number, Grade([]))
    ball = Thing("ball", ("red",), owner=reader.world.people["Ana"])
    reader.world.things = {"ball": ball, "kite": Thing("kite", ("blue", "old"))}
    told = {(kind, right, wrong) for kind, right, wrong, _ in _facts_about(ball, reader.world, {"Ana"})}
    assert told == {("facts", "Ana's ball", "Mia's ball"), ("looks", "the red ball", "the blue ball")}
    assert {kind for kind, *_ in _facts_about(ball, reader.world, {"Mia", "Ana"})} == {"looks"}  # it has had two owners


def test_a_name_that_only_one_pronoun_fits_or_that_the_sentence_holds_is_not_fair():
    context = "A girl named Ana met a boy named Ben and a girl named Mia. Then"
    assert is_fair(context, (" Ana hugged the dog.", " Mia hugged the dog."))
    assert not is_fair(context, (" Ana hugged the dog.", " Ben hugged the dog."))
    assert not is_fair(context, (" Ana hugged Mia.", " Mia hugged Mia."))
    assert not is_fair(context + " Ana saw that", (" Ana fell.", " Mia fell."))
    assert not is_fair(context, (" Ana hugged the dog.", " Zoe hugged the dog."))


def test_the_same_seed_gives_the_same_items_and_another_other_ones():
    assert storyworld_items("context", 5, seed=1) == storyworld_items("context", 9, seed=1)[:5] != storyworld_items("context", 5, seed=2)
    told = list(islice(stories("few"), 200))
    assert fingerprint(cloze_from_stories(told, 9)) == fingerprint(cloze_from_stories(told, 9)) != fingerprint(cloze_from_stories(told, 9, seed=1))


def check_cloze(items: list[Item]) -> None:
    for item in items:
        answers = [choice.strip(" .!?") for choice in item.choices]
        begun = split_sentences(item.context)[-1]
        for answer in answers:
            assert answer in words_in(item.context) and answer not in FUNCTION_WORDS and len(answer) > 2, item
            assert not mentions(begun, answer), item
        right = answers[item.answer]
        assert " ".join(words_in(item.context)[-2:] + [right]) not in " ".join(words_in(item.context))
        assert [answer[:3] for answer in answers].count(right[:3]) == 1
        assert {choice[-1] for choice in item.choices} <= set(".!?") and len({choice[-1] for choice in item.choices}) == 1


def test_a_word_left_out_stood_before_but_not_in_its_sentence_and_so_did_the_wrong_ones():
    check_cloze(items_of("cloze"))


def test_real_text_gives_items_that_keep_the_rule(tinystories):
    items = cloze_from_stories(islice(read_stories(tinystories / "valid.txt"), 1500), 100)
    check_cloze(items)
    for name, guess in GUESSERS.items():
        assert abs(expected_right(items, guess) - 25) <= 1, name


def test_a_cloze_by_hand():
    told = "Ben saw a kite. The dog ran far. It was cold. Ben went out and got the {}. The dog slept near the fire."
    others = ["They all played with the kite. A fox took the dog."]
    made = cloze_from_stories([told.format("kite"), *others], 1, n_choices=2)
    assert made[0].context.endswith("Ben went out and got the") and set(made[0].choices) == {" kite.", " dog."} and made[0].choices[made[0].answer] == " kite."
    for word in ("sun", "Kite", "out"):  # never seen before, no small letter, a function word
        with pytest.raises(ValueError, match="give 0 items"):
            cloze_from_stories([told.format(word), *others], 1, n_choices=2)


def test_solved_items_come_before_the_question_and_end_with_their_letter():
    solved = replace(ITEM, context="Tom ate. Then slept", answer=1)
    asked = few_shot(ITEM, [solved, solved])
    one = "Tom ate. Then slept ...\nA. the cat.\nB. Ann.\nAnswer: B\n\n"
    assert asked.context == one + one + "Ben has a cat. Ann pets ...\nA. the cat.\nB. Ann.\nAnswer:"
    assert asked.choices == (" A", " B") and asked.answer == 0
    with pytest.raises(ValueError, match="would give the answer away"):
        few_shot(ITEM, [ITEM])


def test_a_planted_leak_is_found_and_nothing_else():
    items = items_of("context")[:10]
    clean = list(islice(stories("clean"), 100))
    assert leaked(items, clean) == []
    spoiled = [*clean, f"So it was.  {items[3].text.upper()} And so on.", items[7].context]
    assert leaked(items, spoiled) == [3]
    last = " ".join(words_in(items[5].text)[-8:])
    assert leaked(items, [last]) == [] and leaked(items, [last], n_words=8) == [5]
    assert leaked([ITEM], ["Oh, Ben has a cat! Ann pets the cat."]) == [0]
    assert repeated([*items, replace(items[2], context=items[2].context.replace(" ", "  "))]) == [10]


def test_a_set_is_written_and_read_whole(tmp_path):
    items = [*items_of("context"), *items_of("cloze"), replace(ITEM, context='É "so"\n\nit was\u2028.')]
    write_items(tmp_path / "set.jsonl", items)
    assert read_items(tmp_path / "set.jsonl") == items
    assert fingerprint(items) != fingerprint(items[::-1]) and len(fingerprint(items)) == 16


def test_what_is_no_item_is_said_in_one_sentence(tmp_path):
    good = json.dumps({"context": "a", "choices": ["b", "c"], "answer": 0, "kind": "x", "source": ""})
    for line, message in {
        "{": "line 2 is no item", "[]": "line 2 is no item", '{"context": "a"}': "line 2 is no item: 'choices'",
        good.replace('"answer": 0', '"answer": 2'): "number 2; count from 0 to 1", good.replace('"c"', '"b"'): "2 to 8 different ones",
        good.replace('["b", "c"]', '"bc"'): "the choices are 'bc', not a list", good.replace('"c"', "3"): r"context 'a', choices \('b', 3\) and answer 0",
        good.replace('"a"', "5"): "context 5, choices", good.replace("0", "0.5"): "answer 0.5: a context and choices are texts, the answer is a whole number",
    }.items():  # fmt: skip
        (tmp_path / "set.jsonl").write_text(f"{good}\n{line}\n")
        with pytest.raises(ValueError, match=message):
            read_items(tmp_path / "set.jsonl")
    (tmp_path / "set.jsonl").write_text("")
    with pytest.raises(ValueError, match="holds no item"):
        read_items(tmp_path / "set.jsonl")
    for call, message in (
        (lambda: storyworld_items("poems", 3), "the kind is 'poems'; storyworld has items of the kinds facts, looks, context, reasoning"),
        (lambda: storyworld_items("facts", 0), "0 items were asked for"),
        (lambda: cloze_from_stories(["A cat."], 3), "give 0 items that shallow guessing does not solve, not 3"),
        (lambda: cloze_from_stories(["A cat."], 3, n_choices=1), "3 items with 1 choices"),
        (lambda: leaked([ITEM], [], n_words=0), "a run has at least one"),
        (lambda: ahead(ITEM), "does not stand in the context"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert KINDS == tuple(N)


def test_a_phrase_is_found_as_words_of_its_own():
    assert places("Ann and Anna, Ann's. ANN", "Ann") == [0, 14, 21] and places("a.b", "a.b") == [0]
    assert differing([" the fig with Ann.", " the old pear with Ann."]) == ["fig", "old pear"]
    assert differing([" Ann.", " Ben."]) == ["Ann", "Ben"] and differing([" the fox ran.", " the big fox ran."]) == ["fox", "big fox"]
