"""How does a model outlive the process that made it? Folders that are either whole or not there.

A *model folder* holds `config.json`, `tokenizer.json` and `model.safetensors`: all it takes to write a story. A *checkpoint* is a model
folder with two files more, the optimizers' memory and the place in the run, and lies in `RUN/checkpoints/step-…`. Everything is
written under another name and renamed when complete, so a process may be killed at any moment. No file here can run code when loaded:
weights are safetensors, the rest is JSON.

Built by hand in: chapter 06. Left out on purpose: keeping every checkpoint (the last two stay), sharded weights.
"""

import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.amp import GradScaler

from minilm.config import ModelConfig
from minilm.files import read_json, write_json
from minilm.model import Transformer
from minilm.numpy_model import check_layers, weight_shapes
from minilm.tokenizer import Tokenizer

KEPT_CHECKPOINTS = 2


def save_model(folder: Path, model: Transformer, tokenizer: Tokenizer, dtype: torch.dtype = torch.float32) -> None:
    """Write a model folder, in place of the old one if there is one. dtype: of the weights on disk; float16 halves them."""
    folder = Path(folder)
    with whole_folder(folder) as part:
        _write_model(part, model, tokenizer, dtype)


def load_model(folder: Path) -> tuple[Transformer, Tokenizer]:
    """Read a model folder, or the newest checkpoint of a run's folder; the weights become float32.

    Raises FileNotFoundError when there is no model, ValueError when a file is damaged or does not fit the others.
    """
    folder = newest_checkpoint(folder) or Path(folder)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}; name a folder that `minilm train --out` or the course made")
    config = _read_config(folder / "config.json")
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    if tokenizer.vocab_size != config.vocab_size:
        raise ValueError(f"{folder}: the tokenizer has {tokenizer.vocab_size} ids, the model {config.vocab_size}; one of them is another's")
    path = folder / "model.safetensors"
    return model_of(config, read_tensors(path), str(path)).eval(), tokenizer


def model_of(config: ModelConfig, weights: dict[str, Tensor], source: str) -> Transformer:
    """Build a model and give it these weights, which become float32. source: where they are from, for the message.

    A tied head may be missing. Raises ValueError for any other name that is missing or left over, for a shape that the config does not mean, and for
    numbers that no weight can be.
    """
    tied = {"lm_head.weight": weights["embed.weight"]} if config.tie_embeddings and "embed.weight" in weights else {}
    check_layers(config, len(weights), source)
    wanted = weight_shapes(config) | {name: weights["embed.weight"].shape for name in tied}
    if tied and "lm_head.weight" in weights and not torch.equal(weights["lm_head.weight"], weights["embed.weight"]):
        raise ValueError(f"{source}: config.json ties the head to the embedding table, but lm_head.weight is another; one of the two is another model's")
    found = {name: tensor.shape for name, tensor in (weights | tied).items()}
    if wanted != found:  # found out before any room is taken for a model
        name = next(name for name in sorted(wanted | found) if wanted.get(name) != found.get(name))
        raise ValueError(f"{source}: {name} has shape {found.get(name)}; config.json means {wanted.get(name)}")
    for name, tensor in weights.items():
        if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
            raise ValueError(f"{source}: {name} holds {tensor.dtype} numbers, or some that are not finite; weights are finite floating-point numbers")
    model = Transformer(config)
    model.load_state_dict(weights | tied)
    return model


def save_checkpoint(run: Path, step: int, model: Transformer, tokenizer: Tokenizer, optimizers: list[torch.optim.Optimizer],
                    scaler: GradScaler | None = None) -> Path:  # fmt: skip
    """Write all that a run needs to go on after `step` steps, then drop all but the newest checkpoints. scaler: that of float16."""
    folder = Path(run) / "checkpoints" / f"step-{step:08d}"
    if not folder.exists():  # after a resume the same step comes again, with the same bits
        with whole_folder(folder) as part:
            _write_model(part, model, tokenizer, torch.float32)
            write_tensors(_training_tensors(optimizers), part / "training.safetensors")
            write_json(part / "state.json", {"step": step, "scaler": scaler.state_dict() if scaler else {}})
    torn = folder.parent.glob(".step-*.part")  # left by a process that was killed while it wrote
    for old in [*_checkpoints(run)[:-KEPT_CHECKPOINTS], *torn]:
        shutil.rmtree(old)
    return folder


