"""Exercises and quiz of chapter 04: how do tokens look at each other? The learner writes causal attention, its alarm, many heads and RoPE; loops, PyTorch's kernel and complex numbers are the judges."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from minilm.course.exercise import Exercise, Question

mixed_value = Exercise(
    "04.1",
    "An average by hand",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        Three words, each with a score and a value. The scores are 0, ln 2 and ln 5; the values are 8, 4 and 16. What does attention give? Paper and pencil are enough: $e^{\\ln 5}$ is 5.
        """,
    hints=("First turn the scores into weights: e to the power of each, divided by the sum of all three.",
           "The powers are 1, 2 and 5, and their sum is 8. So the weights are 1/8, 2/8 and 5/8. Each weight multiplies its value."),
    verified="against PyTorch's softmax",
    explanation="""
        1/8 · 8 + 2/8 · 4 + 5/8 · 16 = 1 + 1 + 10 = 12. The result always lies between the smallest value and the largest: attention averages, it cannot invent.
        """,
    tolerance=0.01,
    stub="mixed_value = ...  # a number",
    solution="mixed_value = (1 * 8 + 2 * 4 + 5 * 16) / (1 + 2 + 5)",
)  # fmt: skip
mixed_value.wrong("(1 * 8 + 2 * 4 + 5 * 16) / (1 + 2 + 5)", "(8 + 4 + 16) / 3", "you gave all three words the same weight. The scores decide who counts for more.")
mixed_value.wrong("(1 * 8 + 2 * 4 + 5 * 16) / (1 + 2 + 5)", "(2 * 4 + 5 * 16) / (2 + 5)", "you left out the first word. Its score is 0, but $e^0$ is 1, not 0.")
mixed_value.wrong("(1 * 8 + 2 * 4", "(0 * 8 + 2 * 4", "the first word got no weight. Its score is 0, but $e^0$ is 1, not 0.")
mixed_value.wrong(" / (1 + 2 + 5)", "", "you did not divide by the sum of the powers. Weights add up to one; then the result cannot be larger than the largest value.")
mixed_value.wrong("(1 * 8 + 2 * 4 + 5 * 16) / (1 + 2 + 5)", "16", "you took the value with the highest score and nothing else. A softmax is softer: the others count too.")
mixed_value.wrong("(1 * 8 + 2 * 4 + 5 * 16) / (1 + 2 + 5)", "(0.6931 * 4 + 1.6094 * 16) / (0.6931 + 1.6094)",
                "you used the scores themselves as weights. First take e to the power of each: then a score of 0 counts too, and a negative one is no trouble.")  # fmt: skip


@mixed_value.expected
def _():
    scores = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64).log()
    return float(scores.softmax(dim=0) @ torch.tensor([8.0, 4.0, 16.0], dtype=torch.float64))


