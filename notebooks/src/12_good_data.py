# %% [markdown]
# # 12 · Does good data overthrow Goliath?
#
# The article behind this course says so: a small model on good text beats a giant on poor text. Its witnesses are Chinchilla, LLaMA and TinyStories, and you have met all three. But none of them held the contest. Chinchilla changed size and amount; that quality matters too is a sentence in its discussion, not a result. LLaMA did likewise. TinyStories changed size, amount, subject and quality all at once. In this chapter we change one thing at a time, with models that can be trained here and with text whose faults we planted ourselves.
#
# By the end you will
#
# - have taken a contest apart into what the text did and what size did;
# - have trained four small models, and read the record of some eighty larger ones, with intervals;
# - know which faults of a text hurt a model, and which hardly do;
# - have seen "better text" turn into "text more like the exam";
# - have guessed blind who wrote a story, and know how sure your score is.
#
# **Time:** about 95 minutes, 60 of them for the exercises. **You need:** chapter 01 for faults, chapter 09 for items and intervals, chapter 10 for why equal operations are not equal tokens.

# %%
import json
import math
from itertools import islice, product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from IPython.display import display

from minilm import plots, widgets
from minilm.config import DATA
from minilm.course import check, quiz
from minilm.data import encode_stories
from minilm.evaluate import accuracy, mean_difference
from minilm.good_data import BUDGETS, DOSES, KINDS, POOR, SHAPES, by_cell, contest, measures
from minilm.model import Transformer
from minilm.storyworld import grade, labeled_stories, stories
from minilm.sweep import cost, shape, train_config
from minilm.tokenizer import train_tokenizer
from minilm.train import Training, train
from minilm.trials import read_table

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)

# %% [markdown]
# ## What would settle it?
#
# **David** is small and reads good text. **Goliath** is nine times larger and reads poor text. Let them be equal, and compare. But equal in what, in operations or in tokens?

# %% tags=["walkthrough"]
plots.show_table([{"model": name, "parameters": f"{Transformer(config).n_params:,}",
                   "operations for each token": f"{cost(config):,}"} for name, config in SHAPES.items()])

# %% exercise="12.1"

# %% [markdown]
# There is a worse trouble. David and Goliath differ in two things, so whoever wins, we shall not know by which. There must be two more models: a small one on the poor text, and a large one on the good. Four **corners**, all judged by the same good stories that none has read.
#
# ## Poor text
#
# "Poor" must mean something that can be planted. Storyworld can spoil its stories in seven ways, and knows what it did. Here is the beginning of one of each:

# %% tags=["walkthrough"]
fault_names = {"": "none", "duplicate": "copies", "near_duplicate": "near copies",
               "shuffled_sentences": "shuffled sentences", "shuffled_words": "shuffled words",
               "contradiction": "contradictions", "narrow_vocabulary": "few words",
               "low_diversity": "few plots"}
found = {}
for text, kind in labeled_stories("a look at it", POOR):
    found.setdefault(kind, text)
    if len(found) == 8:
        break


def complaint(text):
    """What the reader of storyworld says against a story, first things first."""
    seen = grade(text)
    if seen.unparsed:
        return f"understands {1 - len(seen.unparsed) / len(seen.sentences):.0%} of its sentences"
    return seen.faults[0][1].reason if seen.faults else "nothing"


plots.show_table([{"fault": name, "begins": " ".join(found[kind].split())[:120] + " …",
                   "the reader says": complaint(found[kind])} for kind, name in fault_names.items()])

# %% [markdown]
# They fall into two groups. Shuffled words, shuffled sentences and contradictions spoil a *story*; whoever reads it sees it. Copies, near copies (further on this one lacks a sentence, or somebody has another name), few words and few plots spoil a *text*, of which every story is sound. Our poor text has all seven in equal parts, and one sound story in ten.
#
# ## A small contest, here and now
#
# We begin with what one core can do in half a minute: models of 40 thousand and of 382 thousand parameters, $10^{11}$ operations each. **Predict:** order the four corners from the fewest bits to the most. Is it text or size that counts?

