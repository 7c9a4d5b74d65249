"""Plots about friends: finding, surprising, visiting, playing."""

from minilm.storyworld.lexicon import Activity
from minilm.storyworld.plots.pieces import (
    GROWN_FOODS,
    activity_called,
    companion,
    dish,
    elder,
    feel,
    fitting_thing,
    fun,
    get_food,
    give_treat,
    hidden_away,
    home,
    join,
    lonely_end,
    next_morning,
    play_together,
    propose,
    set_out,
    set_out_with,
    spot_for,
    stranger,
    thanks,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import HOME, Person, Thing


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
