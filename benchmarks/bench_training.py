"""How fast is a training step of minilm beside Hugging Face's `LlamaForCausalLM`, and how much memory does it take?

`python benchmarks/bench_training.py` prints tables and, as its last line, the ratios as JSON. A ratio of speed is ours over theirs: more is better. A
ratio of memory (its name ends in `memory`) is ours over theirs too: less is better. `of_peak` is the share of a matrix product's speed that we reach.

Both start from the same weights, read the same batches and are updated by the same code (`Training.update`: fused AdamW, clipping, schedule); only
model and loss differ. That their losses are the same after the same number of steps shows that the work is. They take turns within each round, and
medians over rounds are compared. On a CPU both have one thread, and its seconds of computing are counted, which other programs hardly change.

Operations are counted as 6N + 6LTd for a token (N parameters that are multiplied, so the table once, as the head; attention to what came before),
and the peak is the median speed of a product of two square matrices in the same rounds.

On a GPU every size of `minilm.ladder` is measured in bfloat16: ours compiled beside Hugging Face as it is and compiled. `idle` is the share of the
time in which nothing ran on the GPU while we trained, by PyTorch's profiler: less is better. `--cases gpu --dry-run` takes the same way on a CPU,
with tiny batches of the smallest size, uncompiled: it shows only that it can be gone.
"""

import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch starts its threads

import numpy as np
import psutil
import torch
import tyro
from bench_generate import hugging_face
from torch import Tensor, nn
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from minilm.config import ModelConfig, TrainConfig
from minilm.ladder import SIZES
from minilm.model import Transformer, flops_per_token
from minilm.runs import peak_memory_bytes
from minilm.train import Training, autocast

SHAPES = {  # and sequences in a batch
    "a": (ModelConfig(d_model=64, n_layers=5, n_heads=8, n_kv_heads=4, d_ff=172, vocab_size=512, context_length=512), 16),
    "b": (ModelConfig(d_model=128, n_layers=4, n_heads=4, n_kv_heads=4, d_ff=344, vocab_size=4096, context_length=256), 32),
    "c": (ModelConfig(d_model=256, n_layers=8, n_heads=8, n_kv_heads=8, d_ff=688, vocab_size=4096, context_length=256), 16),
    "d": (ModelConfig(d_model=288, n_layers=6, n_heads=6, n_kv_heads=6, d_ff=768, vocab_size=32000, context_length=256), 4),
} | {name: (config, 64) for name, config in SIZES.items()}  # those of the ladder are for GPUs
SWITCHES = {"eager": ("float32", "no"), "bf16": ("bfloat16", "no"), "compile": ("float32", "yes"), "bf16_compile": ("bfloat16", "yes")}
SAME_LOSS = {"float32": 1e-3, "bfloat16": 2e-2}  # how far apart two losses may be that come from the same work
GPU_COMMAND = "python benchmarks/bench_training.py --cases gpu"


@dataclass(frozen=True, kw_only=True)
class Options:
    cases: tuple[str, ...] = ("eager", "memory", "switches", "gpu")
    """eager: float32 as it is; memory: of a step; switches: bfloat16 and compiling; gpu: all of it on a GPU, if there is one"""
    shapes: tuple[str, ...] = ("a", "b", "c", "d")
    """which of the shapes a to d"""
    rounds: int = 5
    """how often everything is measured"""
    divide: int = 1
    """take batches smaller by this factor (shape d keeps its four sequences; on a GPU 64 are usual)"""
    sizes: tuple[str, ...] = tuple(SIZES)
    """which of the ladder's sizes on a GPU"""
    dry_run: bool = False
    """go through the case gpu on a CPU"""
    seconds: float = 1.0
    """a round has as many steps as fit into this time, and at least one"""


