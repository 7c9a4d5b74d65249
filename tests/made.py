"""What several test files make: a small corpus, a model that shows its every part, a signal in the middle of a training, a port that nobody uses."""

import math
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import torch


def write_tales(folder: Path, story: str = "Ana saw {} cats.", n_stories: int = 60) -> Path:
    """Write train.txt and valid.txt into a new folder: the same story, with another number each time."""
    folder.mkdir(parents=True)
    for split, first in (("train", 0), ("valid", 1000)):
        (folder / f"{split}.txt").write_text("\n<|endoftext|>\n".join(story.format(first + i) for i in range(n_stories)), encoding="utf-8")
    return folder


def draw_weights(model: torch.nn.Module, std: float, seed: int = 0) -> torch.nn.Module:
    """Give a model weights so large that every part shows in the logits; an untrained one hardly attends. std: of a matrix's product with numbers of size one."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.ndim == 1:
            torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
        else:
            torch.nn.init.normal_(parameter, std=std / math.sqrt(parameter.shape[1]), generator=generator)
    return model


def interrupt_at(step: int) -> Callable[[dict], None]:
    """A callback that presses Ctrl-C when the log tells of a step."""

    def callback(line: dict) -> None:
        if line["step"] == step:
            signal.raise_signal(signal.SIGINT)

    return callback


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # the system knows one
        return probe.getsockname()[1]
