"""Plots about things that one would like to have, or would rather not: wished for, earned, swapped, passed on."""

from minilm.storyworld.plots.pieces import (
    BELONGINGS,
    belonging,
    companion,
    elder,
    feel,
    fitting_thing,
    give_treat,
    home,
    join,
    next_morning,
    play_together,
    set_out,
    spot_for,
    stranger,
    thanks,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import Person, Thing

WARM_CLOTHES = {"blanket", "cape", "cardigan", "cloak", "coat", "jacket", "jumper", "poncho", "quilt", "raincoat", "shawl", "sweater"}
RESCUE_TOOLS = {"flashlight", "ladder", "lantern", "net", "rake", "rope", "saw", "shovel", "trowel"}


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
