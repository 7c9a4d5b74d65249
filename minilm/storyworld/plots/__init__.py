"""What can happen to somebody small? Each plot is a function that lets events happen, one after the other, with chance in between.

A plot begins when the hero has been introduced and stops before the ending; one that can end badly looks at `t.bad`. The world checks every
step, and all that happens is told: a plot never changes the world behind the reader's back.
"""

from minilm.storyworld.plots.belongings import bedtime, found_treasure, lost_thing, never_noticed, stuck_high
from minilm.storyworld.plots.conscience import both_want, broken, grabbed, mended_in_secret, not_sharing, took_it
from minilm.storyworld.plots.friends import hide_and_seek, new_friend, picnic, rainy_day, shy_one, sick_friend, surprise
from minilm.storyworld.plots.making import baking, seed, small_jobs
from minilm.storyworld.plots.rescues import hungry_stranger, lost_way, noise_in_the_dark, stuck_animal
from minilm.storyworld.plots.skills import learn, proud_one, race, smallest, stage_fright, teach_friend
from minilm.storyworld.plots.wishes import earning, passed_on, trade, unwanted_gift, wish

PLOTS = (
    lost_thing, lost_thing, stuck_high, not_sharing, broken, learn, learn, new_friend, lost_way, hungry_stranger, surprise, took_it,
    grabbed, race, rainy_day, trade, noise_in_the_dark, baking, seed, sick_friend, earning, stuck_animal, wish, found_treasure, bedtime,
    hide_and_seek, unwanted_gift, both_want, small_jobs, proud_one, passed_on, picnic, shy_one, smallest, never_noticed,
    mended_in_secret, teach_friend, stage_fright,
)  # fmt: skip
CAN_END_BADLY = (lost_thing, not_sharing, broken, learn, new_friend, took_it, grabbed, race, earning, both_want, proud_one)
