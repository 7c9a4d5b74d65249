# %% [markdown]
# # 07 · How does it write?
#
# A trained model does not write. It reads a text and gives a number to every token that could come next. Everything else is a loop around it: which token do we take, and how do we avoid reading the whole text again for
# every new word? These few lines decide whether the same model is dull, mad or a good story-teller, and whether it is fast or slow.
#
# In this chapter you write the loop yourself. By the end you will
#
# - have gone from logits to text by temperature, top-k and top-p, each checked, and have met min-p;
# - have measured what a temperature costs in sense, and what it saves in repetition;
# - have built the *cache* that every serious program has, shown that it changes nothing, and counted what it saves.
#
# **Time:** about 95 minutes, 55 of them for the exercises. **You need:** *softmax* and *logits* (chapter 03), attention with heads and RoPE (chapter 04).

# %%
import math
import re
from itertools import islice
from time import perf_counter

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import display
from torch.utils.flop_counter import FlopCounterMode

from minilm import plots, widgets
from minilm.attention import apply_rope, attention_explicit, rope_table
from minilm.checkpoint import load_model
from minilm.config import MODELS
from minilm.course import check, quiz
from minilm.generate import generate, next_token_probs
from minilm.numpy_model import NumpyModel
from minilm.storyworld import grade, split_sentences, stories

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)  # small tensors: with more, threads mostly wait for each other
torch.set_grad_enabled(False)  # nothing is trained in this chapter
model, tokenizer = load_model(MODELS / "storyworld")

# %% [markdown]
# ## From scores to a choice
#
# The model's scores, the logits, become probabilities by a softmax (chapter 03). A **temperature** T divides all logits before that: below 1 it sharpens the guess, above 1 it flattens it.

# %% exercise="07.1"

# %% [markdown]
# Here is what the storyworld model says after "Once upon a", at three temperatures.

# %% tags=["walkthrough"]
def next_logits(text):
    """The scores (V,) of the token after a text."""
    return model(torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(text)]]))[0, -1]


def top_and_rest(probs, ids):
    """The probabilities of some ids, and of all others together."""
    return [*probs[ids].tolist(), max(0.0, 1 - probs[ids].sum().item())]


logits = next_logits("Once upon a")
likeliest = logits.topk(7).indices
names = [*(plots.shown(tokenizer.decode([i])) for i in likeliest.tolist()), "4,089 others"]
believed = top_and_rest(logits.softmax(dim=-1), likeliest)
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.4), sharey=True)
others = []
for ax, T in zip(axes, (0.5, 1, 2)):
    at_T = top_and_rest((logits / T).softmax(dim=-1), likeliest)
    plots.next_token_bars(ax, names, believed, at_T)
    ax.set(title=f"T = {T}", xlim=(0, 1))
    others.append(at_T[-1])
fig.suptitle("Heat feeds the many that are unlikely", x=0.02, ha="left", weight="bold")
fig.tight_layout()
plots.show(fig, alt=(
    "Bars for the seven likeliest tokens after 'Once upon a', and for all others. At 1, 'time' has "
    f"{believed[0]:.0%}. The 4,089 others have {others[0]:.0%} at 0.5, {others[1]:.0%} at 1, "
    f"{others[2]:.0%} at 2."
))
assert 0.8 < believed[0] < 0.9 and others[0] < 0.001 and others[1] < 0.05 and others[2] > 0.65

# %% [markdown]
# *Figure 1. Pale: the model's guess, at temperature 1. Dark: at the temperature above. A dot stands for a blank.*
#
# At 2, seven draws in ten take a token from the long tail, though each such token has almost no probability. So the tail is cut off: this is what top-k and top-p are for.
#
# **A first mistake, on purpose.** Somebody writes the loop with `argmax`, which names the place of the largest number. **Predict:** how do the texts at temperatures 0.2, 1 and 5 differ?

# %% tags=["walkthrough"]
def write(opening, choose, n_tokens=24):
    """Go on with a text; choose(logits) names the next id."""
    ids = tokenizer.encode(opening)
    for _ in range(n_tokens):
        ids.append(choose(next_logits(tokenizer.decode(ids))))
    return tokenizer.decode(ids)


texts = [write("Once upon a time", lambda logits, T=T: (logits / T).softmax(dim=-1).argmax().item())
         for T in (0.2, 1, 5)]
print(*texts, sep="\n")
assert len(set(texts)) == 1

# %% [markdown]
# Not at all. A temperature changes the distances, not the order. To take the likeliest token each time is called **greedy** decoding, and it is what a temperature *towards 0* comes to. For anything else one must **draw** from the probabilities: `torch.multinomial` does.

# %% exercise="07.2"

# %% exercise="07.3"

# %% [markdown]
# Both in a row, then a draw: that is the sampler of most programs. We compare yours with `minilm.generate` (written as one function, in another way), on 50 places of a story, one filter at a time.
# A test of this repository does the same with the filters of Hugging Face's `transformers`.

# %% tags=["walkthrough"]
story = next(stories("chapter 07"))
places = model(torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(story)][:50]]))[0]
apart = 0.0
for logits in places:
    for T in (0.5, 1.0, 1.5):
        ours = top_k_probs(logits, T, 20)
        theirs = next_token_probs(logits, temperature=T, top_k=20, top_p=1.0)
        apart = max(apart, (ours - theirs).abs().max().item())
        ours = top_p_probs((logits / T).softmax(dim=-1), 0.9)
        theirs = next_token_probs(logits, temperature=T, top_p=0.9)
        apart = max(apart, (ours - theirs).abs().max().item())
