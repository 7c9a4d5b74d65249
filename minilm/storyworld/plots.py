"""What can happen to somebody small? Each plot is a function that lets events happen, one after the other, with chance in between.

A plot begins when the hero has been introduced and stops before the ending. What plots share (setting out, searching, asking for help,
saying sorry) stands first; a plot that can end badly looks at `t.bad`. The world checks every step: a plot that broke a rule
would raise an AssertionError. All that happens is told: a plot never changes the world behind the reader's back.
"""

from itertools import chain

from minilm.storyworld.lexicon import Activity
from minilm.storyworld.teller import PlotHole, Teller
from minilm.storyworld.world import HOME, Person, Thing

BELONGINGS = ("toys", "treasures", "clothes", "flying", "made")
UNFIT = {"danger", "room", "home"}  # no places for an outing, unless asked for by name
GARDENS = ("garden", "vegetable_garden", "backyard")
DIM_PLACES = ("attic", "cellar", "garage", "garden", "backyard", "porch", "barn", "tool_shed")
LITTLE = ("little sister", "little brother")
GROWN_FOODS = {
    "apple", "apricot", "banana", "carrot", "coconut", "cucumber", "fig", "kiwi", "mango", "melon", "peach", "pear", "pineapple", "plum",
    "potato", "strawberry", "tomato", "turnip", "watermelon",
}  # fmt: skip
WARM_CLOTHES = {"blanket", "cape", "cardigan", "cloak", "coat", "jacket", "jumper", "poncho", "quilt", "raincoat", "shawl", "sweater"}
RESCUE_TOOLS = {"flashlight", "ladder", "lantern", "net", "rake", "rope", "saw", "shovel", "trowel"}
KITCHEN_TOOLS = {"cup", "frying pan", "jar", "jug", "kettle", "pot", "spoon", "teapot", "tray"}
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


def get_food(t: Teller, who=None) -> Thing:
    """Somebody, else the hero, gets something to eat: picks it, bakes it, buys it, or is given it at home."""
    dice, food = t.dice, t.new_thing("foods")
    morning(t)
    if food.noun in GROWN_FOODS:
        t.tell("find", who or t.hero, food)
    elif who:
        t.tell("bake", who, food)
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


# Plots


def lost_thing(t: Teller) -> None:
    """Something dear is lost, looked for, and found, or not."""
    dice, hero = t.dice, t.hero
    thing = belonging(t, *BELONGINGS)
    set_out(t, "outside", "play")
    if dice.chance(0.25):
        play_together(t, companion(t))
    elif dice.chance(0.6):
        t.tell("play_with", hero, thing)
    lost_at_play(t, thing)
    t.paragraph(0.6)
    t.tell(dice.pick(("sad_lost", "sad_lost", "know_not")), hero, thing)
    spot = spot_for(t)
    seekers = seek(t, thing, spot)
    t.lesson = dice.pick(("care", "helping", "patience"))
    t.paragraph(0.4)
    if t.bad:
        t.lesson = "care"
        search(t, hero, thing, 1, avoid=spot)
        t.tell("end_sad", hero, thing)
        return
    thief = next((person for person in t.world.people.values() if thing in person.guilty_of), None)
    if thief and thing.spot is None and dice.chance(0.5):
        thief_is_sorry(t, thief, thing, spot)
    elif dice.chance(0.25):
        t.tell("think", hero)
        feel(t, hero, "idea")
    t.tell("find_at", dice.pick((hero, seekers)), thing, spot)
    feel(t, hero, "happy", "calm", probability=0.6)
    if t.helped_by:
        thanks(t, hero, t.helped_by)


def stuck_high(t: Teller) -> None:
    """The wind takes a thing and it gets stuck high up; somebody gets it down."""
    dice, hero = t.dice, t.hero
    thing = belonging(t, "flying")
    set_out(t, "outside")
    friend = companion(t) if dice.chance(0.3) else None
    t.tell("play_with", (hero[0], friend) if friend else hero, thing)
    t.tell("wind", thing, hero)
    t.tell("stuck", thing, spot_for(t, "high"))
    t.paragraph(0.5)
    feel(t, hero, "sad", "angry", "surprised")
    for _ in range(dice.pick((1, 1, 2))):
        t.tell("cannot_reach", hero, thing)
    t.lesson = dice.pick(("patience", "courage"))
    if dice.chance(0.2):
        t.tell("think", hero)
        t.tell("idea", hero)
        t.tell("reach", hero, thing)
        feel(t, hero, "proud", "happy")
        return
    t.helped_by = other = friend or helper(t)
    told_why(t, other)
    if dice.chance(0.4):
        t.tell("cannot_reach", other, thing)
    t.tell("offer", other, hero)
    feel(t, other, "idea", "think", probability=0.6)
    bring_down(t, other, thing)
    t.lesson = "helping"


def bring_down(t: Teller, other: Person, thing: Thing) -> None:
    """The other gets a thing down, or the two of them together."""
    if t.dice.chance(0.4):
        t.tell("reach", (t.hero[0], other), thing)
    else:
        t.tell("reach", other, thing)
        t.tell("give_back", other, thing, t.hero)
    thanks(t, t.hero, other, 0.9)
    feel(t, t.hero, "happy", "calm", probability=0.4)


def not_sharing(t: Teller) -> None:
    """The hero keeps something to himself, sees what that does, and shares; or does not."""
    dice, hero = t.dice, t.hero
    thing = get_food(t) if dice.chance(0.6) else belonging(t, "toys", "made")
    friend = set_out_with(t, "play", "outside")
    if dice.chance(0.4):
        t.tell("show", hero, thing, friend)
    if thing.is_food:
        t.tell("hungry", friend)
    t.tell("ask_for", friend, thing, hero)
    t.tell("keep", hero, thing, friend)
    feel(t, friend, "sad", "angry")
    t.paragraph(0.6)
    t.lesson = "sharing"
    if t.bad:
        lonely_end(t, friend, "sharing")
        return
    change_of_heart(t, friend)
    if thing.is_food:
        t.tell("share", hero, thing, friend)
    elif dice.chance(0.5):
        t.tell("lend", hero, thing, friend)
        t.tell("play_with", (hero[0], friend), thing)
        t.tell("give_back", friend, thing, hero)
    else:
        t.tell("play_with", (hero[0], friend), thing)
    thanks(t, friend, hero)
    feel(t, (hero[0], friend), "happy", "calm", probability=0.5)


def change_of_heart(t: Teller, friend: Person) -> None:
    """The hero sees alone, or is told, that it was not kind, and says sorry."""
    dice, hero = t.dice, t.hero
    if dice.chance(0.35):
        t.tell("leave", friend, hero)
        t.tell("lonely", hero)
        t.tell("think", hero)
        t.tell("arrive", friend, hero)
    elif dice.chance(0.4):
        other = elder(t)
        join(t, other)
        t.tell("scold", other, hero)
    feel(t, hero, "guilty", probability=0.8)
    if dice.chance(0.75):
        apology(t, hero, friend)


