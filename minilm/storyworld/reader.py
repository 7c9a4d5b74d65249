"""What does a story say, and can it be true? The reader parses any story, a model's too, and replays it in the world.

In order: text is cut into sentences (`split_sentences`); a sentence is matched with the forms of the table (`Sentence`, `parse`); its
mentions are resolved to people and things (`Reader`); the event is replayed, and every need that is not met is a fault (`grade`).
A sentence that no form explains is counted and reported, never taken for right.

Left out on purpose: guessing. A sentence that is good English and not in the table does not parse; the grade is about this world.
"""

import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from minilm.storyworld.events import happen
from minilm.storyworld.forms import PRONOUN_MODES, Form, Mention, form_table, match
from minilm.storyworld.lexicon import FAMILY_NAMES, lexicon, with_quote_sides, words_of
from minilm.storyworld.memory import PRONOUNS, Memory, gender
from minilm.storyworld.story import Recipe, follows
from minilm.storyworld.teller import with_articles
from minilm.storyworld.world import Fault, Person, Thing, World

MOST_READINGS = 6  # of one sentence, before the reader takes the first
RELATIVE_NAMES = {name: kind for kind, name in FAMILY_NAMES.items()}
PRONOUN_OF = {  # mode -> pronoun -> the genders it fits
    mode: {pronoun.lower(): {sex for sex in shapes if shapes[sex] == pronoun} for pronoun in shapes.values()}
    for mode, shapes in PRONOUNS.items()
}


def split_sentences(text: str) -> list[str]:
    """Cut a story into sentences. Quoted speech stays whole, with the words that say who spoke.

    >>> split_sentences('Lily ran. "Wait! Stop!" cried Tom. "No." The end.')
    ['Lily ran.', '"Wait! Stop!" cried Tom.', '"No."', 'The end.']
    """
    sentences = []
    for paragraph in text.split("\n"):
        start, quoting = 0, False
        for i, mark in enumerate(paragraph):
            if mark == '"':
                quoting = not quoting
            if quoting or mark not in '.!?"' or (mark == '"' and paragraph[i - 1 : i] not in (".", "!", "?")):
                continue
            rest = paragraph[i + 1 :]
            if rest[:1] == '"' or (rest[:1] not in ("", " ")) or (mark == '"' and rest.lstrip()[:1].islower()):
                continue
            sentences.append(paragraph[start : i + 1].strip())
            start = i + 1
        sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


