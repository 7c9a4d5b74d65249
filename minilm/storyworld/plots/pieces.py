"""What many plots share: going somewhere, meeting somebody, feeling, asking, searching, giving, saying sorry."""

from itertools import chain

from minilm.storyworld.lexicon import Activity
from minilm.storyworld.teller import PlotHole, Teller
from minilm.storyworld.world import HOME, Person, Thing

BELONGINGS = ("toys", "treasures", "clothes", "flying", "made")
UNFIT = {"danger", "room", "home"}  # no places for an outing, unless asked for by name
LITTLE = ("little sister", "little brother")
GROWN_FOODS = {
    "apple", "apricot", "banana", "carrot", "coconut", "cucumber", "fig", "kiwi", "mango", "melon", "peach", "pear", "pineapple", "plum",
    "potato", "strawberry", "tomato", "turnip", "watermelon",
}  # fmt: skip
INDOOR = {
    "backpack", "basket", "bathtub", "bed", "blankets", "bookcase", "bookshelf", "boot", "box", "chair", "chest", "clock", "couch",
    "curtain", "cushion", "door", "drawer", "fireplace", "jar", "napkin", "nightstand", "piano", "pillow", "pillows", "pocket", "rafters",
    "room", "rug", "shelf", "shoebox", "stairs", "stand", "stove", "table", "teapot", "tin", "wardrobe", "windowsill",
}  # fmt: skip # last words of the spots that are in a house
ANYWHERE = {"backpack", "barrel", "boot", "box", "crate", "jar", "napkin"}  # last words of the spots that are in a house or outside
BEGUN = ("day", "next_day", "find", "bake", "make", "give", "arrive", "leave")  # after these, it is too late for "One morning"


# Pieces of stories: where people are


def set_out(t: Teller, *tags: str) -> str:
    """Begin a day and go to a place with one of the tags, or stay at one; return it."""
    hero, here = t.hero, t.hero[0].place
    morning(t)
    fitting = outings(t, *tags)
    if here in fitting and t.dice.chance(0.6):
        look_around(t, here)
        return here
    place = t.dice.pick([name for name in fitting if name != here])
    if t.dice.chance(0.15):
        t.tell("want_go", hero, place)
    t.tell("go", hero, place)
    look_around(t, place)
    return place


def set_out_with(t: Teller, *tags: str) -> Person:
    """Go to such a place and be there with the friend, who may lead the way, or with somebody new; return who it is."""
    if t.friend is None or t.dice.chance(0.5):
        set_out(t, *tags)
        return companion(t)
    morning(t)
    friend = companion(t)
    place = t.dice.pick([name for name in outings(t, *tags) if name != t.hero[0].place])
    t.tell("follow", t.hero, friend, place)
    look_around(t, place)
    return friend


def outings(t: Teller, *tags: str) -> list[str]:
    """The places with one of the tags that are fit for an outing."""
    unfit = UNFIT - set(tags)
    return [name for name, place in t.words.places.items() if set(tags) & place.tags and not unfit & place.tags]


def morning(t: Teller) -> None:
    """Begin a day, if nothing was told of it yet."""
    if t.hero[0].place is None and not has_happened(t, *BEGUN) and t.dice.chance(0.7):
        t.tell("day", t.hero)


def has_happened(t: Teller, *events: str) -> bool:
    """Was one of these events told?"""
    return any(event in events for event, _ in t.events)


def look_around(t: Teller, place: str) -> None:
    """Say what it is like there, or not."""
    roll = t.dice.random()
    if roll < 0.3:
        t.tell("scene", place)
    elif is_inside(t):
        return
    elif roll < 0.45:
        t.tell("notice", t.hero)
    elif roll < 0.55 and not has_happened(t, "weather"):
        t.tell("weather")


def is_inside(t: Teller) -> bool:
    """Is the hero in a house? As long as no place was told, yes."""
    place = t.hero[0].place
    return place is None or place in t.words.places and "inside" in t.words.places[place].tags


def spots(t: Teller, n: int, kind: str = "low", *avoid: str) -> list[str]:
    """Choose spots that can be where the hero is."""
    inside = is_inside(t)
    nouns = {spot: spot.split()[-1] for spot in t.words.spots[kind] if spot not in avoid}
    return t.dice.sample([spot for spot, noun in nouns.items() if noun in ANYWHERE or (noun in INDOOR) == inside], n)


def spot_for(t: Teller, kind: str = "low") -> str:
    """Choose one spot that can be where the hero is."""
    return spots(t, 1, kind)[0]


def is_home(t: Teller) -> bool:
    """Is the hero at home? In a room and where no place was told, yes."""
    place = t.hero[0].place
    return place in (None, HOME) or place in t.words.places and "room" in t.words.places[place].tags


