"""How does a model learn? One loop: a batch, its loss, the gradient, an update; log, evaluate, save; again.

The ideas in order: `Training` holds all that changes during a run and knows one update, once `minilm.device` has settled what the machine decides;
`train` is the loop around it, with its log, its checkpoints and its two ways to stop early. A budget in minutes becomes a number of
steps before the first real step, so that a run can be repeated and resumed exactly.

Several processes, each with a device, run this same loop with another `Training`, that of `minilm.distributed`: each looks at a part of
every batch, `agree` makes all follow the first, and only the first (RANK 0) writes.

Built by hand in: chapter 06. Left out on purpose: dropout, early stopping, averaging of weights.
"""

import json
import logging
import math
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from minilm.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint
from minilm.config import RANK, TrainConfig
from minilm.data import Sampler
from minilm.device import autocast, check_device
from minilm.evaluate import evaluate
from minilm.files import as_object, read_text, whole_file
from minilm.loss import chunked_cross_entropy
from minilm.model import Transformer
from minilm.optim import Optimizers, build_optimizers, clip_gradients, learning_rate_factor
from minilm.tokenizer import Tokenizer

EVAL_TOKENS = 2**16  # tokens of validation text that are looked at during training

Value = TypeVar("Value")
log = logging.getLogger(__name__)


class TrainingDiverged(RuntimeError):
    """The loss stopped being a number."""


class OutOfMemory(RuntimeError):
    """The model and its batch do not fit."""


@dataclass
class Training:
    """All that changes during a run: the model, its optimizers, and how many steps are done. config: with nothing left at `auto`."""

    model: Transformer
    config: TrainConfig
    ids: np.ndarray
    step: int = 0
    seconds: float = 0.0  # of training so far, evaluations left out
    optimizers: Optimizers = field(init=False)

    def __post_init__(self):
        config = self.config
        self.sampler = Sampler(self.ids, self.model.config.context_length, config.batch_size, config.seed)
        if config.device == "mps" or config.precision == "float16":
            check_device(self.model, config, *self.sampler.batch(0))
        self.model.to(config.device).train()
        self.optimizers = build_optimizers(self.model, config)
        # float16 has no numbers below 6e-8, so the loss is scaled up for it, as far as gradients stay below 65,504.
        # Source: docs/SOURCES.md#mixedprecision
        self.scaler = torch.amp.GradScaler(config.device, enabled=config.precision == "float16")
        self.hidden = self._compiled() if config.compile == "yes" else self.model.hidden

    @property
    def tokens_per_step(self) -> int:
        return self.config.tokens_per_step(self.model.config.context_length)

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean nats per token of one batch, both (B, T)."""
        device = self.config.device
        with autocast(self.config):
            hidden = self.hidden(tokens.to(device, non_blocking=True))
            return chunked_cross_entropy(hidden, self.model.lm_head.weight, targets.to(device, non_blocking=True))

    def update(self) -> tuple[Tensor, Tensor]:
        """Take one step of a run of `config.max_steps`; return the loss before it and the gradient's length, as tensors.

        In float16 a step whose gradient is not finite changes nothing but the scale of the next.
        """
        loss = sum(self.backward(i) for i in range(self.config.accumulation_steps))
        self.scaler.unscale_(self.optimizers)
        norm = clip_gradients(list(self.model.parameters()), self.config.clip_norm)
        factor = learning_rate_factor(self.step, self.config.max_steps, self.config)
        for group in self.optimizers.param_groups:
            group["lr"] = group["max_lr"] * factor
        self.scaler.step(self.optimizers)
        self.scaler.update()
        self.optimizers.zero_grad()
        self.step += 1
        return loss, norm

    def backward(self, i: int) -> Tensor:
        """Add the gradient of the step's i-th forward pass to what is there; return its share of the loss."""
        n_passes = self.config.accumulation_steps
        loss = self.loss(*self.sampler.batch(self.step * n_passes + i)) / n_passes
        self.scaler.scale(loss).backward()
        return loss.detach()

    def agree(self, value: Value) -> Value:
        """What the first of several processes says; alone, the value itself."""
        return value

    def save(self, run: Path, tokenizer: Tokenizer) -> None:
        """Write a checkpoint."""
        save_checkpoint(run, self.step, self.model, tokenizer, self.optimizers, self.scaler)

    def load(self, folder: Path) -> None:
        """Go back to where a checkpoint was written."""
        self.step = load_checkpoint(folder, self.model, self.optimizers, self.scaler)

    def _compiled(self) -> Callable[[Tensor], Tensor]:
        """The compiled model, or the plain one where compiling fails (no C++ compiler, say); either way ready to run at full speed."""
        tokens, targets = self.sampler.batch(0)
        self.hidden = torch.compile(self.model.hidden)
        try:
            self.loss(tokens, targets).backward()
        except Exception as error:  # a compiler can fail in many ways, and training goes on without it
            log.warning("torch.compile failed (%s); training goes on without it, slower", str(error).strip().split("\n")[0])
            self.config, self.hidden = self.config.replace(compile="no"), self.model.hidden
        self.model.zero_grad(set_to_none=True)
        return self.hidden


