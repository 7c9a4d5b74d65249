# %% [markdown]
# # 02 · How does text become numbers?
#
# A transformer does arithmetic. It never sees a letter: it sees a row of whole numbers, the *token ids*, and it answers with numbers. Something has to
# turn your sentence into that row, and the answer into text again. It matters: it decides how many ids a text takes, what a word costs, which languages pay
# more, and even why a model trips over a blank at the end of your prompt.
#
# You will build that something by hand: a byte-level **BPE tokenizer** (byte-pair encoding), the kind that GPT-2, GPT-4 and LLaMA 3 use. By the end you will
#
# - have written its five functions: count, merge, learn, encode, decode;
# - have seen the whole of it agree with OpenAI's `tiktoken` and Hugging Face's `tokenizers`, id for id;
# - know what a vocabulary costs a small model, from models that were trained to find out;
# - have met tokens that stand in a model's vocabulary although it has never seen them.
#
# **Time:** about 85 minutes, 50 of them for the exercises. **You need:** Python lists and dictionaries. Chapter 00 is helpful; chapter 01 is not needed.

# %%
import csv
from collections import Counter, defaultdict
from itertools import islice
from time import perf_counter

import ipywidgets
import matplotlib.pyplot as plt
import regex
import torch
from IPython.display import display

from minilm import plots, widgets
from minilm.checkpoint import load_model
from minilm.config import DATA, MODELS
from minilm.course import check, quiz
from minilm.storyworld import stories
from minilm.tokenizer import END_OF_TEXT, GPT4_PATTERN, learn_merges, train_tokenizer

plt.rcParams.update(plots.STYLE)

# %% [markdown]
# ## Text is bytes already
#
# On disk a text is a row of **bytes**, numbers from 0 to 255, by the rules of UTF-8. So text *is* numbers, and we could stop here.
#
# **Predict.** How many bytes does `crêpe 🐟` have? It has seven characters.

# %% tags=["walkthrough"]
word = "crêpe 🐟"
plots.show_table([
    {"character": letter, "code point": f"U+{ord(letter):04X}",
     "bytes": " ".join(str(byte) for byte in letter.encode())}
    for letter in word
])
assert len(word) == 7 and len(word.encode()) == 11

# %% [markdown]
# Eleven. A character is not a byte: plain English letters and the blank (the space between words) take one, `ê` takes two, the fish four. (The *code point* is the character's number in Unicode's list; UTF-8 is one way to
# write such numbers as bytes.)
#
# Bytes have one great merit: 256 ids suffice for every text there is, in every script, and no word is unknown. They have one great fault, too: a story becomes very long. A
# model looks back over a limited number of ids, its *window*, and pays for every one; at one byte each, most of its effort goes into spelling.
#
# The opposite, one id for each word, makes short rows, but there is always a word that is not on the list. Byte-pair encoding takes
# the middle road: **start from bytes, and give frequent neighbours an id of their own.**

# %% [markdown]
# ## By hand, on one line
#
# Here is a line to work on. Look for the pair of neighbouring characters that occurs most often, with paper and pencil.

# %% tags=["walkthrough"]
line = "she sells fish and the fish she sells is fresh"
ids = list(line.encode())
print(len(ids), "bytes:", ids[:12], "...")

# %% exercise="02.1"

# %% tags=["walkthrough"]
for (left, right), count in sorted(count_pairs(ids).items(), key=lambda item: -item[1])[:5]:
    print(f"{chr(left) + chr(right)!r}: {count} times")
assert count_pairs(ids)[ord("s"), ord("h")] == 5

# %% [markdown]
# `sh` wins, with five. (The blank is a byte like any other, so `s` and the blank after it are a pair too.) We give `sh` the first free number, 256, and put that in its place wherever it stands. The piece of text that an id stands for is called a **token**.

# %% exercise="02.2"

# %% [markdown]
# (And `[5, 5, 5]` gives `[9, 5]`: from left to right, the third five finds no partner.) Repeat: count, merge the winner, count again, now with 256 as an id among the others. That is the whole method. A pair that has become one id is called a **merge**, and all tokens together are the **vocabulary**. If two pairs are equally frequent
# we need a rule; any will do, as long as it is always the same. Ours: the pair with the greater bytes goes first.

