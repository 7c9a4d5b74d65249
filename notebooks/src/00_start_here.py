# %% [markdown]
# # 00 · Can a million parameters tell a story?
#
# Language models are known by their size, and the sizes are hard to picture: hundreds of billions of numbers, adjusted
# while reading a good part of the public web. Then, in 2023, Ronen Eldan and Yuanzhi Li had GPT-3.5 and GPT-4 write millions of
# very short stories in the words of a small child, and trained models ten thousand times smaller on them. The collection is
# called *TinyStories*, and its models write short stories that hang together. Does size
# matter less than what a model reads? This course lets you find out with your own hands, on your own computer.
#
# You will build a language model from its first byte: the *tokenizer* that turns text into numbers, the *transformer* that
# guesses what comes next, the loop that trains it. You will train it on
# children's stories. Then you will use it to test the claim, and to see where it stops.
#
# Nothing is built yet in this chapter. You will
#
# - have a small model write a story from *your* opening, and catch it making mistakes;
# - see it beside the giants, in size, in reading and in scores;
# - know what *bits per byte* are, the unit in which this course keeps score.
#
# **Time:** about 60 minutes, 35 of them for the exercises. **You need:** some Python (functions, lists, dictionaries); in later chapters, what a
# derivative is. You need no GPU, and nothing is downloaded.
#
# Run a cell with <kbd>Shift</kbd>+<kbd>Enter</kbd>. Go from top to bottom; change things; nothing can break.

# %%
import csv
import html
import itertools
import json
import math
import os
from importlib.metadata import requires, version

import ipywidgets as widgets
import matplotlib.pyplot as plt
import torch
from IPython.display import Markdown, display
from packaging.requirements import Requirement

from minilm import plots
from minilm.checkpoint import load_model
from minilm.config import DATA, MODELS, profile
from minilm.course import check, progress, quiz
from minilm.data import encode_stories
from minilm.evaluate import evaluate
from minilm.generate import generate
from minilm.runs import environment, read_record
from minilm.widgets import live_figure

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## Is everything here?
#
# This table is about your computer, so it is empty until you run the cell.

# %% tags=["machine"]
wanted = [Requirement(text) for text in requires("minilm") if "extra ==" not in text]
old = [need.name for need in wanted if version(need.name) not in need.specifier]
here, memory = environment(), "not told"
if hasattr(os, "sysconf"):  # not on Windows
    memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
gpu = here["gpu"] or ("Apple" if torch.backends.mps.is_available() else "none")
plots.show_table([
    {"what": "Python", "here": here["python"], "note": "3.11 or newer"},
    {"what": "packages", "here": f"{len(wanted) - len(old)} of {len(wanted)} in order",
     "note": f"run `make setup` to renew {', '.join(old)}" if old else "nothing to do"},
    {"what": "processor cores", "here": here["cores"], "note": "two are enough"},
    {"what": "memory", "here": memory, "note": "for information"},
    {"what": "GPU", "here": gpu, "note": "not needed"},
    {"what": "profile", "here": profile(), "note": "how much notebooks do: `ci`, `laptop`, `gpu`"},
])

# %% [markdown]
# ## A story
#
# The repository holds a finished model in `data/models/tinystories`. It was trained with the code that you will
# write in the chapters to come. A **parameter** is one of the numbers that training adjusts. Here is how many it has:

# %% tags=["walkthrough"]
folder = MODELS / "tinystories"
model, tokenizer = load_model(folder)
record = read_record(folder)
file_size = (folder / "model.safetensors").stat().st_size
display(Markdown(
    f"**{model.n_params:,} parameters** in a file of {file_size / 1e6:.1f} MB, about the size of "
    f"a photograph. Training took {record['result']['seconds'] / 60:.0f} minutes on "
    f"{record['environment']['cores']} cores of this kind: {record['environment']['machine']}."
))

# %% [markdown]
# A language model does one thing. It reads the text so far and gives every possible next piece, every *token*, a
# probability. To write, we draw one token, add it to the text, and ask again. `generate` does that; `tell` prints the pieces as they
# come.

