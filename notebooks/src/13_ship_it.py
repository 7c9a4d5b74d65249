# %% [markdown]
# # 13 · Where can it run?
#
# Your model lives beside the code that trained it. Whoever wants a story from it needs this repository and some patience. In this chapter it moves out: into a file that any program can read, into C, into a quarter of the bytes; and, for the day when one machine is too few, onto several at once. A model that was moved wrongly need not crash. It writes, only worse. So whatever leaves is compared with what stayed.
#
# By the end you will
#
# - have opened a file of weights by hand, and know why it is no pickle;
# - have moved a model to Hugging Face, to C and to a phone's format, and seen what one forgotten step does;
# - have stored weights in four bits, and measured where that begins to hurt;
# - be able to say, from bytes and bandwidth, how fast a model can write, and how many GPUs a network can feed;
# - know what must stand on a model's card.
#
# **Time:** about 95 minutes, 55 of them for the exercises. **You need:** chapter 04 for RoPE, chapter 07 for what a token costs, chapter 11 for hours and money. `transformers` and `gguf` are used if they are there, as they are after `make lab` (by hand: `pip install -e ".[test]"`); the chapter runs without them too.

# %%
import json
import math
import pickle
import struct
import subprocess
import sys
from itertools import islice
from tempfile import TemporaryDirectory
from time import perf_counter

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import display

from minilm import evaluate, export, plots, quantise, reproductions, runs, scaling, widgets
from minilm.checkpoint import load_model, model_of
from minilm.config import DATA, MODELS, ROOT
from minilm.course import check, quiz
from minilm.generate import generate_ids
from minilm.loss import cross_entropy
from minilm.storyworld import stories

plt.rcParams.update(plots.STYLE)
torch.set_num_threads(1)
FOLDER, OUT = MODELS / "storyworld", TemporaryDirectory()  # what we ship, and where to
model, tokenizer = load_model(FOLDER)
RECORD = json.loads((DATA / "runs" / "benchmarks" / "export.json").read_text())["values"]

# %% [markdown]
# ## What is in the file?
#
# A model is three things: its numbers, its shape, and the tokenizer that says what its ids mean. Lose one, and the other two are worth nothing.

# %% tags=["walkthrough"]
for name in ("model.safetensors", "config.json", "tokenizer.json"):
    print(f"{name:18} {(FOLDER / name).stat().st_size:>9,} bytes")
data = (FOLDER / "model.safetensors").read_bytes()
length = int.from_bytes(data[:8], "little")
header = json.loads(data[8 : 8 + length])
print(f"\nfirst 8 bytes: {length:,}, the length of the header\nheader: {data[8:78].decode()} …")
print(f"numbers: {len(data) - 8 - length:,} bytes, two for each of {model.n_params:,} parameters")
assert len(data) == 8 + length + 2 * model.n_params

# %% [markdown]
# That is all of the format *safetensors*: a length, a list of contents, and raw numbers. For years weights were passed on as **pickles**, Python's own way to store objects. A pickle is not a list of numbers but a list of *instructions*, and whoever loads it carries them out:

# %%
class Weights:
    """Says that it can be rebuilt by calling a function; here a harmless one."""

    def __reduce__(self):
        return print, ("whatever I like, on your machine, with your rights",)


harmless_file = pickle.dumps(Weights())
pickle.loads(harmless_file)

# %% [markdown]
# Instead of `print` that could have been anything. `torch.load` has refused such instructions since version 2.6, unless told otherwise; apart from this one, the course loads no pickle.

# %% exercise="13.1"

# %% [markdown]
# How many bytes belong to which part, and how many would they be with other kinds of number?

# %% tags=["walkthrough"]
W = {name: read_tensor(data, name).astype(np.float32) for name in header if name != "__metadata__"}
assert all(np.array_equal(W[name], w) for name, w in export.arrays(model).items())
PARTS = {"embedding": "embed", "attention": ".attn.", "feed-forward": ".mlp."}  # norms: 2,112 numbers
BYTES = {"float32": 4, "float16": 2, "int8 in groups of 64": quantise.bytes_per_weight(8, 64),
         "int4 in groups of 64": quantise.bytes_per_weight(4, 64)}
counts = {part: sum(w.size for name, w in W.items() if key in name) for part, key in PARTS.items()}
fig, ax = plt.subplots(figsize=(8, 3.4))
left = np.zeros(len(BYTES))
for (part, count), colour, hatch in zip(counts.items(), plots.COLOURS, ("", "//", "..")):
    width = np.array(list(BYTES.values())) * count / 1e6
    ax.barh(list(BYTES), width, left=left, color=colour, hatch=hatch, edgecolor="white", label=part)
    left += width
for row, total in enumerate(left):
    ax.annotate(f"{total:.1f} MB", (total, row), (5, 0), va="center", **plots.POINTS)
ax.set(xlabel="bytes of the weights, millions", xlim=(0, 13), title="Half of the bytes are feed-forward")
ax.invert_yaxis()
ax.grid(axis="y", visible=False)
ax.legend(loc="lower right")
told = ", ".join(f"{kind} {total:.1f} MB" for kind, total in zip(BYTES, left))
plots.show(fig, alt=f"Bytes of the storyworld model by part: {told}; over half is feed-forward.")
assert 0.5 < counts["feed-forward"] / model.n_params < 0.54