print("equal at 50 places, 3 temperatures, 2 filters:", apart < 1e-5)
assert len(places) == 50 and apart < 1e-5

# %% [markdown]
# *With both filters on*, programs differ: is p a share of everything, or of what top-k has left? With your two functions in a row it is a share of what is left, as in `transformers`. And some programs apply the temperature last. The same
# numbers in two programs need not mean the same distribution.
#
# ## The second mistake: not dividing
#
# A draw can also be made by hand: take a random number between 0 and 1, add up the probabilities, and take the token at which the sum passes the number. Suppose that somebody filters *after* the softmax and does not divide by the new sum.
#
# **Predict** what happens: we take "A girl named", the ten likeliest names, and 10,000 draws, by `multinomial` and by hand.

# %% tags=["walkthrough"]
probs = next_logits("A girl named").softmax(dim=-1)
ten = probs.topk(10).indices
held = probs[ten].sum().item()
not_divided = torch.zeros_like(probs)
not_divided[ten] = probs[ten]

generator = torch.Generator().manual_seed(7)
tossed = torch.rand(10_000, generator=generator)
by_hand = torch.searchsorted(not_divided.cumsum(dim=0), tossed).clamp(max=len(probs) - 1)
by_torch = torch.multinomial(not_divided, 10_000, replacement=True, generator=generator)
seen = torch.tensor([*ten.tolist(), tokenizer.end_of_text])
shares = {way: [(drawn == i).float().mean().item() for i in seen]
          for way, drawn in {"multinomial": by_torch, "by hand": by_hand}.items()}
wanted = (not_divided / not_divided.sum())[seen].tolist()
worst = max(abs(a - b) for a, b in zip(shares["multinomial"], wanted))
assert worst < 4 * math.sqrt(0.25 / 10_000) and tokenizer.end_of_text == len(probs) - 1

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(8.5, 3.8))
names = [*(plots.shown(tokenizer.decode([i])) for i in ten.tolist()), "end of text"]
plots.drawn_shares(ax, names, wanted, shares)
ended = shares["by hand"][-1]
ax.set_title(f"Not divided by the sum: {ended:.0%} of the draws end the story")
plots.show(fig, alt=(
    f"Bars: ten names with probabilities of {min(wanted[:10]):.2f} to {max(wanted):.2f}, end of text 0. "
    "Draws by multinomial lie on the bars. By hand each name gets 1 to 3 per cent, and end of text "
    f"{ended:.0%}."
))
assert abs(ended - (1 - held)) < 4 * math.sqrt(0.25 / 10_000) and ended > 0.8

# %% [markdown]
# *Figure 2. 10,000 draws among the ten likeliest names, not divided by their sum, in two ways.*
#
# The ten names hold 15 % together, so the sum ends at 0.15. Most random numbers lie above it, and the loop runs off the end of the vocabulary, where our tokenizer, like many, has its end-of-text mark. The story breaks off, without an error.
# `multinomial` divides by the sum itself; that is why this mistake can live for years, until somebody replaces one line. Your exercises' checks ask for a sum of one.
#
# ## How many are enough?
#
# **Predict.** After "Once upon a", nearly everything is certain; after "A girl named", hundreds of names would do. How many tokens does each rule keep: top-k with 40, and top-p with 0.9? And what becomes of these numbers at temperature 1.5?
#
# There is a third rule. **Min-p** keeps every token that has at least a given share, say a tenth, of the *likeliest* one's probability. It is one line, so we write it here. (`minilm.generate` has it too, as `min_p`.)

# %% tags=["walkthrough"]
def min_p_probs(probs, share):
    """Keep the tokens with at least `share` of the largest probability; probs (V,) in and out."""
    kept = probs * (probs >= share * probs.max())
    return kept / kept.sum()


counts = {}
for text in ("Once upon a", "A girl named"):
    for T in (1.0, 1.5):
        logits = next_logits(text)
        hot = (logits / T).softmax(dim=-1)
        kept = {"top-k, 40": top_k_probs(logits, T, 40), "top-p, 0.9": top_p_probs(hot, 0.9),
                "min-p, 0.1": min_p_probs(hot, 0.1)}
        counts[text, T] = {rule: int((probs > 0).sum()) for rule, probs in kept.items()}
plots.show_table([{"after": text, "temperature": T, **kept} for (text, T), kept in counts.items()])
sure, open_, hot_sure, hot_open = (counts[place] for place in (
    ("Once upon a", 1.0), ("A girl named", 1.0), ("Once upon a", 1.5), ("A girl named", 1.5)))
assert sure["top-p, 0.9"] == sure["min-p, 0.1"] == hot_sure["min-p, 0.1"] == 2
assert open_["top-p, 0.9"] > 150 and hot_sure["top-p, 0.9"] > 150 and hot_open["top-p, 0.9"] > 700
assert 100 < open_["min-p, 0.1"] < hot_open["min-p, 0.1"] < 250