# %% tags=["walkthrough"]
vocab = {i: bytes([i]) for i in range(256)}
rows, told = [ids], []
for new_id in range(256, 268):
    pairs = count_pairs(rows[-1])
    best = max(pairs, key=lambda pair: (pairs[pair], vocab[pair[0]], vocab[pair[1]]))
    vocab[new_id] = vocab[best[0]] + vocab[best[1]]
    rows.append(merge_pair(rows[-1], best, new_id))
    told.append(f"{vocab[best[0]].decode()!r} + {vocab[best[1]].decode()!r}, {pairs[best]} times")
pieces = [[vocab[i].decode() for i in row] for row in rows]
assert [len(row) for row in rows[:3]] == [46, 41, 38] and "".join(pieces[-1]) == line

# %%
fig, ax = plt.subplots(figsize=(8, 3.2))
plots.token_boxes(ax, {f"after {step}": pieces[step] for step in (0, 1, 4, 8, 12)})
ax.set_title(f"Twelve merges turn {len(rows[0])} ids into {len(rows[-1])}")
plots.show(fig, alt=(
    "The line 'she sells fish and the fish she sells is fresh' in boxes, one box for each id, after "
    f"0, 1, 4, 8 and 12 merges: {len(rows[0])} boxes at first, {len(rows[-1])} at the end, among them "
    "whole words with their blanks, such as 'fish'."
))

# %% [markdown]
# *Figure 1. The line after 0 to 12 merges. One box is one id, the same id has the same colour, and a dot stands for a blank.*
#
# **Predict** the first three merges before you press the button. (After that most are ties, and the rule decides.) And which of the new tokens would you not want to keep?

# %%
def page(step):
    """The line after some merges, and what the last of them was, as HTML."""
    last = f"Merge {step} made {told[step - 1]}." if step else "Bytes only: every letter is an id."
    return f"{widgets.token_html(pieces[step])}<p>{len(rows[step])} ids. {last}</p>"


display(widgets.stepper(page, len(told), "merges"))

# %% [markdown]
# ## Words first
#
# Look at the last row of figure 1: `she sells ` with both its blanks is one id. On real text that gets out of hand. We learn 300 merges from 100 stories, each story one
# long line, and print those that hold parts of two words, or marks with something stuck to them (it takes a few seconds):

# %% tags=["walkthrough"]
tales = list(islice(stories("chapter 02"), 1000))
few = Counter(tales[:100])
crossing = [merge.token.decode() for merge in islice(learn_merges(few), 300)]
mixed = [token for token in crossing if len(regex.findall(r"\p{L}+|[^\p{L}\s]", token)) > 1]
print(f"{len(mixed)} of 300:", mixed)
assert len(mixed) > 20

# %% [markdown]
# Such tokens take places in the vocabulary from words. The cure, since GPT-2: first cut the text into **pre-tokens**, about a word each, by
# a fixed pattern, and let no token cross a cut. A simple pattern would be: letters with the blank before them, or digits, or marks, or blanks. We use GPT-4's, which is of this kind with more rules: a word may take one
# blank or one mark with it, numbers go in threes without a blank, `'s` and `'t` stand alone.

# %%
text = "Mia's dog ran.  It didn't stop! 1234567 crêpes\n"
simple = r" ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+"
for name, pattern in {"simple": simple, "GPT-4": GPT4_PATTERN}.items():
    print(f"{name:7}", regex.findall(pattern, text))
    assert "".join(regex.findall(pattern, text)) == text

# %% [markdown]
# Nothing is lost: joined, the pre-tokens are the text again. The blank goes *in front of* its word. So ` dog` in the middle of a sentence and `dog` at the
# beginning of one are different pre-tokens, and will have different ids. Remember that blank; it comes back as a trap.
#
# There is a second gain. A text repeats its words: it is enough to look at every *different* pre-token once, and to remember how often it occurs.

# %% tags=["walkthrough"]
counts = Counter(token for tale in tales for token in regex.findall(GPT4_PATTERN, tale))
print(f"{sum(counts.values()):,} pre-tokens, {len(counts):,} different:", counts.most_common(6))

# %% exercise="02.3"

