# %% [markdown]
# # 03 · What is a language model, and how good is a bad one?
#
# Before we build a good model we build some bad ones. A table of counts, a table that learns: they can be understood to the last number, and they already have all the parts that the large ones have:
# a guess, a loss, a gradient, a step. And they set the bar. A transformer that cannot beat a table of counts is not worth its electricity, so later models will be measured against these.
#
# By the end you will
#
# - have met tensors and gradients, and seen in a few lines what PyTorch's `backward` does;
# - have written the loss of every language model, and its gradient by hand;
# - have found the same little model twice, by counting and by descent, and seen the two agree;
# - have seen two famous mistakes made on purpose, one that makes a loss far too good and one that makes a comparison worthless;
# - have a ladder of baselines in bits per byte, from blind guessing to the shipped model.
#
# **Time:** about 90 minutes, 60 of them for the exercises. **You need:** what a derivative is. Chapter 02 explains the ids, chapter 00 bits per byte; both are said again here in a sentence.

# %%
import math
from collections import Counter, defaultdict
from itertools import islice

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display

from minilm import plots
from minilm.checkpoint import load_model
from minilm.config import MODELS
from minilm.course import check, quiz
from minilm.data import encode_stories
from minilm.evaluate import bits_per_byte, evaluate
from minilm.ngram import NGram
from minilm.storyworld import stories
from minilm.tokenizer import train_tokenizer
from minilm.widgets import live_figure

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## Ten minutes on tensors and gradients
#
# If you know PyTorch, go on to the next heading. A **tensor** is a block of numbers with a *shape*: (2, 3) is two rows of three. Operations work on all numbers at once, or along one *dimension*, if you say which. `dim=-1` is the last one, so it runs
# along each row.

# %%
scores = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 5.0]])
print("shape           ", tuple(scores.shape))
print("sum of all      ", scores.sum().item())
print("sum of each row ", scores.sum(dim=-1).tolist())
print("one of each row ", scores[torch.arange(2), torch.tensor([0, 2])].tolist(), "(number 0, number 2)")
print("times a matrix  ", (scores @ torch.ones(3, 4)).shape, "(2, 3) @ (3, 4)")
assert scores.sum(dim=-1).tolist() == [1.0, 6.0]
assert scores[torch.arange(2), torch.tensor([0, 2])].tolist() == [2.0, 5.0]

# %% [markdown]
# `@` is the product of two matrices: row 0 of the left and column 0 of the right, multiplied number by number and added up, give the number in row 0 and column 0 of the result, and so on for every row and column. `.item()` and `.tolist()` turn tensors back into plain numbers. One habit of tensors is worth a warning. If two shapes differ, PyTorch stretches every dimension of size 1 until they fit (*broadcasting*). That is handy, and it hides mistakes. **Predict** the shape of the second
# difference: four guesses, four right answers.

# %%
guesses, answers = torch.tensor([[1.0], [2.0], [3.0], [4.0]]), torch.tensor([1.0, 2.0, 3.0, 4.0])
print("right:", tuple((guesses[:, 0] - answers).shape), (guesses[:, 0] - answers).square().mean().item())
print("wrong:", tuple((guesses - answers).shape), (guesses - answers).square().mean().item())
assert (guesses[:, 0] - answers).square().mean() == 0 and (guesses - answers).square().mean() == 2.5

# %% [markdown]
# All four guesses are right, and the second loss is 2.5: a column of shape (4, 1) minus a row of shape (4,) made a square, every guess against every answer. No error, no warning. When a loss surprises you, print the shapes first.
#
# A **gradient** says how a result changes when each number that went into it changes a little. To learn is to compute the gradient of a *loss*, a number that says how bad the model is, and to take a small step the other way. Take the
# loss $(w - 3)^2$, which is least at 3. Its gradient, for a single number the *slope*, is $2(w - 3)$ at $w$. The step is the slope times the **learning rate**, downhill.
#
# **Predict.** From $w = 0$: what happens with a learning rate of 0.1? With 0.9? With 1.1?