# %% [markdown]
# *Figure 1. The same 2.8 million parameters in four kinds of number. The course ships the second. The last two, whole numbers with a scale for every 64, come under* Fewer bits.
#
# ## Without PyTorch
#
# What does it take to *run* a model? No gradients, no optimizer, no batches. `minilm.numpy_model` (chapter 07) does it with NumPy alone. We start it as a program of its own and ask for a greedy story, so that there is no luck in the comparison.

# %% tags=["walkthrough"]
PROGRAM = """
import json, sys
from minilm.numpy_model import NumpyModel
light = NumpyModel.load(sys.argv[1])
end = light.tokenizer.end_of_text
ids = list(light.generate_ids([end], temperature=0, max_new_tokens=200))
print(json.dumps({"ids": ids, "torch": "torch" in sys.modules}))
"""
command = [sys.executable, "-c", PROGRAM, str(FOLDER)]
ran = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)
theirs = json.loads(ran.stdout)


def greedy(model, n_tokens=200):
    """The story of the likeliest next tokens, from nothing, as ids."""
    return list(generate_ids(model, [tokenizer.end_of_text], temperature=0, max_new_tokens=n_tokens))


ours = greedy(model)
print(tokenizer.decode(ours)[:150], "…")
print("PyTorch loaded there:", theirs["torch"], "| the same 200 tokens:", theirs["ids"] == ours)
assert theirs["ids"] == ours and not theirs["torch"]

# %% [markdown]
# Two hundred tokens alike. Only what training needed is gone.
#
# ## A folder for Hugging Face
#
# Most of the world loads models with `transformers`. It knows LLaMA, and ours *is* one; only the names differ.

# %% tags=["walkthrough"]
for name in W:
    if "blocks.0" in name or "blocks" not in name:
        print(f"{name:33} {export.common.hugging_face_name(name)}")
folder = export.export_hf(model, tokenizer, f"{OUT.name}/hf")
print("\nfiles:", ", ".join(sorted(path.name for path in folder.iterdir())))

# %% tags=["walkthrough"]
text = "A girl named Mia had a red ball. One day"
ids = torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(text)]])
with torch.no_grad():
    wanted = model(ids)
try:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    twin = AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        off = (twin(ids).logits - wanted).abs().max().item()
    same_ids = AutoTokenizer.from_pretrained(folder)(text).input_ids == ids[0].tolist()
    print("logits equal up to rounding:", off < 1e-4, "| the same ids:", same_ids)
    assert off < 1e-4 and same_ids
except ImportError:
    print("transformers is not installed here. Recorded: the whole greedy story,",
          f"{RECORD['storyworld_hf_float32_same']} tokens, came back alike.")

# %% [markdown]
# `from_pretrained` also takes a name on Hugging Face's site, once you have uploaded the folder. No code of ours goes along, so nobody has to trust any.
#
# ## Into C
#
# *llama2.c* is a program in C of less than a thousand lines, in one file and without libraries. Its file is even plainer: seven whole numbers, then all weights in a fixed order, not even named.

# %% tags=["walkthrough"]
in_c = (export.export_llama2c(model, tokenizer, f"{OUT.name}/c") / "model.bin").read_bytes()
shape = struct.unpack("<7i", in_c[:28])
print(dict(zip(("dim", "hidden", "layers", "heads", "kv_heads", "vocabulary", "context"), shape)))
order = export.llama2c_order(tokenizer)
for theirs_id in (0, 1, 2, 3, 4, 4095):
    print(f"id {theirs_id:4} there is our {order[theirs_id]:4}: {tokenizer.vocab[order[theirs_id]]}")
first_row = np.frombuffer(in_c[28 : 28 + 4 * 192], "<f4")
assert np.array_equal(first_row, W["embed.weight"][order[0]])
assert shape == (192, 512, 5, 6, 3, 4096, 512) and order[1] == tokenizer.end_of_text

# %% [markdown]
# Two things must be reordered. The first are the **ids**. In llama2.c every text begins with id 1, and a story ends where 1 comes again; 3 to 258 are the bytes. So our end-of-text becomes 1, and all rows of the embedding table move along. We have no use for 0 and 2; the two tokens learned last go there, because a row more would take part in every softmax.
#
# The second is easy to overlook. RoPE turns *pairs* of coordinates (chapter 04). Which pairs is a matter of taste: ours, and Hugging Face's, are i and i + D/2; llama2.c's are neighbours. Try it on a head of 4:

# %% tags=["walkthrough"]
def turned(x, position, pairs, angles=(1.0, 0.1)):
    """Turn the pairs of a head of 4, each by its angle times the position."""
    x = x.copy()
    for (i, j), angle in zip(pairs, angles):
        c, s = math.cos(position * angle), math.sin(position * angle)
        x[i], x[j] = c * x[i] - s * x[j], s * x[i] + c * x[j]
    return x


