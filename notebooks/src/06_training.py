# %% [markdown]
# # 06 · How does a model learn?
#
# A transformer fresh from the parts of chapter 05 says nothing but noise. To learn, it needs a loop of five lines: a *batch* (some windows of text, worked on together), its loss, the gradient, a step, again. Everybody can write these lines. They can also be wrong in a
# dozen ways, and few of these stop the program: the loss still falls, a little less than it should, or far more. So this chapter is about two things, the parts of the loop and how to read what it prints.
#
# By the end you will
#
# - have written AdamW, the schedule, clipping and accumulation, each checked against PyTorch or a formula;
# - have trained a transformer on storyworld, and watched it learn;
# - have diagnosed six broken runs by nothing but their curves, and know which test finds which fault;
# - know what to do when the loss becomes NaN, *not a number*, and have continued a run bit for bit.
#
# **Time:** about 95 minutes, 55 of them for the exercises. **You need:** chapter 03 for *loss* and *gradient*; chapters 04 and 05 help, but you can take the model as it is.

# %%
import math
import tempfile
import warnings
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from unittest.mock import patch

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from IPython.display import display

from minilm import plots, widgets
from minilm.checkpoint import save_checkpoint
from minilm.config import ModelConfig, TrainConfig
from minilm.course import check, quiz
from minilm.data import Sampler, encode_stories
from minilm.model import Transformer, attention
from minilm.ngram import NGram
from minilm.optim import AdamW, learning_rate_factor
from minilm.storyworld import stories
from minilm.tokenizer import train_tokenizer
from minilm.train import Training, TrainingDiverged, resume, train

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)  # small tensors: with more, threads mostly wait for each other

# %% [markdown]
# ## One step
#
# Plain descent (chapter 03) subtracts the gradient times the learning rate. It has a weakness: one rate serves all weights, and their gradients differ widely in size. Where the loss is steep, a step is soon too long; where it is flat, a step at the same rate is too short.
#
# **AdamW** gives each weight a ruler of its own. For each it remembers two running averages: *m*, of its gradients $g$, and *v*, of their squares. One step, with learning rate $\eta$ and weight decay $\lambda$, is (read ← as "becomes")
#
# $$\begin{aligned} m &\leftarrow \beta_1 m + (1-\beta_1)\,g & \quad v &\leftarrow \beta_2 v + (1-\beta_2)\,g^2 \\ \hat m &= m / (1-\beta_1^t) & \hat v &= v / (1-\beta_2^t) \\ w &\leftarrow (1 - \eta\lambda)\,w - \eta\, \hat m / (\sqrt{\hat v} + \epsilon) \end{aligned}$$
#
# With $\beta_1 = 0.9$ the new average is nine tenths of the old one and a tenth of the new gradient: a memory of about ten steps. $\beta_2 = 0.95$ remembers about twenty. Both averages start at zero, so early on they are too small; the second line, in which $t$ is the number of the step, counted from 1, corrects that. $\epsilon = 10^{-8}$ keeps us from dividing by zero, and counts only where gradients are as tiny. The factor $1 - \eta\lambda$ makes the **weight decay**, the W in the name: it pulls every weight a little towards zero at every step, so that weights that no text needs fade. **Predict** before you calculate: a small
# gradient makes a small step, doesn't it?

# %% exercise="06.1"

# %% exercise="06.2"

# %% [markdown]
# So the size of a gradient hardly matters, and its *agreement* does: where gradients agree from step to step, |m| is about √v and each step is a full rate long; where they change sign, m is small, and so are the steps.
#
# Now let three optimizers meet the same 30 gradients: yours, the readable one in `minilm.optim`, and PyTorch's, which trains the models.

# %% tags=["walkthrough"]
generator = torch.Generator().manual_seed(0)
start = torch.randn(4, 3, generator=generator)
by_class = {"minilm.optim.AdamW": AdamW, "torch.optim.AdamW": torch.optim.AdamW}
theirs = {name: torch.nn.Parameter(start.clone()) for name in by_class}
settings = {"lr": 0.01, "betas": (0.9, 0.95), "weight_decay": 0.1}
optimizers = {name: make([theirs[name]], **settings) for name, make in by_class.items()}
w, state = start, (torch.zeros(4, 3), torch.zeros(4, 3), 0)
for _ in range(30):
    grad = torch.randn(4, 3, generator=generator)
    w, state = adamw_step(w, grad, state, lr=0.01)
    for name, optimizer in optimizers.items():
        theirs[name].grad = grad.clone()
        optimizer.step()
for name, parameter in theirs.items():
    difference = (parameter - w).abs().max().item()
    print(f"{name:20} equal after 30 steps: {difference < 1e-6}")
    assert difference < 1e-6

# %% [markdown]
# What is it good for? Take the simplest uneven loss, $(a^2 + 100\,b^2)/2$: a valley a hundred times as steep across as along. Each step of descent multiplies $b$ by $1 - 100\,\eta$. With a rate of more than 0.02 it would jump from wall to wall and out of the valley, so 0.018 is nearly the most that it can bear.
#
# **Predict:** after 25 steps, who is nearer to the bottom, and what will AdamW's way look like?