# %% tags=["walkthrough"]
texts = {"good": list(islice(stories("live"), 1200)), "poor": list(islice(stories("live", POOR), 1200))}
tokenizer = train_tokenizer(iter(texts["good"][:400]), 512)
ids = {name: encode_stories(told, tokenizer) for name, told in texts.items()}
unseen = encode_stories(islice(stories("held back"), 40), tokenizer)
live_shapes = {"small": shape(32, 2, 512, 128), "large": shape(96, 3, 512, 128)}


def bits_after_training(model_shape, text, flops=1e11, seed=0):
    """Bits per byte of good stories that a new model has not read, after training on a text."""
    config = train_config(model_shape, flops, seed, 2.0, about=150)
    training = Training(Transformer(model_shape, seed=seed), config, ids[text])
    with TemporaryDirectory() as folder:
        return train(training, unseen, tokenizer, Path(folder))["valid_bits_per_byte"]


# %% tags=["walkthrough"]
live = {(size, text): bits_after_training(live_shapes[size], text)
        for size in live_shapes for text in texts}
plots.show_table([{"bits per byte": size, **{text: f"{live[size, text]:.3f}" for text in texts}}
                  for size in live_shapes])

# %% [markdown]
# Did you expect that? The large model loses on either text. It got the same operations, but each of its tokens costs nine times as much, so it has hardly begun to read. Now take the contest apart.

# %% exercise="12.2"

# %% tags=["walkthrough"]
corners = [live[size, text] for size in ("small", "large") for text in ("good", "poor")]
whole, by_text, by_size = split(*corners)
print(f"David less Goliath {whole:+.3f} bits: {by_text:+.3f} by text, {by_size:+.3f} by size")
assert whole < 0 and by_size < 1.5 * by_text < 0

# %% [markdown]
# David wins, and the headline could be printed. But nearly three quarters of his lead have nothing to do with good data: he had time to read. **An experiment with the two famous corners alone would have credited the text with all of it.**
#
# ## The record
#
# Half a minute is not much. `minilm experiment good-data` did the same with 217 thousand and 2.02 million parameters, fifty to four hundred times the operations, three seeds, and enough text that no story is read twice, but for planted copies. The largest budget is eight times the smallest, so with it the large model reads as many tokens as the small one did with the smallest.

# %% tags=["walkthrough"]
cells = by_cell(read_table("good_data"))
curves = {}
for model, text in product(SHAPES, ("good", "poor")):
    for x in ("flops", "n_tokens"):
        points = []
        for flops in BUDGETS:
            runs = cells[model, text, flops]
            assert len(runs) == 3
            bits = [measures(run)["bits per byte"] for run in runs]
            points.append((float(runs[0][x]), np.mean(bits), min(bits), max(bits)))
        curves.setdefault(x, {})[f"{model}, {text} text"] = points

# %% tags=["walkthrough"]
fig, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
plots.with_ranges(axes[0], curves["flops"], "operations", "bits per byte of good stories", pairs=True)
plots.with_ranges(axes[1], curves["n_tokens"], "tokens read", "", pairs=True)
axes[0].set_xticks(BUDGETS)
axes[1].set_xticks([3e5, 1e6, 3e6, 1e7])
axes[1].get_legend().remove()
axes[0].set_title("Equal operations: a lead that melts", loc="left")
axes[1].set_title("Equal tokens: the large ones lead", loc="left")
plots.show(fig, alt="Bits per byte of the four corners, over operations and over tokens read. Left: "
                    "over operations the small models lead by half a bit with the smallest budget, "
                    "and the large ones have caught up with the largest. Right: over tokens both "
                    "large models lie far below both small ones.")

# %% [markdown]
# *Figure 1. Means over three seeds, bars from the least to the most. T is for trillion, $10^{12}$. Both panels show the same trainings.*
#
# The left panel first. With the smallest budget the small models lead by half a bit, whatever they read: the large ones have seen 330 thousand tokens, and have hardly begun. Then the lead melts. With the largest budget the large model on good text has passed the small one, 0.61 bits against 0.67, and on poor text they are even. Now the right panel. At 2.65 million tokens, which both sizes have read, both large models are far ahead of both small ones, the large one on *poor* text included: 0.75 bits against 1.09. It has had eight times the operations for that.
#
# And the text? It is the distance between the two lines of a size. With both sizes and each budget good text is better, by 0.07 to 0.17 bits. That is less than what size does with the smallest budget, and more than what it does with the largest.
#
# ### Taken apart
#
# Your `split` works for each seed: runs of one seed read in the same order, and those of one size begin with the same weights. So there are three splits for a budget, and they will disagree a little. How many seeds would it take to be sure?

