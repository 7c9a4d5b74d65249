"""Exercises and quiz of chapter 06: how does a model learn? The learner writes AdamW, the schedule, clipping and accumulation; PyTorch's optimizer, interpolation and the large batch are the judges."""

import math
from dataclasses import dataclass
from random import Random

import numpy as np
import torch

from minilm.course.exercise import Exercise, Question

first_moves = Exercise(
    "06.1",
    "The first step",
    kind="estimate by hand",
    minutes=5,
    difficulty=1,
    prompt="""
        Two weights, both at 1. At the very first step their gradients are 0.0002 and -300. The learning rate is 0.01, and there is no weight decay. Where do the two weights stand after one step of AdamW? Work through the five formulas above with paper and pencil; you may forget the tiny $\\epsilon$.
        """,
    hints=("At the first step both averages start at zero. What is m after it, as a multiple of the gradient g? And what does dividing by 1 - β₁ make of that?",
           "The corrected m is g itself, and the corrected v is g². What is g divided by the root of g², for a positive g and for a negative one?"),
    verified="against `torch.optim.AdamW`",
    explanation="""
        g divided by the root of g² is 1 or -1. So the first step of Adam is one learning rate long for *every* weight that has a gradient, whether that is a breath or a storm. Only the direction counts. Later steps are about as long while
        the gradients agree with each other, and shorter when they do not. That is why one rate suits all the parts of a model, and why a rate that is too high is too high everywhere at once.
        """,
    tolerance=1e-3,
    stub="first_moves = ...  # a pair, (first weight, second weight)",
    solution="first_moves = (1 - 0.01, 1 + 0.01)",
)  # fmt: skip
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(1 - 0.01 * 0.0002, 1 + 0.01 * 300)", "that is plain descent, learning rate times gradient. AdamW divides each gradient by its usual size.")
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(1 + 0.01, 1 - 0.01)", "the sizes are right, the directions are not: a step goes against the gradient.")
first_moves.wrong("1 + 0.01", "1 - 0.01", "the second gradient is negative, so its weight moves the other way.")
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(1 - 0.001, 1 + 0.001)", "ten times too short: m after the first step is a tenth of the gradient, but dividing by 1 - β₁ makes up for that.")
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(1 - 0.01 * 0.1 / 0.05**0.5, 1 + 0.01 * 0.1 / 0.05**0.5)", "you left out both corrections, the divisions by 1 - β₁ and 1 - β₂. At the first step they matter most.")
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(1 - 0.01 / 0.05**0.5, 1 + 0.01 / 0.05**0.5)", "you corrected m, but not v: divide it by 1 - β₂.")
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(0.0, 2.0)", "the directions are right; the learning rate is missing.")
first_moves.wrong("(1 - 0.01, 1 + 0.01)", "(-0.01, 0.01)", "you gave the moves. The question is where the weights stand after them, and they began at 1.")


def _by_torch(w, grad, state, lr, betas, eps, decay):
    """One step of torch.optim.AdamW from a given state."""
    mean, square, step = state
    parameter = torch.nn.Parameter(w.clone())
    optimizer = torch.optim.AdamW([parameter], lr=lr, betas=betas, eps=eps, weight_decay=decay, foreach=False)
    optimizer.state[parameter] = {"step": torch.tensor(float(step)), "exp_avg": mean.clone(), "exp_avg_sq": square.clone()}
    parameter.grad = grad.clone()
    optimizer.step()
    after = optimizer.state[parameter]
    return parameter.detach(), (after["exp_avg"], after["exp_avg_sq"], int(after["step"]))


@first_moves.expected
def _():
    zero = torch.zeros(2)
    moved, _ = _by_torch(torch.ones(2), torch.tensor([0.0002, -300.0]), (zero, zero, 0), 0.01, (0.9, 0.95), 1e-8, 0.0)
    return tuple(float(weight) for weight in moved)