# %%
bend = torch.tensor([1.0, 100.0])  # the gradient of the loss is bend * w
place = torch.tensor([-8.0, 1.0])
by_descent, by_adamw = [place], [place]
state = (torch.zeros(2), torch.zeros(2), 0)
for step in range(25):
    by_descent.append(by_descent[-1] - 0.018 * bend * by_descent[-1])
    lr = 1.0 * (1 - step / 25)  # a falling rate, so that it comes to rest
    moved, state = adamw_step(by_adamw[-1], bend * by_adamw[-1], state, lr=lr, decay=0)
    by_adamw.append(moved)
fig, ax = plt.subplots(figsize=(9, 3.2))
ways = {"descent": [p.tolist() for p in by_descent], "AdamW": [p.tolist() for p in by_adamw]}
plots.paths_in_valley(ax, ways, steepness=100)
left_over = {name: abs(way[-1][0]) for name, way in ways.items()}
ax.set_title("What is steep holds descent back; AdamW moves both weights alike")
plots.show(fig, alt=(
    "Two ways through a valley, steep in the second weight and flat in the first, from (-8, 1) to the "
    "bottom at (0, 0). Descent jumps from side to side and after 25 steps is still "
    f"{left_over['descent']:.1f} away along the first weight; AdamW swings past it, and ends "
    f"{left_over['AdamW']:.1f} away."
))
assert left_over["AdamW"] < 2 < 4 < left_over["descent"]

# %% [markdown]
# *Figure 1. Twenty-five steps each. Grey lines are places of equal loss.*
#
# Descent spends its steps on the steep side, and is still 5.1 away along the first weight. AdamW takes steps of like length in both directions, swings past the goal, since its memory carries it on, and comes to rest 1.5 away, because we let the rate fall. How much of its gain is the memory m and how much the ruler v, this figure does not show. (The second axis is stretched here, so descent does not seem to cross the lines at right angles.) And the rate of 1 was chosen by trying, as rates are. That brings us to the rate.
#
# ## The rate of each step
#
# The learning rate is not one number but a curve: it rises from nearly nothing (the **warm-up**), and falls to zero. The fall is easy to understand: near the bottom long steps jump about. Why it should *rise* first is less plain; below we measure whether it helps.

# %% exercise="06.3"

# %%
N_STEPS = 200


def shares(n_warmup, shape):
    """The whole schedule of a run of 200 steps."""
    return [rate_factor(step, N_STEPS, n_warmup, shape) for step in range(N_STEPS)]


config = TrainConfig(max_steps=N_STEPS, warmup_ratio=0.1, schedule="cosine")
ours = shares(20, "cosine")
assert np.allclose(ours, [learning_rate_factor(step, N_STEPS, config) for step in range(N_STEPS)])
rate_fig, rate_ax = plt.subplots(figsize=(8, 3.2))
rate_curve = plots.schedule(rate_ax, ours)
rate_ax.set_title("Up for 20 steps, then down to zero on half a wave")
plots.show(rate_fig, alt=(
    "The learning rate as a share of its peak over 200 steps: from 0.05 at step 0 up to 1 at step 19, "
    f"then down on half a cosine wave, {ours[110]:.2f} at step 110, to 0 at step 199."
))
assert ours[0] == 0.05 and ours[19] == 1 and ours[-1] < 1e-9

# %% [markdown]
# *Figure 2. The schedule, equal to that of `minilm.optim`.* Move the warm-up, change the shape. How much of the peak is the mean over the whole run? Does the shape change it? (Hardly: it stays near a half. The two shapes have nearly equal areas, spent at other times.)

# %%
def reshape(n_warmup, shape):
    """Draw another schedule."""
    changed = shares(n_warmup, shape)
    rate_curve.set_ydata(changed)
    way = "on a line" if shape == "linear" else "on half a wave"
    rate_ax.set_title(f"Up for {n_warmup} steps, then down to zero {way}")
    mean = np.mean(changed)
    return f"The mean rate of the run is {mean:.3f} of the peak; at step 100 it is {changed[100]:.2f}."


warm_slider = ipywidgets.IntSlider(value=20, min=0, max=100, description="warm-up")
shape_choice = ipywidgets.Dropdown(options=["cosine", "linear"], description="shape")
display(widgets.live_figure(rate_fig, reshape, n_warmup=warm_slider, shape=shape_choice))

# %% [markdown]
# ## Too long, and too large
#
# Two more parts of the loop. Now and then a batch gives a gradient many times as long as usual, from an odd text, say. In plain descent one such step can undo a hundred good ones. So long gradients are **clipped**, that is, shortened.

# %% exercise="06.4"

# %% [markdown]
# Does AdamW need it? It divides by the usual size. **Predict:** a hundred steps with gradient 1, but the 21st gradient is -1000. How far does the weight get, in learning rates, with and without clipping at 1?

