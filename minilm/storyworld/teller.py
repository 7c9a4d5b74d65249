"""How does a plot become text? The teller lets events happen in the world and says each with a form of the table.

All chance comes from one `Dice`, which uses nothing of Python's `random` but the numbers between 0 and 1 that it promises to repeat on
every machine and in every later version.
"""

import random
import re

from minilm.storyworld.events import happen
from minilm.storyworld.forms import PRONOUN_MODES, Form, form_table
from minilm.storyworld.lexicon import FAMILY_NAMES, lexicon
from minilm.storyworld.memory import PRONOUNS, Memory, gender
from minilm.storyworld.world import Person, Thing, World

JOINED = re.compile(r",| (and|but|or|so|because|when) ")  # a sentence that has enough parts already
ARTICLE = re.compile(r"\b([Aa])n? (?=([A-Za-z]+))")
SPOKEN_CONSONANT = ("uni", "use", "uku", "one")  # written with a vowel
SPOKEN_VOWEL = ("hour", "honest")  # written with a consonant


class PlotHole(Exception):
    """A plot let something happen that the rules forbid."""


class Dice:
    """Reproducible chance: the same seed gives the same choices everywhere."""

    def __init__(self, seed: int | str) -> None:
        self.random = random.Random(str(seed)).random

    def pick(self, options):
        return options[int(self.random() * len(options))]

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def sample(self, options, n: int) -> list:
        pool = list(options)
        return [pool.pop(int(self.random() * len(pool))) for _ in range(min(n, len(pool)))]


def with_articles(text: str) -> str:
    """Put a before a consonant and an before a vowel.

    >>> with_articles("a egg and an unicorn")
    'an egg and a unicorn'
    """

    def article(match: re.Match) -> str:
        word = match[2].lower()
        vowel = word.startswith(SPOKEN_VOWEL) or (word[0] in "aeiou" and not word.startswith(SPOKEN_CONSONANT))
        return f"{match[1]}{'n' if vowel else ''} "

    return ARTICLE.sub(article, text)


def sentence_of(parts: list[str]) -> str:
    """Join words and marks as they are written, with a capital at the start."""
    text = " ".join(parts)
    for apart, written in (
        (" 's", "'s"),
        (" ,", ","),
        (" .", "."),
        (" !", "!"),
        (" ?", "?"),
        ("“ ", '"'),
        (" ”", '"'),
        (" ;", ";"),
        (" :", ":"),
    ):
        if apart in text:
            text = text.replace(apart, written)
    return with_articles(text[0].upper() + text[1:])


