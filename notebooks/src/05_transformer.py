# %% [markdown]
# # 05 · What goes between the attentions?
#
# Attention (chapter 04) fetches: each token takes something from those before it. But it can only average. Something must work on what was fetched, something must keep all numbers at a healthy size, and something must let sixty layers on top of each other learn at all. These parts are small, easy to write, and easy to leave out; then
# nothing crashes: the model just learns badly, or not at all.
#
# By the end you will
#
# - have written the norm, the feed-forward layer and the block, and from them a whole LLaMA that gives the numbers of `minilm.model` and of Hugging Face's;
# - have seen what happens when the additions are left out, the norm is moved, the first weights are too large, or one layer is used four times;
# - be able to count parameters and operations of any such model by hand;
# - have read a model's guess layer by layer, while it is still forming.
#
# **Time:** about 95 minutes, 55 of them for the exercises. **You need:** chapter 04, for attention; the words *loss* and *logits* are from chapter 03.

# %%
import csv
import math
from itertools import islice

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
import transformers
from IPython.display import display
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from minilm import plots, widgets
from minilm.attention import apply_rope, attention, attention_explicit, rope_table
from minilm.checkpoint import load_model
from minilm.config import DATA, MODELS, ModelConfig
from minilm.course import check, quiz
from minilm.experiments import differences
from minilm.model import Block, Transformer
from minilm.storyworld import stories

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)  # small tensors: with more, threads mostly wait for each other

# %% [markdown]
# ## A stream, and parts that add to it
#
# Each token has a row of C numbers, 192 in the shipped model. It begins as the token's row of the embedding table (chapter 02) and goes up through all layers. This row is called the **residual stream**. A layer, or **block**, has two *sub-layers*: attention, in which tokens exchange news, and a *feed-forward layer*, in which each token is worked on by itself. Each reads
# the stream, and *adds* what it has to say:
#
# $$x \leftarrow x + \text{attention}(\text{norm}(x)) \qquad\qquad x \leftarrow x + \text{feed-forward}(\text{norm}(x))$$
#
# That is the whole block. Everybody may add, and the sum grows; so each reader first brings it to a standard size. That is the **norm**, in LLaMA *RMSNorm*.

# %% exercise="05.1"

# %% tags=["walkthrough"]
row = torch.tensor([3.0, 4.0])
print("3, 4 becomes      ", [round(number, 2) for number in rms_norm(row, torch.ones(2)).tolist()])
print("300, 400 becomes  ", [round(number, 2) for number in rms_norm(100 * row, torch.ones(2)).tolist()])
layer_norm = F.layer_norm(row, (2,))
print("LayerNorm: 3, 4 → ", [round(number, 2) for number in layer_norm.tolist()])
assert torch.allclose(rms_norm(row, torch.ones(2)), torch.tensor([0.8485, 1.1314]), atol=1e-4)
assert torch.allclose(layer_norm, torch.tensor([-1.0, 1.0]), atol=1e-4)

# %% [markdown]
# Only the proportions are left. *LayerNorm*, which GPT-2 uses, first subtracts the mean of the row, so it throws away one thing more. RMSNorm lacks that step and LayerNorm's learned shift, and was found to do as well (Zhang and Sennrich, 2019).
#
# The feed-forward layer makes the row wider, bends it, and makes it narrow again. Without the bend, two matrix products in a row would be no more than one. In LLaMA the bend is a **gate**: one product decides how much of the other passes.

# %% exercise="05.2"

# %% [markdown]
# GPT-2 has two matrices here and no gate, with a hidden width of four times C: that is $8C^2$ parameters. Three matrices at the same cost have a width of 8/3 C; 512 for our 192.
#
# Now the block itself. It is two lines, and most of what can go wrong in this chapter is in them.

# %% exercise="05.3"

# %% [markdown]
# ## First mistake: no addition
#
# Suppose that you forget the `x +`. Shapes are right, nothing complains. We stack 24 blocks of random weights, put in 32 different tokens, and ask after each block how alike the rows of two tokens are. The measure is the *cosine*: 1 if two rows point the same way, 0 if they have nothing in common. So that no layer
# makes its input much larger or smaller, each weight is drawn with a spread of one over the root of the number of inputs.

# %% tags=["walkthrough"]
def replacing(x, attn_norm, attn, mlp_norm, mlp):
    """The block without its additions."""
    return mlp(mlp_norm(attn(attn_norm(x))))


def norm_after(x, attn_norm, attn, mlp_norm, mlp):
    """The block of 2017: the norm stands after the addition, in the stream itself."""
    x = attn_norm(x + attn(x))
    return mlp_norm(x + mlp(x))


class Arranged(Transformer):
    """minilm's transformer, its blocks put together by a function such as yours."""

    def __init__(self, config, arrange):
        super().__init__(config)
        self.arrange = arrange

    def streams(self, tokens):
        """The stream (B, T, C) before the first block and after each."""
        x, cos, sin = self.embed(tokens), self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        yield x
        for part in self.blocks:
            attn = lambda x, part=part: part.attn(x, cos, sin)  # noqa: E731
            x = self.arrange(x, part.attn_norm, attn, part.mlp_norm, part.mlp)
            yield x

    def hidden(self, tokens, caches=None):
        return self.final_norm(list(self.streams(tokens))[-1])


