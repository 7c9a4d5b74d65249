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
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count, islice
from pathlib import Path

from minilm.facts import SENTENCE_END, duplicates, words_in
from minilm.files import as_object, read_text
from minilm.storyworld import Grade, questions, split_sentences, write_story
from minilm.storyworld.lexicon import lexicon
from minilm.storyworld.reader import Reader
from minilm.storyworld.teller import Dice
from minilm.storyworld.world import Thing, World

LETTERS = "ABCDEFGH"
LAST_WORD = re.compile(r" (\w+)([.!?])$")
PIECE = re.compile(r"\w+|\W+")
SLACK = 1.01  # a little more than one, for what rounding leaves: items by which a shallow guesser may be ahead of chance or behind it
KINDS = ("facts", "looks", "context", "reasoning")  # of storyworld
FUNCTION_WORDS = frozenset("""
    a about after again all also always am an and any are as at away back be because been before big but by can could day did do down each even ever every
    far few first for from get give go good got had has have he her here hers him his home how i if in into is it its just know let like little long look
    made make many me mine more most much must my never new next nice no not now of off old on one only or other our out over own put really said same saw
    say see she should so some soon still such take than that the their them then there these they thing things this those three through time to
    together told too took two under until up us very want wanted was way we well went were what when where which while who why will with would yes yet
    you your
""".split())  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Item:
    """A context and its choices, each with the blank before it, of which `choices[answer]` is right."""

    context: str
    choices: tuple[str, ...]
    answer: int
    kind: str
    source: str
    """The story that it was made of."""
    reason: str = ""
    """Why a wrong choice is wrong, where rules say so."""

    def __post_init__(self):
        if not all(isinstance(text, str) for text in (self.context, *self.choices)) or type(self.answer) is not int:
            raise ValueError(f"context {self.context!r}, choices {self.choices!r} and answer {self.answer!r}: a context and choices are texts, "
                             "the answer is a whole number")  # fmt: skip
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

    Raises ValueError if a choice does not stand in the context.

    >>> item = Item(context="Ann saw Ben. Ann ran to", choices=(" Ben.", " Ann."), answer=0, kind="", source="")
    >>> ahead(item)  # Ann stands there more often, later and earlier, and both are as short
    (-0.5, -0.5, -0.5, 0.0)
    """
    where = [places(item.context, phrase) for phrase in differing(item.choices)]
    if not all(where):
        raise ValueError(f"one of the choices {item.choices} does not stand in the context, so whoever counts words could rule it out; give others")
    credits = []
    for cue in CUES.values():
        scores = [cue(found, choice) for found, choice in zip(where, item.choices, strict=True)]
        best = max(scores)
        credits.append((scores[item.answer] == best) / scores.count(best) - 1 / len(scores))
    return tuple(credits)


def balanced(candidates: Iterable[Item], slack: float = SLACK) -> Iterator[Item]:
    """Of a stream of candidates, yield those with which no shallow guesser of `CUES` is more than `slack` items ahead of chance or behind it.

    At most one of a source is taken, so that a set holds as many stories as items. A candidate that does not fit now waits until it does.
    """
    sums, waiting, used = [0.0] * len(CUES), defaultdict(deque), set()
    for candidate in candidates:
        waiting[ahead(candidate)].append(candidate)
        while (steps := _best_step(sums, waiting, used, slack)) is not None:
            sums = _added(sums, steps)
            item = waiting[steps].popleft()
            used.add(item.source)
            yield item


def _best_step(sums: list[float], waiting: dict[tuple, deque], used: set[str], slack: float) -> tuple[float, ...] | None:
    """Of the sorts of candidates that fit, that which leaves all guessers nearest to chance: whoever takes the first is soon in a corner where none fits."""
    for items in waiting.values():
        while items and items[0].source in used:
            items.popleft()
    fits = [steps for steps, items in waiting.items() if items and max(map(abs, _added(sums, steps))) <= slack]
    return min(fits, key=lambda steps: sum(total**2 for total in _added(sums, steps)), default=None)


def _added(sums: Sequence[float], steps: Sequence[float]) -> list[float]:
    return [total + step for total, step in zip(sums, steps, strict=True)]


# Items from storyworld


def storyworld_items(kind: str, n: int, seed: int = 0) -> list[Item]:
    """Make n items of a kind, each from a story of its own, with one wrong choice, which the rules of storyworld forbid.

    kind: `facts` (whose a thing is: one sentence said it and nothing changed it), `looks` (which colour or size it has, likewise), `context` (who has it
    and who is where by now: of all that was said the last counts) or `reasoning` (what can be known, done or answered now: it takes two sentences).
    Raises ValueError for another kind or fewer than one item. Source: docs/SOURCES.md#tinystories (the figures on facts, reasoning and context)

    >>> [item] = storyworld_items("context", 1)
    >>> item.context[-33:], item.choices, item.answer
    ('ugged at the excellent fig, until', (' Marta had to let go.', ' Hana had to let go.'), 0)
    """
    if kind not in KINDS:
        raise ValueError(f"the kind is {kind!r}; storyworld has items of the kinds {', '.join(KINDS)}")
    if n < 1:
        raise ValueError(f"{n} items were asked for; a set has at least one")
    make = _facts_of if kind in ("facts", "looks") else _questions_of
    return list(islice(balanced(item for number in count() for item in make(f"items/{seed}/{number}") if item.kind == kind), n))


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
            yield _item(asked.context, right, wrong[:1], asked.kind, f"storyworld {name}", asked.reason)


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
                for kind, right, wrong, reason in _facts_about(thing, reader.world, owners[noun]):
                    context, rest = story[: place + said.start()], sentence[said.end() :]
                    choices = [(told[0].upper() + told[1:] if said.start() == 0 else told) + rest for told in (right, wrong)]
                    if is_fair(context, choices):
                        yield _item(context, choices[0], choices[1:], kind, f"storyworld {name}", reason)
        place += len(sentence)


def _facts_about(thing: Thing, world: World, owners: set[str | None]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (kind, right, wrong, reason): the thing with its owner, if it never had another, and with its colour or size; and with those of others."""
    if len(owners) == 1 and thing.owner and thing.owner.name:
        for other in world.people.values():
            if other.name and other is not thing.owner:
                yield "facts", f"{thing.owner.name}'s {thing.noun}", f"{other.name}'s {thing.noun}", f"{thing} is {thing.owner}'s"
    for table in ("colors", "sizes"):
        looks = [{look for look in one.looks if look in lexicon().looks[table]} for one in (thing, *world.things.values())]
        for look in sorted(looks[0]):
            for other in sorted(set().union(*looks[1:]) - looks[0]):
                yield "looks", f"the {look} {thing.noun}", f"the {other} {thing.noun}", f"{thing} is {look}"