def home(t: Teller) -> None:
    """The hero goes home, unless he is there."""
    if not is_home(t):
        t.tell("go_home", t.hero)


def join(t: Teller, other: Person) -> None:
    """Somebody comes to the hero, unless he is there already."""
    if other.place != t.hero[0].place or other.seen < 0:
        t.tell("arrive", other, t.hero)


def next_morning(t: Teller) -> None:
    """The hero goes home, and a night goes by."""
    home(t)
    if t.dice.chance(0.25):
        t.tell("sunset")
    if t.hero[0].place in (None, HOME) and t.dice.chance(0.2):
        t.tell("sleep", t.hero)
    t.tell("next_day", t.hero)


# Pieces of stories: people


def elder(t: Teller) -> Person:
    """A grown-up of the family, the same one throughout a story."""
    family = [person for person in t.world.people.values() if person.kind in t.words.sex_of_relative and person.seen >= 0]
    return next(person for person in chain(family, iter(t.relative, None)) if person.kind not in LITTLE)


def stranger(t: Teller, *kinds: str) -> Person:
    """The hero meets somebody new of one of these kinds."""
    new = t.new_person(t.dice.pick(kinds or ("child", "animal")))
    t.tell("encounter", t.hero, new)
    return new


def companion(t: Teller) -> Person:
    """Somebody who is with the hero from now on: the known friend, who comes, or somebody new."""
    if t.friend and t.friend.place != "away":
        if t.friend.place is None or t.friend.place != t.hero[0].place:
            t.tell("arrive", t.friend, t.hero)
        return t.friend
    t.friend = stranger(t)
    if t.dice.chance(0.5):
        t.tell("greet", *t.dice.sample((t.hero, t.friend), 2))
    return t.friend


def helper(t: Teller) -> Person:
    """Somebody who can help: one of the family if the hero is at home, else the friend or a stranger."""
    if is_home(t) and t.dice.chance(0.7):
        other = elder(t)
        join(t, other)
        return other
    if t.friend and t.dice.chance(0.4):
        return companion(t)
    return stranger(t, "child", "animal", "animal", "grown")


def feel(t: Teller, who, *feelings: str, probability: float = 1.0) -> None:
    """Tell one of these feelings, or of other small events of one person, or nothing."""
    if t.dice.chance(probability):
        t.tell(t.dice.pick(feelings), who)


def told_why(t: Teller, other: Person) -> None:
    """The other sees that the hero is unhappy."""
    if t.dice.chance(0.6):
        t.tell("ask_wrong", other, t.hero)
    elif t.dice.chance(0.4):
        t.tell("comfort", other, t.hero)


def thanks(t: Teller, who, other, probability: float = 0.75) -> None:
    """Mostly somebody says thank you."""
    if t.dice.chance(probability):
        t.tell("thank", who, other)
        if t.dice.chance(0.4):
            t.tell("welcome", other, who)


def apology(t: Teller, who, other) -> None:
    """Somebody says sorry and is forgiven."""
    t.tell("sorry", who, other)
    if t.dice.chance(0.25):
        t.tell("promise", who, other)
    t.tell("forgive", other, who)


def propose(t: Teller, asker, asked, activity: Activity) -> None:
    """One asks the other to do something together, and the other says yes."""
    t.tell("invite", asker, asked, activity)
    t.tell("agree", asked, asker)


def fun(t: Teller) -> Activity:
    """Something to do where the hero is; the recipe's verb if it fits."""
    place = t.words.places.get(t.hero[0].place)
    tags = {"anywhere"} | (place.tags if place else set())
    return t.activity(tuple(activity for activity in t.words.activities if activity.where in tags))


def activity_called(t: Teller, base: str) -> Activity:
    """The activity of this name."""
    return next(activity for activity in t.words.activities if activity.base == base)


def play_together(t: Teller, friend: Person) -> None:
    """Play something, perhaps after one has asked the other."""
    activity = fun(t)
    if t.dice.chance(0.5):
        propose(t, *t.dice.sample((t.hero, friend), 2), activity)
    t.tell("play", (t.hero[0], friend), activity)


# Pieces of stories: things


def fitting_thing(t: Teller, kind: str, fits) -> Thing:
    """A thing of this kind whose noun fits; the one of the recipe if it does."""
    thing = t.new_thing(kind)
    for _ in range(100):
        if fits(thing.noun):
            return thing
        thing = Teller.new_thing(t, kind)
    raise PlotHole(f"no {kind} that fits in a hundred")


def dish(t: Teller) -> Thing:
    """Something to eat that does not grow but is made in a kitchen."""
    return fitting_thing(t, "foods", lambda noun: noun not in GROWN_FOODS)