# %% [markdown]
# Top-k keeps 40 in both, too many in one and too few in the other. Top-p adapts. But heat fills the tail, and at 1.5 top-p keeps about 200 tokens even after "Once upon a", where two make sense. Min-p hardly notices the heat:
# it asks how a token compares with the best, not how much the tail holds. (That a rule keeps sensible tokens here does not yet mean that its stories are better; that would have to be measured, as temperatures are below.)
#
# Now all of it at once, first as a picture. Your functions decide what can be drawn.

# %%
def look_ahead(opening, temperature, top_k, top_p):
    """The ten likeliest tokens and the rest: their names, the guess, what is drawn from; number kept."""
    logits = next_logits(opening or "Once")
    guess = logits.softmax(dim=-1)
    drawn = top_k_probs(logits, temperature, top_k)
    if top_p < 1:
        drawn = top_p_probs(drawn, top_p)
    ids = guess.topk(10).indices
    names = [*(plots.shown(tokenizer.decode([i])) for i in ids.tolist()), "all others"]
    return names, top_and_rest(guess, ids), top_and_rest(drawn, ids), int((drawn > 0).sum())


first_opening = "Once upon a time there was a"
*shown, n_kept = look_ahead(first_opening, 0.8, 4096, 0.9)
draw_fig, draw_ax = plt.subplots(figsize=(8, 4.6))
draw_bars = plots.next_token_bars(draw_ax, *shown)
draw_ax.legend(loc="center right")
draw_ax.set_title(f"{n_kept} of 4,096 tokens can be drawn")
plots.show(draw_fig, alt=(
    f"Bars for the ten likeliest tokens after '{first_opening}', and all others. Likeliest: "
    f"'{shown[0][0]}', guess {shown[1][0]:.0%}, drawn with {shown[2][0]:.0%}; all others: guess "
    f"{shown[1][-1]:.0%}, drawn with {shown[2][-1]:.0%}."
))

# %% [markdown]
# *Figure 3. The next token at temperature 0.8 and top-p 0.9. Pale: the model's guess. Dark: what is drawn from.*
#
# Move one slider at a time; a token that cannot be drawn any more gets a grey name. Which setting turns the guess into one bar? Type an opening that leaves little choice, and one that leaves much.

# %%
def redraw_bars(opening, temperature, top_k, top_p):
    """Show another opening or other settings, and say what can be drawn."""
    *now, n_now = look_ahead(opening, temperature, top_k, top_p)
    plots.set_next_token_bars(draw_bars, *now)
    draw_ax.set_title(f"{n_now:,} of 4,096 tokens can be drawn")
    return (f"Likeliest is “{now[0][0]}”: the model gives it {now[1][0]:.0%}, and it is drawn with "
            f"{now[2][0]:.0%}.")


typed = ipywidgets.Text(value=first_opening, description="opening", continuous_update=False,
                        layout={"width": "90%"})
heat = ipywidgets.FloatSlider(value=0.8, min=0.1, max=2, step=0.1, description="temperature")
most = ipywidgets.SelectionSlider(value=4096, description="top-k",
                                  options=[1, 2, 5, 10, 20, 50, 100, 200, 4096])
share = ipywidgets.FloatSlider(value=0.9, min=0.05, max=1, step=0.05, description="top-p")
display(widgets.live_figure(draw_fig, redraw_bars, opening=typed, temperature=heat, top_k=most,
                            top_p=share))

# %% [markdown]
# ## Why not always the likeliest?
#
# It sounds best, and it is not. Here is a greedy story by the other shipped model, which read real TinyStories.

# %% tags=["walkthrough", "nbval-ignore-output"]
tiny, tiny_tokenizer = load_model(MODELS / "tinystories")
opening = "There, in the deep, dark forest, sat an octopus called Hannah."
looping = opening + "".join(generate(tiny, tiny_tokenizer, opening, temperature=0, max_new_tokens=150))
print(re.sub(r"(.{80,100}) ", r"\1\n", looping))

# %% [markdown]
# The story has fallen into a loop, and yet each sentence by itself is English. To say how bad it is, we need a measure.

# %% exercise="07.4"

# %% [markdown]
# Why does it loop? One suspicion: what was said once becomes likelier to be said again. **Predict:** we write one sentence k times in a row and look at the probability of its tokens when it comes once more. Does it rise? For a fair comparison we also
# put k *other* sentences there, so that length alone cannot be the reason.

# %% tags=["walkthrough"]
def token_prob(before, sentence):
    """The probability of the tokens of a sentence after a text (their geometric mean)."""
    known, new = (tiny_tokenizer.encode(part) for part in (before, " " + sentence))
    ids = torch.tensor([tiny_tokenizer.end_of_text, *known, *new])
    logs = tiny(ids[None])[0, :-1].log_softmax(dim=-1)
    return logs.gather(1, ids[1:, None])[-len(new):].mean().exp().item()


start = "Lily and Tom went for a walk."
sentences = ["She found a cave and decided to explore it.", "The ball was not there."]
elsewhere = ["The sun was warm.", "Tom had a red hat.", "They saw a bird.", "It sang a song.",
             "Lily laughed.", "Tom sat on a log.", "They ate some bread.", "A dog ran by."]
times = range(8)
repeated = [[token_prob(" ".join([start, *[s] * k]), s) for k in times] for s in sentences]
mixed = [[token_prob(" ".join([start, *elsewhere[:k]]), s) for k in times] for s in sentences]

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(9.5, 3.8))
curves = {"“She found a cave …”": repeated[0], "“The ball was …”": repeated[1],
          "": mixed[0], "both, after others": mixed[1]}
