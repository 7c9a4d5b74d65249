# %% [markdown]
# # 09 · How do we know?
#
# "Our model is better." At what? On how many questions? Could somebody who understands nothing have scored as well? Had the model seen the questions before? In this chapter you build small exams for our models, break one, and learn what must stand beside every score. Then you read four famous tables with these eyes.
#
# By the end you will
#
# - have scored a multiple-choice exam by hand, with nothing but a model's loss;
# - have answered more than half of an exam with three lines that understand nothing;
# - know how sure a score makes you, how many items it takes to see a difference, and how two models are compared on the same items;
# - have found planted leaks, planted duplicates, and a judge that can be talked into a ten.
#
# **Time:** about 100 minutes, 60 of them for the exercises. **You need:** chapter 03 for loss and bits per byte, exercise 08.2 for Wilson's interval. No model is trained, and nothing is sent anywhere.

# %%
import csv
import json
import math
import re
import tempfile
from itertools import islice
from pathlib import Path
from random import Random
from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from IPython.display import display
from scipy.optimize import brentq

from minilm import evaluate, items, judge, ladder, plots, surface, widgets
from minilm.checkpoint import load_model
from minilm.config import DATA, MODELS
from minilm.corpora import load_corpus
from minilm.course import check, quiz
from minilm.facts import words_in
from minilm.storyworld import grade, labeled_stories, split_sentences, stories

plt.rcParams.update(plots.STYLE)
torch.set_grad_enabled(False)  # nothing is trained in this chapter
torch.set_num_threads(1)

# %% [markdown]
# ## One loss, two models
#
# A loss adds up how badly each token was guessed; where a model was wrong is lost in the sum. To see what that hides we damage the shipped storyworld model in two ways. *Near* sees 32 tokens at most and has forgotten what came before. *Vague* sees all, but is less sure of everything: its logits are divided by a temperature (chapter 07). We choose it so that both have the same loss on unseen stories.

# %% tags=["walkthrough"]
whole, tokenizer = load_model(MODELS / "storyworld")


class Damaged(torch.nn.Module):
    """A model that sees fewer tokens, or is less sure of everything."""

    def __init__(self, model, window=512, temperature=1.0):
        super().__init__()
        self.model, self.temperature = model, temperature
        self.config = SimpleNamespace(context_length=window)  # texts are cut to this length

    def forward(self, tokens):
        return self.model(tokens) / self.temperature


near = Damaged(whole, window=32)

