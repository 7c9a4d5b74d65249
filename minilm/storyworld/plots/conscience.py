"""Plots about right and wrong: keeping, taking, breaking, and making good."""

from minilm.storyworld.plots.pieces import (
    apology,
    belonging,
    companion,
    elder,
    feel,
    fun,
    get_food,
    give_treat,
    hidden_away,
    home,
    join,
    lonely_end,
    mend_and_return,
    next_morning,
    play_together,
    search,
    set_out_with,
    stranger,
    thanks,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import Person, Thing


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
