# %% [markdown]
# # 01 · What makes data good?
#
# A language model knows what it has read, and nothing else. If its text repeats itself, it learns to recite. If the text on which you judge it has slipped into the text from which it learns, your scores lie, and they always lie in the same
# direction: too good. If letters are broken, it learns broken letters. None of this raises an error. The program runs, the loss falls, and the number in your table is wrong.
#
# So look at the data first. In this chapter you will
#
# - have a story made from a recipe, as the stories of TinyStories were;
# - measure a text by counting: its words, its openings, its repetitions, how small it can be packed; and set it beside the real TinyStories;
# - find copies, leaks and damaged letters that were planted, so that you *know* how many you missed;
# - see what a leak does to a score, and to which models;
# - know what such counts cannot see.
#
# **Time:** about 70 minutes, 40 of them for the exercises. **You need:** Python lists, sets and dictionaries. Chapter 00 is helpful.

# %%
import csv
import lzma
import random
from collections import Counter, defaultdict
from itertools import islice

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from minilm import plots, widgets
from minilm.checkpoint import load_model
from minilm.config import DATA, MODELS
from minilm.corpora import side_of
from minilm.course import check, quiz
from minilm.facts import corpus_facts, duplicates, near_duplicates, opening, vocabulary_growth, words_in
from minilm.ngram import NGram
from minilm.storyworld import FEATURES, Recipe, grade, labeled_stories, stories, write_story

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## A story by recipe
#
# Ask a large model for many stories for children, and they come out much alike. The makers of TinyStories found a way round: every request named **a verb, a noun and an adjective** that
# must occur, drawn at random from some 1,500 simple words, and some **features**, such as a dialogue, a plot twist, a bad ending or a moral. The words force the stories apart.
#
# The real TinyStories are 2.2 GB to download. What you read here is `storyworld`, a corpus of our own, made by a program that simulates a small world and tells what happens in it. It follows the same recipe, and it has
# something that no scraped text has: we know what is true in it, so a story can be *graded*, sentence by sentence.

# %% tags=["walkthrough"]
recipe = Recipe(verb="juggle", noun="kite", adjective="green", features=("twist",))
made = write_story("chapter 01", recipe)
graded = grade(made.text, recipe)
print(made.text)
print(f"\n{graded.grammar:.0%} of {len(graded.sentences)} sentences parse; "
      f"consistent: {graded.consistent}; recipe followed: {graded.recipe_followed}")
assert graded.perfect and graded.recipe_followed

# %% [markdown]
# The grader knows the forms of all sentences that the program can write. A sentence *parses* if it has one of them. The story is *consistent* if nothing in it contradicts what was told before (nobody gives away what they do not have), and the *recipe was followed* if its words and features
# occur. (The twist here: the frightening shadow is a chipmunk.)
#
# Choose your own; the code below only draws four menus. **Predict** what "all four" features do to a story: can one have a dialogue, a twist, a bad ending *and* a moral?

# %%
page = ipywidgets.HTML()
options = {
    "verb": ["juggle", "dance", "hum", "draw", "knit"], "noun": ["kite", "drum", "balloon", "cake"],
    "adjective": ["green", "red", "tiny", "shiny"], "feature": ["none", *FEATURES, "all four"],
}
boxes = {name: ipywidgets.Dropdown(options=words, description=name) for name, words in options.items()}


def cook(_=None):
    """Write and grade the story of the chosen recipe."""
    verb, noun, adjective, feature = (box.value for box in boxes.values())
    wanted = {"none": (), "all four": FEATURES}.get(feature, (feature,))
    asked = Recipe(verb, noun, adjective, wanted)
    try:
        told = write_story("kitchen", asked).text
    except ValueError as error:
        page.value = f"<p role='status'>{error}</p>"
        return
    found = grade(told, asked)
    page.value = (
        f"<p>{told.replace(chr(10) * 2, '</p><p>')}</p><p role='status'>Grammar {found.grammar:.0%}, "
        f"consistent: {found.consistent}, recipe followed: {found.recipe_followed}.</p>"
    )


