"""What does the machine decide? Its device, in which precision it computes, whether compiling pays; and whether its numbers are right.

The ideas in order: `plan` replaces every `auto` of a training by what suits the machine and the budget, which takes a look at how fast it multiplies
(`matrix_flops`); `autocast` is the precision of a run; a device or precision that is not everywhere sound is first compared with the CPU (`check_device`).

Used in: chapter 06, by `minilm.train`. Left out on purpose: several devices (`minilm.distributed`), and sharing one with other programs.
"""

import time

import torch
from torch import Tensor

from minilm.config import TrainConfig
from minilm.loss import chunked_cross_entropy
from minilm.model import Transformer

# Seconds of training after which compiling, which takes 10 to 60 of them, is repaid: it saves a quarter or more of the rest in
# bfloat16, but on a CPU in float32 sometimes only a fiftieth (docs/LOG.md, 2026-11-25).
COMPILE_PAYS_AFTER = {"bfloat16": 180, "float16": 180, "float32": 1800}
CPU_FLOPS = 1e11  # a rough guess at FLOP/s of a laptop, good enough to tell a short run from a long one
# How far the first numbers of a device may be from the CPU's in float32. Rounding makes 0.0003 to 0.0012 of difference in float16 and 0.003 to
# 0.009 in bfloat16 (4 to 12 layers, on a CPU); a mask that is ignored, say, makes 0.4 to 1.2.
SAME_AS_CPU = 0.02


def plan(model: Transformer, config: TrainConfig) -> TrainConfig:
    """Replace every `auto` by what suits this machine and this budget, so that the record of a run says what was used."""
    device = config.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if (device == "cuda" and not torch.cuda.is_available()) or (device == "mps" and not torch.backends.mps.is_available()):
        raise ValueError(f"device is {device!r}, but PyTorch {torch.__version__} finds none here; leave it at auto, or take cpu")
    precision = config.precision
    if precision == "auto" and device == "cuda":
        precision = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    elif precision == "auto":
        precision = "bfloat16" if _bfloat16_is_faster(device) else "float32"
    compiling = config.compile
    if compiling == "auto":
        compiling = "yes" if _expected_seconds(model, config) > COMPILE_PAYS_AFTER[precision] else "no"
    return config.replace(device=device, precision=precision, compile=compiling)


def _expected_seconds(model: Transformer, config: TrainConfig) -> float:
    if config.minutes is not None:
        return 60 * config.minutes
    return 6 * model.n_params * config.n_tokens(model.config.context_length) / CPU_FLOPS


def _bfloat16_is_faster(device: str) -> bool:
    """A processor without bfloat16 units is many times slower in it."""
    return matrix_flops(device, torch.bfloat16) > 1.25 * matrix_flops(device, torch.float32)


def matrix_flops(device: str, dtype: torch.dtype) -> float:
    """Operations a second of a matrix product, the best of ten: other programs may be busy."""
    side = 8192 if device == "cuda" else 1024
    a, rates = torch.ones(side, side, dtype=dtype, device=device), []
    for _ in range(10):
        start = time.perf_counter()
        (a @ a)[0, 0].item()  # waits for the device
        rates.append(2 * side**3 / (time.perf_counter() - start))
    return max(rates)


def autocast(config: TrainConfig) -> torch.autocast:
    """Inside it, matrices are multiplied in the precision of a run; weights and their gradients stay in float32."""
    return torch.autocast(config.device, getattr(torch, config.precision), enabled=config.precision != "float32")


@torch.no_grad()
def check_device(model: Transformer, config: TrainConfig, tokens: Tensor, targets: Tensor) -> None:
    """Compare what a model makes of a batch, both (B, T), on its device and in its precision with what the CPU makes of it in float32.

    An untrained model's loss is ln(vocab_size) whatever goes wrong before the head, so what the head reads is compared too.
    Raises ValueError when they are further apart than SAME_AS_CPU, or the device cannot do it at all.
    """

    def look(config: TrainConfig) -> tuple[Tensor, Tensor]:
        with autocast(config):
            hidden = model.to(config.device).hidden(tokens.to(config.device))
            loss = chunked_cross_entropy(hidden, model.lm_head.weight, targets.to(config.device))
        return hidden.float().cpu(), loss.cpu()

    right = look(config.replace(device="cpu", precision="float32"))
    try:
        ours = look(config)
    except NotImplementedError as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise ValueError(f"{config.device} cannot compute in {config.precision} ({reason}); take --precision float32 or --device cpu") from error
    gaps = [((one - other).norm() / other.norm()).item() for one, other in zip(ours, right)]
    if not all(gap <= SAME_AS_CPU for gap in gaps):  # nor for what is no number
        raise ValueError(f"{config.device} in {config.precision} computes something else than the CPU in float32: what the head reads differs by "
                         f"{gaps[0]:.1%}, the loss by {gaps[1]:.1%}, and {SAME_AS_CPU:.0%} would be much for rounding; "
                         "take --precision float32 or --device cpu")  # fmt: skip