# %% tags=["walkthrough"]
def alikeness(model, ids):
    """Mean cosine of the rows of two different tokens, before the first block and after each."""
    with torch.no_grad():
        levels = [F.normalize(x[0], dim=-1) for x in model.streams(ids[None])]
    n = len(ids)  # of all n x n cosines, n are those of a row with itself
    return [((rows @ rows.T).sum().item() - n) / (n * (n - 1)) for rows in levels]


def redraw(model, divisor=1):
    """Weights that keep the size of what goes in; `divisor` makes all smaller that add to the stream."""
    generator = torch.Generator().manual_seed(0)
    for name, weights in model.named_parameters():
        if weights.ndim == 2:  # the matrices; norms stay at one
            spread = 1 if name == "embed.weight" else weights.shape[1] ** -0.5
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                spread /= divisor
            nn.init.normal_(weights, std=spread, generator=generator)
    return model

# %% [markdown]
# **Predict.** How alike are the tokens after 24 blocks with the additions? Without? With the norm after the addition, where the first transformers had it?

# %% tags=["walkthrough"]
shape = {"vocab_size": 256, "context_length": 64, "d_model": 64, "n_heads": 4, "n_kv_heads": 4,
         "d_ff": 128}
ways = {"added": block, "norm after": norm_after, "replaced": replacing,
        "attention alone": lambda x, attn_norm, attn, mlp_norm, mlp: attn(attn_norm(x)),
        "feed-forward alone": lambda x, attn_norm, attn, mlp_norm, mlp: mlp(mlp_norm(x))}
alike = {name: alikeness(redraw(Arranged(ModelConfig(n_layers=24, **shape), arrange)), torch.arange(32))
         for name, arrange in ways.items()}
parts = {name: alike.pop(name) for name in ("attention alone", "feed-forward alone")}
fig, ax = plt.subplots(figsize=(7.5, 3.8))
plots.lines(ax, range(25), alike, "blocks passed", "cosine of two tokens, mean")
ax.set_title("Without the additions all tokens end up the same")
told = "; ".join(f"{name}: {ys[12]:.2f} after 12 blocks, {ys[24]:.2f} after 24"
                 for name, ys in alike.items())
plots.show(fig, alt=f"Mean cosine of the rows of two tokens, about 0 before the first block. {told}.")
print("replaced 24 times by one sub-layer only:",
      ", ".join(f"{name} {ys[24]:.2f}" for name, ys in parts.items()))
assert alike["replaced"][12] > 0.9 and alike["replaced"][24] > 0.99 and alike["added"][24] < 0.6
assert parts["attention alone"][24] > 0.95 and parts["feed-forward alone"][24] < 0.1

# %% [markdown]
# *Figure 1. How alike the rows of 32 different tokens are, on the way up through 24 blocks of random weights. One draw of weights.*
#
# It is attention that does it, as the printed line says: it averages, and averages of averages are soon all the same. With an addition, each token keeps what it was, and the news comes on top; tokens still grow more alike, but slowly. With the norm after it, a token's own part is scaled down at every step, and fades.
#
# Can it *learn* nevertheless? We train two small models on the letters of stories for 80 steps: 4 blocks, the same first weights, drawn as `minilm` draws them (more below). One adds, the other replaces. As a yardstick: a model that knows how frequent each letter is,
# and nothing else, has a loss of about 3.1 here. **Predict** which gets clearly below it.

# %%
text = "\n".join(islice(stories("chapter 05"), 100)).encode()
letters = torch.tensor(list(text))
share = torch.bincount(letters).float() / len(letters)
frequencies_alone = -(share[share > 0] * share[share > 0].log()).sum().item()


def train(model, n_steps=80):
    """Train on windows of 65 letters; return the loss of every step."""
    generator, losses = torch.Generator().manual_seed(0), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002)
    for _ in range(n_steps):
        starts = torch.randint(len(letters) - 65, (8,), generator=generator)
        rows = torch.stack([letters[start : start + 65] for start in starts])
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


print(f"{len(letters):,} letters; frequencies alone: {frequencies_alone:.2f} nats per letter")
assert 3.0 < frequencies_alone < 3.2

# %%
four = ModelConfig(n_layers=4, **shape)
learners = {"added": Arranged(four, block), "replaced": Arranged(four, replacing)}
curves = {name: train(learner) for name, learner in learners.items()}
fig, ax = plt.subplots(figsize=(7.5, 3.8))
means = {name: np.reshape(losses, (8, 10)).mean(axis=1) for name, losses in curves.items()}
plots.lines(ax, range(10, 81, 10), means, "steps", "loss, nats per letter")
ax.axhline(frequencies_alone, color=plots.GREY, linewidth=1.2, linestyle=plots.DASHES)
ax.set(ylim=(2, 6))
ax.set_title("In 80 steps only additions beat letter counts")
told = "; ".join(f"{name}: {ys[-1]:.2f}" for name, ys in means.items())
plots.show(fig, alt=(
    f"Training loss in means of ten steps, up to step 80; a dashed line at {frequencies_alone:.2f}, "
    f"letter frequencies alone. The last means: {told}."
))
on_top = {name: alikeness(learner, letters[:64])[-1] for name, learner in learners.items()}
print("cosine of two letters after the last block:", {name: f"{c:.3f}" for name, c in on_top.items()})
assert means["added"][-1] < frequencies_alone - 0.3 < frequencies_alone - 0.05 < means["replaced"][-1]
assert on_top["replaced"] > 0.99 and on_top["added"] < 0.8

