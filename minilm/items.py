"""What do we ask a model, and could somebody who has understood nothing answer it? Sets of items: a text broken off, and several ways to go on.

The ideas in order: an item is a context, its choices and the right one (`Item`). Storyworld's rules decide which choices can be true
(`storyworld_items`); any other text gives items by leaving out a last word that stood in it before (`cloze_from_stories`). Whoever only counts words must not
be able to choose, so every choice stands in the context, and items are taken so that no shallow guesser is ahead or behind (`CUES`, `balanced`). An
item with solved ones before it is a few-shot prompt (`few_shot`). An item that the model has read in training says nothing (`leaked`). A set is a
file with an item a line, and has a fingerprint.

Used in: chapters 09 and 12. Left out on purpose: questions with a question mark, which models of stories have never seen; answers that need a judge.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count, islice
from pathlib import Path

from minilm.facts import SENTENCE_END, words_in
from minilm.storyworld import Grade, questions, split_sentences, write_story
from minilm.storyworld.lexicon import lexicon
from minilm.storyworld.questions import KINDS
from minilm.storyworld.reader import Reader
from minilm.storyworld.teller import Dice
from minilm.storyworld.world import Thing, World

LETTERS = "ABCDEFGH"
PIECE = re.compile(r"\w+|\W+")
SLACK = 1.0  # items by which a shallow guesser may be ahead of chance or behind it
SEARCHED = 5000  # stories in a row that may add no item to a set before it is given up


@dataclass(frozen=True, kw_only=True)
class Item:
    """A context and its choices, each with the blank before it, of which `choices[answer]` is right."""

    context: str
    choices: tuple[str, ...]
    answer: int
    kind: str
    source: str
    """Where it came from, for a reader: a story and the reason."""

    def __post_init__(self):
        if not 2 <= len(set(self.choices)) == len(self.choices) <= len(LETTERS) or "" in self.choices:
            raise ValueError(f"the choices are {self.choices}; an item has 2 to {len(LETTERS)} different ones, none empty")
        if not 0 <= self.answer < len(self.choices):
            raise ValueError(f"the right one of {len(self.choices)} choices is number {self.answer}; count from 0 to {len(self.choices) - 1}")

    @property
    def text(self) -> str:
        """The context and the right choice."""
        return self.context + self.choices[self.answer]


# What a shallow guesser looks at


def differing(choices: Sequence[str]) -> list[str]:
    """What is left of each choice without the words that all have in common at the beginning and at the end.

    >>> differing([" the red ball fell.", " the blue ball fell."])
    ['red', 'blue']
    """
    rows = [PIECE.findall(choice) for choice in choices]
    begin = _n_common(rows)
    end = _n_common([row[begin:][::-1] for row in rows])
    return ["".join(row[begin : len(row) - end]) for row in rows]


def _n_common(rows: list[list[str]]) -> int:
    """Pieces that all rows have in common at their beginning; one at least is left over in each."""
    most = min(map(len, rows)) - 1
    return next((i for i in range(most) if len({row[i] for row in rows}) > 1), most)


def places(text: str, phrase: str) -> list[int]:
    """Where a phrase stands in a text as a word or words of its own.

    >>> places("Ben and Benny. Ben's hat.", "Ben")
    [0, 15]
    """
    return [found.start() for found in re.finditer(rf"(?<!\w){re.escape(phrase)}(?!\w)", text, re.IGNORECASE)]


CUES: dict[str, Callable[[list[int], str], float]] = {
    "most often in the context": lambda where, choice: len(where),
    "last in the context": lambda where, choice: where[-1],
    "first in the context": lambda where, choice: -where[0],
    "the shortest": lambda where, choice: -len(choice),
}
"""Shallow guessers: each takes the choice with the highest score, made of the places where it stands in the context and of its own text."""


def ahead(item: Item) -> tuple[float, ...]:
    """For each shallow guesser, its chance to be right on this item less that of blind guessing; between choices of one score it guesses blindly.

    >>> item = Item(context="Ann saw Ben. Ann ran to", choices=(" Ben.", " Ann."), answer=0, kind="", source="")
    >>> ahead(item)  # Ann stands there more often, later and earlier, and both are as short
    (-0.5, -0.5, -0.5, 0.0)
    """
    where = [places(item.context, phrase) for phrase in differing(item.choices)]
    credits = []
    for cue in CUES.values():
        scores = [cue(found, choice) for found, choice in zip(where, item.choices, strict=True)]
        best = max(scores)
        credits.append((scores[item.answer] == best) / scores.count(best) - 1 / len(scores))
    return tuple(credits)


def balanced(candidates: Iterable[Item | None], slack: float = SLACK) -> Iterator[Item]:
    """Of a stream of candidates, yield those with which no shallow guesser of `CUES` is more than `slack` items ahead of chance or behind it.

    One that does not fit now waits until it does. None in the stream stands for a search without result: after `SEARCHED` in a row that gave nothing, the stream ends.
    """
    sums, waiting, idle = [0.0] * len(CUES), defaultdict(list), 0
    for candidate in candidates:
        idle += 1
        if idle > SEARCHED:
            return
        if candidate is not None:
            waiting[ahead(candidate)].append(candidate)
        while fits := [steps for steps in waiting if all(abs(total + step) <= slack for total, step in zip(sums, steps, strict=True))]:
            steps = fits[0]
            sums, idle = [total + step for total, step in zip(sums, steps, strict=True)], 0
            yield waiting[steps].pop(0)
            if not waiting[steps]:
                del waiting[steps]


# Items from storyworld


def storyworld_items(kind: str, n: int, seed: int = 0) -> list[Item]:
    """Make n items of a kind, each from a story of its own that no corpus holds, with one wrong choice, which the rules of storyworld forbid.

    kind: `facts` (whose a thing is, which colour or size it has: one sentence said it and nothing changed it), `context` (who has it and who is where by
    now: of all that was said the last counts) or `reasoning` (what can be known, done or answered after what happened: it takes two sentences).
    Raises ValueError for another kind or fewer than one item. Source: docs/SOURCES.md#tinystories (the figures on facts, reasoning and context)

    >>> [item] = storyworld_items("context", 1)
    >>> item.context[-52:], item.choices, item.answer
    ('', (), 0)
    """
    if kind not in KINDS:
        raise ValueError(f"the kind is {kind!r}; storyworld has items of the kinds {', '.join(KINDS)}")
    if n < 1:
        raise ValueError(f"{n} items were asked for; a set has at least one")
    make = _facts_of if kind == "facts" else _questions_of
    of_stories = ([item for item in make(f"items/{seed}/{number}") if item.kind == kind] for number in count())
    return list(islice(balanced(map(_most_misleading, of_stories)), n))


def _most_misleading(items: list[Item]) -> Item | None:
    """Of the items of a story one, so that a set holds as many stories as items: that with which shallow guessers do worst, for those are rare."""
    return min(items, key=lambda item: sum(ahead(item)), default=None)


def is_fair(context: str, choices: Sequence[str]) -> bool:
    """Whether grammar alone cannot choose: what differs stood in earlier sentences and nowhere else in this one, and the same pronouns fit all."""
    phrases, begun = differing(choices), SENTENCE_END.split(context)[-1]
    sexes = {(lexicon().sex_of_name | lexicon().sex_of_kind).get(phrase) for phrase in phrases}
    return len(sexes) == 1 and all(
        places(context, phrase) and not places(begun, phrase) and sum(len(places(choice, phrase)) for choice in choices) == 1
        for phrase in phrases
    )


def _questions_of(name: str) -> Iterator[Item]:
    """What `storyworld.questions` finds in the story of a seed, if it is fair; of the wrong choices the first that is."""
    for asked in questions(write_story(name).text, name):
        right = asked.choices[asked.answer]
        wrong = [choice for choice in asked.choices if choice != right and is_fair(asked.context, (right, choice))]
        if wrong:
            yield _item(asked.context, right, wrong[0], asked.kind, f"storyworld {name}: {asked.reason}")


def _facts_of(name: str) -> Iterator[Item]:
    """Wherever the story of a seed mentions a thing again, say whose it is, or its colour or size, though the story itself may say "the" or "her"."""
    story, reader, place, owners = write_story(name).text, Reader(), 0, defaultdict(set)
    for number, sentence in enumerate(split_sentences(story)):
        place, known = story.index(sentence, place), set(reader.world.things)
        reader.read(sentence, number, Grade([]))
        for noun, thing in reader.world.things.items():
            owners[noun].add(thing.owner and thing.owner.name)
            said = re.search(rf"\b(?:the|her|his|their|\w+'s) (?:[\w-]+ )?{noun}\b", sentence, re.IGNORECASE)
            if noun in known and said and '"' not in sentence:
                for right, wrong, reason in _facts_about(thing, reader.world, owners[noun]):
                    context, rest = story[: place + said.start()], sentence[said.end() :]
                    choices = [(told[0].upper() + told[1:] if said.start() == 0 else told) + rest for told in (right, wrong)]
                    if is_fair(context, choices):
                        yield _item(context, *choices, "facts", f"storyworld {name}: {reason}")
        place += len(sentence)


def _facts_about(thing: Thing, world: World, owners: set[str | None]) -> Iterator[tuple[str, str, str]]:
    """Yield (right, wrong, reason): the thing with its owner, if it never had another, and with its colour or size; and with those of others."""
    if len(owners) == 1 and thing.owner and thing.owner.name:
        for other in world.people.values():
            if other.name and other is not thing.owner:
                yield f"{thing.owner.name}'s {thing.noun}", f"{other.name}'s {thing.noun}", f"{thing} is {thing.owner}'s"
    for table in ("colors", "sizes"):
        looks = [{look for look in one.looks if look in lexicon().looks[table]} for one in (thing, *world.things.values())]
        for look in sorted(looks[0]):
            for other in sorted(set().union(*looks[1:]) - looks[0]):
                yield f"the {look} {thing.noun}", f"the {other} {thing.noun}", f"{thing} is {look}"


def _item(context: str, right: str, wrong: str, kind: str, source: str) -> Item:
    """Put the choices in an order that chance decides, and the blank or line break between context and choice on the side of the choice."""
    dice = Dice(f"{source} {context} {right}")
    choices = dice.sample(sorted((right, wrong)), 2)
    border = len(context.rstrip())
    return Item(context=context[:border], choices=tuple(context[border:] + choice for choice in choices), answer=choices.index(right), kind=kind, source=source)