# %% tags=["walkthrough"]
def way(odd):
    """How far a weight gets in 100 steps of rate 1, all gradients 1 but the 21st."""
    w, state = torch.zeros(1), (torch.zeros(1), torch.zeros(1), 0)
    for step in range(100):
        grad = torch.tensor([odd if step == 20 else 1.0])
        w, state = adamw_step(w, grad, state, lr=1.0, decay=0)
    return -w.item()


clipped = clip_together([torch.tensor([-1000.0])], 1.0)[0].item()
for name, odd in {"no odd gradient": 1.0, "odd": -1000.0, "odd, clipped": clipped}.items():
    print(f"{name:16} {way(odd):5.1f} rates")
assert clipped == -1 and way(1.0) > 99 and way(-1000.0) < 20 and way(clipped) > 95

# %% [markdown]
# The odd step itself is short. But v remembers it, and for dozens of steps every ordinary gradient looks tiny beside it. Clipped, it is one bad step among a hundred.
#
# And a batch may not fit into the memory. Then it comes in parts, and gradients are **accumulated**: PyTorch's `backward` *adds* to what already lies in `.grad` (chapter 03). That is also why every loop must clear it after a step.

# %% exercise="06.5"

# %% [markdown]
# Now on a real model. First the text: 700 stories of storyworld, a tokenizer of 512 ids, and a tiny transformer, 64 wide, two layers. Its first weights are drawn so that each layer hands on numbers about as large as it got: spread 1 for the embedding, 1/√(numbers that come in) for the matrices
# (chapter 05), and little for the head, so that the first guesses are nearly even. (The head is a matrix of its own here, so a large embedding does no harm.)

# %% tags=["walkthrough"]
texts = list(islice(stories("chapter 06"), 700))
tokenizer = train_tokenizer(texts[:600], 512)
train_ids, valid_ids = encode_stories(texts[:600], tokenizer), encode_stories(texts[600:], tokenizer)
SHAPE = {"vocab_size": 512, "d_model": 64, "n_layers": 2, "n_heads": 2, "n_kv_heads": 2, "d_ff": 192}


def fresh_model(head_spread=0.02, context_length=32, seed=0):
    """A new tiny transformer with a head of its own, always the same for a seed."""
    model = Transformer(ModelConfig(**SHAPE, context_length=context_length, tie_embeddings=False))
    generator = torch.Generator().manual_seed(seed)
    spreads = {"embed.weight": 1.0, "lm_head.weight": head_spread}
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            spread = spreads.get(name, parameter.shape[1] ** -0.5)
            torch.nn.init.normal_(parameter, std=spread, generator=generator)
    return model


sampler = Sampler(train_ids, context_length=32, batch_size=8, seed=0)
print(f"{len(train_ids):,} tokens to learn from, {fresh_model().n_params:,} parameters")

# %% [markdown]
# **Predict:** we cut a batch of 8 windows into four parts of 2 and forget to divide. How long is the gradient then? And how far from the right place does one step of AdamW go?

# %% tags=["walkthrough"]
def gradient(parts, divisor):
    """All gradients of a fresh model as one vector, added up over parts of a batch."""
    model = fresh_model()
    for tokens, targets in parts:
        loss = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
        (loss / divisor).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


tokens, targets = sampler.batch(0)
quarters = list(zip(tokens.split(2), targets.split(2)))
whole = gradient([(tokens, targets)], 1)
by_parts = {"divided by 4": gradient(quarters, 4), "not divided": gradient(quarters, 1)}
zeros = torch.zeros_like(whole)
moves = {name: adamw_step(zeros, g, (zeros, zeros, 0), lr=1.0)[0] for name, g in by_parts.items()}
for name, g in by_parts.items():
    print(f"{name}: {g.norm() / whole.norm():.2f} times as long as that of the whole batch")
apart = (moves["divided by 4"] - moves["not divided"]).norm() / moves["not divided"].norm()
print(f"AdamW's first steps with the two differ by {apart:.1%}")
assert torch.allclose(by_parts["divided by 4"], whole, atol=1e-5)
assert abs(by_parts["not divided"].norm() / whole.norm() - 4) < 0.01 and apart < 0.05

# %% [markdown]
# Four times as long, and AdamW hardly notices: it divides by the usual size, which is four times as large too. So the classic mistake hides behind AdamW, and shows elsewhere: clipping at 1 now cuts at what was a quarter, the length in the log is wrong, and plain descent would take steps four times as long.
# A bug without symptoms is found by comparing numbers, as here.
#
# ## The loop, whole
#
# The parts in their places. It is `minilm.train` without its log, its clock and its *checkpoints* (states of a run, saved so that it can go on), and it has switches for making mistakes. Nothing is accumulated, and nothing clipped, so that each mistake shows what it can do. `@cache` keeps each run that was made, so that later figures need not make it again.