# %% [markdown]
# *Figure 2. Training loss, means of ten steps. Dashed: the loss of letter frequencies.*
#
# Without additions the frequencies are learned, and in this time no more. The printed line shows why: on top all places look the same, so all get the same guess. This is one seed, one learning rate and 80 steps, enough to see a difference and not enough to say what would come later. (The norm after the addition is another matter. The models of 2017 had it
# and learned well, with a learning rate that rises slowly at first. It is compared below.)
#
# ## The whole model
#
# Now all of it, from your functions and chapter 04's attention. After the last block come one more norm and the **head**: a matrix that gives each id its score, the logits. (Not one of attention's heads. In our model it is the embedding table itself: the two are **tied**.) The weights are the shipped model's, by name.

# %% tags=["walkthrough"]
def logits_by_hand(weights, tokens, config, attend=attention):
    """Map ids (B, T) to logits (B, T, V)."""
    cos, sin = rope_table(tokens.shape[1], config.head_dim, config.rope_theta)

    def matrix(x, name):
        return x @ weights[f"{name}_proj.weight"].T

    def attn(x, name):
        q, k, v = (matrix(x, f"{name}.{which}").unflatten(-1, (-1, config.head_dim)).transpose(1, 2)
                   for which in "qkv")  # each (B, heads, T, D)
        mixed = attend(apply_rope(q, cos, sin), apply_rope(k, cos, sin), v)
        return matrix(mixed.transpose(1, 2).flatten(2), f"{name}.o")

    x = weights["embed.weight"][tokens]
    for name in (f"blocks.{layer}" for layer in range(config.n_layers)):
        x = block(
            x,
            lambda x: rms_norm(x, weights[f"{name}.attn_norm.weight"], config.norm_eps),
            lambda x: attn(x, f"{name}.attn"),
            lambda x: rms_norm(x, weights[f"{name}.mlp_norm.weight"], config.norm_eps),
            lambda x: swiglu(x, *(weights[f"{name}.mlp.{which}_proj.weight"]
                                  for which in ("gate", "up", "down"))),
        )
    x = rms_norm(x, weights["final_norm.weight"], config.norm_eps)
    return x @ weights["lm_head.weight"].T

# %% tags=["walkthrough"]
model, tokenizer = load_model(MODELS / "storyworld")
config, weights = model.config, model.state_dict()
renamed = {"embed.": "model.embed_tokens.", "blocks.": "model.layers.", "final_norm.": "model.norm.",
           ".attn.": ".self_attn.", "attn_norm": "input_layernorm",
           "mlp_norm": "post_attention_layernorm"}
their_weights = {}
for name, tensor in weights.items():
    for ours, theirs in renamed.items():
        name = name.replace(ours, theirs)
    their_weights[name] = tensor
twin = transformers.LlamaForCausalLM(transformers.LlamaConfig(
    vocab_size=config.vocab_size, hidden_size=config.d_model, intermediate_size=config.d_ff,
    num_hidden_layers=config.n_layers, num_attention_heads=config.n_heads,
    num_key_value_heads=config.n_kv_heads, max_position_embeddings=config.context_length,
    rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
    rms_norm_eps=config.norm_eps, tie_word_embeddings=True))
twin.load_state_dict(their_weights)  # stops if a name is missing or left over
fresh = [[tokenizer.end_of_text, *tokenizer.encode(story)] for story in islice(stories("judges 05"), 8)]
tokens = torch.tensor([ids[:129] for ids in fresh if len(ids) >= 129])
with torch.no_grad():
    ours = logits_by_hand(weights, tokens[:, :-1], config)
    others = {"minilm.model": model(tokens[:, :-1]), "Hugging Face": twin(tokens[:, :-1]).logits}
for name, theirs in others.items():
    print(f"{name:13} {tuple(theirs.shape)}, equal: {torch.allclose(ours, theirs, atol=1e-3)}")
    assert torch.allclose(ours, theirs, atol=1e-3)

# %% [markdown]
# The logits of a real model, from functions that you wrote. Hugging Face's code was written by others: that both agree to the third decimal on eight stories is a better check than reading our own code again.
#
# ## Second mistake: one layer, many times
#
# In Python `[x] * 4` is a list that holds *one* object four times. **Predict:** how many parameters have the blocks of `[Block(config)] * 4`, compared with those of one block?

# %% exercise="05.4"

# %% tags=["walkthrough"]
one_block = sum(weights.numel() for weights in Block(config).parameters())
wrong, right = nn.Module(), nn.Module()
wrong.blocks = nn.ModuleList([Block(config)] * 4)
right.blocks = nn.ModuleList(Block(config) for _ in range(4))
for name, four in {"[Block(config)] * 4": wrong, "Block(config) for _ in range(4)": right}.items():
    count = sum(weights.numel() for weights in four.parameters())
    print(f"{name:32} {len(four.blocks)} blocks, {count:9,} parameters, shared: {shared_blocks(four)}")
assert sum(weights.numel() for weights in wrong.parameters()) == one_block
assert len(shared_blocks(wrong)) == 6 and shared_blocks(right) == shared_blocks(model) == []