def _item(context: str, right: str, wrong: Sequence[str], kind: str, source: str, reason: str = "") -> Item:
    """Put the choices in an order that chance decides, and the blank or line break between context and choice on the side of the choice."""
    dice = Dice(f"{source} {context} {right}")
    choices = dice.sample(sorted((right, *wrong)), 1 + len(wrong))
    border = len(context.rstrip())
    return Item(context=context[:border], choices=tuple(context[border:] + choice for choice in choices), answer=choices.index(right), kind=kind, source=source,
                reason=reason)  # fmt: skip


# Items from any text


def cloze_from_stories(stories: Iterable[str], n: int, seed: int = 0, n_choices: int = 4) -> list[Item]:
    """Make n items by leaving out the last word of a sentence, at most one of a story, with wrong choices of the same story.

    The word has three letters or more and is none of `FUNCTION_WORDS`, begins with a small letter, stood in the story before, but neither in its own
    sentence nor after the same two words. The sentence has five words or more and is at least the fourth. A wrong choice meets the same rules,
    begins with other letters, and somewhere in the stories ends a sentence after the same word; of those that do, the ones are taken that stood in the
    story most nearly as often as the right one. Raises ValueError if the stories give fewer items. Source: docs/SOURCES.md#lambada
    """
    stories = list(stories)
    if n < 1 or not 2 <= n_choices <= len(LETTERS):
        raise ValueError(f"{n} items with {n_choices} choices were asked for; a set has at least one, with 2 to {len(LETTERS)} choices")
    after = defaultdict(set)
    for words in (words_in(sentence) for story in stories for sentence in split_sentences(story)):
        if len(words) > 1:
            after[words[-2]].add(words[-1])
    dice = Dice(f"cloze/{seed}")
    order = dice.sample(range(len(stories)), len(stories))
    items = list(islice(balanced(item for number in order for item in _cloze_of(stories[number], number, after, n_choices)), n))
    if len(items) < n:
        raise ValueError(
            f"these {len(stories):,} stories give {len(items)} items that shallow guessing does not solve, not {n}; give more stories or ask for fewer"
        )
    return items