# %% tags=["walkthrough"]
def see_all(q, k, v):
    """Attention without a mask."""
    return F.scaled_dot_product_attention(q, k, v)


@cache
def small_run(fault="", max_lr=0.02, n_warmup=20, n_steps=200, one_batch=False, seed=0):
    """Train a fresh model, perhaps with a mistake; return the loss before each step."""
    model, losses = fresh_model(1.0 if fault == "head" else 0.02, seed=seed), []
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=max_lr, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    with patch("minilm.model.attention", see_all if fault == "leak" else attention):
        for step in range(n_steps):
            tokens, targets = sampler.batch(0 if one_batch else step)
            if fault == "shift":
                targets = tokens
            loss = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
            if fault != "zero_grad":
                optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["lr"] = max_lr * rate_factor(step, n_steps, n_warmup)
            optimizer.step()
            losses.append(loss.item())
    return losses

# %% [markdown]
# **Predict** two numbers before you run it: the first loss, and the loss of a model that has learned only how frequent each token is.

# %% tags=["walkthrough"]
healthy = small_run()
frequencies = np.bincount(train_ids, minlength=512) / len(train_ids)
seen = frequencies[frequencies > 0]
by_frequency = -(seen * np.log(seen)).sum()
end = np.mean(healthy[-20:])
print(f"first loss {healthy[0]:.2f}, ln 512 is {math.log(512):.2f}")
print(f"by frequency alone {by_frequency:.2f}, after 200 steps {end:.2f} (mean of the last 20)")
assert abs(healthy[0] - math.log(512)) < 0.1 and abs(by_frequency - 5.26) < 0.04 and 3.4 < end < 4

# %% [markdown]
# Two landmarks for reading any loss curve: ln V, where it begins, and the level of plain frequencies, here 5.3, which is learned in the first twenty steps and where a crippled model stays. No window comes twice in these 200 steps, so this training loss is a loss on text that the model had not seen.
#
# ## Live: 400 steps
#
# Now the real thing, `minilm.train.train`, with a little more context and Muon (below) for the matrices. In JupyterLab the curve moves while the model learns. The marks to beat are the tables of counts of chapter 03, of single tokens, of pairs and of triples, made from just as many tokens and tried on unseen text.
#
# **Predict:** which of the three will the model pass in 400 steps?

# %%
run_config = TrainConfig(max_steps=400, batch_size=8, max_lr=0.02, muon_lr=0.03, device="cpu",
                         precision="float32", compile="no", log_every=20, eval_every=400)
training = Training(fresh_model(context_length=64), run_config, train_ids)
n_read = run_config.max_steps * training.tokens_per_step
unseen = valid_ids[:10_000]
marks = {name: NGram(train_ids[:n_read], 512, order).nats(unseen) / len(unseen)
         for order, name in enumerate(("frequencies", "pairs", "triples"), start=1)}


def learning():
    """A figure of 400 steps with the marks, and a curve that is still empty."""
    fig, ax = plt.subplots(figsize=(8, 3.8))
    for name, level in marks.items():
        ax.axhline(level, color=plots.GREY, linestyle=plots.DASHES, linewidth=1.2)
        ax.annotate(f"{name}, {level:.2f}", (400, level), (0, 3), ha="right", **plots.POINTS)
    (curve,) = ax.plot([], [], "o-", color=plots.BLUE, markersize=4)
    ax.set(xlim=(0, 400), ylim=(2, 6.5), xlabel="step", ylabel="loss, nats per token")
    return fig, ax, curve


print(f"{n_read:,} tokens will be read, of {len(train_ids):,}: none twice")
assert n_read < len(train_ids) * 0.9

# %%
log, (moving_fig, _, moving_curve) = [], learning()


def follow(step):
    """Draw the lines of the log so far."""
    moving_curve.set_data([line["step"] for line in log], [line["loss"] for line in log])
    return f"Step {step}" + (f", loss {log[-1]['loss']:.2f}" if log else "")


def tell(line):
    """Called by minilm.train with each line of its log: the bar moves, and the figure follows."""
    log.append(line)
    bar.value = line["step"]


bar = ipywidgets.IntProgress(max=400, description="step")
moving = widgets.live_figure(moving_fig, follow, step=bar)
display(moving)
with tempfile.TemporaryDirectory() as folder:
    last = train(training, unseen, tokenizer, Path(folder), callbacks=[tell])
moving.close()  # the picture below takes its place

# %% [markdown]
# The picture that stays:

# %%
still_fig, still_ax, still_curve = learning()
steps, curve_losses = ([line[key] for line in log] for key in ("step", "loss"))
still_curve.set_data(steps, curve_losses)
still_ax.set_title("It passes the pairs; the triples are out of its reach for now")
plots.show(still_fig, alt=(
    f"Training loss over 400 steps, from {curve_losses[0]:.1f} nats per token (the first 20) to "
    f"{curve_losses[-1]:.2f}. It passes the dashed lines of frequencies, {marks['frequencies']:.2f}, "
    f"and of pairs, {marks['pairs']:.2f}; that of triples, {marks['triples']:.2f}, lies far below."
))
n_bytes = sum(len(tokenizer.vocab[i]) for i in unseen if i != tokenizer.end_of_text)
nats_of_model = last["valid_bits_per_byte"] * math.log(2) * n_bytes / len(unseen)
print("nats per token of unseen text:", {name: round(level, 2) for name, level in marks.items()},
      f"the model: {nats_of_model:.2f}, which is {last['valid_bits_per_byte']:.2f} bits per byte")
assert marks["triples"] < nats_of_model < marks["pairs"] - 0.08
assert marks["triples"] < curve_losses[-1] < marks["pairs"] - 0.1

# %% [markdown]
# *Figure 3. Training loss, a mean of 20 steps at each point; dashed, the tables of counts on unseen text, from as many tokens.*
#
# It learns how frequent tokens are, then which follow which, and goes on where the table of pairs must stop. But the triples beat it: on 200,000 tokens counting learns faster. Both would get further with more text; the curve is flat at its end because the rate falls to zero. (The shipped model read
# 14.6 million tokens, seventy times as many.)
#
# **Muon**, in a paragraph. AdamW treats a matrix as a bag of numbers. But a matrix *does* something: it stretches some directions of its input much and others little, and its gradient is mostly about a few strong directions. Muon averages the gradients as AdamW does, and then evens the average out, until it stretches all directions about alike:
# the weak ones are learned as fast as the strong. For the matrices of the blocks this is minilm's default, with a rate chosen by measurement (docs/LOG.md); we have not recorded a comparison with AdamW, each at its best rate. Embedding, head and norms keep AdamW. The rule is 20 lines, in `minilm/optim.py`, `Muon` and `orthogonalise`.
#
# ## The gallery
#
# Six runs of the same loop. Five differ from the healthy one in one thing. The sixth lacks warm-up, and was made with a bolder rate, 0.05 in place of 0.02, as was its healthy twin; the sweep below tells why. Letters are dealt by chance, so this cell does not give the answer away.
#
# **Predict** first: which faults will make the loss *better* than it should be?

# %% tags=["walkthrough"]
faults = {
    "rate too high": small_run(max_lr=0.3),
    "no zero_grad": small_run("zero_grad"),
    "not shifted": small_run("shift"),
    "leaking mask": small_run("leak"),
    "no warm-up": small_run(max_lr=0.05, n_warmup=0),
    "head too large": small_run("head"),
}
bold = small_run(max_lr=0.05)
letters = dict(zip(faults, Random(6).sample("ABCDEF", 6)))
twin = {name: bold if name == "no warm-up" else healthy for name in faults}
shown = {letters[name]: (losses, twin[name]) for name, losses in faults.items()}
fig, axes = plt.subplots(2, 3, figsize=(9.5, 5.4))
plots.gallery(axes, dict(sorted(shown.items())), by_frequency)
fig.suptitle("Six broken runs, each beside a healthy one", x=0.02, ha="left", weight="bold")
fig.tight_layout(w_pad=2)
told = "; ".join(
    f"{letter} begins at {losses[0]:.1f}, is highest, {max(losses):.1f}, "
    f"at step {np.argmax(losses) + 1}, at {np.mean(losses[35:45]):.1f} around step 40, "
    f"and ends at {np.mean(losses[-20:]):.1f}"
    for letter, (losses, _) in sorted(shown.items()))
plots.show(fig, alt=f"Six loss curves over 200 steps. {told}. Healthy runs go from 6.3 over 4.5 to 3.7.")

# %% [markdown]
# *Figure 4. Loss before each of 200 steps; dashed grey, the healthy run; dotted, the level of frequencies. Mind the scales: each panel has its own loss axis, and the axis of steps is logarithmic, since much happens early.*

# %% exercise="06.6"

# %% tags=["walkthrough"]
plots.show_table([
    {"curve": letters[name], "fault": name, "first": f"{losses[0]:.1f}", "highest": f"{max(losses):.1f}",
     "at step": np.argmax(losses) + 1, "last 20": f"{np.mean(losses[-20:]):.2f}"}
    for name, losses in faults.items()
])
ends = {name: np.mean(losses[-20:]) for name, losses in faults.items()}
assert "".join(letters.values()) == diagnosis
assert abs(ends["rate too high"] - by_frequency) < 0.35 and ends["no zero_grad"] > 6
assert ends["not shifted"] < 0.05 and np.mean(faults["not shifted"][35:45]) < 0.1
assert ends["leaking mask"] < 1 < 3.5 < np.mean(faults["leaking mask"][35:45])
assert faults["head too large"][0] > 20 and max(faults["no warm-up"][1:12]) > max(bold[2:12])
assert ends["no warm-up"] > np.mean(bold[-20:]) + 0.15

