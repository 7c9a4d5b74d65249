# %% [markdown]
# # 11 · What would you do with this budget?
#
# Chapter 10 found the best split of a training budget. Then, in 2023, LLaMA's authors did something else, and in 2024 the smallest Llama 3 read 1,875 tokens for each parameter where Chinchilla's rule advises twenty. Nobody had forgotten the rule. It answers a question that hardly anybody who trains a model has: how to get the least loss for a given cost of *training*.
#
# By the end you will
#
# - know after how much use a small, long-trained model is the cheaper one, and have found the best size for any amount of use;
# - have asked a law for trainings far longer than those it was fitted to, and seen how wrong it was;
# - be able to say what a training takes in hours, energy and money before it begins, and check what others claim;
# - have found the best size when the text runs out, and know why two answers are on offer;
# - have played with all of this at once.
#
# **Time:** about 85 minutes, 60 of them for the exercises. **You need:** chapter 10 for the law; 08.5 for what a second reading is worth. No model is trained here.

# %%
import csv

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from minilm import plots, widgets
from minilm.config import DATA
from minilm.course import check, quiz
from minilm.explorer import Explorer, fallback
from minilm.scaling import (Hardware, effective_params, effective_tokens, fit_law, inference_optimum,
                            published_laws, read_points, training_flops)  # fmt: skip

plt.rcParams.update(plots.STYLE)
PUBLISHED = DATA / "published"
LAW = published_laws()["Besiroglu et al. 2024"]  # fitted to Chinchilla's points (chapter 10)


