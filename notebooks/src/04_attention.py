# %% [markdown]
# # 04 · How do tokens look at each other?
#
# "Sam gave the ball to" ... whom? The answer is not in the word "to". It stands many tokens earlier, in a name. A bigram (chapter 03) looks at one token and has
# forgotten everything before it. **Attention** is the part of a transformer that fetches: every token may take something from every token before it, and decides for itself from which.
#
# It is also the part in which mistakes hide best. Nothing crashes, all shapes are right, the loss may even be *better* than it should be. So in this chapter you
# build attention and the alarms that go with it. By the end you will
#
# - have gone from a loop over words to fused, grouped, causal attention with rotary positions, each step checked against the one before and against PyTorch;
# - have made three famous mistakes on purpose, and caught each;
# - have watched the shipped model read a story that you typed, and tested what a map of its attention does and does not show.
#
# **Time:** about 90 minutes, 55 of them for the exercises. **You need:** matrix products, and `shape` and `view` of PyTorch tensors. Chapter 03 helps for the words *softmax* and *loss*.

# %%
import math
from itertools import islice
from time import perf_counter

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import display

from minilm import plots, widgets
from minilm.attention import apply_rope, attention, attention_explicit, causal_mask, rope_table
from minilm.checkpoint import load_model
from minilm.config import MODELS
from minilm.course import check, quiz
from minilm.storyworld import stories
from minilm.storyworld.lexicon import lexicon

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)  # small tensors: with more, threads mostly wait for each other

# %% [markdown]
# ## A weighted average
#
# Every token asks a question and offers an answer. For that it has three rows of numbers (made by trained matrices from the one row that stands for it; more below):
#
# - a **query**, what it is looking for;
# - a **key**, what it can be found by;
# - a **value**, what it hands over.
#
# The query of one token is compared with the key of each token: multiply coordinate by coordinate, add up. That is the *score*, large where query and key fit. A
# softmax (chapter 03) turns scores into *weights*, which are positive and add up to one: $w_s = e^{\text{score}_s} / \sum_r e^{\text{score}_r}$. The result is the average of the values with these weights. That is all.

# %% exercise="04.1"

# %% [markdown]
# Now a sentence, with numbers made by hand. The first coordinate of a key says "I am a person", the second "I am a thing". `She` looks for a person. (In a real model such numbers
# are learned, and seldom so clear.)
#
# **Predict.** Which word gets most of the weight of `She`? Does `ball` get any?

# %% tags=["walkthrough"]
words = ["Mia", "has", "a", "ball", ".", "She"]
keys = [[2, 0], [0, 0], [0, 0], [0, 2], [0, 0], [1, 0]]
values = [[1, 0], [0, 0], [0, 0], [0, 1], [0, 0], [0, 0]]
queries = [[0, 0], [1, 0], [0, 1], [0, 1], [1, 1], [3, 0]]


def attend(query, keys, values):
    """The average of the values, weighted by how well their keys fit the query; and the weights."""
    scores = [sum(a * b for a, b in zip(query, key)) / math.sqrt(len(query)) for key in keys]
    powers = [math.exp(score) for score in scores]
    weights = [power / sum(powers) for power in powers]
    n_coordinates = len(values[0])
    mixed = [sum(w * value[i] for w, value in zip(weights, values)) for i in range(n_coordinates)]
    return mixed, weights


mixed, weights = attend(queries[-1], keys, values)
plots.show_table([{"word": word, "weight": f"{w:.3f}"} for word, w in zip(words, weights)])
print("She takes away:", [round(number, 3) for number in mixed])
assert round(weights[0], 2) == 0.85 and round(weights[3], 2) == 0.01

# %% [markdown]
# `Mia` gets 85 %; `ball` gets about 1 %, for a softmax never gives nothing. What `She` takes away is nearly Mia's value, a little thinned. (Why the square root in the loop? That comes below.)
#
# **And the future?** When a model writes, what comes next is not there yet. So in training no token may look at a later one, or the model would learn to copy an answer that is not there when it writes.
# In a loop this is easy: give token t only the first t + 1 keys and values. This is **causal** attention.

# %% tags=["walkthrough"]
by_loop = [attend(queries[t], keys[: t + 1], values[: t + 1])[0] for t in range(len(words))]
print([[round(number, 2) for number in row] for row in by_loop])
assert by_loop[0] == values[0]  # the first token sees only itself

# %% [markdown]
# ## All at once
#
# The loop visits every pair of tokens, one by one. A matrix product does the same in one stroke: with queries as rows and keys as columns, its entry in row t and column s is the score of query t with key s. But it scores *all* pairs, the
# forbidden ones too. So these must be taken out: by a **mask**, before the softmax.

# %% exercise="04.2"