def broken(t: Teller) -> None:
    """The hero breaks what is somebody else's, hides it or tells, and makes good; or is not forgiven."""
    dice, hero = t.dice, t.hero
    other = companion(t) if t.bad or dice.chance(0.6) else elder(t)
    thing = t.new_thing("toys", "treasures", "made", "tools")
    t.tell("owns", other, thing)
    secretly = dice.chance(0.5)
    if secretly:
        t.tell("take_secretly", hero, thing, other)
    else:
        t.tell("ask_for", hero, thing, other)
        t.tell("lend", other, thing, hero)
        thanks(t, hero, other, 0.4)
    if secretly or dice.chance(0.4):
        t.tell("leave", other, hero)
    if t.words.class_of_noun[thing.noun] == "tools":
        t.tell("chore", hero)
    else:
        t.tell("play_with", hero, thing)
    t.tell("break", hero, thing)
    feel(t, hero, "scared", "guilty", "surprised")
    t.paragraph(0.6)
    spot = hidden_away(t, thing) if dice.chance(0.4) else ""
    if other.place == "away":
        t.tell("arrive", other, hero)
    if spot:
        asked_about(t, other, thing)
    truth_comes_out(t, other, thing, spot)
    if t.bad:
        lonely_end(t, other, dice.pick(("care", "honesty")))
        return
    apology(t, hero, other)
    mend_and_return(t, dice.pick((hero, (hero[0], other), (other,))), thing, other)
    feel(t, hero, "happy", "calm")
    t.lesson = dice.pick(("honesty", "asking") if secretly else ("care", "honesty"))


def hidden_away(t: Teller, thing: Thing) -> str:
    """The hero hides what must not be seen; return where."""
    spot = spot_for(t)
    t.tell("hide", t.hero, thing, spot)
    return spot


def asked_about(t: Teller, other: Person, thing: Thing) -> None:
    """The other misses a thing, and the hero lies about it."""
    t.tell("miss", other, thing)
    feel(t, other, "sad", "surprised", probability=0.4)
    t.tell("ask_where", other, t.hero, thing)
    t.tell("lie", t.hero, other, thing)
    feel(t, t.hero, "guilty", "think")


def truth_comes_out(t: Teller, other: Person, thing: Thing, spot: str) -> None:
    """The hero says what he did, or the other finds what he hid."""
    if t.bad and spot:
        t.tell("find_at", other, thing, spot)
        feel(t, other, "angry")
        return
    feel(t, t.hero, "brave", probability=0.3)
    t.tell("confess", t.hero, other, thing)
    if spot:
        t.tell("tell_where", t.hero, other, thing, spot)
        t.tell("find_at", other, thing, spot)
    feel(t, other, "angry", "sad", probability=1 if t.bad else 0.6)


def learn(t: Teller) -> None:
    """The hero wants to be able to do something, fails, practices, and can; or gives up."""
    dice, hero = t.dice, t.hero
    skill = unknown_skill(t)
    t.tell("want_do", hero, skill)
    place = None
    if skill.where != "anywhere" or dice.chance(0.4):
        place = set_out(t, "water" if skill.where == "water" else "outside")
    t.tell("try_do", hero, skill)
    feel(t, hero, "fall", probability=0.4)
    mean = companion(t) if t.bad or dice.chance(0.3) else None
    if mean:
        t.tell("tease", mean, hero)
    feel(t, hero, "sad", "angry", probability=0.7)
    t.paragraph(0.5)
    if t.bad:
        t.tell("practice", hero, skill)
        t.tell("try_do", hero, skill)
        t.tell("give_up", hero, skill)
        lonely_end(t, mean, "practice")
        return
    other = t.helped_by = taught(t, skill, mean)
    rehearse(t, skill, place)
    feel(t, hero, "brave", probability=0.3)
    t.tell("manage", hero, skill)
    feel(t, hero, "proud", "happy", "excited")
    for watcher in dict.fromkeys(person for person in (mean, other) if person):
        praised(t, watcher, watcher is mean)
    t.lesson = "practice"


def unknown_skill(t: Teller) -> Activity:
    """Something that the hero cannot do yet; the recipe's verb if it is such a thing."""
    return t.activity(tuple(skill for skill in t.words.skills if skill.base not in t.hero[0].can))


def taught(t: Teller, skill: Activity, mean: Person | None) -> Person | None:
    """Mostly somebody shows the hero how to do it, but not who was mean."""
    if t.dice.chance(0.3):
        return None
    other = helper(t) if mean is None else stranger(t, "animal", "grown")
    told_why(t, other)
    t.tell("offer", other, t.hero)
    t.tell("teach", other, t.hero, skill)
    return other


def rehearse(t: Teller, skill: Activity, place: str | None) -> None:
    """Practice, perhaps for days."""
    for _ in range(t.dice.pick((1, 1, 2))):
        t.tell("practice", t.hero, skill)
        if t.dice.chance(0.3):
            next_morning(t)
            if place:
                t.tell("go", t.hero, place)
        if t.dice.chance(0.25):
            t.tell("try_do", t.hero, skill)


def praised(t: Teller, watcher: Person, was_mean: bool) -> None:
    """Who saw it says how good it was, and sorry where that is due."""
    join(t, watcher)
    t.tell("praise", watcher, t.hero)
    if was_mean:
        apology(t, watcher, t.hero)
    else:
        thanks(t, t.hero, watcher, 0.6)


def new_friend(t: Teller) -> None:
    """Nobody to play with, until somebody comes along."""
    dice, hero = t.dice, t.hero
    if t.friend:
        t.tell("leave", t.friend, hero)
    t.tell("lonely", hero)
    feel(t, hero, "sad", "bored", probability=0.4)
    set_out(t, "play", "outside")
    other = stranger(t)
    feel(t, hero, "brave", "think", "scared", probability=0.4)
    t.tell("greet", hero, other)
    if dice.chance(0.5):
        t.tell("greet", other, hero)
    activity = fun(t)
    t.tell("invite", hero, other, activity)
    if t.bad or dice.chance(0.3):
        t.tell("decline", other, hero)
        feel(t, hero, "sad", "surprised")
        if t.bad:
            lonely_end(t, other, "friendship")
            return
        t.paragraph(0.6)
        won_over(t, other, activity)
    else:
        t.tell("agree", other, hero)
    both = (hero[0], other)
    t.tell("play", both, activity)
    if dice.chance(0.4):
        t.tell("play", both, fun(t))
    feel(t, both, "happy", "excited", probability=0.7)
    t.friend = other
    t.lesson = dice.pick(("friendship", "friendship", "kindness"))


def won_over(t: Teller, other: Person, activity: Activity) -> None:
    """A kindness makes somebody change his mind: a treat, help after a fall, or a song of the hero's own."""
    dice, hero = t.dice, t.hero
    roll = dice.random()
    if roll < 0.4:
        t.tell("idea", hero)
        thing = t.new_thing("made")
        t.tell("make", hero, thing)
        give_treat(t, hero, thing, other)
    elif roll < 0.7:
        t.tell("fall", other)
        t.tell("offer", hero, other)
        t.tell("help", hero, other)
        thanks(t, other, hero, 0.9)
    else:
        t.tell("play", hero, activity)
        feel(t, other, "surprised", "excited")
    propose(t, other, hero, activity)


def lost_way(t: Teller) -> None:
    """Somebody does not listen, gets lost, and is led home."""
    dice, hero = t.dice, t.hero
    other = elder(t)
    if t.hero[0].place:
        join(t, other)
    place = wild_place(t)
    t.tell("want_go", hero, place)
    t.tell("warn", other, hero, place)
    feel(t, hero, "think", "bored", "angry", probability=0.4)
    lost = hero
    if t.friend and dice.chance(0.6):
        lost = (hero[0], companion(t))
    t.tell("go", lost, place)
    look_around(t, place)
    t.tell("lost_way", lost)
    t.paragraph(0.4)
    if dice.chance(0.6):
        t.tell("sunset")
    feel(t, lost, "scared", "sad", "dark_fear")
    guide = found_in_the_dark(t) if dice.chance(0.5) else stranger(t, "animal", "animal", "grown")
    led_home(t, guide, lost)
    if dice.chance(0.6):
        join(t, other)
        apology(t, hero, other)
    feel(t, hero, "calm", "happy", "tired")
    t.helped_by, t.lesson = guide, "listening"