# %% tags=["walkthrough"]
def tell(opening, **settings):
    """Print a story while it is being written, in lines of readable length; return it."""
    story = line = opening
    print(opening, end="")
    for piece in generate(model, tokenizer, opening, **settings):
        story += piece
        if piece.startswith(" ") and len(line) + len(piece) > 90:
            line = piece[1:]
            print("\n" + line, end="", flush=True)
        else:
            line = (line + piece).split("\n")[-1]
            print(piece, end="", flush=True)
    return story

# %% [markdown]
# **Predict.** The model has never left the world of children's stories, and it is thousands of times smaller than the models you may have
# talked to. Before you run the next cell: will the sentences be grammatical? Will a name stay the same? Will the
# story have an end?

# %% tags=["nbval-ignore-output", "walkthrough"]
story = tell("Once upon a time, there was a little robot who was afraid of the rain.", seed=1)

# %% [markdown]
# Now yours. Change the opening and run the cell again; or change the *seed*, a number that fixes the luck of the draw: the same seed
# gives the same story, on the same computer. (End with a word or a full stop, not with a blank space: chapter 02 shows why.)

# %% tags=["nbval-ignore-output"]
story = tell("The dragon did not want to share the cake.", seed=2)

# %% [markdown]
# The box below does the same. The **temperature** says how bold the draw is: at 0 the likeliest token always wins; at 1 the
# model's own probabilities count; above 1 unlikely tokens get more than their share. (The unlikeliest are never drawn: chapter 07.) The two
# stories above were drawn at 0.8.

# %%
wide = {"width": "40em"}
opening = widgets.Textarea(value="Once upon a time, a fish wanted to fly.", rows=2, layout=wide)
temperature = widgets.FloatSlider(value=0.8, min=0, max=1.6, step=0.1, description="temperature",
                                  style={"description_width": "initial"})
button = widgets.Button(description="Tell a story", button_style="primary")
page, seeds = widgets.HTML(layout=wide), itertools.count()


def write_page(_):
    """Fill the page with a story, piece by piece; every click has another seed."""
    button.disabled, text = True, opening.value
    for piece in generate(model, tokenizer, text, temperature=temperature.value, seed=next(seeds)):
        text += piece
        page.value = f'<p style="white-space: pre-wrap; line-height: 1.5">{html.escape(text)}</p>'
    button.disabled = False


button.on_click(write_page)
display(widgets.VBox([opening, widgets.HBox([temperature, button]), page]))

# %% [markdown]
# ## Where it fails
#
# The sentences are mostly sound. But a story also has to remember who has what, and a model that has read only
# stories knows nothing else. Here are six openings with one good next word each. The
# temperature is 0, so this is the model's first choice.
#
# **Predict** first: how many of the six will it get right?

# %% tags=["nbval-ignore-output", "walkthrough"]
openings = {
    "Tom has a dog named Rex and a cat named Mimi. One day, the dog ran away. The dog's name is": "Rex",
    "Ben lost his blue kite. Lily said, \"Do not cry, Ben. I will help you find your": "kite",
    "Sara put the key in the box. Then she put it under the bed. The key is now under the": "bed",
    "Sam is taller than Tim. Tim is taller than Ann. The smallest of the three is": "Ann",
    "Mia had two apples. Dad gave her one more apple. Now Mia has": "three",
    "Paris is a big city in the land of": "France",
}
rows = []
for text in openings:
    choice = "".join(generate(model, tokenizer, text, temperature=0, max_new_tokens=6))
    rows.append({"opening": text, "the model goes on": " ".join(choice.split()) + " …"})
plots.show_table(rows)
right = [word in row["the model goes on"].split()[0] for word, row in zip(openings.values(), rows)]
assert right == [False, True, True, False, False, False]

# %% [markdown]
# <details><summary>Which are wrong? Decide, then open.</summary>
#
# One good next word for each: Rex, kite, bed, Ann, three, France. As printed above, two of six are right, kite and bed. A word can be wrong in
# two ways. It can be of the wrong *kind* (a verb where a name belongs), which is rare here. Or it can be of the right kind and the wrong
# *one*: a dog's name, but not this dog's; a phrase that often follows "land of". The model has learned what sort of word belongs in a place.
# Which one is true in *this* story is harder, and what is true in the world it was never told.
# </details>
#
# Chapter 09 makes such questions into a proper test, with chance levels and intervals. Six openings picked by hand prove nothing; they only
# show you where to look.