# %% tags=["walkthrough"]
q, k, v = (torch.tensor(rows, dtype=torch.float32) for rows in (queries, keys, values))
ours = causal_head(q, k, v)
q4, k4, v4 = (x[None, None] for x in (q, k, v))  # the fused kernel wants (batch, heads, T, D)
fused = F.scaled_dot_product_attention(q4, k4, v4, is_causal=True)[0, 0]
others = {"the loop": torch.tensor(by_loop), "PyTorch's fused kernel": fused,
          "minilm.attention": attention(q4, k4, v4)[0, 0]}
plots.show_table([
    {"compared with": name, "largest difference below": "0.000001" if (ours - other).abs().max() < 1e-6
     else "NOT EQUAL"} for name, other in others.items()
])
assert all((ours - other).abs().max() < 1e-6 for other in others.values())

# %% [markdown]
# Four ways, one answer. *Fused* means: scores, softmax and average in one pass over small blocks, so that the table of all scores is never written to memory. How much that saves
# is easily counted: for one sequence of 8,192 tokens and 32 heads the scores alone, at four bytes, take

# %%
scores_bytes = 32 * 8192 * 8192 * 4
print(f"{scores_bytes / 1e9:.1f} GB in each layer")
assert round(scores_bytes / 1e9, 1) == 8.6

# %% [markdown]
# Times differ from one computer to the next; run this to see yours. (The printed course leaves it empty.)

# %% tags=["machine"]
wide = torch.randn(3, 1, 6, 1024, 32, generator=torch.Generator().manual_seed(0))
for function in (attention_explicit, attention):
    function(*wide)
    start = perf_counter()
    for _ in range(3):
        function(*wide)
    milliseconds = (perf_counter() - start) / 3 * 1000
    print(f"{function.__name__:18} {milliseconds:.0f} ms for 1,024 tokens, 6 heads, one thread")

# %% [markdown]
# ## First mistake: no scale
#
# It is easy to forget the square root, and nothing complains. **Predict:** queries and keys are random numbers with a spread (standard deviation) of 1. Without the division, what happens to the weights
# when the head gets wider, from 4 numbers to 1,024?

# %%
generator = torch.Generator().manual_seed(0)
head_widths = [4, 16, 64, 256, 1024]
largest = {"not scaled": [], "divided by √D": [], "divided by D": []}
for D in head_widths:
    random_q, random_k = torch.randn(2, 200, 32, D, generator=generator)
    raw = random_q @ random_k.transpose(-2, -1)  # 200 x 32 queries, 32 keys each
    for name, divisor in zip(largest, (1, math.sqrt(D), D)):
        largest[name].append((raw / divisor).softmax(dim=-1).max(dim=-1).values.mean().item())
fig, ax = plt.subplots(figsize=(7.5, 3.8))
plots.lines(ax, head_widths, largest, "width of a head, D", "largest weight, mean")
ax.set(xscale="log", ylim=(0, 1))
ax.set_xticks(head_widths, [f"{D:,}" for D in head_widths], minor=False)
ax.minorticks_off()
ax.set_title("Without the root, a wide head sees one token only")
ends = [f"{name}: {ys[0]:.2f} at width 4, {ys[-1]:.2f} at 1,024" for name, ys in largest.items()]
plots.show(fig, alt=f"Largest of 32 weights against the width of a head. {'; '.join(ends)}.")
assert largest["not scaled"][-1] > 0.9 and max(largest["divided by √D"]) < 0.25
assert largest["divided by D"][-1] < 0.04

# %% [markdown]
# *Figure 1. Random queries against 32 random keys: the largest weight, as a mean. If all got the same it would be 1/32, 0.03.*
#
# A score is a sum of D products. Each has spread 1, and pluses and minuses partly cancel, so the sum has spread √D, not D. Undivided, at width 1,024 one token takes over 90 % before anything has been learned. Then the softmax is
# all or nothing, and hardly any gradient comes through it: that is the reason that Vaswani et al. give. Divided by D, the weights become nearly equal. Only the root keeps the spread at 1.
#
# A mistake like this is caught by comparing numbers with another implementation, as your check did. Shapes cannot tell.
#
# ## Second mistake: the mask turned round
#
# In PyTorch a mask of true and false has two meanings. For `masked_fill` and `nn.MultiheadAttention`, true means *hide*. For `scaled_dot_product_attention`, true means *look*. In August 2026 a reader of
# the well-known book code `LLMs-from-scratch` noticed that one of its notebooks had handed a mask of the first kind to a function of the second kind (issue 1061). Commit it yourself:

# %% tags=["walkthrough"]
generator = torch.Generator().manual_seed(4)
q, k, v = torch.randn(3, 6, 16, generator=generator)
hide = torch.ones(6, 6).triu(diagonal=1).bool()  # true where a token must not look


