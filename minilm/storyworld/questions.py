"""What must one have understood to go on? Questions made from any story that parses, with answers that the rules decide.

A question is a story broken off before a word or two, and several ways to go on. The right one is the story's own; each wrong one puts
somebody or something else *from the same story* in its place, and the reader finds that it cannot be true. So word counts do not help: only
who keeps track of the story can choose. The kinds are those of TinyStories: facts (what was said of somebody or something), context tracking
(who has what and who is where by now) and reasoning (what can be known, done or answered after what happened).
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass

from minilm.storyworld.forms import PRONOUN_MODES, Mention
from minilm.storyworld.lexicon import lexicon
from minilm.storyworld.reader import Grade, Reader, Sentence, parse, split_sentences
from minilm.storyworld.teller import Dice
from minilm.storyworld.world import World

KINDS = ("facts", "context", "reasoning")
KIND_OF_FAULT = {"description": "facts", "owner": "context", "place": "context", "knowledge": "reasoning", "order": "reasoning", "impossible": "reasoning"}  # fmt: skip
PRONOUNS = ("it", "she", "he", "they", "her", "him", "them", "his", "their")


@dataclass(frozen=True)
class Question:
    """`context` and one of the `choices` make a text; `answer` is the index of the only choice with which it can be true."""

    kind: str
    context: str
    choices: tuple[str, ...]
    answer: int
    reason: str  # why one of the wrong choices is wrong


def questions(story: str, seed: int | str = 0, most_choices: int = 4) -> Iterator[Question]:
    """Yield all questions that a story allows, in its order. The seed decides only the order of the choices.

    A story may be anybody's; where it does not parse it gives no questions.
    """
    reader, dice, place = Reader(), Dice(seed), 0
    for number, sentence in enumerate(split_sentences(story)):
        place = story.index(sentence, place)
        before = pickle.dumps((reader.world, reader.memory))
        outcome = Grade([])
        reader.read(sentence, number, outcome)
        if not outcome.unparsed and not outcome.faults:
            yield from _questions_of(story[:place], sentence, before, dice, most_choices)
        place += len(sentence)


def _questions_of(context: str, sentence: str, before: bytes, dice: Dice, most_choices: int) -> Iterator[Question]:
    readings = parse(Sentence.of(sentence))
    if len(readings[0]) > 1:  # two joined events: which of them a wrong word spoils is unclear
        return
    world, _ = pickle.loads(before)
    for mention in readings[0][0].mentions:
        said = _as_written(mention)
        if mention.mode in PRONOUN_MODES or said.lower() in PRONOUNS or sentence.count(said) != 1:
            continue
        start = sentence.index(said)
        wrong = []
        for other in dice.sample(others := sorted(_others(mention, said, world)), len(others)):
            fault = _fault_of(sentence.replace(said, other), before)
            if fault is not None:
                wrong.append((fault, other))
        if wrong:
            yield _question(context + sentence[:start], said, sentence[start + len(said) :], wrong[: most_choices - 1], dice)


def _question(context: str, said: str, rest: str, wrong: list, dice: Dice) -> Question:
    choices = [said + rest, *(other + rest for _, other in wrong)]
    shuffled = dice.sample(choices, len(choices))
    fault = wrong[0][0]
    return Question(KIND_OF_FAULT[fault.kind], context, tuple(shuffled), shuffled.index(choices[0]), fault.reason)


def _as_written(mention: Mention) -> str:
    return " ".join(mention.words).replace(" 's", "'s").replace(" ,", ",")


def _others(mention: Mention, said: str, world: World) -> set[str]:
    """What else from the story so far could stand here, as it would be written."""
    names = {person.name for person in world.people.values() if person.name}
    owner = said.split("'s")[0]
    if mention.argument in "AB":
        ending = "'s" if said.endswith("'s") else ""
        if owner in names:
            return {name + ending for name in names if name != owner}
        kinds = {f"the {person.kind}{ending}" for person in world.people.values() if person.kind not in lexicon().sex_of_relative}
        return kinds - {said} if said in kinds else set()
    if mention.argument == "S":
        return {spot for thing in world.things.values() for spot in (thing.spot, *thing.searched) if spot and spot != said}
    if mention.argument in "XY" and mention.mode != "new":
        if owner in names:
            return {said.replace(owner, name, 1) for name in names if name != owner}
        for kind in ("colors", "sizes"):
            told = [look for thing in world.things.values() for look in thing.looks if look in lexicon().looks[kind]]
            if used := next((look for look in told if f" {look} " in said), None):
                return {said.replace(used, look) for look in told if look != used}
        return {f"the {noun}" for noun in world.things if f"the {noun}" != said} if said.startswith("the ") else set()
    return set()


def _fault_of(sentence: str, before: bytes):
    """Read a changed sentence where the original stood; return its first fault of a kind that makes a question, or None."""
    reader, outcome = Reader(), Grade([])
    reader.world, reader.memory = pickle.loads(before)
    reader.read(sentence, 0, outcome)
    return next((fault for _, fault in outcome.faults if fault.kind in KIND_OF_FAULT), None)