# %% [markdown]
# ## Giants and dwarfs
#
# How does this model compare with famous ones? The tables in `data/published` hold numbers typed from papers, each with its
# source. The exam in the last column, MMLU, has 57 subjects from history to law, with four answers to choose from.

# %% tags=["walkthrough"]
def published(name):
    """Read a table of data/published, without the rows that nobody has checked."""
    with open(DATA / "published" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row.get("status") != "memory"]


mmlu = {row["system"]: float(row["accuracy_percent"]) for row in published("mmlu_5shot")}
facts = {row["fact"]: row["value"] for row in published("tinystories_dataset_facts")}
giants = ("GPT-3", "Gopher", "Chinchilla", "LLaMA-7B", "LLaMA-13B", "LLaMA-65B")
dwarfs = ("TinyStories-1M", "TinyStories-8M", "TinyStories-33M")
models = []
for row in published("model_sizes_tokens"):
    if row["model"] in giants:
        models.append({"name": row["model"], "n_params": float(row["parameters"]),
                       "n_tokens": float(row["training_tokens"]), "group": "web pages, books and more"})
for row in published("tinystories_hf_models"):
    if row["model"] in dwarfs:
        models.append({"name": row["model"],
                       "n_params": float(row["parameters_blocks_plus_10000_row_embedding"]),
                       "n_tokens": float(facts["v1 train tokens, BPE 8192"]),
                       "group": "TinyStories (tokens: the text, once)"})
models.append({"name": "our model", "n_params": model.n_params,
               "n_tokens": record["result"]["n_tokens"], "group": "TinyStories, ours"})

# %%
def exam(name):
    """The MMLU score of a model in per cent, as text; a dash if there is none."""
    found = [score for system, score in mmlu.items() if system.startswith(name)]
    return f"{found[0]:.1f}" if found else "–"


plots.show_table([
    {"model": each["name"], "parameters": plots.short(each["n_params"]),
     "training tokens": plots.short(each["n_tokens"]),
     "tokens per parameter": plots.short(each["n_tokens"] / each["n_params"]),
     "MMLU, %": exam(each["name"])}
    for each in sorted(models, key=lambda each: -each["n_params"])
])

# %% [markdown]
# The three TinyStories models in this table are those of Eldan and Li. How many times they read their text is not published, so their tokens are
# those of the text, read once. Their names are their makers' and a little off: we count the
# parameters in use (36 million for "33M"). Our tokens count every reading: the model
# went through the same few million tokens several times.
#
# Sizes that span five powers of ten need logarithmic axes: each grid line is ten times the one before. Training takes about 6 operations for each parameter and each token
# (chapter 05 shows why), so the models on a *falling* line took the same computation.

# %% tags=["picture:giants_and_dwarfs", "walkthrough"]
above, below = ("LLaMA-7B", "LLaMA-65B"), ("GPT-3", "LLaMA-13B", *dwarfs)
points = []
for each in models:
    side = "above" if each["name"] in above else "below" if each["name"] in below else "right"
    points.append(each | {"name": each["name"].removeprefix("TinyStories-"), "side": side})
fig, ax = plt.subplots()
plots.giants_and_dwarfs(ax, points)
budget_line = plots.equal_compute(ax, 10**23.75)
ax.set_title("Chinchilla and LLaMA are smaller than Gopher, and read more")
plots.show(fig, alt=(
    "Models by parameters and training tokens on logarithmic axes. GPT-3 and Gopher lie below two "
    "tokens per parameter, Chinchilla and LLaMA-65B near twenty, LLaMA-7B at 149; the "
    "TinyStories models and ours are hundreds to hundreds of thousands of times smaller. A falling line "
    "of equal computation, 5.6e23 operations, passes close to Gopher, Chinchilla and LLaMA-65B."
))

# %% [markdown]
# *Figure 1. Size and reading of ten models. Along a dashed line the ratio of tokens to parameters is the same; along the solid line the computation: 5.6 × 10²³ operations.*
#
# **Predict:** which of the giants cost about as much as GPT-3? Move the line and see.

# %%
def recount(operations):
    """Move the line of equal computation, and name the models near it."""
    plots.set_equal_compute(budget_line, operations)
    near = [m["name"] for m in models if 1 / 1.5 < 6 * m["n_params"] * m["n_tokens"] / operations < 1.5]
    budget_line.axes.set_title(f"Equal computation: {operations:.1e} operations")
    named = ", ".join(near) or "none of these"
    return f"Within a factor of 1.5 of {operations:.1e} operations: {named}."