# %% tags=["walkthrough"]
merges = learn(counts, 100)
vocab = [bytes([i]) for i in range(256)]
for left, right in merges:
    vocab.append(vocab[left] + vocab[right])
print([token.decode() for token in vocab[256:296]])
assert vocab[256:] == [merge.token for merge in islice(learn_merges(counts), 100)]

# %% [markdown]
# First come pairs of letters, then endings and small words; longer words come later. We made the cuts; it found the pieces by itself, by counting.
#
# ## From naive to fast
#
# How much work is a merge? Let us count it, in ids looked at, for three ways of learning the same merges:
#
# 1. **naive:** scan the whole text for every merge, as we did with the line;
# 2. **words:** scan every different word once, as your `learn` does;
# 3. **index:** also keep, for every pair, the list of words that hold it; then a merge touches only those, and the counts of all other pairs stay as they are.
#
# **Predict:** by what factor does each step help, on these thousand stories?

# %%
words = {tuple(word.encode()): n for word, n in counts.items()}
work = defaultdict(list)
for new_id, pair in enumerate(merges, start=256):
    work["naive"].append(sum(len(ids) * n for ids, n in words.items()))
    work["words"].append(sum(map(len, words)))
    work["index"].append(sum(len(ids) for ids in words if pair in zip(ids, ids[1:])))
    words = {tuple(merge_pair(ids, pair, new_id)): n for ids, n in words.items()}
fig, ax = plt.subplots(figsize=(7.5, 3.8))
plots.work_per_merge(ax, work)
gain = sum(work["naive"]) / sum(work["index"])
ax.set_title(f"Two ideas save {1 - 1 / gain:.2%} of the work")
print(f"words help {sum(work['naive']) / sum(work['words']):.0f} times, "
      f"the index another {sum(work['words']) / sum(work['index']):.0f}")
plots.show(fig, alt=(
    f"Ids looked at for each of 100 merges, on a logarithmic axis. Naive: from {work['naive'][0]:,} "
    f"slowly down to {work['naive'][-1]:,}. Words: about {work['words'][50]:,}. Index: jumping between "
    f"a few and {max(work['index']):,}."
))
assert sum(work["naive"]) > 20 * sum(work["words"]) > 100 * sum(work["index"])

# %% [markdown]
# *Figure 2. Learning the first hundred merges from a thousand stories; the first count is not in it. The dips are merges that touch only a few words, such as those that finish a frequent one.*
#
# About forty times, and forty times again. But ids looked at are not seconds, so time all three on your machine. (Times differ from one computer to the next; the printed course leaves this cell empty.)

# %% tags=["machine"]
few_rows = [list(tale.encode()) for tale in tales[:10]]
start = perf_counter()
for new_id in range(256, 266):
    row_pairs = Counter(pair for row in few_rows for pair in zip(row, row[1:]))
    best = max(row_pairs, key=row_pairs.get)
    few_rows = [merge_pair(row, best, new_id) for row in few_rows]
naive = (perf_counter() - start) / 10 / 10 * len(tales)
start = perf_counter()
learn(counts, 50)
by_words = (perf_counter() - start) / 50
start = perf_counter()
list(islice(learn_merges(counts), 50))
by_index = (perf_counter() - start) / 50
plots.show_table([
    {"way": "naive, scaled up from ten stories", "milliseconds for a merge": f"{1000 * naive:.0f}"},
    {"way": "words: learn", "milliseconds for a merge": f"{1000 * by_words:.1f}"},
    {"way": "index: minilm", "milliseconds for a merge": f"{1000 * by_index:.2f}"},
])

# %% [markdown]
# `minilm.tokenizer` does the third, keeps the pairs in a *heap* (a list that always has its greatest entry in front), and counts pre-tokens in two processes. With that, plain Python learns
# 4,096 ids from 14 MB of TinyStories in 1.7 seconds on two cores, half the time that Hugging Face's library takes, which is written in Rust (`docs/RESULTS.md` has machine and method).
#
# ## Encode
#
# Training is over; a new text arrives. **Predict:** how many ids will `shellfish` take, with our hundred merges?

# %% exercise="02.4"