plots.lines(ax, list(times), curves, "sentences said before", "probability of a token")
ax.set_xlim(0, 10.5)
ax.set_xticks(list(times))
ax.set_title("What was said once comes more easily")
said = [f"{ys[0]:.2f} at first, {ys[1]:.2f} after one, {ys[-1]:.2f} after seven"
        for ys in curves.values()]
plots.show(fig, alt=(
    f"Probability of a sentence's tokens. Repeated: 'She found a cave' {said[0]}; 'The ball was not "
    f"there' {said[1]}. After other sentences: {said[2]}; {said[3]}."
))
for again, others in zip(repeated, mixed):
    assert again[-1] > again[1] > 3 * again[0] and again[-1] > 4 * max(others)

# %% [markdown]
# *Figure 4. How likely the tokens of a sentence are (their geometric mean: the n-th root of the product of n probabilities) after it was said 0 to 7 times; and the same for both after as many *other* sentences (green: the first of the two).*
#
# Both rise steeply after they have been said once: the tokens of the first from 0.07 to 0.30. Each further time adds a little. After as many *other* sentences they do not rise like this, so it is the repetition. (Two sentences and one
# model; Xu et al. found the same for many sentences and larger models.) So a loop feeds itself: each round makes the next likelier, and greedy decoding leaves it only if some other token becomes the likeliest. A draw leaves it sooner or later.
#
# ## Sense and variety
#
# Now we measure what is gained and what is lost. We take the first words of 24 fresh storyworld stories, let both models go on at seven temperatures, and count. The grader of storyworld (chapter 01) parses every sentence and keeps track of the little world. We call a sentence
# *sound* if the grader understands it and it contradicts nothing said before.

# %% tags=["walkthrough"]
tales = list(islice(stories("chapter 07"), 24))


def continued(model, tokenizer, temperature, n_tokens=160, seed=0):
    """Let a model go on with the first 16 tokens of each tale, all side by side; return the texts."""
    rows = torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(tale)[:16]] for tale in tales])
    caches, generator, new = model.new_caches(len(rows)), torch.Generator().manual_seed(seed), rows
    for _ in range(n_tokens):
        logits = model(new, caches)[:, -1]
        if temperature == 0:
            new = logits.argmax(dim=-1, keepdim=True)
        else:
            new = torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator)
        rows = torch.cat((rows, new), dim=1)
    return [whole(tokenizer, row) for row in rows[:, 1:].tolist()]


def whole(tokenizer, ids):
    """The text up to its end mark; without a mark, all but the last sentence, which may be cut off."""
    if tokenizer.end_of_text in ids:
        return tokenizer.decode(ids[: ids.index(tokenizer.end_of_text)])
    return " ".join(split_sentences(tokenizer.decode(ids))[:-1])

# %% tags=["walkthrough"]
def graded(text):
    """Shares of sentences that are sound, are not understood, contradict what was said before."""
    found = grade(text)  # that a story has no end is no fault of a sentence: these are broken off
    impossible = {number for number, _ in found.faults if number < len(found.sentences)}
    n = max(1, len(found.sentences))
    unparsed, contrary = len(found.unparsed) / n, len(impossible) / n
    return 1 - unparsed - contrary, unparsed, contrary


def summary(measure, texts):
    """Mean and standard error over texts."""
    values = np.array([measure(text) for text in texts])
    return values.mean(), values.std(ddof=1) / math.sqrt(len(values))


measures = {"sound": lambda text: graded(text)[0],
            "repeats": lambda text: repeated_share(text.split(), 4),
            "words": lambda text: len(set(text.split()[:80]))}
temperatures = [0, 0.3, 0.6, 0.8, 1.0, 1.2, 1.5]
models = {"storyworld": (model, tokenizer), "tinystories": (tiny, tiny_tokenizer)}
written = {name: [continued(*pair, T) for T in temperatures] for name, pair in models.items()}
real = [whole(tokenizer, tokenizer.encode(tale)[:176]) for tale in tales]
found = {(name, what): [summary(measure, texts) for texts in written[name]]
         for name in written for what, measure in measures.items()}

# %% [markdown]
# **Predict.** At which temperature are most sentences sound: 0, 0.3, 0.6, 1? And which of the two models repeats itself more?

# %% tags=["walkthrough"]
level = {what: summary(measure, real)[0] for what, measure in measures.items()}
sound, repeats, words = (dict(zip(temperatures, found["storyworld", what])) for what in measures)
tiny_repeats = dict(zip(temperatures, found["tinystories", "repeats"]))
assert level["sound"] == 1 and sound[0.3][0] > 0.75
assert 0.4 < sound[1.0][0] < 0.65 and sound[1.5][0] < 0.25
assert 0.03 < tiny_repeats[0][0] < 0.12 and tiny_repeats[1.0][0] < 0.01
assert repeats[0][0] < tiny_repeats[0][0]
assert abs(sound[0.3][0] - sound[0.6][0]) < 2 * sound[0.3][1] + 2 * sound[0.6][1]
assert words[0][0] < words[1.0][0] < words[1.5][0] and level["words"] < words[1.5][0]

# %% tags=["walkthrough"]
fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.9))
names = {"sound": "sound sentences", "repeats": "repeated runs of 4 words",
         "words": "different words in 80"}