adamw_step = Exercise(
    "06.2",
    "AdamW",
    kind="implement",
    minutes=15,
    difficulty=3,
    prompt="""
        Now write it. `state` is what the optimizer remembers about `w`: both averages, and how many steps it has made. Return the new weights and the new state, as new tensors: whoever called you may still need the old ones.
        """,
    hints=("Count the step first: the corrections of the first step are 1 - β₁ and 1 - β₂, not 1 - β₁⁰, which is zero.",
           "`mean = beta1 * mean + (1 - beta1) * grad`, and `square` alike with `grad * grad`. Decay: `w = w * (1 - lr * decay)`. Then take away lr times corrected mean over (root of corrected square, plus eps)."),
    verified="first steps, later steps, large decay, tiny gradients where eps counts, and 12 random draws, against `torch.optim.AdamW`",
    explanation="""
        Three lines remember, two correct, one shrinks, one moves. The W in the name is the line that shrinks: weight decay stands *apart* from the gradient. In plain Adam it was added to the gradient, and then divided by its usual size like everything else, so that weights with
        large gradients hardly decayed. The memory has a price: two more numbers for each weight.
        """,
    tolerance=1e-4,
)  # fmt: skip


@adamw_step.stub
def adamw_step(w, grad, state, lr, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
    """One step of AdamW. state: (mean, square, step). Returns the new w and the new state."""
    mean, square, step = state
    beta1, beta2 = betas
    # 1. count the step
    # 2. move both averages towards grad and grad * grad
    # 3. correct both for having started at zero
    # 4. let w decay, then step
    raise NotImplementedError


@adamw_step.solution
def adamw_step(w, grad, state, lr, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
    mean, square, step = state
    beta1, beta2 = betas
    step = step + 1
    mean = beta1 * mean + (1 - beta1) * grad
    square = beta2 * square + (1 - beta2) * grad * grad
    mean_now = mean / (1 - beta1**step)
    square_now = square / (1 - beta2**step)
    w = w * (1 - lr * decay)
    w = w - lr * mean_now / (square_now.sqrt() + eps)
    return w, (mean, square, step)


adamw_step.wrong("mean_now = mean / (1 - beta1**step)\n    square_now = square / (1 - beta2**step)", "mean_now, square_now = mean, square", "the averages are not corrected for having started at zero, so the first steps have a wrong length.")
adamw_step.wrong("mean / (1 - beta1**step)", "mean", "the average of the gradients is not corrected: at the first step it is ten times too small.")
adamw_step.wrong("square / (1 - beta2**step)", "square", "the average of the squares is not corrected: at the first step it is twenty times too small, and the step over four times too long.")
adamw_step.wrong("return w, (mean, square, step)", "return w, (mean_now, square_now, step)", "you keep the corrected averages. They would be corrected again at the next step; keep the raw ones.")
adamw_step.wrong("(square_now.sqrt() + eps)", "(square_now + eps).sqrt()", "eps stands under the root. Added after it, it counts only where gradients are as small as eps itself.")
adamw_step.wrong(" / (square_now.sqrt() + eps)", " / (square_now + eps)", "you divide by the mean square. Take its root: otherwise twice the gradient gives half the step.")
adamw_step.wrong("(1 - lr * decay)", "(1 - decay)", "the decay is not multiplied by the learning rate, so weights shrink by a fixed share at each step, even at the end when nothing else moves.")
adamw_step.wrong("w = w * (1 - lr * decay)\n    w = w - lr * mean_now / (square_now.sqrt() + eps)", "w = w - lr * mean_now / (square_now.sqrt() + eps)\n    w = w * (1 - lr * decay)", "you step first and decay after, so the decay shrinks the step too. The order is: decay, then step.")
adamw_step.wrong("    mean = beta1", "    grad = grad + decay * w\n    decay = 0\n    mean = beta1", "you add the decay to the gradient. That is Adam with a penalty, the older way; the W stands for keeping the two apart.")
adamw_step.wrong("    w = w * (1 - lr * decay)\n", "", "the weights do not decay.")
adamw_step.wrong("w - lr * mean_now", "w + lr * mean_now", "you step along the gradient, so the loss grows. Against it.")
adamw_step.wrong("beta2 * square + (1 - beta2) * grad * grad", "beta2 * square + (1 - beta2) * mean * mean", "you square the average. What is averaged are the squares of the gradients themselves.")
adamw_step.wrong("beta1 * mean + (1 - beta1) * grad\n", "(1 - beta1) * mean + beta1 * grad\n", "the two shares are exchanged in the average of the gradients: β₁, the large one, belongs to what is remembered.")
adamw_step.wrong("beta2 * square + (1 - beta2) * grad * grad", "beta1 * square + (1 - beta1) * grad * grad", "the squares have a memory of their own: it is β₂ there.")
adamw_step.wrong("beta1, beta2 = betas", "beta2, beta1 = betas", "the two betas are exchanged: the first belongs to the average of the gradients, the second to that of the squares.")
adamw_step.wrong("(1 - beta1**step)\n    square_now = square / (1 - beta2**step)", "(1 - beta1)\n    square_now = square / (1 - beta2)", "the corrections lack the power: 1 - β to the power of the step. Only at the first step is that 1 - β.")
adamw_step.wrong("beta1 * mean + (1 - beta1) * grad\n", "beta1 * mean + grad\n", "the new gradient goes into its average whole. It should count as 1 - β₁, and what is remembered as β₁.")
adamw_step.wrong("return w, (mean, square, step)", "return w, (mean, square, step - 1)", "you return the old count of steps. The next step must find the new one.")
adamw_step.wrong(" / (square_now.sqrt() + eps)", " / square_now.sqrt()", "eps is missing. It counts where gradients are tiny.")
adamw_step.wrong("    step = step + 1\n", "", "the step is not counted. So at the first one both corrections divide by 1 - β⁰, which is zero.")
adamw_step.wrong("(1 - beta1**step)\n    square_now = square / (1 - beta2**step)", "(1 - beta1 ** (step - 1))\n    square_now = square / (1 - beta2 ** (step - 1))", "the corrections use the old count. For the first step that is 0, and they divide by zero: count first.")
adamw_step.wrong("    step = step + 1\n", "    step = step + 2\n", "the step is counted twice. It grows by one, and the corrections use the new number.")


@adamw_step.expected
def _(w, grad, state, lr, betas=(0.9, 0.95), eps=1e-8, decay=0.1):
    return _by_torch(w, grad, state, lr, betas, eps, decay)


def _drawn(seed: int, *shapes: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    """Tensors of normal numbers, always the same for a seed."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


@adamw_step.cases
def _(random):
    yield torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0]), (torch.zeros(2), torch.zeros(2), 0), 0.1
    yield torch.tensor([1.0, -2.0]), torch.tensor([0.5, -1.0]), (torch.tensor([0.05, 0.3]), torch.tensor([0.0125, 0.45]), 1), 0.1
    yield torch.tensor([2.0, -3.0]), torch.tensor([0.5, 1.0]), (torch.tensor([0.1, -0.2]), torch.tensor([0.3, 0.1]), 3), 0.5, (0.9, 0.95), 1e-8, 0.8
    yield torch.tensor([1.0, 2.0]), torch.tensor([1e-3, -2e-3]), (torch.tensor([1e-3, 0.0]), torch.tensor([1e-6, 1e-6]), 7), 0.1, (0.8, 0.99), 1e-3, 0.0
    for _ in range(12):
        w, grad, mean, square = _drawn(random.randrange(10**6), (2, 3), (2, 3), (2, 3), (2, 3))
        yield w, grad, (0.3 * mean, square.square(), random.randrange(1, 30)), random.choice((0.03, 0.3)), (0.9, 0.95), 1e-8, random.choice((0.1, 0.5))


rate_factor = Exercise(
    "06.3",
    "The schedule",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        Give the learning rate of each step as a share of its peak. Steps count from 0. In the first `n_warmup` steps it rises in equal parts: 1/n, 2/n, ... up to 1. Then it falls, from 1 at step `n_warmup` to 0 at the very last step: on a line, or on half a wave, `(1 + cos(π · progress)) / 2`, where
        progress goes from 0 to 1 on the way down.
        """,
    hints=("What is the share of step 0 when there are 4 steps of warm-up? Not zero: a step at rate zero would be wasted. And which number has the last step of n_steps, if counting begins at 0?",
           "Warm-up: `(step + 1) / n_warmup`. After that `progress = (step - n_warmup) / (n_steps - 1 - n_warmup)`, and on the line the share is `1 - progress`."),
    verified="every step of five schedules of both shapes, with and without warm-up, and 20 random steps, against interpolation between the corners",
    explanation="""
        The off-by-one errors at both ends are easy to make and seldom found. Begin at zero, and the first step does nothing; miss the end by one, and the last step is not the smallest. `minilm.optim.learning_rate_factor` is this function with a floor that need not be zero.
        """,
    tolerance=1e-6,
)  # fmt: skip


@rate_factor.stub
def rate_factor(step, n_steps, n_warmup, shape="linear"):
    """The rate of a step (0 to n_steps - 1) as a share of the peak; shape: "linear" or "cosine"."""
    raise NotImplementedError


@rate_factor.solution
def rate_factor(step, n_steps, n_warmup, shape="linear"):
    if step < n_warmup:
        return (step + 1) / n_warmup
    progress = (step - n_warmup) / (n_steps - 1 - n_warmup)
    if shape == "cosine":
        return (1 + math.cos(math.pi * progress)) / 2
    return 1 - progress


rate_factor.wrong("(step + 1) / n_warmup", "step / n_warmup", "the first step has rate zero, so it does nothing. Step 0 should already have its share, one part of n.")
rate_factor.wrong("(n_steps - 1 - n_warmup)", "(n_steps - n_warmup)", "the last step does not reach 0: counting begins at 0, so its number is n_steps - 1.")
rate_factor.wrong("(step - n_warmup) / (n_steps - 1 - n_warmup)", "step / (n_steps - 1)", "the way down begins at step 0 instead of after the warm-up, so the rate falls off a cliff there.")
rate_factor.wrong("(step - n_warmup) / (n_steps - 1 - n_warmup)", "(step - n_warmup) / (n_steps - 1)", "the way down has n_steps - 1 - n_warmup parts, not n_steps - 1: part of the run is gone already.")
rate_factor.wrong("(step - n_warmup) /", "(step + 1 - n_warmup) /", "the way down is one step early: at step n_warmup the rate should still be at its peak.")
rate_factor.wrong("(1 + math.cos(math.pi * progress)) / 2", "math.cos(math.pi / 2 * progress)", "that is a quarter of a wave: it arrives steeply. Half a wave leaves gently and arrives gently.")
rate_factor.wrong("(1 + math.cos(math.pi * progress)) / 2", "math.cos(math.pi * progress)", "your cosine goes down to -1: a negative rate would climb. Bring it to between 0 and 1.")
rate_factor.wrong("(1 + math.cos(math.pi * progress)) / 2", "(1 - math.cos(math.pi * progress)) / 2", "your cosine rises. It should come down from 1 to 0.")
rate_factor.wrong("(1 + math.cos(math.pi * progress)) / 2", "(1 + math.cos(progress)) / 2", "half a wave is π long: the cosine of `progress` alone stops a third of the way.")
rate_factor.wrong("return 1 - progress", "return progress", "after the warm-up your line rises. It should fall from 1 to 0.")
rate_factor.wrong("step < n_warmup", "step <= n_warmup and n_warmup", "the warm-up lasts one step too long: at step n_warmup the rate is beyond its peak.")
rate_factor.wrong('shape == "cosine"', "True", "the shape is ignored: it is always half a wave.")
rate_factor.wrong("(1 + math.cos(math.pi * progress)) / 2", "1 + math.cos(math.pi * progress)", "your wave goes from 2 to 0. Divide by 2.")
rate_factor.wrong("(step + 1) / n_warmup", "(step + 1) / (n_warmup + 1)", "the warm-up has n_warmup parts: its last step, number n_warmup - 1, has the whole rate.")
rate_factor.wrong('shape == "cosine"', "False", "the shape is ignored: it is always a line.")


@rate_factor.expected
def _(step, n_steps, n_warmup, shape="linear"):
    if step < n_warmup:
        return float(np.interp(step, [-1, n_warmup - 1], [0, 1]))
    left = float(np.interp(step, [n_warmup, n_steps - 1], [1, 0]))
    return left if shape == "linear" else math.sin(math.pi / 2 * left) ** 2


@rate_factor.cases
def _(random):
    for n_steps, n_warmup, shape in ((7, 2, "linear"), (7, 2, "cosine"), (5, 0, "linear"), (6, 0, "cosine"), (9, 4, "cosine")):
        yield from ((step, n_steps, n_warmup, shape) for step in range(n_steps))
    for _ in range(20):
        n_steps = random.randrange(20, 500)
        yield random.randrange(n_steps), n_steps, random.randrange(n_steps // 2), random.choice(("linear", "cosine"))


clip_together = Exercise(
    "06.4",
    "Clipping",
    kind="implement",
    minutes=5,
    difficulty=2,
    prompt="""
        `gradients` is a list of tensors, one for each parameter. Think of all their numbers as one long vector. If that is longer than `max_norm`, scale *everything* by the same factor, so that its length becomes `max_norm`; if not, leave it as it is. Return a new list.
        """,
    hints=("The length of the long vector is the root of the sum of all squares, over all tensors. Do you need to build the vector?",
           "`norm = sum((g**2).sum() for g in gradients) ** 0.5`; the factor is `max_norm / norm`, but never more than 1: `min(1.0, max_norm / norm)`."),
    verified="long and short gradients, one tensor and several, and 12 random draws, against `torch.nn.utils.clip_grad_norm_`",
    explanation="""
        One factor for all keeps the direction: the gradient is shorter, but still points the same way. (If all gradients are exactly zero, this divides by zero; PyTorch adds a millionth to the norm.)
        """,
    tolerance=1e-4,
)  # fmt: skip


@clip_together.stub
def clip_together(gradients, max_norm):
    """Scale tensors together so that their joint length is at most max_norm; return a new list."""
    raise NotImplementedError


@clip_together.solution
def clip_together(gradients, max_norm):
    norm = sum((g**2).sum() for g in gradients) ** 0.5
    factor = min(1.0, max_norm / norm)
    return [g * factor for g in gradients]


clip_together.wrong("[g * factor for g in gradients]", "[g * min(1.0, max_norm / g.norm()) for g in gradients]", "each tensor is clipped by itself, so the direction changes. There is one length, that of all numbers together.")
clip_together.wrong("[g * factor for g in gradients]", "[g.clamp(-max_norm, max_norm) for g in gradients]", "you cut each number at the limit. That changes the direction; scale all of them by one factor.")
clip_together.wrong("min(1.0, max_norm / norm)", "max_norm / norm", "short gradients are made longer. Clipping only ever shortens.")
clip_together.wrong(" ** 0.5", "", "that is the length squared. Take the root.")
clip_together.wrong("sum((g**2).sum() for g in gradients) ** 0.5", "sum(g.norm() for g in gradients)", "the lengths of the tensors are added up. The length of all together is the root of the sum of *squares*.")
clip_together.wrong("sum((g**2).sum() for g in gradients) ** 0.5", "max(g.norm() for g in gradients)", "you took the longest tensor's length. All numbers count, in all tensors.")
clip_together.wrong("sum((g**2).sum() for g in gradients) ** 0.5", "sum(abs(g).sum() for g in gradients)", "you added up absolute values. A length is the root of a sum of squares.")
clip_together.wrong("min(1.0, max_norm / norm)", "(max_norm / norm if norm > max_norm else 0.0)", "gradients that are short enough came back as zeros. Leave them as they are.")
clip_together.wrong("min(1.0, max_norm / norm)", "max(1.0, norm / max_norm)", "the factor is turned over: long gradients get longer. It is max_norm over the length.")
clip_together.wrong("min(1.0, max_norm / norm)", "min(1.0, 1.0 / norm)", "the limit is always 1. Use max_norm.")


@clip_together.expected
def _(gradients, max_norm):
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, g in zip(parameters, gradients):
        parameter.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(parameters, max_norm)
    return [parameter.grad for parameter in parameters]


@clip_together.cases
def _(random):
    yield [torch.tensor([3.0]), torch.tensor([4.0])], 1.0
    yield [torch.tensor([0.3]), torch.tensor([0.4])], 1.0
    yield [torch.tensor([3.0, 0.1]), torch.tensor([[0.2], [4.0]])], 2.0
    for _ in range(12):
        yield list(_drawn(random.randrange(10**6), (3,), (2, 2), (1,))), random.choice((0.5, 1.5, 20.0))


@dataclass(frozen=True)
class MeanLoss:
    """The mean squared error of a line through (x, y) rows, as a function with a name to show; it takes no more than `memory` rows at once."""

    memory: int

    def __call__(self, w: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        if len(rows) > self.memory:
            raise MemoryError(f"{len(rows)} rows at once; no more than {self.memory} fit into the memory. Call mean_loss once for each part")
        return ((rows[:, :-1] @ w - rows[:, -1]) ** 2).mean()

    def __repr__(self) -> str:
        return "mean_loss"


accumulated_gradient = Exercise(
    "06.5",
    "The large batch in parts",
    kind="implement",
    minutes=10,
    difficulty=2,
    prompt="""
        A batch is too large for the memory, so it comes in `parts`, and these need not have the same number of rows. `mean_loss(w, part)` is the mean over the rows of one part (in the check `((part[:, :-1] @ w - part[:, -1]) ** 2).mean()`). Call `backward` once for each part; the gradients add up by themselves in `w.grad`. The sum must be the gradient of the mean loss over *all* rows, as if they
        had come at once.
        """,
    hints=("Write the mean over all rows as a sum over parts. With which weight does the mean of a part stand in it?",
           "A part of 2 rows among 8 counts 2/8: `(mean_loss(w, part) * len(part) / n_rows).backward()`. Begin with `w = w.clone().requires_grad_()`, so that the caller's tensor stays as it is, and return `w.grad`."),
    verified="equal parts, unequal parts, one part, a part of one row, and 12 random splits, against one backward pass through the whole batch",
    explanation="""
        If all parts are equally large, this is the same as dividing each loss by the number of parts, which is what `minilm.train` does: its windows all have the same number of tokens. Where parts differ, because short texts were filled up with padding, say, dividing by the number of parts is
        wrong, and quietly so: a row in a small part counts for more.
        """,
    tolerance=1e-4,
)  # fmt: skip


@accumulated_gradient.stub
def accumulated_gradient(mean_loss, w, parts):
    """The gradient by w of the mean loss over all rows of all parts, one backward pass for each part."""
    # w = w.clone().requires_grad_(), so that gradients gather in w.grad
    raise NotImplementedError


@accumulated_gradient.solution
def accumulated_gradient(mean_loss, w, parts):
    n_rows = sum(len(part) for part in parts)
    w = w.clone().requires_grad_()
    for part in parts:
        (mean_loss(w, part) * len(part) / n_rows).backward()
    return w.grad


accumulated_gradient.wrong("(mean_loss(w, part) * len(part) / n_rows)", "mean_loss(w, part)", "nothing is divided: with four parts the gradient is four times too long. This is the classic mistake.")
accumulated_gradient.wrong("* len(part) / n_rows", "/ len(parts)", "you divide by the number of parts. That is right only if all have the same number of rows; else rows of small parts count too much.")
accumulated_gradient.wrong(" / n_rows", "", "that is the gradient of the sum over all rows. Divide by how many there are.")
accumulated_gradient.wrong("* len(part) / n_rows", "/ n_rows", "the loss of a part is a mean already; weigh it by the rows of the part before dividing by all.")
accumulated_gradient.wrong("* len(part) / n_rows", "* n_rows / len(part)", "the weight is turned over: a part of 2 rows among 8 counts 2/8.")
accumulated_gradient.wrong("* len(part) / n_rows", "/ len(part)", "the loss of a part is a mean already. You divided it by its rows once more.")
accumulated_gradient.wrong("    for part in parts:\n", "    for part in parts:\n        w.grad = None\n", "the gradient is thrown away before each part, so only the last one counts. Here adding up is what we want.")
accumulated_gradient.wrong("for part in parts:", "for part in parts[:-1] or parts:", "the last part is left out.")
accumulated_gradient.wrong("for part in parts:", "for part in parts[:1]:", "only the first part is used. Is the `return` inside the loop?")


@accumulated_gradient.expected
def _(mean_loss, w, parts):
    whole = torch.cat(list(parts))
    return torch.autograd.functional.jacobian(lambda w: MeanLoss(len(whole))(w, whole), w)


@accumulated_gradient.cases
def _(random):
    rows = torch.tensor([[1.0, 2.0], [2.0, 1.0], [3.0, 0.0], [4.0, 5.0]])
    yield MeanLoss(2), torch.tensor([0.5]), [rows[:2], rows[2:]]
    yield MeanLoss(3), torch.tensor([0.5]), [rows[:1], rows[1:]]
    yield MeanLoss(4), torch.tensor([0.5]), [rows]
    for _ in range(12):
        table, w = _drawn(random.randrange(10**6), (9, 4), (3,))
        cuts = sorted(random.sample(range(1, 9), 3))
        parts = [table[a:b] for a, b in zip([0, *cuts], [*cuts, 9])]
        yield MeanLoss(max(map(len, parts))), w, parts


diagnosis = Exercise(
    "06.6",
    "Six patients",
    kind="predict and measure",
    minutes=10,
    difficulty=2,
    prompt="""
        Which curve of figure 4 belongs to which fault? Give the six letters as one word, in the order of the faults:

        1. the learning rate is fifteen times too high
        2. gradients are never set to zero
        3. targets are not shifted: the token itself is the target
        4. every token sees the future
        5. there is no warm-up, at the bold rate
        6. the head begins with numbers far too large

        Three questions sort them: Where does the curve *begin*? *When* does it leave the healthy one? Where does it *end*, and is that possible for an honest model?
        """,
    hints=("Two end far too low: one of them needs only to copy, the other must first learn to look one place ahead, which takes longer. One begins where no curve should.",
           "Three are left. Old gradients, never thrown away, push on and on, so the curve is not calm even at the end, when the rate is nearly zero. The other two stumble early. With a rate that is far too high everything but the frequencies (the dotted line) is shaken out for good; where only the warm-up is missing, learning goes on after the stumble."),
    verified="against the settings that the six runs were made with",
    explanation="""
        The rate fifteen times too high: it falls, climbs while the rate rises, and stays near the level of frequencies. No zero_grad: like the healthy run for ten steps, then up and never calm. Targets not shifted: to nothing, fast. A leaking mask: healthy for a while, then impossibly good. No warm-up: it stumbles in the first steps, then learns, but
        stays behind its twin. The head: a first loss far above ln V, spent on coming down.
        """,
    stub='diagnosis = ...  # such as "ABCDEF"',
    solution='diagnosis = "EADBFC"',
)  # fmt: skip


@diagnosis.expected
def _():
    letters = Random(6).sample("ABCDEF", 6)  # as the notebook deals them
    return "".join(letters)
diagnosis.wrong("EADBFC", "EABDFC", "the two that end far too low are exchanged. To copy what one sees is learned at once; to look one place ahead must be found first.")
diagnosis.wrong("EADBFC", "FADBEC", "the missing warm-up and the rate that is far too high are exchanged. Which of the two still learns something after its trouble, and which stays at the level of frequencies?")
diagnosis.wrong("EADBFC", "AEDBFC", "the rate and the missing zero_grad are exchanged. At the end the rate falls to zero: with a rate alone to blame, the curve comes to rest.")
diagnosis.wrong("EADBFC", "EFDBAC", "the missing zero_grad and the missing warm-up are exchanged. Old gradients need some steps to pile up, and they push to the very end; a missing warm-up hurts at once, and then it is over.")
diagnosis.wrong("EADBFC", "FEDBAC", "rate, zero_grad and warm-up have gone round in a circle. Ask of each: when does it leave the healthy curve, and does it calm down?")
diagnosis.wrong("EADBFC", "AFDBEC", "rate, zero_grad and warm-up have gone round in a circle. Which is the one that recovers, and learns more than frequencies?")
diagnosis.wrong("EADBFC", "eadbfc", "the letters are right; write them in capitals.")
diagnosis.wrong("EADBFC", "E A D B F C", "the letters are right; write them without blanks.")
diagnosis.wrong("EADBFC", "BDFCAE", "you went through the curves and wrote down their faults. Go through the faults, and write down their curves.")


QUIZ = (
    Question(
        "A fresh model with 4,096 ids in its vocabulary is given its first batch. The loss is 31. What do you know?",
        (
            ("The model is sure of things it cannot know: its first scores are too large.", "Even guesses cost ln 4,096, about 8.3. To lose 31 nats a model must have put its money on wrong ids, before it has seen anything. Look at how the head is drawn."),
            ("The learning rate is too high: the first step has thrown the weights far away.", "The first loss is computed before the first step. No rate has had a chance to do harm."),
            ("The text is hard: with so many ids a loss of 31 is what one expects at first.", "Whatever the text, even guesses cost ln V, here 8.3. Nobody has to lose more than that."),
        ),
    ),
    Question(
        "You gather gradients over four equal parts and forget to divide. The optimizer is AdamW, nothing is clipped. What happens to the steps?",
        (
            ("They stay nearly the same, since AdamW divides by the usual size of the gradient.", "The gradient is four times too long, and so is its usual size. That is why this bug can live for years. With clipping, or another optimizer, it bites."),
            ("They become four times as long, as with four times the learning rate.", "So it is in plain descent. AdamW divides by the usual size of the gradient, which has grown as much."),
            ("They become shorter, since AdamW divides by the squares of the gradients.", "It divides by the root of the mean square. Numerator and denominator both grow fourfold."),
        ),
    ),
    Question(
        "A checkpoint holds the weights and the number of the step, but not the optimizer's averages. You go on from it. What do you get?",
        (
            ("Another run than the one that was cut off, if perhaps not a much worse one.", "AdamW has forgotten how large gradients usually are, and must find out again. Nothing warns you; only comparing with an uninterrupted run shows it."),
            ("The same run, since what a model has learned lies in its weights alone.", "What the *model* has learned, yes. The next step also depends on both averages."),
            ("A run that begins again near ln V, as if nothing had been learned.", "The weights are there, so the loss starts where it was. It is the next steps that differ."),
        ),
    ),
    Question(
        "Step 812 of a long run gives NaN. What do you do first?",
        (
            ("Go on from the checkpoint before, look at each step, and find the first number that is not finite.", "With the same seed it happens at the same step. Then you have the batch and the weights at hand, and can ask which part made it."),
            ("Skip every batch whose loss is not finite, and let the run go on with the batches that are good.", "If the weights are NaN already, all further batches are. And if they are not, the cause is still there."),
            ("Start anew with a tenth of the learning rate and a warm-up that is twice as long.", "Often the rate was the cause. But a division by zero, or a bad row in the data, comes back whatever the rate, after all that computing."),
        ),
    ),
    Question(
        "In a sweep the rates 0.01, 0.02 and 0.05 end with the same loss up to noise, and 0.2 is a disaster. Which do you take for your real run, as long as these, with another seed?",
        (
            ("0.01 or 0.02: among equals, those that are far from both edges.", "Where all are equal keep away from the edge: another seed may meet more bad luck. (For a longer run try again: the best rate depends on the length.)"),
            ("0.05: the highest that works learns fastest, as the sweep has shown for you.", "It showed that 0.05 is no faster than 0.01, and that it is the one nearest to the edge."),
            ("0.0001: the smaller the rate, the safer the run, and it gets there too.", "In figure 5 a rate a quarter of the valley's lowest cost a whole nat: with so many steps, short ones do not get there."),
        ),
    ),
)  # fmt: skip
