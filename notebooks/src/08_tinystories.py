# %% [markdown]
# # 08 · How small can a model be and still tell a story?
#
# In 2023 the question was turned round. Everybody asked how large a model must be to be clever; Eldan and Li asked how small it may be and still speak like a child, and made TinyStories to find out. Their answer, ten million parameters and less, is where this course began. Now you have all the parts to ask it yourself: one text, one recipe, and models of several sizes on it, a *ladder*.
#
# By the end you will
#
# - have put stories in the order of the models that wrote them, without knowing which was which;
# - know what comes first, grammar or consistency, and how sure forty stories can make you;
# - have forecast the loss of a training before it ended, with a range, and seen the same forecast fail where it must;
# - know what a second, fourth, sixteenth reading of the same text is worth, and which of the paper's claims we could confirm.
#
# **Time:** about 85 minutes, 50 of them for the exercises. **You need:** chapter 03 for *bits per byte*, chapter 06 for what a training is.

# %%
import csv
import json
import math
import tempfile
from collections import Counter
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
import scipy.stats
import torch
from IPython.display import Markdown, display

from minilm import plots, widgets
from minilm.config import CACHE, DATA, TrainConfig
from minilm.corpora import load_corpus
from minilm.course import check, quiz
from minilm.data import token_file
from minilm.ladder import PROMPTS, SIZES, Rung, climb, cost, tokenizer_for
from minilm.model import Transformer
from minilm.reproductions import REPRODUCTIONS
from minilm.storyworld import grade
from minilm.train import Training

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)
RECORDS = DATA / "runs" / "ladder"