budget = widgets.FloatLogSlider(value=10**23.75, min=14, max=25, step=0.25, readout_format=".1e",
                                description="operations", style={"description_width": "initial"})
display(live_figure(budget_line.figure, recount, operations=budget))

# %% [markdown]
# None does: Gopher, the nearest, took 1.6 times as much.
#
# In 2020 and 2021 models grew by adding parameters, to the right in the figure. **Chinchilla** (2022) asked how to spend a given amount of computation, and answered:
# let parameters and tokens grow together, about twenty tokens for each parameter. The smaller **LLaMA** models (2023) went further, because
# a small model that has read much is cheap to *use*. And **TinyStories** (2023) changed what was read.
#
# Did it pay?

# %% tags=["walkthrough"]
taken = ("GPT-3 175B", "Gopher 280B", "LLaMA-7B", "LLaMA-13B", "LLaMA-65B", "TinyStories-8M")
scores = {name: mmlu[name] for name in taken}
scores["Chinchilla 70B"] = mmlu["Chinchilla 70B (Table 6)"]
levels = {"guessing": mmlu["random"], "human expert": mmlu["average human expert"]}
fig, ax = plt.subplots(figsize=(7.5, 3.6))
plots.exam_scores(ax, scores, levels, marked=["TinyStories-8M"])
ax.set_title("Chinchilla beats a Gopher four times its size", pad=24)
plots.show(fig, alt=(
    "MMLU scores as bars: Chinchilla 70B 67.6 per cent, LLaMA-65B 63.4, Gopher 280B 60.0, "
    "LLaMA-13B 46.9, GPT-3 175B 43.9, LLaMA-7B 35.1, TinyStories-8M 23.3, just under the 25 per cent "
    "of blind guessing. Human experts reach 89.8."
))

# %% [markdown]
# *Figure 2. MMLU, five worked examples given before each question. The TinyStories model (hatched) does no better than guessing.*
#
# The giants' order is not the order of their sizes. But look at the last bar: the one story model whose score is published does not pass. So
# ask the dwarfs what they were made for. Eldan and Li let models finish stories and had GPT-4 grade the
# result like a teacher.

# %% tags=["walkthrough"]
table = published("tinystories_fig4_gpt_eval")
rows = {(row["hidden_size"], row["layers"]) if row["layers"] else row["model"]: row for row in table}
tellers = {
    "GPT-4 (size not published)": "GPT-4",
    "GPT-2, 774M": "GPT-2 large (774M, web text)",
    "GPT-2, 125M": "GPT-2 small (125M, web text)",
    "TinyStories-28M": ("512", "8"),
    "TinyStories-1M": ("64", "8"),
}
grades = {}
for name, key in tellers.items():
    graded = rows[key]
    grades[name] = {word: float(graded[f"{word}_out_of_10"]) for word in ("grammar", "consistency")}
fig, ax = plt.subplots(figsize=(7.5, 3.2))
plots.story_grades(ax, grades)
ax.set_title("At stories, 28 million parameters beat 774 million")
plots.show(fig, alt=(
    "Grades out of ten for grammar and consistency. GPT-4: 8.8 and 9.9. GPT-2 with 774 million "
    "parameters: 6.4 and 6.0. GPT-2 with 125 million: 5.4 and 4.3. TinyStories-28M: 8.3 and 9.0. "
    "TinyStories-1M: 6.1 and 4.5."
))

# %% [markdown]
# *Figure 3. GPT-4's grades for finished stories, one row for each story-teller.*
#
# This is the claim of the course in three pictures: **the right balance of size and reading, and good data, can outdo sheer size.** Now
# read them like a sceptic. What do they *not* show?
#
# - **Nobody changed one thing at a time.** These models differ in data, tokenizer, recipe, year and laboratory. The nearest thing to a
#   controlled comparison is Gopher against Chinchilla: one laboratory, and nearly the same amount of computation.
# - **Size still counts.** Inside the LLaMA family the order is the order of size, and LLaMA-7B, with by far the most tokens for each
#   parameter, comes last of the giants.
# - **Nobody varied the quality of the data.** The Chinchilla paper measured size and tokens; on quality it only speculates.
# - **Home and away.** The dwarfs were graded on the kind of text they had read, GPT-2 on a kind it had hardly seen. A match of domain is not
#   the same as quality. Figure 2 is the return match.
# - **Who is the judge?** GPT-4 gave the grades, and GPT-3.5 and GPT-4 wrote the stories that the dwarfs learned from.
# - **Different exams in one chart.** The scores in figure 2 were measured by different people with different programs.
#
# From chapter 08 on the course makes the comparisons missing here: one change at a time, and more than one seed where we could afford it.