def wild_place(t: Teller) -> str:
    """A place that is dangerous, or far off among trees."""
    wild = [name for name, place in t.words.places.items() if "danger" in place.tags or {"far", "trees"} <= place.tags]
    return t.dice.pick([name for name in wild if name != t.hero[0].place])


def found_in_the_dark(t: Teller) -> Person:
    """A frightening noise comes from somebody who means no harm."""
    t.tell("noise", t.hero)
    feel(t, t.hero, "scared", probability=0.5)
    found = t.new_person("animal")
    t.tell("harmless", found)
    return found


def led_home(t: Teller, guide: Person, lost) -> None:
    """Somebody asks what is wrong, and shows the way."""
    if t.dice.chance(0.6):
        t.tell("ask_wrong", guide, lost)
    if t.dice.chance(0.5):
        t.tell("offer", guide, lost)
    t.tell("guide", guide, lost)
    thanks(t, lost, guide, 0.8)


def hungry_stranger(t: Teller) -> None:
    """A small kindness comes back when it is needed."""
    dice, hero = t.dice, t.hero
    food = get_food(t)
    set_out(t, "outside", "trees")
    other = stranger(t, "animal", "animal", "grown")
    t.tell(dice.pick(("ask_wrong", "greet")), hero, other)
    t.tell("hungry", other)
    if dice.chance(0.5):
        t.tell("share", hero, food, other)
        thanks(t, other, hero, 0.9)
    else:
        give_treat(t, hero, food, other)
    t.paragraph()
    next_morning(t)
    dice.pick((saved_from_a_hole, thing_brought_back, shown_the_way))(t, other)
    thanks(t, hero, other, 0.9)
    t.friend = t.helped_by = other
    t.lesson = dice.pick(("kindness", "helping", "friendship"))


def saved_from_a_hole(t: Teller, other: Person) -> None:
    """The hero gets stuck, and the other comes to help."""
    set_out(t, "outside")
    t.tell("stuck_self", t.hero, spot_for(t, "tight"))
    feel(t, t.hero, "scared", "sad")
    join(t, other)
    t.tell("offer", other, t.hero)
    t.tell("free", other, t.hero)


def thing_brought_back(t: Teller, other: Person) -> None:
    """The hero loses something dear, and the other has seen it."""
    hero, thing = t.hero, belonging(t, *BELONGINGS)
    set_out(t, "outside", "play")
    t.tell("lose", hero, thing)
    t.tell("miss", hero, thing)
    feel(t, hero, "sad", probability=0.6)
    spot = spot_for(t)
    join(t, other)
    if t.dice.chance(0.5):
        t.tell("ask_where", hero, other, thing)
    if t.dice.chance(0.6):
        t.tell("tell_where", other, hero, thing, spot)
        t.tell("find_at", hero, thing, spot)
    else:
        t.tell("find_at", other, thing, spot)
        t.tell("give_back", other, thing, hero)


def shown_the_way(t: Teller, other: Person) -> None:
    """The hero gets lost, and the other knows the way."""
    t.tell("go", t.hero, t.place("far", "trees", avoid=t.hero[0].place))
    t.tell("lost_way", t.hero)
    feel(t, t.hero, "scared", "sad")
    t.tell("arrive", other, t.hero)
    if t.dice.chance(0.5):
        t.tell("comfort", other, t.hero)
    t.tell("guide", other, t.hero)


def surprise(t: Teller) -> None:
    """Something is made in secret, and the friend who feels forgotten gets it."""
    dice, hero = t.dice, t.hero
    friend = companion(t)
    if dice.chance(0.4):
        t.tell("invite", friend, hero, fun(t))
        t.tell("decline", hero, friend)
        feel(t, friend, "sad", "surprised")
    t.tell("leave", friend, hero)
    home(t)
    t.tell("idea", hero)
    thing = dish(t) if dice.chance(0.3) else t.new_thing("made")
    t.tell("bake" if thing.is_food else "make", hero, thing)
    if dice.chance(0.5):
        other = elder(t)
        join(t, other)
        t.tell("tell_secret", hero, other, thing)
    if not thing.is_food:
        hidden_away(t, thing)
    t.paragraph(0.6)
    t.tell("lonely", friend)
    feel(t, friend, "sad", probability=0.5)
    if dice.chance(0.5):
        t.tell("next_day", hero)
    t.tell("arrive", friend, hero)
    t.tell("surprise", hero, friend)
    if thing.holder is None:
        t.tell("take", hero, thing)
    t.tell("surprised", friend)
    give_treat(t, hero, thing, friend)
    t.lesson = dice.pick(("friendship", "kindness", "patience"))


def took_it(t: Teller) -> None:
    """The hero takes what is not his, and cannot be glad of it."""
    dice, hero = t.dice, t.hero
    friend = companion(t)
    thing = t.new_thing("toys", "treasures", "clothes", "made")
    t.tell("owns", friend, thing)
    if dice.chance(0.5):
        t.tell("show", friend, thing, hero)
    t.tell("want", hero, thing)
    t.tell("take_secretly", hero, thing, friend)
    spot = hidden_away(t, thing) if t.bad or dice.chance(0.6) else ""
    t.paragraph(0.6)
    t.tell("miss", friend, thing)
    t.tell("sad_lost", friend, thing)
    if dice.chance(0.7):
        t.tell("ask_where", friend, hero, thing)
        t.tell("lie", hero, friend, thing)
    search(t, friend, thing, 1, avoid=spot)
    feel(t, hero, "guilty")
    if t.bad:
        truth_comes_out(t, friend, thing, spot)
        lonely_end(t, friend, "honesty")
        return
    feel(t, hero, "brave", probability=0.4)
    t.tell("confess", hero, friend, thing)
    if spot:
        goes_to_spot(t, friend, thing, spot)
        t.tell("take", hero, thing)
    t.tell("give_back", hero, thing, friend)
    apology(t, hero, friend)
    play_together(t, friend)
    t.lesson = dice.pick(("honesty", "asking"))


def goes_to_spot(t: Teller, friend: Person, thing: Thing, spot: str) -> None:
    """The hero thinks of where he hid a thing, or says it."""
    if t.dice.chance(0.4):
        t.tell("remember", t.hero, thing, spot)
    elif t.dice.chance(0.5):
        t.tell("tell_where", t.hero, friend, thing, spot)


def grabbed(t: Teller) -> None:
    """One pulls a toy out of the other's hands; it breaks or it is given back."""
    dice, hero = t.dice, t.hero
    friend = set_out_with(t, "play", "outside") if hero[0].place is None and dice.chance(0.5) else companion(t)
    thing = t.new_thing("toys", "made", "flying")
    t.tell("make" if t.words.class_of_noun[thing.noun] == "made" else "owns", friend, thing)
    t.tell("play_with", friend, thing)
    t.tell("want", hero, thing)
    if dice.chance(0.6):
        t.tell("ask_for", hero, thing, friend)
        t.tell("refuse", friend, thing, hero)
    t.tell("grab", hero, thing, friend)
    t.lesson = dice.pick(("asking", "sharing", "patience"))
    if t.bad or dice.chance(0.5):
        t.tell("break", hero, thing)
        t.tell("sad_broken", friend, thing)
    feel(t, friend, "angry", probability=0.5)
    if t.bad:
        lonely_end(t, friend, "asking")
        return
    t.paragraph(0.5)
    feel(t, hero, "guilty", "think")
    if thing.state == "broken":
        apology(t, hero, friend)
        mend_and_return(t, dice.pick((hero, (hero[0], friend))), thing, friend)
    else:
        t.tell("give_back", hero, thing, friend)
        apology(t, hero, friend)
    if dice.chance(0.5):
        t.tell("play_with", (friend, hero[0]), thing)
    else:
        play_together(t, friend)