def honest(x):
    """Attention among the rows of x, which serve as queries, keys and values."""
    return F.scaled_dot_product_attention(x[None], x[None], x[None], attn_mask=~hide)[0]


def upside_down(x):
    """The same, with the mask as it stands."""
    return F.scaled_dot_product_attention(x[None], x[None], x[None], attn_mask=hide)[0]


def no_mask(x):
    """The same, with no mask at all."""
    return F.scaled_dot_product_attention(x[None], x[None], x[None])[0]


print([tuple(layer(q).shape) for layer in (honest, upside_down, no_mask)])

# %% [markdown]
# Not a word of complaint. What did each of them look at? A trick shows the weights of any attention: hand it the identity matrix as values (a 1 in the token's own place, else 0), and the averages *are* the weights.

# %% tags=["walkthrough"]
fig, axes = plt.subplots(1, 3, figsize=(9, 3.4))
for ax, (name, mask) in zip(axes, {"past": ~hide, "future": hide, "no mask": None}.items()):
    eye = torch.eye(6)[None]
    shown = F.scaled_dot_product_attention(q[None], k[None], eye, attn_mask=mask)[0]
    plots.weight_map(ax, shown, [str(t) for t in range(6)])
    ahead = shown.triu(1).sum() / shown.sum()
    ax.set(xlabel="is looked at", ylabel="looks", title=f"{name}: {ahead:.0%} ahead")
    if name == "past":
        assert shown.triu(1).abs().max() == 0
fig.tight_layout()
plots.show(fig, alt=(
    "Three maps of weights among six tokens, a row for each token that looks. Past: all weight on and "
    "below the diagonal. Future, the mask turned round: all weight above it, and the last row empty. "
    "No mask: weight everywhere."
))

# %% [markdown]
# *Figure 2. The same queries and keys, three masks. In the title: the share of the weight that goes to later tokens.*
#
# In the middle every token sees *only* the future, and the last sees nothing at all. (By hand that row would be a softmax of nothing but minus infinity, "not a number", and you would be warned; PyTorch's function returns zeros.) Nobody looks at such maps every day, so we need an **alarm** that runs by itself. It need not know about masks: **if I change a token, nothing before it may change.**

# %% exercise="04.3"

# %% tags=["walkthrough"]
for layer in (honest, upside_down, no_mask):
    print(f"{layer.__name__:12} sees the future: {sees_future(layer, q)}")
assert [sees_future(layer, q) for layer in (honest, upside_down, no_mask)] == [False, True, True]

# %% [markdown]
# The repair of issue 1061 added just such a test. What would have happened without it? **Predict:** we train two tiny models on letters, one layer each, one with each mask. Which has the better loss on stories that it has not seen, and which writes better? (Adam, in the code, is chapter 06's way to take a step.)

# %%
text = "\n".join(islice(stories("chapter 04"), 300)).encode()
learned, unseen = (torch.tensor(list(part)) for part in (text[:-20_000], text[-20_000:]))
T, C = 32, 64
cos, sin = rope_table(T, C)


def scores_of_next(weights, letters, mask):
    """A language model of one attention layer: letters (B, T) to scores of the next (B, T, 256)."""
    n, x = letters.shape[1], weights["embed"][letters]
    q, k = (apply_rope(x @ weights[name], cos[:n], sin[:n]) for name in ("q", "k"))
    mixed = F.scaled_dot_product_attention(q, k, x @ weights["v"], attn_mask=mask[:n, :n])
    return (x + mixed) @ weights["out"]


def windows(letters, generator):
    """Eight windows cut out by chance, and the letter after each of their letters, except the last."""
    starts = torch.randint(len(letters) - T, (8,), generator=generator)
    rows = torch.stack([letters[start : start + T] for start in starts])
    return rows, rows[:, 1:]

# %%
def train(mask, n_steps=80):
    """Train such a model; return its weights and its loss on unseen stories."""
    generator = torch.Generator().manual_seed(0)
    sizes = {"embed": (256, C), "q": (C, C), "k": (C, C), "v": (C, C), "out": (C, 256)}
    weights = {name: torch.randn(size, generator=generator) / 8 for name, size in sizes.items()}
    optimizer = torch.optim.Adam([w.requires_grad_() for w in weights.values()], lr=0.01)

    def loss(letters, generator):
        rows, targets = windows(letters, generator)
        scores = scores_of_next(weights, rows, mask)[:, :-1]
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten())

    for _ in range(n_steps):
        optimizer.zero_grad()
        loss(learned, generator).backward()
        optimizer.step()
    with torch.no_grad():
        return weights, loss(unseen, generator).item()

