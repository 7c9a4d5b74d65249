"""Plots about trouble and help: lost, stuck, hungry, afraid of the dark."""

from minilm.storyworld.plots.pieces import (
    BELONGINGS,
    apology,
    belonging,
    companion,
    dish,
    elder,
    feel,
    get_food,
    give_treat,
    home,
    join,
    look_around,
    next_morning,
    play_together,
    set_out,
    spot_for,
    stranger,
    thanks,
    told_why,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import Person

DIM_PLACES = ("attic", "cellar", "garage", "garden", "backyard", "porch", "barn", "tool_shed")


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