def race(t: Teller) -> None:
    """A boast, a race, and who wins it; a boaster who laughs at others may be left alone."""
    dice, hero = t.dice, t.hero
    friend = set_out_with(t, "outside", "play")
    boaster, other = (t.hero[0], friend) if t.bad or dice.chance(0.7) else (friend, t.hero[0])
    t.tell("boast", boaster, activity_called(t, "run fast"))
    if t.bad or dice.chance(0.5):
        t.tell("tease", boaster, other)
        feel(t, other, "sad", "angry", "calm")
    if dice.chance(0.5):
        propose(t, other, boaster, activity_called(t, "run races"))
    t.tell("race", boaster, other)
    t.paragraph(0.4)
    if t.bad:
        t.tell("win", hero, friend)
        t.tell("tease", hero, friend)
        lonely_end(t, friend, "pride")
        return
    if dice.chance(0.5):
        t.tell("fall", boaster)
        if dice.chance(0.5):
            t.tell("help", other, boaster)
            thanks(t, boaster, other)
    t.tell("win", other, boaster)
    feel(t, boaster, "sad", "angry", "surprised")
    if dice.chance(0.6):
        t.tell("praise", boaster, other)
    else:
        t.tell("comfort", other, boaster)
    if dice.chance(0.6):
        apology(t, boaster, other)
    t.lesson = dice.pick(("pride", "pride", "friendship"))
    play_together(t, friend)


def rainy_day(t: Teller) -> None:
    """The weather spoils a plan, and something better is thought of."""
    dice, hero = t.dice, t.hero
    friend = set_out_with(t, "outside")
    both = (hero[0], friend)
    propose(t, *dice.sample((hero, friend), 2), fun(t))
    t.tell("rain")
    feel(t, both, "sad", "surprised", "angry", probability=0.7)
    t.paragraph(0.5)
    if dice.chance(0.7):
        t.tell("go_home", both)
        feel(t, both, "bored", probability=0.5)
    else:
        t.tell("go", both, t.place("shop", "farm", "far", avoid=hero[0].place))
    feel(t, dice.pick(both), "think", "idea", probability=0.7)
    roll = dice.random()
    if roll < 0.35:
        thing = t.new_thing("made")
        t.tell("make", both, thing)
        t.tell("play_with", both, thing)
    elif roll < 0.6 and hero[0].place == HOME:
        food = dish(t)
        t.tell("bake", both, food)
        t.tell("eat", both, food)
    else:
        t.tell("play", both, fun(t))
    feel(t, both, "happy", "excited", "calm")
    t.lesson = dice.pick(("patience", "friendship"))


def trade(t: Teller) -> None:
    """The hero sees something better and swaps, perhaps back again."""
    dice, hero = t.dice, t.hero
    mine = belonging(t, *BELONGINGS)
    set_out(t, "shop", "play")
    other = stranger(t, "child", "child", "animal", "grown")
    theirs = t.new_thing(*BELONGINGS)
    t.tell("owns", other, theirs)
    if dice.chance(0.4):
        t.tell("show", other, theirs, hero)
    t.tell("want", hero, theirs)
    if dice.chance(0.5):
        t.tell("ask_for", hero, theirs, other)
        t.tell("refuse", other, theirs, hero)
        feel(t, hero, "think", "idea", probability=0.6)
    t.tell("offer_trade", hero, mine, other, theirs)
    t.tell("happy_have", other, mine)
    t.paragraph(0.5)
    if dice.chance(0.4):
        t.tell("happy_have", hero, theirs)
        play_together(t, other)
        t.friend, t.lesson = other, "friendship"
    else:
        swapped_back(t, mine, other, theirs)


def swapped_back(t: Teller, mine: Thing, other: Person, theirs: Thing) -> None:
    """The new thing is not what it seemed, and the old one is missed."""
    dice, hero = t.dice, t.hero
    t.tell("play_with", hero, theirs)
    if dice.chance(0.4):
        t.tell("wear_out", theirs)
        t.tell("mend", hero, theirs)
    t.tell("sad_lost", hero, mine)
    t.tell("want", hero, mine)
    feel(t, hero, "think", "brave", probability=0.4)
    if dice.chance(0.5):
        t.tell("ask_for", hero, mine, other)
        t.tell("agree", other, hero)
    t.tell("offer_trade", hero, theirs, other, mine)
    t.tell("happy_have", hero, mine)
    t.lesson = "care"


def noise_in_the_dark(t: Teller) -> None:
    """A frightening noise turns out to be somebody small."""
    dice, hero = t.dice, t.hero
    home(t)
    food = dish(t) if dice.chance(0.5) else None
    if food:
        t.tell("bake", hero, food)
    t.tell("sunset")
    feel(t, hero, "tired", probability=0.4)
    t.tell("noise", hero)
    feel(t, hero, "scared", "dark_fear")
    partner = hero
    if dice.chance(0.5):
        other = elder(t)
        join(t, other)
        told_why(t, other)
        partner = (hero[0], other)
    t.paragraph(0.4)
    t.tell("brave", partner)
    if dice.chance(0.6):
        t.tell("go", partner, dice.pick(DIM_PLACES))
        feel(t, hero, "noise", probability=0.4)
    found = t.new_person("animal")
    t.tell("harmless", found)
    feel(t, partner, "surprised", "calm", probability=0.6)
    if food:
        t.tell("hungry", found)
        t.tell("share", hero, food, found)
    elif dice.chance(0.5):
        t.tell("stuck_self", found, spot_for(t, "tight"))
        t.tell("free", partner, found)
    else:
        feel(t, found, "scared", "sad", "lonely")
        t.tell("comfort", hero, found)
    thanks(t, found, hero)
    t.friend, t.lesson = found, "courage"


def baking(t: Teller) -> None:
    """Something good is made; a tool is missing or breaks; the treat is shared."""
    dice, hero = t.dice, t.hero
    morning(t)
    home(t)
    friend = companion(t) if dice.chance(0.6) else elder(t)
    if friend is not t.friend:
        join(t, friend)
    both = (hero[0], friend)
    feel(t, hero, "hungry", probability=0.5)
    t.tell("idea", hero)
    tool = None
    if dice.chance(0.6):
        tool = fitting_thing(t, "tools", lambda noun: noun in KITCHEN_TOOLS)
        borrowed(t, tool, friend)
    food = dish(t)
    t.tell("bake", both, food)
    feel(t, both, "proud", "happy", probability=0.5)
    if tool:
        t.tell("give_back", hero, tool, friend)
    t.paragraph(0.5)
    roll = dice.random()
    t.lesson = dice.pick(("sharing", "helping"))
    if roll < 0.3:
        t.tell("eat", both, food)
        feel(t, both, "happy", "calm")
        return
    guest = stranger(t, "grown", "animal", "child")
    if roll < 0.5:
        t.tell("sad", guest)
        t.tell("ask_wrong", hero, guest)
        t.lesson = "kindness"
    t.tell("hungry", guest)
    t.tell("share", both, food, guest)
    thanks(t, guest, both, 0.9)


def borrowed(t: Teller, tool: Thing, owner: Person) -> None:
    """The hero borrows a tool, which may break and be mended."""
    dice, hero = t.dice, t.hero
    t.tell("owns", owner, tool)
    t.tell("ask_for", hero, tool, owner)
    t.tell("lend", owner, tool, hero)
    if dice.chance(0.4):
        t.tell("break", hero, tool)
        feel(t, hero, "sad", "scared", "surprised")
        t.tell("comfort", owner, hero)
        t.tell("mend", dice.pick(((owner,), (hero[0], owner))), tool)