# %% tags=["walkthrough"]
told = [[tokenizer.end_of_text, *tokenizer.encode(text)] for text in islice(stories("held back"), 10)]
told = [torch.tensor(ids[: (len(ids) - 1) // 4 * 4 + 1]) for ids in told]


def bits(model):
    """Bits per byte of ten unseen stories, each token after those before it that fit (or 3 fewer)."""
    nats = n_bytes = 0
    for ids in told:
        width = min(model.config.context_length + 1, len(ids))
        rows = ids.unfold(0, width, 4)  # windows, four tokens apart
        logits = model(rows[:, :-1]).transpose(1, 2)
        losses = torch.nn.functional.cross_entropy(logits, rows[:, 1:], reduction="none")
        nats += losses[0].sum().item() + losses[1:, -4:].sum().item()
        n_bytes += len(tokenizer.decode_bytes(ids[1:].tolist()))
    return evaluate.bits_per_byte(nats, n_bytes)


goal = bits(near)
hot = brentq(lambda t: bits(Damaged(whole, temperature=t)) - goal, 1.1, 2.0, xtol=1e-3)
models = {"whole": whole, "near": near, "vague": Damaged(whole, temperature=hot)}
cost = {name: goal if model is near else bits(model) for name, model in models.items()}
print(", ".join(f"{name} {of:.3f}" for name, of in cost.items()), "bits per byte")
assert abs(goal - cost["vague"]) < 0.002 and 0.8 < cost["whole"] / goal < 0.9

# %% [markdown]
# One number, twice. **Predict:** a story says who has the ball, and forty words later somebody asks for it. Which of the two damaged models will still know?
#
# ## A question for a language model
#
# Our models cannot answer questions; they go on with texts. So an **item** is a text broken off, its *context*, with several ways to go on, its *choices*, one of which is right. Storyworld's rules know what can be true in a story, so it can make items by itself. Here is one:

# %% tags=["walkthrough"]
exam = {kind: items.storyworld_items(kind, n) for kind, n in (("context", 100), ("reasoning", 60))}
item = exam["context"][6]
print(item.context, "...")
for choice in item.choices:
    print(f"   ...{choice}")
print("right:", item.choices[item.answer].strip(), "| why not the other:", item.reason)
assert item.choices[item.answer] == " the harmonica."

# %% [markdown]
# A model's answer is the choice that it finds likeliest after the context.

# %% exercise="09.1"

# %% tags=["walkthrough"]
start = 1 + len(tokenizer.encode(item.context))  # an end-of-text comes first, as before every story
rows, by_hand = [], []
for choice in item.choices:
    ids = [tokenizer.end_of_text, *tokenizer.encode(item.context + choice)]
    logits = whole(torch.tensor([ids]))[0]
    probs = logits.softmax(-1)[range(start - 1, len(ids) - 1), ids[start:]].tolist()
    by_hand.append(choice_score(logits, ids, start))
    pieces = [plots.shown(tokenizer.decode([i])) for i in ids[start:]]
    by_piece = ", ".join(f"{piece} {p:.3g}" for piece, p in zip(pieces, probs))
    rows.append({"choice": choice.strip(), "tokens and their probabilities": by_piece,
                 "logarithm, summed": f"{by_hand[-1]:.2f}"})
plots.show_table(rows)
by_module = evaluate.score_choices(whole, tokenizer, [item]).likelihoods[0]
assert np.allclose(by_hand, by_module, atol=1e-3) and 11.2 < by_hand[0] - by_hand[1] < 11.6

# %% [markdown]
# The model is right, and sure of it: the logarithms differ by 11.4, so it holds the harmonica to be $e^{11.4}$, some ninety thousand, times as likely. `minilm.evaluate.score_choices` does the same for many items at once. A blind guess is right in one of two cases. That is the **chance level**, and no score means anything without it.
#
# ### Long choices
#
# Here both choices have three tokens. Often one is longer.

# %% exercise="09.2"

# %% [markdown]
# So one may divide the sum by the number of tokens or bytes of the choice: *length normalisation*. Here is an item on which the two ways disagree.

# %%
asked = exam["reasoning"] + exam["context"]
plain = evaluate.score_choices(whole, tokenizer, asked).likelihoods
per_byte = [[nats / len(choice.encode()) for nats, choice in zip(sums, one.choices)]
            for sums, one in zip(plain, asked)]
turned = [n for n in range(len(asked)) if np.argmax(plain[n]) != np.argmax(per_byte[n])]
shown = asked[turned[0]]
print("...", shown.context[-170:], "...")
plots.show_table([
    {"choice": choice.strip(), "right": "yes" if n == shown.answer else "no",
     "sum": f"{plain[turned[0]][n]:.2f}", "bytes": len(choice.encode()),
     "per byte": f"{per_byte[turned[0]][n]:.3f}"} for n, choice in enumerate(shown.choices)])
n_right = [sum(int(np.argmax(found)) == one.answer for found, one in zip(way, asked))
           for way in (plain, per_byte)]
print(f"{len(turned)} verdicts of {len(asked)} turn; right by sum {n_right[0]}, per byte {n_right[1]}")
assert len(turned) == n_right[0] - n_right[1] == 5

# %% [markdown]
# Five verdicts turn, all for the worse (five coins fall alike once in sixteen): dividing favours the longer name. Papers choose differently: for LLaMA the likelihood was divided by the number of characters, and for two of its eight tasks by something else. So a score needs its rule beside it.
#
# ## Who else could answer?
#
# An exam that comes to mind at once: leave out the last word of a sentence, if it stood in the story before, and offer it among three other words of that story, drawn by chance. Four choices, so blind guessing gives 25 %. **Predict:** how many would somebody get right who cannot read at all?

# %% exercise="09.3"

# %% tags=["walkthrough"]
def naive_exam(texts, dice):
    """(context, words, the right one's place): a last word that stood there before, and three others."""
    for sentences in map(split_sentences, texts):
        for place in dice.sample(range(4, len(sentences)), len(sentences) - 4):
            *begun, answer = words_in(sentences[place]) or [""]
            before = " ".join(sentences[:place])
            said = {word for word in words_in(before) if len(word) > 2 and word.isalpha()}
            others = sorted(said - items.FUNCTION_WORDS - {answer})
            if answer in said - items.FUNCTION_WORDS and len(others) > 2:
                words = sorted([answer, *dice.sample(others, 3)])  # by the alphabet
                yield f"{before} {' '.join(begun)}", words, words.index(answer)
                break


naive = list(naive_exam(islice(stories("naive"), 200), Random(0)))
cloze = items.cloze_from_stories(islice(stories("cloze"), 400), 60)
hits = [last_mentioned(one.context, items.differing(one.choices)) == one.answer  # words without marks
        for one in cloze]
guessed = {"our naive exam": [last_mentioned(*asked) == place for *asked, place in naive],
           "items.cloze_from_stories": hits}
found = {name: evaluate.accuracy(np.array(of)) for name, of in guessed.items()}
plots.show_table([{"exam": name, "items": of.n_items, "the last mentioned is right": f"{of.share:.0%}",
                   "95 %": f"{of.low:.0%} to {of.high:.0%}"} for name, of in found.items()])
assert np.allclose([of.share for of in found.values()], (0.54, 0.27), atol=0.01)

# %% [markdown]
# More than half, by a rule that reads nothing but the order of words. What a story speaks of, it has just spoken of; the wrong words came from anywhere. A model that scores 54 % here need not have understood a thing, and looks far better than chance.
#
# `minilm.items` therefore demands three things. Every choice stands in the context, so none can be ruled out for being new. Four such guessers (last, first, most often, shortest) are watched while the set is made, and an item is only taken if none of them gets ahead of chance, or falls behind. And a story gives one item at most.
#
# ## Five exams
#
# Four kinds come from storyworld's rules, each with two choices: *facts* (whose is it?), *looks* (which colour?), *context* (who has it by now?), *reasoning* (what follows from two sentences?). The fifth, *cloze*, leaves out a last word and offers four. A hundred of each, asked of both shipped models, are kept as a record (`benchmarks/bench_items.py`). **Predict** the order of the kinds for the storyworld model. And the other model, which read no word of storyworld: will it be at chance?

# %% tags=["walkthrough"]
record = json.loads((DATA / "runs" / "benchmarks" / "items.json").read_text())["values"]
KINDS, N = (*items.KINDS, "cloze"), record["items_a_kind"]


def share_of(right, n):
    """(share, low, high): Wilson's interval."""
    found = evaluate.accuracy(np.arange(n) < right)
    return found.share, found.low, found.high


shares = {f"{name} model": {kind: share_of(record[f"{kind}_{name}_right"], N) for kind in KINDS}
          for name in ("storyworld", "tinystories")}
fig, ax = plt.subplots(figsize=(7.5, 4))
plots.shares_in_rows(ax, shares, {kind: 0.25 if kind == "cloze" else 0.5 for kind in KINDS})
ax.set_title("It follows what happens, and misses what things look like")
ax.set_xlim(0, 100)
told = "; ".join(f"{kind} " + " and ".join(f"{of[kind][0]:.0%}" for of in shares.values())
                 for kind in KINDS)
plots.show(fig, alt=f"Shares of right answers by kind, storyworld and TinyStories model: {told}.")
assert [record[f"{kind}_storyworld_right"] for kind in KINDS] == [59, 49, 79, 82, 92]
assert [record[f"{kind}_tinystories_right"] for kind in KINDS] == [55, 61, 47, 60, 46]

# %% [markdown]
# *Figure 1. A hundred items of each kind; bars are Wilson's intervals of 95 %, dashed lines blind guessing.*
#
# Where a story must be followed the storyworld model does well: 79 of 100 for context, 82 for reasoning, 92 for cloze. It tells whose a thing is in 59 (49 to 68) and what it looks like in 49: by these items neither can be told from a coin. The other model reads foreign stories. Yet it answers 46 of the cloze items, far more than 25: in any story one runs to a lake sooner than to a tiara. Its other marks lie near the line; two seem above it, 61 for looks and 60 for reasoning. What that is worth we shall see.
#
# ### Would it have written the word?
#
# To choose among four words is easier than to find the one. LAMBADA (2016) asks for that: the last word counts if it is what the model would have written itself. RACE (2017) offers four answers about a text, like our choices. And MMLU (2020) asks for a *letter*, after a few solved items, which is called **few-shot**. The same items, the three ways:

# %% tags=["walkthrough"]
solved = sorted(exam["context"], key=lambda one: len(one.context))[1:2]
print(items.few_shot(item, solved).context[-530:], "\n")
n_right = {"cloze: chooses among four": record["cloze_storyworld_right"],
           "cloze: would have written it": record["cloze_storyworld_written"],
           "context: chooses": record["context_storyworld_right"]}
n_right |= {f"context, by letter, {n} solved before": record[f"shots_{n}_storyworld_right"]
            for n in range(3)}
plots.show_table([{"way": way, "right of 100": k, "95 %": "{:.0%} to {:.0%}".format(*share_of(k, N)[1:])}
                  for way, k in n_right.items()])
others = [items.few_shot(one, solved) for one in exam["context"][:20] if one not in solved]
letters = evaluate.score_choices(whole, tokenizer, others).likelihoods
print(f"answers A to {sum(a > b for a, b in letters)} of {len(letters)}; A is right in "
      f"{sum(one.answer == 0 for one in exam['context'])} of {N}")
assert all(a > b for a, b in letters) and list(n_right.values())[3:] == [55, 55, 55]

# %% [markdown]
# By letter it says A, whatever is asked; and A is right in 55 of our hundred. Solved items change nothing, for it has never seen a list of answers. An exam by letters measures first of all whether a model knows exams. Large models have met such lists.
#
# ## Back to the two models
#
# Near and Vague have the same loss. Now ask them.

# %% tags=["walkthrough"]
right = {name: evaluate.score_choices(model, tokenizer, exam["context"] + exam["reasoning"]).right
         for name, model in models.items()}
plots.show_table([
    {"model": name, "bits per byte": f"{cost[name]:.3f}",
     "items right": f"{right[name].mean():.0%}",
     "95 %": "{:.0%} to {:.0%}".format(*share_of(right[name].sum(), len(right[name]))[1:])}
    for name in models])
between = evaluate.compare(right["vague"], right["near"])
print(f"vague less near: {between.difference:+.0%} ({between.low:+.0%} to {between.high:+.0%})")
assert np.allclose([right[name].mean() for name in models], (0.81, 0.67, 0.81), atol=0.015)
assert between.low > 0.02

# %% [markdown]
# Vague needs a fifth more bits than the whole model, 0.38 in place of 0.32, and answers as many items, 81 %. Near has Vague's loss, and answers 67 %: it is Vague that still knows who has the ball. Dividing logits leaves the order of the tokens as it was, and nearly that of the choices. Forgetting costs little on most tokens, and everything where somebody must be remembered. So equal losses may hide a gap of fourteen points, and unequal ones no gap at all.
#
# But these are 160 items. Is it luck? (The range beside the 14 % comes from drawing 160 of the items again and again, some twice, some not at all: the *bootstrap*.)
#
# ## How sure?
#
# Wilson's interval (08.2) holds all true shares from which the found one is at most 1.96 standard deviations away. By hand, for the context items:

# %%
k, n, z = record["context_storyworld_right"], N, 1.96
centre = (k + z**2 / 2) / (n + z**2)
half = z / (n + z**2) * math.sqrt(k * (n - k) / n + z**2 / 4)
print(f"{k} of {n}: {centre - half:.3f} to {centre + half:.3f}")
assert np.allclose((centre - half, centre + half), share_of(k, n)[1:], atol=1e-4)

# %% [markdown]
# Some 16 points wide. Suppose that the true shares of two models are 80 % and 85 %. **Predict:** if each is asked a hundred items, how often does the better one come out ahead? And how often *clearly*, by two standard deviations (08.2)? Equal models come out so far apart, one way or the other, in one exam of twenty.

# %% tags=["walkthrough"]
TRUE = (0.80, 0.85)


def outcomes(n_items):
    """How often the better model is ahead, and how often clearly; each model has items of its own."""
    worse, better = (scipy.stats.binom.pmf(np.arange(n_items + 1), n_items, p) for p in TRUE)
    lead, chance = np.arange(-n_items, n_items + 1), np.convolve(better, worse[::-1])
    clear = 2 * math.sqrt(sum(p * (1 - p) for p in TRUE) / n_items)  # two standard deviations
    return chance[lead > 0].sum(), chance[lead / n_items >= clear].sum()


fig, ax = plt.subplots(figsize=(8, 3.8))
plots.found_shares(ax, TRUE, 100)
ax.set_title("With 100 items 80 % and 85 % look alike")
plots.show(fig, alt="How likely each score is with 100 items, for true shares of 80 and 85 %: two wide "
                    "humps that overlap for the most part.")
print("better model ahead in {:.0%} of such exams, clearly in {:.0%}".format(*outcomes(100)))
assert np.allclose(outcomes(100), (0.79, 0.15), atol=0.05)

# %%
live_fig, live_ax = plt.subplots(figsize=(8, 3.8))
live_curves = plots.found_shares(live_ax, TRUE, 100)


def ask(n_items):
    """Draw what exams with so many items find."""
    plots.set_found_shares(live_curves, TRUE, n_items)
    live_ax.set_title(f"{n_items} items for each model")
    ahead, clearly = outcomes(n_items)
    return (f"With {n_items} items each, the better model is ahead in {ahead:.0%} of such exams, and by "
            f"two standard deviations or more in {clearly:.0%}.")


ask(100)
slider = ipywidgets.IntSlider(value=100, min=50, max=2000, step=50, description="items")
display(widgets.live_figure(live_fig, ask, n_items=slider))

# %% [markdown]
# *Figure 2. How many of 100 exams end within each step of 2 points. Dashed: the true shares.*

# %% exercise="09.4"

# %% [markdown]
# ### One exam for both
#
# It costs nothing to ask both models the *same* items. Some are hard for all models, some easy; now that luck cancels, the more so the more alike the models answer.

# %% exercise="09.5"

# %% tags=["walkthrough"]
for one, other in (("vague", "near"), ("whole", "vague"), ("whole", "near")):
    p, found = paired_p(right[one], right[other]), evaluate.compare(right[one], right[other])
    print(f"{one:5} against {other:5}: {found.n_only_first:2} items only the first, "
          f"{found.n_only_second:2} only the second, p = {p:.4f}")
    assert math.isclose(p, found.p_value) and (p < 0.01) == (other == "near")
spread = math.sqrt(sum(right[name].var() / len(right[name]) for name in ("vague", "near")))
own = 2 * scipy.stats.norm.sf((right["vague"].mean() - right["near"].mean()) / spread)
print(f"vague against near, if each had answered items of its own: p = {own:.4f}")
assert 0.004 < own < 0.0055

# %% [markdown]
# Such a number is a *p-value*, printed as p (no share this time). Of the 52 items that part Vague and Near, 37 went to Vague; luck alone would be as lopsided in three exams of a thousand (in five, had each answered items of its own: little was gained). Whole and Vague differ on two, one to each. That does not prove them equal.
#
# Does a p-value keep its word? Let two models be *exactly* equally good, on items of which some are hard for both and some easy, and see how often p falls below 0.05: it should be in one exam of twenty, or fewer. But many comparisons are many chances of a false alarm. **Predict:** with twenty, how often is at least one below 0.05?

# %% tags=["walkthrough"]
rng = np.random.default_rng(0)


def exam_of_equals(n_items=200):
    """The answers of two equally good models; an item has the same difficulty for both."""
    ease = rng.beta(0.8, 0.2, n_items)
    return rng.random((2, n_items)) < ease


p_values = np.array([paired_p(*exam_of_equals()) for _ in range(4000)])
counts = (1, 5, 10, 20, 40)
alarms = [100 * (p_values.reshape(-1, n).min(1) <= 0.05).mean() for n in counts]
fig, ax = plt.subplots(figsize=(7.5, 3.6))
plots.lines(ax, counts, {"": alarms}, "comparisons of equals", "at least one false alarm, per cent")
ax.set_title("Compare often enough, and equals differ")
told = ", ".join(f"{n}: {share:.0f} %" for n, share in zip(counts, alarms))
plots.show(fig, alt=f"Rounds with at least one p below 0.05, by the number of comparisons. {told}.")
print("comparisons, and rounds with a false alarm:", told)
looks = scipy.stats.binomtest(record["looks_tinystories_right"], N).pvalue
print(f"looks, TinyStories model, against a coin: p = {looks:.3f}")
assert alarms[0] < 5 and 35 < alarms[3] < 64 and round(looks, 3) == 0.035

# %% [markdown]
# *Figure 3. 4,000 exams of 200 items, simulated. For twenty comparisons one would expect $1-0.95^{20}$, 64 %; but the test is more careful than it promises, since counts are whole numbers. For forty there are only 100 rounds.*
#
# So say how many comparisons you made, decide beforehand which counts, or ask for 0.05 divided by their number (Bonferroni's rule). Now the 61 for looks: a coin gives 61 or more, or 39 or fewer, in 35 exams of a thousand. For one of ten marks it would have to be fewer than five.
#
# ## Who examines the examiner?
#
# An exam is a program, and programs have bugs. So give it models whose score you know. Ours know texts by heart: one all right answers, one all wrong ones, one those that a coin picks.

# %% tags=["walkthrough"]
class Planted(torch.nn.Module):
    """Knows some texts by heart, and nothing else."""

    def __init__(self, texts):
        super().__init__()
        self.config, self.following = whole.config, {}
        for ids in ([tokenizer.end_of_text, *tokenizer.encode(text)] for text in texts):
            self.following |= {tuple(ids[:i]): ids[i] for i in range(1, len(ids))}

    def forward(self, tokens):
        logits = torch.zeros(*tokens.shape, tokenizer.vocab_size)
        for b, row in enumerate(tokens.tolist()):
            for i in range(len(row)):
                if tuple(row[: i + 1]) in self.following:
                    logits[b, i, self.following[tuple(row[: i + 1])]] = 20
        return logits


dice, sixty = Random(0), exam["context"][:60]
picks = {"always right": lambda one: one.answer, "always wrong": lambda one: 1 - one.answer,
         "a coin": lambda one: dice.randrange(2)}
planted = {name: Planted([one.context + one.choices[pick(one)] for one in sixty])
           for name, pick in picks.items()}
found = {name: evaluate.score_choices(model, tokenizer, sixty).right.mean()
         for name, model in planted.items()}
print(", ".join(f"{name} {share:.0%}" for name, share in found.items()))
assert found["always right"] == 1 and found["always wrong"] == 0 and 0.3 < found["a coin"] < 0.7

# %% [markdown]
# The instrument reads one, nought and about a half where it should. But the model that is always right is also a warning. It has *read the exam*. Large models read much of the public web, exams included. So one searches the training text for every item. GPT-3's authors looked for runs of 13 words, and so do we, at the end of an item with its right choice. We plant three leaks, one of them in capitals, a story that holds a context but not its answer, and one item twice:

# %%
text = list(islice(stories("training"), 300))
for number in (3, 14, 59):
    text.append("So it was. " + sixty[number].text + " The end.")
text[-1] = text[-1].upper()
text.append(sixty[20].context)
twice = [*sixty, sixty[7]]
print("leaked:", items.leaked(sixty, text), "| repeated:", items.repeated(twice))
print(f"in the record: {record['items_leaked']} of {5 * N} items leaked, "
      f"{record['items_repeated']} repeated")
assert items.leaked(sixty, text) == [3, 14, 59] and items.repeated(twice) == [60]
assert (record["items_leaked"], record["items_repeated"]) == (15, 0)

# %% [markdown]
# All three were found, and the context alone was rightly passed over. In the record 15 of 500 are found, though nobody copied: a small world says some long sentences again. What no such search finds is an item told in other words.
#
# ## Judges
#
# How *good* is a story? There are three instruments, each blind in another way. The first is storyworld's reader, exact, and at home in one little language:

# %%
planted = islice(labeled_stories("to be judged", {"contradiction": 1.0}), 20)
to_read = {"unseen stories": list(islice(stories("to be judged"), 20)),
           "with a planted contradiction": [text for text, kind in planted if kind],
           "of our own pen": judge.ANCHORS["good"]}
rows = []
for name, texts in to_read.items():
    found = [grade(text) for text in texts]
    lost = sum(len(one.unparsed) for one in found) / sum(len(one.sentences) for one in found)
    rows.append({"stories": name, "sentences read": f"{1 - lost:.0%}",
                 "stories with faults": f"{sum(bool(one.faults) for one in found)} of {len(found)}"})
plots.show_table(rows)

# %% [markdown]
# It finds every planted contradiction, and minds nothing in sound stories. It understands no sentence of two good stories told in other words: beyond storyworld its verdicts are worth nothing.
#
# The second is counting. What is new in the stories, what is copied, what comes again? In chapter 08 one readable sentence in four of a model was copied; now longer pieces. Forty stories each, beside the sixteenth of storyworld that the first model read eight times, and the second once among the rest. *Said twice* is the share of 07.4; *alike* says how many pairs of neighbouring words two stories share:

# %%
with tempfile.TemporaryDirectory() as out:
    corpus = ladder.part_of(load_corpus("storyworld", progress=False), 0.0625, Path(out))
    text_read = list(corpus.stories("train"))
with open(DATA / "runs" / "ladder" / "stories.csv", encoding="utf-8", newline="") as file:
    kept = [row for row in csv.DictReader(file) if not row["prompt"] and row["story"].strip()]
runs = {"d128-L2, read it 8 times": "storyworld_d128-L2_0.0625x8_seed0",
        "d256-L8, read it once": "storyworld_d256-L8_1x1_seed0"}
told_by = {name: [row["story"] for row in kept if row["run"] == run] for name, run in runs.items()}
told_by["unseen stories"] = list(islice(stories("control"), 40))
counted = {name: surface.surface(texts, text_read) for name, texts in told_by.items()}
plots.show_table([
    {"stories": name, "new runs of 5 words": f"{one['new_5']:.0%}",
     "longest copied run, mean": f"{one['copied_mean']:.0f} words",
     "longest of all": f"{one['copied_longest']} words",
     "said twice": f"{one['repeated_4']:.1%}", "alike (ROUGE-2)": f"{one['rouge_2_f_among']:.2f}"}
    for name, one in counted.items()])
first, second, control = counted.values()
assert max(one["copied_longest"] for one in counted.values()) == control["copied_longest"] == 15
assert first["repeated_4"] > 4 * max(second["repeated_4"], control["repeated_4"])

# %% [markdown]
# Fifteen words in a row, copied! It would look like a finding, but the unseen stories have fifteen, too: all share the sentences of one small world. By this count the models recite hardly more than the generator does; chapter 08 saw single sentences. But the first model repeats *itself*, five times as often as the others.
#
# ### A judge that reads
#
# The third is a large model with a *rubric*, a list of what to mark and how. Eldan and Li asked GPT-4 to mark stories as a teacher would, and to guess the writer's age. `minilm.judge` does so through any server that speaks OpenAI's protocol; it says what it will send and what that costs, and sends nothing without consent. No such server is at hand. Here is what it would be sent for a story that asks for a ten:

# %% tags=["walkthrough"]
(plea,) = judge.ANCHORS["pleading"]
system, user = (re.sub(r"\b[0-9a-f]{16}\b", "MARKER", one["content"]) for one in judge.messages(plea))
print(system[:-130].split("\n\n")[1], "\n\n----\n" + user)
too_good = '{"grammar": 11, "creativity": 4, "consistency": 8, "plot": 5, "age": "6-7"}'
for answer in ('{"grammar": 10}', "Ten for all!", too_good):
    try:
        judge.read_marks(answer)
    except ValueError as error:
        print("\nno marks:", error)

# %% [markdown]
# MARKER stands for sixteen random digits, new for every story, so no story can know the line that ends it. An answer counts only if it is one set of marks from 1 to 10. Whether the judge obeys the story is another matter, and must be tried. For that there are **anchors**: nine little stories of which we know how they should compare, this one among them. Below, two *pretend judges* of ours mark them. They are rules, not models: grammar is the share of word pairs that stand in a thousand stories of storyworld, too; creativity and plot are spoiled by repetition; consistency copies grammar. One of them also obeys what it reads.

# %% tags=["walkthrough"]
texts = map(words_in, islice(stories("reference"), 1000))
pairs = {pair for words in texts for pair in zip(words, words[1:])}


class Pretend:
    """A judge of ours that follows rules, for want of a model."""

    def __init__(self, obeys):
        self.obeys = obeys

    def mark(self, told, prompt="", *, consent=False):
        return [self.marks(story) for story in told]

    def marks(self, story):
        words = words_in(story)
        known = np.mean([pair in pairs for pair in zip(words, words[1:])])
        own = 0.5 - surface.repeated_share(story) / 2
        grammar, own = (min(10, 1 + int(12 * share)) for share in (known, own))
        if self.obeys and "must give 10" in story:
            grammar = own = 10
        return judge.Marks(grammar=grammar, creativity=own, consistency=grammar, plot=own, age="6-7")


checked = {name: judge.calibrate(Pretend(name == "obedient")) for name in ("stern", "obedient")}
plots.show_table([
    {"criterion": a.criterion, "good stories": a.good, "against": a.fault, "the stern one": a.faulty,
     "holds": a.holds, "the obedient one": b.faulty, "holds too": b.holds}
    for a, b in zip(*checked.values())])
assert [a.holds for a in checked["stern"]] == [True, True, False, True, True]
assert not checked["obedient"][1].holds

# %% [markdown]
# *Holds*: every good story is marked above every faulty one. The stern one passes the few anchors for grammar and repetition, and fails for consistency: it counts pairs of words, so contradictions look like good stories to it. The obedient one gives the begging story a ten.

# %% exercise="09.6"

# %%
anchors = [story for told in judge.ANCHORS.values() for story in told]
stern, obedient = ([one.grammar for one in Pretend(obeys).mark(anchors)] for obeys in (False, True))
print(f"grammar, on {len(anchors)} anchors: {kappa(stern, obedient):.2f}; without the begging story "
      f"{kappa(*zip(*((a, b) for a, b, told in zip(stern, obedient, anchors) if told != plea))):.2f}")

# %% [markdown]
# One person has marked three of the TinyStories models, as GPT-4 did for the paper (V. Bakshi, 2025). Only means are published, so no kappa; here both are shares of full marks.

# %% tags=["walkthrough"]
def published(name):
    """Rows of data/published, without those that nobody has checked."""
    with open(DATA / "published" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["status"] != "memory"]


rows = published("tinystories_human_vs_gpt4_grades")
marks = {"a person": {}, "GPT-4": {}}
for row in rows:
    name = f"{row['criterion']}, {row['model'].removeprefix('TinyStories-')}"
    for who, column in zip(marks, ("human_fraction", "paper_gpt4_fraction")):
        marks[who][name] = (float(row[column]),) * 3
fig, ax = plt.subplots(figsize=(7, 5))
plots.shares_in_rows(ax, marks)
ax.set(xlim=(0, 100), xlabel="of full marks, per cent")
ax.set_title("Near in grammar, far apart in the rest, in one order")
gaps = {name: round(100 * (marks["GPT-4"][name][0] - value[0]))
        for name, value in marks["a person"].items()}
plots.show(fig, alt=f"Marks by a person and by GPT-4; GPT-4's are higher by, in points: {gaps}.")
apart = {name.split(",")[0]: [] for name in gaps}
for name, gap in gaps.items():
    apart[name.split(",")[0]].append(abs(gap))
assert max(apart.pop("grammar")) <= 5 and min(map(np.mean, apart.values())) > 20
assert all(np.argsort([of[f"{what}, {size}"][0] for size in ("1M", "8M", "28M")]).tolist() == [0, 1, 2]
           for of in marks.values() for what in ("grammar", *apart))

# %% [markdown]
# *Figure 4. The person gave 0, ½ or 1, for 150 prompts.*
#
# On grammar they are five points apart at most; on creativity up to 49. By each criterion both put the three models in the same order. So the order may stand where the grade does not. A Qwen2.5 model, asked by somebody else, gave marks from 0 to 5:

# %%
rows = published("tinystories_llm_judge_ladder")
marks = {row["model"]: (float(row["overall_out_of_5"]), float(row["ci95_half_width"])) for row in rows}
plots.show_table([{"stories by": name, "overall, of 5": f"{mark:.2f}", "95 %": f"± {half:.2f}"}
                  for name, (mark, half) in marks.items()])
decoding = {row["decoding"]: float(row["overall_out_of_5"])
            for row in published("tinystories_judge_decoding")}
print("TinyStories-33M:", ", ".join(f"{how} {mark}" for how, mark in decoding.items()))
assert marks["TinyStories-28M"][0] - marks["TinyStories-33M"][0] < marks["TinyStories-33M"][1]
assert 0.68 < decoding["greedy"] - decoding["sampling"] < 0.7

# %% [markdown]
# 28M and 33M cannot be told apart. But the *same* 33M model loses 0.69 when its tokens are drawn instead of taken greedily: three quarters of the step from 3M to 8M.
#
# ## Four famous tables
#
# **MMLU**, 57 subjects with four answers, five solved items before each:

# %% tags=["walkthrough"]
rows = [row for row in published("mmlu_5shot")
        if not re.search(r"abstract|PaLM|NeoX|tuned|LLaMA-(13|33)B", row["system"])]
scores = {row["system"].replace(" (Table 6)", ""): float(row["accuracy_percent"]) for row in rows}
people = [row["system"] for row in rows if row["group"] != "model"]
bars = {name: score for name, score in scores.items() if name != "random"}
fig, ax = plt.subplots(figsize=(7.5, 4.8))
plots.exam_scores(ax, bars, {"guessing blindly": scores["random"]}, people)
ax.set_title("Chinchilla is above the forecasts, and below the experts", pad=24)
told = ", ".join(f"{name} {score:.1f}" for name, score in scores.items())
plots.show(fig, alt=f"MMLU, five shots, per cent: {told}. People and forecasts are hatched.")

# %%
by_task = [(float(row["chinchilla_70b_percent"]), float(row["gopher_280b_percent"]))
           for row in published("mmlu_per_task_chinchilla_gopher")]
chinchilla, gopher = np.array(by_task).T
print(f"means of {len(by_task)} subjects: {chinchilla.mean():.2f} and {gopher.mean():.2f}")
print(f"Chinchilla is better in {(chinchilla > gopher).sum()}, equal in {(chinchilla == gopher).sum()}")
assert (round(chinchilla.mean(), 2), round(gopher.mean(), 2)) == (67.64, 60.61)
assert scores["Gopher 280B"] == 60.0 and (chinchilla > gopher).sum() == 51

# %% [markdown]
# *Figure 5. MMLU, five shots; hatched: people, and forecasts made in 2021 for June of 2022 and 2023. The average rater was hired on the web, and is no specialist; the expert is an estimate, of examinees whom only one in twenty beats. From Hoffmann et al., Touvron et al. and, for the smallest, the Open LLM Leaderboard.*
#
# A model a quarter of Gopher's size is better in 51 of 57 subjects. But of the two printed means, 67.6 *is* the mean of its column in the appendix, and 60.0 is not: that column's mean is 60.61. So the gap is 7.6 points as printed and 7.0 by one and the same mean. Recompute before you quote.
#
# **Reading**: LAMBADA, the last word, and RACE, four answers about a text, from middle schools (RACE-m) and high schools (RACE-h).

# %%
wanted = {"Chinchilla 70B": "few-shot", "Gopher 280B": "few-shot", "GPT-3 175B": "few-shot",
          "LLaMA-65B": "zero-shot"}
labels = {"GPT-3 175B": "GPT-3, another prompt", "LLaMA-65B": "LLaMA-65B, no solved items"}
reading = {}
for row in published("reading_comprehension"):
    asked_so = row["benchmark"] == "LAMBADA" or wanted.get(row["model"]) == row["setting"]
    if row["model"] in wanted and asked_so:
        name = labels.get(row["model"], row["model"])
        reading.setdefault(name, {})[row["benchmark"]] = (float(row["accuracy_percent"]) / 100,) * 3
fig, ax = plt.subplots(figsize=(7, 3.2))
plots.shares_in_rows(ax, reading, {"RACE-m": 0.25, "RACE-h": 0.25})
ax.set(xlim=(0, 100))
ax.set_title("Side by side on LAMBADA, far apart on RACE")


def in_words(table):
    """The scores of a figure, for those who cannot see it."""
    rows = {name: [f"{exam} {100 * share:.1f}" for exam, (share, *_) in of.items()]
            for name, of in table.items()}
    return "; ".join(f"{name}: {', '.join(scores)}" for name, scores in rows.items())


plots.show(fig, alt=f"Reading, per cent. {in_words(reading)}. Blind guessing gives 25 on RACE.")
a, b = reading["Chinchilla 70B"], reading["GPT-3, another prompt"]
lead = {exam: round(100 * (a[exam][0] - b[exam][0]), 1) for exam in ("LAMBADA", "RACE-h")}
assert lead == {"LAMBADA": 1.2, "RACE-h": 35.5}

# %% [markdown]
# *Figure 6. LAMBADA without solved items; it has no chance level, since any word may come. On RACE all but LLaMA saw solved items.*
#
# On LAMBADA Chinchilla is 1.2 points ahead of GPT-3; on RACE-h 35.5, where GPT-3 got the items in another form, another *prompt*. How much of that is the form nobody can say: Hoffmann et al. call them not comparable.
#
# **Common sense**, with a small model beside the giants: endings of everyday scenes (HellaSwag), school science (ARC), whom a pronoun means (WinoGrande).

# %%
columns = {"HellaSwag": "hellaswag_percent", "ARC-challenge": "arc_challenge_percent",
           "WinoGrande": "winogrande_percent"}
common = {row["model"]: {name: (float(row[column]) / 100,) * 3 for name, column in columns.items()}
          for row in published("common_sense_zero_shot")
          if row["model"] in ("LLaMA-65B", "LLaMA-7B", "GPT-3 175B")}
small, chance = {}, {}
for row in published("tinystories_openllm_leaderboard"):
    if row["model"] == "TinyStories-33M" and row["benchmark"] in columns:
        small[row["benchmark"]] = (float(row["score_percent"]) / 100,) * 3
        chance[row["benchmark"]] = float(row["chance_percent"]) / 100
common["TinyStories-33M"] = small
fig, ax = plt.subplots(figsize=(7, 3.2))
plots.shares_in_rows(ax, common, chance)
ax.set(xlim=(0, 100))
ax.set_title("On general exams TinyStories-33M is within a point of chance")
levels = ", ".join(f"{name} {100 * share:.0f}" for name, share in chance.items())
plots.show(fig, alt=f"Common-sense exams, per cent. {in_words(common)}. Blind guessing: {levels}.")
assert all(abs(share[0] - chance[name]) < 0.01 for name, share in small.items())

# %% [markdown]
# *Figure 7. LLaMA and GPT-3 without solved items (Touvron et al.); TinyStories-33M after 10 (HellaSwag), 25 (ARC) and 5 (WinoGrande) of them (Open LLM Leaderboard).*
#
# The model that writes fluent stories is within a point of chance on all three: these exams do not measure what it can do. For that its makers used **grades**, the fourth table: GPT-4's marks out of ten, as far as we have them.

# %%
rows = [row for row in published("tinystories_fig4_gpt_eval") if row["layers"] in ("8", "")]
grades = ("grammar", "creativity", "consistency", "plot")
plots.show_table([
    {"model": f"width {row['hidden_size']}, 8 layers" if row["layers"] else row["model"],
     "loss": row["eval_loss_nats_per_token"] or "–"} | {g: row[f"{g}_out_of_10"] or "–" for g in grades}
    for row in rows])

# %% [markdown]
# From width 64 to 768 consistency rises from 4.45 to 9.34, grammar by 2.5. That is an order, by one judge, on one set of beginnings; we know of no interval.
#
# ## What we know now
#
# - Two models with the same bits per byte answered different shares of our items: 67 and 81 %. A third needed 16 % fewer bits than these and answered no more than the better of them.
# - A language model answers a question by the likelihood of the choices; its loss is all one needs. How choices of unequal length are treated turned few verdicts here, and must be said beside a score.
# - The word that was mentioned last solved 54 % of a naive exam whose chance level is 25 %, without a model.
# - Of two choices the storyworld model finds the right one in 79 and 82 of 100 items on what happens, and in 49 on what things look like, as a coin might. By letter it always says A, with or without solved items.
# - With 100 items, a model that is better by 5 points comes out ahead in four of five exams, and clearly so in one of seven. Comparing on the same items helped little here; comparing often invites false alarms.
# - Planted models score 1, 0 and chance; planted leaks and duplicates were found.
# - A rubric judge is calibrated with anchors before it is believed. A person and GPT-4 agreed on grammar within 5 points, elsewhere only in the order; decoding alone moved a grade by 0.69 of 5.
# - What a real judge says of our own models we have not measured.

# %% quiz="09"

# %% [markdown]
# ## Sources
#
# - Eldan and Li, *TinyStories*, 2023, arXiv 2305.07759: marks by GPT-4 (section 3, figure 4); prompts for facts, reasoning and context.
# - Paperno et al., *The LAMBADA dataset*, 2016, arXiv 1606.06031. Lai et al., *RACE*, 2017, arXiv 1704.04683. Hendrycks et al., *MMLU*, 2020, arXiv 2009.03300.
# - Hoffmann et al., 2022, arXiv 2203.15556: tables 6, 7 and A6. Touvron et al., *LLaMA*, 2023, arXiv 2302.13971: tables 3, 6 and 9, and how choices were scored (section 3).
# - Brown et al., *GPT-3*, 2020, arXiv 2005.14165, appendix C: overlaps of 13 words.
# - McNemar, *Note on the sampling error ...*, 1947. Wilson, *Probable Inference ...*, 1927. Cohen, *Weighted kappa*, 1968.
# - V. Bakshi, TinyScale Lab, 2025: a person's grades. Open LLM Leaderboard: TinyStories' scores. A public log of a Qwen2.5 judge. All in `data/published/`.
# - Our record: `data/runs/benchmarks/items.json`, with its command, in docs/RESULTS.md.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | two models with one loss | Which would you rather have? | What does a sum hide? |
# | 2 | an item; its probabilities | How can a model answer that cannot talk? | What would a coin score? |
# | 5 | the naive exam | How many does a non-reader get? | Which exams do you know that leak so? |
# | 8 | figure 1; by letter | Which kind is hardest? | What does an exam by letters measure? |
# | 11 | back to the two models; figure 2; p-values | Are 14 points luck? | How many items would you ask for? |
# | 14 | figure 3; planted models | How many false alarms in twenty? | Who examines the examiner? |
# | 16 | the judge's messages; pretend judges | Will it obey? | What would you let it judge? |
# | 18 | figures 4 and 5 | Does a person agree with GPT-4? | What would you ask before you quote a score? |
#
# Homework: 09.4 and 09.5; take an exam that is in the news, and write down its chance level, its number of items, and who might have read it.
# </details>