HALVES, NEIGHBOURS, moved = [(0, 2), (1, 3)], [(0, 1), (2, 3)], [0, 2, 1, 3]
q, k = np.array([1.0, 2, 3, 4]), np.array([2.0, 0, -1, 1])
print("ours            ", turned(q, 5, HALVES) @ turned(k, 3, HALVES))
print("theirs, moved   ", turned(q[moved], 5, NEIGHBOURS) @ turned(k[moved], 3, NEIGHBOURS))
print("theirs, as it is", turned(q, 5, NEIGHBOURS) @ turned(k, 3, NEIGHBOURS))
assert np.isclose(turned(q, 5, HALVES) @ turned(k, 3, HALVES),
                  turned(q[moved], 5, NEIGHBOURS) @ turned(k[moved], 3, NEIGHBOURS))

# %% [markdown]
# A score is a sum over coordinates; their order does not matter, if queries and keys agree. So reorder both, until those to be turned together are neighbours. The coordinates of q are the *rows* of its matrix. Values are not turned, and stay.

# %% exercise="13.2"

# %% [markdown]
# **Predict.** We forget it: a reader that turns neighbours gets our rows as they are. (Our own model can act it: with rows moved the *other* way, its halves are what were neighbours.) All shapes fit. Does it crash, stammer, or write? And what becomes of 0.34 bits per byte?

# %% tags=["walkthrough"]
texts = [[tokenizer.end_of_text, *tokenizer.encode(told)] for told in islice(stories("ship it"), 12)]
n_bytes = np.array([len(tokenizer.decode_bytes(told[1:])) for told in texts])


@torch.no_grad()
def bits(model):
    """Bits per byte of each of twelve stories that the model has not read, end marks included."""
    rows = [torch.tensor([[*told, tokenizer.end_of_text]]) for told in texts]
    nats = [cross_entropy(model(row[:, :-1]), row[:, 1:]).item() * (row.numel() - 1) for row in rows]
    return np.array(nats) / math.log(2) / n_bytes


def remade(weights):
    """A model of the same shape from other weights (arrays by name)."""
    return model_of(model.config, {n: torch.from_numpy(w) for n, w in weights.items()}, "ours").eval()


back = np.argsort(to_neighbours(np.arange(32)[:, None], 32)[:, 0])  # the other way
forgot = {name: w.reshape(-1, 32, 192)[:, back].reshape(w.shape)
          if "q_proj" in name or "k_proj" in name else w for name, w in W.items()}
whole, muddled = bits(model), bits(remade(forgot))
print(f"right {whole.mean():.3f}, forgotten {muddled.mean():.3f} bits per byte")
print(tokenizer.decode(greedy(remade(forgot), 50)))
with torch.no_grad():
    apart = (remade(forgot)(ids) - wanted).abs().amax(-1)[0]
assert apart[0] < 1e-4 and apart[1] > 0.1 and muddled.mean() > 5 * whole.mean()

# %% [markdown]
# It writes: words, commas, quotation marks, little sense. 1.9 bits per byte in place of 0.34 say what a glance at the first words may not, and the *logits* say it from the second token on. (At position 0 nothing is turned.) So every export here is tested by its logits.
#
# To run it you need a C compiler and the program's source. We had no copy of the source, so **these commands were not run here**. What was run is a reader written from the description of the files (`tests/llama2c.py`); it told the same story to the last of 227 tokens.
#
# <details><summary>The commands</summary>
#
# ```sh
# minilm export data/models/storyworld --to llama2c --out runs/c
# git clone https://github.com/karpathy/llama2.c && cd llama2.c && gcc -O3 -o run run.c -lm
# ./run ../runs/c/model.bin -z ../runs/c/tokenizer.bin -t 0 -n 256
# ```
# </details>
#
# (Its encoder knows no pre-tokens, so it splits some texts otherwise; `export.split_otherwise` lists them: one of a hundred stories of TinyStories, none of storyworld's.)
#
# ## One file for a phone
#
# **GGUF** is the format of *llama.cpp*, on which many programs for laptops, phones and browsers build. Shape, tokenizer and weights are in one file, each with its name.

# %%
try:
    path = export.export_gguf(model, tokenizer, f"{OUT.name}/storyworld.gguf", weights="int8")
    magic, version, n_tensors, n_settings = struct.unpack("<4sIQQ", path.read_bytes()[:24])
    print(f"{magic.decode()} version {version}: {n_tensors} tensors, {n_settings} settings, "
          f"{path.stat().st_size / 1e6:.2f} MB")
    assert magic == b"GGUF" and n_tensors == len(W)
except ValueError as error:  # without the package gguf
    print(error)
rows = {"float32": "hf_float32", "float16": "hf_float16", "int8, GGUF's Q8_0": "gguf_int8",
        "int8, llama2.c's": "llama2c_int8", "int4, GGUF's Q4_0": "gguf_int4"}
plots.show_table([
    {"weights": name, "MB": f"{RECORD[f'storyworld_{key}_mb']:.2f}"}
    | {f"{corpus}, bits per byte": f"{RECORD[f'{corpus}_{key}_bits_per_byte']:.4f}"
       for corpus in ("storyworld", "tinystories")}
    | {"same tokens of a greedy story, of 227": RECORD[f"storyworld_{key}_same"]}
    for name, key in rows.items()])