def seed(t: Teller) -> None:
    """A seed takes its time."""
    dice, hero = t.dice, t.hero
    thing = t.new_thing("seeds")
    if dice.chance(0.5):
        giver = elder(t)
        if hero[0].place:
            join(t, giver)
        t.tell("gift", hero, thing, giver)
    else:
        t.tell("find", hero, thing)
    if dice.chance(0.5):
        t.tell("go", hero, dice.pick([place for place in GARDENS if place != hero[0].place]))
    t.tell("plant", hero, thing)
    t.tell("tend", hero, thing)
    if dice.chance(0.3):
        t.tell("play", hero, fun(t))
    t.tell("wait", hero)
    doubter = None
    if dice.chance(0.6):
        feel(t, hero, "sad", "bored", "angry")
        doubter = someone_about_the_seed(t)
    t.paragraph(0.5)
    if dice.chance(0.5):
        t.tell("rain")
    for _ in range(dice.pick((1, 1, 2))):
        t.tell("next_day", hero)
        t.tell("tend", hero, thing)
    t.tell("grow", thing)
    feel(t, hero, "surprised", "happy", "proud")
    if doubter and doubter.place == hero[0].place:
        feel(t, doubter, "surprised")
        t.tell("praise", doubter, hero)
    t.lesson = "patience"


def someone_about_the_seed(t: Teller) -> Person:
    """One comforts the hero who waits, or laughs and is sorry later."""
    if t.dice.chance(0.7):
        t.helped_by = other = helper(t)
        t.tell("comfort", other, t.hero)
    else:
        other = companion(t)
        t.tell("tease", other, t.hero)
        feel(t, t.hero, "sad", "calm")
    return other


def sick_friend(t: Teller) -> None:
    """Somebody is ill, and is visited with a present."""
    dice, hero = t.dice, t.hero
    friend = t.friend
    if friend is None:
        friend = companion(t)
        play_together(t, friend)
        t.paragraph(0.5)
        next_morning(t)
    t.tell("sick", friend)
    feel(t, hero, "sad", "think", "lonely", probability=0.7)
    feel(t, hero, "idea", probability=0.5)
    thing = t.new_thing("foods", "made", "toys")
    present(t, thing)
    t.tell("arrive", hero, friend)
    t.tell("greet", hero, friend)
    give_treat(t, hero, thing, friend)
    t.paragraph(0.5)
    if dice.chance(0.4):
        t.tell("play", hero, fun(t))
        feel(t, friend, "happy")
    elif dice.chance(0.5):
        t.tell("comfort", hero, friend)
    t.tell("next_day", friend)
    t.tell("better", friend)
    play_together(t, friend)
    t.lesson = dice.pick(("kindness", "friendship", "helping"))


def present(t: Teller, thing: Thing) -> None:
    """The hero gets a present for somebody: makes it, or goes out to buy or pick it."""
    hero = t.hero
    if thing.noun in GROWN_FOODS:
        t.tell("go", hero, t.place("farm", avoid=hero[0].place))
        t.tell("find", hero, thing)
    elif t.words.class_of_noun[thing.noun] == "toys" or hero[0].place == HOME:
        t.tell("go", hero, t.place("shop", avoid=hero[0].place))
        t.tell("see_shop", hero, thing)
        t.tell("buy", hero, thing)
    else:
        t.tell("bake" if thing.is_food else "make", hero, thing)


def earning(t: Teller) -> None:
    """The hero sees something in a shop and works for it; then he keeps it, or gives it away, or it is sold."""
    dice, hero = t.dice, t.hero
    place = set_out(t, "shop")
    thing = t.new_thing("toys", "treasures", "clothes", "flying")
    t.tell("see_shop", hero, thing)
    t.tell("want", hero, thing)
    other = elder(t)
    if dice.chance(0.7):
        join(t, other)
        t.tell("ask_for", hero, thing, other)
        t.tell("refuse", other, thing, hero)
        feel(t, hero, "sad", "angry", "think", probability=0.7)
    t.paragraph(0.5)
    home(t)
    for _ in range(dice.pick((1, 2, 2))):
        if dice.chance(0.4):
            t.tell("next_day", hero)
        t.tell("chore", hero)
    t.lesson = dice.pick(("patience", "helping"))
    if t.bad:
        sold(t, thing, place)
        return
    join(t, other)
    if dice.chance(0.6):
        t.tell("praise", other, hero)
        t.tell("go", hero, place)
        t.tell("buy", hero, thing)
        feel(t, hero, "proud", "happy")
    else:
        t.tell("buy", other, thing)
        t.tell("give", other, thing, hero)
        thanks(t, hero, other, 0.9)
    if dice.chance(0.3):
        given_away(t, thing)
    else:
        t.tell("happy_have", hero, thing)


def sold(t: Teller, thing: Thing, place: str) -> None:
    """Somebody else buys what the hero worked for."""
    t.tell("go", t.hero, place)
    buyer = stranger(t, "child", "animal", "grown")
    t.tell("buy", buyer, thing)
    t.tell("leave", buyer, t.hero)
    feel(t, t.hero, "sad")
    t.lesson = "patience"
    t.tell("end_sad", t.hero, thing)


def given_away(t: Teller, thing: Thing) -> None:
    """Somebody is sad, and the hero gives away what he worked for."""
    other = t.friend = companion(t)
    feel(t, other, "sad", "lonely")
    t.tell("ask_wrong", t.hero, other)
    t.tell("think", t.hero)
    give_treat(t, t.hero, thing, other)
    t.lesson = "kindness"


def stuck_animal(t: Teller) -> None:
    """Somebody is stuck and gets free with help."""
    dice, hero = t.dice, t.hero
    set_out(t, "outside", "trees")
    feel(t, hero, "noise", probability=0.5)
    other = stranger(t, "animal")
    t.tell("stuck_self", other, spot_for(t, "tight"))
    feel(t, other, "scared", "sad", probability=0.7)
    t.tell("offer", hero, other)
    rescuers = hero
    if dice.chance(0.6):
        feel(t, hero, "think")
        extra = companion(t) if t.friend else stranger(t, "child", "grown", "animal")
        t.tell("offer", extra, hero)
        rescuers = (hero[0], extra)
    feel(t, rescuers, "brave", "idea", probability=0.5)
    t.tell("free", rescuers, other)
    thanks(t, other, rescuers, 0.9)
    t.paragraph(0.5)
    if dice.chance(0.3):
        t.tell("gift", hero, t.new_thing("treasures"), other)
        feel(t, hero, "surprised", "happy")
    else:
        play_together(t, other)
    t.friend = other
    t.lesson = dice.pick(("helping", "helping", "kindness"))


def wish(t: Teller) -> None:
    """A thing that can do more than it seems, and what is wished for."""
    dice, hero = t.dice, t.hero
    set_out(t, "outside", "water")
    thing = t.new_thing("treasures")
    t.tell("see_thing", hero, thing)
    t.tell("take", hero, thing)
    t.tell("magic", thing)
    feel(t, hero, "surprised", "scared", "excited")
    t.paragraph(0.5)
    if dice.chance(0.3):
        t.tell("wish", hero)
        t.tell("magic", thing)
        found = t.new_thing("toys", "clothes")
        t.tell("find", hero, found)
        t.tell("happy_have", hero, found)
    else:
        wished_for_another(t, thing)
    if dice.chance(0.4):
        t.tell("put", hero, thing, spot_for(t))
        t.lesson = "care"