for ax, (what, name) in zip(axes, names.items()):
    shown = ["storyworld"] if what == "sound" else models  # the grader knows one world only
    curves = {writer: found[writer, what] for writer in shown}
    plots.against_temperature(ax, temperatures, curves, {"storyworld's stories": level[what]})
    ax.set_title(name, fontsize=11)
axes[1].legend(loc="upper right")
fig.suptitle("Boldness costs sense, caution repeats itself", x=0.02, ha="left", weight="bold")
fig.tight_layout()
plots.show(fig, alt=(
    f"Three panels against temperature. Sound sentences of storyworld: {sound[0][0]:.0%} at 0, "
    f"{sound[0.3][0]:.0%} at 0.3, {sound[1.0][0]:.0%} at 1, {sound[1.5][0]:.0%} at 1.5; real stories "
    f"{level['sound']:.0%}. Repeated runs: storyworld {repeats[0][0]:.1%} at 0, {repeats[1.0][0]:.1%} "
    f"at 1; tinystories {tiny_repeats[0][0]:.1%} and {tiny_repeats[1.0][0]:.1%}. Different words of "
    f"storyworld: {words[0][0]:.0f} at 0, {words[1.5][0]:.0f} at 1.5."
))

# %% [markdown]
# *Figure 5. 24 openings, each continued once by 160 tokens; bars reach two standard errors up and down (a standard error is the spread of the 24 texts divided by √24; the true mean lies within such bars about nineteen times in twenty). Only storyworld's model is graded, for the grader knows only its world. Dashed: the stories that the openings were taken from.*
#
# What spoils a sentence, and what does a text at 1.5 look like?

# %% tags=["walkthrough", "nbval-ignore-output"]
plots.show_table([
    {"temperature": T} | {what: f"{np.mean(part):.0%}" for what, part in zip(
        ("sound", "not understood", "contradicts"), zip(*map(graded, texts)))}
    for T, texts in zip(temperatures, written["storyworld"])
])
print(written["storyworld"][-1][3][:250], "…")
first, second = (np.array([graded(text)[0] for text in written["storyworld"][i]]) for i in (0, 1))
gains = second - first
gain, error = gains.mean(), gains.std(ddof=1) / math.sqrt(len(gains))
print(f"sound at 0.3 more than at 0: {100 * gain:.0f} points, standard error {100 * error:.0f}")
assert gain > 2 * error

# %% [markdown]
# - **Sense.** Storyworld's own stories are sound to the last sentence. At temperature 1, which leaves the model's probabilities as they are, 55 % of its sentences are sound; at 1.5 only a sixth. What the heat adds is sentences that nobody understands: a sentence has a dozen tokens, and one unlikely token is enough to spoil it. This is the tail of figure 1, met over and over.
#   Yet 0 is not the best either. Hardly any sentence is garbled there, but nearly a quarter contradict what was said before. At 0.3 fewer do; 0.3 and 0.6 cannot be told apart from these 24 stories.
# - **Repetition.** At 0 the model of real TinyStories repeats 7 % of its runs of four words, at 0.3 it repeats 4 %, at 1 hardly any. (It goes on with openings from a world that is not its own.) Up to 0.8 the model of storyworld repeats itself less, on average.
# - **Variety.** More heat, more different words. At 1.5 there are more than in the stories, but look at them: some are no words at all. A high count by itself is no virtue.
#
# So there is no best temperature, only one for a purpose, and a measure for each purpose. (`minilm.generate` takes 0.8 with top-p 0.95 unless told otherwise.)
#
# ## Reading everything again
#
# `write` above is wasteful: for each new token the model reads the whole text again. But a token's keys and values depend only on what stands before it (chapter 04: no path leads back from the future). They were computed
# when the token came, and they will not change. So keep them. This is the **KV cache**, K for keys, V for values. (Queries are not kept: an old question is not asked again.)

# %% exercise="07.5"

# %% [markdown]
# Your function is one layer's attention. Around it stands the rest of the model, one token at a time:

# %% tags=["walkthrough"]
def read_next(token, past):
    """Read one more token: its logits (V,), and the keys and values of each layer with the new ones."""
    x, now = model.embed(torch.tensor(token)), []  # (C,)
    for block, (keys, values) in zip(model.blocks, past):
        normed, attn = block.attn_norm(x), block.attn
        q, k, v = (project(normed).view(-1, 32) for project in (attn.q_proj, attn.k_proj, attn.v_proj))
        mixed, keys, values = attend_next(q, k, v, keys, values)
        x = x + attn.o_proj(mixed.flatten())
        x = x + block.mlp(block.mlp_norm(x))
        now.append((keys, values))
    return model.lm_head(model.final_norm(x)), now


ids = [tokenizer.end_of_text, *tokenizer.encode(story)][:100]
past, one_by_one = [(torch.zeros(3, 0, 32), torch.zeros(3, 0, 32))] * 5, []
for token in ids:
    logits, past = read_next(token, past)
    one_by_one.append(logits)
again = model(torch.tensor([ids]))[0]  # all at once, no cache
apart = (torch.stack(one_by_one) - again).abs().max().item()
print(f"{len(ids)} tokens; cached and recomputed logits equal up to rounding: {apart < 1e-3}")
assert apart < 1e-3 < again.std() / 100 and past[0][0].shape == (3, 100, 32)