def _drawn(seed: int, *shapes: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    """Tensors of normal numbers, always the same for a seed."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


causal_head = Exercise(
    "04.2",
    "One head, without a loop",
    kind="implement",
    minutes=15,
    difficulty=2,
    prompt="""
        Now all tokens at once: `q`, `k` and `v` are tensors with a row for each token. Score every query against every key, forbid what lies in the future, turn each row of scores into weights, and average the values. It should give what the loop
        gave. Write it so that it also works when more dimensions stand in front, `(..., T, D)`: then you can use it again for many heads.
        """,
    hints=("All the scores are one matrix product, `q @ k.transpose(-2, -1)`. Which of them does row t keep, and what must the others become so that the softmax gives them weight 0?",
           "`visible = torch.ones(T, T, dtype=torch.bool).tril()` is true where looking is allowed. `scores.masked_fill(~visible, float(\"-inf\"))` and then `.softmax(dim=-1)`."),
    verified="two tokens, one token, wide and narrow heads, extra dimensions in front, and 12 random draws, against PyTorch's fused kernel",
    explanation="""
        Minus infinity before the softmax, and not zero after it: $e^{-\\infty}$ is exactly 0, and what is left still adds up to one. A row must keep at least one score, and it does: every token may see itself.
        """,
    tolerance=1e-4,
)  # fmt: skip


@causal_head.stub
def causal_head(q, k, v):
    """Causal attention of one head: q, k, v of shape (..., T, D) give (..., T, D)."""
    # T tokens and D numbers for each are the last two of q.shape
    # 1. scores (..., T, T): every query with every key, divided by the square root of D
    # 2. which of them may be seen? The others become -inf
    # 3. softmax along each row, then the weighted average of the values
    raise NotImplementedError


@causal_head.solution
def causal_head(q, k, v):
    T, D = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) / math.sqrt(D)
    visible = torch.ones(T, T, dtype=torch.bool).tril()
    weights = scores.masked_fill(~visible, float("-inf")).softmax(dim=-1)
    return weights @ v


causal_head.wrong(" / math.sqrt(D)", "", "the scores are not scaled. Divide them by the square root of the width of a head, or a wide head looks at one token only.")
causal_head.wrong("math.sqrt(D)", "D", "you divided by D. It is the *square root* of D: that is how a sum of D random products grows.")
causal_head.wrong("math.sqrt(D)", "math.sqrt(T)", "you divided by the square root of the number of tokens. It should be that of the width of a head, D.")
causal_head.wrong("masked_fill(~visible, ", "masked_fill(visible, ", "your mask is turned round: each token looks at the future only. `masked_fill` fills where its mask is *true*.")
causal_head.wrong("masked_fill(~visible, float(\"-inf\"))", "masked_fill(torch.zeros_like(visible), 0)", "there is no mask: every token sees the whole text, its own future included.")
causal_head.wrong("tril()", "tril(1)", "every token sees one too many: the one that comes right after it.")
causal_head.wrong("q @ k.transpose(-2, -1)", "k @ q.transpose(-2, -1)", "queries and keys have changed places: row t of the scores must belong to query t.")
causal_head.wrong("float(\"-inf\")", "-20", "a forbidden score of -20 is low, but where all scores are lower it wins. Use minus infinity.")
causal_head.wrong("tril()", "tril(-1)", "a token may look at itself too. You left out the diagonal, so the first token has nothing to look at at all.")
causal_head.wrong("float(\"-inf\")", "0", "you set the forbidden scores to 0. A score of 0 still gets a weight, e⁰ = 1 before dividing. Use minus infinity.")
causal_head.wrong("scores.masked_fill(~visible, float(\"-inf\")).softmax(dim=-1)", "scores.softmax(dim=-1) * visible",
                  "you masked after the softmax, so the weights of a row no longer add up to one: the future took its share first. Mask before.")  # fmt: skip
causal_head.wrong("softmax(dim=-1)", "softmax(dim=-2)", "your softmax runs down the columns. The weights of one *query*, a row, must add up to one.")


@causal_head.expected
def _(q, k, v):
    shape = q.shape
    q, k, v = (x.reshape(1, -1, *shape[-2:]) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).reshape(shape)


@causal_head.cases
def _(random):
    yield torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 1.0], [2.0, 0.0]]), torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    yield _drawn(0, (3, 2), (3, 2), (3, 2))
    yield _drawn(0, (1, 2), (1, 2), (1, 2))
    yield _drawn(1, (5, 4), (5, 4), (5, 4))
    yield _drawn(2, (3, 64), (3, 64), (3, 64))
    yield _drawn(3, (2, 3, 6, 4), (2, 3, 6, 4), (2, 3, 6, 4))
    yield torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[-100.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    for _ in range(12):
        T, D = random.randrange(2, 9), random.choice((2, 4, 16))
        yield _drawn(random.randrange(10**6), (T, D), (T, D), (T, D))


@dataclass(frozen=True)
class Layer:
    """Something that mixes the rows of a tensor, with a name to show."""

    name: str
    mix: Callable

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.mix(x)

    def __repr__(self) -> str:
        return self.name


def _averaging(sees: Callable[[int, int, int], float], norm: Callable = lambda x: x) -> Callable:
    """A layer whose row t is the mean of the rows s of T, weighted by sees(t, s, T), or zero if there is none; perhaps of rows that were normalised."""

    def mix(x):
        T = len(x)
        seen = torch.tensor([[float(sees(t, s, T)) for s in range(T)] for t in range(T)])
        return seen @ norm(x) / seen.sum(dim=1, keepdim=True).clamp(min=1)

    return mix


LAYERS = {
    "mean_of_past": _averaging(lambda t, s, T: s <= t),
    "mean_of_all": _averaging(lambda t, s, T: True),
    "inverted_mask": _averaging(lambda t, s, T: s > t),
    "itself_only": _averaging(lambda t, s, T: s == t),
    "one_ahead": _averaging(lambda t, s, T: s <= t + 1),
    "token_before": _averaging(lambda t, s, T: s == max(t - 1, 0)),
    "first_sees_second": _averaging(lambda t, s, T: s <= t or (t, s) == (0, 1)),
    "first_sees_third": _averaging(lambda t, s, T: s <= t or (t, s) == (0, 2)),
    "last_but_one_sees_last": _averaging(lambda t, s, T: s <= t or (t, s) == (T - 2, T - 1)),
    "third_sees_fourth": _averaging(lambda t, s, T: s <= t or (t, s) == (2, 3)),
    "weak_leak": _averaging(lambda t, s, T: 1 if s <= t else 0.01),
    "all_behind_layer_norm": _averaging(lambda t, s, T: True, lambda x: F.layer_norm(x, x.shape[-1:])),
    "all_behind_rms_norm": _averaging(lambda t, s, T: True, lambda x: F.rms_norm(x, x.shape[-1:])),
}

sees_future = Exercise(
    "04.3",
    "The alarm",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Write the alarm, a check that catches this mistake. You get any `layer`, which turns `x` of shape (T, C) into a result of the same shape, one row for each token. Change a token and look at the rows *before* it. If one of them moves, the layer sees
        the future. A leak may sit anywhere, so change each token in turn; it may be weak; and the layer may normalise its input, so that what you change must not be undone by a shift or a scale.
        """,
    hints=("Which rows of the result may a change of row t reach? Which must stay exactly as they were?",
           "For t from 1 on: `changed = x.clone()`, `changed[t] = torch.randn_like(x[t])`, and compare `layer(changed)[:t]` with `layer(x)[:t]` by `torch.allclose`."),
    verified="thirteen layers, honest ones and leaks at the beginning, in the middle, at the end and everywhere, weak ones and some behind a norm, against the gradient",
    explanation="""
        A few lines, for any layer and any model. Adding 1 to a whole row would not do: a layer that subtracts the mean of each row first does not see it. Always clone before you change: `changed = x` would be the same tensor by another name, and would compare a thing with itself.
        """,
)  # fmt: skip