# %% tags=["walkthrough"]
def descend(learning_rate, n_steps=12):
    """The places that gradient descent visits on (w - 3)², from 0."""
    places = [0.0]
    for _ in range(n_steps):
        places.append(places[-1] - learning_rate * 2 * (places[-1] - 3))
    return np.array(places)


valley_fig, valley_ax = plt.subplots(figsize=(7.5, 3.6))
path = plots.descent(valley_ax, lambda w: (w - 3) ** 2, descend(0.1), limits=(-3, 9))
valley_ax.set_title("Learning rate 0.1: twelve steps come near the bottom")
plots.show(valley_fig, alt=(
    "The parabola (w - 3) squared with the places that gradient descent visits from w = 0 with "
    "learning rate 0.1: short and shorter steps down the left side, up to 2.8 after twelve."
))
slow, fast, wild = (abs(descend(rate)[-1] - 3) for rate in (0.1, 0.9, 1.1))
assert slow < 0.25 and fast < 0.25 and wild > 3

# %%
def step_out(learning_rate):
    """Redraw the path for another learning rate."""
    places = descend(learning_rate)
    path.set_data(places, (places - 3) ** 2)
    said = "it comes near the bottom" if abs(places[-1] - 3) < 0.5 else "it has not arrived"
    said = "it jumps out of the valley" if abs(places[-1] - 3) > 3 else said
    valley_ax.set_title(f"Learning rate {learning_rate:g}: after twelve steps {said}")
    return f"With a learning rate of {learning_rate:g} the last place is {places[-1]:.2f}: {said}."


rates = ipywidgets.FloatSlider(value=0.1, min=0.02, max=1.1, step=0.02, description="learning rate",
                               style={"description_width": "initial"})
display(live_figure(valley_fig, step_out, learning_rate=rates))

# %% [markdown]
# *Figure 1. Twelve steps down a valley of one number.*
#
# A rate that is too small crawls; 0.9 overshoots and still arrives; at 1 it swings for ever between 0 and 6, and above 1 every step lands farther away. Chapter 06 looks for the place between.
#
# Real losses depend on millions of numbers, the *parameters* of a model. **Backpropagation** gets all slopes at once, by the chain rule: each operation knows how its result depends on its parts, and hands
# the slope on to them, from the loss back to the parameters. Along a path slopes multiply; where paths meet they add up.
#
# By hand, for $(a b + c) \cdot c$ at $a = 2$, $b = -3$, $c = 10$. If $a$ grows a little, $a b$ grows $b = -3$ times as much, the sum as much as $a b$, and the product $c = 10$ times as much: the slope by $a$ is $-3 \cdot 1 \cdot 10 = -30$. And $c$ acts in two ways: inside the sum, with slope 10, and as the factor, with slope $a b + c = 4$; together 14. Here is all of it in code, for single numbers:

# %% tags=["walkthrough"]
class Number:
    """A number that remembers from which numbers it was made, and with which slope by each."""

    def __init__(self, value, parents=()):
        self.value, self.parents, self.grad = value, parents, 0.0

    def __add__(self, other):
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def backward(self, slope=1.0):
        self.grad += slope
        for parent, local in self.parents:
            parent.backward(slope * local)


a, b, c = Number(2.0), Number(-3.0), Number(10.0)
loss = (a * b + c) * c
loss.backward()
print("by hand: ", loss.value, [x.grad for x in (a, b, c)])
x, y, z = (torch.tensor(v, requires_grad=True) for v in (2.0, -3.0, 10.0))
((x * y + z) * z).backward()
print("PyTorch: ", ((x * y + z) * z).item(), [t.grad.item() for t in (x, y, z)])
assert [t.grad.item() for t in (x, y, z)] == [n.grad for n in (a, b, c)] == [-30.0, 20.0, 14.0]