# %% [markdown]
# Four blocks, the parameters of one. It runs, it even learns (some models share layers on purpose), but it is not the model that you meant. A count that you can predict catches it; so let us find the formula.
#
# ## Where the parameters live

# %% exercise="05.5"

# %% tags=["walkthrough"]
def parts_of(config):
    """Parameters of the table or tables, of attention, of the feed-forward layers, and of the norms."""
    C, L = config.d_model, config.n_layers
    tables = config.vocab_size * C * (1 if config.tie_embeddings else 2)
    attention_part = L * (2 * C * C + 2 * C * config.n_kv_heads * config.head_dim)
    return tables, attention_part, L * 3 * C * config.d_ff, (2 * L + 1) * C


def shaped(V, C, L, F_width, **more):
    """A shape with heads of 64 numbers (or of 32, if C is small), each with its own keys and values."""
    n_heads = C // (64 if C > 192 else 32)
    return ModelConfig(vocab_size=V, d_model=C, n_layers=L, d_ff=F_width, n_heads=n_heads,
                       n_kv_heads=n_heads, **more)


shapes = {"shipped, 2.8M": config, "GPT-2 size, 124M": shaped(50_257, 768, 12, 2048),
          "LLaMA, 6.7B": shaped(32_000, 4096, 32, 11_008, tie_embeddings=False),
          "GPT-3 size, 175B": shaped(50_257, 12_288, 96, 32_768)}
for name, one in shapes.items():
    print(f"{name:17} {count_params(one):15,}")
    assert sum(parts_of(one)) == count_params(one)
assert count_params(shapes["LLaMA, 6.7B"]) == 6_738_415_616 and count_params(config) == model.n_params
assert round(count_params(shapes["GPT-3 size, 175B"]) / 1e9) == 175

# %% [markdown]
# For LLaMA your formula gives the number of the published weights to the last digit. As a rule of thumb: with keys of its own for each head, attention has $4C^2$, a feed-forward layer of width 8/3 C has $8C^2$, so a block has about $12C^2$ parameters. (GPT-2 and GPT-3 stand here as LLaMAs of their size, with 8/3 C in the feed-forward layer, without their tables of positions and biases.)
#
# **Predict:** in which of the four does the table take the largest share?

# %%
parts_fig, parts_ax = plt.subplots(figsize=(9, 3.6))
drawn = {name: parts_of(one) for name, one in shapes.items()}
bars = plots.where_parameters_live(parts_ax, drawn | {"yours": drawn["GPT-2 size, 124M"]})
share_of = {name: np.array(parts) / sum(parts) for name, parts in drawn.items()}
said = "In giants the table is a sliver; in small models nearly a third"
parts_fig.suptitle(said, x=0.02, ha="left", weight="bold")
parts_fig.tight_layout()
told = "; ".join(f"{name}: tables {s[0]:.0%}, attention {s[1]:.0%}, feed-forward {s[2]:.0%}"
                 for name, s in share_of.items())
plots.show(parts_fig, alt=f"Shares of the parameters as bars. {told}. Norms are too small to be seen.")
assert [round(100 * share_of[name][0]) for name in shapes] == [28, 31, 4, 0]
assert all(s[3] < 0.001 for s in share_of.values())

# %% [markdown]
# *Figure 3. Shares of tables, attention, feed-forward layers and norms.* GPT-2's size comes first, just before the far smaller shipped model: its vocabulary is twelve times as large. The lowest bar is yours to move.

# %%
def reshape(vocabulary, width, layers):
    """Redraw the lowest bar for another shape; the feed-forward width is 8/3 of the width, rounded."""
    one = shaped(vocabulary, width, layers, round(width / 24) * 64)
    shares = plots.set_where_parameters_live(bars, 0, parts_of(one))
    return (f"{plots.short(count_params(one))} parameters: {shares[0]:.0%} tables, "
            f"{shares[1]:.0%} attention, {shares[2]:.0%} feed-forward.")


table_sizes = [512, 4096, 32_000, 50_257, 128_256]
widths = [64, 192, 768, 1536, 4096, 12_288]
vocabularies = ipywidgets.SelectionSlider(options=table_sizes, value=50_257, description="vocabulary")
breadths = ipywidgets.SelectionSlider(options=widths, value=768, description="width")
depths = ipywidgets.IntSlider(value=12, min=1, max=96, description="layers")
display(widgets.live_figure(parts_fig, reshape, vocabulary=vocabularies, width=breadths, layers=depths))

# %% [markdown]
# The table grows with the width, the blocks with its square and with their number. So in small models the vocabulary is a serious decision (chapter 02), in giants a trifle. Can you find a shape where the table takes nine tenths?
#
# ## Operations
#
# Parameters take memory, operations take time. They too can be counted by hand.

# %% exercise="05.6"

# %% tags=["walkthrough"]
ids = tokens.flatten()[:512][None]
trained = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
trained["lm_head.weight"] = trained["embed.weight"]  # tied: one tensor
with FlopCounterMode(display=False) as counter:
    logits_by_hand(trained, ids, config, attend=attention_explicit).logsumexp(dim=-1).sum().backward()
counted = counter.get_total_flops() / 512
print(f"millions for each token: by hand {training_flops / 1e6:.3f}, PyTorch {counted / 1e6:.3f}")
in_norms = parts_of(config)[3]
assert abs(training_flops / counted - 1) < 0.01
assert counted == 6 * (model.n_params - in_norms) + 12 * 5 * 512 * 192

