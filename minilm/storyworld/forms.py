"""How is an event said, and how is a sentence understood? One table answers both.

The files in `sentences` list, for each event of the world, sentences with slots for the people, things and places that take part, choices
`(ran|walked)`, options `[quickly]` and fillers `<happily>`. A form becomes a chain of nodes, and every node can do two things:
`tell` its part of a sentence, and `match` the words of a sentence that somebody else wrote. So whatever the teller can say the
reader can understand, and there is no second grammar that could drift away from the first.

Built by hand in: chapter 01. Left out on purpose: agreement beyond was/were (all is told in the past), nested clauses.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from minilm.storyworld.lexicon import HERE, Phrases, lexicon, with_quote_sides, words_of

TOKEN = re.compile(r"\{(\w)(?:\.(\w+))?\}|<(\w+)>|([(|)\[\]])|([^{}<>()|\[\]]+)")
KIND_OF_ARGUMENT = {"A": "who", "B": "who", "C": "who", "X": "thing", "Y": "thing", "P": "place", "S": "spot", "V": "activity", "T": "trait", "L": "lesson"}  # fmt: skip
NEVER_CONNECTED = (  # events outside the flow of time, or that bring their own time
    "meet", "meet_in", "meet_two", "friend", "trait", "loves", "owns", "gift", "scene", "weather", "day", "next_day", "wait", "tend", "hungry",
    "tired", "bored", "lonely", "sad", "end_happy", "end_friends", "end_sad", "end_lonely", "moral", "the_end",
)  # fmt: skip
PRONOUN_MODES = ("he", "him", "his", "himself", "was", "I", "me", "my", "it")  # say nothing about who is meant, only agree with it


@dataclass(frozen=True)
class Mention:
    """One slot as it stood in a sentence: which argument, in which mode, and the words; `meaning` for words that need no context."""

    argument: str
    mode: str
    words: tuple[str, ...]
    meaning: object = None


class Literal:
    """Words that stand for themselves."""

    def __init__(self, text: str) -> None:
        self.text, self.words = text, tuple(word.lower() for word in words_of(text))
        self.quotes = text.count("“") - text.count("”")  # 1 if speech begins here, -1 if it ends

    def tell(self, teller, out: list[str]) -> None:
        out.append(self.text)
        teller.quoting += self.quotes

    def match(self, sentence, i: int):
        end = i + len(self.words)
        if sentence.lower[i:end] == self.words:
            yield end, ()


class Filler:
    """Any phrase of a list that means nothing to the world."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = phrases

    def tell(self, teller, out: list[str]) -> None:
        phrase = teller.dice.pick(self.phrases.options)
        out.append(phrase if phrase not in out else teller.dice.pick(self.phrases.options))

    def match(self, sentence, i: int):
        for end, _ in self.phrases.ends(sentence.lower, i):
            yield end, ()


class Choice:
    """One of several chains; an option is a choice between a chain and nothing."""

    def __init__(self, chains: list[list]) -> None:
        self.chains = chains

    def tell(self, teller, out: list[str]) -> None:
        for node in teller.dice.pick(self.chains):
            node.tell(teller, out)

    def match(self, sentence, i: int):
        for chain in self.chains:
            yield from match(chain, sentence, i)


class Slot:
    """A place for somebody or something that takes part in the event."""

    def __init__(self, argument: str, mode: str) -> None:
        self.argument, self.mode, self.kind = argument, mode, KIND_OF_ARGUMENT[argument]

    def tell(self, teller, out: list[str]) -> None:
        out.append(teller.mention(self.kind, self.argument, self.mode))

    def match(self, sentence, i: int):
        for end, meaning in sentence.mentions(self.kind, self.mode, i):
            yield end, (Mention(self.argument, self.mode, sentence.words[i:end], meaning),)


def match(chain: list, sentence, i: int = 0):
    """Yield (end, mentions) for every way in which the nodes of a chain can stand in a sentence from word `i` on."""
    if not chain:
        yield i, ()
        return
    for middle, first in chain[0].match(sentence, i):
        for end, rest in match(chain[1:], sentence, middle):
            yield end, first + rest


