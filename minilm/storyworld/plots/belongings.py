"""Plots about things that one has: lost, found, stuck, put away."""

from minilm.storyworld.plots.pieces import (
    BELONGINGS,
    belonging,
    companion,
    elder,
    feel,
    fun,
    give_treat,
    helper,
    home,
    join,
    lost_at_play,
    next_morning,
    play_together,
    search,
    seek,
    set_out,
    spot_for,
    stranger,
    thanks,
    thief_is_sorry,
    told_why,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import Person, Thing


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