# %% exercise="12.3"

# %% tags=["walkthrough"]
def parts(small_flops, large_flops):
    """The contest and its two parts, in bits: mean and half of the 95 % interval, seed by seed."""
    names = [("small", "good", small_flops), ("small", "poor", small_flops),
             ("large", "good", large_flops), ("large", "poor", large_flops)]
    seeds = zip(*([measures(run)["bits per byte"] for run in cells[name]] for name in names))
    columns = zip(*(split(*four) for four in seeds))
    return [mean_difference(column, [0] * len(column)) for column in columns]


contests = {f"both {plots.short(flops)}": (flops, flops) for flops in BUDGETS}
contests["equal tokens"] = BUDGETS[0], BUDGETS[-1]
effects = {f"{name}: {part}": effect for name, budgets in contests.items()
           for part, effect in zip(("David less Goliath", "by text", "by size"), parts(*budgets))}
fig, ax = plt.subplots(figsize=(8, 5.6))
plots.differences(ax, effects, "bits per byte; to the left is good for David")
ax.set_title("At first most of David's lead is his size", loc="left")
plots.show(fig, alt="What David has less than Goliath, and its parts. With 5T operations four fifths "
                    "are by size, with 14T two thirds; with 40T size is a little for Goliath. With "
                    "equal tokens Goliath leads by his size.")
assert [round(middle, 2) for middle, _ in effects.values()] == [
    -0.67, -0.14, -0.53, -0.42, -0.14, -0.28, -0.08, -0.11, 0.03, 0.34, -0.16, 0.5]
for name, (middle, half) in effects.items():
    if "40T" in name:
        print(f"{name} {middle:+.3f} ± {half:.3f}")
        assert half < 0.015

# %% [markdown]
# *Figure 2. What David has less or more than Goliath, and the two parts that add up to it. Intervals of 95 % from three seeds.*
#
# With equal operations David wins every time. But see who wins it for him. With the smallest budget the text gives him 0.14 bits and his size 0.53, with the next 0.14 and 0.28: most of his victory has nothing to do with the text. (The two views of a part need not agree: at first the text is worth 0.17 to the small model and 0.10 to the large. The mean is a fair way to share, no more.)
#
# With the largest budget size has changed sides, if only just: 0.06 bits for Goliath on good text, none on poor, 0.03 ± 0.01 on the mean. David's lead, 0.08 ± 0.01, is then the work of the text. That is what the article promises, and three seeds agree: **a giant who would have been ahead, had both read the same good text, is behind because his was poor.**
#
# With equal tokens everything is reversed: size is worth 0.50 bits to Goliath, and the 0.16 by text cannot make up for it. So whether good data overthrows Goliath depends on what you hold equal, and on how far you go.
#
# ## Where Goliath catches up
#
# With every further operation Goliath reads more, and David has little more to learn. Somewhere they must be even.

# %% exercise="12.4"

# %% tags=["walkthrough"]
def mean_bits(model, text, flops):
    """Bits per byte, the mean over seeds."""
    return np.mean([measures(run)["bits per byte"] for run in cells[model, text, flops]])


def lead(text, small_flops=None):
    """David less a Goliath who reads `text`, for each budget; David has as much, or `small_flops`."""
    return [mean_bits("small", "good", small_flops or flops) - mean_bits("large", text, flops)
            for flops in BUDGETS]


even = {text: (where_even(BUDGETS, lead(text, BUDGETS[0])), where_even(BUDGETS, lead(text)))
        for text in ("poor", "good")}