for box in boxes.values():
    box.observe(cook, "value")
cook()
menus = ipywidgets.VBox([*boxes.values(), page])
widgets.show(menus, "(In a running notebook: four menus, and the story that they ask for.)")

# %% [markdown]
# With all four, the kite works and the cake is refused: of 400 stories drawn, none fitted. A recipe steers what comes out, and it has a price. If you make data this way, count how many requests fail, and which: what is
# missing is not missing by chance.
#
# ## Count the words
#
# Here are two thousand stories without any planted fault. We count every word, in lower case and without punctuation.

# %% tags=["walkthrough"]
tales = list(islice(stories("chapter 01"), 2000))
counts = Counter(word for tale in tales for word in words_in(tale))
n_words = sum(counts.values())
once = sum(count == 1 for count in counts.values())
print(f"{n_words:,} words, {len(counts):,} different; {once} occur once:", counts.most_common(6))
assert n_words > 450_000 and 3700 < len(counts) < 3800 and counts.most_common(1)[0][0] == "the"

# %% exercise="01.1"

# %% tags=["walkthrough"]
folder = DATA / "runs" / "corpus_facts"


def recorded_table(table, corpus):
    """A table that was counted in ten megabytes of a corpus, as rows of numbers."""
    with open(folder / f"{table}_{corpus}.csv", encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)  # the first row is the head
    return [tuple(map(float, row)) for row in rows]


common = counts.most_common()
curves = {"our 2,000 stories": [(r, 1e6 * n / n_words) for r, (_, n) in enumerate(common, start=1)]}
curves |= {f"{name}, 10 MB": recorded_table("ranks", name) for name in ("storyworld", "tinystories")}

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(7.5, 4.8))
plots.zipf(ax, curves, {rank: common[rank - 1][0] for rank in (1, 10, 100, 1000)})
ax.set_title("Both texts bulge above Zipf's line; one breaks off")
last = {name: points[-1] for name, points in curves.items()}
per_million = dict(curves["our 2,000 stories"])
plots.show(fig, alt=(
    "Times a word occurs in a million words against its rank, both logarithmic. Our stories: "
    f"{per_million[1]:,.0f} for 'the', rank 1; {per_million[100]:,.0f} for rank 100, "
    f"{per_million[100] * 100 / per_million[1]:.1f} times the line of first over rank. Ten megabytes of "
    f"storyworld end at rank {last['storyworld, 10 MB'][0]:,.0f}, steeply; TinyStories goes on to "
    f"{last['tinystories, 10 MB'][0]:,.0f}, more evenly."
))
assert per_million[100] > 3 * per_million[1] / 100 and per_million[3000] < per_million[1] / 3000
assert [last[f"{name}, 10 MB"][0] for name in ("storyworld", "tinystories")] == [3948, 9158]

# %% [markdown]
# *Figure 1. Every word by rank. In a great many languages and texts the word of rank r occurs about 1/r times as often as the first: Zipf's law, the dashed line.*
#
# That a text of simple words bulges above the line is nothing special: TinyStories does so too. What gives storyworld away is the *end*. The program has lists of words; once they are used up nothing new comes, and the curve breaks off: only 185 words occur once. In ten megabytes of it (counted once, and kept in
# `data/runs/corpus_facts`) 95 % of all different words occur five times or more. In ten megabytes of TinyStories 57 % do: a model meets each of the others, nearly half of all, four times at most, which is little to learn from.
#
# ## A trap: vocabularies of texts of different length
#
# Which text has the richer vocabulary, storyworld or TinyStories? Let us make a mistake on purpose, and divide the number of different words by the number of all words: how many new ones for each word read. For storyworld we take the first 48 thousand
# words, for TinyStories ten megabytes. (The real text is not here, only what was counted in it.)