# %% [markdown]
# ## Bits per byte
#
# To compare models we need one number that means the same for all of them. A model gives the text that really comes next some probability $p$, and
# its surprise is $-\log_2 p$ **bits**, the number of times that 1 must be halved to come down to $p$: none if it was certain, one if it gave it even odds, about ten if it gave it one in a
# thousand. Add up the surprise over a text that the model has never seen, and divide by the number of **bytes** in
# that text. A plain file spends 8 bits on each byte, so a model at 1 bit per byte could store the text in an eighth of the space.
#
# Dividing by bytes makes it fair: every model cuts text into tokens in its own way, but a byte is a byte. (With natural logarithms surprise is counted in *nats*, of 1.44 bits each.)
#
# **Predict.** Put these four texts in order, from the least to the most surprising for our model.

# %% tags=["walkthrough"]
tale = "Once upon a time, there was a little dog named Max. Max liked to run with his red ball."
texts = {
    "a story": tale,
    "the same words, backwards": " ".join(reversed(tale.split())),
    "a line of news": "The central bank raised interest rates on Thursday, citing persistent inflation.",
    "a story in German": "Es war einmal ein kleiner Hund, der jeden Tag mit seinem Ball spielen wollte.",
}
surprise = {}
for name, text in texts.items():
    surprise[name] = evaluate(model, encode_stories([text], tokenizer), tokenizer).bits_per_byte
plots.show_table([
    {"text": name, "bytes": len(text.encode()), "bits per byte": f"{surprise[name]:.2f}"}
    for name, text in texts.items()
])
assert surprise["a story"] < surprise["the same words, backwards"] < surprise["a story in German"]
assert surprise["a story"] < surprise["a line of news"]

# %% [markdown]
# The words of the first two lines are the same; only their order differs, and the model minds. It has learned more than a list of
# words. Ordinary English news costs about as much as its own kind of story with the order destroyed, and German nearly twice that.
#
# But one line is an anecdote. The score that counts is taken over the whole validation file, stories that were kept apart from
# training:

# %%
result = record["result"]
bits = result["valid_bits_per_byte"]
display(Markdown(
    f"Over {result['valid_n_bytes']:,} bytes of stories it never saw, our model needs "
    f"**{bits:.3f} bits per byte**: {bits / 8:.1%} of the space of a plain file. "
    f"It read {result['n_tokens']:,} tokens to get there."
))

# %% [markdown]
# How did it get there? Every run in this course writes a log. This is our model's:

# %% tags=["picture:training_curve"]
with open(DATA / "runs" / "tinystories" / "shipped.jsonl", encoding="utf-8") as file:
    log = [json.loads(line) for line in file]
scored = [line for line in log if "valid_bits_per_byte" in line]
first, last = scored[0]["valid_bits_per_byte"], scored[-1]["valid_bits_per_byte"]
halfway = next(line for line in scored if line["valid_bits_per_byte"] <= (first + last) / 2)
share = halfway["tokens"] / scored[-1]["tokens"]
fig, ax = plt.subplots(figsize=(7.5, 3.6))
plots.loss_curve(ax, log, y="valid_bits_per_byte")
ax.set_title(f"Half of this fall came in the first {share:.0%} of the reading")
plots.show(fig, alt=(
    f"Validation loss against tokens read: it falls from {first:.2f} to {last:.2f} bits per byte, "
    "fast at first, then more slowly and steadily."
))

# %% [markdown]
# *Figure 4. The loss, the number that training pushes down (here in bits per byte), on stories kept apart. Measured on a part of the validation file at each
# point, so its last value differs a little from the score above.*
#
# Fast, then slow: nearly every training curve begins like this. (That it keeps falling steadily towards the end is partly the work of
# the learning rate, which is turned down step by step: chapter 06.) How much more reading would be needed for the next tenth of a bit, and would a
# larger model have been a better use of the same hours? Those are the questions of chapter 10.