# %% [markdown]
# (The table is a record, on 100 stories of each kind: `benchmarks/bench_export.py`. Float32 and float16 cannot differ: the shipped weights are float16. With int4 the greedy story differs from the first token on, yet on unseen stories these weights cost only 2 % more bits: another story is not a worse one, so judge by the loss. llama2.c's int8 program rounds vectors as well as weights; that is in the 81, not in the bits per byte. Q8_0 and Q4_0 are 8 and 4 bits with a scale for every 32 weights.) llama.cpp turns neighbours too, so `export_gguf` moves the rows of queries and keys as you did. Again **not run here**. What was checked: `transformers` reads such files; from float32 it gives the same logits, from int8 and int4 weights as near as their scales allow.
#
# <details><summary>The commands, and where else it runs</summary>
#
# ```sh
# minilm export data/models/storyworld --to gguf --weights int8 --out runs/storyworld.gguf
# git clone https://github.com/ggml-org/llama.cpp && cd llama.cpp && cmake -B build && cmake --build build
# ./build/bin/llama-completion -m ../runs/storyworld.gguf -no-cnv -p "A girl named Mia" -n 200 --temp 0
# ```
#
# The names of its programs have changed before; see `build/bin`. On an Android phone the same commands should work in *Termux*, a terminal (`docs/android.md` of llama.cpp). Compiled to WebAssembly (*wllama*, for one) it runs in a web page, on the visitor's own machine.
# </details>
#
# ## Fewer bits
#
# How can a quarter of the bytes keep the loss to four decimals? By **quantisation**: a weight is stored as a small whole number, times a scale that it shares with its neighbours. By hand: 4 bits have sixteen codes; we use -7 to 7, so that zero lies in the middle, and leave one unused. Of the weights 0.18, -0.70, 0.33, 0.02 the largest absolute value, 0.70, becomes 7, so -0.70 is -7 and one step is 0.1. The others become 2, 3 and 0; read back, they are 0.2, 0.3 and 0. No weight is off by more than half a step.

# %% exercise="13.3"

# %% [markdown]
# **Predict.** Below is that row of the embedding table, 192 weights, whose largest weight stands out most from the rest. In 4 bits, with one scale for the whole row: how many of the others survive?

# %% tags=["walkthrough"]
table = np.abs(W["embed.weight"])
row = W["embed.weight"][np.argmax(table.max(axis=1) / np.median(table, axis=1))]
rough_fig, rough_ax = plt.subplots(figsize=(8.5, 3.8))


def rough(bits, group):
    """Draw the row as it was, and as it comes back from so few bits."""
    there = rounded(row, bits, group)
    zeros, error = np.mean(there == 0), np.sqrt(np.mean((there - row) ** 2) / np.mean(row**2))
    rough_ax.clear()
    rough_ax.plot(row, "o", color=plots.BLUE, markersize=4, label="as trained")
    rough_ax.plot(there, "s", color=plots.VERMILION, markersize=3.5, label="as read back")
    rough_ax.set(xlabel="place in the row", ylabel="weight", xlim=(-3, 194), ylim=(-1, 1.9))
    rough_ax.set_title(f"{bits} bits in groups of {group}: {zeros:.0%} of the weights become zero")
    rough_ax.legend(loc="upper right", ncols=2)
    return f"{zeros:.0%} of the weights become zero; the error is {error:.0%} of the row's length."


said = rough(4, 192)
plots.show(rough_fig, alt=f"192 weights of a row, as trained and from 4 bits with one scale. {said}")
zeros = [np.mean(rounded(one, 4, 192) == 0) for one in W["embed.weight"][::8]]
assert 0.4 < np.mean(rounded(row, 4, 192) == 0) < 0.5 and np.mean(rounded(row, 4, 16) == 0) < 0.2
assert 0.17 < np.median(zeros) < 0.23

# %% [markdown]
# *Figure 2. An extreme row, chosen for its one large weight. In the middle one of all 4,096 rows a fifth of the weights become zero.*
#
# Nearly half are gone. The large weight sets the step for all, 0.2, and whatever is nearer to zero than half of that becomes zero. Now move it yourself: how many bits does one scale need until hardly a weight is lost? How many do groups of 16 need?

# %%
width = ipywidgets.IntSlider(value=4, min=2, max=8, description="bits")
chosen = ipywidgets.SelectionSlider(options=[192, 64, 32, 16], value=192, description="group")
rough(4, 192)
display(widgets.live_figure(rough_fig, rough, bits=width, group=chosen))

# %% [markdown]
# So groups confine the damage, and each costs a scale of 32 bits: half a bit for each weight in groups of 64, two in groups of 16. (GGUF takes scales of 16 bits, and groups of 32.) Is it better to spend on bits, or on scales? We send all matrices of the model through your function and judge what comes out.
#
# **Predict** for 4 bits: how many bits per byte are added with a scale for each 16 weights, and how many with one for each matrix?

# %% tags=["walkthrough"]
def squeezed(n_bits, group, parts=("",)):
    """The model with the matrices of some parts sent through few bits; no group means one scale each."""
    return remade({name: rounded(w, n_bits, group or w.size)
                   if w.ndim == 2 and any(part in name for part in parts) else w
                   for name, w in W.items()})