# %% tags=["walkthrough"]
grown = {name: recorded_table("growth", name) for name in ("storyworld", "tinystories")}
(short_n, short_different), (long_n, long_different) = grown["storyworld"][0], grown["tinystories"][-1]
with open(folder / "facts.csv", encoding="utf-8", newline="") as file:
    recorded = {row["corpus"]: row for row in csv.DictReader(file)}
print(f"storyworld:  {short_different:,.0f} of {short_n:,.0f} words, {short_different / short_n:.4f}")
print(f"tinystories: {long_different:,.0f} of {long_n:,.0f} words, {long_different / long_n:.4f}")
assert short_different / short_n > 10 * long_different / long_n
for name, share in {"storyworld": 0.95, "tinystories": 0.57}.items():
    often, different = (int(recorded[name][f"different_words{end}"]) for end in ("_seen_5_times", ""))
    assert round(often / different, 2) == share

# %% [markdown]
# Ten times richer, our toy! That is nonsense, and you see it as soon as the two are drawn as they grow. **Predict:** where will the two curves part?

# %% tags=["walkthrough"]
growth_fig, growth_ax = plt.subplots()
live = vocabulary_growth(tales)
ruler = plots.growth(growth_ax, grown | {"storyworld, our 2,000 stories": live}, 500_000)
growth_ax.set_title("TinyStories goes on finding words, storyworld does not")


def different_at(n):
    """Different words among the first n of each text, between counted places by a straight line."""
    return {name: round(float(np.interp(n, *zip((0, 0), *points)))) for name, points in grown.items()}


half, million = different_at(500_000), different_at(1_000_000)
plots.show(growth_fig, alt=(
    "Different words against words of text, up to 1.9 million. Both texts have 2,528 after some "
    f"48,000 words. At 500,000 storyworld has {half['storyworld']:,} and TinyStories "
    f"{half['tinystories']:,}; at a million {million['storyworld']:,} and {million['tinystories']:,}. "
    "Our two thousand stories lie on storyworld's curve."
))
assert abs(live[-1][1] / different_at(live[-1][0])["storyworld"] - 1) < 0.02
first = [points[0][1] for points in grown.values()]
assert first[0] == first[1] == 2528 and million["tinystories"] > 1.9 * million["storyworld"]

# %% [markdown]
# *Figure 2. Ten megabytes of each text. Stars: the two thousand stories that you counted, which are not among storyworld's ten megabytes, and lie on the same curve. The dashed line is at half a million words; move it below.*

# %%
def look(n):
    """Move the line and say what the two texts have there."""
    ruler.set_xdata([n, n])
    here = different_at(n)
    ratio = here["tinystories"] / here["storyworld"]
    return (f"Among the first {n:,} words storyworld has {here['storyworld']:,} different ones, "
            f"TinyStories {here['tinystories']:,}, {ratio:.2f} times as many.")


places = ipywidgets.IntSlider(value=500_000, min=50_000, max=1_900_000, step=50_000, description="words")
display(widgets.live_figure(growth_fig, look, n=places))

# %% [markdown]
# After some 48 thousand words the two are level: 2,528 different ones each, by chance the very same number (TinyStories took a thousand words more to get there). At a million TinyStories has nearly twice as many. **Never compare counts of different words, or shares of repeats, between texts of different length.** Nearly everything one
# counts changes with length: of the sentences of our two thousand stories less than a fifth are repeats, of ten megabytes of the same kind a quarter. Cut to the same length first.
#
# ## What comes again
#
# Openings and whole sentences come again, too. So, ten megabytes of each text, and four measures of how much it repeats itself. `corpus_facts` counted them; the cell after that does it with our two thousand stories, while you watch.