past = torch.ones(T, T).tril().bool()
report = {}
for name, mask in {"past": past, "future": ~past}.items():
    trained, report[name] = train(mask)
    written = list(b"The girl ")
    for _ in range(24):
        with torch.no_grad():
            scores = scores_of_next(trained, torch.tensor([written[-T:]]), mask)[0, -1]
        written.append(scores.argmax().item())
    print(f"{name:7} loss {report[name]:.2f}, writes {bytes(written).decode(errors='replace')!r}")
assert report["past"] > 2 and report["future"] < 0.3

# %% [markdown]
# The leaking model guesses unseen text almost perfectly, with a loss far below the honest one's: it reads the answer off the next place. And it cannot write at all, for then there is no next place. (The honest one has
# read for some seconds only, and is no poet either; but it writes letters that have followed each other before.) It is the rule of chapter 03 again: **a loss that is too good to be true is not true.**
#
# ## Tested twice, on the real model
#
# Now the shipped storyworld model: 5 layers, each with 6 heads (they come next). First your alarm's way: change the last word and compare the guesses before it. Then by gradient, for all pairs of tokens at once. A gradient tells how much each
# result moves with each input. If token t cannot see token s, that gradient is not small, it is exactly zero. (A *hook* is a function that PyTorch calls when a part of a model has run; ours replaces the embedded tokens by a copy of which we can ask gradients.)

# %% tags=["walkthrough"]
model, tokenizer = load_model(MODELS / "storyworld")
lines = ["A girl called Mia had a red ball. She gave the ball to Sam",
         "A girl called Mia had a red ball. She gave the ball to her"]
rows = torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(line)] for line in lines])
assert (model.config.n_layers, model.config.n_heads, model.config.n_kv_heads) == (5, 6, 3)
with torch.no_grad():
    before, after = model(rows)
print("places whose guesses differ:", (before != after).any(dim=1).nonzero().flatten().tolist())
assert torch.equal(before[:-1], after[:-1]) and not torch.equal(before[-1], after[-1])

# %% tags=["walkthrough"]
embedded = []


def keep(module, args, x):
    """Go on with a copy of the embedded tokens, from which gradients can be taken."""
    embedded.append(x.detach().requires_grad_())
    return embedded[0]


hook = model.embed.register_forward_hook(keep)
best = model(rows[:1])[0].max(dim=-1).values  # the score of the best guess at each place
hook.remove()
influence = torch.stack([
    torch.autograd.grad(score, embedded[0], retain_graph=True)[0][0].norm(dim=-1) for score in best
])  # row t: how the guess at t moves with each input
ahead = influence[torch.ones_like(influence).triu(1) > 0]
names = ["start", *(tokenizer.decode([i]) for i in rows[0, 1:].tolist())]
fig, ax = plt.subplots(figsize=(6, 5.6))
plots.weight_map(ax, (influence / influence.max(dim=1, keepdim=True).values).sqrt(), names)
ax.set_title(f"{int((ahead > 0).sum())} of {len(ahead)} paths lead back from the future")
ax.set(xlabel="input", ylabel="guess after")
plots.show(fig, alt=(
    f"A map of {len(names)} by {len(names)} tokens: how strongly the guess at each place moves with "
    f"each input. All {len(ahead)} squares above the diagonal are exactly zero; those below are not."
))
assert not ahead.any() and bool((influence[torch.ones_like(influence).tril() > 0] > 0).all())

# %% [markdown]
# *Figure 3. The gradient of each guess by each input, each row by its own largest (the root of it, so that small ones can be seen).*
#
# For this text not one path leads back from the future, and every path from the past is open.
#
# ## Many heads
#
# One head makes one average. But a token may want several things at once: the name, the last verb, the end of the sentence. So queries, keys and values are cut into **heads**: each head makes an average of its own, and the results are laid side by side.
#
# Keys and values must be kept for every token as long as a model writes (chapter 07), and that memory is dear. In **grouped-query attention** some query heads share one head of keys and
# values: the questions differ, what is looked through is the same. Our model has 6 query heads and 3 of keys and values. In PyTorch `view` reads the same numbers, in the same order, in another shape, and `transpose` exchanges two dimensions. Between the two waits the third famous mistake.

# %% exercise="04.4"

# %%
generator = torch.Generator().manual_seed(5)
q = torch.randn(10, 6 * 8, generator=generator)
k, v = torch.randn(2, 10, 3 * 8, generator=generator)
split = [x.unflatten(1, (-1, 8)).transpose(0, 1)[None] for x in (q, k, v)]
theirs = F.scaled_dot_product_attention(*split, is_causal=True, enable_gqa=True)[0]
equal = torch.allclose(multi_head(q, k, v, 6, 3), theirs.transpose(0, 1).flatten(1), atol=1e-5)
print("equal to PyTorch's:", equal)
row = torch.arange(6).view(1, 6).repeat(3, 1)  # 3 tokens, each with two heads of three numbers
print("view(heads, T, D), head 0:", row.view(2, 3, 3)[0].tolist())
print("view(T, heads, D).transpose(0, 1), head 0:", row.view(3, 2, 3).transpose(0, 1)[0].tolist())
assert equal