# %% [markdown]
# With the landmarks most of them can be read. The rate that is too high ends near the level of frequencies: all else has been shaken out. Unshifted targets and a leaking mask go where no honest model can go, the first at once, the second after it has found the way. And the head that begins too large pays for guesses
# of which it was too sure.
#
# ## Which rate, and does warm-up matter?
#
# A learning rate is found by a **sweep**: try rates a few times apart, so far out that both ends look bad. We take each rate with and without warm-up. **Predict:** at which rates will warm-up help?

# %%
rates = [0.001, 0.004, 0.02, 0.05, 0.3]
sweep = {name: [np.mean(small_run(max_lr=rate, n_warmup=n)[-20:]) for rate in rates]
         for name, n in {"20 steps of warm-up": 20, "no warm-up": 0}.items()}
fig, ax = plt.subplots(figsize=(8, 4))
plots.rate_sweep(ax, rates, sweep, ("frequencies alone", by_frequency))
ax.set_title("The valley is broad; warm-up helps at its upper edge")
listed = "; ".join(f"{name}: " + ", ".join(f"{loss:.2f}" for loss in row) for name, row in sweep.items())
plots.show(fig, alt=(
    f"Loss at the end against the peak rate, for rates {rates}. {listed}. "
    f"Dashed, frequencies alone: {by_frequency:.2f}."
))
gains = [np.mean(small_run(max_lr=0.05, n_warmup=0, seed=seed)[-20:])
         - np.mean(small_run(max_lr=0.05, seed=seed)[-20:]) for seed in (1, 2, 3)]
print("what warm-up is worth at 0.05, other first weights:", [f"{gain:.2f}" for gain in gains])
assert 0.2 < min(gains) and max(gains) < 1
warm, cold = sweep.values()
assert max(warm[1:4]) - min(warm[1:4]) < 0.25 and warm[0] > 4.6 and warm[-1] > 4.8
assert all(abs(w - c) < 0.15 for w, c in zip(warm[:3], cold[:3])) and 0.3 < cold[3] - warm[3] < 0.9

# %% [markdown]
# *Figure 5. Mean loss of the last 20 of 200 steps, one seed for each point.*
#
# The valley is broad: with warm-up, from 0.004 to 0.05, a factor of twelve, all runs end within about a fifth of a nat of each other. A rate four times lower costs a nat, and one six times higher leaves the model near the level of frequencies.
#
# And the honest finding about warm-up: up to 0.02 it makes no difference here. At 0.05 it is worth about 0.6 nats (0.3 to 0.8 with three other draws of first weights). At 0.3 it does not help; where the rate itself is too high, a gentle start saves nothing. A likely reason lies in the first steps: AdamW makes them a full rate long (06.1), in a direction judged from one batch, or a few. Warm-up makes them short. So it works like an insurance: it costs
# little, and at the edge it pays. This is one tiny model and 200 steps; that deeper models need it more is often said, and not tested here.
#
# ## Two habits
#
# Before a long run, two checks take seconds. *First*, the first loss must be near ln V. *Second*, train on one single batch, again and again: whatever can learn will get it by heart, and its loss must go to nearly zero. **Predict** which of our six faults these two will find.

# %% tags=["walkthrough"]
settings = {"none": {}, "rate too high": {"max_lr": 0.3}, "no zero_grad": {"fault": "zero_grad"},
            "not shifted": {"fault": "shift"}, "leaking mask": {"fault": "leak"},
            "no warm-up": {"max_lr": 0.05, "n_warmup": 0}, "head too large": {"fault": "head"}}
by_heart = {name: small_run(**{"n_warmup": 10} | changed, n_steps=30, one_batch=True)
            for name, changed in settings.items()}
found = {name: (abs(losses[0] - math.log(512)) > 0.5, losses[-1] > 0.05)
         for name, losses in by_heart.items()}
plots.show_table([
    {"fault": name, "first loss": f"{losses[0]:.2f}", "one batch, 30 steps": f"{losses[-1]:.2f}",
     "found by": "first loss" if found[name][0] else "one batch" if found[name][1] else "–"}
    for name, losses in by_heart.items()
])
assert [name for name, (first, _) in found.items() if first] == ["head too large"]
assert [name for name, (_, batch) in found.items() if batch] == ["rate too high", "no zero_grad"]

# %% [markdown]
# Half of them. (A fault counts as found if the first loss is off by more than half a nat, or if more than 0.05 nats are left after 30 steps.) The leak and the unshifted targets pass with honours, for these tests ask whether a model *can* learn, not whether it learns the right thing. For those you need the alarm of chapter 04 (change a later token), a look at one row of tokens and targets, and a healthy distrust of good news.
# Missing warm-up is no bug, but a choice; only a comparison tells what it costs.
#
# ## When the loss is no number
#
# Sooner or later a loss prints `nan`, *not a number*: somewhere zero was divided by zero, or infinity by itself. After the next step every weight is NaN. Say the memory had a fault, and one row of the embedding became infinite:

# %% tags=["walkthrough"]
config = TrainConfig(max_steps=40, batch_size=8, optimizer="adamw",
                     device="cpu", precision="float32", compile="no")