# %% [markdown]
# The formula is three times the forward pass: $3\,(2N + 4LTC) = 6N + 12LTC$. PyTorch's counter writes down every matrix product while it happens, forward and backward. Leave out the norms, which are no matrices, and the formula gives its count exactly. One trap: a counter counts what it knows. For the fused attention of chapter 04 that depends on the
# version and the device; if it is not known, it counts as nothing. (The printed course leaves this empty.)

# %% tags=["machine"]
with FlopCounterMode(display=False) as counter:
    logits_by_hand(trained, ids, config, attend=attention).logsumexp(dim=-1).sum().backward()
known = counter.get_total_flops() / 512 / 1e6
print(f"with the fused kernel PyTorch {torch.__version__} counts {known:.3f} million")

# %% [markdown]
# (16.884 million would be 6N without the norms: attention counted as nothing.) Chapter 10 will weigh size against text with such counts. If two people count differently there, they find different laws.
#
# ## Third mistake: weights that start too large
#
# Before training, a model knows nothing. So it should give all ids about the same score, and have a loss of $\ln V$ (chapter 03); here $\ln 4096 = 8.32$. That depends on the spread of the first weights. GPT-2 draws them with 0.02, and `minilm` too. PyTorch's `nn.Embedding`, if nobody says otherwise, draws with 1.
#
# **Predict:** with a spread of 1 for all matrices, is the first loss about 8, about 20 or about 50? And if only the table has 1, and all others 0.02?

# %% tags=["walkthrough"]
untrained = Transformer(config)


def first_loss(table, others):
    """The loss before any training, the matrices drawn with these spreads."""
    generator = torch.Generator().manual_seed(0)
    for name, matrix in untrained.named_parameters():
        if matrix.ndim == 2:
            spread = table if name == "embed.weight" else others
            nn.init.normal_(matrix, std=spread, generator=generator)
    with torch.no_grad():
        logits = untrained(tokens[:, :-1]).flatten(0, 1)
    return F.cross_entropy(logits, tokens[:, 1:].flatten()).item()


spreads = [0.002, 0.02, 0.1, 0.3, 1.0]
at_first = [first_loss(spread, spread) for spread in spreads]
fig, ax = plt.subplots(figsize=(7.5, 3.6))
plots.first_losses(ax, spreads, at_first, math.log(4096))
ax.set_title("Too large at first means sure of itself, and wrong")
told = ", ".join(f"{loss:.1f} at {spread:g}" for spread, loss in zip(spreads, at_first))
plots.show(fig, alt=f"First loss against the spread of the first weights: {told}. Even guesses: 8.32.")
table_only, all_but_table = first_loss(1.0, 0.02), first_loss(0.02, 1.0)
print(f"a spread of 1 in the table alone: {table_only:.0f}; in all but the table: {all_but_table:.2f}")
assert abs(at_first[1] - math.log(4096)) < 0.2 and 40 < at_first[-1] < 60
assert table_only > 150 and abs(all_but_table - math.log(4096)) < 0.2

# %% [markdown]
# *Figure 4. The loss before the first step, on unseen stories, for five spreads of all matrices.*
#
# Large weights make large logits: the model is sure of itself before it has seen anything, and training begins by unlearning that. It is the table that counts, for it is the head too: while it is small, the size of the others hardly matters. A large table alone is even worse than large weights everywhere, since the stream is then hardly more than the token's own row, and the head is sure
# that each token comes again. A first loss far above $\ln V$ is a reason to stop and look.
#
# The other half of a good start is hidden in the additions. 2L sub-layers add to the stream. If each adds a random amount of size 1, the sum has a size of about $\sqrt{2L}$: the deeper the model, the larger. So the weights that write into the stream, the last matrix of each sub-layer, are drawn smaller by just that root. This is the second rule of `init_weights` in `minilm.model`.

# %%
rows = []
for L in (2, 6, 12, 24, 48):
    sizes = []
    for divisor in (1, math.sqrt(2 * L)):
        tall = redraw(Arranged(ModelConfig(n_layers=L, **shape), block), divisor)
        with torch.no_grad():
            last = list(tall.streams(torch.arange(32)[None]))[-1]
        sizes.append(last.square().mean().sqrt().item())
    rows.append({"blocks, L": L, "as drawn": f"{sizes[0]:.1f}", "divided by √(2L)": f"{sizes[1]:.1f}"})
plots.show_table(rows)
drawn_sizes = [float(row["as drawn"]) for row in rows]
assert drawn_sizes == sorted(drawn_sizes) and drawn_sizes[-1] > 6
assert all(1 < float(row["divided by √(2L)"]) < 1.5 for row in rows)

# %% [markdown]
# This is the size (root mean square) of the stream after the last block, before training; it goes in with size 1. Divided by the root, it comes out nearly the same at any depth. Not divided, it is more than six times as large after 48 blocks (less than the root of 96, since here each adds about 0.7), and what a single layer adds counts for less and less.
#
# ## Reading the stream
#
# The last norm and the head turn the stream into a guess. They fit the stream after *every* block, since all write into the same row of numbers. To read it early is called the **logit lens** (nostalgebraist, 2020). **Predict:** read at the very bottom, straight from the embedding, what is the best guess at a token? And after how many of the five blocks does the guess become one of what comes *next*?