@dataclass(frozen=True)
class Form:
    """One way to say an event. `subject` is true if it begins with {A}, `connects` if a word such as "Then" may come before it."""

    event: str
    source: str
    chain: list
    required: frozenset[str]  # words that stand in every sentence of this form
    subject: bool
    connects: bool
    quotes: bool


def parse_form(event: str, source: str) -> Form:
    """Read one line of the table. Raises ValueError, naming the line, for a bracket left open or a filler that does not exist."""
    tokens = [match.groups() for match in TOKEN.finditer(with_quote_sides(source))]
    try:
        chain, rest = _parse_chain(tokens)
        if rest:
            raise ValueError(f"there is one {rest[0][3]} too many")
    except (ValueError, KeyError) as error:
        raise ValueError(f"forms, event {event}: {source!r}: {error}") from error
    required = frozenset(word for node in chain if isinstance(node, Literal) for word in node.words)
    lower = source[0] in "{[(<" or source[0].islower()
    return Form(
        event,
        source,
        chain,
        required,
        source.startswith("{A} "),
        lower and event not in NEVER_CONNECTED and not _capital_choice(source),
        '"' in source,
    )


def _capital_choice(source: str) -> bool:
    """True for a form such as "(Gently|Slowly), {A} ..." or "<oneday> {A} ...": it brings its own beginning."""
    first = re.sub(r"^[\[(]+", "", source)
    return first[:1].isupper() or first.startswith(("<oneday>", "<once>"))


def _parse_chain(tokens: list[tuple]) -> tuple[list, list[tuple]]:
    """Parse until a bracket or bar that belongs to the caller; return the nodes and the rest."""
    chain = []
    while tokens:
        argument, mode, filler, bracket, text = tokens[0]
        if bracket and bracket in "|)]":
            return chain, tokens
        tokens = tokens[1:]
        if argument:
            chain.append(Slot(argument, mode or "free"))
        elif filler:
            chain.append(Filler(lexicon().fillers[filler]))
        elif text:
            if words := " ".join(text.split()):
                chain.append(Literal(words))
        else:
            choice, tokens = _parse_choice(tokens, {"(": ")", "[": "]"}[bracket])
            chain.append(choice)
    return chain, tokens


def _parse_choice(tokens: list[tuple], closing: str) -> tuple[Choice, list[tuple]]:
    chains = []
    while True:
        chain, tokens = _parse_chain(tokens)
        chains.append(chain)
        if not tokens:
            raise ValueError(f"a bracket is not closed by {closing}")
        bracket, tokens = tokens[0][3], tokens[1:]
        if bracket == closing:
            return Choice(chains + [[]] if closing == "]" else chains), tokens
        if bracket != "|":
            raise ValueError(f"{bracket} stands where {closing} was expected")


@dataclass(frozen=True)
class FormTable:
    """All forms, by event for the teller, by their rarest required word for the reader."""

    arguments: dict[str, str]  # event -> its arguments in order, such as "AXB"
    by_event: dict[str, tuple[Form, ...]]
    by_word: dict[str, tuple[Form, ...]]


@cache
def form_table() -> FormTable:
    """Read the files of the folder `sentences` once."""
    arguments, by_event, event = {}, defaultdict(list), ""
    for line in (line for path in sorted((HERE / "sentences").glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            by_event[event].append(parse_form(event, line.strip()))
        else:
            event, *names = line.split()
            arguments[event] = "".join(names)
    forms = [form for group in by_event.values() for form in group]
    frequency = defaultdict(int)
    for form in forms:
        for word in form.required:
            frequency[word] += 1
    by_word = defaultdict(list)
    for form in forms:
        by_word[min(form.required, key=lambda word: (frequency[word], word), default="")].append(form)
    return FormTable(arguments, {event: tuple(group) for event, group in by_event.items()}, dict(by_word))
