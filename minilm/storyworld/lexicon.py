"""Which words does the small world know, and what is each of them?

The words are data (`words.toml`): names, kinds of people, things by what can be done with them, places, hiding spots, activities,
lessons, and lists of fillers that mean nothing to the world. Here they become tables that answer in one step what a word is, for
the reader, and what could stand in its place, for the teller. Both split text into the same `words_of`.

Built by hand in: chapter 01.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*|'[a-z]+|[^\sA-Za-z]")
HERE = Path(__file__).parent
FAMILY_NAMES = {"mom": "Mom", "dad": "Dad", "grandma": "Grandma", "grandpa": "Grandpa"}


def words_of(text: str) -> tuple[str, ...]:
    """Split text into words and marks; a short ending such as 's is a word of its own.

    >>> words_of("Lily's hat, he said.")
    ('Lily', "'s", 'hat', ',', 'he', 'said', '.')
    """
    return tuple(WORD.findall(text))


def with_quote_sides(text: str) -> str:
    """Tell opening from closing quotation marks, which look the same in the table and in a story.

    >>> with_quote_sides('"Oh!" he said.')
    ' “ Oh! ”  he said.'
    """
    first, *rest = text.split('"')
    return first + "".join((" “ ", " ” ")[i % 2] + piece for i, piece in enumerate(rest))


class Phrases:
    """A set of phrases, found at any place of a sentence in one look-up for each length that occurs.

    phrases: as they are written; a dictionary says what each means, else a phrase means itself.
    """

    def __init__(self, phrases) -> None:
        self.options = tuple(phrases)
        meanings = phrases if isinstance(phrases, dict) else {phrase: phrase for phrase in phrases}
        self.meaning = {tuple(word.lower() for word in words_of(phrase)): meanings[phrase] for phrase in meanings}
        self.lengths = sorted({len(words) for words in self.meaning}, reverse=True)

    def ends(self, lower: tuple[str, ...], i: int):
        """Yield (end, meaning) for each phrase that stands at word `i` of a sentence in lower case, the longest first."""
        for n in self.lengths:
            meaning = self.meaning.get(lower[i : i + n])
            if meaning is not None and i + n <= len(lower):
                yield i + n, meaning


@dataclass(frozen=True)
class Place:
    """A place: how it is named alone, how one is there and how one goes there, and what can be done there (tags)."""

    the: str
    at: str
    to: str
    tags: frozenset[str]


@dataclass(frozen=True)
class Activity:
    """Something to do, in its three shapes ("sing songs", "sang songs", "singing songs"), and where: anywhere, outside or water."""

    base: str
    past: str
    ing: str
    where: str


class Lexicon:
    """All words, as tables. Made once by `lexicon()`."""

    def __init__(self, data: dict) -> None:
        names, people, looks = data["names"], data["people"], data["looks"]
        self.fill = {name: tuple(options) for name, options in data["fill"].items()}
        self.names = {sex: tuple(names[sex]) for sex in ("she", "he")}
        self.animal_names = {sex: tuple(names[f"animal_{sex}"]) for sex in ("she", "he")}
        self.children = {sex: tuple(people[f"child_{sex}"]) for sex in ("she", "he")}
        self.grown = {sex: tuple(people[f"grown_{sex}"]) for sex in ("she", "he")}
        self.family = {sex: tuple(people[f"family_{sex}"]) for sex in ("she", "he")}
        self.animals = tuple(people["animals"])
        self.traits = {kind: tuple(data["traits"][kind]) for kind in ("good", "bad", "looks")}
        self.things = {kind: tuple(nouns) for kind, nouns in data["things"].items()}
        self.looks = {kind: tuple(adjectives) for kind, adjectives in looks.items()}
        self.places = {name: Place(p["the"], p["at"], p["to"], frozenset(p["tags"])) for name, p in data["places"].items()}
        self.spots = {kind: tuple(spots) for kind, spots in data["spots"].items()}
        self.activities = tuple(Activity(*verb, where) for where in ("anywhere", "outside", "water") for verb in data["verbs"][where])
        self.lessons = {kind: tuple(clauses) for kind, clauses in data["lessons"].items()}
        self._index(data["verbs"]["skills"])

    def _index(self, skills: list[str]) -> None:
        """Turn the lists around: from a word to what it is."""
        by_base = {activity.base: activity for activity in self.activities}
        self.activities_anywhere = tuple(activity for activity in self.activities if activity.where == "anywhere")
        self.skills = tuple(by_base[base] for base in skills)
        self.sex_of_name = {name: sex for names in (self.names, self.animal_names) for sex in names for name in names[sex]}
        kinds = {kind: sex for table in (self.children, self.grown, self.family) for sex in table for kind in table[sex]}
        self.sex_of_kind = kinds | {animal: None for animal in self.animals}
        self.sex_of_relative = {kind: sex for sex in self.family for kind in self.family[sex]}
        self.kinds = Phrases(list(self.sex_of_kind))
        self.relatives = Phrases(list(self.sex_of_relative))
        self.class_of_noun = {noun: kind for kind, nouns in self.things.items() for noun in nouns}
        self.nouns = Phrases(list(self.class_of_noun))
        adjectives = [word for words in self.looks.values() for word in words]
        self.adjectives = Phrases(list(dict.fromkeys(adjectives)))
        self.person_adjectives = Phrases(list(dict.fromkeys(word for kind in self.traits.values() for word in kind)))
        self.place_phrases = {
            mode: Phrases({getattr(place, mode): name for name, place in self.places.items()}) for mode in ("the", "at", "to")
        }
        self.spot_phrases = Phrases([spot for spots in self.spots.values() for spot in spots])
        self.activity_phrases = {
            mode: Phrases({getattr(activity, mode): activity for activity in self.activities}) for mode in ("base", "past", "ing")
        }
        self.lesson_phrases = Phrases([clause for clauses in self.lessons.values() for clause in clauses])
        self.fillers = {name: Phrases(options) for name, options in self.fill.items()}


@cache
def lexicon() -> Lexicon:
    """Load the words once.

    >>> lexicon().class_of_noun["kite"]
    'flying'
    """
    with (HERE / "words.toml").open("rb") as file:
        return Lexicon(tomllib.load(file))