@sees_future.stub
def sees_future(layer, x):
    """Tell whether a row of layer(x), x of shape (T, C), depends on a later row of x."""
    raise NotImplementedError


@sees_future.solution
def sees_future(layer, x):
    before = layer(x)
    for t in range(1, len(x)):
        changed = x.clone()
        changed[t] = torch.randn_like(x[t])
        if not torch.allclose(layer(changed)[:t], before[:t]):
            return True
    return False


sees_future.wrong("range(1, len(x))", "[len(x) - 1]", "you changed the last token only. A leak may sit in the middle: change each in turn.")
sees_future.wrong("range(1, len(x))", "range(1, len(x) - 1)", "you never changed the last token. A leak may come from there: change each in turn.")
sees_future.wrong("range(1, len(x))", "[len(x) // 2]", "you changed one token in the middle. A leak may sit elsewhere: change each in turn.")
sees_future.wrong("changed[t] = torch.randn_like(x[t])", "changed[t] += 1", "you moved all numbers of the row by the same. A layer that subtracts the mean of each row does not see that: put other numbers there.")
sees_future.wrong("changed[t] = torch.randn_like(x[t])", "changed[t] *= 2", "you made the row longer, and kept its direction. A layer that scales each row to length one does not see that: put other numbers there.")
sees_future.wrong("before[:t])", "before[:t], atol=0.1)", "your comparison forgives too much: a weak leak is a leak.")
sees_future.wrong("            return True", "            return False", "your answer is always False. What did you find when a row had moved?")
sees_future.wrong("(layer(changed)[:t], before[:t])", "(layer(changed)[t - 1], before[t - 1])", "you looked only at the row right before the changed one. A leak may reach further.")
sees_future.wrong("range(1, len(x))", "[1]", "you changed one token, the second. A leak may sit further on: change each in turn.")
sees_future.wrong("(layer(changed)[:t], before[:t])", "(layer(changed), before)", "you compared all rows. The row of the changed token may change, and those after it too.")
sees_future.wrong("(layer(changed)[:t], before[:t])", "(layer(changed)[: t + 1], before[: t + 1])", "you compared one row too many: a token may see itself.")
sees_future.wrong("(layer(changed)[:t], before[:t])", "(layer(changed)[t + 1 :], before[t + 1 :])", "you looked at the rows *after* the changed token. Those may change. The ones before must not.")
sees_future.wrong("(layer(changed)[:t], before[:t])", "(layer(changed)[0], before[0])", "you looked at the first row only. A later row can see the future too.")
sees_future.wrong("if not torch", "if torch", "your answer is turned round: rows that stay the same are the good news.")