# %% [markdown]
# Head 0 should hold the numbers 0, 1, 2 of every token. With the wrong `view` it holds all six numbers of the first token and half of the second's: its "tokens" are not tokens. Yet the shape is right, and nothing complains.
#
# ## Where am I?
#
# Something is missing. **Predict:** shuffle the tokens before the last one. What changes in the result at the last place?

# %% tags=["walkthrough"]
generator = torch.Generator().manual_seed(6)
x = torch.randn(8, 16, generator=generator)
shuffled = x[[3, 0, 6, 2, 5, 1, 4, 7]]
difference = (causal_head(x, x, x)[-1] - causal_head(shuffled, shuffled, shuffled)[-1]).abs().max()
print("changed:", bool(difference > 1e-5))
assert difference < 1e-5

# %% [markdown]
# Nothing. A weighted average does not care in which order it is taken: "Mia bit the dog today" and "the dog bit Mia today" give `today` the same bag of words. (In one layer, that is. With several, the mask lets a trace of order in: a token that stands late has seen more.) So position must be put in. LLaMA and most models since do it by **RoPE**, *rotary
# position embedding*. Take the coordinates of a query or key in pairs. A pair is a point in the plane, and a hand on a clock. Turn the hand of a token at position t by t times some angle, fast for the first pair, ever more slowly for the
# others. A score depends on the angles *between* the hands of query and key. If both tokens move on by ten places, both hands of a clock turn by the same, and the angle between them stays.

# %% exercise="04.5"

# %% tags=["walkthrough"]
q, k = torch.randn(2, 16, generator=generator)
for t, s in ((12, 5), (112, 105), (412, 405), (12, 6)):
    print(f"query at {t:3}, key at {s:3}: score {rotate(q, t) @ rotate(k, s):.3f}")
scores = [(rotate(q, 7 + moved) @ rotate(k, moved)).item() for moved in range(0, 400, 7)]
assert max(scores) - min(scores) < 1e-3 and abs((rotate(q, 12) @ rotate(k, 6)).item() - scores[0]) > 0.01
table = rope_table(50, 16)
together = apply_rope(q.expand(50, 16), *table)
assert all(torch.allclose(rotate(q, t), together[t], atol=1e-5) for t in range(50))

# %% [markdown]
# Seven apart is seven apart, wherever the two stand; six apart is something else. (Values are not turned: what is handed over does not depend on where it was found.)
#
# Here are the clocks of a head of width 8, for a query and a key whose hands all point the same way before they are turned.

# %%
def hands_at(position):
    """The four hands of a query or key of eight numbers at a position, as complex numbers."""
    turned = rotate(torch.tensor([1.0] * 4 + [0.0] * 4), position)
    return (turned[:4] + 1j * turned[4:]).numpy()


def scores_at(position):
    """Scores of a query at a position with keys up to 60 places before it."""
    query = hands_at(position)
    return [float((query * hands_at(position - gap).conj()).real.sum()) for gap in range(61)]


rope_fig, (clock_ax, score_ax) = plt.subplots(1, 2, figsize=(9.5, 3.6), width_ratios=(3, 2))
clocks = plots.clock_hands(clock_ax, hands_at(100), hands_at(97))
curve, mark = plots.score_by_distance(score_ax, scores_at(100), 3)
title = rope_fig.suptitle("Query at 100, key at 97: the score knows only the 3", x=0.02, ha="left")
title.set_weight("bold")
rope_fig.tight_layout()
plots.show(rope_fig, alt=(
    "Left: four clocks, each with a hand of the query and one of the key, 3 places apart: nearly "
    "opposite on clock 0, a little apart on clock 1, together on clocks 2 and 3. Right: the score "
    f"against the distance from 0 to 60, a wave that begins at 4 and is {scores_at(100)[3]:.1f} at "
    "3."
))
assert np.allclose(scores_at(100), scores_at(400), atol=1e-3)

# %% [markdown]
# *Figure 4. RoPE. Pair 0 turns by one radian (57 degrees) at each place, every next pair ten times more slowly. Right: the score of a query with keys so many places back.*
#
# Move the position: all hands turn, the curve does not. Then move the distance. Which clocks tell near from very near, and which tell near from far?

# %%
def move(position, distance):
    """Turn the clocks; the curve is computed anew and stays."""
    plots.set_clock_hands(clocks, hands_at(position), hands_at(position - distance))
    moved = scores_at(position)
    curve.set_ydata(moved)
    mark.set_data([distance], [moved[distance]])
    other = position - distance
    title.set_text(f"Query at {position}, key at {other}: the score knows only the {distance}")
    return (f"At a distance of {distance} the score is {moved[distance]:.2f}, at position {position} "
            "as anywhere.")


