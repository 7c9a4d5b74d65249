"""How are many trainings carried out? Side by side, each in a process of its own, and none twice.

The ideas in order: a trial is a training with a name (`Trial`); it has a folder of that name, so that one that was stopped goes on where it was, and in the
end a row of that name in a table of data/runs, and what has a row is not trained again (`carry_out`). An experiment may judge its models by more than
their loss (`Trial.judge`); what it finds stands in the same row. Before any begins, it is said how long they will take (`seconds_of`).

Used in: chapters 10 and 12. Left out on purpose: several machines. Whoever has them gives each its own part of the plan.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from minilm.config import DATA, ModelConfig, TrainConfig
from minilm.corpora import END_OF_TEXT, Corpus
from minilm.device import matrix_flops
from minilm.files import read_rows, write_json
from minilm.model import Transformer, flops_per_token
from minilm.processes import fresh_processes
from minilm.runs import record_run, resume_run, start_run
from minilm.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training of many: what is trained on what, and where it is written down."""

    name: str
    """Of its folder and of its row."""
    table: str
    """The experiment of data/runs to which its row belongs."""
    corpus: Corpus
    tokenizer: Tokenizer
    shape: ModelConfig
    config: TrainConfig
    judge: Callable[[Path], dict] | None = None
    """Called with the folder of the finished run, in the process that trained it; returns more columns of its row."""


def carry_out(trials: Iterable[Trial], out: Path, cache: Path, *, processes: int = 1, command: str = "",
              records: Path = DATA / "runs") -> Iterator[dict]:  # fmt: skip
    """Train what has no row in its table yet, one thread each; add its row, and yield it.

    out: folder for the runs. records: folder for the tables, TABLE/runs.csv.
    """
    waiting = still_to_do(trials, records)
    with ProcessPoolExecutor(processes, mp_context=fresh_processes("minilm.trials"), max_tasks_per_child=1) as pool:
        things = [[thing] * len(waiting) for thing in (out, cache, command)]
        for trial, folder in zip(waiting, pool.map(carry_out_one, waiting, *things), strict=True):
            record_run(folder, trial.table, records)
            yield next(row for row in read_table(trial.table, records) if row["run"] == trial.name)


def still_to_do(trials: Iterable[Trial], records: Path = DATA / "runs") -> list[Trial]:
    """The trials without a row in their table."""
    trials = list(trials)
    done = {(table, row["run"]) for table in {trial.table for trial in trials} for row in read_table(table, records)}
    return [trial for trial in trials if (trial.table, trial.name) not in done]


@cache
def cost(shape: ModelConfig) -> int:
    """Operations for each token of a training, attention counted."""
    with torch.device("meta"):  # shapes without numbers
        return flops_per_token(Transformer(shape))


def flops_of(trial: Trial) -> float:
    """Operations of a trial, attention counted."""
    return trial.config.n_tokens(trial.shape.context_length) * cost(trial.shape)


def seconds_of(trials: Iterable[Trial], processes: int) -> float:
    """How long the trials take on this machine, very roughly, with so many processes of one thread each."""
    return sum(seconds_for(trial.shape, flops_of(trial), threads=1) for trial in trials) / processes


def seconds_for(shape: ModelConfig, flops: float, threads: int) -> float:
    """How long so many operations of a training of that shape take on this machine, very roughly."""
    return flops / (share_of_peak(shape) * peak_flops(threads))


def share_of_peak(shape: ModelConfig) -> float:
    """The share of the speed of a matrix product that a training reaches: the narrower the model, the more of the time goes into all else.

    A line through logarithms, of what single cores reached here with widths of 32 to 256 (ladder, sweep, good_data and domains in data/runs, the median of
    each table and width), where a product reaches about 210 billion operations a second (docs/RESULTS.md). No median is off by a factor of two.

    >>> round(share_of_peak(ModelConfig(d_model=64)), 2), round(share_of_peak(ModelConfig(d_model=256)), 2)
    (0.14, 0.21)
    """
    return 0.14 * (shape.d_model / 64) ** 0.3


@cache
def peak_flops(threads: int) -> float:
    """Operations a second of a matrix product on this machine with so many threads, in the faster of the two precisions."""
    device, before = "cuda" if torch.cuda.is_available() else "cpu", torch.get_num_threads()
    torch.set_num_threads(threads)
    fastest = max(matrix_flops(device, dtype) for dtype in (torch.float32, torch.bfloat16))
    torch.set_num_threads(before)
    return fastest


def carry_out_one(trial: Trial, out: Path, cache: Path, command: str) -> Path:
    """Train and judge one model, or go on with it where it was stopped; return its folder."""
    torch.set_num_threads(1)
    folder = out / trial.name
    if (folder / "run.json").exists():
        record = resume_run(folder, cache_dir=cache)
    else:
        record = start_run(folder, trial.corpus, trial.tokenizer, trial.shape, trial.config, command=command, cache_dir=cache)
    if trial.judge and "judged" not in record:
        write_json(folder / "run.json", record | {"judged": trial.judge(folder)})
    return folder


def read_table(table: str, records: Path = DATA / "runs") -> list[dict]:
    """The rows of a table; none where there is no table."""
    path = records / table / "runs.csv"
    return read_rows(path, "run") if path.exists() else []


def write_stories(path: Path, stories: Iterable[str]) -> None:
    """Write a text file that `minilm.corpora.read_stories` reads."""
    path.write_text("".join(f"{story}\n{END_OF_TEXT}\n" for story in stories), encoding="utf-8")


def beginning(stories: Iterable[str], n_characters: int) -> Iterator[str]:
    """The first stories, until they have so many characters."""
    for story in stories:
        if n_characters <= 0:
            return
        yield story
        n_characters -= len(story)