# %% tags=["walkthrough"]
def guesses_by_layer(text):
    """Tokens of a text; the best guess and its probability after the embedding and after each block."""
    ids = torch.tensor([tokenizer.end_of_text, *tokenizer.encode(text)][-256:])
    with torch.no_grad():
        reader = Arranged(config, block)
        reader.load_state_dict(model.state_dict())
        levels = torch.cat(list(reader.streams(ids[None])))  # (L + 1, T, C)
        probs, best = model.lm_head(model.final_norm(levels)).softmax(dim=-1).max(dim=-1)
    named = [[tokenizer.decode([i]) for i in row] for row in best.tolist()]
    return [tokenizer.decode([i]) for i in ids.tolist()], named, probs.tolist()


def draw_lens(text, n_last=9):
    """Draw the last tokens of a text, and the guess at each, layer by layer."""
    shown, named, probs = guesses_by_layer(text)
    targets = [*shown[1:], ""][-n_last:]
    last = ([row[-n_last:] for row in rows] for rows in (named, probs))
    plots.lens(lens_ax, shown[-n_last:], *last, targets)
    return named, probs

# %% tags=["walkthrough"]
story = ('In two little houses lived a girl named Dora and a girl called Amina. It looked easy to make '
         'pancakes, but Dora could not do it. Amina told Dora the secret. This time it worked. "Nobody '
         'could do that better," said Amina. "Thank you!" cried Dora, and hugged Amina')
lens_fig, lens_ax = plt.subplots(figsize=(10, 3.8))
named, probs = draw_lens(story)
lens_ax.set_title("Below, most places repeat what they read; above, they look ahead")
at_and = ", ".join(f"“{row[-3].strip()}” ({p[-3]:.0%})" for row, p in zip(named, probs))
plots.show(lens_fig, alt=f"Best guesses at nine tokens, by blocks. At “and”, from below: {at_and}.")
assert [row[-3] for row in named] == [" and"] * 3 + [" that", " she", " hugged"]
read = [tokenizer.decode([i]) for i in tokenizer.encode(story)][-9:]
assert sum(guess == came for guess, came in zip(named[-1][-9:-1], read[1:])) == 5

# %% [markdown]
# *Figure 5. The logit lens on the last tokens of a story. Rows: where the stream is read, from the embedding up. Darker is surer; a thick frame is the token that really came. A dot stands for a blank.*
#
# At "and", the lower three rows say "and", and nearly certainly. No wonder: this model reads and guesses with one table, and a row is most like itself. (The names are exceptions.) At the bottom the stream says *what was read*. On the way through the last three blocks that turns into a guess of *what comes next*; some words, such as
# "you" after "Thank", show up earlier than others. Of the eight guesses on top that can be judged here, five come true. Type a story of your own:

# %%
def look_through(text):
    """Draw the lens for another text."""
    named, probs = draw_lens(text or "Once")
    lens_ax.set_title("The guess, layer by layer")
    final = named[-1][-1]
    since = next(i for i in range(len(named)) if all(row[-1] == final for row in named[i:]))
    where = f"from {since} of 5 blocks on" if since else "from the start"
    return f"The last guess is “{final.replace(' ', '·')}” ({probs[-1][-1]:.0%}); it leads {where}."


typed = ipywidgets.Textarea(value=story, description="story", continuous_update=False,
                            layout={"width": "90%", "height": "5em"})
display(widgets.live_figure(lens_fig, look_through, text=typed))

# %% [markdown]
# One story shows little. On all tokens of our unseen stories: how large is the stream after each block, and what is the loss if it is read there?

# %%
reader = Arranged(config, block)
reader.load_state_dict(model.state_dict())
targets = tokens[:, 1:].flatten()
size_after, loss_after, repeats = [], [], []
with torch.no_grad():
    for x in reader.streams(tokens[:, :-1]):
        size_after.append(x.square().mean().sqrt().item())
        logits = model.lm_head(model.final_norm(x)).flatten(0, 1)
        loss_after.append(F.cross_entropy(logits, targets).item())
        repeats.append((logits.argmax(dim=-1) == tokens[:, :-1].flatten()).float().mean().item())
fig, axes = plt.subplots(1, 2, figsize=(9, 3.6))
plots.lines(axes[0], range(6), {"": size_after}, "blocks passed", "size of the stream")
plots.lines(axes[1], range(6), {"": loss_after}, "blocks passed", "loss if read here, nats per token")
axes[1].axhline(math.log(4096), color=plots.GREY, linewidth=1.2, linestyle=plots.DASHES)
said = "The stream grows, and what can be read from it gets better"
fig.suptitle(said, x=0.02, ha="left", weight="bold")
fig.tight_layout()
plots.show(fig, alt=(
    f"Left: size of the stream, growing from {size_after[0]:.2f} to {size_after[-1]:.2f}. Right: loss "
    f"if it is read there, {', '.join(f'{loss:.1f}' for loss in loss_after)}; dashed: even guesses, 8.3."
))
print("best guess is the token just read:", [f"{share:.0%}" for share in repeats])
assert size_after == sorted(size_after) and loss_after == sorted(loss_after, reverse=True)
assert loss_after[2] > math.log(4096) > loss_after[3]
assert repeats == sorted(repeats, reverse=True) and repeats[0] > 0.9 and repeats[-1] < 0.01