places = ipywidgets.IntSlider(value=100, min=60, max=500, description="position")
gaps = ipywidgets.IntSlider(value=3, min=0, max=60, description="distance")
display(widgets.live_figure(rope_fig, move, position=places, distance=gaps))

# %% [markdown]
# Clock 0 tells neighbours apart, but after six places it is nearly back where it was; clock 1 tells six from twelve; clocks 2 and 3 hardly move within a sentence, and tell paragraphs apart. Together they mark every distance, as the hands of a watch mark hours, minutes and seconds.
#
# **The whole of it.** Your functions, put together, must now give what an attention layer of the shipped model gives. We take its trained **projections**: the matrices that make queries, keys and values out of the row of C numbers that each token has (`q_proj`, `k_proj`, `v_proj`), and the one that mixes the results of the heads (`o_proj`). (The norm before them is chapter 05's.)

# %%
layer = model.blocks[0]
with torch.no_grad():
    x = layer.attn_norm(model.embed(rows[0]))  # (T, C)
    theirs = layer.attn(x[None], model.cos[: len(x)], model.sin[: len(x)])[0]
    q, k, v = layer.attn.q_proj(x), layer.attn.k_proj(x), layer.attn.v_proj(x)

    def turned(rows):
        """Each head (32 numbers) of each token, turned to the token's place."""
        return torch.stack([torch.cat([rotate(head, t) for head in row.split(32)])
                            for t, row in enumerate(rows)])

    ours = layer.attn.o_proj(multi_head(turned(q), turned(k), v, n_heads=6, n_kv_heads=3))
print("equal:", torch.allclose(ours, theirs, atol=1e-5))
assert torch.allclose(ours, theirs, atol=1e-5)

# %% [markdown]
# ## Watching it read
#
# Thirty heads, each with its map. The fused kernel never shows the weights, so we compute them again from the model's own parts.

# %% tags=["walkthrough"]
def read(text):
    """The tokens of a text, and the weights of every head while the model reads it: (L, H, T, T)."""
    config = model.config
    D, shared = config.head_dim, config.n_heads // config.n_kv_heads
    ids = torch.tensor([tokenizer.end_of_text, *tokenizer.encode(text)][: config.context_length])
    cos, sin, maps = model.cos[: len(ids)], model.sin[: len(ids)], []
    with torch.no_grad():
        x = model.embed(ids)[None]
        for block in model.blocks:
            normed = block.attn_norm(x)
            q, k = (proj(normed).unflatten(-1, (-1, D)).transpose(1, 2)
                    for proj in (block.attn.q_proj, block.attn.k_proj))
            q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
            k = k.repeat_interleave(shared, dim=1)
            scores = q @ k.transpose(-2, -1) / math.sqrt(D)
            hidden = ~causal_mask(len(ids), len(ids))
            maps.append(scores.masked_fill(hidden, float("-inf")).softmax(dim=-1)[0])
            x = block(x, cos, sin)
    return ["start", *(tokenizer.decode([i]) for i in ids[1:].tolist())], torch.stack(maps)


story = ("Once upon a time there was a little girl called Mia. Mia had a red ball. One day Mia lost "
         "the ball in the park. A boy called Sam found the ball. Sam gave the ball to")
tokens, maps = read(story)
assert len(tokens) == 42 and torch.allclose(maps.sum(dim=-1), torch.ones(5, 6, 42), atol=1e-5)

# %% tags=["walkthrough"]
fig, axes = plt.subplots(5, 6, figsize=(9, 7.8))
plots.head_maps(axes, maps, marked=[(3, 3), (4, 0)])
said = "Some heads look nearby, some all over, some at a few words"
fig.suptitle(said, x=0.02, ha="left", weight="bold")
fig.tight_layout()
back = maps.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=-1)  # weight on the token before, as a mean
most = divmod(back.argmax().item(), 6)
plots.show(fig, alt=(
    f"Thirty small maps, five layers of six heads. Layer {most[0]}, head {most[1]} gives the token "
    f"before {back.max():.0%} of its weight, a line beside the diagonal. Head 3 of layer 3 and "
    "head 0 of layer 4 are framed."
))
print(f"layer {most[0]}, head {most[1]}: {back.max():.0%} on the token before")

# %% [markdown]
# *Figure 5. All heads of the shipped model on a story of 42 tokens; layers and heads are counted from 0. Rows look, columns are looked at; the root of the weight is drawn.*
#
# What are those columns in the framed map of head 3.3? **Predict:** the story ends with "Sam gave the ball to". Where would you look, if you had to say what comes next?

