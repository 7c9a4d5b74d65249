"""How do several devices train one model? Each takes a part of every batch, and they share what they found before each update.

torchrun starts the same program several times, one process for each device, and tells each its *rank*, 0, 1, ... The ideas in order:
the processes join (`process_group`); what only one should do or decide, the first does (`from_first`, `agree`); and `DistributedTraining`
is a `Training` that looks at its own rows of each batch. `batch_size` stays that of all together, so the number of processes changes how
long a run takes, not what it learns: N processes take the steps of one, to rounding, and one can resume a checkpoint of N. There are two
ways to share:

- copies (DDP): each process holds the whole model, and the gradients are averaged as they come about. Source: docs/SOURCES.md#ddp
- splits (FSDP2, `shard`): each process holds a part of every tensor, of its gradient and of the optimizer's memory. The parts of a block
  are brought together when it is needed, and forgotten again. Source: docs/SOURCES.md#fsdp

Evaluations are not shared out: every process makes the same one. Left out on purpose: splitting a layer's computation (tensor
parallelism), running blocks in several places (pipelines), compiling split models, and models too large to be whole in one place when a
run begins or saves.
"""

import zlib
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from minilm.checkpoint import load_checkpoint, save_checkpoint
from minilm.config import LOCAL_RANK, RANK, WORLD_SIZE, TrainConfig
from minilm.model import Transformer
from minilm.optim import Muon, build_optimizers
from minilm.tokenizer import Tokenizer
from minilm.train import Training

Value = TypeVar("Value")


class ProcessLost(RuntimeError):
    """Another process of the training has ended, so this one cannot go on."""


@contextmanager
def process_group(timeout: timedelta = timedelta(hours=2)):
    """Join the other processes that torchrun started; without torchrun, do nothing.

    timeout: how long they wait for each other, perhaps because the first encodes a long text. Raises ProcessLost when another has ended.
    """
    if WORLD_SIZE == 1:
        yield
        return
    if LOCAL_RANK < torch.cuda.device_count():
        torch.cuda.set_device(LOCAL_RANK)  # from here on "cuda" is this process's own GPU
    try:
        # What the processes tell each other goes through gloo, over the CPU; tensors on GPUs go through NCCL.
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=timeout)
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        raise ProcessLost(
            f"process {RANK} stops, because another of the {WORLD_SIZE} has ended or cannot be reached. Checkpoints written so far are "
            f"whole: `minilm resume DIR` goes on from the newest, by any number of processes ({str(error).strip().splitlines()[0][:200]})"
        ) from error
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def from_first(make: Callable[[], Value]) -> Value:
    """What `make()` returns in the first process; the others wait for it, and get a copy."""
    if not dist.is_initialized():
        return make()
    box = [make() if RANK == 0 else None]
    dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def new_training(model: Transformer, config: TrainConfig, ids: np.ndarray, shard: bool = False) -> Training:
    """A training by all processes of the group (see `process_group`), or the plain one where there is no group.

    shard: split the model over the processes. Raises ValueError when there is nothing to split it over, or a batch cannot be shared.
    """
    if dist.is_initialized():
        return DistributedTraining(model, config, ids, shard=shard)
    if shard:
        raise ValueError("--shard splits a model over several processes, and this is the only one; start them by "
                         "torchrun --nproc-per-node N -m minilm.cli ... --shard")  # fmt: skip
    return Training(model, config, ids)