# %% [markdown]
# Note the `+=`: `c` is used twice, so it gets a slope from both places, and they add up. PyTorch *adds* to `.grad` for the same reason, and it goes on adding when you call `backward` for the next step. So a training loop clears the gradients before every step. Nearly everybody forgets that
# once; chapter 06 shows what the curve then looks like. (Our `backward` is right but slow: it walks every path, and paths multiply. PyTorch sorts the graph first and visits each number once.)
#
# ## What a language model is
#
# Text becomes a row of *ids*, numbers of pieces of words (chapter 02). A language model gives every possible next id a probability, from the ids so far. The probability of a whole text is the product of these, one for each id: $p(\text{text}) = p(x_1) \, p(x_2 \mid x_1) \, p(x_3 \mid x_1, x_2) \cdots$ (Read $p(x_2 \mid x_1)$ as "the probability of $x_2$, given $x_1$".) That is all. Models differ
# only in how they come by the probabilities.
#
# We take 1,500 stories to learn from, 150 others to be judged by, and a small vocabulary:

# %% tags=["walkthrough"]
train_stories = list(islice(stories("chapter 03"), 1500))
valid_stories = list(islice(stories("judges 03"), 150))
tokenizer = train_tokenizer(train_stories, 512)
train_ids = encode_stories(train_stories, tokenizer).tolist()
valid_ids = encode_stories(valid_stories, tokenizer).tolist()
n_bytes = sum(len(story.encode()) for story in valid_stories)
V = tokenizer.vocab_size
print(f"{len(train_ids):,} ids to learn from, {len(valid_ids):,} to be judged by, {V} different")
print([tokenizer.decode([i]) for i in train_ids[:14]])

# %% exercise="03.1"

# %% [markdown]
# How bad is a guess? If the model gave $p$ to what really came, count $-\ln p$: nothing for a guess that was sure and right, much for a surprise. It is the surprise of chapter 00, in another unit: with $\log_2$ it is the bit, with the natural logarithm the *nat*, and a nat is 1.44 bits. The mean over all places is the loss.
#
# **Commit the mistake on purpose.** Suppose that the targets are not shifted, so that each id is its own target. We count, for each id, which "next" id follows, and give every pair one count for free. **Predict** the loss.

# %%
ids = torch.tensor(train_ids)
table = torch.ones(V, V)
table.index_put_((ids, ids), torch.ones(len(ids)), accumulate=True)  # the targets are the inputs
copied = table / table.sum(dim=1, keepdim=True)
loss_of_copying = -copied[ids, ids].log().mean().item()
print(f"loss without the shift: {loss_of_copying:.2f} nats for each id")
assert loss_of_copying < 0.7

# %% [markdown]
# A table of counts, and nearly no surprise at all. (What is left, 0.17, comes from the free counts.) **A loss that is too good is a bug until proved otherwise.** Text can be continued in many ways, and no model can know which one it will be. When you meet such a loss, ask what the model can see that it should not: the
# target itself (as here), or the future (chapter 04).
#
# ## The loss
#
# The mean of $-\ln p$ is called **cross-entropy**, and it is the loss of every language model in this course, and of nearly all elsewhere. Models give *scores*, any numbers, one for
# each id, called **logits**. The **softmax** turns them into probabilities: take $e$ to the power of each score, so that all are positive, and divide by the sum, so that they add up to one. Of two ids, the one whose score is higher by 1 gets 2.7 times the probability.

# %% exercise="03.2"

# %% [markdown]
# **Predict:** what is the loss of a model that knows nothing, and gives all 512 ids the same score?

# %% tags=["walkthrough"]
first_loss = cross_entropy(torch.zeros(1000, V), torch.tensor(valid_ids[:1000])).item()
print(f"{first_loss:.3f} nats; ln {V} is {np.log(V):.3f}; perplexity {np.exp(first_loss):.0f}")
assert abs(first_loss - np.log(V)) < 1e-3

# %% [markdown]
# $\ln 512$. It is the first thing to check when a training begins: a first loss far from $\ln V$ means that something is wrong before anything was learned. The **perplexity** is $e$ to the loss, here 512: the model is as unsure as in an even choice among so many.