for text, (later, equal_operations) in even.items():
    print(f"Goliath on {text} text is even with a David of {plots.short(BUDGETS[0])} operations at "
          f"{plots.short(later)}, {later / BUDGETS[0]:.1f} times as many;")
    print("    when both spend the same, "
          + (f"at {plots.short(equal_operations)}" if equal_operations else "not in what was trained"))
*early, last = lead("good")
ahead = contest(cells["small", "good", BUDGETS[-1]], cells["large", "good", BUDGETS[-1]])
*_, half = ahead["bits per byte"]
off = [plots.short(where_even(BUDGETS, [*early, last + error])) for error in (half, -half)]
print(f"both on good text, {plots.short(BUDGETS[-1])}: David less Goliath {last:+.3f} ± {half:.3f}; "
      "at the ends even at", " and ".join(off))
assert even["poor"][0] > 1.2 * even["good"][0] and even["good"][1] > BUDGETS[1] and not even["poor"][1]

# %% [markdown]
# Here is that David, and a Goliath who spends four times as much. In JupyterLab, let him spend less or more, and give him the good text.

# %% tags=["walkthrough"]
def draw_goliath(ax, times, text):
    """David at his smallest budget, Goliath's curve, and a mark where Goliath spends `times` as much."""
    david = mean_bits("small", "good", BUDGETS[0])
    curve = [mean_bits("large", text, flops) for flops in BUDGETS]
    spent = times * BUDGETS[0]
    bits = np.interp(math.log(spent), np.log(BUDGETS), curve)
    ax.clear()
    ax.axhline(david, color=plots.COLOURS[0], label="David, good text, 5T operations")
    ax.plot(BUDGETS, curve, "s-", color=plots.COLOURS[1], label=f"Goliath, {text} text")
    ax.plot([spent], [bits], "ko", markersize=13, markerfacecolor="none", label="Goliath now")
    ax.set(xscale="log", xlabel="operations of Goliath", ylabel="bits per byte of good stories")
    ax.set_xticks(BUDGETS, map(plots.short, BUDGETS))
    ax.minorticks_off()
    ax.legend()
    return david - bits


fig, ax = plt.subplots(figsize=(8, 4.2))
draw_goliath(ax, 4, "poor")
ax.set_title("Goliath on poor text must spend about four times as much", loc="left")
plots.show(fig, alt="Bits per byte of Goliath on poor text over his operations, and the level of "
                    "David. They meet at four times David's operations.")

# %%
live_fig, live_ax = plt.subplots(figsize=(8, 4.2))


def redraw(times, text):
    """Give Goliath another budget and another text."""
    ahead = draw_goliath(live_ax, times, text)
    says = f"{'David' if ahead < 0 else 'Goliath'} is ahead by {abs(ahead):.2f} bits"
    live_ax.set_title("They are even" if abs(ahead) < 0.005 else says, loc="left")
    read = times * BUDGETS[0] / cost(SHAPES["large"]) / 1e6
    return (f"With {times:.1f} times the operations Goliath reads {read:.2f} million tokens "
            f"of {text} text, David 2.65 million of good text.")


redraw(4.0, "poor")
slider = ipywidgets.FloatLogSlider(value=4, base=8, min=0, max=1, step=0.02,
                                   description="times David's", style=widgets.WIDE)
choice = ipywidgets.Dropdown(options=["poor", "good"], description="reads")
display(widgets.live_figure(live_fig, redraw, times=slider, text=choice))

# %% [markdown]
# *Figure 3. Straight lines between three budgets, on a logarithmic axis.*
#
# On poor text Goliath is even with this David when he spends about four times as many operations; on good text not quite three times would do. So good text is worth money: on poor text the giant pays two fifths more. When both spend the same, a Goliath on good text passes David at about 32 trillion operations (31 to 34, at the ends of the interval), and on poor text not within what we trained. Where he does, only a forecast could say (chapter 10).
#
# ## Do the other instruments agree?
#
# Bits per byte count every token alike. Chapter 09 built others: items about who did what, and a reader that says whether a whole story is sound. **Predict:** with the largest budget, on which of these will the four corners differ most?