def spoiled():
    """A training whose model has a spoiled row in its embedding, of an id that ten steps do not meet."""
    training = Training(fresh_model(), config, train_ids)
    early, late = ({i for step in steps for i in training.sampler.batch(step)[0].flatten().tolist()}
                   for steps in (range(10), range(10, 20)))
    with torch.no_grad():
        training.model.embed.weight[min(late - early)] = float("inf")
    return training


with tempfile.TemporaryDirectory() as folder:
    try:
        train(spoiled(), valid_ids, tokenizer, Path(folder))
    except TrainingDiverged as error:
        message = str(error)
print(message)
assert "nan between steps 0 and 20" in message

# %% [markdown]
# `minilm.train` stops instead of wasting the night, and keeps the last checkpoint (here there was none yet). Its advice, a lower rate, is the usual cure; here it would not help. So find the **first bad step**. The same seed gives the same run: go through it again, and look at every step. **Predict:** if one token of one row is bad, which places of that row will have bad scores?

# %% tags=["walkthrough"]
again = spoiled()
for step in range(20):
    tokens, targets = again.sampler.batch(step)
    with torch.no_grad():
        bad = ~again.model(tokens).isfinite().all(dim=-1)  # (B, T): places whose scores are no numbers
        bad_input = ~again.model.embed(tokens).isfinite().all(dim=-1)  # the first part of the model
    if bad.any():
        break
    again.update()
row, place = bad_input.nonzero()[0].tolist()
culprit = tokens[row, place].item()
print(f"step {step}: {bad.sum()} places of the scores are bad, but {bad_input.sum()} of the embedding")
print(f"row {row}, place {place}: id {culprit}, {tokenizer.vocab[culprit]!r}")
print("its embedding begins with", again.model.embed.weight[culprit, :3].tolist())
assert 10 <= step < 20 and bad.sum() > bad_input.sum() and bad[row].all()

# %% [markdown]
# In the scores the whole row is bad, the places *before* the culprit too: a hidden token has weight 0, and 0 times NaN is NaN. So do not trust the first bad place that you see; ask the parts of the model in the order in which they work, and take the first that gives a bad number.
#
# If instead the loss is a number and the *gradient* is not, PyTorch can name the operation. Here is a line that looks harmless, the length of a vector, at a vector of zeros:

# %% tags=["walkthrough"]
vector = torch.zeros(3, requires_grad=True)
length = vector.square().sum().sqrt()
length.backward()
print("length", length.item(), "gradient", vector.grad.tolist())
# Its warnings say where, with long paths; the error says what.
with warnings.catch_warnings(action="ignore"), torch.autograd.detect_anomaly(check_nan=True):
    try:
        vector.square().sum().sqrt().backward()
    except RuntimeError as error:
        print(error)
        assert "PowBackward0" in str(error)
assert length.item() == 0 and vector.grad.isnan().all()

# %% [markdown]
# `Pow` is the square. The root has an infinite slope at zero; that infinity comes back to the square, whose slope at zero is zero, and infinity times zero is NaN. So the search names the place where NaN *appears*, and the cause is one step nearer to the loss. (The ε of RMSNorm is there for such cases.) The search is slow, so turn it on only when you need it;
# its warning, which we have silenced here, shows the line of your code.
#
# ## Half as many bits
#
# GPUs, and some CPUs, multiply matrices twice as fast or more in numbers of 16 bits. **Bfloat16** reaches as far as float32, but keeps two to three digits: after 1 comes 1.0078. **Predict:** a weight of 1 gets a thousand updates of 0.001. Where does it end?

# %%
weights = {dtype: torch.ones((), dtype=dtype) for dtype in (torch.float32, torch.bfloat16)}
for weight in weights.values():
    for _ in range(1000):
        weight += 0.001
print({str(dtype): f"{weight.item():.3f}" for dtype, weight in weights.items()})
model = fresh_model()
tokens, targets = sampler.batch(0)
whole = F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())
with torch.autocast("cpu", torch.bfloat16):
    logits = model(tokens)
    loss = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
loss.backward()
print(f"logits are {logits.dtype}, gradients {model.embed.weight.grad.dtype}, "
      f"the loss changed by less than 0.01: {abs(loss - whole).item() < 0.01}")
assert weights[torch.bfloat16] == 1 and abs(weights[torch.float32] - 2) < 1e-3
assert logits.dtype == torch.bfloat16 and model.embed.weight.grad.dtype == torch.float32
assert abs(loss - whole) < 0.01

# %% [markdown]
# In bfloat16 no update arrived: each was rounded away. So weights, averages and updates stay in float32, and only products are made with 16 bits. That is *mixed precision*; `torch.autocast` does it in one line around the loss. `minilm.train` takes 16 bits where they are faster, unless you say `--precision float32`. (Float16 has more digits and less reach: small gradients become 0, so the loss is multiplied by a large number first.)
#
# ## Going on, bit for bit
#
# A long run is interrupted: power, a full disk, Ctrl-C. What must a checkpoint hold, so that the run goes on as if nothing had happened? **Predict:** are the weights enough?