def wished_for_another(t: Teller, thing: Thing) -> None:
    """The hero spends a wish on somebody: on food, on a skill, or on company."""
    dice, hero = t.dice, t.hero
    other = companion(t)
    t.tell("show", hero, thing, other)
    if dice.chance(0.5):
        t.tell("hungry", other)
        t.tell("wish", hero)
        t.tell("magic", thing)
        food = t.new_thing("foods")
        t.tell("find", hero, food)
        t.tell("share", hero, food, other)
    else:
        skill = dice.pick(t.words.skills)
        t.tell("want_do", other, skill)
        t.tell("try_do", other, skill)
        t.tell("wish", hero)
        t.tell("magic", thing)
        t.tell("manage", other, skill)
    feel(t, other, "happy", "surprised", "excited")
    thanks(t, other, hero)
    t.lesson = "kindness"


def found_treasure(t: Teller) -> None:
    """Something is found that somebody has lost."""
    dice, hero = t.dice, t.hero
    thing = t.new_thing("treasures", "toys", "clothes")
    set_out(t, "outside", "play")
    t.tell("see_thing", hero, thing)
    t.tell("take", hero, thing)
    feel(t, hero, "happy", "excited", "surprised")
    if dice.chance(0.5):
        t.tell("play_with", hero, thing)
    if dice.chance(0.3):
        t.tell("show", hero, thing, companion(t))
    t.paragraph(0.5)
    owner = stranger(t, "grown", "child", "animal")
    feel(t, owner, "sad")
    t.tell("ask_wrong", hero, owner)
    t.tell("tell_lost", owner, hero, thing)
    feel(t, hero, "think", "guilty", "brave", probability=0.6)
    give_treat(t, hero, thing, owner)
    reward(t, owner)
    t.lesson = dice.pick(("honesty", "kindness"))


def reward(t: Teller, owner: Person) -> None:
    """Who has his thing back gives the hero a present, or plays with him, or is only glad."""
    roll = t.dice.random()
    if roll < 0.4:
        t.tell("gift", t.hero, t.new_thing("toys", "made"), owner)
        feel(t, t.hero, "happy", "surprised")
    elif roll < 0.8:
        play_together(t, owner)
        t.friend = owner


def bedtime(t: Teller) -> None:
    """Somebody cannot sleep without something."""
    dice, hero = t.dice, t.hero
    thing = belonging(t, "toys", "clothes")
    home(t)
    spot, other, saw_it = spot_for(t), elder(t), dice.chance(0.5)
    if saw_it:
        join(t, other)
        feel(t, other, "chore")
    t.tell("put", hero, thing, spot)
    t.tell("play", hero, fun(t))
    t.tell("sunset")
    t.tell("tired", hero)
    feel(t, hero, "dark_fear", "sad", probability=0.6)
    if dice.chance(0.6):
        search(t, hero, thing, dice.pick((1, 2)), avoid=spot)
    if dice.chance(0.5):
        t.tell("remember", hero, thing, spot)
        t.tell("take", hero, thing)
    else:
        join(t, other)
        told_why(t, other)
        if saw_it:
            t.tell("tell_where", other, hero, thing, spot)
        t.tell("find_at", dice.pick((hero, (hero[0], other))), thing, spot)
        thanks(t, hero, other)
    feel(t, hero, "calm", "happy")
    t.lesson = "care"


def hide_and_seek(t: Teller) -> None:
    """Hide-and-seek goes on too long, because the one who hides is stuck."""
    dice, hero = t.dice, t.hero
    friend = set_out_with(t, "trees", "play")
    game = activity_called(t, "play hide-and-seek")
    propose(t, *dice.sample((hero, friend), 2), game)
    t.tell("play", (hero[0], friend), game)
    hider, seeker = dice.sample((hero[0], friend), 2)
    t.tell("stuck_self", hider, spot_for(t, "tight"))
    feel(t, hider, "scared", "sad", "wait", probability=0.7)
    t.paragraph(0.5)
    feel(t, seeker, "bored", "tired", "wait", "surprised")
    feel(t, seeker, "think", "noise")
    rescuers = seeker
    if dice.chance(0.4):
        extra = elder(t) if dice.chance(0.5) else t.new_person("animal")
        t.tell(*(("encounter", seeker, extra) if extra.kind in t.words.animals else ("arrive", extra, seeker)))
        t.tell("offer", extra, seeker)
        rescuers = (seeker, extra)
    t.tell("free", rescuers, hider)
    thanks(t, hider, rescuers, 0.9)
    feel(t, (hero[0], friend), "happy", "calm", "tired", probability=0.6)
    t.lesson = dice.pick(("helping", "friendship"))


def unwanted_gift(t: Teller) -> None:
    """A gift that nobody wanted turns out to be just what is needed."""
    dice, hero = t.dice, t.hero
    warm = dice.chance(0.5)
    thing = fitting_thing(t, "clothes", WARM_CLOTHES.__contains__) if warm else fitting_thing(t, "tools", RESCUE_TOOLS.__contains__)
    home(t)
    giver = elder(t)
    join(t, giver)
    t.tell("make", giver, thing)
    t.tell("give", giver, thing, hero)
    feel(t, hero, "sad", "surprised", "bored")
    thanks(t, hero, giver, 0.5)
    t.tell("put", hero, thing, spot_for(t))
    t.paragraph(0.6)
    if dice.chance(0.6):
        next_morning(t)
    t.tell("take", hero, thing)
    set_out(t, "outside", "trees")
    if warm:
        warms_a_friend(t, thing)
    else:
        other = stranger(t, "animal")
        t.tell("stuck_self", other, spot_for(t, "tight"))
        t.tell("think", hero)
        t.tell("show", hero, thing, other)
        t.tell("free", hero, other)
        thanks(t, other, hero, 0.95)
        t.friend = other
    t.tell("happy_have", hero, thing)
    t.lesson = dice.pick(("care", "helping" if not warm else "kindness"))


def warms_a_friend(t: Teller, thing: Thing) -> None:
    """It rains, and the hero lends what keeps warm."""
    friend = companion(t)
    t.tell("rain")
    feel(t, friend, "sad", "scared", "tired")
    t.tell("offer", t.hero, friend)
    t.tell("lend", t.hero, thing, friend)
    t.tell("happy_have", friend, thing)
    thanks(t, friend, t.hero, 0.9)
    t.tell("go_home", (t.hero[0], friend))
    t.tell("give_back", friend, thing, t.hero)


def both_want(t: Teller) -> None:
    """Two friends want the same thing, and fight over it until they find a way, or do not."""
    dice, hero = t.dice, t.hero
    friend = set_out_with(t, "outside", "play")
    thing = t.new_thing("toys", "treasures", "flying")
    t.tell("see_thing", hero, thing)
    for person in dice.sample((hero, friend), 2):
        t.tell("want", person, thing)
    t.tell("take", hero, thing)
    t.tell("grab", friend, thing, hero)
    both = (hero[0], friend)
    feel(t, both, "angry")
    t.paragraph(0.5)
    if t.bad:
        t.tell("grab", hero, thing, friend)
        feel(t, friend, "sad", "angry")
        lonely_end(t, friend, "sharing")
        return
    t.lesson = dice.pick(("sharing", "friendship"))
    roll = dice.random()
    if roll < 0.35:
        t.tell("break", friend, thing)
        t.tell("sad_broken", both, thing)
        apology(t, friend, hero)
        t.tell("mend", both, thing)
        t.tell("play_with", (friend, hero[0]), thing)
    elif roll < 0.7:
        take_turns(t, friend, thing)
    else:
        given_to_a_third(t, friend, thing)


def take_turns(t: Teller, friend: Person, thing: Thing) -> None:
    """One has an idea: first you, then me."""
    dice, hero = t.dice, t.hero
    t.tell("idea", dice.pick((hero, friend)))
    if dice.chance(0.6):
        apology(t, friend, hero)
    t.tell("play_with", (friend, hero[0]), thing)
    t.tell("give_back" if thing.owner is hero[0] else "lend", friend, thing, hero)
    feel(t, (hero[0], friend), "happy", "calm")