def _cloze_of(story: str, number: int, after: dict[str, set[str]], n_choices: int) -> Iterator[Item]:
    place = 0
    for position, sentence in enumerate(split_sentences(story)):
        place = story.index(sentence, place)
        words, found = words_in(sentence), LAST_WORD.search(sentence)
        before = words_in(story[:place])
        place += len(sentence)
        if position < 3 or len(words) < 5 or not found or found[1] != words[-1]:  # a capital: it is a name
            continue
        counts = Counter(word for word in before if len(word) > 2 and word.isalpha() and word not in FUNCTION_WORDS and word not in words[:-1])
        copied = {word for first, second, word in zip(before, before[1:], before[2:]) if [first, second] == words[-3:-1]}
        fit = [word for word in counts if word in after[words[-2]] and word not in copied and word in story[:place]]
        if words[-1] in fit:
            others = sorted((word for word in fit if word[:3] != words[-1][:3]), key=lambda word: (abs(counts[word] - counts[words[-1]]), word))
            if len(others) >= n_choices - 1:
                context = story[: place - len(sentence) + found.start()]
                right, *wrong = (f" {word}{found[2]}" for word in (words[-1], *others[: n_choices - 1]))
                yield _item(context, right, wrong, "cloze", f"story {number}")


# Solved items before the question


def few_shot(item: Item, solved: Sequence[Item] = ()) -> Item:
    """Ask for the letter of the right choice, after solved items of the same form. Source: docs/SOURCES.md#mmlu

    >>> item = Item(context="Ben has a cat. Ann pets", choices=(" the cat.", " Ann."), answer=0, kind="facts", source="")
    >>> asked = few_shot(item)
    >>> print(asked.context, asked.choices, sep="")
    Ben has a cat. Ann pets ...
    A. the cat.
    B. Ann.
    Answer:(' A', ' B')
    """
    if item in solved:
        raise ValueError("the item is among the solved ones, which would give the answer away; take others")
    context = "\n\n".join([*(f"{_as_asked(other)} {LETTERS[other.answer]}" for other in solved), _as_asked(item)])
    return replace(item, context=context, choices=tuple(f" {letter}" for letter in LETTERS[: len(item.choices)]))


def _as_asked(item: Item) -> str:
    return "\n".join([f"{item.context} ...", *(f"{letter}. {choice.strip()}" for letter, choice in zip(LETTERS, item.choices)), "Answer:"])


# What a model may have read, and what is there twice


def leaked(items: Sequence[Item], stories: Iterable[str], n_words: int = 13) -> list[int]:
    """Find the items of which the last `n_words` words, the right choice included, stand in a row in some story; return their places.

    An item with fewer words is sought whole; capitals and marks do not count. The share of them is that of contaminated items. Source of the 13 words:
    docs/SOURCES.md#gpt3. Raises ValueError for a run of less than one word.
    """
    if n_words < 1:
        raise ValueError(f"runs of {n_words} words were asked for; a run has at least one")
    wanted = defaultdict(list)
    for place, item in enumerate(items):
        wanted[tuple(words_in(item.text)[-n_words:])].append(place)
    lengths, found = {len(run) for run in wanted}, set()
    for story in stories:
        words = words_in(story)
        found.update(place for n in lengths for run in zip(*(words[i:] for i in range(n))) for place in wanted.get(run, ()))
    return sorted(found)


def repeated(items: Sequence[Item]) -> list[int]:
    """Find the items whose text, the right choice included, is that of an earlier one but for white space; return their places."""
    return duplicates([item.text for item in items])


# Sets as files


def write_items(path: str | Path, items: Sequence[Item]) -> None:
    """Write a set as JSON, an item a line; folders are made as needed."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(_lines(items), encoding="utf-8")


def read_items(path: str | Path) -> list[Item]:
    """Read a set. Raises ValueError, with the number of the line, for what is no item, and for a file without any."""
    items = []
    # Not splitlines: a text may hold marks that Python, but not JSON, takes for the end of a line.
    for number, line in enumerate(read_text(Path(path)).split("\n"), start=1):
        if not line:
            continue
        try:
            fields = as_object(line, "it is no object", "write it anew")
            if not isinstance(fields["choices"], list):
                raise ValueError(f"the choices are {fields['choices']!r}, not a list")
            items.append(Item(**fields | {"choices": tuple(fields["choices"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path}, line {number} is no item: {error}; write the file by `minilm items`") from None
    if not items:
        raise ValueError(f"{path} holds no item; write one by `minilm items`")
    return items


def fingerprint(items: Sequence[Item]) -> str:
    """16 hex digits that change with anything in a set, its order included."""
    return hashlib.sha256(_lines(items).encode()).hexdigest()[:16]


def _lines(items: Sequence[Item]) -> str:
    return "".join(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in items)