def explain_out_of_memory(function):
    """Make a function of a training say what to lower when the memory is full: raises OutOfMemory."""

    @wraps(function)
    def explaining(training: Training, *args, **kwargs):
        try:
            return function(training, *args, **kwargs)
        except RuntimeError as error:
            if "tried to allocate" not in str(error).lower():  # so say CPU, CUDA and MPS; a class of its own has only CUDA
                raise
            config = training.config
            reason = str(error).strip().splitlines()[0][:200]
            raise OutOfMemory(
                f"the memory is full ({reason}). Start a new run with a lower --batch-size (now {config.batch_size}); as much higher "
                f"--accumulation-steps (now {config.accumulation_steps}) make the same steps of it. Or lower --context-length (now "
                f"{training.model.config.context_length}) or the size of the model. Checkpoints written so far are whole."
            ) from error

    return explaining


@explain_out_of_memory
def fix_steps(training: Training, seconds_spent: float = 0.0, trial_seconds: float = 5.0) -> None:
    """Turn a budget in tokens or minutes into `training.config.max_steps`, so that from here on the run can be repeated exactly.

    Minutes, less the seconds_spent on them already, are divided by the time of a step, found by taking some steps and undoing them. The
    trial counts against the budget and is at most a twentieth of it.
    """
    config, max_steps = training.config, training.config.max_steps
    if config.minutes is not None:
        start = time.perf_counter()
        step_seconds = _seconds_per_step(training, min(trial_seconds, 60 * config.minutes / 20))
        left = 60 * config.minutes - seconds_spent - (time.perf_counter() - start)
        max_steps = max(1, int(left / step_seconds))
    elif config.max_tokens is not None:
        max_steps = math.ceil(config.max_tokens / training.tokens_per_step)
    training.config = config.replace(minutes=None, max_tokens=None, max_steps=training.agree(max_steps))


def _seconds_per_step(training: Training, trial_seconds: float) -> float:
    config, before = training.config, {name: tensor.clone() for name, tensor in training.model.state_dict().items()}
    scale = training.scaler.state_dict()
    training.config = config.replace(minutes=None, max_steps=10**6)
    training.update()[0].item()  # the first step still warms up; item() waits for the device
    times = [time.perf_counter()]
    while training.agree(len(times) < 4 or times[-1] - times[0] < trial_seconds):
        training.update()[0].item()
        times.append(time.perf_counter())
    # Memory and caches are still settling, so a step of the faster half is the better guess at those to come.
    seconds = statistics.quantiles(np.diff(times), n=4)[0]
    training.model.load_state_dict(before)
    for optimizer in training.optimizers:
        optimizer.state.clear()
    training.scaler.load_state_dict(scale)
    training.config, training.step = config, 0
    return seconds


@explain_out_of_memory
def train(training: Training, valid_ids: np.ndarray, tokenizer: Tokenizer, run: Path,
          callbacks: Iterable[Callable[[dict], None]] = ()) -> dict:  # fmt: skip
    """Train to `training.config.max_steps`, from wherever `training` stands; return the last line of the log.

    run: folder for `log.jsonl` and checkpoints. callbacks: each called with every line of the log. Ctrl-C ends the run after the step at hand, with
    a checkpoint, by KeyboardInterrupt. Raises TrainingDiverged when the loss is no longer a number, OutOfMemory when a batch is too large.
    """
    config, max_steps = training.config, training.config.max_steps
    valid_ids = _beginning(valid_ids, tokenizer.end_of_text)
    clock, losses, record = _Clock(training), [], {}
    with (run / "log.jsonl" if RANK == 0 else Path(os.devnull)).open("a") as file, _interrupts() as interrupted:
        while training.step < max_steps:
            loss, norm = training.update()
            losses.append(loss)
            stopping = training.agree(interrupted.is_set())  # asked once: a signal during what follows waits for the next step
            last = stopping or training.step == max_steps
            saving, evaluating = (last or training.step % every == 0 for every in (config.save_every, config.eval_every))
            if not (saving or evaluating or training.step % config.log_every == 0):
                continue
            record = {"step": training.step, "max_steps": max_steps, **clock.read(), "loss": _finite_mean(losses, training, run),
                      "grad_norm": norm.item(), "lr": training.optimizers[-1].param_groups[0]["lr"]}  # fmt: skip
            losses.clear()
            if evaluating:
                with clock.paused():
                    record["valid_bits_per_byte"] = evaluate(training.model, valid_ids, tokenizer).bits_per_byte
            file.write(json.dumps(record) + "\n")
            file.flush()
            if saving:
                training.save(run, tokenizer)
            for callback in callbacks if RANK == 0 else ():
                callback(record)
            if stopping:
                raise KeyboardInterrupt
    return record