def megabytes(n_bits, group):
    """Codes, float32 scales, and norms as they are."""
    return sum(w.size * n_bits / 8 + 4 * w.size / (group or w.size) if w.ndim == 2 else 4 * w.size
               for w in W.values()) / 1e6


GROUPS = {"groups of 16": 16, "groups of 64": 64, "one scale a matrix": None}
TRIED = (2, 3, 4, 5, 6, 8)
lost = {(n, group): bits(squeezed(n, group)) - whole for n in TRIED for group in GROUPS.values()}
plots.show_table([{"bits": n} | {name: f"{lost[n, group].mean():+.4f}" for name, group in GROUPS.items()}
                  for n in reversed(TRIED)])
by_module = quantise.dequantise(quantise.quantise(W["embed.weight"], 4, 64))
by_hand = squeezed(4, 64).embed.weight.detach().numpy()
assert np.isclose(by_hand, by_module).mean() > 0.999  # they may round a tie otherwise

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(8.5, 4.6))
SIDES = {16: (-6, -16), 64: (-14, -4), None: (8, 5)}  # where the numbers stand
for (name, group), colour, marker in zip(GROUPS.items(), plots.COLOURS, "osD"):
    x, y = [megabytes(n, group) for n in TRIED], [lost[n, group].mean() for n in TRIED]
    ax.plot(x, y, marker=marker, color=colour, markersize=7, label=name)
    for n, *place in zip(TRIED, x, y):
        ax.annotate(n, place, (-4, 9) if n == 2 else SIDES[group], color=colour, **plots.POINTS)
ax.set(yscale="log", xlabel="bytes of the weights, millions", xlim=(0.5, 4), ylim=(1e-5, 20),
       ylabel="bits per byte added to 0.34")
ax.set_title("In groups six bits are nearly free, and two are nonsense")
ax.legend(loc="upper right")
told = "; ".join(f"{n} bits {lost[n, 64].mean():.4f}" for n in TRIED)
plots.show(fig, alt=f"Loss added against bytes, logarithmic, for three sizes of group. In 64s: {told}.")
mean, half = evaluate.mean_difference(whole + lost[4, 64], whole)
print(f"4 bits in 64s: {mean:.4f} more, 95 % from {mean - half:.4f} to {mean + half:.4f}")
assert lost[6, 64].mean() < whole.mean() / 500 and mean - half > 0.008
assert 75 < lost[4, None].mean() / lost[4, 16].mean() < 90 and lost[2, 16].mean() > 1
assert 4 < lost[5, None].mean() / lost[6, None].mean() < 4.4
assert lost[3, 16].mean() > 4 * lost[4, 64].mean()
assert abs(lost[3, 16].mean() / lost[5, None].mean() - 1) < 0.1 and round(megabytes(5, None), 1) == 1.8

# %% [markdown]
# *Figure 3. What rounding adds, on the mean of twelve stories; the numbers at the marks are bits. Whole, the model needs 0.34 bits per byte. Other models bend elsewhere.*
#
# - Eight bits add nothing that twelve stories could show; in groups, six add less than a five-hundredth, which is within chance as well.
# - With one scale a matrix, going from six bits to five adds four times as much (0.016, 0.068). A bit less doubles the step, and near its lowest point a loss is a bowl: twice as far away, four times as high. Further down it grows faster.
# - With one scale a matrix, four bits cost eighty times what they cost in groups of 16.
# - (With one scale, two bits do better than three. Nearly every weight is zero then, the model takes all 4,096 tokens for equally likely, and knowing nothing is better than being sure and wrong.)
# - Yet at *equal bytes* the middle one of the three wins, from three bits up and with scales of 32 bits. Groups of 16 pay two bits a weight for their scales: with three bits they take as much room as one scale and five bits do (1.8 MB), and lose as much; four bits in groups of 64 take less, and lose a quarter of that.
#
# Where does it hurt? Four bits again, now in groups of 32 as GGUF has them, one part at a time:

# %%
rows, by_part = [], {}
for part, key in PARTS.items():
    by_part[part] = bits(squeezed(4, 32, (key,)))
    added, half = evaluate.mean_difference(by_part[part], whole)
    sample = np.concatenate([w.ravel() / w.std() for name, w in W.items() if key in name])
    rows.append({"part in 4 bits": part, "share of the weights": f"{counts[part] / model.n_params:.0%}",
                 "bits per byte added": f"{added:.4f} ± {half:.4f}",
                 "beyond 4 standard deviations": f"{1e5 * np.mean(abs(sample) > 4):.0f} of 100,000"})
plots.show_table(rows)
apart, half = evaluate.mean_difference(by_part["embedding"], by_part["attention"])
print(f"embedding less attention: {apart:.4f} ± {half:.4f}")
assert 0 < apart < half

# %% [markdown]
# On these twelve stories the embedding table adds most, with little more than a quarter of the weights; but the differences between parts are within what twelve stories can tell. There would be reasons: it has the most *outliers*, weights far from the rest, and being tied it is used twice, as table and as head. Methods like GPTQ and AWQ look at data while they round (Sources).
#
# ## How fast, at most?
#
# Bytes decide about speed too. For one text, each token needs every weight once (chapter 07), so a machine that writes token by token cannot write more of them a second than its memory hands out bytes a second, divided by the bytes of the weights. First by hand:

# %% exercise="13.4"

# %% tags=["walkthrough"]
SPEEDS = {"a phone, 51 GB/s": 51.2e9, "RTX 4090, 1,010 GB/s": 1.01e12, "H100, 3,350 GB/s": 3.35e12}
n_weights, widths = 8.0e9, np.array([16, 8.5, 4.5, 3.5])  # bits, with 16-bit scales for groups of 32
at_most = {name: speed / (n_weights * widths / 8) for name, speed in SPEEDS.items()}
fig, ax = plt.subplots(figsize=(8.5, 3.8))
plots.lines(ax, widths, at_most, "bits a weight, scales included", "tokens a second, at most")
ax.set(yscale="log", ylim=(1, 3000), xlim=(17, -3), xticks=widths)
ax.set_title("Fewer bytes leave room for more tokens, on any machine")
told = "; ".join(f"{name}: {of[0]:.0f} to {of[-1]:.0f}" for name, of in at_most.items())
plots.show(fig, alt=f"Upper bounds of tokens a second, 8 billion weights, 16 to 3.5 bits. {told}.")
assert round(at_most["a phone, 51 GB/s"][2]) == 11

# %% [markdown]
# *Figure 4. Arithmetic, not a measurement: 8 billion weights, one text, no KV cache counted. The phone's figure is an assumption; look yours up.*
#
# At most three tokens a second become at most eleven, with the same processor. But is reading the limit? On your own computer: a matrix too large for the processor's cache, times one row, beside merely adding up as many bytes.

# %% tags=["machine"]
big, vector = np.ones((8192, 8192), np.float32), np.ones(8192, np.float32)


def gigabytes_a_second(function):
    """Bytes of `big` over the best time of five."""
    times = []
    for _ in range(5):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return big.nbytes / min(times) / 1e9


print(f"product with a row {gigabytes_a_second(lambda: big @ vector):.1f} GB/s, "
      f"sum {gigabytes_a_second(big.sum):.1f} GB/s")

# %% [markdown]
# If the two are of one size, the multiplications came for free. (If the product is faster, it used several cores; a sum uses one.) Our own model is too small for this rule: its weights may stay in the processor's cache, and each call of NumPy takes longer than the reading.
#
# ## More machines than one
#
# And the other way: not smaller, but more. The plainest is **data parallel**. Every GPU holds the whole model, each takes a part of the batch, and before the step they average their gradients. Does that learn the same? By hand, with two halves of four rows:

# %% tags=["walkthrough"]
batch = torch.tensor([told[:129] for told in texts[:4]])


def gradient(rows):
    """All gradients of the mean loss of some rows, in one long vector."""
    model.zero_grad()
    cross_entropy(model(rows[:, :-1]), rows[:, 1:]).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


together = gradient(batch)
first, second, three, one = (gradient(part) for part in (batch[:2], batch[2:], batch[:3], batch[3:]))
ways = {"halves, averaged": (first + second) / 2, "3 rows and 1, averaged": (three + one) / 2,
        "3 rows and 1, by rows": (3 * three + one) / 4, "one half alone": first}
for name, found in ways.items():
    off = ((found - together).norm() / together.norm()).item()
    print(f"{name:23} off by {'rounding only' if off < 1e-5 else f'{off:.0%}'}")
    assert (off < 1e-5) == (name in ("halves, averaged", "3 rows and 1, by rows"))

# %% [markdown]
# The mean of the halves *is* the gradient of the whole, up to rounding. (98 % is no error: at the end of a training different stories pull in different directions.) Shares must be equal, or weighted by their rows: exercise 06.5 again, in several places at once.
#
# How do n GPUs average what each holds? If all send to one, that one's wire is the bottleneck. Better in a **ring**: cut the vector into n chunks. Each GPU hands one to its neighbour, which adds its own, until every chunk has been everywhere; then the sums go round once more.

# %%
def ring_mean(vectors):
    """Average by neighbours only; return all copies of the mean, and the bytes that each sent."""
    n, sent = len(vectors), 0
    chunks = [np.array_split(vector.copy(), n) for vector in vectors]
    for step in range(2 * (n - 1)):
        moving = [(rank, (rank - step) % n) for rank in range(n)]  # rank: which GPU
        parcels = [chunks[rank][place].copy() for rank, place in moving]  # all at the same time
        for (rank, place), parcel in zip(moving, parcels):
            there = chunks[(rank + 1) % n]
            there[place] = there[place] + parcel if step < n - 1 else parcel
            sent += parcel.nbytes
    return [np.concatenate(parts) / n for parts in chunks], sent / n


quarters = [gradient(batch[i : i + 1]).numpy() for i in range(4)]
copies, sent = ring_mean(quarters)
print("all four hold the mean:", all(np.allclose(copy, together, atol=1e-6) for copy in copies))
print(f"each sent {sent / quarters[0].nbytes:.2f} times the bytes of its gradients, {sent / 1e6:.1f} MB")
assert sent == 1.5 * quarters[0].nbytes and np.allclose(copies[3], together, atol=1e-6)

# %% [markdown]
# 2(n - 1)/n times the gradients: one and a half times for four GPUs, never more than twice. So computing shrinks with n, and sending does not.

