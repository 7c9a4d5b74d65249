"""Exercises and quiz of chapter 07: how does it write? The learner writes top-k with a temperature, top-p, a count of repeats and attention with a cache; loops and complex numbers are the judges."""

import math

import torch
import torch.nn.functional as F  # noqa: F401 (a wrong answer uses it)

from minilm.attention import apply_rope, rope_table
from minilm.course.exercise import Exercise, Question

cooler = Exercise(
    "07.1",
    "Half the temperature",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        At temperature 1 a model gives three tokens the probabilities 0.6, 0.3 and 0.1. What is the probability of the *second* at temperature ½, to three decimals? A constant added to all logits changes nothing in a softmax, so the logarithms of the probabilities
        will do as logits. Paper and pencil are enough: dividing a logarithm by ½ doubles it, and $e^{2 \\ln x}$ is $x^2$.
        """,
    hints=("Divide ln 0.6, ln 0.3 and ln 0.1 by ½ and take e to the power of each. What are the three numbers?",
           "They are 0.36, 0.09 and 0.01. They do not add up to one yet."),
    verified="against PyTorch's softmax",
    explanation="""
        0.09 / (0.36 + 0.09 + 0.01) = 0.196. A temperature T raises every probability to the power 1/T, and then all are divided by their sum. The first token gets 78 %, the third 2 %. The order stays as it was.
        """,
    tolerance=0.01,
    stub="cooler = ...  # a probability, between 0 and 1",
    solution="cooler = 0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)",
)  # fmt: skip
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.3**2", "you forgot the last step of a softmax: divide by the sum of all three, so that they add up to one.")
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.3**0.5 / (0.6**0.5 + 0.3**0.5 + 0.1**0.5)", "you went the wrong way: that is temperature 2. Dividing by ½ doubles.")
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.3", "nothing has changed. Did you divide the *probabilities* by the temperature? Then dividing by their sum undoes it. It is the logits that are divided.")
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.15", "you halved the probability. It is the logits that are divided, and by ½: they double.")
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.6", "you doubled the probability. It is the logarithm that doubles: the probability is squared, and then divided by the sum.")
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.2", "you rounded too much: give three decimals.")
cooler.wrong("0.3**2 / (", "100 * 0.3**2 / (", "that is in per cent. A probability lies between 0 and 1.")
cooler.wrong("0.3**2 / (0.6**2 + 0.3**2 + 0.1**2)", "0.6**2 / (0.6**2 + 0.3**2 + 0.1**2)", "that is the first token. The second was asked for.")


@cooler.expected
def _():
    logits = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64).log()
    return float((logits / 0.5).softmax(dim=0)[1])


def _normal(seed: int, *shape: int) -> torch.Tensor:
    """Normal numbers, always the same for a seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


top_k_probs = Exercise(
    "07.2",
    "Temperature and top-k",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Turn logits into the probabilities to draw from: divide the logits by the temperature, keep the `k` largest, and make probabilities of these. All others get 0. No two logits will be equal, and the temperature is above 0.
        """,
    hints=("`logits.topk(k).values` are the k largest, the largest first. Which of them is the bar that a token must reach to be kept?",
           "As in chapter 04: fill with minus infinity wherever `scaled < bar`, and then `.softmax(dim=-1)`."),
    verified="two to thirty tokens, from one kept to all kept, very cold and very hot, and 15 random draws, against a loop over sorted Python floats",
    explanation="""
        Minus infinity before the softmax, and the rest adds up to one by itself. PyTorch's `softmax` subtracts the largest logit first, so that nothing overflows: at temperature 0.1 a logit of 10 is 100, and $e^{100}$ is more than a 32-bit number can hold.
        """,
    tolerance=1e-4,
)  # fmt: skip


@top_k_probs.stub
def top_k_probs(logits, temperature, k):
    """From logits (V,): probabilities (V,) of the k likeliest tokens at a temperature, 0 elsewhere."""
    # 1. divide by the temperature
    # 2. the k-th largest is the bar; what lies below becomes -inf
    # 3. softmax
    raise NotImplementedError


@top_k_probs.solution
def top_k_probs(logits, temperature, k):
    scaled = logits / temperature
    bar = scaled.topk(k).values[-1]
    return scaled.masked_fill(scaled < bar, float("-inf")).softmax(dim=-1)


top_k_probs.wrong("logits / temperature", "logits * temperature", "you multiplied by the temperature. Divide: a high temperature makes the logits small, and so the probabilities alike.")
top_k_probs.wrong("logits / temperature", "logits", "the temperature has no effect. Did you forget it, or divide probabilities by it? After dividing by their sum nothing of that is left. Divide the logits, before the softmax.")
top_k_probs.wrong("scaled.masked_fill(scaled < bar, float(\"-inf\")).softmax(dim=-1)", "scaled.softmax(dim=-1) * (scaled >= bar)", "you filtered after the softmax and did not divide by the new sum. What is kept must add up to one.")
top_k_probs.wrong("float(\"-inf\")", "0", "you set the small logits to 0. A logit of 0 still gets a probability, for e⁰ is 1. Use minus infinity.")
top_k_probs.wrong("scaled < bar", "scaled <= bar", "you kept one token too few: the k-th itself stays.")
top_k_probs.wrong("topk(k).values[-1]", "sort(descending=True).values[min(k, len(scaled) - 1)]", "you kept one token too many: counted from 0, the k-th largest is number k - 1.")
top_k_probs.wrong("scaled.topk(k)", "logits.topk(k)", "your bar is one of the logits as they came, and the scaled ones are measured by it. Take both from the scaled ones.")
top_k_probs.wrong(".softmax(dim=-1)", "", "these are logits still. A softmax makes probabilities of them.")
top_k_probs.wrong("values[-1]", "values[0]", "you kept the likeliest token only. The bar is the *last* of the k largest.")
top_k_probs.wrong("scaled < bar", "scaled > bar", "your comparison is turned round: you threw the likeliest away.")
top_k_probs.wrong("scaled < bar", "torch.arange(len(scaled)) >= k", "you kept the first k *ids*. The k with the largest logits should stay, wherever they stand.")
top_k_probs.wrong("masked_fill(scaled < bar, float(\"-inf\"))", "masked_fill(scaled < float(\"-inf\"), 0)", "nothing is filtered: every token is kept.")
top_k_probs.wrong("return scaled.masked_fill(scaled < bar, float(\"-inf\")).softmax(dim=-1)", """powers = scaled.masked_fill(scaled < bar, float("-inf")).exp()
    return powers / powers.sum()""", "your powers of e overflow: at a low temperature a logit can be 100, and that is too much for 32 bits. `softmax` subtracts the largest first; so must you.")  # fmt: skip
top_k_probs.wrong("return scaled.masked_fill(scaled < bar, float(\"-inf\")).softmax(dim=-1)", "return scaled.topk(k).values.softmax(dim=-1)",
                  "you returned k probabilities. Return one for every id, in the order of the ids, or nobody knows whose they are.")  # fmt: skip
top_k_probs.wrong("""scaled = logits / temperature
    bar = scaled.topk(k).values[-1]
    return scaled.masked_fill(scaled < bar, float("-inf")).softmax(dim=-1)""", """bar = logits.topk(k).values[-1]
    return logits.masked_fill(logits < bar, float("-inf")).softmax(dim=-1) / temperature""",
                  "you divided the probabilities by the temperature, so they no longer add up to one. Divide the logits, before the softmax.")  # fmt: skip


@top_k_probs.expected
def _(logits, temperature, k):
    order = sorted(range(len(logits)), key=lambda i: -float(logits[i]))[:k]
    powers = {i: math.exp((float(logits[i]) - float(logits[order[0]])) / temperature) for i in order}
    return torch.tensor([powers.get(i, 0.0) / sum(powers.values()) for i in range(len(logits))])


@top_k_probs.cases
def _(random):
    yield torch.tensor([1.0, 3.0, 2.0, 0.5]), 1.0, 2
    yield torch.tensor([1.0, 3.0, 2.0, 0.5]), 0.5, 2
    yield torch.tensor([1.0, 3.0, 2.0, 0.5]), 2.0, 3
    yield torch.tensor([-1.0, -3.0, 2.0, -0.5, -2.0]), 1.0, 1
    yield torch.tensor([-1.0, -3.0, -2.0]), 0.7, 3
    yield torch.tensor([10.0, 9.9, -4.0, 9.0]), 0.1, 3
    yield torch.tensor([20.0, 9.9, 19.0, 0.0]), 10.0, 3
    for _ in range(15):
        V = random.randrange(2, 31)
        yield 3 * _normal(random.randrange(10**6), V), random.choice((0.3, 0.8, 1.0, 1.5)), random.randrange(1, V + 1)


top_p_probs = Exercise(
    "07.3",
    "Top-p",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Top-k keeps as many tokens in a place where one word is certain as in a place where a hundred would do. Top-p looks at the probabilities instead: keep the likeliest tokens, as few as it takes until together they hold at least the share
        `p`. The token that reaches p is kept too. Then make the kept ones add up to one. `p` is above 0 and below 1, and where the last is kept and the next is not, the two are never equal.
        """,
    hints=("`ranked, order = probs.sort(descending=True)` gives the probabilities by size, and whose they are. `ranked.cumsum(dim=0)` adds them up. Which of these sums tells whether a token is *still needed*?",
           "A token is needed if those before it hold less than p: `ranked.cumsum(dim=0) - ranked < p`. Back to the order of ids: `kept[order] = ...`."),
    verified="tokens that reach p exactly, a first token that is enough alone, and 15 random draws, against a loop that takes one token after the other",
    explanation="""
        *Before it*, not *with it*: so the first token is always kept, for nothing stands before it. With `ranked.cumsum(dim=0) < p`, a token of 0.95 is thrown away at p = 0.9, and the model must say something that it hardly believes.
        """,
    tolerance=1e-5,
)  # fmt: skip


@top_p_probs.stub
def top_p_probs(probs, p):
    """Keep the fewest of the likeliest tokens that together hold at least p; probs (V,) in and out."""
    # 1. sort, the likeliest first
    # 2. which tokens are needed to reach p?
    # 3. back to the order of ids, and divide by the new sum
    raise NotImplementedError


@top_p_probs.solution
def top_p_probs(probs, p):
    ranked, order = probs.sort(descending=True)
    before = ranked.cumsum(dim=0) - ranked  # what the likelier ones hold together
    kept = torch.zeros_like(probs)
    kept[order] = ranked * (before < p)
    return kept / kept.sum()


top_p_probs.wrong("before < p", "before + ranked < p", "you dropped the token that crosses p. If the first alone holds more than p, nothing at all is left, and 0 / 0 is `nan`.")
top_p_probs.wrong("before < p", "before <= p", "you kept one token too many where p is reached exactly.")
top_p_probs.wrong("before < p", "before < 1 - p", "you kept the share 1 - p. It is p that is kept.")
top_p_probs.wrong("before < p", "ranked >= p * ranked[0]", "you compared each token with the likeliest. That is min-p, which comes later; here the sum of the likelier ones decides.")
top_p_probs.wrong("before < p", "ranked >= p", "you compared each token alone with p. It is what they hold *together* that must reach p.")
top_p_probs.wrong("kept / kept.sum()", "kept", "what is kept no longer adds up to one. Divide by its sum.")
top_p_probs.wrong("kept / kept.sum()", "kept.softmax(dim=0)", "you took a softmax of probabilities. That is for logits; and it gives the dropped ones a share again, for e⁰ is 1. Just divide by the sum.")
top_p_probs.wrong("kept[order] = ranked", "kept[:] = ranked", "your result is in the order of rank, the likeliest first. Each probability must go back to its id.")
top_p_probs.wrong("kept[order] = ranked * (before < p)", "kept = (ranked * (before < p))[order]", "the way back is wrong: `x[order]` picks by the order once more. To undo it, assign: `kept[order] = x`.")
top_p_probs.wrong("probs.sort(descending=True)", "probs, torch.arange(len(probs))", "you added the probabilities up in the order of the ids. Sort them first, the likeliest in front.")
top_p_probs.wrong("descending=True", "descending=False", "you began with the least likely. PyTorch's `sort` begins with the smallest unless told otherwise.")


@top_p_probs.expected
def _(probs, p):
    kept, held = {}, 0.0
    while held < p:
        best = max((i for i in range(len(probs)) if i not in kept), key=lambda i: float(probs[i]))
        kept[best] = float(probs[best])
        held += kept[best]
    return torch.tensor([kept.get(i, 0.0) / held for i in range(len(probs))])


@top_p_probs.cases
def _(random):
    yield torch.tensor([0.125, 0.5, 0.0625, 0.3125]), 0.6
    yield torch.tensor([0.125, 0.5, 0.0625, 0.3125]), 0.9
    yield torch.tensor([0.0, 0.0625, 0.9375]), 0.75
    yield torch.tensor([0.125, 0.25, 0.5, 0.125]), 0.5
    yield torch.tensor([0.125, 0.0625, 0.5, 0.25, 0.0625]), 0.75
    for _ in range(15):
        V = random.randrange(2, 31)
        yield (2 * _normal(random.randrange(10**6), V)).softmax(dim=0), random.choice((0.1, 0.5, 0.8, 0.9, 0.95))


repeated_share = Exercise(
    "07.4",
    "How much is said twice?",
    kind="predict and measure",
    minutes=10,
    difficulty=2,
    prompt="""
        A *run* is n words in a row; runs overlap, so "a b c d e" has two runs of four. Which share of the runs of a text stood in it before? **Predict** first: a sentence of five words, said four times in a row, with n = 4. (Write your number down; the
        explanation has it.) Then write the function. A text with fewer than n words has no runs, and its share is 0.0.
        """,
    hints=("How many runs of four have 5 words? And 20? The last one begins n words before the end, not later.",
           "A `set` keeps each run once. What is not in the set any more was a repeat: `1 - different / all`. A slice of a list cannot be put into a set, a `tuple` can."),
    verified="texts without runs, of one run, words inside words, large letters, of one word over and over, and 15 random texts, by comparing every run with all before it",
    explanation="""
        Twenty words have 17 runs of four. Only 5 of them are different, so 12 of 17 stood there before: 0.71. A text that only repeats itself comes close to 1, and never gets there, for the first time is new.
        """,
)  # fmt: skip


@repeated_share.stub
def repeated_share(words, n=4):
    """The share of the runs of n words that stood in the text before; 0.0 if there is no run."""
    raise NotImplementedError


@repeated_share.solution
def repeated_share(words, n=4):
    runs = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    if not runs:
        return 0.0
    return 1 - len(set(runs)) / len(runs)


repeated_share.wrong("range(len(words) - n + 1)", "range(max(len(words) - n, 0))", "you left out the last run. It begins at `len(words) - n`, and `range` stops one before its end.")
repeated_share.wrong("range(len(words) - n + 1)", "range(len(words))", "there are fewer runs than words: the last begins n words before the end. Do you divide by the number of words, or count the shorter slices at the end as runs?")
repeated_share.wrong("range(len(words) - n + 1)", "range(0, len(words) - n + 1, n)", "your runs do not overlap. A run begins at every word.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", "len(set(runs)) / len(runs)", "that is the share of *different* runs. The repeated ones are the rest.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", "sum(runs.count(run) > 1 for run in runs) / len(runs)", "you counted the first time too. When a run comes first it is new; only later it is a repeat.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", "float(len(runs) - len(set(runs)))", "that is a number of runs. Divide by how many there are.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", "100 * (1 - len(set(runs)) / len(runs))", "that is in per cent. A share lies between 0 and 1.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", "sum(1 for run in set(runs) if runs.count(run) > 1) / len(set(runs))", "you counted among the *different* runs. Count all of them: a run that comes five times has been repeated four times.")
repeated_share.wrong("tuple(words[i : i + n])", "frozenset(words[i : i + n])", "you forgot the order of the words in a run: \"a b\" and \"b a\" are two different runs.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", "sum(a == b for a, b in zip(runs, runs[1:])) / len(runs)", "you compared each run with its neighbour only. A repeat may come much later.")
repeated_share.wrong("tuple(words[i : i + n])", '"".join(words[i : i + n])', "you glued the words of a run together, so that \"a bc\" and \"ab c\" are the same. Keep them apart: a `tuple` does.")
repeated_share.wrong("tuple(words[i : i + n])", "tuple(word.lower() for word in words[i : i + n])", "you made no difference between large and small letters. Two words are the same if they are the same string.")
repeated_share.wrong("1 - len(set(runs)) / len(runs)", 'sum(" ".join(runs[i]) in " ".join(words[: i + n - 1]) for i in range(len(runs))) / len(runs)', "you looked for the letters of a run in the text before it, and \"cat\" stands in \"category\". Compare words, not letters.")
repeated_share.wrong("tuple(words[i : i + n])", "words[i]", "you counted repeated *words*. A run is n of them in a row.")


@repeated_share.expected
def _(words, n=4):
    starts = range(len(words) - n + 1)
    again = [any(words[j : j + n] == words[i : i + n] for j in range(i)) for i in starts]
    return sum(again) / len(again) if again else 0.0


@repeated_share.cases
def _(random):
    yield "she saw a cat and she saw a dog and she saw a cat".split(), 2
    yield "he ran to the park and he ran to the park".split(), 4
    yield "once upon a time".split(), 4
    yield "no no no no no no".split(), 2
    yield "a b b a".split(), 2
    yield "she saw a cat and she saw a cat".split(),
    yield "the end".split(), 4
    yield ["a", "bc", "ab", "c"], 2
    yield "A cat a cat A dog".split(), 2
    yield "the other he she he".split(), 1
    for _ in range(15):
        yield random.choices("abc", k=random.randrange(0, 12)), random.choice((1, 2, 3))


attend_next = Exercise(
    "07.5",
    "Attention with a memory",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        One new token arrives at a layer, with the queries `q` (H, D) of its heads, and `k`, `v` (K, D); as in chapter 04, H/K neighbouring query heads share one key and one value head. The S tokens before it have left their keys and values, (K, S, D), and those keys have been turned to their
        positions already. Turn the new query and key to *their* position, add the new key and value to the rest, and attend. Return what the heads have mixed, and the keys and values for the next token.

        To turn: `cos, sin = rope_table(n, D)` has a row for each of n positions, counted from 0; `apply_rope(x, cos[t], sin[t])` turns x to position t. To add: `torch.cat((old, new[:, None]), dim=1)`.
        """,
    hints=("If S tokens are there already, at which position stands the next, counted from 0? And whom may it see? Is there any future to hide?",
           "Position S, and it sees all S + 1, so there is no mask. `keys.repeat_interleave(H // K, dim=0)` is (H, S+1, D); `q[:, None] @ that.transpose(1, 2)` gives the scores (H, 1, S+1)."),
    verified="a first token, one and more before it, own, shared and single key heads, and 12 random shapes, against complex numbers and a loop over heads",
    explanation="""
        There is no mask: the newest token may see everything. PyTorch has a trap here: `is_causal=True` lines the first query up with the first *key*, so a single query would see the oldest token only. And old keys are not turned again: they were turned when
        they came, and a key stays where it is.
        """,
    tolerance=1e-4,
)  # fmt: skip


@attend_next.stub
def attend_next(q, k, v, keys, values):
    """A new token, q (H, D), k and v (K, D), after S others with keys and values (K, S, D).

    Returns the mix (H, D), and the keys and values with the new ones behind them (K, S+1, D)."""
    # 1. the new token's position; turn q and k to it
    # 2. put the new key and value behind the old ones
    # 3. give each query head its keys and values; scores, softmax, average
    raise NotImplementedError


@attend_next.solution
def attend_next(q, k, v, keys, values):
    position, D = keys.shape[1], q.shape[1]
    cos, sin = (table[position] for table in rope_table(position + 1, D))
    q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    keys = torch.cat((keys, k[:, None]), dim=1)
    values = torch.cat((values, v[:, None]), dim=1)
    every_k, every_v = (x.repeat_interleave(len(q) // len(k), dim=0) for x in (keys, values))
    weights = (q[:, None] @ every_k.transpose(1, 2) / math.sqrt(D)).softmax(dim=-1)  # (H, 1, S+1)
    return (weights @ every_v)[:, 0], keys, values


attend_next.wrong("position, D = keys.shape[1],", "position, D = 0,", "the new token is not turned, or told that it stands at position 0, which is the same. It stands behind the S others.")
attend_next.wrong("position, D = keys.shape[1],", "position, D = keys.shape[1] + 1,", "the position is one too large: positions are counted from 0, so behind S tokens comes position S.")
attend_next.wrong("position, D = keys.shape[1],", "position, D = max(keys.shape[1] - 1, 0),", "the position is one too small: that is where the token before stands. Behind S tokens comes position S.")
attend_next.wrong("position, D = keys.shape[1],", "position, D = keys.shape[0],", "you took the number of key heads for the number of tokens. `keys` is (K, S, D).")
attend_next.wrong("q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)", "q = apply_rope(q, cos, sin)", "the new key was not turned to its position.")
attend_next.wrong("q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)", "k = apply_rope(k, cos, sin)", "the new query was not turned to its position.")
attend_next.wrong("torch.cat((keys, k[:, None]), dim=1)", "torch.cat((apply_rope(keys, cos, sin), k[:, None]), dim=1)", "you turned the old keys again. They were turned when they came, and stay where they are.")
_BODY = attend_next.solution_answer.source.split("\n", 1)[1]
attend_next.wrong(_BODY, _BODY.replace("q, k = apply", "unturned, q, k = k, apply").replace("[:, 0], keys,", "[:, 0], torch.cat((keys[:, :-1], unturned[:, None]), dim=1),"),
                  "you returned the new key as it came, not turned. What lies in a cache has been turned to its position.")  # fmt: skip
attend_next.wrong("""q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
    keys = torch.cat((keys, k[:, None]), dim=1)""", """q = apply_rope(q, cos, sin)
    keys = apply_rope(torch.cat((keys, k[:, None]), dim=1), *rope_table(position + 1, D))""", "you turned all keys, each to its position. The old ones had been turned when they came; now they are turned twice.")  # fmt: skip
attend_next.wrong("[:, 0], keys, values", "[:, 0], every_k, every_v", "you returned the keys and values repeated for each query head. Hand on the K heads as they are: that is what saves memory.")
attend_next.wrong("v[:, None]", "apply_rope(v, cos, sin)[:, None]", "you turned the value too. What is handed over does not depend on where it was found.")
attend_next.wrong("for x in (keys, values))", "for x in (keys[:, :-1], values[:, :-1]))", "the new token does not see itself. Add its key and value first, then attend.")
attend_next.wrong("""keys = torch.cat((keys, k[:, None]), dim=1)
    values = torch.cat((values, v[:, None]), dim=1)""", """keys = torch.cat((k[:, None], keys), dim=1)
    values = torch.cat((v[:, None], values), dim=1)""", "you put the new key and value *in front* of the old ones. They belong behind.")  # fmt: skip
attend_next.wrong("x.repeat_interleave(len(q) // len(k), dim=0)", "x.repeat(len(q) // len(k), 1, 1)", "the heads share in the wrong order: `repeat` gives 0, 1, 0, 1. Neighbours share, so it should be 0, 0, 1, 1.")
attend_next.wrong(" / math.sqrt(D)", "", "the scores are not divided by the square root of D (chapter 04).")
attend_next.wrong("softmax(dim=-1)", "softmax(dim=0)", "your softmax runs over the heads. The weights of one query, over the tokens, must add up to one: the last dimension.")
attend_next.wrong("softmax(dim=-1)", "softmax(dim=1)", "your softmax runs over the queries, and there is just one. The weights over the *tokens* must add up to one: the last dimension.")
attend_next.wrong("weights @ every_v", "F.scaled_dot_product_attention(q[:, None], every_k, every_v, is_causal=True)",
                  "the new token sees the oldest token only. `is_causal=True` lines the first query up with the first key, and here the query belongs to the *last*.")  # fmt: skip


@attend_next.expected
def _(q, k, v, keys, values):
    S, D = keys.shape[1], q.shape[1]
    turn = torch.polar(torch.ones(D // 2, dtype=torch.float64), S * 10_000.0 ** (-2 * torch.arange(D // 2, dtype=torch.float64) / D))

    def turned(x):
        pairs = torch.complex(x[:, : D // 2].double(), x[:, D // 2 :].double()) * turn
        return torch.cat((pairs.real, pairs.imag), dim=1).float()

    q, keys, values = turned(q), torch.stack([*keys.unbind(1), turned(k)], dim=1), torch.stack([*values.unbind(1), v], dim=1)
    mixed = []
    for h, query in enumerate(q):
        head = h // (len(q) // len(k))
        powers = [math.exp(float(query @ key) / math.sqrt(D)) for key in keys[head]]
        mixed.append(sum(power * value for power, value in zip(powers, values[head])) / sum(powers))
    return torch.stack(mixed), keys, values


@attend_next.cases
def _(random):
    def drawn(H, K, S, D):
        seed = random.randrange(10**6)
        return tuple(_normal(seed + i, *shape) for i, shape in enumerate(((H, D), (K, D), (K, D), (K, S, D), (K, S, D))))

    for shape in ((1, 1, 1, 2), (1, 1, 3, 4), (2, 1, 3, 4), (4, 2, 3, 4), (6, 3, 5, 8), (1, 1, 0, 4), (4, 2, 0, 2)):
        yield drawn(*shape)
    for _ in range(12):
        K = random.randrange(1, 4)
        yield drawn(K * random.randrange(1, 4), K, random.randrange(0, 9), random.choice((2, 4, 8)))


cache_gigabytes = Exercise(
    "07.6",
    "The memory of a memory",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        Llama 3 with 8 billion parameters has 32 layers and 32 query heads in each; these share 8 key and value heads, of width 128. Numbers take 2 bytes. How large is the cache of *one* text of 8,192 tokens, in gigabytes of $10^9$ bytes, to two decimals?
        """,
    hints=("What does one token leave behind in one layer? A key and a value for each of the heads that have their own.",
           "2 · 8 · 128 numbers in each layer. Times 32 layers, times 8,192 tokens, times 2 bytes."),
    verified="against the bytes of a tensor of that shape that PyTorch would make",
    explanation="""
        2 · 32 · 8 · 8,192 · 128 · 2 bytes = 1.07 GB, one fifteenth of the weights, which take 16 GB. Fifteen such texts need as much as the weights. Had each query head its own keys and values, it would be 4.3 GB for each text: this is what grouped queries save.
        """,
    tolerance=0.01,
    stub="cache_gigabytes = ...  # in GB, 10^9 bytes",
    solution="cache_gigabytes = 2 * 32 * 8 * 8192 * 128 * 2 / 1e9",
)  # fmt: skip
cache_gigabytes.wrong("2 * 32 * 8 *", "2 * 32 * 32 *", "you counted all 32 query heads. Queries are not kept: only the 8 heads of keys and values are.")
cache_gigabytes.wrong("2 * 32 * 8 *", "32 * 8 *", "one half is missing. Each token leaves a key *and* a value, and each number takes 2 bytes.")
cache_gigabytes.wrong("2 * 32 * 8 *", "2 * 8 *", "you counted one layer. Each of the 32 keeps its own.")
cache_gigabytes.wrong("32 * 8 * 8192", "32 * 8192", "you counted one head. There are 8 heads of keys and values in each layer.")
cache_gigabytes.wrong("* 128 * 2", "* 128 * 4", "you took 4 bytes for a number. Here it is 2.")
cache_gigabytes.wrong("* 128 * 2", "* 2", "you counted one number for each head. A key has 128.")
cache_gigabytes.wrong("2 * 32 * 8 * 8192 * 128 * 2 / 1e9", "1.1", "you rounded too much: give two decimals.")
cache_gigabytes.wrong("1e9", "2**30", "that is in GiB, of 2³⁰ bytes. Here a gigabyte is 10⁹ bytes.")
cache_gigabytes.wrong(" / 1e9", "", "that is in bytes. Divide by 10⁹.")
cache_gigabytes.wrong("1e9", "1e6", "that is in megabytes. Divide by 10⁹.")
cache_gigabytes.wrong("* 8192 *", "*", "you counted one token. The text has 8,192.")


@cache_gigabytes.expected
def _():
    keys = torch.empty(32, 8, 8192, 128, dtype=torch.float16, device="meta")  # no memory is taken
    return 2 * keys.nbytes / 1e9


QUIZ = (
    Question(
        "Somebody sets the temperature to 2 and then takes the `argmax` of the probabilities at each step. How does the text differ from that at temperature 0.5?",
        (
            ("Not at all.", "A temperature changes how far apart the probabilities are, not their order. The largest stays the largest, and a learner who forgets to draw gets the same text at every temperature."),
            ("It is livelier.", "It would be, if tokens were drawn. The unlikely get a larger share, but `argmax` never takes them."),
            ("It repeats itself more.", "Text by `argmax` does tend to repeat itself, but it does so at both temperatures: it is the same text."),
        ),
    ),
    Question(
        "In one place the likeliest token has probability 0.95, and `top_p` is 0.9. What can be drawn?",
        (
            ("That token, and no other.", "Nothing stands before it, so it is needed; with it 0.9 is reached, so no other is. Divided by the sum its probability is 1."),
            ("That token, or the next one.", "The next one would be needed if the first held less than 0.9. As it is, p is reached already."),
            ("Nothing, for it crosses 0.9.", "So it would be if the token that crosses p were dropped, which is the commonest mistake. The token that reaches p is kept."),
        ),
    ),
    Question(
        "You add a cache to your program. With the likeliest token each time it now writes good English, but another story than before. What do you check first?",
        (
            ("Whether both ways give the same logits, token by token.", "A cache is a shortcut, not another model. The first token whose logits differ shows where to look; a wrong position is the usual cause."),
            ("Whether both ways begin with the same random seed.", "No luck is involved when the likeliest is taken each time. If the texts differ, the logits do."),
            ("Whether the story is as good as before; then all is well.", "Good English is what hides this mistake. A model with wrong positions still knows its words."),
        ),
    ),
    Question(
        "A large model on a GPU writes 16 texts side by side in much less than 16 times the time of one. What is the main reason?",
        (
            ("The weights are fetched from memory once for all 16.", "To fetch them is what such a model spends most of its time on. (In a small model it is the fixed cost of each step, Python and the start of every small operation, which is paid once for all 16, too.)"),
            ("The keys and values are kept once for all 16.", "Each text has its own keys and values: that is why, with many long texts, the cache becomes the larger part."),
            ("The operations for 16 texts are fewer than 16 times as many.", "They are 16 times as many. What falls away is the waiting for weights."),
        ),
    ),
    Question(
        "In figure 5 the grader likes the stories at 0.3 and 0.6 best. What has been shown?",
        (
            ("That this model broke the grader's rules least near 0.3 to 0.6, and more often with more heat.", "That is what was counted: sentences that the grader of storyworld understands and finds possible, for one model. It says nothing about how interesting they are."),
            ("That a low temperature makes stories better, at least for models as small as this.", "Better in one respect. The same figure shows fewer different words then, and more runs that are repeated."),
            ("That the best temperature for a language model lies somewhere between 0 and 0.6.", "For this measure and this model. On a task that asks for variety, or with another model, another value wins."),
        ),
    ),
)  # fmt: skip