# %% tags=["walkthrough"]
kinds_of_item = {"facts": 0.5, "context": 0.5, "reasoning": 0.5, "cloze": 0.25}
shares = {}
for model, text in product(SHAPES, ("good", "poor")):
    runs = [measures(run) for run in cells[model, text, BUDGETS[-1]]]
    shares[f"{model}, {text} text"] = {
        kind: (np.mean(found), min(found), max(found))
        for kind in (*kinds_of_item, "readable sentences") for found in [[run[kind] for run in runs]]}
fig, ax = plt.subplots(figsize=(9, 4.2))
plots.shares_in_rows(ax, shares, kinds_of_item, pairs=True)
ax.set_title("Poor text makes a small model more readable", loc="left")
plots.show(fig, alt="Right answers of the four corners to four kinds of item, and their shares of "
                    "readable sentences. Facts, context and reasoning lie at the level of guessing "
                    "for all but one. Cloze lies far above it. Readable sentences: of the small models "
                    "that of poor text has more; of the large ones the ranges overlap.")

# %% tags=["walkthrough"]
whole, by_text, by_size = split(*(100 * shares[f"{size}, {text} text"]["readable sentences"][0]
                                  for size in SHAPES for text in ("good", "poor")))
print(f"readable sentences: David less Goliath {whole:.0f} points, "
      f"{by_text:.0f} by text, {by_size:.0f} by size")
for size in SHAPES:
    gained = contest(*(cells[size, text, BUDGETS[-1]] for text in ("good", "poor")))
    print(f"{size}, good less poor:", {kind: f"{100 * middle:.0f} ± {100 * half:.0f}"
                                       for kind, (middle, half) in gained.items()
                                       if kind in ("cloze", "reasoning", "readable sentences")})
for text in ("good", "poor"):
    told = [measures(run)["readable sentences"] for run in cells["large", text, BUDGETS[-1]]]
    print(f"readable, large on {text} text, by seeds:", [f"{share:.0%}" for share in told])
assert all(0.43 < found[kind][0] < 0.57 for name, found in shares.items()
           for kind in ("facts", "context", "reasoning")
           if (name, kind) != ("large, good text", "reasoning"))
assert shares["large, good text"]["reasoning"][1] > 0.57
good, poor = ([shares[f"{size}, {text} text"]["readable sentences"] for size in SHAPES]
              for text in ("good", "poor"))
assert good[0][2] < poor[0][1] and poor[1][1] < good[1][1] < good[1][2] < poor[1][2]
assert not any(measures(run)["perfect stories"] for name in cells if name[2] == BUDGETS[-1]
               for run in cells[name])

# %% [markdown]
# *Figure 4. The corners with the largest budget, three seeds: 200 items of each kind (3 to 10 of them stand in the training text too), and 100 stories that each model wrote.*
#
# Facts and context stay where guessing is: of 20 blind guessers of 200 items 19 score between 43 and 57 %. So does reasoning, on the mean, but for the large model on good text, with 58 to 61 %; chapter 09's model, at 0.34 bits, could do more. *Cloze* is well above guessing: 70 % for the large model on good text, 62 on poor, 8 ± 4 points apart; for the small ones three seeds cannot tell.
#
# *Readable sentences* differ most, and put the small models in another order: the one that read **poor** text writes more sentences that the reader of storyworld understands, 32 against 23 %. Why? Figure 5 will tell. Of the large ones the first seed said the same, 41 against 36 %, and we had believed it; the second said 25 against 33. Not one story of the 1,200 is without a fault.
#
# An instrument that praises poor text is not wrong: it measures what it measures. But had we reported this alone, and small models, poor data would have won.
#
# ## Which fault hurts?
#
# "Poor" was a mixture of seven. The small model also read each kind alone, in two doses: in three stories of ten, and in nine of ten. **Predict** before you look: which fault costs the most bits, and which costs nothing?

# %% tags=["walkthrough"]
sound = cells["small", "good", BUDGETS[0]]
costs = {dose: {kind: contest(cells["small", f"{kind}-{dose:g}", BUDGETS[0]], sound)["bits per byte"]
                for kind in KINDS} for dose in DOSES}