# %% tags=["walkthrough"]
word_fig, word_ax = plt.subplots(figsize=(9, 2.8))
plots.looked_at(word_ax, tokens, maps[3, 3, -1].tolist())
at_end = maps[3, 3, -1].tolist()
on_names = sum(w for token, w in zip(tokens, at_end) if token in (" Mia", " Sam"))
word_ax.set_title(f"Layer 3, head 3: “to” gives {on_names:.0%} of its weight to names")
plots.show(word_fig, alt=(
    "The story in boxes, one for each token, darker where the last token, 'to', looks. The names Mia "
    f"and Sam are dark: together {on_names:.0%} of the weight of head 3 in layer 3."
))
first_mentions = {tokens.index(" Mia"), tokens.index(" Sam")}
assert on_names > 0.7 and set(maps[3, 3, -1].topk(2).indices.tolist()) == first_mentions

# %% [markdown]
# *Figure 6. Where the last token looks, in one head. Boxes are the darker the more weight they get.*
#
# Most of its weight goes to the names, above all to the first mention of each, and even more to Sam, who gives, than to Mia, who gets. What does the model make of it?

# %%
def best_guesses(text, n=4):
    """The likeliest next tokens, with their probabilities."""
    with torch.no_grad():
        logits = model(torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(text)]]))[0, -1]
    likeliest = logits.softmax(dim=-1).topk(n)
    return {tokenizer.decode([i]): f"{p:.0%}" for p, i in zip(*(x.tolist() for x in likeliest))}


print(best_guesses(story))
assert list(best_guesses(story))[:2] == [" her", " Mia"]

# %% [markdown]
# *Her*, or *Mia*: the one who does not have the ball. Now type a story of your own, and try other heads. The last token of your text is the one that looks. With our story try layer 4, head 0, too, the other one framed in figure 5.

# %%
def look(text, layer, head):
    """Read a text, and mark where its last token looks."""
    shown, weights = read(text or "Once")
    last = weights[layer, head, -1].tolist()
    plots.looked_at(word_ax, shown[-120:], last[-120:])
    word_ax.set_title(f"Layer {layer}, head {head}")
    top = sorted(zip(last, shown), reverse=True)[:3]
    said = ", ".join(f"“{token.replace(' ', '·')}” ({w:.0%})" for w, token in top)
    return f"“{shown[-1].replace(' ', '·')}” looks most at {said}."


typed = ipywidgets.Textarea(value=story, description="story", continuous_update=False,
                            layout={"width": "90%", "height": "5em"})
layer_choice = ipywidgets.IntSlider(value=3, min=0, max=4, description="layer")
head_choice = ipywidgets.IntSlider(value=3, min=0, max=5, description="head")
display(widgets.live_figure(word_fig, look, text=typed, layer=layer_choice, head=head_choice))

# %% [markdown]
# ## A map is not a proof
#
# At `to`, head 4.0 (layer 4, head 0) gives 85 % of its weight to names, as much as head 3.3 does: here nearly all of it to the last *Sam*, where 3.3 looked at the first mentions. Many would stop here and write: "two heads that remember the names". But a map only says where a head *reads*. Perhaps nobody uses what it read. To know, take the head away and see what breaks.
#
# We do it with every pair of heads that share their keys and values, on twelve fresh stories. "Away" means: their part of the result is replaced by its own mean over all tokens, so that the pair says the same everywhere. (Zeros would be crueller than silence: the rest of the model counts on that mean.) Two kinds of token are counted apart: names that
# occurred before in the story, and everything else. **Predict:** what do heads 3.2 and 3.3 cost, and what do 4.0 and 4.1?

# %% tags=["walkthrough"]
of_people = lexicon().sex_of_name
tales = [tokenizer.encode(tale) for tale in islice(stories("chapter 04"), 12)]
batch = torch.tensor([[tokenizer.end_of_text, *ids][:128] for ids in tales if len(ids) >= 127])
known = torch.tensor([[tokenizer.decode([row[t]]).strip() in of_people and row[t] in row[:t]
                       for t in range(1, 128)] for row in batch.tolist()])


def losses(without=None):
    """Mean loss on names seen before and on all other tokens, perhaps without a pair of heads."""
    def silence(module, args):
        layer, pair = without
        part = args[0][..., pair * 64 : (pair + 1) * 64]  # two heads of 32 numbers
        part[:] = part.mean(dim=(0, 1))

    hooks = [model.blocks[without[0]].attn.o_proj.register_forward_pre_hook(silence)] if without else []
    with torch.no_grad():
        logits = model(batch)[:, :-1].flatten(0, 1)
        loss = F.cross_entropy(logits, batch[:, 1:].flatten(), reduction="none").view(known.shape)
    for hook in hooks:
        hook.remove()
    return loss[known].mean().item(), loss[~known].mean().item()