# %% tags=["walkthrough"]
for word in ("shellfish", " princess", " xylophone", "crêpe", " was"):
    encoded = encode_word(word, merges)
    print(f"{word!r:13} {len(word.encode())} bytes, {len(encoded)} ids:", [vocab[i] for i in encoded])

# %% [markdown]
# A hundred merges are few, so most words come in pieces, at worst byte by byte; real tokenizers have thousands, and need only one id for most of the frequent words. But whatever comes, there is no unknown word.
# To encode a whole text, cut it by the pattern and encode each piece:

# %%
def encode(text, merges):
    """Turn a text into ids."""
    return [i for piece in regex.findall(GPT4_PATTERN, text) for i in encode_word(piece, merges)]


print(encode("Mia's dog", merges))

# %% [markdown]
# Many people believe that such a tokenizer looks for the longest token that fits, from left to right. (Some do; byte-pair encoding does not.) Here is a case where that matters. Merges were learned in this order:
# `b`+`c`, then `a`+`b`. The text is `abc`.

# %%
order = [(98, 99), (97, 98)]
names = [bytes([i]) for i in range(256)] + [b"bc", b"ab"]


def longest_first(rest):
    """Cut bytes into tokens from the left, always the longest that fits."""
    tokens = []
    while rest:
        tokens.append(max(filter(rest.startswith, names), key=len))
        rest = rest[len(tokens[-1]):]
    return tokens


print("in order of learning:", [names[i] for i in encode_word("abc", order)])
print("longest first:       ", longest_first(b"abc"))
assert encode_word("abc", order) == [97, 256] and longest_first(b"abc") == [b"ab", b"c"]

# %% [markdown]
# Both spell the same text. But the model was trained on the first kind, and to feed it the second is to speak to it with an accent.
#
# ## Decode

# %% exercise="02.5"

# %%
for some in ([195], [170], [195, 170], encode_word("🐟", merges)[:3]):
    print(some, repr(decode(some, merges)))
for tale in tales[:50]:
    assert decode(encode(tale, merges), merges) == tale

# %% [markdown]
# Fifty stories came back unharmed: encoding loses nothing. The other way round is not as safe, for not every row of ids is the encoding of a text.
#
# ## Special tokens
#
# Stories stand one after the other in the training text, and the model must learn where one ends. For that there is one more id, which no merge can make: a **special token**,
# `<|endoftext|>`. And here is a trap: what if those thirteen characters occur in a text that somebody *typed*?

# %% tags=["walkthrough"]
tokenizer = train_tokenizer(tales, 2048)
typed = f"The end.{END_OF_TEXT}"
print("as text:   ", [tokenizer.decode([i]) for i in tokenizer.encode(typed)])
print("as a mark: ", [tokenizer.decode([i]) for i in tokenizer.encode(typed, allow_special=True)])
assert tokenizer.end_of_text not in tokenizer.encode(typed)
assert tokenizer.end_of_text == tokenizer.encode(typed, allow_special=True)[-1]

# %% [markdown]
# By default the typed characters are text like any other. If they became the mark, anyone could end a conversation, or put words into the mouth of
# another speaker, just by typing: a hole that real chat programs have had to close.
#
# ## Does it agree with the others?
#
# Your `encode_word` and `decode` passed their checks against `tiktoken`. Now the whole thing: `minilm.tokenizer`, with the same pattern, the same merges and 2,048 ids, against `tiktoken` and Hugging Face's
# `tokenizers`. Theirs are given our merges and must make the same ids of everything.

# %% tags=["walkthrough"]
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
hidden = [byte for byte in range(256) if byte not in printable]
letter = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(hidden)}


def visible(token):
    """Write bytes as Hugging Face does: each as one letter that can be seen."""
    return "".join(letter[byte] for byte in token)


theirs = Tokenizer(models.BPE(
    vocab={visible(token): i for i, token in enumerate(tokenizer.vocab[:-1])},
    merges=[(visible(left), visible(right)) for left, right in tokenizer.merges],
))
# (Their engine reads the last plus of {1,3}+ as "again and again"; without it both mean the same.)
theirs.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Split(Regex(GPT4_PATTERN.replace("{1,3}+", "{1,3}")), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
])