# %% [markdown]
# The same numbers, up to rounding: a cache is a shortcut, not another model. Compare *logits*, not texts. To see why, commit **the third mistake**: wrong positions. After the opening we tell the model, in three ways, the wrong position of each new token.
#
# **Predict:** will it crash? Will the text show it?

# %% tags=["walkthrough", "nbval-ignore-output"]
def greedy(opening, place, n_tokens=48):
    """A greedy text with minilm's cache, and its logits; place(t, n): where token t is told to stand."""
    ids, caches = [tokenizer.end_of_text, *tokenizer.encode(opening)], model.new_caches()
    tables, kept = (model.cos, model.sin), []
    logits = model(torch.tensor([ids]), caches)[0, -1]
    model.cos, model.sin = (table[place(torch.arange(512), len(ids))] for table in tables)
    for _ in range(n_tokens):
        ids.append(logits.argmax().item())
        logits = model(torch.tensor([ids[-1:]]), caches)[0, -1]
        kept.append(logits)
    model.cos, model.sin = tables
    return tokenizer.decode(ids[1:]), torch.stack(kept)


ways = {"right": lambda t, n: t, "one too small": lambda t, n: (t - 1).clamp(min=0),
        "counted from 0 again": lambda t, n: (t - n).clamp(min=0), "always 0": lambda t, n: t * 0}
tried = {name: greedy("A girl named Mia had a red ball. One day", place) for name, place in ways.items()}
right_text, right_logits = tried["right"]
off_by = {name: (kept[0] - right_logits[0]).abs().max().item() for name, (_, kept) in tried.items()}
plots.show_table([
    {"positions": name, "logits off by": f"{off_by[name]:.1f}", "text": text[40:150] + " …"}
    for name, (text, _) in tried.items()
])
assert [off > 1 for off in off_by.values()] == [False, True, True, True]
assert [text[:150] == right_text[:150] for text, _ in tried.values()] == [True, True, False, False]

# %% [markdown]
# No crash. Positions that stay at 0 give stammering: that would be noticed. Positions that begin again at 0 behind the opening give fluent words, a broken sentence, and another story. (Both are off by the same at first, for in both the first new token stands at 0.) And positions that are one too small change *nothing* in these
# words, though the logits are off by nearly 3; with another opening they may. Reading would not have found it. Comparing logits found all three at the first token.
#
# ## What it saves
#
# Times differ between computers, but multiplications can be counted. To read n new tokens after s others, each weight matrix is used once for each new token; in attention each new query meets all s + n keys and values. The head is needed at
# the last token only. PyTorch's own counter confirms the two parts.

# %%
L, H, K, D, C, V = 5, 6, 3, 32, 192, 4096
in_matrices = sum(w.numel() for w in model.blocks.parameters() if w.ndim == 2)


def multiply_adds(new, seen):
    """To read `new` tokens after `seen` others and score what comes next."""
    return new * in_matrices + C * V + 2 * L * H * D * new * (seen + new)


def counted(function, *args):
    """What PyTorch counts, in multiply-adds."""
    with FlopCounterMode(display=False) as counter:
        function(*args)
    return counter.get_total_flops() / 2


layers = counted(model.hidden, torch.zeros(1, 50, dtype=torch.long))  # it leaves out fused attention
q_k_v = (torch.zeros(1, heads, 50, D) for heads in (H, K, K))
looks = L * counted(attention_explicit, *q_k_v)  # it computes what the mask then hides, too
assert layers == 50 * in_matrices and looks == 2 * L * H * D * 50 * 50
assert layers + looks + C * V == multiply_adds(50, 0)

without = [multiply_adds(t, 0) for t in range(1, 201)]
cached = [multiply_adds(1, t - 1) for t in range(1, 201)]
times_fewer = sum(without) / sum(cached)
print(f"no cache {sum(without):,}, cache {sum(cached):,}: {times_fewer:.0f} times fewer")
assert round(times_fewer) == 77

# %%
fig, ax = plt.subplots(figsize=(8, 3.8))
every = [0, *range(19, 200, 20)]
plots.lines(ax, [t + 1 for t in every], {"no cache": [without[t] / 1e6 for t in every],
            "cache": [cached[t] / 1e6 for t in every]}, "token", "multiply-adds, millions")
ax.set(yscale="log", ylim=(1, 1000))
ax.set_title("With a cache every token costs about the same")
plots.show(fig, alt=(
    "Multiply-adds for each token, on a logarithmic axis. No cache: from "
    f"{without[0] / 1e6:.1f} million to {without[-1] / 1e6:.0f} at token 200. Cache: from "
    f"{cached[0] / 1e6:.1f} to {cached[-1] / 1e6:.1f} million."
))
assert cached[-1] < 1.2 * cached[0] and without[-1] > 150 * without[0]

# %% [markdown]
# *Figure 6. What the 1st to the 200th token cost the storyworld model.*
#
# 77 times fewer. **Predict:** is it 77 times faster? Run this to see on your computer. (The printed course leaves it empty.)

# %% tags=["machine"]
def seconds(function):
    """How long a function takes, the better of two."""
    spent = []
    for _ in range(2):
        start = perf_counter()
        function()
        spent.append(perf_counter() - start)
    return min(spent)