# %% tags=["walkthrough"]
measures = {
    "the 100 most frequent words": "top_100_words_share",
    "most common opening": "most_common_opening_share",
    "repeated sentences": "duplicate_sentence_share",
    "size after xz": "xz_bytes_per_byte",
}
shares = {
    text: {name: float(row[key]) for name, key in measures.items()} for text, row in recorded.items()
}
fig, ax = plt.subplots(figsize=(7.5, 4))
plots.shares_beside(ax, shares)
ax.set_title("Each text repeats itself in its own way")
listed = "; ".join(
    f"{name} {shares['storyworld'][name]:.1%} and {shares['tinystories'][name]:.1%}" for name in measures
)
plots.show(fig, alt=f"Storyworld and TinyStories, ten megabytes each: {listed}.")
opens, again = shares["tinystories"]["most common opening"], shares["storyworld"]["repeated sentences"]
assert opens > 0.5 and round(again, 2) == 0.25 and shares["storyworld"]["most common opening"] < 0.01
assert [round(text["size after xz"], 2) for text in shares.values()] == [0.15, 0.2]

# %%
here = corpus_facts(tales)
for name, key in measures.items():
    print(f"{name:28} {here[key]:6.1%} in two thousand stories")
common = Counter(map(opening, tales)).most_common(3)
print(common)
assert here["duplicate_sentence_share"] < 0.2 and common[0][1] == 28
assert here["duplicate_story_share"] == here["near_duplicate_story_share"] == 0

# %% [markdown]
# *Figure 3. Shares of all words, of all stories, of all sentences, and of all bytes.*
#
# Two kinds of sameness. More than half of TinyStories begin with the same five words (*once upon a time there*), and then go their own ways. Storyworld begins in many ways, but its sentences come from a table of forms, and a quarter of them stood
# somewhere before. `xz`, a compressor, sees it too: what repeats it stores only once, and storyworld packs to 15 % of its size, TinyStories to 20 %. A text with fewer surprises is easier to predict: a model's score on one of them says nothing about the other.
#
# ## Copies
#
# Now we plant faults. We call a story *sound* if nothing was done to it. Of a thousand stories about one in twenty is an exact copy of an earlier one, and one in twenty *nearly* a copy: a sentence is missing and a name was changed. Copies on the web are often of the second kind: the
# same article with another date, another advertisement. `labeled_stories` tells what was planted, so a finder can be scored.
#
# Everybody's first idea is Python's `set`, which keeps one of each. **Predict** what it finds.

# %% tags=["walkthrough"]
planted = {"duplicate": 0.05, "near_duplicate": 0.05}
names = {"": "sound", "near_duplicate": "nearly a copy", "duplicate": "copy"}
labeled = list(islice(labeled_stories("chapter 01 dirty", planted), 1000))
dirty, faults = [text for text, _ in labeled], [fault for _, fault in labeled]
found = {"set": set(duplicates(dirty)), "near": set(near_duplicates(dirty))}
assert len(found["set"]) == len(dirty) - len(set(dirty))
plots.show_table([
    {"planted": fault or "nothing", "stories": faults.count(fault),
     "found by set": sum(faults[i] == fault for i in found["set"]),
     "found by near_duplicates": sum(faults[i] == fault for i in found["near"])}
    for fault in ("duplicate", "near_duplicate", "")
])
assert found["set"] == {i for i, fault in enumerate(faults) if fault == "duplicate"}
assert len(found["set"]) == 62
assert found["near"] == {i for i, fault in enumerate(faults) if fault}

# %% [markdown]
# Every exact copy, and not one of the others. Without the labels you would have read "62 copies removed" and been content. A finder that was never scored on planted faults tells you what it found, not what it missed.
#
# `near_duplicates` works on **runs** of five words (*shingles*). Two stories that have nothing to do with each other share hardly any; a copy with changes keeps most. Here is the largest share of a story's runs that stands in *one* earlier story:

# %%
def largest_shares(texts):
    """For each text, the largest share of its five-word runs that one earlier text has."""
    holders, largest = defaultdict(list), []
    for i, text in enumerate(texts):
        words = words_in(text)
        runs = {tuple(words[k : k + 5]) for k in range(len(words) - 4)}
        hits = Counter(j for run in runs for j in holders[run])
        largest.append(max(hits.values(), default=0) / len(runs))
        for run in runs:
            holders[run].append(i)
    return largest