@sees_future.expected
def _(layer, x):
    jacobian = torch.autograd.functional.jacobian(layer, x).abs().amax(dim=(1, 3))  # (T, T): how row t of the result moves with row s of x
    return bool((jacobian.triu(1) > 0).any())


@sees_future.cases
def _(random):
    for T in (5, 3):
        for name, mix in LAYERS.items():
            yield Layer(name, mix), *_drawn(random.randrange(10**6), (T, 4))


multi_head = Exercise(
    "04.4",
    "Many heads",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        In real models a row of `q` holds the queries of all heads side by side: `n_heads` times D numbers. A row of `k` or `v` holds fewer, `n_kv_heads` times D, and each group of neighbouring query heads shares one head of keys and values: with 4 and 2, query heads 0 and 1 use the
        first, heads 2 and 3 the second. Split, share, let `causal_head` work on all heads at once, and lay the results side by side again.
        """,
    hints=("`q.view(T, n_heads, D)` cuts each row into heads. But `causal_head` wants the tokens in the last dimension but one: (heads, T, D). Which two dimensions change places?",
           "`x.view(T, n, D).transpose(0, 1)` is (n, T, D). `k.repeat_interleave(n_heads // n_kv_heads, dim=0)` gives each query head its key. At the end `.transpose(0, 1)` again, and `.flatten(1)`."),
    verified="one head, two heads, shared heads, one head for all, and 12 random shapes, against `minilm.attention` on heads cut out by slices",
    explanation="""
        `view(n_heads, T, D)` gives the right shape and the wrong numbers: it fills head 0 with the first *tokens*. Nothing complains. And `repeat` gives the order 0, 1, 0, 1 where
        `repeat_interleave` gives 0, 0, 1, 1. Shapes do not catch either; comparing numbers does.
        """,
    tolerance=1e-4,
)  # fmt: skip


@multi_head.stub
def multi_head(q, k, v, n_heads, n_kv_heads):
    """Grouped-query attention: q (T, n_heads*D); k, v (T, n_kv_heads*D); returns (T, n_heads*D)."""
    # T is len(q), D is q.shape[1] // n_heads
    # 1. cut q, k and v into heads: (heads, T, D)
    # 2. give each group of query heads its keys and values
    # 3. causal_head, and back to (T, n_heads*D)
    raise NotImplementedError


@multi_head.solution
def multi_head(q, k, v, n_heads, n_kv_heads):
    T, D = len(q), q.shape[1] // n_heads
    q = q.view(T, n_heads, D).transpose(0, 1)
    k, v = (x.view(T, n_kv_heads, D).transpose(0, 1) for x in (k, v))
    k, v = (x.repeat_interleave(n_heads // n_kv_heads, dim=0) for x in (k, v))
    mixed = causal_head(q, k, v)
    return mixed.transpose(0, 1).flatten(1)


multi_head.wrong("q.view(T, n_heads, D).transpose(0, 1)", "q.view(n_heads, T, D)", "the queries are cut across: with `view(n_heads, T, D)` the first head gets the first tokens. Cut each row, then let two dimensions change places.")
multi_head.wrong("x.view(T, n_kv_heads, D).transpose(0, 1)", "x.view(n_kv_heads, T, D)", "the keys and values are cut across. Cut each row, as for the queries, then let two dimensions change places.")
multi_head.wrong("""q = q.view(T, n_heads, D).transpose(0, 1)
    k, v = (x.view(T, n_kv_heads, D).transpose(0, 1) for x in (k, v))""", """q = q.view(n_heads, T, D)
    k, v = (x.view(n_kv_heads, T, D) for x in (k, v))""", "all three are cut across: `view(heads, T, D)` has the right shape, but puts the first tokens into the first head.")  # fmt: skip
multi_head.wrong("""q = q.view(T, n_heads, D).transpose(0, 1)
    k, v = (x.view(T, n_kv_heads, D).transpose(0, 1) for x in (k, v))
    k, v = (x.repeat_interleave(n_heads // n_kv_heads, dim=0) for x in (k, v))
    mixed = causal_head(q, k, v)
    return mixed.transpose(0, 1).flatten(1)""", """q = q.view(n_heads, T, D)
    k, v = (x.view(n_kv_heads, T, D) for x in (k, v))
    k, v = (x.repeat_interleave(n_heads // n_kv_heads, dim=0) for x in (k, v))
    mixed = causal_head(q, k, v)
    return mixed.reshape(T, -1)""", "rows are cut across at both ends: `view(heads, T, D)` puts the first tokens into the first head, and the last line puts them back the same way.")  # fmt: skip
multi_head.wrong("q.view(T, n_heads, D).transpose(0, 1)", "q.view(T, D, n_heads).permute(2, 0, 1)", "in a row the numbers of one head stand side by side: it is (T, heads, D), not (T, D, heads).")
multi_head.wrong("(x.repeat_interleave(n_heads // n_kv_heads, dim=0) for x in (k, v))", "k.repeat_interleave(n_heads // n_kv_heads, dim=0), v.repeat(n_heads // n_kv_heads, 1, 1)",
                 "the values are shared in another order than the keys: `repeat` gives 0, 1, 0, 1.")  # fmt: skip
multi_head.wrong("x.repeat_interleave(n_heads // n_kv_heads, dim=0)", "x.repeat(n_heads // n_kv_heads, 1, 1)", "the heads share in the wrong order: `repeat` gives 0, 1, 0, 1. Neighbours share, so it should be 0, 0, 1, 1.")
multi_head.wrong("mixed.transpose(0, 1).flatten(1)", "mixed.reshape(T, -1)", "at the end the heads must change places with the tokens again, before they are laid side by side.")
multi_head.wrong("mixed = causal_head(q, k, v)", "mixed = causal_head(q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1)).transpose(0, 1)",
                 "the heads of one token look at each other. It is tokens that should: they must stand in the last dimension but one.")  # fmt: skip
multi_head.wrong("mixed = causal_head(q, k, v)", "mixed = causal_head(q * n_heads**-0.5, k, v)", "the scores are too small: they are scaled by the width of the whole row. Each head has its own D.")


@multi_head.expected
def _(q, k, v, n_heads, n_kv_heads):
    from minilm.attention import attention_explicit

    D, group = q.shape[1] // n_heads, n_heads // n_kv_heads
    heads = []
    for h in range(n_heads):
        of_query, of_key = slice(h * D, (h + 1) * D), slice(h // group * D, (h // group + 1) * D)
        heads.append(attention_explicit(*(x[None, None] for x in (q[:, of_query], k[:, of_key], v[:, of_key])))[0, 0])
    return torch.cat(heads, dim=1)


@multi_head.cases
def _(random):
    for T, D, n_heads, n_kv_heads in ((2, 2, 1, 1), (3, 2, 2, 2), (3, 2, 4, 2), (4, 2, 3, 1), (5, 4, 6, 3)):
        yield *_drawn(T + n_heads, (T, n_heads * D), (T, n_kv_heads * D), (T, n_kv_heads * D)), n_heads, n_kv_heads
    for _ in range(12):
        T, D, n_kv_heads, group = random.randrange(2, 7), random.choice((2, 4)), random.randrange(1, 4), random.randrange(1, 4)
        shapes = (T, n_kv_heads * group * D), (T, n_kv_heads * D), (T, n_kv_heads * D)
        yield *_drawn(random.randrange(10**6), *shapes), n_kv_heads * group, n_kv_heads


rotate = Exercise(
    "04.5",
    "Turn by position",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Turn one query or key `x`, D numbers, to its position. Coordinate i is paired with coordinate i + D/2. Pair i turns by the angle $t\\,\\theta^{-2i/D}$, with t the position: $(a, b)$ becomes $(a\\cos - b\\sin,\\ b\\cos + a\\sin)$.
        """,
    hints=("There are D/2 pairs, so D/2 angles: `torch.arange(D // 2)` is the row of all i. Where in `x` do the first partners stand, and where the second?",
           "`first, second = x[: D // 2], x[D // 2 :]`; `angle = position * theta ** (-2 * i / D)`. The answer is `torch.cat((..., ...))` of the new first and the new second partners."),
    verified="position 0, quarter turns, two to sixteen numbers, and 20 random draws, against multiplication by a complex number",
    explanation="""
        A pair is a complex number, and to turn it is to multiply it by $e^{i\\,\\text{angle}}$: that is how the check computes it. Which coordinates make a pair is a convention, and it must be the one that the weights were trained with: Hugging Face pairs i with i + D/2,
        llama2.c pairs neighbours. Mix them up, and a good model talks nonsense (chapter 13).
        """,
    tolerance=1e-4,
)  # fmt: skip


@rotate.stub
def rotate(x, position, theta=10_000.0):
    """RoPE: turn x of shape (D,), D even, to its position; return a tensor of shape (D,)."""
    raise NotImplementedError


@rotate.solution
def rotate(x, position, theta=10_000.0):
    D = len(x)
    angle = position * theta ** (-2 * torch.arange(D // 2) / D)
    first, second = x[: D // 2], x[D // 2 :]
    cos, sin = angle.cos(), angle.sin()
    return torch.cat((first * cos - second * sin, second * cos + first * sin))


rotate.wrong("theta ** (-2", "10_000.0 ** (-2", "you wrote 10,000 into the function. The base is the argument `theta`.")
rotate.wrong("angle = position", "angle = math.pi / 180 * position", "those are degrees. The angle is in radians.")
rotate.wrong("theta ** (-2 *", "theta ** (2 *", "your pairs turn ever faster. The exponent has a minus.")
rotate.wrong("    return torch.cat((first * cos - second * sin, second", "    first = first * cos - second * sin\n    return torch.cat((first, second",
             "you turned the first partner, and then used it, turned already, for the second. Both come from the old numbers.")  # fmt: skip
rotate.wrong("position * theta", "-position * theta", "you turned the other way round. Is the sign of a sine wrong?")
rotate.wrong("(-2 * torch.arange(D // 2) / D)", "(-torch.arange(D // 2) / D)", "the pairs slow down too little: the exponent is -2i/D.")
rotate.wrong("theta ** (-2 * torch.arange(D // 2) / D)", "theta ** (0 * torch.arange(D // 2))", "all pairs turn equally fast. Pair 0 should be the fastest, and each further pair slower.")
rotate.wrong("(-2 * torch.arange(D // 2) / D)", "(-2 * torch.arange(D // 2) / (D // 2))", "the pairs slow down too fast: divide by D in the exponent, not by the number of pairs.")
rotate.wrong("second * cos + first * sin", "second * cos - first * sin", "the second partner has a wrong sign, so the pair does not keep its length: it is no turn.")
rotate.wrong("""first, second = x[: D // 2], x[D // 2 :]
    cos, sin = angle.cos(), angle.sin()
    return torch.cat((first * cos - second * sin, second * cos + first * sin))""", """first, second = x[::2], x[1::2]
    cos, sin = angle.cos(), angle.sin()
    return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=1).flatten()""",
             "you paired neighbours, as llama2.c does. Here coordinate i goes with coordinate i + D/2.")  # fmt: skip
rotate.wrong("x[: D // 2], x[D // 2 :]", "x[::2], x[1::2]", "you took neighbours as pairs, and put the turned ones into two halves. Pair i is coordinates i and i + D/2.")


@rotate.expected
def _(x, position, theta=10_000.0):
    D = len(x)
    turned = [complex(x[i], x[i + D // 2]) * complex(math.cos(angle), math.sin(angle)) for i in range(D // 2) for angle in [position * theta ** (-2 * i / D)]]
    return torch.tensor([z.real for z in turned] + [z.imag for z in turned])


@rotate.cases
def _(random):
    yield torch.tensor([1.0, 2.0, 3.0, 4.0]), 0
    yield torch.tensor([1.0, 0.0]), 1
    yield torch.tensor([1.0, 2.0, 3.0, 4.0]), 1
    yield torch.tensor([1.0, 0.5, 0.0, -1.0, 2.0, 3.0, -2.0, 1.0]), 3
    yield torch.tensor([1.0, 2.0, 3.0, 4.0]), 2, 100.0
    for _ in range(20):
        yield *_drawn(random.randrange(10**6), (random.choice((2, 4, 8, 16)),)), random.randrange(1, 100)


QUIZ = (
    Question(
        "You train a model, and its loss falls to a tenth of what others report for the same data, on unseen stories too. What it writes is nonsense. What do you check first?",
        (
            ("Whether a token can see the one that it should guess.", "With a leak the answer stands in the input, also in the unseen stories. When the model writes, there is no future to copy from, and it has learned nothing else."),
            ("Whether it has learned the training stories by heart.", "Then the loss on unseen stories would not be low."),
            ("Whether it should be larger.", "A loss that is too good is not cured by more parameters. Too good is a symptom, like too bad."),
        ),
    ),
    Question(
        "Why are scores divided by the square root of the width of a head?",
        (
            ("So that a wide head does not start with all weight on one token.", "A sum of D random products has a spread of √D. Large scores make the softmax all or nothing, and then hardly any gradient reaches the scores."),
            ("So that the weights of each token add up to one after the softmax.", "The softmax sees to that, whatever the scores are."),
            ("So that a long text does not get larger scores than a short one.", "A score belongs to two tokens; how many others there are does not enter into it."),
        ),
    ),
    Question(
        "A model has 6 query heads and 3 key and value heads. What has it saved, compared with 6 and 6?",
        (
            ("Half of what its keys and values take, in parameters and in memory.", "Keys and values of all tokens so far are kept while writing (chapter 07). That memory is what grouped queries were made for."),
            ("Half of the scores that have to be computed for each new token.", "Each of the 6 query heads still scores every token. Only what they score against is shared."),
            ("Half of the patterns: there can only be 3 different maps in a layer.", "There are 6 maps still, since each query head asks a question of its own."),
        ),
    ),
    Question(
        "With RoPE you put ten more tokens in front of a story. What becomes of the score between two tokens of the story, if their vectors before turning stay the same?",
        (
            ("It stays the same, up to rounding.", "Both are turned by ten positions more. A score depends on the angle between them, and that is what it was."),
            ("It gets smaller, since both stand further back.", "RoPE knows no \"back\", only \"how far apart\"."),
            ("It changes, because the first token was not turned and now it is.", "True of its vector, but its partner is turned by as much, so their score is what it was."),
        ),
    ),
    Question(
        "In some head the word \"She\" gives nearly all its weight to \"Mia\". What has been shown?",
        (
            ("That the weighted average of this head counts \"Mia\" most.", "No more. Whether the guess depends on it takes an experiment: change the name, and see what the model says then."),
            ("That the model knows that \"She\" is Mia.", "A map shows where a head reads. What it read, and whether anybody used it, is another question."),
            ("That the guess after \"She\" would be wrong without \"Mia\".", "Perhaps another head reads it too, or nobody needs it. Only taking it away can tell."),
        ),
    ),
)  # fmt: skip