# %% exercise="03.3"

# %%
logits, target = torch.tensor([2.0, 1.0, 0.0, -1.0, 0.5]), 1
fig, ax = plt.subplots(figsize=(7.5, 3.4))
plots.pulls(ax, torch.softmax(logits, dim=0).tolist(), loss_gradient(logits, target).tolist(), target)
ax.set_title("The gradient: probability, less one at what came")
plots.show(fig, alt=(
    "Bars for five ids: probabilities 0.56, 0.21, 0.08, 0.03 and 0.13, and the gradient of the "
    "loss beside them: equal to the probabilities everywhere except at the target, the second, "
    "where it is 0.21 - 1 = -0.79."
))
assert abs(sum(loss_gradient(logits, target).tolist())) < 1e-6

# %% [markdown]
# *Figure 2. Probability and gradient for one guess; id 1 is what really came.*
#
# A step goes *against* the gradient. So every other score is pulled down by the probability it had, and the score of what came is pushed up by what it lacked. The gradient sums to zero: what one id gains the others lose.
#
# ## A bigram, by counting
#
# The simplest model that looks back at all is the **bigram**: guess from the last id alone. (A model of runs of n ids, the guessed one included, is called an **n-gram**: a *unigram* looks at nothing, a bigram at one id.)

# %% exercise="03.4"

# %% tags=["walkthrough"]
counted = bigram(train_ids, V)
names = [".", ",", ' "', " a", " the", " and", " to", " was", " it", " he", " she", " her", " in", " of"]
chosen = [tokenizer.vocab.index(name.encode()) for name in names]
fig, ax = plt.subplots(figsize=(7.5, 6))
plots.next_token_table(ax, counted[chosen][:, chosen].numpy(), names)
full_stop, comma, quote, the = (chosen[names.index(name)] for name in (".", ",", ' "', " the"))
ax.set_title("Some pairs never come: no comma after a full stop")
plots.show(fig, alt=(
    "A table of fourteen marks and short words, rows for what came first, columns for what came "
    "next, darker for likelier. Rows differ sharply: after a full stop a quote has probability "
    f"{counted[full_stop, quote]:.2f} and a comma {counted[full_stop, comma]:.5f}; after 'the' "
    f"another 'the' has {counted[the, the]:.5f}."
))
assert max(counted[full_stop, comma], counted[the, the]) < 1e-4 < 0.1 < counted[full_stop, quote]

# %% [markdown]
# *Figure 3. A corner of the table: the probability of the next id (columns), given the last (rows). The sign ␣ stands for a blank. White means one in ten thousand or less; after a quote, for example, comes a capital letter, and none is in this corner.*
#
# A table can write: look up the row of the last id, draw the next from it, and so on.

# %%
generator, row = torch.Generator().manual_seed(3), [tokenizer.end_of_text]
for _ in range(60):
    row.append(torch.multinomial(counted[row[-1]], 1, generator=generator).item())
print(tokenizer.decode(row[1:]))

# %% [markdown]
# Most pairs of neighbours are plausible, and nothing else is. It remembers one id, and now and then it draws one of the free tenths, a pair that nobody ever wrote. (The sign � is a lone byte that makes no letter, chapter 02.)
#
# ## The same bigram, by descent
#
# Now forget that we can count. Start from a table of zeros, read each row as logits, and walk down the gradient of the loss. We take two liberties, both for speed. We do not walk over 768,888 places in every step: the loss depends only on how often each pair comes, so equal terms are added up once. And every row is a little
# model of its own, so each descends its own mean loss; with one mean for all, rows of rare ids would hardly move. **Predict:** will descent reach the counted table, stop above it, or go below?