overlap = largest_shares(dirty)
rows = {name: [x for x, k in zip(overlap, faults) if k == fault] for fault, name in names.items()}
copy_fig, copy_ax = plt.subplots(figsize=(7.5, 3.4))
cut = plots.shared_runs(copy_ax, rows, 0.5)
most, least = max(rows["sound"]), min(rows["nearly a copy"])
copy_ax.set_title("Between sound stories and copies lies a wide gap")
plots.show(copy_fig, alt=(
    f"One mark a story, by the share of its runs in one earlier story. Sound: at most {most:.2f}. "
    f"Nearly copies: {least:.2f} to {max(rows['nearly a copy']):.2f}. Copies: 1. A line stands at 0.5."
))
assert most < 0.12 and least > 0.65 and set(rows["copy"]) == {1.0}

# %% [markdown]
# *Figure 4. A thousand stories. What lies to the right of the line is called a copy.*

# %%
def judge(threshold):
    """Move the line, and count what is found and who is blamed."""
    cut.set_xdata([threshold, threshold])
    copies = rows["nearly a copy"] + rows["copy"]
    hit, blamed = (sum(x >= threshold for x in group) for group in (copies, rows["sound"]))
    return (f"At {threshold:.2f}: {hit} of {len(copies)} copies found, "
            f"{blamed} of {len(rows['sound'])} sound stories blamed.")


thresholds = ipywidgets.FloatSlider(value=0.5, min=0, max=1, step=0.02, description="threshold")
display(widgets.live_figure(copy_fig, judge, threshold=thresholds))

# %% [markdown]
# Any threshold from 0.12 to 0.65 separates them without a mistake. Real text has no such gap, for quotations, recipes and songs fill it. Whoever sets the threshold decides what is thrown away.
#
# ## Leaks
#
# A text is split in two. The *training* text is what a model reads. The *validation* text is kept apart, to judge the model on stories that it has not read. A copy inside the training text takes the place of something new. A copy across the cut spoils the measurement. That is a **leak**: the exam holds a question whose answer was in the book.

# %% exercise="01.2"

# %% [markdown]
# So let us split our dirty thousand in four ways and count. **Predict** which of them is free of leaks:
#
# 1. shuffle, then cut;
# 2. shuffle, cut, and clean each side of copies;
# 3. clean of exact copies, then shuffle and cut;
# 4. clean of near copies too, then shuffle and cut.

# %% tags=["walkthrough"]
def split(texts, n_valid=200):
    """Shuffle and cut: (train, valid)."""
    mixed = random.Random(1).sample(texts, len(texts))
    return mixed[n_valid:], mixed[:n_valid]


def near_leaks(train, valid):
    """How many validation stories are nearly, or exactly, in train."""
    pairs = near_duplicates(train + valid)
    return sum(i >= len(train) > j for i, j in pairs.items())


unique = list(dict.fromkeys(dirty))
near = near_duplicates(unique)
ways = {
    "cut (1)": split(dirty),
    "cut, then clean each side (2)": [list(dict.fromkeys(side)) for side in split(dirty)],
    "clean, then cut (3)": split(unique),
    "clean of near copies, then cut (4)": split([t for i, t in enumerate(unique) if i not in near]),
}
leaked = {way: (len(leaks(*sides)), near_leaks(*sides)) for way, sides in ways.items()}
plots.show_table([{"way": way, "exact leaks": n, "exact and near": m} for way, (n, m) in leaked.items()])
exact, both = zip(*leaked.values())
assert exact[0] == 16 and exact[1] == 15 and exact[2] == exact[3] == 0 and both[2] > 5 and both[3] == 0
by_text = [[text for text in dirty if side_of(text) == side] for side in ("train", "valid")]
assert leaks(*by_text) == []