# %% tags=["nbval-check-output", "walkthrough"]
tiktoken = tokenizer.to_tiktoken()
tricky = ["", "  two  blanks ", "MIA'S\r\n\n\tdog…", "1234567", "crêpe 🐟👩‍👧", "昔々", END_OF_TEXT]
n_ids = n_different = 0
for text in tales + tricky:
    ours = tokenizer.encode(text)
    n_ids += len(ours)
    n_different += not (ours == tiktoken.encode_ordinary(text) == theirs.encode(text).ids)
print(f"{len(tales) + len(tricky):,} texts, {n_ids:,} ids: {n_different} texts differ")
assert n_different == 0

# %% [markdown]
# From here on the course imports `minilm.tokenizer`: it does what you wrote, faster.
#
# ## What does a vocabulary cost?
#
# How many ids should there be? A larger vocabulary makes longer tokens: fewer steps for the same story, and a window that reaches further. But for every id the model keeps a row of numbers, the id's **embedding**; all rows together are its *embedding table*. In a
# giant that is small change. In a model of a million parameters it is not.

# %% exercise="02.6"

# %% [markdown]
# To see both sides we trained the same *body* (all but the table, 787,584 parameters) with six vocabularies, from bare bytes (257 ids, one of them for the end of a text) to 8,192, each with the same amount of
# *computation*: 1.5 × 10¹³ operations, some minutes on one core. Two corpora, two seeds each. The records are in `data/runs/vocabulary`; the command is in them.

# %% tags=["walkthrough"]
with open(DATA / "runs" / "vocabulary" / "runs.csv", encoding="utf-8", newline="") as file:
    runs = [
        {"corpus": row["corpus"], "vocab_size": int(row["vocab_size"]),
         "bits_per_byte": float(row["valid_bits_per_byte"]),
         "nats_per_token": float(row["valid_nats_per_token"]), "n_tokens": int(row["n_tokens"]),
         "bytes_per_token": int(row["valid_n_bytes"]) / int(row["valid_n_tokens"]),
         "table_share": 1 - int(row["n_params_without_embeddings"]) / int(row["n_params"])}
        for row in csv.DictReader(file)
    ]
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8))
plots.by_vocabulary(axes[0], runs, "bytes_per_token", "bytes in a token")
shares = [run | {"corpus": "both"} for run in runs]
plots.by_vocabulary(axes[1], shares, "table_share", "share of the embedding table")
fig.suptitle("Tokens grow ever more slowly, the table ever faster", x=0.02, ha="left", weight="bold")
fig.tight_layout()
plots.show(fig, alt=(
    "Left: bytes in a token against vocabulary size. From 1 with bare bytes the curves rise to about "
    "3.6 at 2,048 ids and then flatten, to 4.2 at 8,192. Right: the share of parameters in the "
    "embedding table, from 4 per cent with 257 ids to 57 per cent with 8,192, ever faster."
))

# %% [markdown]
# *Figure 3. What a token carries, on stories kept apart, and what its table takes. Vocabulary sizes double from mark to mark.*
#
# For whom is a vocabulary expensive? Try other shapes. The *width* is the length of a row of the table; the body is made of *layers*, all alike (chapter 05).

# %%
sizes = [2**k for k in range(8, 18)]
shape_fig, shape_ax = plt.subplots(figsize=(7.5, 3.6))
bars = plots.table_and_body(shape_ax, sizes, d_model=128, n_layers=4)
shape_ax.set_title("Width 128, 4 layers: half is table from 8,192 ids on")
plots.show(shape_fig, alt=(
    "Bars of parameters for vocabularies from 256 to 131,072 ids, with a body of width 128 and 4 "
    "layers: body and embedding table as shares. The table is 4 per cent at 256 ids and 95 at 131,072."
))

# %%
def reshape(d_model, n_layers):
    """Redraw the bars for another shape, and say where half is reached."""
    shares = plots.set_table_and_body(bars, sizes, d_model, n_layers)
    half = next((f"{size:,}" for size, share in zip(sizes, shares) if share > 0.5), None)
    said = f"half is table from {half} ids on" if half else "the table stays the smaller part"
    shape_ax.set_title(f"Width {d_model}, {n_layers} layers: {said}")
    return (f"With width {d_model} and {n_layers} layers {said}. "
            "(GPT-2 small: width 768, 12 layers, 50,257 ids.)")