# %% [markdown]
# *Figure 6. The shipped model on unseen stories: size of the stream, and loss of the guess read from it. Dashed: even guesses.*
#
# The stream grows at every block, and every block makes the guess better. At the bottom nine of ten best guesses are the token just read; at the top hardly any. Read before the third block, the guess is worse than an even one: sure of itself, and wrong, as in figure 4, for it repeats what was read. A caution: the lens reads with the tools of the last layer. What it cannot read early may still be there, written in another way.
#
# ## GPT-2 beside LLaMA
#
# Four years lie between the two, and the plan is the same. The parts changed:

# %% tags=["walkthrough"]
fig, axes = plt.subplots(1, 2, figsize=(9, 5.4))
plots.block_diagram(axes[0], "GPT-2, 2019", ("LayerNorm", "attention"),
                    ("LayerNorm", "feed-forward, GELU"), "embedding + learned position",
                    "LayerNorm, head")
plots.block_diagram(axes[1], "LLaMA, 2023", ("RMSNorm", "attention with RoPE"),
                    ("RMSNorm", "feed-forward, SwiGLU"), "embedding", "RMSNorm, head")
fig.suptitle("The same plan, other parts", x=0.02, ha="left", weight="bold")
fig.tight_layout()
plots.show(fig, alt=(
    "Two blocks. In both an arrow, the stream, goes straight up through two plus signs; "
    "each sub-layer reads it through a norm and adds to it. GPT-2 has LayerNorm, learned positions and "
    "GELU, LLaMA RMSNorm, RoPE in attention, and SwiGLU."
))

# %% [markdown]
# *Figure 7. A block of GPT-2 and one of LLaMA. The thick arrow is the stream.*
#
# | part | GPT-2 | LLaMA | the reason given |
# |:---|:---|:---|:---|
# | norm | LayerNorm | RMSNorm | cheaper, as good (Zhang and Sennrich) |
# | where it stands | before the sub-layer | before the sub-layer | steadier training than after (Xiong et al.) |
# | position | a learned row for each place | RoPE, in attention | only distance counts (chapter 04) |
# | feed-forward | two matrices, GELU (much like silu), 4C | three, SwiGLU, 8/3 C | lower loss at equal size; Shazeer offers no explanation |
# | biases | yes | no | – |
# | keys and values | one for each query head | the same; fewer in LLaMA 2's largest and LLaMA 3 | memory while writing (chapter 07) |
# | tables | one, tied | two | – (ours is tied, to save parameters) |
#
# Do the changes pay in a model as small as ours? Only a measurement can tell. In such an **ablation** one part is exchanged and the rest left alone, with the same computation for all, here $2 \cdot 10^{12}$ operations on storyworld, and five seeds. Every variant has its own learning rate: the best of six multiples of minilm's, found with another seed in runs as long. The baseline is minilm's model, with shared keys and one table; “own keys” and “two tables” are LLaMA's originals. No positions, one key head and *ReLU squared* (two matrices and max(0, z)²) belong to neither. Differences are taken
# seed by seed, with a 95 % **interval**: of intervals made in this way nineteen in twenty hold the true value. (`minilm experiment ablations` does it; `--flops 1e11 --seeds 2` makes it small, and the intervals wide.)
#
# **Predict** which exchange costs most, and whether any helps.

# %% tags=["walkthrough"]
with open(DATA / "runs" / "ablations" / "runs.csv") as file:
    runs = list(csv.DictReader(file))
judged = [run for run in runs if run["purpose"] == "judge"]  # the others chose the rates
found = differences(judged)
names = {"post_norm": "norm after", "layer_norm": "LayerNorm", "learned_positions": "learned positions",
         "no_positions": "no positions", "gelu": "GELU", "relu2": "ReLU squared",
         "mha": "own keys for each head", "mqa": "one key head for all", "untied": "two tables",
         "gpt2": "all of GPT-2"}
kind = {run["variant"]: run for run in judged}  # what the runs of a variant have in common
order = sorted(names, key=lambda variant: found[variant]["difference"])
plots.show_table([
    {"exchanged": names.get(variant, "nothing"), "parameters": f"{int(kind[variant]['n_params']):,}",
     "tokens read": f"{int(kind[variant]['n_tokens']):,}",
     "rate, times": f"{float(kind[variant]['factor']):g}",
     "bits per byte": f"{found[variant]['bits_per_byte']:.4f}",
     "difference": f"{found[variant]['difference']:+.4f} ± {found[variant]['half_width']:.4f}"}
    for variant in ["baseline", *order]
])

# %% tags=["walkthrough"]
effects = {names[variant]: (found[variant]["difference"], found[variant]["half_width"])
           for variant in order}
fig, ax = plt.subplots(figsize=(8.5, 4.6))
plots.differences(ax, effects, "bits per byte, more than the baseline (left is better)")
ax.set_title("Positions matter most; LayerNorm even helps")
told = "; ".join(f"{name} {middle:+.3f} ± {half:.3f}" for name, (middle, half) in effects.items())
plots.show(fig, alt=(f"Differences from a baseline of {found['baseline']['bits_per_byte']:.3f}, with "
                     f"95 % intervals: {told}."))
by_rate = {"baseline": {}, "untied": {}}
for run in runs:
    if run["purpose"] == "rate" and run["variant"] in by_rate:
        by_rate[run["variant"]][float(run["factor"])] = float(run["held_back_bits_per_byte"])