# %% tags=["walkthrough"]
inputs, targets = (torch.tensor(part) for part in make_pairs(train_ids))
pairs = torch.full((V, V), 0.1).index_put_((inputs, targets), torch.ones(len(inputs)), accumulate=True)
pairs = pairs / pairs.sum()  # the share of each pair, free tenths included
share_in_row = pairs / pairs.sum(dim=1, keepdim=True)
weights, losses = torch.zeros(V, V, requires_grad=True), []
for step in range(2001):
    log_probs = torch.log_softmax(weights, dim=1)
    losses.append(-(pairs * log_probs).sum().item())  # over all pairs: what we report
    loss = -(share_in_row * log_probs).sum()  # the rows' mean losses, added up: what we descend
    weights.grad = None  # or it would add up from step to step
    loss.backward()
    with torch.no_grad():
        weights -= 3.5 * weights.grad  # just below 4: above it a row of two even ids would diverge
best = -(pairs * counted.log()).sum().item()
learned = torch.softmax(weights.detach(), dim=1)
print(f"first {losses[0]:.3f}, last {losses[-1]:.3f}, counted {best:.3f} nats (free tenths included)")
print(f"largest difference between the two tables: {(learned - counted).abs().max():.4f}")
assert abs(losses[0] - np.log(V)) < 1e-3 and 0 < losses[-1] - best < 0.005
assert (learned - counted).abs().max() < 0.001 and losses == sorted(losses, reverse=True)

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(7.5, 3.6))
plots.toward(ax, losses, best, "counted")
ax.set_title("Descent comes down to the table of counts, and no further")
plots.show(fig, alt=(
    "The loss of the learned bigram against steps, on a logarithmic axis. It falls from "
    f"{losses[0]:.2f} nats to {losses[10]:.2f} after 10 steps, {losses[100]:.2f} after 100 and "
    f"{losses[-1]:.2f} after 2,000; a dashed line at {best:.2f} marks the table of counts, which "
    "it approaches from above."
))

# %% [markdown]
# *Figure 4. The same model, found in two ways. The axis of steps is logarithmic.*
#
# Two thousand steps, and the two tables agree to the third decimal. For these pairs no table has a lower loss: relative frequencies are the best there is, and the loss has only one valley. Your `loss_gradient` says why descent comes to rest there. Averaged over the pairs of a row it is
# the share that was guessed minus the share that came, and when the two are equal it is zero. Is this average what **autograd**, PyTorch's backpropagation, has computed? A check, for the first step and one row:

# %%
start = torch.zeros(V, V, requires_grad=True)
(-(share_in_row * torch.log_softmax(start, dim=1)).sum()).backward()
row = int(inputs[0])
by_hand = sum(share * loss_gradient(torch.zeros(V), target)
              for target, share in enumerate(share_in_row[row].tolist()))
assert torch.allclose(start.grad[row], by_hand, atol=1e-4)
print("equal:", torch.allclose(start.grad[row], by_hand, atol=1e-4))

# %% [markdown]
# Counting gives the same table exactly, in one go. Then why descend at all? Because nobody can *count* the best transformer, while descent works wherever there is a gradient.
#
# ## Bits per byte
#
# A loss per token depends on how long tokens are. To compare across tokenizers, take bits per byte (chapter 00): count all the bits of a text and divide by its bytes, which are the same for everybody.

# %% exercise="03.5"

# %% [markdown]
# Why bother? Take the very simplest model, which knows only how frequent each id is, with three vocabularies (257 are the 256 bytes and the end mark). **Predict** which has the lowest loss per token, and which the fewest bits per byte.

# %% tags=["walkthrough"]
rows = []
for size in (257, 512, 2048):
    other = train_tokenizer(train_stories, size)
    seen_ids, judged = (encode_stories(texts, other) for texts in (train_stories, valid_stories))
    nats = NGram(seen_ids, size, order=1).nats(judged)
    rows.append({"ids": f"{size:,}", "nats per token": f"{nats / len(judged):.2f}",
                 "perplexity": f"{np.exp(nats / len(judged)):.0f}",
                 "bits per byte": f"{bits_per_byte(nats, n_bytes):.2f}"})
plots.show_table(rows)
in_nats, in_bits = ([float(row[key]) for row in rows] for key in ("nats per token", "bits per byte"))
assert in_nats == sorted(in_nats) and in_bits == sorted(in_bits, reverse=True)