# %% tags=["walkthrough"]
def fresh_training():
    """A run of 40 steps, at its beginning."""
    return Training(fresh_model(), config, train_ids)


unbroken, cut = fresh_training(), fresh_training()
losses = [unbroken.update()[0].item() for _ in range(40)]
with tempfile.TemporaryDirectory() as folder:
    run = Path(folder)
    before = [cut.update()[0].item() for _ in range(20)]
    save_checkpoint(run, cut.step, cut.model, tokenizer, cut.optimizers)
    weights = {name: tensor.clone() for name, tensor in cut.model.state_dict().items()}
    resumed = fresh_training()
    resume(resumed, run)  # weights, both averages of AdamW, random state, step
weights_only = fresh_training()
weights_only.model.load_state_dict(weights)
weights_only.step = 20
goes_on = {name: [one.update()[0].item() for _ in range(20)]
           for name, one in {"resumed": resumed, "weights only": weights_only}.items()}

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(8, 3.8))
apart = {name: [abs(a - b) for a, b in zip(ours, losses[20:])] for name, ours in goes_on.items()}
plots.apart(ax, range(21, 41), apart)
ax.set(ylabel="distance of the losses, nats", xticks=range(21, 41, 3))
ax.set_title("Resumed: no difference at all. Weights alone: another run")
gap = max(apart["weights only"])
plots.show(fig, alt=(
    "Distance of the loss from that of the uninterrupted run, steps 21 to 40. The resumed run stays at "
    f"zero. With only the weights restored it is zero at step 21, and up to {gap:.2f} nats after that."
))
same = all(torch.equal(a, b) for a, b in zip(unbroken.model.parameters(), resumed.model.parameters()))
print("losses equal:", goes_on["resumed"] == losses[20:], "- weights equal to the last bit:", same)
ends = goes_on | {"uninterrupted": losses[20:]}
print("mean loss of steps 21 to 40:", {name: f"{np.mean(end):.3f}" for name, end in ends.items()})
assert goes_on["resumed"] == losses[20:] and before == losses[:20] and same
assert apart["weights only"][0] < 1e-6 and gap > 0.02

# %% [markdown]
# *Figure 6. Two ways to go on after step 20, compared with the run that was not interrupted (nats per token).*
#
# Resumed, it is the same run to the last bit. With the weights alone it begins at the right loss, and goes its own way. (At step 22 it is nearly there again by chance.) On average it is hardly worse here, but it is no longer the run that was planned, and nothing warned us. A checkpoint needs the weights, AdamW's averages, the place in the schedule, and the order of the data. The last costs nothing in minilm, since a batch is a function of seed and step alone. (Exact equality holds on one machine with one number of threads;
# others add up in another order.)
#
# ## What we know now
#
# - AdamW divides the average gradient of each weight by its usual size. Its first step is one learning rate long for every weight that has a gradient; yours, minilm's and PyTorch's agree over 30 steps.
# - Accumulated gradients equal those of the large batch if each part is weighted by its rows. Without dividing they are too long, and AdamW hides it.
# - A loss curve has landmarks: ln V at the beginning, the level of plain frequencies, and what counting reaches.
# - Our six faults have six different curves. Two of these look like success.
# - First loss and one batch by heart found three faults of six.
# - The valley of rates is broad: a factor of twelve. Up to 0.02 warm-up made no difference; at 0.05, the upper edge, it was worth 0.3 to 0.8 nats.
# - A NaN has a first step and a first place. The same seed finds both.
# - Weights alone do not continue a run. With the optimizer's state, the step and the order of the data it is the same to the last bit.

# %% quiz="06"

# %% [markdown]
# ## Sources
#
# - Kingma and Ba, *Adam*, 2014, arXiv 1412.6980: the two averages and their corrections.
# - Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, 2017, arXiv 1711.05101, algorithm 2: AdamW.
# - Loshchilov and Hutter, *SGDR*, 2016, arXiv 1608.03983: the half wave of cosine.
# - Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks*, 2012, arXiv 1211.5063: clipping by the joint length.
# - Jordan et al., *Muon: An optimizer for hidden layers in neural networks*, 2024.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | three optimizers, one result | How long is the first step for a gradient of 0.0002? | Why is there a correction? |
# | 3 | the batch in four parts | What if we forget to divide? | Why does AdamW not notice? |
# | 6 | the loop, the healthy run | What is the first loss? | What does 5.26 mean? |
# | 8 | the gallery, figure 4 | Which faults look like success? | Match letters and faults, in pairs. |
# | 13 | the two habits | Which faults do they find? | What would find the leak? |
# | 16 | the loss is no number | Where do we look first? | |
# | 18 | going on, figure 6 | Are the weights enough? | What else is state? |
#
# Homework: 06.2 and 06.5.
# </details>