shapes = [64, 128, 256, 512, 768, 1024, 2048, 4096]
widths = ipywidgets.SelectionSlider(options=shapes, value=128, description="width")
layers = ipywidgets.IntSlider(value=4, min=1, max=48, description="layers")
display(widgets.live_figure(shape_fig, reshape, d_model=widths, n_layers=layers))

# %% [markdown]
# **Predict** before you scroll: with the same computation for all, which of the six vocabularies gives the best model of its kind?

# %% tags=["walkthrough"]
fig, ax = plt.subplots(figsize=(7.5, 4.2))
plots.by_vocabulary(ax, runs, "bits_per_byte", "bits per byte of unseen stories")
mean_bits = defaultdict(dict)
for corpus, size in sorted({(run["corpus"], run["vocab_size"]) for run in runs}):
    same = [run for run in runs if run["corpus"] == corpus and run["vocab_size"] == size]
    found = [run["bits_per_byte"] for run in same]
    mean_bits[corpus][size] = sum(found) / len(found)
best_size = {corpus: min(bits, key=bits.get) for corpus, bits in mean_bits.items()}
ax.set(title="At equal computation, neither the smallest nor the largest wins", ylim=(0.5, 1.4))
listed = [
    f"{corpus}: " + ", ".join(f"{bits[size]:.3f} with {size:,} ids" for size in bits) + "."
    for corpus, bits in mean_bits.items()
]
plots.show(fig, alt="Bits per byte against vocabulary size, for two corpora. " + " ".join(listed))
assert set(best_size.values()) == {4096}
two, four = (mean_bits["tinystories"][size] for size in (2048, 4096))
close = [r["bits_per_byte"] for r in runs if (r["corpus"], r["vocab_size"]) == ("tinystories", 2048)]
assert 0 < two - four < max(close) - min(close)
story_runs = [run for run in runs if run["corpus"] == "storyworld"]
plots.show_table([
    {"storyworld": f"{run['vocab_size']:,} ids",
     "MB read": f"{run['n_tokens'] * run['bytes_per_token'] / 1e6:.1f}",
     "bits per byte": f"{run['bits_per_byte']:.3f}", "nats per token": f"{run['nats_per_token']:.2f}"}
    for run in sorted(story_runs, key=lambda run: run["vocab_size"])
])

# %% [markdown]
# *Figure 4. The same body and the same computation for every model; each mark is one seed, the line their mean. Bits per byte (chapter 00): how surprised a model is by a text, in bits,
# divided by the bytes of the text; less is better.*
#
# Bare bytes are far behind: at one byte for each step such a model has read the least text (see the table), and its window of 256 ids is 256 letters long. At the other end the table grows faster than it helps: most of
# its rows belong to rare words, and each step costs more, since the model gives every id a score. The best of these sizes for this budget is 4,096; on TinyStories it cannot be told from 2,048, for the gap between the two is smaller than that between two seeds. A larger body
# can carry a larger table (try the slider again), so do not expect the same best size there. Only one body and one budget were measured here.
#
# Now look at the last column of the table. A *nat* is the unit of surprise that goes with the natural logarithm, 1.44 bits. Training counts its loss in nats per token. In that unit the
# bare bytes would look best of all: a letter is easier to guess than a word. (Bits per byte are nats per token × 1.44 ÷ bytes per token.) **Losses per token cannot be compared across tokenizers.** Bits per byte can.

# %% [markdown]
# ## Traps
#
# **Who pays?** Our tokenizer learned from English stories. The same sentence in other languages:

# %%
sentences = {
    "English": "Once upon a time a little girl lived in a house near the river.",
    "German": "Es war einmal ein kleines Mädchen, das in einem Haus am Fluss wohnte.",
    "Polish": "Dawno, dawno temu żyła dziewczynka, która mieszkała w domu nad rzeką.",
    "Greek": "Μια φορά κι έναν καιρό ζούσε ένα κοριτσάκι σε ένα σπίτι κοντά στο ποτάμι.",
    "Hindi": "एक समय की बात है, नदी के पास एक घर में एक छोटी लड़की रहती थी।",
    "Japanese": "むかしむかし、川のそばの家に小さな女の子が住んでいました。",
}
needed = {name: len(tokenizer.encode(text)) for name, text in sentences.items()}
in_bytes = {name: len(text.encode()) for name, text in sentences.items()}
fig, ax = plt.subplots(figsize=(7.5, 3.4))
plots.token_counts(ax, needed, in_bytes)
ax.set_title(f"The same sentence: {needed['English']} ids in English, {needed['Hindi']} in Hindi")
listed = ", ".join(f"{name} {needed[name]} ids of {in_bytes[name]} bytes" for name in needed)
plots.show(fig, alt=f"Bytes and ids of the same sentence: {listed}.")
assert needed["Greek"] == in_bytes["Greek"] and needed["Hindi"] == in_bytes["Hindi"]
assert 3 * needed["English"] < in_bytes["English"] and needed["German"] < in_bytes["German"]

# %% [markdown]
# *Figure 5. One sentence in six languages, by a tokenizer that has read only English: dark the ids, whose number is given, pale the bytes.*
#
# Two things add up: in other scripts a letter takes more bytes, and the merges learned from English do not apply. A script that the tokenizer has never read costs one id for each byte. Whoever pays by the token pays more, and less of the text fits into the window.
#
# **The blank at the end.** In chapter 00 we asked you not to end an opening with a blank. Here is why. We let the shipped storyworld model guess, once without the blank and once with it.

# %%
model, shipped = load_model(MODELS / "storyworld")


def guesses(ids, n=3):
    """The likeliest next tokens after a row of ids, with their probabilities."""
    with torch.no_grad():
        probs = model(torch.tensor([[shipped.end_of_text, *ids]]))[0, -1].softmax(dim=-1)
    return [f"{shipped.decode([i])!r} {p:.1%}" for p, i in zip(*(x.tolist() for x in probs.topk(n)))]


opening = "Once upon a time there was a little"
for prompt in (opening, opening + " "):
    prompt_ids = shipped.encode(prompt)
    print([shipped.decode([i]) for i in prompt_ids[-2:]], "→", guesses(prompt_ids))

# %% [markdown]
# Without the blank the model knows what to do. With it, the row of ids ends in a lone blank. Words bring their own blanks, so the model has seen a lone one almost only before pieces of rare words, and that is
# what it expects now.
#
# **Letters and digits.** A model does not see the letters in a token. To ask it how many `r` are in *strawberry* is to ask about the spelling of a number. And capitals, or digits, which are rare in stories for children, cost a
# token each:

# %%
for text in (" strawberry", "Strawberry", " STRAWBERRY", " 1234567"):
    print(f"{text!r:14}", [shipped.decode([i]) for i in shipped.encode(text)])

# %% [markdown]
# **Tokens that nobody ever saw.** In 2023 people found that GPT models behaved oddly when shown certain tokens, some of them names of web users: probably the tokenizer had learned from text that held them often, and the model from text that hardly did. Does
# our small model have such *glitch tokens*? Count how often each id occurs in fresh stories, and look at the length of its row in the table (the root of the sum of squares).

# %%
seen = Counter(i for tale in tales for i in shipped.encode(tale))
table = model.embed.weight.detach()
lengths = table.norm(dim=1)
never = [i for i in range(shipped.end_of_text) if i not in seen]
apart = [i for i in never if lengths[i] > 4.1]  # the flat line in the figure below
alike = torch.nn.functional.cosine_similarity(table[apart[0]], table[apart]).min().item()
fig, ax = plt.subplots(figsize=(7.5, 4))
plots.rows_by_frequency(ax, [seen[i] for i in range(len(table))], lengths.tolist())
ax.set_title(f"{len(apart)} tokens that never occur all have the same row")
plots.show(fig, alt=(
    "Length of each token's row in the embedding table against how often the token occurs in a thousand "
    f"stories. Tokens that occur: lengths from 1.2 to 3.7. Of the {len(never)} that do not, "
    f"{len(apart)} lie on one flat line at 4.2, above all others."
))
print(f"as alike as {alike:.3f} (1 is the same direction):", [shipped.decode([i]) for i in apart[-12:]])
assert alike > 0.98