def resume(training: Training, run: Path) -> None:
    """Put `training` where the newest checkpoint of `run` left off, and cut the log there; without a checkpoint, at the beginning."""
    folder = training.agree(newest_checkpoint(run))
    if folder:
        training.load(folder)
    if RANK > 0:
        return  # the log is the first process's
    path = run / "log.jsonl"
    lines = read_text(path).splitlines() if path.exists() else []
    # A last line without its end was being written when the run was stopped.
    kept = [line for number, line in enumerate(lines, 1) if line.endswith("}") and _line(path, number, line)["step"] <= training.step]
    with whole_file(path) as file:
        file.writelines(line + "\n" for line in kept)
    if kept:
        training.seconds = json.loads(kept[-1])["seconds"]


def read_log(run: Path) -> list[dict]:
    """The lines of a run's log, oldest first. Raises FileNotFoundError, and ValueError, with the number of the line, for what is none."""
    path = Path(run) / "log.jsonl"
    return [_line(path, number, line) for number, line in enumerate(read_text(path).splitlines(), 1)]


def _line(path: Path, number: int, line: str) -> dict:
    found = as_object(line, f"{path}, line {number} is no line of a run's log", "take that line away")
    if not isinstance(found.get("step"), int) or not isinstance(found.get("seconds"), int | float):
        raise ValueError(f"{path}, line {number} is no line of a run's log: it has no step and seconds; take that line away")
    return found


def _beginning(ids: np.ndarray, end_of_text: int) -> np.ndarray:
    """The first whole stories of a row, about EVAL_TOKENS tokens of them."""
    ends = np.flatnonzero(ids[:EVAL_TOKENS] == end_of_text)
    return ids[: ends[-1] + 1] if len(ends) else ids[:EVAL_TOKENS]


def _finite_mean(losses: list[Tensor], training: Training, run: Path) -> float:
    mean = torch.stack(losses).mean().item()
    if not math.isfinite(mean):
        saved = newest_checkpoint(run)
        raise TrainingDiverged(
            f"the loss became {mean} between steps {training.step - len(losses)} and {training.step}. "
            f"Try a lower --max-lr (now {training.config.max_lr}) or a longer warm-up (--warmup-ratio, now {training.config.warmup_ratio}). "
            f"The last checkpoint is {'intact: ' + saved.name if saved else 'not there yet'}."
        )
    return mean


class _Clock:
    """Keeps `training.seconds`, evaluations left out, and tells tokens per second since the last reading."""

    def __init__(self, training: Training):
        self.training, self.start = training, time.perf_counter() - training.seconds
        self.last_seconds, self.last_step = training.seconds, training.step

    def read(self) -> dict:
        seconds = self.training.seconds = time.perf_counter() - self.start
        n_tokens = (self.training.step - self.last_step) * self.training.tokens_per_step
        rate = n_tokens / (seconds - self.last_seconds)
        self.last_seconds, self.last_step = seconds, self.training.step
        return {"tokens": self.training.step * self.training.tokens_per_step, "seconds": seconds, "tokens_per_second": rate}

    @contextmanager
    def paused(self):
        start = time.perf_counter()
        yield
        self.start += time.perf_counter() - start


@contextmanager
def _interrupts():
    """Turn the first Ctrl-C into an event, so that a step is never torn in two; a second one interrupts at once."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # only the main thread may handle signals
        return
    previous = signal.getsignal(signal.SIGINT)

    def handle(signum, frame):
        signal.signal(signal.SIGINT, previous)
        interrupted.set()

    signal.signal(signal.SIGINT, handle)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
