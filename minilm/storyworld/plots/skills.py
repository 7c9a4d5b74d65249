"""Plots about what one can do: learning, boasting, teaching, daring."""

from minilm.storyworld.lexicon import Activity
from minilm.storyworld.plots.pieces import (
    activity_called,
    apology,
    companion,
    elder,
    feel,
    fun,
    helper,
    join,
    lonely_end,
    next_morning,
    play_together,
    propose,
    search,
    set_out,
    set_out_with,
    spot_for,
    stranger,
    thanks,
    told_why,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import Person


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