def without_cache():
    """Write 200 tokens, reading everything again each time."""
    ids = [tokenizer.end_of_text]
    for _ in range(200):
        ids.append(model.lm_head(model.hidden(torch.tensor([ids]))[0, -1]).argmax().item())


def side_by_side(batch_size, n_tokens=200):
    """Write that many texts at once, with a cache."""
    new, caches = torch.full((batch_size, 1), tokenizer.end_of_text), model.new_caches(batch_size)
    for _ in range(n_tokens):
        new = model(new, caches)[:, -1].argmax(dim=-1, keepdim=True)

# %% tags=["machine"]
def products():
    """Nothing but the products of 200 tokens with all matrices."""
    for _ in range(200):
        for matrix, row in rows_for:
            matrix @ row


rows_for = [(w, torch.ones(w.shape[1])) for w in model.parameters() if w.ndim == 2]
slow, fast = seconds(without_cache), seconds(lambda: side_by_side(1))
many, bare = seconds(lambda: side_by_side(16)), seconds(products)
print(f"no cache {200 / slow:.0f}, cache {200 / fast:.0f} ({slow / fast:.1f} times), "
      f"16 texts side by side {16 * 200 / many:.0f} tokens a second")
print(f"the matrix products alone take {bare / fast:.0%} of the time with a cache")
light, greedily = NumpyModel.load(MODELS / "storyworld"), {"max_new_tokens": 200, "temperature": 0}
lean = seconds(lambda: list(light.generate_ids([tokenizer.end_of_text], **greedily)))
print(f"NumPy alone, with a cache: {200 / lean:.0f} tokens a second")

# %% [markdown]
# Far less than 77 times, most likely: where this was written, with one thread of a server's Xeon, it was 4, and sixteen texts side by side came 7 times as fast as one. So one token with a cache is *not* limited by arithmetic. By what, then?
#
# By two things. First, **overhead**: a token takes some hundreds of small operations, and to start each of them from Python costs more than its few multiplications: see what the products alone take (a third, there). The overhead is so large that a program without PyTorch can win: `minilm.numpy_model`
# runs this model with NumPy alone, in some 130 lines of code. It gives the same logits up to rounding, and on that computer it writes 1,500 tokens a second where the loop above writes 630.
#
# Second, for large models, **memory**. Before a weight can be used it must be fetched. One token uses each weight once: one multiply-add, two operations, for two bytes if weights are 16 bits wide. In the time that one fetch takes, a modern GPU could do hundreds of times as many operations.
#
# ## How large is a cache?
#
# The cache must be fetched too, all of it for every token. Its size is two (keys and values), times L layers, times K key heads, times T tokens (here and below T is no temperature), times D numbers, times the bytes of a number.

# %% exercise="07.6"

# %%
def cache_bytes(L, K, T, D, bytes_each):
    """Keys and values of one text."""
    return 2 * L * K * T * D * bytes_each


ours = model.new_caches()
assert sum(c.keys.nbytes + c.values.nbytes for c in ours) == cache_bytes(5, 3, 512, 32, 4)
rows = {"storyworld, 4 bytes": (5, 6, 3, 512, 32, 4), "Llama 2 7B": (32, 32, 32, 4096, 128, 2),
        "Llama 3 8B": (32, 32, 8, 8192, 128, 2)}
plots.show_table([
    {"model": name, "query heads": H, "key heads": K, "tokens": f"{T:,}",
     "cache, GB": f"{cache_bytes(L, K, T, D, size) / 1e9:.3f}",
     "if nothing were shared": f"{cache_bytes(L, H, T, D, size) / 1e9:.3f}"}
    for name, (L, H, K, T, D, size) in rows.items()
])
assert round(cache_bytes(32, 32, 4096, 128, 2) / 1e9, 2) == 2.15
assert round(cache_bytes(32, 8, 8192, 128, 2) / 1e9, 2) == 1.07

# %% [markdown]
# Llama 2 7B has no sharing: a text of 4,096 tokens takes 2.15 GB. Llama 3 8B shares by four: half of that for twice the tokens.
#
# Now take weights and caches together. **Arithmetic intensity** is operations per byte fetched. For B texts of 4,096 tokens side by side, the weights are fetched once for all B, the caches once for each text. An H100 GPU can do 989 trillion ($989 \cdot 10^{12}$) operations a second, 989 *teraFLOPS*,
# and fetch 3.35 trillion bytes (its data sheet, 16-bit numbers): 295 operations per byte. Below that it waits for memory.
#
# **Predict:** a model the size of Llama 2 7B writes one text. How many operations does it do for each byte? And with 256 texts?

# %%
n_weights, T = 6.74e9, 4096
batch = [1, 4, 16, 64, 256]


def intensity(B, K, T):
    """Operations per byte, a token for each of B texts: 32 layers, 32 heads of 128, 2-byte numbers."""
    operations = B * 2 * (n_weights + 2 * 32 * 32 * 128 * T)
    return operations / (2 * n_weights + B * cache_bytes(32, K, T, 128, 2))


per_byte = {"if caches cost nothing": [intensity(B, 0, T) for B in batch],
            "8 key heads": [intensity(B, 8, T) for B in batch],
            "32 key heads": [intensity(B, 32, T) for B in batch]}