class Teller:
    """Tells one story: `tell(event, ...)` lets an event happen and adds a sentence, `text` is the story so far."""

    JOIN = 0.28  # how often two sentences of one subject become one
    CONNECT = 0.2  # how often a sentence begins with Then, Soon after, ...
    PRONOUN = 0.75  # how often a pronoun is used where it is clear

    def __init__(self, dice: Dice) -> None:
        self.dice, self.words, self.forms = dice, lexicon(), form_table()
        self.world, self.memory = World(), Memory()
        self.paragraphs: list[list[str]] = [[]]
        self.events: list[tuple[str, dict]] = []  # one entry for each event told, in order
        self.used: set[str] = set()  # forms of this story: none is used twice if there is another
        self.quoting = 0
        self.arguments: dict[str, object] = {}
        self.last: tuple | None = None  # form and subject of the last sentence, if another may be joined to it
        self.hero: tuple[Person, ...] = ()

    # Telling

    def tell(self, event: str, *arguments) -> None:
        """Let an event happen and say it. The arguments stand in the order of the table; a single Person is a group of one."""
        arguments = [(argument,) if isinstance(argument, Person) else argument for argument in arguments]
        named = dict(zip(self.forms.arguments[event], arguments, strict=True))
        self.say(event, named)
        happen(self.world, event, **named)
        if self.world.faults:
            raise PlotHole(f"{self.world.faults[0].reason}: {self.text!r}")
        self.events.append((event, named))

    def say(self, event: str, named: dict[str, object]) -> None:
        """Add the sentence of an event, or join it to the last one."""
        form = self._choose(event)
        self.arguments = named
        parts = []
        joined = self._joins(form, named)
        if joined:
            self.memory.name(named["A"])
        else:
            self.memory.next_sentence()
            if form.connects and self.paragraphs[-1] and self.dice.chance(self.CONNECT):
                parts.append(self.dice.pick(self.words.fill["then"]))
        for node in form.chain[1:] if joined else form.chain:
            node.tell(self, parts)
        text = sentence_of(parts)
        if joined:
            text = f"{self.paragraphs[-1].pop()[:-1]} and {text[0].lower()}{text[1:]}"
        self.paragraphs[-1].append(text)
        plain = form.subject and not form.quotes and not joined and text.endswith(".") and not JOINED.search(text)
        self.last = (form, named["A"]) if plain else None

    def _choose(self, event: str) -> Form:
        forms = self.forms.by_event[event]
        for _ in range(4):
            form = self.dice.pick(forms)
            if form.source not in self.used:
                break
        self.used.add(form.source)
        return form

    def _joins(self, form: Form, named: dict) -> bool:
        return bool(
            self.last
            and self.paragraphs[-1]
            and form.subject
            and not form.quotes
            and " and " not in form.source
            and self.last[1] == named["A"]
            and self.dice.chance(self.JOIN)
        )

    def paragraph(self, probability: float = 1.0) -> None:
        """Begin a new paragraph."""
        if self.paragraphs[-1] and self.dice.chance(probability):
            self.paragraphs.append([])

    @property
    def text(self) -> str:
        return "\n\n".join(" ".join(sentences) for sentences in self.paragraphs if sentences)

    # Saying who and what

    def mention(self, kind: str, argument: str, mode: str) -> str:
        """Say one participant, as a slot of a form asks for it."""
        value = self.arguments[argument]
        if kind == "who":
            return self._who(value, mode)
        if kind == "thing":
            return self._thing(value, mode)
        if kind == "place":
            return getattr(self.words.places[value], "the" if mode == "free" else mode)
        if kind == "activity":
            return getattr(value, "past" if mode == "free" else mode)
        return value

    def _who(self, people: tuple[Person, ...], mode: str) -> str:
        if mode in PRONOUN_MODES:
            return PRONOUNS[mode][gender(people)]
        if mode == "new":
            return self._introduce(people[0])
        if mode == "name":
            return " and ".join(person.name or FAMILY_NAMES.get(person.kind) or person.kind for person in people)
        starts = not self.paragraphs[-1]
        if mode != "full" and not starts and self.memory.is_clear(people) and self.dice.chance(self.PRONOUN):
            said = PRONOUNS[mode][gender(people)]
        else:
            said = " and ".join(self._name(person) for person in people)
            if mode == "poss":
                said += " 's"
        self.memory.name(people)
        return said

    def _name(self, person: Person) -> str:
        if person.name:
            return f"the {person.kind}" if self._is_only_one(person) and self.dice.chance(0.12) else person.name
        if person.kind in self.words.sex_of_relative:
            hero, clear = self.hero, self.memory.is_clear(self.hero) and not self.quoting
            if person.kind in FAMILY_NAMES and (self.quoting or self.dice.chance(0.2 if clear else 0.8)):
                return FAMILY_NAMES[person.kind]
            owner = PRONOUNS["poss"][gender(hero)] if clear else f"{hero[0]} 's"
            return f"{owner} {person.kind}"
        return f"the {person.kind}"

    def _is_only_one(self, person: Person) -> bool:
        return person.kind not in self.words.sex_of_relative and sum(other.kind == person.kind for other in self.world.people.values()) == 1

    def _introduce(self, person: Person) -> str:
        self.world.people[person.name or person.kind] = person
        self.memory.name((person,))
        looks = f"{person.look} " if person.look else ""
        name = f" {self.dice.pick(('named', 'called', 'named'))} {person.name}" if person.name else ""
        return f"a {looks}{person.kind}{name}"

    def _thing(self, thing: Thing, mode: str) -> str:
        if mode == "noun":
            return thing.noun
        if mode == "it":
            return "it"
        if mode == "new":
            self.world.things[thing.noun] = thing
            said = " ".join(("a", *thing.looks, thing.noun))
        elif mode == "free" and self.memory.is_clear(thing) and self.dice.chance(0.7):
            said = "it"
        else:
            look = f"{self.dice.pick(thing.looks)} " if thing.looks and self.dice.chance(0.2) else ""
            said = f"{self._owner(thing)} {look}{thing.noun}"
        self.memory.name(thing)
        return said

    def _owner(self, thing: Thing) -> str:
        owner = thing.owner
        if owner is None or self.quoting or not self.dice.chance(0.4):
            return "the"
        if owner.seen == self.memory.sentence and not self.memory.is_clear((owner,)):
            return "the"
        if self.memory.is_clear((owner,)):
            return PRONOUNS["poss"][owner.sex]
        return f"{owner.name} 's" if owner.name else "the"

    # Making participants

    def new_person(self, kinds: str = "any", sex: str | None = None) -> Person:
        """Make somebody new: a child, an animal or a grown-up (`kinds`), whose name and kind no one else in the story has."""
        dice, words = self.dice, self.words
        cast = (*self.hero, *self.world.people.values())
        taken = {person.name for person in cast} | {person.kind for person in cast}
        if kinds == "any":
            kinds = dice.pick(("child", "child", "animal"))
        for _ in range(20):
            sex_now = sex or dice.pick(("she", "he"))
            if kinds == "child":
                kind = dice.pick(words.children[sex_now]) if dice.chance(0.3) else {"she": "girl", "he": "boy"}[sex_now]
                names = words.names[sex_now]
            elif kinds == "animal":
                kind = dice.pick(words.animals)
                names = words.animal_names[sex_now] if dice.chance(0.6) else words.names[sex_now]
            else:
                kind, names = dice.pick(words.grown[sex_now]), words.names[sex_now]
            name = None if kinds == "grown" and dice.chance(0.75) else dice.pick(names)
            if name not in taken and (name or kind not in taken) and not (kinds != "child" and kind in taken):
                break
        looks = words.traits["looks"] if dice.chance(0.6) else words.traits["good"]
        look = dice.pick(looks) if dice.chance(0.6) and not kind.startswith("old ") else None
        return Person(kind, sex_now, name, look)

    def relative(self) -> Person:
        """One of the hero's family, who needs no introduction."""
        sex = self.dice.pick(("she", "he"))
        kind = {"she": "mom", "he": "dad"}[sex] if self.dice.chance(0.4) else self.dice.pick(self.words.family[sex])
        if kind not in self.world.people:
            self.world.people[kind] = Person(kind, sex)
        return self.world.people[kind]

    def new_thing(self, *kinds: str) -> Thing:
        """Make a thing of one of these classes, unlike any in the story so far."""
        dice, words = self.dice, self.words
        kind = dice.pick(kinds)
        noun = dice.pick([noun for noun in words.things[kind] if noun not in self.world.things])
        return Thing(noun, self._looks_for(kind))

    def _looks_for(self, kind: str) -> tuple[str, ...]:
        dice, looks = self.dice, self.words.looks
        own = dice.pick(looks[LOOKS_OF[kind]])
        roll = dice.random()
        if kind in ("foods", "seeds") or roll < 0.45:
            return (own,)
        if roll < 0.7:
            return (dice.pick(looks["colors"]),)
        if roll < 0.9:
            return (own, dice.pick(looks["colors"]))
        return (dice.pick(looks["sizes"]), own)

    def place(self, *tags: str, avoid: str | None = None) -> str:
        """Choose a place that has one of the tags."""
        wanted = set(tags)
        return self.dice.pick([name for name, place in self.words.places.items() if wanted & place.tags and name != avoid])


LOOKS_OF = {"toys": "toy", "flying": "toy", "treasures": "treasure", "tools": "tool", "clothes": "cloth", "foods": "food", "seeds": "seed", "made": "made"}  # fmt: skip