# %% [markdown]
# The second way is an easy mistake: each side by itself is spotless, and of 16 leaks 15 are left. (The one that went stood twice in `valid`.) The third is right about exact copies only. If a text comes as one file, `minilm.corpora` decides the side of each story by a *hash* of its own text, a number that is always the same for the same text (`side_of`). So
# stories that are equal but for their blanks always land on the same side, whenever you split (the cell's last line asserts it). Other copies must be found first.

# %% exercise="01.3"

# %% [markdown]
# ## What a leak does to a score
#
# Now the harm, in numbers. The score is in *bits per byte*: how surprised a model is by each byte of the validation text; less is better. Take the simplest models that there are: *n-grams*, which count what followed the last few tokens (you will build them in chapter 03; a token is about a word, chapter 02). The 1-gram looks at no context, the 3-gram at two tokens, the 5-gram
# at four. We keep 150 stories apart, train on 850, and let a growing share of those 150 slip in. **Predict:** which of the three gains most?

# %% tags=["walkthrough"]
_, tokenizer = load_model(MODELS / "storyworld")  # only for its tokenizer
encoded = [np.array([*tokenizer.encode(tale), tokenizer.end_of_text]) for tale in tales[:1000]]
exam, book = encoded[:150], encoded[150:]
exam_bytes = sum(len(tale.encode()) for tale in tales[:150])
slipped = (0, 0.1, 0.2, 0.35, 0.5)
bits = defaultdict(list)
for share in slipped:
    seen = np.concatenate(book + exam[: round(share * len(exam))])
    for order in (1, 3, 5):
        model = NGram(seen, len(tokenizer.vocab), order)
        bits[f"{order}-gram"].append(model.nats(np.concatenate(exam)) / np.log(2) / exam_bytes)
fig, ax = plt.subplots()
percent = [100 * share for share in slipped]
plots.lines(ax, percent, bits, "exam stories that were in the training text, per cent", "bits per byte")
gains = {name: 1 - values[-1] / values[0] for name, values in bits.items()}
ax.set_title(f"Half the exam leaked: 5-gram {gains['5-gram']:.0%} better, 1-gram no better")
plots.show(fig, alt="Bits per byte against the share of leaked stories, 0 to 50 per cent. " + " ".join(
    f"{name}: from {values[0]:.2f} to {values[-1]:.2f}." for name, values in bits.items()
))
assert gains["1-gram"] < 0.01 < 0.1 < gains["3-gram"] < 0.3 < gains["5-gram"] < 0.36
assert bits["3-gram"][-1] < bits["5-gram"][0] and bits["5-gram"][1] < 0.97 * bits["5-gram"][0]

# %% [markdown]
# *Figure 5. Three models, one exam. Lower is better.*
#
# No model has become any better at telling stories. What rises is the reward for *memory*, so the models do not gain alike: the longer its context, the more a model can recite. And here is the worst of it: a 3-gram that has read half of the exam beats an honest 5-gram. A leak does not only
# flatter. It can put the wrong model first.
#
# ## Is it new?
#
# The same question from the other end: a model has told a story. Did it make it up, or remember it?

# %% exercise="01.4"

# %% tags=["walkthrough"]
last = {name: max(i for i in range(300) if faults[i] == fault) for fault, name in names.items()}
lengths = (1, 2, 3, 4, 5, 6, 8, 10)
new = {name: [novelty(dirty[i], dirty[:i], n) for n in lengths] for name, i in last.items()}
fig, ax = plt.subplots(figsize=(7.5, 4))
percent = {name: [100 * value for value in values] for name, values in new.items()}
plots.lines(ax, lengths, percent, "words in a run", "new runs, per cent")
ax.set_title("How new a story looks depends on the length of the runs")
listed = "; ".join(
    f"{name}: " + ", ".join(f"{value:.0%} at {n}" for n, value in zip(lengths, values))
    for name, values in new.items()
)
plots.show(fig, alt=f"Runs that stand in no earlier story, by words in a run. {listed}.")
assert max(new["copy"]) == 0 and new["sound"][0] < 0.05 and new["sound"][-1] > 0.9
assert new["nearly a copy"][4] < 0.5 < new["sound"][4]