def given_to_a_third(t: Teller, friend: Person, thing: Thing) -> None:
    """Somebody little comes along, sad because this very thing was lost, and gets it."""
    owner = stranger(t, "child", "animal")
    t.tell("sad", owner)
    t.tell("ask_wrong", t.hero, owner)
    t.tell("tell_lost", owner, (t.hero[0], friend), thing)
    feel(t, (t.hero[0], friend), "guilty", "think")
    give_treat(t, friend, thing, owner)
    t.tell("play", (t.hero[0], friend), fun(t))


def small_jobs(t: Teller) -> None:
    """A day of small jobs for others comes back as a surprise."""
    dice, hero = t.dice, t.hero
    set_out(t, "outside", "shop")
    helped = []
    for _ in range(dice.pick((2, 2, 3))):
        other = stranger(t, "grown", "grown", "animal", "child")
        small_job(t, other)
        helped.append(other)
    t.paragraph()
    next_morning(t)
    feel(t, hero, "bored", "lonely")
    makers = tuple(helped[-2:])
    thing = dish(t) if dice.chance(0.5) else t.new_thing("made", "toys")
    if thing.is_food:
        t.tell("bake", makers, thing)
    elif t.words.class_of_noun[thing.noun] == "made":
        t.tell("make", makers, thing)
    else:
        t.tell("owns", makers[0], thing)
    t.tell("arrive", makers, hero)
    t.tell("surprise", makers, hero)
    feel(t, hero, "surprised", "excited")
    if thing.is_food and dice.chance(0.5):
        t.tell("share", makers, thing, hero)
    else:
        give_treat(t, makers if thing.holder in makers else makers[0], thing, hero)
    t.lesson = dice.pick(("helping", "kindness"))


def small_job(t: Teller, other: Person) -> None:
    """The hero does something for somebody: finds, frees, mends or simply helps."""
    dice, hero = t.dice, t.hero
    roll = dice.random()
    if roll < 0.3:
        thing = t.new_thing("tools", "toys")
        t.tell("owns", other, thing)
        t.tell("wear_out", thing)
        t.tell("mend", hero, thing)
    elif roll < 0.6:
        thing, spot = t.new_thing("tools", "clothes"), spot_for(t)
        t.tell("owns", other, thing)
        t.tell("lose", other, thing)
        t.tell("find_at", hero, thing, spot)
        t.tell("give_back", hero, thing, other)
    else:
        feel(t, other, "tired", "sad")
        t.tell("offer", hero, other)
        t.tell("help", hero, other)
    thanks(t, other, hero, 0.8)


def proud_one(t: Teller) -> None:
    """One is too proud to be helped, until it does not work without."""
    dice, hero = t.dice, t.hero
    skill = unknown_skill(t)
    friend = set_out_with(t, "water" if skill.where == "water" else "outside")
    t.tell("boast", hero, skill)
    if t.bad or dice.chance(0.3):
        t.tell("tease", hero, friend)
    t.tell("offer", friend, hero)
    t.tell("decline", hero, friend)
    feel(t, friend, "sad", "angry", probability=0.5)
    t.tell("try_do", hero, skill)
    feel(t, hero, "fall", probability=0.5)
    if t.bad:
        t.tell("give_up", hero, skill)
        lonely_end(t, friend, "pride")
        return
    t.paragraph(0.5)
    if dice.chance(0.4):
        t.tell("stuck_self", hero, spot_for(t, "tight"))
        t.tell("free", friend, hero)
    else:
        feel(t, hero, "sad", "guilty", "angry")
        t.tell("comfort", friend, hero)
    apology(t, hero, friend)
    t.tell("teach", friend, hero, skill)
    t.tell("practice", hero, skill)
    t.tell("manage", hero, skill)
    thanks(t, hero, friend, 0.9)
    t.lesson = "pride"


def passed_on(t: Teller) -> None:
    """A present goes from hand to hand, and comes back when it is needed."""
    dice, hero = t.dice, t.hero
    thing = belonging(t, "toys", "treasures", "made")
    set_out(t, "outside", "play")
    first = stranger(t, "child", "animal")
    feel(t, first, "sad", "lonely", "bored")
    t.tell("ask_wrong", hero, first)
    give_treat(t, hero, thing, first)
    t.tell("leave", first, hero)
    t.paragraph(0.6)
    holder = first
    for _ in range(dice.pick((1, 1, 2))):
        other = t.new_person(dice.pick(("child", "animal", "grown")))
        t.tell("encounter", holder, other)
        feel(t, other, "sad", "lonely", "tired")
        t.tell("give", holder, thing, other)
        feel(t, other, "happy", "surprised")
        holder = other
    t.paragraph(0.6)
    next_morning(t)
    feel(t, hero, "lonely", "bored")
    t.tell("arrive", holder, hero)
    if dice.chance(0.5):
        t.tell("ask_wrong", holder, hero)
    t.tell("give", holder, thing, hero)
    feel(t, hero, "surprised")
    t.tell("happy_have", hero, thing)
    t.friend, t.lesson = holder, "kindness"


def picnic(t: Teller) -> None:
    """A picnic has an uninvited guest."""
    dice, hero = t.dice, t.hero
    food = get_food(t)
    friend = set_out_with(t, "trees", "play")
    both = (hero[0], friend)
    if dice.chance(0.5):
        t.tell("play", both, fun(t))
    feel(t, both, "hungry")
    guest = t.new_person("animal")
    t.tell("encounter", both, guest)
    t.paragraph(0.4)
    roll = dice.random()
    if roll < 0.4:
        t.tell("hungry", guest)
        t.tell("share", both, food, guest)
        thanks(t, guest, both, 0.9)
        t.tell("play", (hero[0], guest), fun(t))
    elif roll < 0.7:
        guest_takes_it(t, friend, guest, food)
    else:
        t.tell("ask_for", guest, food, hero)
        t.tell("keep", hero, food, guest)
        feel(t, guest, "sad")
        feel(t, both, "guilty", "think")
        t.tell("share", both, food, guest)
        thanks(t, guest, both, 0.9)
    feel(t, both, "happy", "calm", probability=0.5)
    t.lesson = dice.pick(("sharing", "friendship"))


def guest_takes_it(t: Teller, friend: Person, guest: Person, food: Thing) -> None:
    """The guest grabs the food and eats it, is sorry, and brings something of his own."""
    both = (t.hero[0], friend)
    t.tell("grab", guest, food, t.hero)
    t.tell("eat", guest, food)
    feel(t, both, "angry", "sad", "surprised")
    t.tell("sorry", guest, both)
    t.tell("forgive", both, guest)
    treat = fitting_thing(t, "foods", GROWN_FOODS.__contains__)
    t.tell("find", guest, treat)
    t.tell("share", guest, treat, both)


def shy_one(t: Teller) -> None:
    """Somebody is too shy to play, and is won with patience."""
    dice, hero = t.dice, t.hero
    set_out(t, "outside", "play")
    other = stranger(t)
    t.tell("trait", other, "quiet")
    t.tell("greet", hero, other)
    activity = fun(t)
    t.tell("invite", hero, other, activity)
    t.tell("decline", other, hero)
    feel(t, other, "scared")
    t.paragraph(0.5)
    feel(t, hero, "think", "idea")
    if dice.chance(0.5):
        thing = t.new_thing("made")
        t.tell("make", hero, thing)
        t.tell("put", hero, thing, spot_for(t))
        t.tell("wait", hero)
        t.tell("take", other, thing)
        t.tell("happy_have", other, thing)
    else:
        t.tell("play", hero, activity)
        if dice.chance(0.5):
            next_morning(t)
            t.tell("arrive", other, hero)
        feel(t, other, "calm", "happy")
    t.tell("brave", other)
    t.tell("greet", other, hero)
    if dice.chance(0.5):
        propose(t, other, hero, activity)
    t.tell("play", (hero[0], other), activity)
    t.friend, t.lesson = other, dice.pick(("friendship", "patience"))