# %% [markdown]
# *Figure 6. Each mark is a token of the shipped storyworld model. On the left stand the tokens that none of the thousand stories holds: most lie on one flat line, the others are only rare. (In the 40 MB that the model was trained on, the tokens of the flat line never occur, and all others do: `docs/LOG.md`.)*
#
# Where do they come from? `uitar` was needed to make ` guitar`. Since then ` guitar` has swallowed it, and it never stands alone again. A list of merges nearly always leaves such
# dead wood; and bytes that no English story uses are dead from the start.
#
# Why is their row the same? As *input* they never occurred, so they learned nothing. But the same table serves to score the next token, and at each of the 3,554 steps of training all tokens that did not come next were made a
# little less likely. For those that never came at all this was the only lesson, and the same lesson for all: their rows began random and short, and a
# common push, again and again, made them long and alike. So the model cannot tell them apart. Hand it three that
# have nothing in common, the beginning of a smile, the end of a lizard and half of an ñ:

# %%
start = shipped.encode(" He gave her a")
print(f"{'nothing':12}", guesses(start))
answers = []
for token in (b" smil", b"izard", "ñ".encode()[:1]):
    answers.append(guesses([*start, shipped.vocab.index(token)]))
    print(f"{token!r:12}", answers[-1])
assert answers[0] == answers[1] == answers[2]

# %% [markdown]
# Three different texts, and each time the same answer: no idea. The guesses are spread so thinly over the vocabulary that the likeliest gets 0.3 %, where it got 21 % without the strange token. What a model knows, it
# knows about *ids*, and of these it knows nothing.
#
# [Chapter 03](03_language_model.ipynb) shows what a language model does with ids.
#
# ## What we know now
#
# - A text is bytes; a tokenizer is a list of merges, in order; encoding repeats them, decoding joins bytes and only then reads letters.
# - Byte-level BPE can write every text and gets every text back. Ours gives the ids of `tiktoken` and of Hugging Face on every text tried.
# - Two ideas, counting words instead of text and an index of pairs, save almost all the work of learning.
# - For a body of 0.8 million parameters and this budget, bare bytes are worst and 4,096 ids best of six sizes (on TinyStories it cannot be told from 2,048, by what two seeds differ); with 8,192 the table is 57 % of the model, and the loss is worse.
# - Losses per token cannot be compared across tokenizers.
# - A blank at the end, a foreign script or an id that never occurred: what the model gets is not what a reader sees.

# %% quiz="02"

# %% [markdown]
# ## Sources
#
# - Sennrich, Haddow and Birch, *Neural Machine Translation of Rare Words with Subword Units*, 2015, arXiv 1508.07909: byte-pair encoding for words.
# - Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019 (GPT-2): bytes instead of letters, and the cut into pre-tokens.
# - `tiktoken`, OpenAI: the patterns of GPT-2 and GPT-4, as in its file `openai_public.py`.
# - Rumbelow and Watkins, *SolidGoldMagikarp*, 2023, an article on LessWrong: glitch tokens.
# - Our own: `data/runs/vocabulary` (figures 3 and 4), `docs/RESULTS.md` (speed).

# %% [markdown]
# <details><summary>For those who teach: a walkthrough in 20 minutes</summary>
#
# The cells tagged `walkthrough` run by themselves once the setup cell has run; the exercises' checks give the course's own functions.
#
# | minute | run | ask before | pause |
# |---:|---|---|---|
# | 0 | bytes of `crêpe 🐟` | How many bytes? | Which languages need more bytes for a letter? |
# | 3 | the line, and the count of its pairs | Which pair wins? Everyone votes. | Why may pairs overlap? |
# | 6 | twelve merges, and the stepper | What is the next merge? | Which tokens do you dislike? (leads to pre-tokens) |
# | 10 | 300 merges without cuts, then 100 with them | What will the tokens look like? | |
# | 13 | encode five words | How many ids for `shellfish`? | Longest token or first merge? |
# | 15 | parity | How many texts will differ? | What would convince you? |
# | 17 | figure 4 | Which vocabulary wins? | Why can nats per token not decide? |
#
# Homework: 02.3 and 02.5; figure 6 for discussion.
# </details>
