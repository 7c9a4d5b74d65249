"""Plots about work: baking, growing, helping at home."""

from minilm.storyworld.plots.pieces import (
    companion,
    dish,
    elder,
    feel,
    fitting_thing,
    fun,
    give_treat,
    helper,
    home,
    join,
    morning,
    next_morning,
    set_out,
    spot_for,
    stranger,
    thanks,
)
from minilm.storyworld.teller import Teller
from minilm.storyworld.world import Person, Thing

KITCHEN_TOOLS = {"cup", "frying pan", "jar", "jug", "kettle", "pot", "spoon", "teapot", "tray"}
GARDENS = ("garden", "vegetable_garden", "backyard")


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
        tool = fitting_thing(t, "tools", KITCHEN_TOOLS.__contains__)
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
