"""A whole story from a seed: an opening, a plot, an ending, and the recipe that it follows.

The recipe is TinyStories': a verb, a noun and an adjective that must occur, and features such as dialogue, a twist, a bad ending, a moral.
"""

import re
from dataclasses import dataclass
from functools import cache

from minilm.storyworld import plots
from minilm.storyworld.lexicon import Activity, lexicon
from minilm.storyworld.plots.pieces import BELONGINGS
from minilm.storyworld.teller import LOOKS_OF, Dice, PlotHole, Teller
from minilm.storyworld.world import HOME, Person, Thing

FEATURES = ("dialogue", "twist", "bad ending", "moral")
TWISTS = ("harmless", "surprise", "steal", "magic")
BAD_ENDS = ("end_sad", "end_lonely")
THIEVES = ("magpie", "squirrel", "monkey", "fox", "raccoon", "crow", "goat", "puppy")


@dataclass(frozen=True)
class Recipe:
    """What a story must hold. Empty words and features ask for nothing.

    verb is an activity in its base form ("dance"), noun a thing ("kite"), adjective the look of a thing ("red"); features are among FEATURES.
    """

    verb: str = ""
    noun: str = ""
    adjective: str = ""
    features: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field, allowed in _recipe_words().items():
            value = getattr(self, field)
            if value and value not in allowed:
                near = ", ".join(sorted(allowed)[:: max(1, len(allowed) // 6)][:6])
                raise ValueError(f"the {field} {value!r} is none that storyworld knows; take another, such as {near}")
        for feature in self.features:
            if feature not in FEATURES:
                raise ValueError(f"the feature {feature!r} is unknown; it must be one of {', '.join(FEATURES)}")


@cache
def _recipe_words() -> dict[str, frozenset[str]]:
    """What each word of a recipe may be; made once, because every story has a recipe."""
    words = lexicon()
    return {
        "verb": frozenset(activity.base for activity in words.activities),
        "noun": frozenset(words.class_of_noun),
        "adjective": frozenset(look for looks in words.looks.values() for look in looks),
    }


@dataclass(frozen=True)
class Story:
    """A story with what its maker knows of it: the recipe it follows, the events, and the teller's last state of the world."""

    text: str
    recipe: Recipe
    teller: Teller


class StoryTeller(Teller):
    """A teller with a hero and with wishes from a recipe."""

    def __init__(self, dice: Dice, recipe: Recipe) -> None:
        super().__init__(dice)
        self.recipe = recipe
        self.friend: Person | None = None
        self.helped_by: Person | None = None
        self.prize: Thing | None = None
        self.lesson = "kindness"
        self.bad = False

    def activity(self, among: tuple[Activity, ...] | None = None) -> Activity:
        """Choose something to do; the recipe's verb if it fits."""
        among = among or self.words.activities_anywhere
        wanted = [activity for activity in among if activity.base == self.recipe.verb]
        return wanted[0] if wanted else self.dice.pick(among)

    def new_thing(self, *kinds: str) -> Thing:
        noun = self.recipe.noun
        if noun and noun not in self.world.things and self.words.class_of_noun[noun] in kinds:
            return Thing(noun, self._looks_for(self.words.class_of_noun[noun]))
        return super().new_thing(*kinds)

    def _looks_for(self, kind: str) -> tuple[str, ...]:
        looks, adjective = super()._looks_for(kind), self.recipe.adjective
        return (adjective,) if adjective in self.words.looks[LOOKS_OF[kind]] + self.words.looks["colors"] else looks

    def thief(self) -> Person:
        """An animal without a name that carries things off."""
        taken = {person.kind for person in self.world.people.values()}
        return Person(self.dice.pick([kind for kind in THIEVES if kind in self.words.animals and kind not in taken]), "he")


def write_story(
    seed: int | str, recipe: Recipe | None = None, *, dice: Dice | None = None, teller: type["StoryTeller"] | None = None
) -> Story:
    """Write the story of a seed; the same seed gives the same text on every machine.

    With a recipe, stories are drawn until one follows it. Without one, `dice` and `teller` may replace chance and the way of telling, as
    `minilm.storyworld.faults` does.
    Raises ValueError if none of 400 stories follows the recipe: it asks for much that seldom goes together.

    >>> write_story(1).text == write_story(1).text
    True
    """
    if recipe is None:
        return _write(dice or Dice(seed), Recipe(), teller or StoryTeller)
    for attempt in range(400):
        story = _write(Dice(f"{seed}:{attempt}"), recipe, StoryTeller)
        if follows(story.text, recipe, [event for event, _ in story.teller.events]):
            return Story(story.text, recipe, story.teller)
    raise ValueError(f"no story of 400 followed {recipe}; ask for less")


def _write(dice: Dice, recipe: Recipe, teller_type: type["StoryTeller"]) -> Story:
    """Tell one story. One in which a plot ran into a corner is thrown away, and the dice decide on another."""
    for _ in range(20):
        teller = teller_type(dice, recipe)
        teller.bad = "bad ending" in recipe.features or dice.chance(0.1)
        plot = dice.pick(plots.CAN_END_BADLY if teller.bad else plots.PLOTS)
        try:
            begin(teller)
            plot(teller)
            end(teller)
        except PlotHole:
            continue
        return Story(teller.text, recipe_of(teller), teller)
    raise AssertionError("twenty plots in a row broke the rules")


def begin(t: StoryTeller) -> None:
    """Introduce the hero, sometimes a friend, and a fact or two about them."""
    dice = t.dice
    hero = t.new_person()
    t.hero = (hero,)
    roll = dice.random()
    if roll < 0.62:
        t.tell("meet", hero)
    elif roll < 0.8:
        t.tell("meet_in", hero, t.place("outside", "play", "near"))
    else:
        other = t.new_person()
        t.friend = other
        t.tell("meet_two", hero, other)
    facts = dice.sample(("trait", "loves", "owns", "friend", "weather"), dice.pick((0, 1, 1, 2, 2)))
    for fact in dict.fromkeys(facts + _asked_for(t.recipe)):
        if fact == "trait":
            t.tell("trait", hero, dice.pick(t.words.traits["good" if dice.chance(0.75) else "bad"]))
        elif fact == "loves":
            t.tell("loves", hero, t.activity(t.words.activities if t.recipe.verb else None))
        elif fact == "owns":
            t.prize = t.new_thing(*BELONGINGS)
            t.tell("owns", hero, t.prize)
        elif fact == "friend" and t.friend is None:
            t.friend = t.new_person()
            t.tell("friend", hero, t.friend)
        elif fact == "weather":
            t.tell("weather")
    t.paragraph(0.6)


def _asked_for(recipe: Recipe) -> list[str]:
    """The facts of the beginning that bring the words of a recipe into the story."""
    has_noun = lexicon().class_of_noun.get(recipe.noun) in BELONGINGS
    return (["loves"] if recipe.verb else []) + (["owns"] if has_noun else [])


def end(t: StoryTeller) -> None:
    """Bring the hero home, or not; say that all is well; draw the lesson."""
    dice = t.dice
    if not t.world.ended:
        t.paragraph(0.7)
        place = t.hero[0].place
        if place not in (None, HOME) and dice.chance(0.35):
            t.tell("go_home", t.hero)
        if t.hero[0].place in (None, HOME) and dice.chance(0.2):
            t.tell("sleep", t.hero)
        if t.friend and t.friend.place != "away" and dice.chance(0.35):
            t.tell("end_friends", t.hero, t.friend)
        else:
            t.tell("end_happy", t.hero)
    if "moral" in t.recipe.features or dice.chance(0.35):
        t.tell("moral", t.hero, dice.pick(t.words.lessons[t.lesson]))
    if dice.chance(0.1):
        t.tell("the_end")


def recipe_of(t: Teller) -> Recipe:
    """Say which recipe a finished story follows: an activity, a thing and its look that occur in it, and its features."""
    activities = [value.base for _, arguments in t.events for value in arguments.values() if isinstance(value, Activity)]
    things = list(t.world.things.values())
    main = things[0] if things else None
    return Recipe(
        activities[0] if activities else "",
        main.noun if main else "",
        main.looks[0] if main and main.looks else "",
        features_of(t.text, [event for event, _ in t.events]),
    )


def features_of(text: str, events: list[str]) -> tuple[str, ...]:
    """Say which features a story has, from its text and the events that were read in it."""
    has = {
        "dialogue": '"' in text,
        "twist": any(event in TWISTS for event in events),
        "bad ending": any(event in BAD_ENDS for event in events),
        "moral": "moral" in events,
    }
    return tuple(feature for feature in FEATURES if has[feature])


def follows(text: str, recipe: Recipe, events: list[str]) -> bool:
    """Tell whether a story holds the words of its recipe and has all its features. `events` are the names of the events in it."""
    verb = [activity for activity in lexicon().activities if activity.base == recipe.verb]
    shapes = [(verb[0].base, verb[0].past, verb[0].ing)] if verb else []
    wanted = [*shapes, *((word,) for word in (recipe.noun, recipe.adjective) if word)]
    found = all(any(re.search(rf"\b{re.escape(shape)}\b", text, re.IGNORECASE) for shape in shapes) for shapes in wanted)
    return found and set(recipe.features) <= set(features_of(text, events))