def read_table(path):
    """The rows of a table, each a dictionary."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

# %% [markdown]
# ## The ladder
#
# All models of the ladder read the same text, once, with the same vocabulary of 4,096 ids and the same recipe (chapter 06; only the batch grows with the width). Two texts: storyworld, our own stories, and a sample of 13 MB of TinyStories. A size is called by its width and its layers: d64-L8 is 64 wide and has 8 layers. These trainings took hours, so they were recorded:
# `minilm ladder --corpus storyworld --keep` made the rows.
#
# **Predict:** d256-L8 has ten times the parameters of d64-L8. On the same text, how many bits per byte will it save: 3 %, 10 %, 30 %?

# %% tags=["walkthrough"]
runs = {}
for row in read_table(RECORDS / "runs.csv"):
    corpus, size, reading, seed = row["run"].split("_")
    runs.setdefault((corpus, size, reading), []).append(row)


def bits_of(corpus, size, reading="1x1"):
    """Bits per byte of the recorded runs of a kind, one for each seed."""
    return [float(row["valid_bits_per_byte"]) for row in runs[corpus, size, reading]]


def once(corpus, sizes=("d64-L8", "d128-L8", "d256-L8")):
    """For a figure: parameters, and bits per byte (mean, least, most), of models that read a text once."""
    for size in sizes:
        bits = bits_of(corpus, size)
        yield int(runs[corpus, size, "1x1"][0]["n_params"]), np.mean(bits), min(bits), max(bits)


fig, ax = plt.subplots(figsize=(8, 4))
by_corpus = {name: list(once(name)) for name in ("storyworld", "tinystories")}
plots.with_ranges(ax, by_corpus, "parameters", "bits per byte")
ax.set_title("Larger models predict the same text better")
told = "; ".join(f"{name}: " + ", ".join(f"{n:,} parameters {mean:.3f}" for n, mean, *_ in points)
                 for name, points in by_corpus.items())
plots.show(fig, alt=f"Bits per byte against parameters, one reading. {told}.")
for name, points in by_corpus.items():
    print(f"{name}: {1 - points[-1][1] / points[0][1]:.0%} fewer bits with {points[-1][0] / points[0][0]:.1f} times the parameters")

# %% [markdown]
# *Figure 1. One reading of each text. Bars reach from the least to the most of two seeds, and are mostly hidden by the marks.*
#
# TODO words after data.
#
# ## Blind
#
# Numbers are one thing. Here are three beginnings, each continued by three models, d64-L8, d128-L8 and d256-L8, that read the sample of TinyStories once. Read, and judge. (The stories end where this page cuts them.)

# %%
SIZES_READ = ("d64-L8", "d128-L8", "d256-L8")
LETTERS = dict(zip("ABC", ("d128-L8", "d256-L8", "d64-L8")))
told_by = {}
for row in read_table(RECORDS / "stories.csv"):
    told_by.setdefault(row["run"], []).append(row)


def side_by_side(prompt):
    """The three stories that begin with a prompt, by letter, as Markdown."""
    parts = []
    for letter, size in LETTERS.items():
        story = next(row["story"] for row in told_by[f"tinystories_{size}_1x1_seed0"] if row["prompt"] == prompt)
        parts.append(f"**{letter}** " + " ".join(story[:560].split()) + " …")
    return "\n\n".join(parts)


for prompt in PROMPTS:
    display(Markdown(side_by_side(prompt)))

# %% exercise="08.1"

# %% [markdown]
# ## Grammar first
#
# The paper had GPT-4 mark the stories, and found an order: small models learn *grammar* first, and soon reach its ceiling; *consistency*, who is who and who has what, comes later and goes on growing. We have no GPT-4, but for storyworld something stricter: a reader that understands the very sentences its generator can say (chapter 01). A sentence that it can read is grammatical, for our little language. A story
# with no *contradiction*, nobody unknown, nothing in two places, is consistent.
#
# Forty stories of each model were read. How much can forty tell?

# %% exercise="08.2"

# %% [markdown]
# **Predict:** between the least and the most trained model, which of the two will rise first as the bits fall: the share of sentences that can be read, or the share of stories without a contradiction?

# %% tags=["walkthrough"]
def counts(run):
    """Of the stories that a model began itself: sentences read and sentences, sound stories and stories."""
    stories = [row for row in told_by[run] if not row["prompt"]]
    n_sentences = sum(int(row["n_sentences"]) for row in stories)
    n_read = n_sentences - sum(int(row["n_unparsed"]) for row in stories)
    return n_read, n_sentences, sum(row["n_faults"] == "0" for row in stories), len(stories)


marked = {}  # bits per byte: counts
for (corpus, size, reading), rows in runs.items():
    if corpus == "storyworld" and reading.startswith("1x"):
        marked[float(rows[0]["valid_bits_per_byte"])] = counts(rows[0]["run"])
shipped = json.loads((DATA / "models" / "storyworld" / "run.json").read_text())["result"]["valid_bits_per_byte"]
graded = json.loads((DATA / "runs" / "benchmarks" / "grade.json").read_text())["values"]
marked[shipped] = (round(graded["parse_rate"] * graded["n_sentences"]), graded["n_sentences"],
                   round(graded["consistent_share"] * graded["n_stories"]), graded["n_stories"])
curves = {"sentences that can be read": [], "stories without a contradiction": []}
for bits, (n_read, n_sentences, n_sound, n_stories) in marked.items():
    curves["sentences that can be read"].append((bits, n_read / n_sentences, *share_interval(n_read, n_sentences)))
    curves["stories without a contradiction"].append((bits, n_sound / n_stories, *share_interval(n_sound, n_stories)))
fig, ax = plt.subplots(figsize=(8, 4.2))
plots.with_ranges(ax, curves, "bits per byte (better to the right)", "share")
ax.invert_xaxis()
ax.set_title("Sentences come right long before stories do")
plots.show(fig, alt="TODO")

# %% [markdown]
# *Figure 2. Each mark is one model, with Wilson's interval of 95 %. The two rightmost read storyworld longest: the shipped model, 14.6 million tokens.*
#
# TODO2
#
# ## Wide or deep?
#
# One layer that is wide, or many that are narrow? Three models have about as many weights in their blocks; only their tables differ, for a wider model needs longer rows. **Predict:** which of d64-L8, d128-L2 and d192-L1 will predict best, and which will write the most sentences that can be read?

# %% tags=["walkthrough"]
shapes = []
for size in ("d64-L8", "d128-L2", "d192-L1"):
    row = runs["storyworld", size, "1x1"][0]
    n_read, n_sentences, *_ = counts(row["run"])
    low, high = share_interval(n_read, n_sentences)
    shapes.append({"shape": size, "parameters in blocks": f"{int(row['n_params_without_embeddings']):,}",
                   "in all": f"{int(row['n_params']):,}", "operations": f"{float(row['flops']):.2g}",
                   "bits per byte": f"{np.mean(bits_of('storyworld', size)):.3f}",
                   "sentences read": f"{n_read / n_sentences:.0%} ({low:.0%} to {high:.0%})"})
plots.show_table(shapes)

# %% [markdown]
# TODO3
#
# ## Before it ends
#
# A training costs time, so one would like to know its end before it is paid for. Here are shorter runs of one shape, d128-L2, on a thirty-second of storyworld, a sixteenth, ... up to all of it. Each has a schedule of its own that ends with it; a long run *cut off* early would be worse, for its rate would still be high. **Predict** from the first three what the fourth came to.

# %% tags=["walkthrough"]
SHAPE, READINGS = "d128-L2", ("1x0.03125", "1x0.0625", "1x0.125", "1x0.25", "1x0.5", "1x1")
ends = {reading: (int(runs["storyworld", SHAPE, reading][0]["n_tokens"]), bits_of("storyworld", SHAPE, reading))
        for reading in READINGS}
for n_tokens, bits in ends.values():
    print(f"{n_tokens:9,} tokens: " + ", ".join(f"{value:.3f}" for value in bits) + " bits per byte")
known = [(ends[reading][0], value) for reading in READINGS[:3] for value in ends[reading][1]]
tokens, bits = (np.array(column) for column in zip(*known))

# %% exercise="08.3"

# %% exercise="08.4"

# %% [markdown]
# We take the runs of the first three budgets as known. Between them lies a tenth of the text, the budget of the run that you are about to make. Beyond them lie three budgets whose results we have, and do not use.

# %% tags=["walkthrough"]
budget = int(runs["storyworld", SHAPE, "1x0.1"][0]["n_tokens"])
expected, (low, high) = line_through_logs(tokens, bits, budget), forecast_range(tokens, bits, budget)
print(f"{budget:9,} tokens: forecast {low:.3f} to {high:.3f}, in the middle {expected:.3f}: your run")
holds = {}
for reading in READINGS[3:]:
    n_tokens, came_to = ends[reading]
    a, b = forecast_range(tokens, bits, n_tokens)
    holds[reading] = all(a < value < b for value in came_to)
    print(f"{n_tokens:9,} tokens: forecast {a:.3f} to {b:.3f}, came to "
          + ", ".join(f"{value:.3f}" for value in came_to) + (": holds" if holds[reading] else ": FAILS"))

# %% [markdown]
# For your run, which lies among the known ones, the range is narrow, two per cent either way. Beyond them the forecast fails, and not by bad luck: the longer runs are far *better* than any line through the short ones. On logarithmic axes the loss of this model does not go along a line, it bends downwards: between 300 thousand and a million tokens the model goes from frequent words to whole sentences. The range of 08.4 knows how the runs scatter; of the bend it knows nothing. A forecast is as good as the belief that things go on as before.
#
# ## Live: your run
#
# Now yours: a tenth of storyworld, by the very function that trained the ladder, with a seed that no recorded run has. Five recorded runs say how its loss should go *on the way*: in the pale band a sixth is expected, 95 times in 100 at each point. (It is 08.4 without a line: $t\,s\sqrt{1 + 1/5}$ around the mean.) Write down the forecast, and start it. It takes about half a minute.

# %%
logs = [[json.loads(line) for line in (RECORDS / row["log"]).read_text().splitlines()]
        for row in runs["storyworld", SHAPE, "1x0.1"]]
steps = [line["step"] for line in logs[0]]
on_the_way = np.array([[line["loss"] for line in log] for log in logs])  # (runs, points)
middle, spread = on_the_way.mean(axis=0), on_the_way.std(axis=0, ddof=1)
half = scipy.stats.t.ppf(0.975, len(logs) - 1) * spread * math.sqrt(1 + 1 / len(logs))
band = (steps, middle - half, middle + half)
print(f"{len(logs)} recorded runs: after {steps[5]} steps a loss of {middle[5]:.2f} ± {half[5]:.2f} is expected")

# %%
mine, (live_fig, live_ax) = [], plt.subplots(figsize=(8, 3.8))
live_curve = plots.expected_band(live_ax, *band)


def follow(step):
    """Draw the lines of the log so far."""
    live_curve.set_data([line["step"] for line in mine], [line["loss"] for line in mine])
    return f"Step {step} of {steps[-1]}" + (f", loss {mine[-1]['loss']:.2f}" if mine else "")


def tell(line):
    """Called with each line of the log: the bar moves, and the figure follows."""
    mine.append(line)
    bar.value = line["step"]


bar = ipywidgets.IntProgress(max=steps[-1], description="step")
moving = widgets.live_figure(live_fig, follow, step=bar)
display(moving)
corpus = load_corpus("storyworld", progress=False)
out = Path(tempfile.mkdtemp())
record = climb(Rung(size=SHAPE, seed=8, epochs=0.1), corpus, out, CACHE, callbacks=[tell])
moving.close()  # the picture below takes its place

# %%
fig, ax = plt.subplots(figsize=(8, 3.8))
plots.expected_band(ax, *band).set_data(steps, [line["loss"] for line in mine])
came_to = record["result"]["valid_bits_per_byte"]
inside = sum(a < line["loss"] < b for line, a, b in zip(mine, *band[1:]))
ax.set_title("The run keeps to the band of those before it")
plots.show(fig, alt=(
    f"Training loss over {steps[-1]} steps, from {mine[0]['loss']:.1f} nats per token to {mine[-1]['loss']:.2f}; "
    f"{inside} of its {len(mine)} points lie in the pale band of five recorded runs."
))
print(f"forecast {low:.3f} to {high:.3f}; it came to {came_to:.3f} bits per byte")
assert low < came_to < high and inside >= len(mine) - 3

# %% [markdown]
# *Figure 3. Your run, each point a mean of 20 steps, over what five earlier ones let expect.*
#
# What is a band good for? It finds a fault while there is still time. Here are the first 100 steps of the same run with a tenth of the learning rates: no error, and a loss that falls.

# %%
timid = TrainConfig(max_steps=steps[-1], max_lr=0.001, muon_lr=0.0012, seed=8, device="cpu",
                    precision="float32", compile="no")
ids = token_file(corpus, "train", tokenizer_for(corpus, 4096, out), CACHE)
training = Training(Transformer(SIZES[SHAPE], seed=8), timid, ids)
losses = np.array([training.update()[0].item() for _ in range(100)]).reshape(5, 20).mean(axis=1)
above = [step for step, loss, b in zip(steps, losses, band[2]) if loss > b]
print("loss:", ", ".join(f"{loss:.2f}" for loss in losses), "| above the band at steps", above)
assert above[-4:] == [40, 60, 80, 100] and all(np.diff(losses) < 0)

# %% [markdown]
# It is above the band from the first point on. Without a band this looks like a run that learns, only slowly, as models do; with it one stops after ten seconds, or, in real trainings, after an hour instead of a week. Such a band is worth as much as the runs in it are like yours: the same text, vocabulary, shape, schedule and *length*, since the rate at step 100 depends on where the run will end.
#
# ## When the text runs out
#
# The ladder reads its text once. Whoever has less text than time reads it again.

# %% exercise="08.5"

# %% [markdown]
# Does it hold for us? d128-L2 read the first sixteenth of storyworld, 150 thousand tokens, two, four, eight and sixteen times; and the runs above read as many tokens of which none came twice. **Predict:** from how many readings on will you see a difference?

# %% tags=["walkthrough"]
fresh_tokens, fresh_bits = (np.array(column) for column in zip(*(
    (n_tokens, np.mean(bits)) for n_tokens, bits in ends.values())))
READ = (2, 4, 8, 16)
again = {n: np.mean(bits_of("storyworld", SHAPE, f"0.0625x{n}")) for n in READ}
unique = int(runs["storyworld", SHAPE, "0.0625x2"][0]["train_tokens"])


def bits_after(n_tokens):
    """Bits per byte after so many fresh tokens, read off between the recorded runs."""
    return np.exp(np.interp(np.log(n_tokens), np.log(fresh_tokens), np.log(fresh_bits)))


def worth(bits):
    """The other way: how many fresh tokens come to so many bits."""
    return np.exp(np.interp(-np.log(bits), -np.log(fresh_bits), np.log(fresh_tokens)))


fig, ax = plt.subplots(figsize=(8, 4))
curves = {"no token twice": list(zip(fresh_tokens, fresh_bits))[1:],
          "the same text again": [(unique * n, again[n]) for n in READ],
          "by the formula": [(unique * n, bits_after(worth_of_repeats(unique, n))) for n in READ]}
plots.with_ranges(ax, {name: [(x, y, y, y) for x, y in points] for name, points in curves.items()},
                  "tokens read", "bits per byte")
ax.set_title("TODO6")
told = "; ".join(f"{n} readings {again[n]:.2f}, fresh {bits_after(unique * n):.2f}" for n in READ)
plots.show(fig, alt=f"Bits per byte against tokens read, for fresh text, the same text again, and the formula. {told}.")

# %% tags=["walkthrough"]
measured = {n: worth(again[n]) / unique for n in READ}
ours = scipy.optimize.minimize_scalar(
    lambda R: sum((worth_of_repeats(1, n, R) - measured[n]) ** 2 for n in READ), bounds=(0.5, 50)).x
plots.show_table([
    {"readings": n, "worth, measured": f"{measured[n]:.1f}", "by the formula": f"{worth_of_repeats(1, n):.1f}",
     f"with R = {ours:.1f}": f"{worth_of_repeats(1, n, ours):.1f}"} for n in READ
])

# %% [markdown]
# *Figure 4.* TODO7
#
# ## What a model this small gets wrong
#
# The reader says what it minds. Here is what it found in the forty stories of d256-L8, the best of our ladder.

# %%
reasons = Counter()
for row in told_by["storyworld_d256-L8_1x1_seed0"]:
    if not row["prompt"]:
        reasons.update(fault.reason for _, fault in grade(row["story"]).faults)
total = sum(reasons.values())
for reason, n in reasons.most_common(6):
    print(f"{n / total:4.0%}  {reason}")

# %% [markdown]
# TODO8
#
# ## What the paper claims, and what we found
#
# | the paper, 2023 | here |
# |---|---|
# | Models of ten million parameters and less write fluent, consistent stories. | Fluent nearly, consistent no. But ours read 3.3 million tokens, theirs hundreds of millions. Neither confirmed nor refuted. |
# | Grammar comes before consistency. | Confirmed, on storyworld, by a reader's verdicts in place of GPT-4's marks. |
# | Losses fall with width: 2.08, 1.38, 1.20 nats for 64, 256 and 512 with 8 layers. | The same order for 64, 128 and 256. The numbers cannot be compared: other vocabulary, other amount of text. |
# | Depth helps to keep track of a story, width to know facts. | TODO9 |
# | GPT-4's marks for creativity, grammar, consistency rise with size. | Not measured: no judge was at hand. Chapter 09. |
# | Their stories do not copy the training text. | Not measured here. Chapter 09. |
#
# ## The real thing
#
# Whoever has a GPU and a network can go on where we had to stop. Each row is one command, `minilm reproduce NAME`, which says what it takes before it begins. Nobody has run them here; hours are reckoned for an H100 at 30 % of its 989 teraFLOPS.

# %%
rows = []
for name, plan in REPRODUCTIONS.items():
    need = cost(plan.model, plan.training.max_tokens)
    rows.append({"name": name, "parameters": f"{need['n_params']:,}", "tokens": f"{plan.training.max_tokens:,}",
                 "operations": f"{need['flops']:.1e}", "hours": f"{need['flops'] / (0.3 * 989e12) / 3600:.2f}",
                 "theirs, nats per token": plan.published()["val_loss_nats_per_token"]})
plots.show_table(rows)

# %% [markdown]
# Mind the last column: 1.297 and 1.072 are losses of different tokens, 2.06 and 3.77 bytes long, and 0.91 and 0.41 bits per byte. Our own ladder on all of TinyStories would be `minilm ladder --corpus tinystories --profile gpu`. TODO
#
# ## What we know now
#
# TODO10

# %% quiz="08"

# %% [markdown]
# ## Sources
#
# - Eldan and Li, *TinyStories: How Small Can Language Models Be and Still Speak Coherent English?*, 2023, arXiv 2305.07759: figure 4 for losses and marks by size.
# - Muennighoff et al., *Scaling Data-Constrained Language Models*, 2023, arXiv 2305.16264: what repeated text is worth.
# - Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, 1927: the interval.
# - Karpathy, *llama2.c*, 2023, and Stanford CS336, first assignment, with a public log of its losses: `data/published/`.
# - NVIDIA, *H100 Tensor Core GPU*, data sheet.
# - The ladder: `data/runs/ladder/`, with its commands, in docs/RESULTS.md beside others' numbers.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | figure 1 | Ten times the parameters: how many bits less? | What else grew tenfold? |
# | 3 | the stories A, B, C | Which is the largest model? | What gave it away? |
# | 7 | figure 2 | Which rises first? | What would forty more stories change? |
# | 10 | wide or deep | Which shape wins? | Is one seed enough? |
# | 13 | six budgets; the forecasts | What will the fourth come to? | Why does it fail beyond? |
# | 17 | figure 4 | From how many readings on does it hurt? | What is R for us? |
#
# Homework: 08.3 and 08.4, with the live run; 08.5.
# </details>