# %% [markdown]
# ## The road from here
#
# Chapters 01 to 07 build everything that this chapter only used: data, tokenizer, bits per byte, attention, transformer, training, and the
# drawing of tokens. Chapter 08 asks how small a model can be and still tell a story. Chapter 09 asks how we would know. Chapters 10 to 12 put the claim
# to the test: the best balance for a budget, and good data against sheer size. Chapter 13 ships your model. Each thing you build by
# hand is compared with an independent implementation, and where something could not be measured, the text says so.

# %% [markdown]
# ## What we know now
#
# - A model of a few million parameters writes mostly grammatical stories, in seconds, without a GPU.
# - It loses the thread: a robot becomes a boy, somebody appears from nowhere. It failed to count, and missed the one fact we asked for.
# - Chinchilla, with a quarter of Gopher's parameters and nearly five times its tokens, scores higher on MMLU. A model of 8 million
#   parameters that has read only stories guesses there; one of 28 million got better grades for its stories than a GPT-2 28 times its size.
# - TinyStories-1M got about that GPT-2's grade for grammar (6.1 and 6.4), a lower one for consistency (4.5 and 6.0). So the title's question has half
#   an answer; chapter 08 looks for the other half.
# - No figure here is a controlled experiment on the quality of data; chapter 12 makes one.
# - Bits per byte measure surprise, whatever the tokenizer. Our model is less surprised by a story than by its words backwards.

# %% [markdown]
# ## Exercises
#
# Every chapter has some. The cell after your answer checks it, and says what it verified, or what it tried and which mistake is likeliest. An exercise that you leave out
# never stops the notebook. Hints and the solution are folded away below.

# %% exercise="00.1"

# %% exercise="00.2"

# %% exercise="00.3"

# %% exercise="00.4"

# %% exercise="00.5"

# %% quiz="00"

# %% [markdown]
# ## Your progress
#
# What you have passed is kept in a file of your own, in the folder `work/`; nothing leaves this machine. In a terminal `minilm progress` shows the same.

# %% tags=["machine"]
plots.show_table(progress.table())

# %% [markdown]
# Next comes [chapter 01](01_data.ipynb): what makes data good? Work in a copy: `minilm start 01` puts one into `work/`, where a newer version of the course never
# meets your edits.

# %% [markdown]
# ## Sources
#
# - Gennaro S. Rodrigues, *Not-So-Large Language Models: Good Data Overthrows the Goliath*, Towards Data Science, 2023: the article that this course puts to the test.
# - Hoffmann et al., *Training Compute-Optimal Large Language Models*, 2022, arXiv 2203.15556 (Chinchilla): sizes and tokens from Table 1, MMLU from Table 6. Its
#   Table 1 is also our source for GPT-3 and Gopher.
# - Touvron et al., *LLaMA: Open and Efficient Foundation Language Models*, 2023, arXiv 2302.13971: sizes and tokens from Table 2, MMLU from Table 9.
# - Eldan and Li, *TinyStories: How Small Can Language Models Be and Still Speak Coherent English?*, 2023, arXiv 2305.07759: grades from the table of Figure 4, of which
#   we have only a part, most of it read in one place.
# - Hendrycks et al., *Measuring Massive Multitask Language Understanding*, 2020, arXiv 2009.03300: the exam. The score of TinyStories-8M is that of a public leaderboard,
#   from the model's page.
# - Every number in the table and the figures is in a file of `data/published`, with its source and how well it was checked; our own are in
#   `data/models/tinystories/run.json` and `data/runs/tinystories`.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# Run the setup, the model and `tell` beforehand; the cells tagged `walkthrough` are the show.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | the robot's story | Will the sentences be grammatical? Will it end? | Where is the first slip? |
# | 4 | six openings | How many of the six? Everyone writes a number down. | Wrong kind of word, or the wrong one? |
# | 9 | figure 1 and its slider | Which giants cost about the same? | What did Chinchilla do with Gopher's budget? |
# | 13 | figures 2 and 3 | Where will the story model come in the exam? | What do these pictures *not* show? |
# | 17 | four texts in bits per byte | Order them. | Why bytes, and not tokens? |
#
# Homework: 00.3 and 00.5.
# </details>