ordered = sorted(KINDS, key=lambda kind: -costs[0.9][kind][0])
harm = {f"{fault_names[kind]}, {dose:.0%}": costs[dose][kind] for dose in (0.9, 0.3) for kind in ordered}
fig, ax = plt.subplots(figsize=(8, 6.2))
plots.differences(ax, harm, "bits per byte more than on good text")
ax.set_title("Copies and word salad cost bits, contradictions hardly", loc="left")
plots.show(fig, alt="Bits per byte more than on good text, for seven faults in two doses. In nine "
                    "stories of ten shuffled words, copies, few plots, near copies and few words cost"
                    " 0.3 to 0.6 bits, shuffled sentences and contradictions little. In three of ten "
                    "all cost little.")
readable = {text: np.mean([measures(run)["readable sentences"] for run in cells["small", text, 5e12]])
            for text in ("good", "narrow_vocabulary-0.9", "low_diversity-0.9")}
print("readable sentences:", {text: f"{share:.0%}" for text, share in readable.items()})
harmless = {kind for kind in KINDS if costs[0.9][kind][0] < 0.25}
assert harmless == {"shuffled_sentences", "contradiction"} and readable["low_diversity-0.9"] > 0.6
assert all(abs(middle) < half for middle, half in costs[0.3].values())

# %% [markdown]
# *Figure 5. Judged by good stories, $5 \cdot 10^{12}$ operations, three seeds each.*
#
# Begin with nine stories in ten. Shuffled words cost most, more than half a bit: of such text little but the words themselves can be learned. Then come four faults of which no single story shows a sign. Copies, few plots, near copies and few words cost 0.3 to 0.5 bits. (Few plots also solve the riddle of figure 4: who reads few plots soon has their sentences by heart, and writes them again. Few words alone do not do it: look at the line above.)
#
# The two faults that every reader would mark first, shuffled sentences and contradictions, cost nothing that three seeds could tell from luck, 0.03 and -0.01. Think of what the model is asked: the next token, which the last few words decide more often than the plot. Those words are in order in such stories too.
#
# In three stories of ten no fault costs so much that three seeds could tell it from luck: 0.17 bits on the mean for shuffled words, 0.08 and less for all others. Is there a rule behind all this? Perhaps a text is worth what it has of **new and well-formed sentences**, a tenth of it in the worst cases, seven tenths in the mild ones. What should that cost? Go along David's line in figure 1, from few tokens to more:

# %%
few, more = (mean_bits("small", "good", flops) for flops in BUDGETS[:2])
slope = (few - more) / math.log(BUDGETS[1] / BUDGETS[0])  # bits, for tokens e times as many
for share in (0.1, 0.7):
    print(f"{share:.0%} of the tokens should cost {-slope * math.log(share):.2f} bits")
lost = contest(cells["small", "poor", BUDGETS[0]], sound)["bits per byte"][0]
print(f"poor text costs {lost:.2f}, as {math.exp(-lost / slope):.0%} of the tokens would")
print(f"to see {-slope * math.log(0.7):.2f} with seeds that scatter by 0.05 takes "
      f"{seeds_needed(slope * math.log(0.7), 0.05)} of them")
assert 0.4 < -slope * math.log(0.1) < 0.6

# %% [markdown]
# The rule says half a bit for a tenth (found: 0.3 to 0.6), and for seven tenths less than three seeds can show. And it fits the poor text, which teaches as much as somewhat less than half as many good tokens: the third of it that does no harm (sound stories, the two mild faults) and a part of the rest. (Drawing the line on to a tenth is a forecast.) Copies are chapter 08's repetition, come in by the back door. Quality or amount? Both: we call a text poor if equal tokens of it teach less. Whoever cleans text by throwing out stories whose plot makes no sense would have gained little here; whoever throws out copies, much.
#
# ## A fair question
#
# Planted faults make it easy to change one thing. Elsewhere many a test of *quality* tests something else.

# %% exercise="12.5"