whole = losses()
harm = {(layer, group): losses((layer, group)) for layer in range(5) for group in range(3)}
harm = {part: tuple(now - then for now, then in zip(found, whole)) for part, found in harm.items()}

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(9, 4))
bars = {f"{layer}.{2 * group}\n{layer}.{2 * group + 1}": harm[layer, group] for layer, group in harm}
plots.knocked_out(ax, bars, ("names seen before", "all other tokens"))
worst, second = sorted(harm, key=lambda part: -harm[part][0])[:2]
ax.set(xlabel="heads taken away (layer.head)")
ax.set_title("Two heads look at names; without one pair the model loses them")
plots.show(fig, alt=(
    f"Loss added by taking away each of 15 pairs of heads. For {int(known.sum())} names seen "
    f"before, heads 3.2 and 3.3 add {harm[3, 1][0]:.1f} nats, heads 4.2 and 4.3 "
    f"{harm[4, 1][0]:.1f}, heads 4.0 and 4.1 {harm[4, 0][0]:.2f}. For all other tokens heads 3.2 "
    f"and 3.3 add {harm[3, 1][1]:.2f}, the most is {max(other for _, other in harm.values()):.2f}."
))
print(f"whole model: {whole[0]:.2f} nats for such a name, {whole[1]:.2f} for any other token")
assert (worst, second) == ((3, 1), (4, 1)) and harm[3, 1][0] > 5 and 0.5 < harm[4, 1][0] < 1.5
assert abs(harm[4, 0][0]) < 0.1 and harm[3, 1][1] < 0.15
assert all(maps[layer, head, -1][[t in (" Mia", " Sam") for t in tokens]].sum() > 0.84
           for layer, head in ((3, 3), (4, 0)))

# %% [markdown]
# *Figure 7. What each pair of heads is worth: the loss without it, less the loss of the whole model.*
#
# Without heads 3.2 and 3.3 a known name costs 7.3 nats instead of 1.9: the model has all but forgotten who is in the story. Any other token costs 1.12 instead of 1.01. Without 4.0 and 4.1 nothing happens to names, though head 4.0 looked at some as hard. Second come 4.2 and 4.3, one layer later.
#
# So the first pair is *needed* for names, which no map could tell. That does not mean that the pair does the job alone, nor that 4.0 does nothing (another head may stand in for it). And this is one model and one seed: in another the job may fall to other heads, or be spread over many.
#
# Attention fetches. [Chapter 05](05_transformer.ipynb) builds the parts that work on what was fetched, and puts the whole transformer together.
#
# ## What we know now
#
# - Attention is an average of values, weighted by a softmax of scores of queries and keys. A loop, a matrix product, PyTorch's fused kernel and `minilm.attention` give the same.
# - Scores are divided by the square root of the head's width; without it a wide head sees one token only, and divided by D it sees all nearly alike.
# - A mask turned round crashes nothing and improves the loss, on unseen text too. Changing a later token finds it; so does the gradient, which must be exactly zero.
# - In the shipped model, on the text we tried, no path leads back from the future.
# - Heads are cut by `view` and `transpose`, groups share by `repeat_interleave`; the wrong word has the right shape.
# - Without positions, order does not matter to the last token of one layer. With RoPE scores depend on distance only.
# - In the shipped model two heads gave names 85 % of their weight. Without one of them (and its partner) the model forgets names; without the other (and its partner) it does not. The map gave the idea; taking heads away was the test.

# %% quiz="04"

# %% [markdown]
# ## Sources
#
# - Vaswani et al., *Attention Is All You Need*, 2017, arXiv 1706.03762, section 3.2.1: scaled dot-product attention, and the reason for the root.
# - Ainslie et al., *GQA*, 2023, arXiv 2305.13245: grouped queries.
# - Su et al., *RoFormer*, 2021, arXiv 2104.09864, section 3.2: rotary positions.
# - Dao et al., *FlashAttention*, 2022, arXiv 2205.14135: attention without the table of scores.
# - `rasbt/LLMs-from-scratch`, issue 1061 and pull request 1062, August 2026: the mask turned round, its repair and its test.
# - `torch.nn.functional.scaled_dot_product_attention`, PyTorch's documentation: what true means in its mask.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | six words, and the loop | Where does `She` look? | What is a query, in your own words? |
# | 3 | four ways, one answer | | Why may no token look ahead? |
# | 5 | the mask turned round, figure 2 | Will it crash? | How would you notice? |
# | 8 | the alarm; the real model, figure 3 | What do we change, and what must stay? | Small or zero? |
# | 11 | shuffled tokens; RoPE | What changes if we shuffle? | Why are values not turned? |
# | 14 | figures 5 and 6 | Where would you look after "to"? | What does the map prove? |
# | 17 | figure 7 | Which of the two will hurt the names? | What does it still not prove? |
#
# Homework: 04.2 and 04.4; the live story for discussion.
# </details>