# %% exercise="13.5"

# %% tags=["walkthrough"]
N, TOKENS, RATE = 1e8, 2**19, 0.4 * 312e12  # half a million tokens a step; A100s at 40 % of their peak
n = 2 ** np.arange(8)
curves, wires = {}, {"10 gigabits a second": 1.25e9, "100 gigabits": 12.5e9, "2,400 gigabits": 3e11}
for name, wire in wires.items():
    step = 6 * N * TOKENS / RATE / n + 2 * (n - 1) / n * 4 * N / wire
    curves[name] = step[0] / step
fig, ax = plt.subplots(figsize=(8.5, 4.2))
plots.lines(ax, n, curves, "GPUs", "times as fast as one")
ax.plot(n, n, color=plots.GREY, linestyle=plots.DASHES, linewidth=1)
ax.set(xscale="log", yscale="log", xlim=(1, 700), ylim=(0.8, 200), xticks=n, xticklabels=n)
ax.minorticks_off()
ax.set_title("Over a slow wire 128 GPUs are not four times as fast as one")
told = "; ".join(f"{name}: {of[-1]:.1f} times with 128" for name, of in curves.items())
plots.show(fig, alt=f"Speed-up against the number of GPUs, three wires. {told}. Dashed: n times with n.")
limits = [network_limit(size, TOKENS, RATE, 1.25e9, 4) for size in (1e8, 1e9)]
print(f"half a step is sending at {limits[0]:.1f} GPUs; with ten times the model at {limits[1]:.1f}")
assert curves["10 gigabits a second"][-1] < 4 and math.isclose(*limits)

# %% [markdown]
# *Figure 5. Arithmetic again, with float32 gradients; the wires are two common networks and, in round numbers, the links between the cards of one machine, of which there are some eight: beyond that the green line is wishful. Dashed: as many times as fast as there are GPUs. Real programs send the first gradients while the last are computed, which at best halves a step.*
#
# Over ten gigabits a second the gain ends below four, however many GPUs one buys. The size of the model cancels. What helps is a faster wire, fewer bytes a gradient, or more tokens a step, as far as learning allows. A model that does not fit on one GPU has its tensors split as well (FSDP, `--shard`). Both are in `minilm.distributed`, and started by **torchrun**, which runs one process for each device:
#
# ```sh
# torchrun --nproc-per-node 4 -m minilm.cli train --corpus tinystories --batch-size 64 --max-steps 20000 --out runs/four
# ```
#
# Tested: two processes on CPUs take the steps of one. With GPUs, or on several machines, it has not been run.
#
# What would it cost? Chapter 11's bill, with every assumption in sight. A hundred million parameters want two billion tokens by Chinchilla's rule; TinyStories has about half a billion, so four readings (08.5: nearly as good as fresh). How much of its peak a GPU reaches is the great unknown: 40 % for large models and good code; some 4 % in a public training of CS336's small model, if its card was an H100 (chapter 08: 17 minutes, where two would do at 30 %).

# %% tags=["walkthrough"]
plans = {name: (sum(scaling.count_params(plan.model).values()), plan.training.max_tokens)
         for name, plan in reproductions.REPRODUCTIONS.items() if name in ("cs336", "stories15M")}
plans["100M, four readings"] = (1e8, 2e9)
A100 = {share: [scaling.Hardware(peak_flops=312e12, utilisation=share, watts=400, price_per_hour=price)
                for price in (1.0, 4.0)] for share in (0.4, 0.04)}
tiny = runs.read_record(FOLDER)
done = scaling.training_flops(tiny["n_params"], tiny["result"]["n_tokens"])
ours_a_second = done / tiny["result"]["seconds"]


def span(low, high):
    """Two numbers, roughly."""
    return f"{float(f'{low:.1g}'):g} to {float(f'{high:.2g}'):g}"


rows = []
for name, (n_params, n_tokens) in plans.items():
    flops = scaling.training_flops(n_params, n_tokens)
    low, high = A100[0.4][0].cost(flops), A100[0.04][1].cost(flops)
    rows.append({"training": name, "operations": f"{flops:.1e}",
                 "hours of an A100": span(low["hours"], high["hours"]),
                 "kWh": span(low["kwh"], high["kwh"]),
                 "dollars": span(low["money"], high["money"]),
                 "days on our two cores": f"{flops / ours_a_second / 86400:,.0f}"})
plots.show_table(rows)
assert 2 < low["hours"] < 3 and 25 < high["hours"] < 30 and 100 < flops / ours_a_second / 86400 < 150

# %% [markdown]
# *Operations are $6ND$, table included. Assumed: an A100's 312 teraFLOPS, of them 4 to 40 %, 400 watts and a tenth for cooling, 1 to 4 dollars an hour; two cores as in the training of the shipped model. Trial runs are not counted.*
#
# (That two rows are alike is chance: by our plan, which fills in what is not published, stories15M reads 860 tokens for each parameter.) What would take our two cores four months is a matter of three hours to a day on one rented card. Its memory suffices: in training a hundred million parameters take 1.6 GB (weights, gradients and AdamW's two averages, four bytes each) and what the batch needs. So you need no second card; and before you rent the first, write down what you expect.
#
# ## A card goes along
#
# Weights tell nobody what they are for. `export_hf` puts a card beside them, README.md, made from the one that a training leaves:

# %%
card = (FOLDER / "card.md").read_text(encoding="utf-8")
folder = export.export_hf(model, tokenizer, f"{OUT.name}/with_card", card=card)
written = (folder / "README.md").read_text(encoding="utf-8")
for line in written.splitlines():
    if line.startswith(("#", "| data", "| training", "| validation", "It ", "Do not")):
        print(line)
dice = np.random.default_rng(0)
drawn = whole[dice.integers(len(whole), size=(10_000, len(whole)))].mean(axis=1)
low, high = np.percentile(drawn, [2.5, 97.5])
print(f"\nfor these twelve stories: {whole.mean():.3f} bits per byte, 95 % from {low:.3f} to {high:.3f}")
assert all(word in written for word in ("data", "validation", "Limits", "Do not use"))

# %% [markdown]
# The card's own number is of two million bytes, so surer than that of twelve stories; its interval is yours to add.
#
# What must be on a card: what it read, and under which licence; how it was trained, so that it can be done again; numbers with their unit, their text and an interval; what it cannot do; what it must not be used for. Ours knows toy stories, and whoever asks it for advice gets a story; say so.
#
# ## The end of the course
#
# You have built a tokenizer, a transformer, its training, its sampling, its exams and its bill, each compared with something independent; and it runs without PyTorch.
#
# And the claim, that good data and the right balance of size and reading beat sheer size? *Balance* you have tested and found: for each budget that we tried there is a best size, and a small, long-trained model is the cheaper one in use (chapters 10 and 11). *Narrow* text makes tiny models fluent in a world of its own (chapter 08), and in a foreign one they mostly guess (chapter 09). *Good data*: with equal operations David beat Goliath, first by being small, last by his text; with equal tokens he lost (chapter 12).
#
# Where next, if you liked
#
# - **building**: read nanoGPT and llama2.c from end to end. Then run `minilm reproduce cs336` on a rented GPU; we could not.
# - **measuring**: repeat one figure of this course with your own text, five seeds, and a forecast written down before.
# - **a question that this chapter leaves**: at equal bytes, is a large model in few bits better than a small one in many? You have the ladder, the rounding and the judge.
#
# ## What we know now
#
# - A safetensors file is a length, a list and numbers. A pickle is a program.
# - NumPy alone, and a reader of llama2.c's file, wrote the greedy story of PyTorch token by token; `transformers` gave the same logits.
# - Rows of queries and keys in the wrong order crashed nothing, and brought 0.34 bits per byte to 1.86.
# - On our model eight and six bits in groups were nearly free; four added 3 to 5 % to the loss, three 20 % and more, two made nonsense. At four bits one scale a matrix added eighty times what groups of 16 did; for their bytes, of the three sizes tried, groups of 64 were best.
# - Bytes of weights and the memory's speed bound the tokens a second of one text.
# - The mean of equal shares' gradients is the batch's gradient. In a ring each GPU sends less than twice its gradients, and how many GPUs are worth their price depends on the wire, the tokens of a step and the GPUs' speed, not on the model's size.

# %% quiz="13"

# %% [markdown]
# ## Sources
#
# - Hugging Face, *safetensors* and *transformers*: the format, and the folder.
# - Karpathy, *llama2.c*, 2023: its files, and its C programs. *GGUF* and *llama.cpp*: the description `docs/gguf.md` in the repository ggml; `docs/android.md` in llama.cpp.
# - Jacob et al., *Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference*, 2017, arXiv 1712.05877.
# - Frantar et al., *GPTQ*, 2022, arXiv 2210.17323; Lin et al., *AWQ*, 2023, arXiv 2306.00978: rounding that looks at data.
# - Li et al., *PyTorch Distributed*, 2020, arXiv 2006.15704; Zhao et al., *PyTorch FSDP*, 2023, arXiv 2304.11277. Patarasuk and Yuan, *Bandwidth optimal all-reduce algorithms for clusters of workstations*, 2009: the ring.
# - Mitchell et al., *Model Cards for Model Reporting*, 2018, arXiv 1810.03993.
# - Peaks, memory speeds and watts: `data/published/accelerator_peaks.csv`, each row with its source. What each format weighs and costs: `data/runs/benchmarks/export.json`, shown in docs/RESULTS.md.

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | the file, figure 1 | What is in it? | Why no pickle? |
# | 3 | the story without PyTorch | What is gone? | Is "the same words" a proof? |
# | 5 | a head of 4; forgotten | Crash, stammer, or write? | What would have found it? |
# | 8 | figure 2 | How many weights survive? | What would groups do? |
# | 11 | the table, figure 3 | 4 bits, one scale: how much is lost? | First bits or first groups? |
# | 14 | figure 4 | How fast on a phone? | What does the bound leave out? |
# | 16 | two halves of a batch | Is the mean the same? | And with 3 rows and 1? |
# | 18 | figure 5, the bill | 128 GPUs: how many times as fast? | What would you train? |
#
# Homework: 13.3 and 13.5; the card of a model of their own.
# </details>