class Sentence:
    """The words of a sentence, and what could be mentioned at each of them."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words, self.lower, self.lexicon = words, tuple(word.lower() for word in words), lexicon()
        self.vocabulary = set(self.lower)

    @classmethod
    def of(cls, text: str) -> "Sentence":
        """Split a written sentence into words and marks."""
        return cls(words_of(with_quote_sides(text)))

    def mentions(self, kind: str, mode: str, i: int):
        """Yield (end, meaning) for each mention of this kind and mode that begins at word `i`."""
        words = self.lexicon
        if kind == "who":
            yield from ((end, None) for end in self._who(mode, i))
        elif kind == "thing":
            yield from ((end, None) for end in self._thing(mode, i))
        elif kind == "place":
            yield from words.place_phrases["the" if mode == "free" else mode].ends(self.lower, i)
        elif kind == "activity":
            yield from words.activity_phrases["past" if mode == "free" else mode].ends(self.lower, i)
        else:
            yield from {"spot": words.spot_phrases, "trait": words.person_adjectives, "lesson": words.lesson_phrases}[kind].ends(
                self.lower, i
            )

    def _word(self, i: int) -> str:
        return self.lower[i] if i < len(self.lower) else ""

    def _who(self, mode: str, i: int):
        if mode in PRONOUN_OF and self._word(i) in PRONOUN_OF[mode]:
            yield i + 1
        if mode in PRONOUN_MODES:
            return
        if mode == "new":
            yield from self._new_person(i)
            return
        for end in self._group(i, address=mode == "name"):
            if mode != "poss":
                yield end
            elif self._word(end) == "'s":
                yield end + 1

    def _group(self, i: int, address: bool):
        for end in self._one(i, address):
            yield end
            if self._word(end) == "and":
                yield from self._one(end + 1, address)

    def _one(self, i: int, address: bool):
        word = self.words[i] if i < len(self.words) else ""
        if word in self.lexicon.sex_of_name or word in RELATIVE_NAMES:
            yield i + 1
            if self._word(i + 1) == "'s":
                yield from (end for end, _ in self.lexicon.relatives.ends(self.lower, i + 2))
        if word.lower() == "the":
            yield from (end for end, _ in self.lexicon.kinds.ends(self.lower, i + 1))
        if word.lower() in ("her", "his", "their"):
            yield from (end for end, _ in self.lexicon.relatives.ends(self.lower, i + 1))
        if address:
            yield from (end for end, _ in self.lexicon.kinds.ends(self.lower, i))

    def _new_person(self, i: int):
        if self._word(i) not in ("a", "an"):
            return
        starts = [i + 1, *(end for end, _ in self.lexicon.person_adjectives.ends(self.lower, i + 1))]
        for start in starts:
            for end, _ in self.lexicon.kinds.ends(self.lower, start):
                if self._word(end) in ("named", "called") and end + 1 < len(self.words) and self.words[end + 1] in self.lexicon.sex_of_name:
                    yield end + 2
                yield end

    def _thing(self, mode: str, i: int):
        if mode == "it" or (mode == "free" and self._word(i) == "it"):
            if self._word(i) == "it":
                yield i + 1
            return
        if mode == "noun":
            yield from (end for end, _ in self.lexicon.nouns.ends(self.lower, i))
            return
        for start in self._determiner(mode, i):
            yield from self._adjectives_and_noun(start)

    def _determiner(self, mode: str, i: int):
        word = self._word(i)
        if mode == "new":
            if word in ("a", "an"):
                yield i + 1
        elif word in ("the", "her", "his", "their"):
            yield i + 1
        elif i < len(self.words) and self.words[i] in self.lexicon.sex_of_name and self._word(i + 1) == "'s":
            yield i + 2

    def _adjectives_and_noun(self, i: int):
        yield from (end for end, _ in self.lexicon.nouns.ends(self.lower, i))
        for end, _ in self.lexicon.adjectives.ends(self.lower, i):
            yield from self._adjectives_and_noun(end)


@dataclass(frozen=True)
class Parse:
    """One way to understand a sentence: its form and what its slots were filled with."""

    form: Form
    mentions: tuple[Mention, ...]


def parse(sentence: Sentence) -> list[tuple[Parse, ...]]:
    """All ways to read a sentence: each is one event, or two events of the same subject joined by "and"."""
    whole = [(one,) for one in _parse_clause(sentence.words)]
    if whole:
        return whole
    found = []
    for i, word in enumerate(sentence.lower):
        if word != "and":
            continue
        for left in _parse_clause((*sentence.words[:i], ".")):
            if not left.form.subject or left.form.quotes:
                continue
            subject = left.mentions[0].words
            found += [
                (left, right)
                for right in _parse_clause((*subject, *sentence.words[i + 1 :]), connective=False)
                if right.form.subject and not right.form.quotes
            ]
    return found


def _parse_clause(words: tuple[str, ...], connective: bool = True) -> list[Parse]:
    parses = _matches(Sentence(words), connects=False)
    if connective:
        for end, _ in lexicon().fillers["then"].ends(tuple(word.lower() for word in words), 0):
            parses += _matches(Sentence(words[end:]), connects=True)
    return parses


def _matches(sentence: Sentence, connects: bool) -> list[Parse]:
    table = form_table()
    forms = {id(form): form for word in (*sentence.lower, "") for form in table.by_word.get(word, ())}
    return [
        Parse(form, mentions)
        for form in forms.values()
        if form.required <= sentence.vocabulary and (form.connects or not connects)
        for mentions in islice(_whole(form, sentence), 2)
    ]


def _whole(form: Form, sentence: Sentence):
    for end, mentions in match(form.chain, sentence):
        if end == len(sentence.words):
            yield mentions


@dataclass
class Grade:
    """What the reader found in a story.

    `faults` pairs the number of a sentence (from 0; for the end, the number of sentences) with what is wrong; `events` are those of the sentences
    that parse; `recipe_followed` is None if no recipe was given.
    """

    sentences: list[str]
    unparsed: list[str] = field(default_factory=list)
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    events: list[tuple[str, dict]] = field(default_factory=list)
    recipe_followed: bool | None = None

    @property
    def grammar(self) -> float:
        """The share of sentences that parse, from 0 to 1."""
        return 1 - len(self.unparsed) / max(1, len(self.sentences))

    @property
    def consistent(self) -> bool:
        """True if nothing that was understood contradicts anything else."""
        return not self.faults

    @property
    def perfect(self) -> bool:
        """True if every sentence parses and all is consistent."""
        return bool(self.sentences) and not self.unparsed and not self.faults


def grade_shares(grades: Iterable[Grade]) -> dict[str, float]:
    """Sum up the grades of several stories: which share of the sentences parses, which of the stories has no contradiction, which no fault at all.

    Raises ValueError if there is none.
    """
    grades = list(grades)
    if not grades:
        raise ValueError("there is no story; give at least one")
    n_sentences, n_unparsed = sum(len(found.sentences) for found in grades), sum(len(found.unparsed) for found in grades)
    return {
        "n_stories": len(grades),
        "n_sentences": n_sentences,
        "parse_rate": 1 - n_unparsed / max(1, n_sentences),
        "consistent_share": sum(found.consistent for found in grades) / len(grades),
        "perfect_share": sum(found.perfect for found in grades) / len(grades),
        "n_faults": sum(len(found.faults) for found in grades),
    }


class Reader:
    """Reads a story sentence by sentence. Its state is what a listener knows: the world and the memory for pronouns."""

    def __init__(self) -> None:
        self.world, self.memory = World(), Memory()

    def read(self, text: str, number: int, grade: Grade) -> None:
        """Understand one sentence and add what was found to the grade."""
        self.memory.next_sentence()
        readings = list(islice(parse(Sentence.of(text)), MOST_READINGS)) if _is_written_right(text) else []
        if not readings:
            grade.unparsed.append(text)
            self._overhear(Sentence.of(text))
            return
        choices = [(reading, rank) for reading in readings for rank in range(3)]
        before = pickle.dumps((self.world, self.memory))
        first = None
        for reading, rank in choices:
            self.world, self.memory = pickle.loads(before)
            self.world.faults = []
            events = self._replay(reading, rank)
            outcome = (self.world, self.memory, events)
            if not self.world.faults:
                break
            first = first or outcome
        else:
            outcome = first
        self.world, self.memory, events = outcome
        grade.events += events
        grade.faults += [(number, fault) for fault in self.world.faults]
        self.world.faults = []

    def _overhear(self, sentence: Sentence) -> None:
        """Forget what a sentence that was not understood may have changed: who is named in it may have come or gone, things may have changed hands.

        It may have introduced them, too, so nobody in it is a stranger afterwards.
        """
        world, words = self.world, lexicon()
        for i, word in enumerate(sentence.words):
            for end, _ in sentence.mentions("who", "new", i):
                self._new_person(sentence.words[i:end])
                break
            if word in words.sex_of_name:
                person = world.people.setdefault(word, Person("somebody", words.sex_of_name[word], word))
                person.place, person.sick, person.stuck = None, False, None
                self.memory.name((person,))
            for _, noun in words.nouns.ends(sentence.lower, i):
                thing = world.things.setdefault(noun, Thing(noun))
                thing.holder, thing.spot, thing.missing, thing.unclear, thing.known_by = None, None, True, True, set()
                self.memory.name(thing)
        world.begun = True
        world.faults = []

    def _replay(self, reading: tuple[Parse, ...], rank: int) -> list[tuple[str, dict]]:
        events = []
        for parsed in reading:
            if events:  # the subject of two joined events is said once
                self.memory.name(events[0][1]["A"])
                arguments = self._resolve(parsed.mentions[1:], rank, {"A": events[0][1]["A"]})
            else:
                arguments = self._resolve(parsed.mentions, rank, {})
            happen(self.world, parsed.form.event, **arguments)
            events.append((parsed.form.event, arguments))
        return events

    def _resolve(self, mentions: tuple[Mention, ...], rank: int, found: dict[str, object]) -> dict[str, object]:
        """Find out what each argument is; `rank` takes the second or third likeliest meaning of a pronoun instead."""
        for mention in mentions:
            if mention.meaning is not None:
                found[mention.argument] = mention.meaning
            elif mention.argument in "XY":
                self._thing(mention, found)
            elif mention.mode not in PRONOUN_MODES:
                self._who(mention, found, rank)
        for mention in mentions:
            if mention.mode in PRONOUN_MODES and mention.mode != "it":
                people = found[mention.argument]
                self.world.need(
                    gender(people) in PRONOUN_OF[mention.mode][mention.words[0].lower()],
                    "name",
                    f"{mention.words[0]!r} does not fit {people[0]}",
                )
        return found

    def _who(self, mention: Mention, found: dict, rank: int) -> None:
        known = found.get(mention.argument)
        words = mention.words[:-1] if mention.words[-1] == "'s" else mention.words
        pronoun = next(iter(PRONOUN_OF.get(mention.mode, {}).get(words[0].lower(), ())), None) if len(mention.words) == 1 else None
        if pronoun:
            if known is None:
                others = [group for group in self.memory.candidates(pronoun) if group not in found.values()]
                if not others:
                    self.world.need(False, "name", f"nobody is known whom {words[0]!r} could mean")
                people = others[min(rank, len(others) - 1)] if others else (Person("somebody", pronoun if pronoun != "they" else "she"),)
            else:
                self.world.need(gender(known) == pronoun, "name", f"{words[0]!r} does not fit {known[0]}")
                people = known
        elif mention.mode == "new":
            people = (self._new_person(words),)
        else:
            people = self._named(words)
        if known is not None and known != people:
            self.world.need(False, "name", f"{known[0]} becomes {people[0]} within a sentence")
        found[mention.argument] = people
        self.memory.name(people)

    def _named(self, words: tuple[str, ...]) -> tuple[Person, ...]:
        """Find the people called so. Who was never introduced is a fault, and known from then on."""
        if "and" in words:
            middle = words.index("and")
            return self._named(words[:middle]) + self._named(words[middle + 1 :])
        return (self._one(words),)

    def _one(self, words: tuple[str, ...]) -> Person:
        lexicon_, people = lexicon(), self.world.people
        kind = " ".join(words[1:] if words[0].lower() in ("the", "her", "his", "their") else words).lower()
        if len(words) > 2 and words[1] == "'s":
            self._one(words[:1])
            kind = " ".join(words[2:]).lower()
        if words[0] in RELATIVE_NAMES:
            kind = RELATIVE_NAMES[words[0]]
        if len(words) == 1 and words[0] in lexicon_.sex_of_name:
            if words[0] not in people:
                self.world.need(False, "name", f"{words[0]} was never introduced")
                people[words[0]] = Person("somebody", lexicon_.sex_of_name[words[0]], words[0])
            return people[words[0]]
        if kind in lexicon_.relatives.options:
            return people.setdefault(kind, Person(kind, lexicon_.sex_of_kind[kind]))
        matching = [person for person in people.values() if person.kind == kind]
        if not matching:
            self.world.need(False, "name", f"the {kind} was never introduced")
            people[kind] = Person(kind, lexicon_.sex_of_kind[kind] or "she")
            return people[kind]
        return matching[-1]

    def _new_person(self, words: tuple[str, ...]) -> Person:
        name = words[-1] if words[-2] in ("named", "called") else None
        plain = words[1:-2] if name else words[1:]
        kind = max(
            (" ".join(plain[i:]).lower() for i in range(len(plain)) if " ".join(plain[i:]).lower() in lexicon().sex_of_kind), key=len
        )
        sex = lexicon().sex_of_kind[kind] or (lexicon().sex_of_name[name] if name else "he")
        if name:
            self.world.need(lexicon().sex_of_name[name] == sex, "name", f"{name} is no name for a {kind}")
        self.world.need((name or kind) not in self.world.people, "name", f"{name or kind} is introduced twice")
        person = Person(kind, sex, name)
        self.world.people[name or kind] = person
        return person

    def _thing(self, mention: Mention, found: dict) -> None:
        known = found.get(mention.argument)
        if mention.words[-1].lower() == "it":
            thing = known or self.memory.thing
            if thing is None:
                self.world.need(False, "name", "nothing is known that 'it' could mean")
                thing = Thing("something")
        else:
            thing = self._thing_named(mention)
        if known is not None and known is not thing:
            self.world.need(False, "name", f"{known} becomes {thing} within a sentence")
        found[mention.argument] = thing
        self.memory.name(thing)

    def _thing_named(self, mention: Mention) -> Thing:
        words, things = mention.words, self.world.things
        noun = max(
            (" ".join(words[i:]).lower() for i in range(len(words)) if " ".join(words[i:]).lower() in lexicon().class_of_noun), key=len
        )
        looks = tuple(word.lower() for word in words[: len(words) - len(noun.split())])
        if mention.mode == "new":
            self.world.need(noun not in things, "name", f"a second {noun} turns up")
            things[noun] = Thing(noun, looks[1:])
            return things[noun]
        if noun not in things:
            self.world.need(False, "name", f"the {noun} was never mentioned before")
            things[noun] = Thing(noun)
        thing = things[noun]
        if mention.mode != "noun":
            self._check_description(thing, words, looks)
        return thing

    def _check_description(self, thing: Thing, words: tuple[str, ...], looks: tuple[str, ...]) -> None:
        """A red ball cannot be blue later, and Lily's ball cannot be Tom's."""
        tables = lexicon().looks
        for kind in ("colors", "sizes"):
            before = set(thing.looks) & set(tables[kind])
            now = set(looks) & set(tables[kind])
            self.world.need(not (before and now - before), "description", f"{thing} was {' and '.join(before)} and is {' and '.join(now)}")
        if len(words) > 1 and words[1] == "'s" and thing.owner is not None:
            self.world.need(words[0] == thing.owner.name, "description", f"{thing} is {thing.owner}'s, not {words[0]}'s")
        elif words[0].lower() in ("her", "his") and thing.owner is not None:
            self.world.need(
                thing.owner.sex in PRONOUN_OF["poss"][words[0].lower()],
                "description",
                f"{thing} is {thing.owner}'s, not {words[0].lower()}",
            )


def _is_written_right(text: str) -> bool:
    """A capital at the start, an end mark, the right articles: what the table does not say."""
    return (text[0].isupper() or text[0] == '"') and text[-1] in '.!?"' and with_articles(text) == text


def grade(story: str, recipe: Recipe | None = None) -> Grade:
    """Read a story, whoever wrote it, and say what is wrong with it: which sentences do not parse, which cannot be true, and whether the recipe
    was followed.

    >>> found = grade("A girl named Lily lived in a small house. Mia went to the garden.")
    >>> found.grammar, [fault.reason for _, fault in found.faults]
    (1.0, ['Mia was never introduced', 'the story has no end'])
    """
    sentences = split_sentences(story)
    result, reader = Grade(sentences), Reader()
    for number, sentence in enumerate(sentences):
        reader.read(sentence, number, result)
    reader.world.finish()
    result.faults += [(len(sentences), fault) for fault in reader.world.faults]
    if recipe is not None:
        result.recipe_followed = follows(story, recipe, [event for event, _ in result.events])
    return result