@dataclass
class DistributedTraining(Training):
    """A training shared with the other processes of the group; all of them must call the same methods in the same order."""

    shard: bool = False
    """Split the model over the processes, uncompiled, instead of giving each a copy."""

    def __post_init__(self):
        self.config = self.agree(self.config)  # `plan` may have measured otherwise elsewhere
        self._check()
        if self.shard:
            self.config = self.config.replace(compile="no")
        self._shared_loss = super().loss
        super().__post_init__()
        if self.shard:
            self._split()
        else:
            self._shared_loss = DistributedDataParallel(_Loss(self.model, super().loss))

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean nats per token of this process's rows of a batch, both (B, T)."""
        mine = slice(RANK, None, WORLD_SIZE)
        return self._shared_loss(tokens[mine], targets[mine])

    def backward(self, i: int) -> Tensor:
        """As for one process. Copies average their gradients in a step's last pass only; splits in each, or they would hold whole ones."""
        waiting = not self.shard and i + 1 < self.config.accumulation_steps
        with self._shared_loss.no_sync() if waiting else nullcontext():
            return super().backward(i)

    def update(self) -> tuple[Tensor, Tensor]:
        """Take one step; return the loss over all processes and the length of the whole gradient."""
        loss, norm = super().update()
        dist.all_reduce(loss)
        return loss / WORLD_SIZE, whole(norm)

    def agree(self, value: Value) -> Value:
        return from_first(lambda: value)

    def save(self, run: Path, tokenizer: Tokenizer) -> None:
        """Write the same checkpoint as one process would."""
        model, optimizers = self._gathered() if self.shard else (self.model, self.optimizers)
        if RANK == 0:
            save_checkpoint(run, self.step, model, tokenizer, optimizers, self.scaler)

    def load(self, folder: Path) -> None:
        """Go back to where a checkpoint was written, by however many processes."""
        if not self.shard:
            return super().load(folder)
        model, optimizers = self._gathered()
        self.step = load_checkpoint(folder, model, optimizers, self.scaler)
        parameters = self.model.state_dict()
        self.model.load_state_dict({name: split(tensor, parameters[name]) for name, tensor in model.state_dict().items()})
        for ours, theirs in zip(self.optimizers, optimizers):
            _set_state(ours, theirs, split)

    def _check(self) -> None:
        config = self.config
        if config.batch_size % WORLD_SIZE:
            raise ValueError(f"batch_size is {config.batch_size}, which {WORLD_SIZE} processes cannot share equally; "
                             f"take a multiple of {WORLD_SIZE}")  # fmt: skip
        if config.device == "mps" or (config.device == "cuda" and LOCAL_RANK >= torch.cuda.device_count()):
            raise ValueError(f"process {LOCAL_RANK} of this machine has no {config.device} device of its own (CUDA devices here: "
                             f"{torch.cuda.device_count()}); lower --nproc-per-node, or add --device cpu")  # fmt: skip
        texts = [None] * WORLD_SIZE
        dist.all_gather_object(texts, (len(self.ids), zlib.crc32(self.ids[: 2**20].tobytes())))
        if len(set(texts)) > 1:
            raise ValueError(f"the processes read different texts, of {', '.join(f'{n:,}' for n, _ in texts)} tokens; give all machines "
                             "the same files, best on one shared disk")  # fmt: skip

    def _split(self) -> None:
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method  # seconds to load, and most runs need none of it

        for block in self.model.blocks:
            fully_shard(block)
        fully_shard(self.model)
        register_fsdp_forward_method(self.model, "hidden")  # like forward, it must first bring the parts together
        self.hidden = self.model.hidden
        self.optimizers = build_optimizers(self.model, self.config, muon=SplitMuon)

    def _gathered(self) -> tuple[Transformer, list[torch.optim.Optimizer]]:
        """Copies of the split model and its optimizers on the CPU, made of whole tensors."""
        model = Transformer(self.model.config)
        model.load_state_dict({name: whole(tensor).cpu() for name, tensor in self.model.state_dict().items()})
        optimizers = build_optimizers(model, self.config)
        for ours, theirs in zip(optimizers, self.optimizers):
            _set_state(ours, theirs, lambda value, _: whole(value).cpu())
        return model, optimizers


class _Loss(nn.Module):
    """The loss as a module, since DDP averages the gradients of what goes through a module's forward."""

    def __init__(self, model: Transformer, loss: Callable[[Tensor, Tensor], Tensor]):
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, tokens: Tensor, targets: Tensor) -> Tensor:
        return self.loss(tokens, targets)


class SplitMuon(Muon):
    """Muon for split matrices: making a matrix orthogonal takes all of it, so every process gathers each update and keeps its own part.

    All do the same work, then: what is saved is memory between the steps, not time.
    """

    def _momentum(self, p: Tensor, momentum: float) -> Tensor:
        return whole(super()._momentum(p, momentum))

    def _move(self, p: Tensor, update: Tensor, distance: float) -> None:
        super()._move(p, split(update, p), distance)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be split over the processes."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def split(tensor: Tensor, like: Tensor) -> Tensor:
    """Cut a whole tensor, the same in every process, as another one is cut; nothing is sent. A single number stays whole."""
    from torch.distributed.tensor import distribute_tensor

    if tensor.ndim == 0:
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def _set_state(optimizer: torch.optim.Optimizer, source: torch.optim.Optimizer, change: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Give an optimizer another one's memory: of each tensor, what `change` makes of it and of the parameter that it belongs to."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    memory = source.state_dict()["state"]
    state = {i: {key: change(value, parameters[i]) for key, value in memory[i].items()} for i in memory}
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