fig, ax = plt.subplots(figsize=(8.5, 4))
plots.intensity(ax, batch, per_byte, 989 / 3.35, "as much as an H100 could do, 295")
ax.set_title("Many texts share the weights, not their caches")
ends = [f"{name}: {ys[0]:.1f} for one text, {ys[-1]:.0f} for 256" for name, ys in per_byte.items()]
plots.show(fig, alt=f"Operations per byte by the number of texts. {'; '.join(ends)}. Level: 295.")
one, many_texts = per_byte["32 key heads"][0], per_byte["32 key heads"][-1]
assert 0.9 < one < 1.1 and many_texts < 8 and 15 < per_byte["8 key heads"][-1] < 40
assert round(3350 / 13.5) == 248 and round(2 * n_weights / 1e9, 1) == 13.5

# %% [markdown]
# *Figure 7. A model of 6.74 billion weights, texts of 4,096 tokens. This is arithmetic, not a measurement.*
#
# One text: 1 operation per byte, less than half a per cent of what the hardware could do; 256 texts: 7 with 32 key heads, 27 with 8. Its weights take 13.5 GB, and that GPU fetches 3,350 GB a second. So no program, however clever, can write more than 3,350 / 13.5 = 248 tokens a second for one text on it, unless it makes the numbers smaller (chapter 13) or
# fetches them less often. More texts at once help, until the caches outweigh the weights. With 32 key heads that comes early; with 8, four times as many texts fit before it comes. (Would 256 caches fit into the 80 GB of such a GPU? Even with 8 key heads they take 256 · 0.54 = 137 GB. Multiply before you plan.)
#
# ## One more trap: half a letter
#
# Text should appear while it is written. It is tempting to decode each token by itself:

# %%
ids = tokenizer.encode("The café had a 🐈.")
print("one by one:", "".join(tokenizer.decode([i]) for i in ids))
print("together:  ", tokenizer.decode(ids))
assert "�" in tokenizer.decode(ids[3:4]) and tokenizer.decode(ids) == "The café had a 🐈."

# %% [markdown]
# A letter can be several bytes, and its bytes several tokens (chapter 02). So one must wait until a letter is complete. Look into `minilm/generate.py`: `generate` keeps a decoder that holds back what is not a letter yet. With plain English stories the mistake seldom shows; with
# the first girl named Zoë it does.
#
# ## What we know now
#
# - A temperature changes distances, not the order; with `argmax` it changes nothing.
# - Top-k, top-p and min-p cut the tail. Your top-k and top-p equal the library's; where both are on, programs differ in what p is a share of.
# - Filtered probabilities must be divided by their new sum. `multinomial` hides it if they are not.
# - Greedy text can loop: once said, the two sentences that we tried became several times likelier, token for token. With heat the repeats went, and so did the sense: for our model and its grader, the share of sound sentences was highest near 0.3 to 0.6.
# - A KV cache gives the same logits as reading all again. Wrong positions give no error, and one of three gave the same text; comparing logits found them all.
# - For 200 tokens of our model the cache saves 76 of 77 multiply-adds. A single text is then limited not by arithmetic but by overhead, and in large models by memory.
# - A cache takes 2·L·K·T·D numbers. Sharing key heads makes it smaller, and that is what allows many long texts at once.

# %% quiz="07"

# %% [markdown]
# ## Sources
#
# - Holtzman et al., *The Curious Case of Neural Text Degeneration*, 2019, arXiv 1904.09751: top-p, and why the likeliest text is not the best.
# - Xu et al., *Learning to Break the Loop*, 2022, arXiv 2206.02369: a repeated sentence becomes likelier each time; figure 4 is a small version of their measurement.
# - Fan, Lewis and Dauphin, *Hierarchical Neural Story Generation*, 2018, arXiv 1805.04833: top-k.
# - Nguyen et al., *Turning Up the Heat: Min-p Sampling*, 2024, arXiv 2407.01082.
# - Pope et al., *Efficiently Scaling Transformer Inference*, 2022, arXiv 2211.05102: bytes and operations of a step.
# - Ainslie et al., *GQA*, 2023, arXiv 2305.13245. Touvron et al., *Llama 2*, 2023, arXiv 2307.09288, and Grattafiori et al., *The Llama 3 Herd of Models*, 2024, arXiv 2407.21783, table 3: shapes of the models.
# - NVIDIA, *H100 Tensor Core GPU*, data sheet: 989 teraFLOPS of bfloat16 without sparsity, 3.35 TB/s (SXM).
# - LlamaCppEx, documentation of its `Sampler`: llama.cpp's filters in a row, the temperature last.
# - `lucidrains/x-transformers`, issue 219, 2023: a cache that broke the text, found by comparing logits.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | figure 1 | What does the model give us, a word or numbers? | Where did the heat go? |
# | 2 | argmax at three temperatures | How do the three texts differ? | What is missing in this loop? |
# | 4 | filters compared; figure 2 | Who notices that the sum is not 1? | Why did `multinomial` not? |
# | 7 | how many are kept | How many after "Once upon a"? | |
# | 9 | the looping story, figure 4 | Is any sentence wrong? | Why the control line? |
# | 12 | figure 5 | Which temperature is best? | Best by whose measure? |
# | 16 | cached and recomputed | What may be kept, and why? | |
# | 18 | wrong positions | Will it crash? | Which of these would you have noticed? |
#
# Homework: 07.2, 07.3 and 07.5; figure 7 for discussion.
# </details>