def smallest(t: Teller) -> None:
    """The smallest one, who was laughed at, can do what the big ones cannot."""
    dice, hero = t.dice, t.hero
    t.tell("trait", hero, dice.pick(("small", "tiny", "little", "short")))
    big = set_out_with(t, "outside", "play")
    t.tell("invite", hero, big, fun(t))
    t.tell("decline", big, hero)
    t.tell("tease", big, hero)
    feel(t, hero, "sad", "angry", probability=0.7)
    t.paragraph(0.5)
    thing = t.new_thing("flying" if dice.chance(0.4) else "treasures")
    t.tell("owns", big, thing)
    extra = t.new_person(dice.pick(("child", "animal")))
    if t.words.class_of_noun[thing.noun] == "flying":
        t.tell("wind", thing, big)
        t.tell("stuck", thing, spot_for(t, "high"))
        t.tell("cannot_reach", big, thing)
        t.tell("encounter", big, extra)
        t.tell("cannot_reach", extra, thing)
        feel(t, hero, "brave", "idea")
        t.tell("reach", hero, thing)
    else:
        spot = spot_for(t)
        t.tell("lose", big, thing)
        t.tell("sad_lost", big, thing)
        t.tell("encounter", big, extra)
        search(t, (big, extra), thing, dice.pick((1, 2)), avoid=spot)
        t.tell("offer", hero, big)
        t.tell("find_at", hero, thing, spot)
    t.tell("give_back", hero, thing, big)
    thanks(t, big, hero, 0.9)
    apology(t, big, hero)
    t.tell("play", (hero[0], big), fun(t))
    t.lesson = "helping"


def never_noticed(t: Teller) -> None:
    """What seems lost is with the friend who borrowed it, and nobody thought of that."""
    dice, hero = t.dice, t.hero
    thing = belonging(t, *BELONGINGS)
    friend = companion(t)
    t.tell("ask_for", friend, thing, hero)
    t.tell("lend", hero, thing, friend)
    t.tell("play_with", friend, thing)
    t.tell("leave", friend, hero)
    t.paragraph(0.5)
    next_morning(t)
    t.tell("know_not", hero, thing)
    search(t, hero, thing, dice.pick((1, 2, 3)))
    t.tell("sad_lost", hero, thing)
    if dice.chance(0.6):
        other = elder(t)
        join(t, other)
        t.tell("ask_where", hero, other, thing)
        t.tell("no_idea", other, hero, thing)
        if dice.chance(0.5):
            search(t, (hero[0], other), thing, 1)
    t.paragraph(0.5)
    t.tell("arrive", friend, hero)
    if dice.chance(0.6):
        t.tell("ask_wrong", friend, hero)
        t.tell("tell_lost", hero, friend, thing)
        feel(t, friend, "surprised")
    t.tell("give_back", friend, thing, hero)
    feel(t, hero, "surprised", "happy")
    thanks(t, hero, friend, 0.6)
    t.lesson = dice.pick(("asking", "care"))


def mended_in_secret(t: Teller) -> None:
    """A friend's dear thing falls apart, and the hero mends it overnight."""
    dice, hero = t.dice, t.hero
    friend = companion(t)
    thing = t.new_thing("toys", "made", "clothes", "flying")
    t.tell("owns", friend, thing)
    t.tell("wear_out", thing)
    t.tell("sad_broken", friend, thing)
    if dice.chance(0.5):
        t.tell("comfort", hero, friend)
    feel(t, hero, "think", "idea")
    if dice.chance(0.5):
        t.tell("ask_for", hero, thing, friend)
        t.tell("agree", friend, hero)
    t.tell("lend", friend, thing, hero)
    t.tell("leave", friend, hero)
    t.paragraph(0.5)
    home(t)
    menders = hero
    if dice.chance(0.5):
        other = elder(t)
        join(t, other)
        t.tell("tell_broken", hero, other, thing)
        t.tell("offer", other, hero)
        menders = (hero[0], other)
    t.tell("mend", menders, thing)
    next_morning(t)
    t.tell("arrive", friend, hero)
    if dice.chance(0.5):
        t.tell("surprise", hero, friend)
    t.tell("give_back", hero, thing, friend)
    t.tell("happy_have", friend, thing)
    thanks(t, friend, hero, 0.9)
    t.lesson = dice.pick(("care", "friendship", "helping"))


def teach_friend(t: Teller) -> None:
    """What the hero can do well, a friend wants to learn, and it takes patience."""
    dice, hero = t.dice, t.hero
    skill = t.activity(t.words.skills)
    if skill.base not in hero[0].can:
        t.tell("loves", hero, skill)
    friend = set_out_with(t, "water" if skill.where == "water" else "outside")
    t.tell("play", hero, skill)
    t.tell("want_do", friend, skill)
    if dice.chance(0.5):
        t.tell("try_do", friend, skill)
        feel(t, friend, "fall", "sad", "angry")
    impatient = dice.chance(0.4)
    if impatient:
        t.tell("tease", hero, friend)
        feel(t, friend, "sad", "angry")
        feel(t, hero, "guilty", "think")
        apology(t, hero, friend)
    t.paragraph(0.4)
    t.tell("offer", hero, friend)
    t.tell("teach", hero, friend, skill)
    for _ in range(dice.pick((1, 1, 2))):
        t.tell("practice", friend, skill)
    t.tell("manage", friend, skill)
    feel(t, friend, "proud", "happy", "excited")
    t.tell("praise", hero, friend)
    thanks(t, friend, hero, 0.8)
    t.tell("play", (hero[0], friend), skill)
    t.lesson = "pride" if impatient else dice.pick(("patience", "practice"))


def stage_fright(t: Teller) -> None:
    """Somebody is to do before others what was fun alone, and is afraid."""
    dice, hero = t.dice, t.hero
    skill = t.activity()
    if skill.base not in hero[0].can:
        t.tell("loves", hero, skill)
    t.tell("practice", hero, skill)
    if dice.chance(0.5):
        next_morning(t)
    set_out(t, "play", "shop")
    watchers = (companion(t), elder(t))
    join(t, watchers[1])
    feel(t, watchers, "excited", "wait", probability=0.6)
    feel(t, hero, "scared")
    t.paragraph(0.4)
    if dice.chance(0.7):
        other = dice.pick(watchers)
        told_why(t, other)
        t.tell("comfort", other, hero)
    t.tell("brave", hero)
    feel(t, hero, "fall", probability=0.25)
    t.tell("play", hero, skill)
    t.tell("praise", watchers, hero)
    feel(t, hero, "proud", "happy")
    t.lesson = "courage"


PLOTS = (
    lost_thing, lost_thing, stuck_high, not_sharing, broken, learn, learn, new_friend, lost_way, hungry_stranger, surprise, took_it,
    grabbed, race, rainy_day, trade, noise_in_the_dark, baking, seed, sick_friend, earning, stuck_animal, wish, found_treasure, bedtime,
    hide_and_seek, unwanted_gift, both_want, small_jobs, proud_one, passed_on, picnic, shy_one, smallest, never_noticed,
    mended_in_secret, teach_friend, stage_fright,
)  # fmt: skip
CAN_END_BADLY = (lost_thing, not_sharing, broken, learn, new_friend, took_it, grabbed, race, earning, both_want, proud_one)