def load_checkpoint(folder: Path, model: Transformer, optimizers: list[torch.optim.Optimizer], scaler: GradScaler | None = None) -> int:
    """Put weights, optimizers, scaler and random state back as they were; return the number of steps done.

    Raises ValueError when the checkpoint is of another model or optimizer.
    """
    folder = Path(folder)
    saved, _ = load_model(folder)
    if saved.config != model.config:
        raise ValueError(f"{folder} holds a model of {saved.config}; this run is of {model.config}")
    model.load_state_dict(saved.state_dict())
    tensors, state = read_tensors(folder / "training.safetensors"), read_json(folder / "state.json", "a place in a run")
    try:
        _remember(optimizers, tensors)
        torch.set_rng_state(tensors["random_state"])
        if scaler and scaler.is_enabled():
            scaler.load_state_dict(state["scaler"])
        if type(state["step"]) is not int or state["step"] < 0:
            raise ValueError(f"step is {state['step']!r}")
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{folder} is not a whole checkpoint of this run ({type(error).__name__}: {error}); take that folder away to go on "
                         "from the one before") from None  # fmt: skip
    return state["step"]


def newest_checkpoint(run: Path) -> Path | None:
    """The folder of a run's last whole checkpoint, or None."""
    return next(reversed(_checkpoints(run)), None)


def write_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file. Raises OSError, saying so, when there is no room."""
    try:
        save_file(tensors, path, metadata)
    except (SafetensorError, OSError) as error:
        raise OSError(f"{path} cannot be written ({error}); make room there. What was saved before is whole") from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file. Raises ValueError when it is damaged or missing."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} cannot be read ({error}); it is damaged or missing: copy or train the model again") from None


@contextmanager
def whole_folder(folder: Path):
    """Give a folder to write in; it takes its real name only when everything in it is on the disk."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part.mkdir(parents=True)
    try:
        yield part
        for path in part.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _checkpoints(run: Path) -> list[Path]:
    return sorted((Path(run) / "checkpoints").glob("step-????????"))


def _write_model(folder: Path, model: Transformer, tokenizer: Tokenizer, dtype: torch.dtype) -> None:
    write_json(folder / "config.json", asdict(model.config))
    tokenizer.save(folder / "tokenizer.json")
    weights = {name: tensor.to(dtype).contiguous() for name, tensor in model.state_dict().items()}
    if model.config.tie_embeddings:
        del weights["lm_head.weight"]  # the same numbers as embed.weight
    write_tensors(weights, folder / "model.safetensors")


def _remember(optimizers: list[torch.optim.Optimizer], tensors: dict[str, Tensor]) -> None:
    """Give optimizers their memory back. Raises ValueError for a memory that is not of these parameters, KeyError or IndexError for one of none."""
    states: list[dict] = [{} for _ in optimizers]
    for name in (name for name in tensors if name != "random_state"):  # in the order of the file: all processes must go through them alike
        optimizer, parameter, key = name.split(".")
        states[int(optimizer)].setdefault(int(parameter), {})[key] = tensors[name]
    for optimizer, state in zip(optimizers, states):
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        if state.keys() != set(range(len(parameters))):
            raise ValueError(f"it remembers {len(state)} parameters of an optimizer that has {len(parameters)}")
        for number, memory in state.items():
            if wrong := [key for key, tensor in memory.items() if tensor.ndim and tensor.shape != parameters[number].shape]:
                raise ValueError(f"{wrong[0]} of parameter {number} has shape {tuple(memory[wrong[0]].shape)}, the parameter {tuple(parameters[number].shape)}")
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _read_config(path: Path) -> ModelConfig:
    try:
        return ModelConfig(**read_json(path, "a model's config"))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a model's config: {error}") from None


def _training_tensors(optimizers: list[torch.optim.Optimizer]) -> dict[str, Tensor]:
    tensors = {"random_state": torch.get_rng_state()}
    for i, optimizer in enumerate(optimizers):
        for parameter, state in optimizer.state_dict()["state"].items():
            tensors |= {f"{i}.{parameter}.{key}": torch.as_tensor(value).contiguous() for key, value in state.items()}
    return tensors