# %% [markdown]
# *Figure 6. Three stories from our dirty text, each compared with the stories before it.*
#
# The same for whole texts, as recorded: the last hundred stories of ten megabytes, compared with all before them.

# %%
novel = {name: dict(recorded_table("novelty", name)) for name in ("storyworld", "tinystories")}
plots.show_table([{"words in a run": n} | {name: f"{new[n]:.0%}" for name, new in novel.items()}
                  for n in (1, 2, 3, 5, 10)])
assert all(novel["storyworld"][n] < novel["tinystories"][n] for n in lengths)
assert [round(novel[name][5], 2) for name in novel] == [0.6, 0.75]

# %% [markdown]
# Of TinyStories' runs of five, a quarter stood somewhere before; of storyworld's, 40 %.
#
# Of single words hardly one is new; of runs of ten nearly all are, in a sound story. So "our model's output is 98 % novel" means nothing by itself. Always say the n, and what an honest text gets at the same n; chapter 09 does both for the stories
# that our models write.
#
# ## Broken letters
#
# A text is stored as bytes, by the rules of an *encoding* (chapter 02). Written by the rules of one and read by those of another, `It’s` becomes `Itâ€™s`. This is called **mojibake**, a Japanese word. Let us use typographic apostrophes in a thousand stories, as books do, and misread every tenth story. (47 of the hundred have no apostrophe, and come to no harm.)

# %% tags=["walkthrough"]
typeset = [tale.replace("'", "’") for tale in tales[:1000]]
misread = [tale.encode("utf-8").decode("cp1252") for tale in typeset]
broken = [bad if i % 10 == 0 else good for i, (good, bad) in enumerate(zip(typeset, misread))]
harmed = [i for i, (good, bad) in enumerate(zip(typeset, broken)) if good != bad]
words_of = {
    name: {word for text in texts for word in words_in(text)}
    for name, texts in (("sound", typeset), ("broken", broken))
}
strange = Counter(letter for text in broken for letter in text if ord(letter) > 127)
print(f"{len(harmed)} stories harmed; strange letters:", strange.most_common())
print({name: len(words) for name, words in words_of.items()}, "different words")
print(sorted(words_of["broken"] - words_of["sound"])[:8])
assert len(words_of["broken"]) > len(words_of["sound"])
assert len(harmed) == 53 and set(strange) == set("’â€™")

# %% [markdown]
# The vocabulary has *grown*. By the count alone the broken text is the richer one: once more, look at what a number counts before you are glad of it. Listing the letters beyond plain English, one line of code, shows the damage at once.

# %% exercise="01.5"

# %% [markdown]
# Is `repair` good enough to be let loose on everything? The careless version, with `errors="ignore"`, runs without complaint as well. We know the originals, so compare:

# %% tags=["walkthrough"]
def careless(text):
    """A repair that never complains."""
    return text.encode("cp1252", errors="ignore").decode("utf-8", errors="ignore")


outcome = []
for name, mend in (("repair", repair), ("careless", careless)):
    mended = [mend(text) for text in broken]
    same = [a == b for a, b in zip(mended, typeset)]
    outcome.append({
        "way": name, "harmed stories mended": sum(same[i] for i in harmed),
        "sound stories spoiled": same.count(False) - sum(not same[i] for i in harmed),
        "apostrophes lost": "".join(typeset).count("’") - "".join(mended).count("’"),
    })
plots.show_table(outcome)
assert list(outcome[0].values()) == ["repair", 53, 0, 0] and outcome[1]["harmed stories mended"] == 53
assert outcome[1]["sound stories spoiled"] == sum("’" in text for text in typeset) - 53 > 400

# %% [markdown]
# Both mend all that was harmed. The careless one also deletes every apostrophe of every sound story that has one, and says nothing. A repair must be judged on what it does to text that needs none.
#
# ## What counting cannot see
#
# One more fault. In 300 stories the words of each sentence are shuffled. **Predict:** which of our measures will notice?