# %% [markdown]
# The order is turned round. A letter is easy to guess and there are many of them; a word is hard and there are few. **Compare losses and perplexities per token only if the tokenizer is the same.**
#
# ## Looking further back
#
# A bigram remembers one id. Why not count what follows two, four, nine? **Predict:** of all runs of ten ids in the 150 unseen stories, how many stood anywhere in the 1,500 that we learn from?

# %% tags=["walkthrough"]
lengths = (1, 2, 3, 4, 5, 6, 8, 10)
met, bits_of_order = [], []
for n in lengths:
    known = {tuple(train_ids[i : i + n]) for i in range(len(train_ids) - n + 1)}
    runs = [tuple(valid_ids[i : i + n]) for i in range(len(valid_ids) - n + 1)]
    met.append(sum(run in known for run in runs) / len(runs))
    nats = NGram(np.array(train_ids), V, order=n).nats(np.array(valid_ids))
    bits_of_order.append(bits_per_byte(nats, n_bytes))
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6))
plots.lines(axes[0], lengths, {"": met}, "n, ids in a run", "runs met in training")
plots.lines(axes[1], lengths, {"": bits_of_order}, "n, ids in a run", "bits per byte")
fig.suptitle("Most long runs are new, so longer counts stop helping", x=0.02, ha="left", weight="bold")
fig.tight_layout()
plots.show(fig, alt=(
    f"Left: share of runs of unseen stories that stood in training, from {met[0]:.0%} for one id "
    f"to {met[-1]:.0%} for ten. Right: bits per byte of an n-gram, from {bits_of_order[0]:.2f} for "
    f"n = 1 to {bits_of_order[4]:.2f} for 5 and {bits_of_order[-1]:.2f} for 10: almost level from "
    "6 on."
))
assert met[-1] < 0.3 and met[3] > 0.8 and bits_of_order[-3] - bits_of_order[-1] < 0.03
assert bits_of_order == sorted(bits_of_order, reverse=True)

# %% [markdown]
# *Figure 5. Left: how much of unseen text is made of known runs. Right: what looking further back is worth; n counts the id that is guessed too.*
#
# Three quarters of all runs of ten are new, in a world as small as ours. A model that only counts runs of ten would give them probability zero, and one zero makes the whole text impossible: an infinite loss. The way out is to **mix**: if the long context was seen, listen to it, but never to it alone.

# %% exercise="03.6"

# %% tags=["walkthrough"]
counts = defaultdict(Counter)  # what followed each context of 0 to 4 ids
for n in range(5):
    for i in range(n, len(train_ids)):
        counts[tuple(train_ids[i - n : i])][train_ids[i]] += 1
places = range(4, 20_000)
contexts = {i: tuple(valid_ids[i - 4 : i]) for i in places}
only_longest = [counts[c][valid_ids[i]] for i, c in contexts.items() if c in counts]
by_mixing = [mixed_probability(counts, c, valid_ids[i], V) for i, c in contexts.items()]
print(f"impossible to the longest context alone: {1 - np.count_nonzero(only_longest) / len(places):.0%}")
print(f"mixed by hand: {-np.log(by_mixing).mean():.3f} nats per token")
assert 0.2 < 1 - np.count_nonzero(only_longest) / len(places) < 0.4 and min(by_mixing) > 0

# %% [markdown]
# ## The ladder
#
# Now everything on one ladder: blind guessing; frequencies; the bigram; four ids back, mixed by your rule; the same with better weights. (`minilm.ngram` mixes by the rule of Kneser and Ney, in its interpolated form. It trusts a context more, the more often it was seen. And in the shorter contexts it counts after how many *different* ids a guess came, not how often: *upon* is frequent in stories, but comes after hardly anything but *once*.) Longer n-grams gain a little more, as figure 5 shows; the 5-gram is the usual yardstick.
# At the end stands the shipped model. It has read more text, 40 MB, so the last step is no fair race between methods.