def read_table(name):
    """The rows of a published table, each a dictionary."""
    with open(PUBLISHED / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

# %% [markdown]
# ## Use costs too
#
# Training costs $6ND$ operations for $N$ parameters and $D$ tokens. In use (*inference*, in the papers) each token that is read or written costs $2N$: the forward pass, without the backward one. Call such tokens *served*. One of them costs little. But a hundred million people who exchange a thousand tokens a day with a model come to $10^{11}$ tokens a day, and in three days to as many as GPT-3 was trained on.

# %% exercise="11.1"

# %% [markdown]
# Take Chinchilla itself, 70 billion parameters and 1.4 trillion tokens. A model of half the size could have had the same loss with more tokens; the law says how many. ("The law" is here and below that of Besiroglu et al., fitted to Chinchilla's points, as in chapter 10; in the code it is `LAW`.) **Predict:** how many more operations would its training take, and how many tokens served pay them back?

# %% tags=["walkthrough"]
n, d = 70e9, 1.4e12
loss = LAW.loss(n, d)
rows = []
for part in (1, 0.75, 0.5, 0.35, 0.25):
    tokens = float(LAW.tokens_for(loss, part * n))
    more = training_flops(part * n, tokens) / training_flops(n, d)
    pays = "–" if part == 1 else plots.short(break_even(n, d, part * n, tokens))
    rows.append({"parameters": plots.short(part * n), "tokens": plots.short(tokens),
                 "for each parameter": f"{tokens / part / n:.0f}", "training, times": f"{more:.2f}",
                 "break-even, tokens served": pays})
plots.show_table(rows)
assert 1.29 < training_flops(n / 2, float(LAW.tokens_for(loss, n / 2))) / training_flops(n, d) < 1.31
assert abs((LAW.A / (loss - LAW.E)) ** (1 / LAW.alpha) - 10.7e9) < 0.05e9

# %% [markdown]
# Half the size takes 30 % more training, and has paid that back after two and a half trillion tokens served. At 35 % of the size training costs twice as much, at a quarter five times; and below 10.7 billion the loss is out of reach however long one trains, for $E + A/N^\alpha$ alone is larger than the loss that is wanted. (So says the law; no training has shown it. We ask further down how far it may be trusted.)
#
# So how small? That depends on how much the model will be used.

# %% exercise="11.2"

# %% tags=["walkthrough"]
grid = n * np.geomspace(0.14, 4, 200)


def bills(served):
    """Operations of training and use, for each size of the grid, at Chinchilla's loss."""
    return 6 * grid * LAW.tokens_for(loss, grid) + 2 * grid * served


SERVED = (0, 1e12, 1e13, 1e14)
curves = {f"{plots.short(served)} served" if served else "no use": bills(served) for served in SERVED}
fig, ax = plt.subplots(figsize=(8, 4.4))
plots.with_lowest(ax, grid, curves, "parameters", "operations, training and use")
ax.set(yscale="log", ylim=(4e23, 1e26), title="The more it is used, the smaller the best model")
cheapest_of = {served: cheapest(LAW, loss, list(grid), served) for served in SERVED}
told = "; ".join(f"{plots.short(served)} tokens served: best {plots.short(size)} parameters"
                 for served, (size, *_) in cheapest_of.items())
plots.show(fig, alt=f"Operations against parameters for models of one loss. {told}.")
print(told)

# %% [markdown]
# *Figure 1. All models on the curves have Chinchilla's loss, by the law; stars are the cheapest. Both axes are logarithmic.*
#
# With no use the best size is near Chinchilla's own. With a hundred trillion tokens served it is less than a third of it. Move the amount of use yourself:

# %%
live_fig, live_ax = plt.subplots(figsize=(8, 4))


def use(served):
    """Draw the bill of training and of use, for so many tokens in use."""
    live_ax.clear()
    training = bills(0)
    curves = {"training": training, "use": 2 * grid * served, "both": training + 2 * grid * served}
    for (name, values), colour in zip(curves.items(), plots.COLOURS):
        live_ax.plot(grid, values, color=colour, label=name)
    plan = inference_optimum(LAW, loss, served)  # like `cheapest`, between the sizes too
    live_ax.plot(plan.n_params, plan.flops, "*", color=plots.GREEN, markersize=14, zorder=4)
    live_ax.set(xscale="log", yscale="log", ylim=(1e22, 1e26), xlabel="parameters", ylabel="operations",
                title=f"{plots.short(served)} served: best with {plots.short(plan.n_params)} parameters")
    live_ax.legend(loc="lower right")
    share = 2 * plan.n_params * served / plan.flops
    return (f"The cheapest model has {plots.short(plan.n_params)} parameters and reads "
            f"{plots.short(plan.n_tokens)} tokens in training; {share:.0%} of its bill is for use.")


use(1e12)
slider = ipywidgets.FloatLogSlider(value=1e12, min=10, max=15, step=0.25, description="served",
                                   readout_format=".1e")
display(widgets.live_figure(live_fig, use, served=slider))

# %% [markdown]
# ## What LLaMA did, and Llama 3
#
# That was the argument of LLaMA's authors in their introduction: for a wanted quality the model to prefer is not the fastest to train but the fastest in use. They trained 7 billion parameters on a trillion tokens, and noted that the model was still improving. A model that reaches its loss with the least training is called *compute-optimal*; one that does so with the least of training and use together, *inference-optimal*.

# %% exercise="11.3"

# %% tags=["walkthrough"]
sizes = {row["model"]: row for row in read_table("model_sizes_tokens")}
budgets = np.geomspace(1e21, 1e26, 20_001)
losses = LAW.loss(*LAW.optimum(budgets))
rows = []
for name in ("Chinchilla", "LLaMA-65B", "LLaMA-13B", "LLaMA-7B", "Llama 3 70B", "Llama 3 8B"):
    n_model, d_model = float(sizes[name]["parameters"]), float(sizes[name]["training_tokens"])
    flops = budgets[np.argmax(losses <= LAW.loss(n_model, d_model))]  # of the best that is as good
    size, tokens = LAW.optimum(flops)
    after = break_even(size, tokens, n_model, d_model) if n_model < 0.9 * size else 0
    rows.append({"model": name, "tokens for each parameter": f"{d_model / n_model:,.0f}",
                 "optimum of its loss": plots.short(size),
                 "that one's training": f"{flops / training_flops(n_model, d_model):.0%}",
                 "break-even, tokens served": plots.short(after) if after else "–"})
plots.show_table(rows)

# %% [markdown]
# Read the last row: by the law a model of 34 billion would have been as good as Llama 3 8B, for 18 % of the training; and yet, after eleven trillion tokens served, the small one has the lower bill. In the first two rows there is nothing to pay back: LLaMA-65B, like Chinchilla, lies about where the law puts it. (The law was fitted to one laboratory's text and tokens, and these models read others. So read the table for its proportions; the law does not know their true losses.) Compute-optimal and inference-optimal are two answers to two questions.
#
# But is 8 billion the answer to the second one?

# %%
wanted = LAW.loss(8e9, 15e12)
for served in (1.14e13, 1.9e14):
    plan = inference_optimum(LAW, wanted, served)
    print(f"{plots.short(served)} served: cheapest with {plots.short(plan.n_params)} parameters, "
          f"{plots.short(plan.n_tokens)} tokens of training")

# %% [markdown]
# After eleven trillion tokens served a model of 13 billion would have been cheaper than either; 8 billion are the cheapest only after 190 trillion. So why 8? The bill leaves things out: a model of 8 billion fits on a card that people own, and answers faster. And perhaps Meta did not trust a law so far outside its points. Should they have?
#
# ## Far outside
#
# The law that you have just asked was fitted to trainings of at most 341 tokens for each parameter, nine in ten of less than a hundred. Does it hold for thousands? Sardana et al. trained 47 models to see, from 10 to 10,000 tokens for each parameter. We fit a law to those of at most 75, and ask it for the others. **Predict:** will the long trainings come out better or worse than it says?

# %% tags=["walkthrough"]
N_c, D_c, _ = read_points(PUBLISHED / "chinchilla_points.csv", drop_highest=5)
runs = read_table("sardana_47_runs")
N, R, D, L = (np.array([float(row[name]) for row in runs]) for name in
              ("parameters", "tokens_per_parameter", "training_tokens", "smoothed_loss_nats_per_token"))
chinchillas = D_c / N_c  # what the law above was fitted to
assert max(chinchillas) < 342 and 0.88 < np.mean(chinchillas < 100) < 0.91
near = R <= 75
short_law = fit_law(N[near], D[near], L[near]).law
off = short_law.loss(N, D) / L - 1

fig, ax = plt.subplots(figsize=(8, 4.4))
for size, colour, marker in zip((151e6, 367e6, 749e6, 2460e6), plots.COLOURS, "osD^"):
    mine = N == size
    ratios = np.geomspace(10, max(R[mine]), 60)
    ax.plot(ratios, short_law.loss(size, ratios * size), color=colour, linewidth=1.5)
    ax.plot(R[mine], L[mine], marker, color=colour, markersize=6, label=plots.short(size))
ax.axvline(75, color=plots.GREY, linestyle=plots.DASHES, linewidth=1)
ax.set(xscale="log", xlabel="tokens for each parameter", ylabel="loss, nats per token",
       title="Long trainings fall short of the law of short ones")
ax.legend(title="parameters")
plots.show(fig, alt=(
    "Measured losses of four sizes against tokens per parameter, and a law fitted to those up to 75. "
    f"Right of 75 the law runs below the measured losses, by up to {-min(off):.0%}."))

# %% [markdown]
# *Figure 2. Marks are trainings by Sardana et al., four of their six sizes (`data/published/sardana_47_runs.csv`), curves the law fitted to all those on the dashed line, at 75, and left of it; the axis of ratios is logarithmic.*

# %%
plots.show_table([
    {"parameters": plots.short(n_size), "tokens for each": f"{ratio:,.0f}",
     "measured": f"{measured:.3f}", "the law says": f"{(1 + wrong) * measured:.3f}",
     "off by": f"{wrong:+.1%}"}
    for n_size, ratio, measured, wrong in zip(N, R, L, off) if ratio > 75 and n_size in (151e6, 367e6)
])
assert max(off[~near]) < 0 and min(off) < -0.15

# %% [markdown]
# The law promises losses that are too low: by 2 to 4 % at 250 tokens for each parameter, where one might still call it chance, and by 17 % at ten thousand, where one cannot. What the long trainings bought is real, for the smallest model went on improving to the end; only less was bought than was promised. So the tables above, if their law errs in the same way, promise too low a loss to small models that read long, and to Llama 3 8B most of all. That is no small matter: where a law is flat, a little of the loss is worth much of the budget. By `LAW` a loss 4 % above Llama 3 8B's takes less than a sixth of the operations.

# %%
needed = {factor: budgets[np.argmax(losses <= factor * wanted)] for factor in (1, 1.04)}
print(f"{needed[1] / needed[1.04]:.1f} times the operations for 4 % of the loss")
assert 6.3 < needed[1] / needed[1.04] < 6.6 and max(off[~near]) < 0 and min(off) < -0.15

# %% [markdown]
# A law sums up what was tried, and no more.
#
# ## Hours, energy, money
#
# Operations become a bill in three steps. A machine does so many a second at best, its *peak*; a training reaches a share of that, a third to a half; and every hour costs energy and money.

# %% exercise="11.4"

# %% tags=["walkthrough"]
A100 = Hardware(peak_flops=312e12, utilisation=0.5, watts=400, overhead=1.1, price_per_hour=2.0)
rows = []
for row in read_table("llama_models"):
    cost = A100.cost(training_flops(float(row["parameters"]), float(row["training_tokens"])))
    rows.append({"model": row["model"], "hours": f"{cost['hours']:,.0f}",
                 "published hours": f"{float(row['gpu_hours_a100_80gb']):,.0f}",
                 "MWh": f"{cost['kwh'] / 1000:.0f}", "published MWh": row["energy_mwh"],
                 "dollars, at 2 an hour": f"{cost['money']:,.0f}"})
    assert 0.85 < cost["hours"] / float(row["gpu_hours_a100_80gb"]) < 1.05
plots.show_table(rows)

# %% [markdown]
# Hours come out within a seventh of what the paper states, from parameters, tokens and one round assumption, for trainings that took from two days to three weeks on some two thousand cards. (The energy is no second check: the paper's is its hours times 0.44 kilowatts, the 400 watts of a card and a tenth more for cooling and the like, `overhead`.) So a stated cost can be checked, and a planned one known before anything is bought. Two dollars an hour are only an example; put in your own price. And none of this includes the trainings that were tried before the one that counted.
#
# And ours? The shipped model of TinyStories took $3.4 \cdot 10^{14}$ operations, at most 67 minutes of two cores. If those draw fifty watts (an assumption, for we had no meter), that is 0.06 kilowatt-hours: as much as boils half a litre of water.
#
# ## Short of text
#
# All this assumes that there is text. Often there is not: in another language, in a narrow field, or for a course that makes do with a sample. Muennighoff et al. (08.5) asked what to do then.

# %% exercise="11.5"

# %% [markdown]
# A budget of $10^{21}$ operations, a month of one H100. **Predict:** with a sixth of the text that the best model would have read, will the best model be larger or smaller? Try to find an argument for each.

# %% tags=["walkthrough"]
flops, sizes_tried, unique = 1e21, np.geomspace(3e8, 3e10, 400), 1e10
readings = flops / 6 / sizes_tried / unique
worth = effective_tokens(unique, readings)
curves = {
    "text in plenty": LAW.loss(sizes_tried, flops / 6 / sizes_tried),
    "10B tokens, repeats worth less": LAW.loss(sizes_tried, worth),
    "and surplus size worth less": LAW.loss(effective_params(sizes_tried, LAW.size_for(unique)), worth),
}
fig, ax = plt.subplots(figsize=(8, 4.4))
plots.with_lowest(ax, sizes_tried, curves, "parameters", "loss, nats per token")
ax.set_title("Which half of a formula counts decides the size")
stars = {name: plots.short(sizes_tried[np.argmin(values)]) for name, values in curves.items()}
told = "; ".join(f"{name}: best {size}" for name, size in stars.items())
plots.show(fig, alt=f"Loss against parameters for one budget. {told}.")
print(told)
for text in (1e11, 1e10, 3e9):
    size, times = limited(LAW, flops, text, list(sizes_tried))
    print(f"{plots.short(text):>4} tokens of text: {plots.short(size)} parameters, {times:.1f} readings")

# %% [markdown]
# *Figure 3. One budget; stars are the best sizes. The axis of parameters is logarithmic.*
#
# If only repeated tokens lose their worth, more readings are a bad buy, and the best model is larger. If surplus size loses its worth too, and faster, the best model is smaller, and reads more often. Which is true? That is a question for trainings. Muennighoff et al. trained both: with $9.3 \cdot 10^{21}$ operations and 25 billion tokens, a model 27 % smaller than Chinchilla's law advises was the better one. Their law was fitted to models of one recipe, though, and it knows nothing of *overfitting*, in which a model gets its text by heart and becomes worse on unseen text. By this law more readings never hurt; but our own sixteen readings were worth less than eight (chapter 08), for a model with more parameters than its text had tokens. A later study that adds a penalty for overfitting (Lovelace et al., 2026) advises the opposite beyond a point: a larger model rather than more readings. It is not settled.
#
# Either way, no size makes up for missing text. And if text is what one cannot do without, it matters how good it is. Chapter 12 asks that in earnest.
#
# ## The explorer
#
# Everything so far lies on one plane, parameters to the right, tokens upwards. First as a picture:

# %% tags=["walkthrough"]
RANGES = {"n_params": (1e8, 1e13), "n_tokens": (1e10, 1e14)}
NAMES = ("GPT-3", "Gopher", "Chinchilla", "LLaMA-7B", "LLaMA-65B", "Llama 3 8B", "phi-2")
columns = {"n_params": "parameters", "n_tokens": "training_tokens"}
named = {name: {ours: float(sizes[name][theirs]) for ours, theirs in columns.items()} for name in NAMES}
gpt3 = 175e9, 300e9
best_n, best_d = LAW.optimum(training_flops(*gpt3))
fig, ax = plt.subplots(figsize=(8, 6))
plots.law_plane(ax, LAW, RANGES, gpt3, named)
ax.set_title("GPT-3's compute would have trained a better, smaller model")
plots.show(fig, alt=(
    "The plane of parameters and tokens, with lines of equal loss and the line of the best models. "
    f"GPT-3 lies far below it; its compute would have trained {plots.short(best_n)} parameters on "
    f"{plots.short(best_d)} tokens."))
print(f"GPT-3 has {LAW.loss(*gpt3):.3f} nats by the law, the best for its compute "
      f"{LAW.loss(best_n, best_d):.3f}")

# %% [markdown]
# *Figure 4. Blue: lines of equal loss by the law of Besiroglu et al., with the losses at the right edge. Green: the best model of each budget. Orange: all models that cost as much to train as GPT-3. Both axes are logarithmic.*
#
# Now play with it. Drag the ring, or go to it with Tab and use the arrow keys; choose a model, a law, a machine. What you see is said in words below.

# %%
display(Explorer())

# %% [markdown]
# Try this, and say first what you expect:
#
# - Go to GPT-3, and from there to the optimum of its compute. What would it have saved in use?
# - Choose the coefficients that Hoffmann et al. printed. Which models lie near the line now? (10.6 told why.)
# - Choose our sweep's law. What does it advise for your laptop's budget?
# - Go to Llama 3 8B, and serve $10^{13}$ tokens. How large is the cheapest model of its loss?
# - Make the share of the peak and the price of an hour your own. What would Chinchilla cost you?
#
# Where this widget cannot run, `display(fallback())` shows a plainer one, and [docs/explorer.html](../docs/explorer.html) is the same explorer as a page that needs nothing but a browser.
#
# ## What we know now
#
# - A model of half Chinchilla's size would, by the law, have cost 1.3 times the training, and paid that back after two and a half trillion tokens served.
# - The more a model is used, the smaller its best size: from 73 billion with no use to 21 billion with a hundred trillion tokens served, at Chinchilla's loss.
# - Llama 3 8B cost some five and a half times the training of the optimum of its loss, by a law that was asked far outside its points. For Sardana et al.'s trainings a law of the short ones promises losses that are 2 to 17 % too low from 250 tokens for each parameter on.
# - Six operations for each parameter and token, at half the peak, give LLaMA's published hours within a seventh.
# - Where text is short, the best model is larger if only repeats lose their worth, smaller if surplus size does too; trainings speak for the second, up to some number of readings.

# %% quiz="11"

# %% [markdown]
# ## Sources
#
# - Touvron et al., *LLaMA: Open and Efficient Foundation Language Models*, 2023, arXiv 2302.13971: the argument, hours and energy (table 15).
# - Meta, *Introducing Meta Llama 3*, 2024: 15 trillion tokens.
# - Sardana et al., *Beyond Chinchilla-Optimal: Accounting for Inference in Language Model Scaling Laws*, 2024, arXiv 2401.00448: the bill of training and use, and 47 trainings.
# - Besiroglu et al., *Chinchilla Scaling: A replication attempt*, 2024, arXiv 2404.10102: the law used here.
# - Muennighoff et al., *Scaling Data-Constrained Language Models*, 2023, arXiv 2305.16264: repeated text and surplus size (equations 5 and 6, section 5).
# - Lovelace et al., *Prescriptive Scaling Laws for Data Constrained Training*, 2026, arXiv 2605.01640: a penalty for overfitting (from its abstract).
# - The tables: `data/published/`, each row with its source.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | half of Chinchilla | How much more training? | When does it pay? |
# | 3 | figure 1 | Where does the star go with more use? | Who pays which part of the bill? |
# | 6 | LLaMA and Llama 3 | Which of them are compute-optimal? | Were they wrong? |
# | 9 | figure 2 | Better or worse than the law? | What does that do to the table before? |
# | 12 | LLaMA's bill | How many hours? | What is left out? |
# | 15 | figure 3 | Larger or smaller? | Why is it worse all the same? |
# | 17 | figure 4, the explorer | What would you have done with GPT-3's compute? | And with yours? |
#
# Homework: 11.2 and 11.5; a paragraph on "what would you do with this budget", with numbers from the explorer.
# </details>