# %% [markdown]
# ## Real text
#
# Nobody planted the faults of real text, and nobody knows them all. But we can ask a smaller question properly: is text written for children better than text from the web? Three texts of equal length: TinyStories, pages of OpenWebText, and half of each. Both models read each, and every model is judged by everything: the held-out part of each text, an encyclopedia that none has read (WikiText), and our storyworld. Operations are equal, so the small model reads its 4.5 megabytes one and a half times, and the large one a fifth of them. One seed.

# %% tags=["walkthrough"]
domains = by_cell(read_table("domains"))
names = {"stories": "children's stories", "web": "web pages", "half": "half of each"}
exams = {"stories": "children's stories", "web": "web pages", "wikitext2_test": "encyclopedia",
         "storyworld": "storyworld"}
matrix = {model: {} for model in SHAPES}
for (model, text, _), runs in domains.items():
    matrix[model][text] = {exam: np.mean([measures(run)[exam] for run in runs]) for exam in exams}
plots.show_table([{"model": model, "has read": names[text],
                   **{f"judged by {exams[exam]}": f"{bits:.2f}" for exam, bits in row.items()}}
                  for model, rows in matrix.items() for text, row in rows.items()])

# %% exercise="12.6"

# %%
print({model: better_text(rows) or "no text is better for all" for model, rows in matrix.items()})
four = [matrix[size][text]["stories"] for size in SHAPES for text in ("stories", "web")]
whole, by_text, by_size = split(*four)
print(f"judged by stories: {whole:+.2f}, by text {by_text:+.2f}, by size {by_size:+.2f}")
david, goliath = matrix["small"]["stories"], matrix["large"]["web"]
assert david["stories"] < goliath["stories"] - 1 and david["web"] > goliath["web"] + 1
assert not any(better_text(rows) for rows in matrix.values())

# %% [markdown]
# Judged by stories, the model of stories is far ahead; judged by web pages or an encyclopedia, that of the web. Half of each is a little behind the best at either home, for it had half as much of that text, and ahead of both in storyworld, which is nobody's home, though nearer to the stories. No text is better for all: *better* has become *like the exam*.
#
# Now hold David against Goliath here. A small model of stories against a large one of web pages, judged by stories: 1.20 bits against 2.46, of which your `split` gives 1.0 to the text. Such a contest made the TinyStories paper famous. Judged by web pages the same two come to 3.89 and 2.64. Neither exam alone measures the quality of a text.
#
# ## Your own eyes
#
# Here are twenty beginnings, each continued by one of two models: David (small, good text) or Goliath (large, poor text), both with the largest budget. David has fewer bits, 0.67 against 0.75. Who wrote which? Your score has an interval, as every score has.

# %%
kept = json.loads((DATA / "runs" / "good_data" / "stories.json").read_text())
writers = {"David": "small_good_4e13_seed0", "Goliath": "large_poor_4e13_seed0"}
order = [*writers] * 10
Random(3).shuffle(order)
shown = [(" ".join(kept[writers[writer]][i].split()[:80]) + " …", writer)
         for i, writer in enumerate(order)]


def summary(guesses):
    """How sure the score so far makes one."""
    score = accuracy(np.array(guesses))
    return (f"{sum(guesses)} of {len(guesses)} right; your true share lies between "
            f"{score.low:.0%} and {score.high:.0%}.")


widgets.show(widgets.blind_test(shown, list(writers), summary),
             f"Story 1 of {len(shown)}: {shown[0][0][:300]} …")