# %% tags=["walkthrough"]
mixed = sum(
    -math.log(mixed_probability(counts, tuple(valid_ids[max(i - 4, 0) : i]), valid_ids[i], V))
    for i in range(len(valid_ids))
)
nats = {"uniform": len(valid_ids) * np.log(V)}
for name, order in {"unigram": 1, "bigram": 2}.items():
    nats[name] = NGram(np.array(train_ids), V, order).nats(np.array(valid_ids))
nats |= {"5-gram, mixed by hand": mixed,
         "5-gram, Kneser and Ney": NGram(np.array(train_ids), V, 5).nats(np.array(valid_ids))}
ladder = {name: bits_per_byte(total, n_bytes) for name, total in nats.items()}
model, shipped = load_model(MODELS / "storyworld")
judged_ids = encode_stories(valid_stories, shipped)
ladder["shipped model, 40 MB read"] = evaluate(model, judged_ids, shipped).bits_per_byte
fig, ax = plt.subplots(figsize=(7.5, 3.4))
plots.ladder(ax, ladder)
ax.set_title("Each rung knows more; the last has also read more")
listed = ", ".join(f"{name} {bits:.2f}" for name, bits in ladder.items())
plots.show(fig, alt=f"Bits per byte of 150 unseen stories: {listed}.")
assert list(ladder.values()) == sorted(ladder.values(), reverse=True)

# %% [markdown]
# *Figure 6. Bits per byte of stories that nobody has seen; less is better. The counting models have read 1,500 stories, the shipped model 40 MB.*
#
# More text would help the counts too. But they lack more than examples. To use a long past a model must see that different pasts can be *alike*: that "Mia lost her kite" and "Sam lost his drum" call for the same kind of ending, though they share but one word. A table cannot do that: to a table two contexts are either equal or strangers. The next two chapters
# build the machine that can, and begin with [attention](04_attention.ipynb).
#
# ## What we know now
#
# - A language model is a probability for the next id; its loss is the mean surprise, and for even guesses it is $\ln V$.
# - The gradient of that loss is the softmax minus one at the target, and backpropagation is the chain rule, with sums where paths meet.
# - Descent finds the table that counting gives, slowly and from above.
# - In unseen text most long runs are new; mixing long and short contexts keeps these possible.
# - A loss that is too good is a bug until proved otherwise: with unshifted targets, copying looks like genius.
# - Losses per token compare only with the same tokenizer; bits per byte compare with any, on the same text.
# - The bar for the chapters to come is the 5-gram of Kneser and Ney.

# %% quiz="03"

# %% [markdown]
# ## Sources
#
# - Shannon, *A Mathematical Theory of Communication*, 1948: entropy, and English written by tables of neighbouring letters and words.
# - Rumelhart, Hinton and Williams, *Learning representations by back-propagating errors*, Nature, 1986.
# - Kneser and Ney, *Improved backing-off for M-gram language modeling*, ICASSP 1995; Chen and Goodman, *An empirical study of smoothing techniques for language modeling*, 1998: the interpolated form.
# - Gao et al., *The Pile*, 2020, arXiv 2101.00027: bits per byte.
# - The stories are `minilm.storyworld`'s; the shipped model's record is `data/models/storyworld/run.json`.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | the valley and its slider | What does 1.1 do? | Where is the border between arriving and leaving? |
# | 4 | `Number` beside PyTorch | What is the slope by `c`? | Why `+=`? |
# | 8 | the first loss | What does a model lose that knows nothing? | |
# | 10 | the table of the bigram, and what it writes | After a full stop? | What does it remember? |
# | 13 | the bigram by descent | Above, at or below the counted loss? | Why descend if one can count? |
# | 15 | three vocabularies | Which has the lowest loss per token? | Which is the best model? |
# | 17 | figure 5 | How many runs of ten are new? | Why not a 50-gram? |
# | 18 | the ladder | Guess the 5-gram. | What can a table of counts never do? |
#
# Homework: 03.2, 03.3 and 03.6.
# </details>