class HuggingFace(nn.Module):
    """The same model by Hugging Face, under the names that `Training` looks for."""

    def __init__(self, model: Transformer):
        super().__init__()
        self.config = model.config
        twin = hugging_face(model)
        twin.config.use_cache = False
        self.blocks, self.twin = twin.model.layers, twin  # blocks first, so that parameters are grouped by that name

    def hidden(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Their forward makes the loss too. (They would shift the labels; ours are shifted already.)"""
        return self.twin(tokens, labels=targets, shift_labels=targets.contiguous()).loss


class HuggingFaceTraining(Training):
    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        device = self.config.device
        with autocast(self.config):
            return self.hidden(tokens.to(device, non_blocking=True), targets.to(device, non_blocking=True))


def new_training(peer: str, shape: str, switches: str = "eager", device: str = "cpu", divide: int = 1) -> Training:
    torch.set_num_threads(1)
    model_config, batch_size = SHAPES[shape]
    batch_size = batch_size if batch_size < 8 else max(1, batch_size // divide)
    precision, compiling = SWITCHES[switches]
    config = TrainConfig(
        max_steps=1000,
        batch_size=batch_size,
        optimizer="adamw",
        max_lr=1e-3,
        warmup_ratio=0,
        device=device,
        precision=precision,
        compile=compiling,
    )
    # Low ids are frequent, so that there is something to learn and the losses fall.
    ids = (model_config.vocab_size * np.random.default_rng(0).random(2**20) ** 3).astype(np.uint16)
    model = Transformer(model_config)
    training = Training(model, config, ids) if peer == "minilm" else HuggingFaceTraining(HuggingFace(model), config, ids)
    if training.config.compile != compiling:
        raise RuntimeError(f"{peer} cannot be compiled here; leave the case `switches` out of --cases")
    return training


@dataclass
class Measured:
    """One participant's steps. seconds: of a step, for each round. loss: of the last step."""

    training: Training
    clock: Callable[[], float]
    steps: int = 1
    loss: float = 0.0

    def __post_init__(self):
        self.seconds: list[float] = []

    def round(self) -> float:
        start = self.clock()
        for _ in range(self.steps):
            loss, _ = self.training.update()
        self.loss = loss.item()  # waits for the device
        return (self.clock() - start) / self.steps

    @property
    def rate(self) -> float:
        """Tokens per second, the median of the rounds."""
        return self.training.tokens_per_step / statistics.median(self.seconds)


def race(trainings: dict[str, Training], options: Options) -> tuple[dict[str, Measured], float]:
    """Let all take turns; return what was measured of each, and the peak in FLOP/s (of float32 on a CPU, of bfloat16 on a GPU)."""
    device = next(iter(trainings.values())).config.device
    clock = time.process_time if device == "cpu" else time.perf_counter
    measured = {name: Measured(training, clock) for name, training in trainings.items()}
    for one in measured.values():
        one.round()
        warm = one.round()
    steps = max(1, int(options.seconds / warm))
    peaks = []
    for _ in range(options.rounds):
        for one in measured.values():
            one.steps = steps
            one.seconds.append(one.round())
        peaks.append(product_rate(device, clock))
    return measured, statistics.median(peaks)


def product_rate(device: str, clock: Callable[[], float], dtype: torch.dtype | None = None) -> float:
    """FLOP/s of a product of two square matrices."""
    size, dtype = (2048, dtype or torch.float32) if device == "cpu" else (8192, torch.bfloat16)
    a = torch.ones(size, size, dtype=dtype, device=device)
    (a @ a)[0, 0].item()
    start = clock()
    for _ in range(3):
        product = a @ a
    product[0, 0].item()
    return 3 * 2 * size**3 / (clock() - start)


def show(work: str, measured: dict[str, Measured], peak: float, flops: int, first: str) -> None:
    """Print a row for each: its rate, its share of the peak, its rate over that of `first`, round by round, and its last loss."""
    for name, one in measured.items():
        rates = [one.training.tokens_per_step / seconds for seconds in one.seconds]
        ratios = [theirs / ours for ours, theirs in zip(one.seconds, measured[first].seconds)]
        print(
            f"{work:8} {name:20} {one.rate:9.0f} [{min(rates):.0f} .. {max(rates):.0f}] {one.rate * flops / peak:6.1%} "
            f"{one.rate / measured[first].rate:6.2f} [{min(ratios):.2f} .. {max(ratios):.2f}]  loss {one.loss:.4f} at step {one.training.step}",
            flush=True,
        )
    for one in measured.values():
        other, tolerance = measured[first], SAME_LOSS[one.training.config.precision]
        if one.training.step != other.training.step or abs(one.loss - other.loss) > tolerance * other.loss:
            raise RuntimeError(f"{work}: the losses {one.loss} and {other.loss} are not of the same work")


def head(what: str) -> None:
    print(f"\n{what}\n{'shape':8} {'who':20} tokens a second [least .. most], of peak, times the first [least .. most]")


def measure_eager(shape: str, options: Options) -> dict[str, float]:
    measured, peak = race({peer: new_training(peer, shape, divide=options.divide) for peer in ("hf", "minilm")}, options)
    flops = flops_per_token(Transformer(SHAPES[shape][0]))
    show(shape, measured, peak, flops, "hf")
    ours = measured["minilm"].rate
    return {f"train_{shape}_eager_vs_hf": ours / measured["hf"].rate, f"train_{shape}_eager_of_peak": ours * flops / peak}


def peak_memory(peer: str, shape: str, divide: int) -> float:
    """MiB that three steps need above what the process held before, the optimizer's averages included. For a fresh process."""
    training = new_training(peer, shape, divide=divide)
    before = psutil.Process().memory_info().rss
    for _ in range(3):
        training.update()
    return (peak_memory_bytes() - before) / 2**20


def measure_memory(shape: str, options: Options) -> dict[str, float]:
    peaks = {}
    for peer in ("hf", "minilm"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
            peaks[peer] = [fresh.submit(peak_memory, peer, shape, options.divide).result() for _ in range(min(3, options.rounds))]
        print(
            f"{shape:8} {peer:20} {statistics.median(peaks[peer]):9.0f} MiB [{min(peaks[peer]):.0f} .. {max(peaks[peer]):.0f}]", flush=True
        )
    return {f"train_{shape}_memory": statistics.median(peaks["minilm"]) / statistics.median(peaks["hf"])}


def measure_switches(shape: str, options: Options) -> dict[str, float]:
    """Our fastest switches beside Hugging Face without any, and beside Hugging Face with the same."""
    torch.compiler.reset()
    trainings = {}
    for peer in ("hf", "minilm"):
        for switches in SWITCHES:
            start = time.perf_counter()
            trainings[f"{peer} {switches}"] = new_training(peer, shape, switches, divide=options.divide)
            if "compile" in switches:
                print(f"{shape:8} {peer} {switches}: ready after {time.perf_counter() - start:.0f} seconds", flush=True)
    measured, peak = race(trainings, options)
    show(shape, measured, peak, flops_per_token(Transformer(SHAPES[shape][0])), "hf eager")
    best = max(SWITCHES, key=lambda switches: measured[f"minilm {switches}"].rate)
    ours = measured[f"minilm {best}"].rate
    print(f"{shape:8} our fastest: {best}")
    return {
        f"train_{shape}_switches_vs_hf": ours / measured["hf eager"].rate,
        f"train_{shape}_same_switches_vs_hf": ours / measured[f"hf {best}"].rate,
    }


def step_memory(training: Training) -> float:
    """MiB of the GPU that three steps need above what is held already; on a CPU, which has none of it, 1."""
    if training.config.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    for _ in range(3):
        training.update()
    return (torch.cuda.max_memory_allocated() - before) / 2**20 if training.config.device == "cuda" else 1.0


def idle_share(spans: list[tuple[float, float]]) -> float:
    """Share of the time, from the first beginning to the last end, in which none of the spans was going on.

    >>> idle_share([(0, 2), (1, 4), (6, 8), (6, 7), (9, 10)])
    0.3
    """
    idle, (_, end), *others = 0.0, *(ordered := sorted(spans))
    for start, stop in others:
        idle, end = idle + max(0.0, start - end), max(end, stop)
    return idle / (end - ordered[0][0])


def idle_while_training(training: Training, n_steps: int = 20) -> float:
    """Share of the time of some steps in which the device waited for the host."""
    name = training.config.device.upper()
    with profile(activities=[getattr(ProfilerActivity, name)]) as profiler:
        for _ in range(n_steps):
            loss, _ = training.update()
        loss.item()  # waits for the device
    # Annotations say for how long a thing was thought about, not for how long something ran.
    events = [event for event in profiler.events() if event.device_type == getattr(DeviceType, name) and not event.is_user_annotation]
    return idle_share([(event.time_range.start, event.time_range.end) for event in events])


def measure_gpu(size: str, options: Options) -> dict[str, float]:
    torch.compiler.reset()
    device, compiled = ("cpu", "bf16") if options.dry_run else ("cuda", "bf16_compile")
    trainings = {
        "hf eager": new_training("hf", size, "bf16", device, options.divide),
        "hf compiled": new_training("hf", size, compiled, device, options.divide),
        "minilm": new_training("minilm", size, compiled, device, options.divide),
    }
    memory = {who: step_memory(training) for who, training in trainings.items()}
    measured, peak = race(trainings, options)
    flops = flops_per_token(trainings["minilm"].model)
    show(size, measured, peak, flops, "hf eager")
    idle, ours = idle_while_training(trainings["minilm"]), measured["minilm"].rate
    needed = ", ".join(f"{who} {memory[who]:.0f}" for who in memory)
    print(f"{size:8} MiB for a step: {needed}; idle while we train: {idle:.1%}", flush=True)
    return {
        f"train_{size}_gpu_vs_hf_eager": ours / measured["hf eager"].rate,
        f"train_{size}_gpu_vs_hf_compiled": ours / measured["hf compiled"].rate,
        f"train_{size}_gpu_of_peak": ours * flops / peak,
        f"train_{size}_gpu_vs_hf_compiled_memory": memory["minilm"] / memory["hf compiled"],
        f"train_{size}_gpu_idle": idle,
    }


def processor() -> str:
    """Say what this processor has for bfloat16, and what it makes of it."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    found = sorted(flag for flag in flags if flag == "avx512_bf16" or flag.startswith("amx"))
    rates = {dtype: product_rate("cpu", time.process_time, dtype) / 1e9 for dtype in (torch.float32, torch.bfloat16)}
    speeds = ", ".join(f"{rate:.0f} GFLOP/s in {dtype}".replace("torch.", "") for dtype, rate in rates.items())
    return f"units for bfloat16: {', '.join(found) or 'none known'}; a product of 2048 x 2048 matrices on one thread: {speeds}"


def main(options: Options) -> None:
    torch.set_num_threads(1)
    print(processor())
    ratios = {}
    if "eager" in options.cases:
        head("float32 as it is, one thread, seconds of the processor")
        for shape in options.shapes:
            ratios |= measure_eager(shape, options)
    if "memory" in options.cases:
        print("\npeak memory of a step, float32, each in a fresh process")
        for shape in options.shapes:
            ratios |= measure_memory(shape, options)
    if "switches" in options.cases:
        head("bfloat16 and compiling, one thread, seconds of the processor")
        for shape in options.shapes:
            ratios |= measure_switches(shape, options)
    if "gpu" in options.cases and (options.dry_run or torch.cuda.is_available()):
        head("GPU, bfloat16" if not options.dry_run else "a dry run of the case gpu, which measures nothing")
        options = replace(options, sizes=("d64-L8",), divide=64, rounds=1, seconds=0.0) if options.dry_run else options
        for size in options.sizes:
            ratios |= measure_gpu(size, options)
    elif "gpu" in options.cases:
        print(f"\nGPU: not measured, there is none here. On a machine with one: {GPU_COMMAND}")
    print(json.dumps({name: round(ratio, 3) for name, ratio in ratios.items()}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