# %% [markdown]
# <details><summary>What gives them away</summary>
#
# Goliath often writes short, plain sentences, and the same ones again ("He had an idea!"). David tries more, and fails more often. Which of them writes *better*? Bits say David; whoever likes sentences that can be understood says Goliath. But do not put it all down to the text: of the 11 points that lie between their readable sentences, over the seeds, `split` gives 4 to the text and 7 to the size.
# </details>
#
# ## Does it, then?
#
# | equal | operations of David, of Goliath | ahead | by size | by text |
# |---|---|---|---|---|
# | operations | 5T, 5T | David, 0.67 bits | 0.53 for David | 0.14 for David |
# | operations | 14T, 14T | David, 0.42 | 0.28 for David | 0.14 for David |
# | operations | 40T, 40T | David, 0.08 | 0.03 for Goliath | 0.11 for David |
# | tokens | 5T, 40T | Goliath, 0.34 | 0.50 for Goliath | 0.16 for David |
#
# Good data overthrew Goliath, under conditions. Both must spend the same: with equal tokens Goliath won. With few operations David wins mostly because he is small, which is Chinchilla's discovery and not a matter of quality. Only near the budget where his size no longer helps him did good text keep him ahead. The article's witnesses fall into the same places. Chinchilla beat Gopher on text of the same collection, and LLaMA-13B beat GPT-3 with more tokens: that is balance. TinyStories' dwarfs wrote better stories than models of the web: that is likeness to the exam. Each is true, and none is about the quality of a text alone.
#
# For a text of your own: throw out copies first. Name your exam before you filter. And count tokens before you add parameters.
#
# ## What this does not show
#
# - **Anything about large models.** Ours have two million parameters at most. Whether a billion shrug off poor text, no table here can say.
# - **Anything about faults that nobody planted.** Ours are crude, and one to a story. Text of the web is bad in ways that have no name.
# - **Anything about knowledge.** Storyworld has no facts of the world to learn. The filters that made models better at exams (phi, FineWeb-Edu) were chosen *for* exams.
# - **What several readings change.** Good text is scarce, and where there is more text than model, up to four readings are nearly as good as new text (chapter 08). So in practice poor text competes with good text read again.
# - **That simple text is good text.** Lee and Berg-Kirkpatrick (2025) asked whether readable training stories make coherent writers. Readability alone did not predict it; low diversity, the same runs of words again and again, did better. Our models agree, and show the price: few plots made the most readable sentences, and half a bit more on stories of other plots.
#
# ## What we know now
#
# - A contest of two corners is a sum. Only four corners tell what the text did and what size did.
# - *Equal* has at least two meanings, and each is a gift to one side. Do both.
# - Poor text cost 0.07 to 0.17 bits per byte here. Size was worth up to half a bit, for David with few operations and for Goliath with many.
# - In nine stories of ten shuffled words, copies and sameness cost 0.3 to 0.6 bits; contradictions and shuffled sentences little. What counts is how much of a text is new and well formed.
# - Instruments may rank models differently, and one of ours praised the poor text. Choose yours before you look.
# - "Better text" often means "more like the exam". A table of every text against every exam shows it; the exams at home never do.

# %% quiz="12"

# %% [markdown]
# ## Sources
#
# - Rodrigues, *Not-So-Large Language Models: Good Data Overthrows the Goliath*, Towards Data Science, August 2023: the claim.
# - Eldan and Li, *TinyStories*, 2023, arXiv 2305.07759: the dwarfs, and figure 1 of their stories.
# - Hoffmann et al., *Training Compute-Optimal Large Language Models*, 2022, arXiv 2203.15556: quality as a conjecture, section 5.
# - Gunasekar et al., *Textbooks Are All You Need*, 2023, arXiv 2306.11644: phi-1, filtered and synthetic text.
# - Muennighoff et al., *Scaling Data-Constrained Language Models*, 2023, arXiv 2305.16264: repetition.
# - Lee and Berg-Kirkpatrick, 2025, arXiv 2510.13915: readability does not predict coherence.
# - The experiment: `data/runs/good_data/` and `data/runs/domains/`, with their commands; docs/RESULTS.md.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | the table of models | Equal in what? | Which equality favours whom? |
# | 2 | the table of faults | Which of these would a filter find? | A copy is no fault of its story. |
# | 4 | the four live models | Order the corners. | Why does the large one lose? |
# | 7 | the contest taken apart | Who won, text or size? | What would two corners have told? |
# | 9 | figures 1 and 2 | And with more operations? | Operations or tokens? |
# | 12 | figure 3 | When is Goliath even? | Between budgets, or beyond? |
# | 14 | figure 4 | Will items say the same? | Where are they at chance? |
# | 16 | figure 5 | Which fault costs most? | And which of them costs nothing? |
# | 18 | the matrix | Which text is better? | Better for what? |
#
# Homework: 12.3 and 12.5; find an experiment on data quality in a paper you know and say which corners it has.
# </details>