# %% tags=["walkthrough"]
shuffled = list(islice(stories("chapter 01", {"shuffled_words": 1.0}), 300))
texts = {"sound": tales[:300], "shuffled": shuffled}
table = []
for name, some in texts.items():
    packed = "\n".join(some).encode()
    words = Counter(word for text in some for word in words_in(text))
    table.append({
        "text": name, "different words": len(words), "most frequent": words.most_common(1)[0][1],
        "copies": len(near_duplicates(some)),
        "size after xz": f"{len(lzma.compress(packed, preset=6)) / len(packed):.1%}",
        "new runs of 3": f"{novelty(some[0], tales[300:600], 3):.0%}",
        "sentences that parse": f"{np.mean([grade(text).grammar for text in some[:50]]):.1%}",
    })
plots.show_table(table)
print(texts["shuffled"][0][:120])
left, right = (list(row.values()) for row in table)
assert left[1:4] == right[1:4] and left[4:] == ["23.5%", "61%", "100.0%"]
assert right[4] > left[4] and right[5] > left[5] and float(right[6][:-1]) < 2

# %% [markdown]
# The different words, how often each occurs (so Zipf's curve too) and the copies are the same, to the last digit. The compressor and the runs notice that something is odd, and would praise it as *less repetitive* and *more novel*; so would the shares of repeated sentences and of common openings, which fall. Only the grader, which knows what a sentence of this world is, calls it nonsense.
#
# So this is the chapter's answer to its title: good data has no copies, no leaks, no broken letters; it varies; and it makes sense. You can count the first three, and variety too, at equal length. For sense you must read it, or have
# it graded. What copies, sameness and nonsense cost a model, chapter 12 measures. First, [chapter 02](02_tokenizer.ipynb) turns stories into numbers.
#
# ## What we know now
#
# - Storyworld runs out of words: in some 48 thousand it has as many different ones as TinyStories, at a million half as many.
# - Counts of different words and shares of repeats compare only at equal length.
# - More than half of TinyStories begin with the same five words; a quarter of storyworld's sentences stood somewhere before.
# - Comparing whole texts finds the exact copies and none of the near ones. Runs of five words find both.
# - First clean, then split. Cleaning each side by itself leaves the leaks in.
# - A leak favours memory: with half the exam leaked the 5-gram needed about a third fewer bits, the 1-gram hardly any fewer, and a leaky 3-gram beat an honest 5-gram.
# - Broken letters make a vocabulary look richer; a repair must leave sound text alone.
# - Shuffled words pass every count of words.

# %% quiz="01"

# %% [markdown]
# ## Sources
#
# - Eldan and Li, *TinyStories: How Small Can Language Models Be and Still Speak Coherent English?*, 2023, arXiv 2305.07759: the recipe of verb, noun, adjective and features.
# - Broder, *On the resemblance and containment of documents*, 1997: runs of words, and the sketch by which `near_duplicates` finds its candidates.
# - Our own: `data/runs/corpus_facts` (figures 1 to 3, and the table of new runs).

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | the story by recipe | Can it follow all of it? | Why ask for three words at all? |
# | 3 | counts and figure 1; new words for each word | Which text is richer? Everyone votes. | What is wrong with this number? |
# | 5 | figure 2 | Where do the curves part? | |
# | 7 | figure 3 | How many stories begin with the same five words? | |
# | 9 | the table of copies | What does `set` find? | How would you know what you missed? |
# | 11 | four ways to split | Which is free of leaks? | Why is the second no better than the first? |
# | 14 | figure 5 | Who gains most? | Whose table of results would you still trust? |
# | 16 | figure 6, then broken letters and the two repairs | Does damage make a vocabulary larger or smaller? | |
# | 19 | shuffled words | Which measure notices? | What is good data? |
#
# Homework: 01.2 and 01.4.
# </details>