for name, tried in by_rate.items():
    print(f"{name} at so many times minilm's rate:", {k: f"{bits:.3f}" for k, bits in tried.items()})
usual, two_tables = by_rate["baseline"], by_rate["untied"]
sign = {name: np.sign(middle) * (abs(middle) > half) for name, (middle, half) in effects.items()}
assert [name for name in effects if sign[name] < 0] == ["LayerNorm", "norm after"]
assert [name for name in effects if not sign[name]] == [
    "one key head for all", "ReLU squared", "own keys for each head"]
assert usual[1] - usual[4] > 0.08 and usual[1] - two_tables[1] > 0.04

# %% [markdown]
# *Figure 8. What one exchanged part changes: mean of five seeds and 95 % interval. Hollow marks: the interval holds zero.*
#
# The baseline needs 1.455 bits per byte. **Positions** matter most. Without any the model needs 0.125 ± 0.008 more; with a learned row for each place 0.153 ± 0.009, even more than with none. That alone costs almost as much as all of GPT-2's parts together (effects need not add up). A likely reason: rows for places must be learned, and these runs are short, some 270 steps; RoPE has nothing to learn. GELU costs 0.026 ± 0.015 and a second
# table 0.023 ± 0.017. One exchange goes against the trend: with **LayerNorm** the model needs 0.051 ± 0.019 *less*; whether its subtracted mean or its learned shift helps was not measured. The norm after the addition, which looked so bad in figure 1, comes out better by 0.010 ± 0.009, barely clear of zero. For ReLU squared and both other numbers of key heads the interval holds zero: five
# seeds cannot tell these from no change, which is not the same as no change.
#
# Mind the printed lines, too. Intervals cover the seeds, not the choice of a rate. At minilm's usual rate, chosen for longer runs, the baseline would have been 0.10 worse, and two tables would have *won* by 0.05 (one seed each). To compare two parts at one rate is to compare how well that rate suits them.
#
# All this holds for one small model, one corpus and one budget of 280,000 tokens, a quarter of a token for each parameter. (Two tables have a quarter more parameters, the others at most a tenth.) Among ten comparisons one, such as that of the norm after, may well stand out by chance alone. [Chapter 06](06_training.ipynb) makes such models learn.
#
# ## What we know now
#
# - A block is two additions to a stream: attention and a feed-forward layer, each of which reads a normalised copy.
# - From such parts, written by hand, comes a model that gives the logits of `minilm.model` and of Hugging Face's LLaMA.
# - Without the additions the rows of different tokens became alike on the way up, and in our short training no more than letter frequencies were learned.
# - `[Block()] * 4` is one layer four times. A count against a formula shows it.
# - Blocks have about $12LC^2$ parameters. In small models the table is a large part, in giants hardly any.
# - Training costs $6N + 12LTC$ operations for each token, as PyTorch's counter confirms, if it knows the kernels.
# - The first loss should be near $\ln V$. With a spread of 1 it was about 50 instead of 8.
# - In the shipped model the guess can be read off the stream ever better from block to block.
# - In short runs at equal computation the positions mattered most, then the learning rate (one seed), and LayerNorm did better than RMSNorm. Whether more or fewer key heads help, our intervals do not say.

# %% quiz="05"

# %% [markdown]
# ## Sources
#
# - Touvron et al., *LLaMA*, 2023, arXiv 2302.13971, section 2.2: which parts, and where from. Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019, section 2.3: GPT-2's block and first weights.
# - He et al., *Deep Residual Learning*, 2015, arXiv 1512.03385: adding instead of replacing. Dong et al., *Attention is not all you need*, 2021, arXiv 2103.03404: without it, tokens become alike.
# - Zhang and Sennrich, *Root Mean Square Layer Normalization*, 2019, arXiv 1910.07467. Xiong et al., *On Layer Normalization in the Transformer Architecture*, 2020, arXiv 2002.04745: before or after.
# - Shazeer, *GLU Variants Improve Transformer*, 2020, arXiv 2002.05202: SwiGLU.
# - Brown et al., *Language Models are Few-Shot Learners*, 2020, arXiv 2005.14165, table 2.1: the shape of GPT-3.
# - Kaplan et al., *Scaling Laws for Neural Language Models*, 2020, arXiv 2001.08361, section 2.1: counting operations.
# - nostalgebraist, *interpreting GPT: the logit lens*, 2020, a web page.
# - The comparison of parts: `data/runs/ablations/runs.csv`.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | 3, 4 and 300, 400 | What is left after the norm? | What does LayerNorm throw away besides? |
# | 2 | figure 1 | How alike are tokens after 24 blocks? | Why do averages make alike? |
# | 5 | the whole model, against two others | | Which line is attention? |
# | 8 | `[Block()] * 4` | How many parameters? | Does it learn? |
# | 10 | four sizes; the count of operations | Where is the table largest? | What does a counter not see? |
# | 13 | figure 4 | First loss with spread 1? | What does a loss of 60 mean? |
# | 15 | the lens | After how many blocks does it know? | What does the lens not show? |
# | 17 | figures 7 and 8 | Which exchange costs most? | What do hollow marks mean? |
#
# Homework: 05.3, 05.5 and 05.6; the live bar for discussion.
# </details>
