"""How does a gradient become a better model? The learning-rate schedule, AdamW made readable, and which parameter gets which optimizer.

The ideas in order: the rate rises from zero, then falls (`learning_rate_factor`); AdamW divides each gradient by its usual size and decays
weights apart from it (`AdamW`, the readable twin of `torch.optim.AdamW`, which trains the models); Muon instead makes each matrix's
update orthogonal, so that all its directions are learned equally fast (`Muon`); `build_optimizers` hands out the parameters.

Built by hand in: chapter 06. Left out on purpose: AMSGrad, schedules with restarts, per-layer rates.
"""

import math
from collections import defaultdict

import torch
from torch import Tensor, nn

from minilm.config import TrainConfig


def learning_rate_factor(step: int, max_steps: int, config: TrainConfig) -> float:
    """The learning rate of step 0, 1, ... max_steps - 1, as a share of its peak.

    Rises in equal steps over the first `warmup_ratio` of the run, reaches 1, and falls to `min_lr_ratio` on a line or a half cosine.

    >>> config = TrainConfig(max_steps=10, warmup_ratio=0.2, min_lr_ratio=0.1)
    >>> [round(learning_rate_factor(step, 10, config), 2) for step in (0, 1, 2, 9)]
    [0.5, 1.0, 1.0, 0.1]
    """
    warmup_steps = math.ceil(config.warmup_ratio * max_steps)
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, max_steps - 1 - warmup_steps))  # 0 at the peak, 1 at the last step
    if config.schedule == "cosine":
        progress = (1 - math.cos(math.pi * progress)) / 2
    return 1 - (1 - config.min_lr_ratio) * progress


class AdamW(torch.optim.Optimizer):
    """Adam with decoupled weight decay, one line of the paper to one line of code; equal to `torch.optim.AdamW`, only slower.

    Source: docs/SOURCES.md#adamw (algorithm 2)
    """

    def __init__(self, params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state.update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
                state["step"] += 1
                p.mul_(1 - group["lr"] * group["weight_decay"])
                state["mean"].lerp_(p.grad, 1 - beta1)  # m = beta1 m + (1 - beta1) g
                state["square"].lerp_(p.grad.square(), 1 - beta2)  # v = beta2 v + (1 - beta2) g^2
                # Both averages start at zero, so early on they are too small by a known factor.
                mean = state["mean"] / (1 - beta1 ** state["step"])
                square = state["square"] / (1 - beta2 ** state["step"])
                p.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-group["lr"])


class Muon(torch.optim.Optimizer):
    """Momentum, made orthogonal: a step of the same length in every direction that a matrix can move its output.

    The same rule as `torch.optim.Muon`, with all matrices of one shape handled together: for many small ones that takes half the time
    (docs/LOG.md, 2026-11-25). params: matrices only. dtype: of the products inside; bfloat16 where the processor is faster in it, for the
    rule forgives small errors. Source: docs/SOURCES.md#muon
    """

    def __init__(self, params, lr: float = 0.02, weight_decay: float = 0.1, momentum: float = 0.95, dtype: torch.dtype = torch.float32):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike = defaultdict(list)  # by shape, a matrix and its transpose being alike
            for p in group["params"]:
                if p.grad is not None:
                    alike[tuple(sorted(p.shape))].append(p)
            for params in alike.values():
                updates = orthogonalise(torch.stack([_wide(self._momentum(p, group["momentum"])) for p in params]), self.dtype)
                for p, update in zip(params, updates):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    rows, columns = p.shape
                    self._move(p, update if rows <= columns else update.T, -group["lr"] * math.sqrt(max(1, rows / columns)))

    def _momentum(self, p: Tensor, momentum: float) -> Tensor:
        """Average the gradients, and look one step ahead along the average (Nesterov)."""
        state = self.state[p]
        if not state:
            state["mean"] = torch.zeros_like(p)
        state["mean"].lerp_(p.grad, 1 - momentum)
        return p.grad.lerp(state["mean"], momentum)

    def _move(self, p: Tensor, update: Tensor, distance: float) -> None:
        p.add_(update, alpha=distance)


def orthogonalise(matrices: Tensor, dtype: torch.dtype = torch.float32, n_steps: int = 5) -> Tensor:
    """Bring all singular values of wide matrices (N, rows, columns) near 1 (0.7 to 1.2, mostly), by matrix products alone.

    A polynomial of odd degree changes only the singular values; this one drives them towards 1 quickly from any start.
    Source: docs/SOURCES.md#muon
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.to(dtype)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)  # no singular value is above 1 now
    for _ in range(n_steps):
        gram = x @ x.mT  # (N, rows, rows)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.type_as(matrices)


def _wide(matrix: Tensor) -> Tensor:
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


class Optimizers(list[torch.optim.Optimizer]):
    """The optimizers of a run, to be used as one: a step that one must leave out, for its gradient is not finite, all leave out."""

    @property
    def param_groups(self) -> list[dict]:
        return [group for optimizer in self for group in optimizer.param_groups]

    def step(self) -> None:
        for optimizer in self:
            optimizer.step()

    def zero_grad(self) -> None:
        for optimizer in self:
            optimizer.zero_grad(set_to_none=True)


def build_optimizers(model: nn.Module, config: TrainConfig, muon: type[Muon] = Muon) -> Optimizers:
    """Make the optimizers of a run; each parameter group keeps its peak learning rate as "max_lr".

    Matrices of the blocks go to Muon (or to AdamW with weight decay); the embedding, the head and the norms to AdamW without decay.
    muon: another class for split matrices (`minilm.distributed`).
    """
    in_blocks = [p for name, p in model.named_parameters() if name.startswith("blocks.") and p.ndim == 2]
    matrices = {id(p) for p in in_blocks}
    others = [p for p in model.parameters() if id(p) not in matrices]
    groups = [{"params": others, "weight_decay": 0.0}]
    optimizers = Optimizers()
    if config.optimizer == "muon":
        dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
        optimizers.append(muon(in_blocks, lr=config.muon_lr, weight_decay=config.weight_decay, dtype=dtype))
    else:
        groups.append({"params": in_blocks, "weight_decay": config.weight_decay})
    optimizers.append(torch.optim.AdamW(groups, lr=config.max_lr, betas=(config.beta1, config.beta2), fused=True))
    for group in optimizers.param_groups:
        group["max_lr"] = group["lr"]
    return optimizers


def clip_gradients(parameters: list[Tensor], max_norm: float) -> Tensor:
    """Scale all gradients together so that their joint length is at most `max_norm`; return the length they had."""
    return nn.utils.clip_grad_norm_(parameters, max_norm)