def get_food(t: Teller) -> Thing:
    """The hero gets something to eat: picks it, bakes it, buys it, or is given it at home."""
    dice, food = t.dice, t.new_thing("foods")
    morning(t)
    if food.noun in GROWN_FOODS:
        t.tell("find", t.hero, food)
    elif dice.chance(0.25):
        t.tell("go", t.hero, t.place("shop", avoid=t.hero[0].place))
        t.tell("see_shop", t.hero, food)
        t.tell("buy", t.hero, food)
    else:
        home(t)
        cook = t.hero if dice.chance(0.6) else elder(t)
        if cook is not t.hero:
            join(t, cook)
        t.tell("bake", cook, food)
        if cook is not t.hero:
            t.tell("give", cook, food, t.hero)
    return food


def belonging(t: Teller, *kinds: str) -> Thing:
    """Give the hero something dear, unless the opening did."""
    class_of = t.words.class_of_noun
    if t.prize and class_of[t.prize.noun] in kinds and t.prize.holder is t.hero[0]:
        return t.prize
    thing = t.new_thing(*kinds)
    if class_of[thing.noun] == "made" and t.dice.chance(0.5):
        t.tell("make", t.hero, thing)
    elif t.dice.chance(0.7):
        t.tell("owns", t.hero, thing)
    else:
        giver = elder(t)
        if giver.place not in (None, t.hero[0].place):
            join(t, giver)
        t.tell("gift", t.hero, thing, giver)
    return thing


def search(t: Teller, who, thing: Thing, times: int, avoid: str = "") -> None:
    """Look for a thing where it is not."""
    for spot in spots(t, times, "low", avoid, *thing.searched):
        t.tell("search", who, thing, spot)
    feel(t, who, "sad", "tired", probability=0.25)


def give_treat(t: Teller, who, thing: Thing, other) -> None:
    """Give something away, and say what becomes of it."""
    t.tell("give", who, thing, other)
    t.tell("eat" if thing.is_food else "happy_have", other, thing)
    thanks(t, other, who, 0.85)


def mend_and_return(t: Teller, menders, thing: Thing, owner: Person) -> None:
    """Make a broken thing whole, and see that its owner has it."""
    t.tell("mend", menders, thing)
    if thing.holder is t.hero[0] and owner is not thing.holder:
        t.tell("give_back", t.hero, thing, owner)


def lost_at_play(t: Teller, thing: Thing) -> None:
    """The wind takes a thing, or a thief, or it is simply lost."""
    if t.words.class_of_noun[thing.noun] == "flying" and t.dice.chance(0.7):
        t.tell("wind", thing, t.hero)
    elif t.dice.chance(0.25):
        thief = t.thief()
        t.tell("encounter", t.hero, thief)
        t.tell("steal", thief, thing, t.hero)
    else:
        t.tell("lose", t.hero, thing)
        t.tell("miss", t.hero, thing)


def seek(t: Teller, thing: Thing, spot: str):
    """The hero looks for a thing, mostly asks somebody, and is helped; return who looks."""
    dice, hero = t.dice, t.hero
    if dice.chance(0.7):
        search(t, hero, thing, dice.pick((1, 2, 2, 3)), avoid=spot)
    if not t.bad and dice.chance(0.2):
        return hero
    other = t.helped_by = helper(t)
    told_why(t, other)
    t.tell(dice.pick(("tell_lost", "ask_where")), hero, other, thing)
    if not t.bad and dice.chance(0.4):
        t.tell("tell_where", other, hero, thing, spot)
        return hero
    if dice.chance(0.5):
        t.tell("no_idea", other, hero, thing)
    t.tell("offer", other, hero)
    both = (hero[0], other)
    if dice.chance(0.6):
        search(t, both, thing, dice.pick((1, 2)), avoid=spot)
    return both


def thief_is_sorry(t: Teller, thief: Person, thing: Thing, spot: str) -> None:
    """A thief comes back and says where the thing is."""
    t.tell("arrive", thief, t.hero)
    t.tell("confess", thief, t.hero, thing)
    t.tell("tell_where", thief, t.hero, thing, spot)
    apology(t, thief, t.hero)


def lonely_end(t: Teller, other: Person, lesson: str) -> None:
    """The other goes away for good."""
    t.tell("leave", other, t.hero)
    feel(t, t.hero, "sad", "guilty", "lonely")
    t.lesson = lesson
    t.tell("end_lonely", t.hero)


def hidden_away(t: Teller, thing: Thing) -> str:
    """The hero hides what must not be seen; return where."""
    spot = spot_for(t)
    t.tell("hide", t.hero, thing, spot)
    return spot
