"""What is true in the small world?

A world holds people, things, where they are, who has what, who knows what, and which wants are still open. Events change it; the
rules of each (`events.py`) say what it needs by `need`, and a need that is not met is a `Fault` with its reason.

A participant "who" is always a tuple of one or two people, because "Lily and Tom" can do most things that Lily can.

Left out on purpose: clock time, distances, more than one thing of a kind in a story.
"""

from collections import namedtuple
from dataclasses import dataclass, field

from minilm.storyworld.lexicon import lexicon

# kind is one of name, owner, place, knowledge, impossible, order, description, want, ending
Fault = namedtuple("Fault", "kind reason")
HOME = "home"


@dataclass(eq=False)
class Person:
    """Somebody. `place` is None while nothing is known; `name` is None for "the baker" and for mom."""

    kind: str
    sex: str  # "she" or "he"
    name: str | None = None
    look: str | None = None
    place: str | None = None
    sick: bool = False
    stuck: str | None = None
    can: set = field(default_factory=set)
    sorry: bool = False  # has something on the conscience that was said aloud
    guilty_of: set = field(default_factory=set)
    seen: int = -9  # number of the sentence that last named this person

    def __str__(self) -> str:
        return self.name or f"the {self.kind}"


@dataclass(eq=False)
class Thing:
    """A thing. `holder` has it now, `owner` is whose it is; `spot` is where it lies if nobody has it and the story said where."""

    noun: str
    looks: tuple[str, ...] = ()
    owner: Person | None = None
    holder: Person | None = None
    spot: str | None = None
    state: str = "whole"  # or "broken", "eaten", "planted", "grown"
    missing: bool = False
    stuck: bool = False
    in_shop: bool = False
    unclear: bool = False  # a sentence about it was not understood: anybody may have it
    searched: set = field(default_factory=set)
    known_by: set = field(default_factory=set)  # people who know where it lies
    seen: int = -9

    def __str__(self) -> str:
        return f"the {self.noun}"

    @property
    def is_food(self) -> bool:
        return lexicon().class_of_noun.get(self.noun) == "foods"


@dataclass(frozen=True)
class Want:
    """Something that a story must settle: `kind` is have, find, do, go, way (home), get free, grow or confess."""

    person: Person
    kind: str
    goal: object


class World:
    """The state of a story, changed by events. `faults` grows by one for each need that is not met."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}  # by name, or by kind for those without one
        self.things: dict[str, Thing] = {}  # by noun
        self.wants: list[Want] = []
        self.faults: list[Fault] = []
        self.begun = False
        self.asked: tuple | None = None  # who proposed something last, to whom
        self.thanked: set[Person] = set()
        self.racing: tuple | None = None
        self.ended = False

    def finish(self) -> None:
        """Close the story: a want left hanging or a missing end is a fault."""
        if not self.ended:
            self.need(False, "ending", "the story has no end")
        for want in self.wants:
            goal = want.goal.base if hasattr(want.goal, "base") else want.goal
            self.need(False, "want", f"{want.person} wants to {want.kind} {goal}, and nothing comes of it")

    def need(self, condition: object, kind: str, reason: str) -> None:
        """Note a fault unless the condition holds."""
        if not condition:
            self.faults.append(Fault(kind, reason))

    # What several events share

    def has(self, A, X) -> None:
        """A must have X, in one piece or not."""
        self.whole_or_broken(X)
        if X.unclear:
            X.holder, X.unclear = A[0], False
        self.need(X.holder in A, "owner", f"{names(A)} uses {X}, but {X.holder or 'nobody'} has it")

    def whole_or_broken(self, X) -> None:
        self.need(X.state not in ("eaten", "planted"), "impossible", f"{X} is {X.state}")

    def together(self, *groups) -> None:
        """All these people must be able to be in one place; who was nowhere yet is from now on where the others are."""
        people = [person for group in groups for person in group]
        places = {person.place for person in people if person.place}
        self.need(len(places) <= 1, "place", f"{names(people)} are not in one place: {', '.join(map(str, sorted(places)))}")
        if len(places) == 1:
            for person in people:
                person.place = person.place or next(iter(places))
        self.need(len(set(people)) == len(people), "name", f"{names(people)}: somebody does it to himself")

    def well(self, A) -> None:
        for person in A:
            self.need(not person.sick, "impossible", f"{person} is ill in bed")
            self.need(not person.stuck, "impossible", f"{person} is stuck {person.stuck}")

    def move(self, A, place: str) -> None:
        self.well(A)
        self.need(not all(person.place == place for person in A), "place", f"{names(A)} is already there: {place}")
        for person in A:
            person.place = place

    def hold(self, A, X, own: bool = False) -> None:
        """A has X from now on."""
        X.holder, X.spot, X.missing, X.stuck, X.in_shop, X.unclear = A[0], None, False, False, False, False
        X.known_by = set()
        X.owner = A[0] if own or X.owner is None else X.owner
        self.settle("have", A, X)
        self.settle("find", None, X)

    def let_go(self, X, spot: str | None = None, missing: bool = False) -> None:
        X.holder, X.spot, X.missing, X.searched, X.unclear = None, spot, missing, set(), False

    def open(self, A, kind: str, goal: object) -> None:
        self.settle(kind, A, goal)
        self.wants += [Want(person, kind, goal) for person in A]

    def settle(self, kind: str, A, goal: object) -> None:
        """Close the wants of this kind and goal; A None means everybody's."""
        self.wants = [want for want in self.wants if not (want.kind == kind and want.goal == goal and (A is None or want.person in A))]

    def people_at(self, place: str | None) -> set[Person]:
        return {person for person in self.people.values() if person.place == place}


def names(people) -> str:
    return " and ".join(map(str, people))
