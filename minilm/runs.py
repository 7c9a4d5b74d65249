"""What remains of a run? A folder that says all: what was asked, on what text and machine, and what came out.

The ideas in order: `start_run` settles every setting, writes them to `run.json`, and trains; `resume_run` reads them there and goes on;
both end with the loss over the whole validation text. `record_run` keeps a finished run as a row of a table in `data/runs/`;
`ship_run` makes the small folder that other people get.

Used from chapter 06 on. Left out on purpose: comparing runs (chapters do it, from the tables).
"""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from minilm import plots
from minilm.checkpoint import load_model, newest_checkpoint, save_model
from minilm.config import CACHE, DATA, RANK, WORLD_SIZE, ModelConfig, TrainConfig, profile
from minilm.corpora import SPLITS, Corpus
from minilm.data import token_file
from minilm.device import plan
from minilm.distributed import from_first, new_training
from minilm.evaluate import evaluate
from minilm.files import read_json, read_rows, write_json, write_rows
from minilm.generate import generate
from minilm.model import Transformer, flops_per_token
from minilm.tokenizer import Tokenizer
from minilm.train import Training, fix_steps, read_log, resume, train

START_AGAIN = "start the run again in another folder"
Callbacks = Iterable[Callable[[dict], None]]


def start_run(out: Path, corpus: Corpus, tokenizer: Tokenizer, model_config: ModelConfig, config: TrainConfig, *, command: str = "",
              shard: bool = False, cache_dir: Path = CACHE, callbacks: Callbacks = ()) -> dict:  # fmt: skip
    """Train a model from scratch in the folder `out`; return what its `run.json` says in the end.

    command: what to write down as the way to repeat this. shard: split the model over the processes (`minilm.distributed`).
    callbacks: each called with every line of the log.
    Raises FileExistsError when the folder holds a run already, and whatever `minilm.train.train` raises.
    """
    out = Path(out)
    if (out / "run.json").exists():
        raise FileExistsError(f"{out} already holds a run; go on with it by `minilm resume {out}`, or name another folder")
    train_ids, valid_ids = _token_files(corpus, tokenizer, cache_dir)
    forget_peak_memory()
    start = time.perf_counter()
    model = Transformer(model_config, seed=config.seed)
    training = new_training(model, plan(model, config), train_ids, shard)
    fix_steps(training, time.perf_counter() - start)
    training.seconds = time.perf_counter() - start  # compiling and measuring belong to the run
    record = {
        "command": command,
        "profile": profile(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint, "train": str(corpus.train), "valid": str(corpus.valid)},
        "train_tokens": len(train_ids),
        "n_params": model.n_params,
        "n_params_without_embeddings": model.n_params_without_embeddings,
        "model": asdict(model_config),
        "training": asdict(training.config),
        "environment": environment(),
    }
    if RANK == 0:
        out.mkdir(parents=True, exist_ok=True)
        tokenizer.save(out / "tokenizer.json")
        write_json(out / "run.json", record)
    return _train_and_judge(training, valid_ids, tokenizer, out, record, callbacks)


def resume_run(out: Path, *, shard: bool = False, cache_dir: Path = CACHE, callbacks: Callbacks = ()) -> dict:
    """Go on with a run that was stopped, by a person or by a fault, as if it had not been; a finished run is left as it is.

    shard: as for `start_run`, whatever it was then. Raises FileNotFoundError when there is none, ValueError when its record is damaged or
    its text or tokenizer has changed.
    """
    out = Path(out)
    record = read_record(out)
    if "result" in record:
        return record
    with _record_of(out):
        corpus = Corpus(str(record["corpus"]["name"]), Path(record["corpus"]["train"]), Path(record["corpus"]["valid"]))
        config, shape = TrainConfig(**record["training"]), ModelConfig(**record["model"])
        n_tokens, fingerprint = int(record["train_tokens"]), record["corpus"]["fingerprint"]
        resumed = [*record.get("resumed", [])]
    missing = [path for path in (corpus.train, corpus.valid) if not path.exists()]
    if missing:
        raise FileNotFoundError(f"the text of this run is gone from {missing[0]}; put it back to go on")
    if corpus.fingerprint != fingerprint:
        raise ValueError(f"the text at {corpus.train} has changed since the run began; start a new run")
    tokenizer = _tokenizer_of(out)
    train_ids, valid_ids = _token_files(corpus, tokenizer, cache_dir)
    if len(train_ids) != n_tokens:
        raise ValueError(f"the encoded text in {Path(cache_dir) / 'tokens'} has {len(train_ids):,} tokens, and had "
                         f"{n_tokens:,} when the run began; delete that folder, and the text is encoded again")  # fmt: skip
    training = new_training(Transformer(shape, seed=config.seed), config, train_ids, shard)
    resume(training, out)
    # Another number of threads or processes adds up in another order: the record says where each part was done.
    record["resumed"] = [*resumed, {"step": training.step, **environment()}]
    if RANK == 0:
        write_json(out / "run.json", record)
    return _train_and_judge(training, valid_ids, tokenizer, out, record, callbacks)


def read_record(out: Path) -> dict:
    """Read a run's `run.json`. Raises FileNotFoundError or ValueError, saying what is wrong."""
    path = Path(out) / "run.json"
    if not path.is_file():
        raise FileNotFoundError(f"there is no run in {out}: it has no run.json; `minilm train --out {out}` would make one")
    return read_json(path, "a whole record of a run", START_AGAIN)


def record_run(run: Path, experiment: str, folder: Path = DATA / "runs") -> Path:
    """Add a finished run to the table of an experiment, one row a run, with its log beside it; return the table's path.

    A row of the same name is replaced. Local paths are not written.
    """
    run = Path(run)
    name, record = run.resolve().name, _finished(run)
    with _record_of(run):
        row = _row(name, record)
    table = Path(folder) / experiment / "runs.csv"
    rows = read_rows(table, "run") if table.exists() else []
    rows = [old for old in rows if old["run"] != name] + [row]
    write_rows(table, rows)
    shutil.copyfile(run / "log.jsonl", table.with_name(f"{name}.jsonl"))
    return table


def _row(name: str, record: dict) -> dict:
    """What a table keeps of a run."""
    model = Transformer(ModelConfig(**record["model"]))
    if model.n_params != record["n_params"] or type(record["train_tokens"]) is not int:
        raise ValueError(f"a model of {record['n_params']} parameters that learned from {record['train_tokens']} tokens, while its shape has {model.n_params}")
    flops = record["result"]["n_tokens"] * flops_per_token(model)
    return {"run": name, "command": record["command"], "profile": record["profile"], "started": record["started"],
           "corpus": record["corpus"]["name"], "corpus_fingerprint": record["corpus"]["fingerprint"],
           **{key: record[key] for key in ("train_tokens", "n_params", "n_params_without_embeddings")},
           **record["model"], **record["training"], **record["result"], **record.get("judged", {}),
           "flops": flops, **record["environment"], "log": f"{name}.jsonl",
           "resumed_at_steps": " ".join(str(part["step"]) for part in record.get("resumed", []))}  # fmt: skip


def ship_run(run: Path, out: Path, *, data_note: str, n_stories: int = 3, cache_dir: Path = CACHE) -> dict:
    """Make a folder to give away from a finished run: weights in half precision, tokenizer, record, and a card (card.md, curve.png).

    data_note: what the text is and under which licence. The card's score is that of the half-precision weights, measured here.
    """
    run, out, record = Path(run), Path(out), _finished(run)
    save_model(out, *load_model(run), dtype=torch.float16)
    model, tokenizer = load_model(out)
    corpus = record["corpus"]
    valid_ids = token_file(Corpus(corpus["name"], Path(corpus["train"]), Path(corpus["valid"])), "valid", tokenizer, cache_dir)
    result = record["result"] | {f"valid_{key}": value for key, value in evaluate(model, valid_ids, tokenizer).to_dict().items()}
    shipped = record | {"corpus": {key: corpus[key] for key in ("name", "fingerprint")}, "result": result}
    write_json(out / "run.json", shipped)
    stories = ["".join(generate(model, tokenizer, seed=seed, max_new_tokens=400)).strip() for seed in range(n_stories)]
    (out / "card.md").write_text(_card(out.name, shipped, data_note, stories), encoding="utf-8")
    with plots.style():
        fig, ax = plt.subplots(figsize=(7, 3.5))
        plots.loss_curve(ax, read_log(run), x="tokens", y="valid_bits_per_byte")
        fig.savefig(out / "curve.png", dpi=110, bbox_inches="tight")
        plt.close(fig)
    return shipped


def environment() -> dict:
    """What a measured time depends on: machine, versions, threads, processes."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return {"machine": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads(), "processes": WORLD_SIZE, "gpu": gpu,
            "system": platform.system(), "python": platform.python_version(), "torch": torch.__version__}  # fmt: skip


def peak_memory_bytes() -> int | None:
    """The most memory this process has held at once, in bytes, since `forget_peak_memory`; None where the system does not tell (Windows)."""
    status = Path("/proc/self/status")
    if status.exists():  # here getrusage would count the parent's memory too, from before this program took its place
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1])
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # macOS counts bytes, Linux kilobytes


def forget_peak_memory() -> None:
    """Let `peak_memory_bytes` count from here on, where the system can (Linux): several runs may share a process."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of all runs so far


def _token_files(corpus: Corpus, tokenizer: Tokenizer, cache_dir: Path) -> list[np.ndarray]:
    """Both splits as rows of ids; of several processes only the first encodes, where that is still to be done."""
    from_first(lambda: [len(token_file(corpus, split, tokenizer, cache_dir)) for split in SPLITS])
    return [token_file(corpus, split, tokenizer, cache_dir) for split in SPLITS]


def _train_and_judge(training: Training, valid_ids, tokenizer: Tokenizer, out: Path, record: dict, callbacks: Callbacks) -> dict:
    train(training, valid_ids, tokenizer, out, callbacks)
    training.model.eval()
    judged = evaluate(training.model, valid_ids, tokenizer)
    n_tokens = training.step * training.tokens_per_step
    record["result"] = {
        "n_tokens": n_tokens,
        **{f"valid_{key}": value for key, value in judged.to_dict().items()},
        "seconds": round(training.seconds, 3),
        "tokens_per_second": round(n_tokens / training.seconds, 1) if training.seconds else None,  # a log that was lost took its seconds along
        "peak_memory_bytes": peak_memory_bytes(),
    }
    if RANK == 0:
        write_json(out / "run.json", record)
    return record


def _tokenizer_of(run: Path) -> Tokenizer:
    """The tokenizer of a run that was stopped; it must be the one that its newest checkpoint was trained with."""
    tokenizer, folder = Tokenizer.load(run / "tokenizer.json"), newest_checkpoint(run)
    if folder and tokenizer.fingerprint != Tokenizer.load(folder / "tokenizer.json").fingerprint:
        raise ValueError(f"{run / 'tokenizer.json'} is not the tokenizer that {folder.name} was trained with; "
                         f"put that one back: {folder / 'tokenizer.json'}")  # fmt: skip
    return tokenizer


@contextmanager
def _record_of(run: Path):
    """Say that a record is damaged, where something in it is missing or of another kind."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{Path(run) / 'run.json'} is not a whole record of a run ({type(error).__name__}: {error}); {START_AGAIN}") from None


def _finished(run: Path) -> dict:
    record = read_record(run)
    if "result" not in record:
        raise ValueError(f"the run in {run} is not finished; go on with it by `minilm resume {run}`")
    return record


def _processor() -> str:
    """The processor's own name where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _card(name: str, record: dict, data_note: str, stories: list[str]) -> str:
    result, model, training = record["result"], record["model"], record["training"]
    told = "\n\n---\n\n".join("> " + story.replace("\n", "\n> ") for story in stories)
    return f"""# {name}

A language model of {record["n_params"]:,} parameters ({record["n_params_without_embeddings"]:,} without the embedding table), trained by
this repository. `minilm generate data/models/{name}` makes it write.

| | |
|---|---|
| data | {data_note} |
| shape | d_model {model["d_model"]}, {model["n_layers"]} layers, {model["n_heads"]} heads ({model["n_kv_heads"]} for keys and values), d_ff {model["d_ff"]}, \
vocabulary {model["vocab_size"]:,}, context {model["context_length"]} tokens |
| training | {result["n_tokens"]:,} tokens ({result["n_tokens"] / record["train_tokens"]:.1f} passes over {record["train_tokens"]:,}), \
{training["max_steps"]:,} steps, seed {training["seed"]} |
| time | {result["seconds"] / 60:.0f} minutes on {record["environment"]["cores"]} cores of {record["environment"]["machine"]} |
| validation | **{result["valid_bits_per_byte"]:.4f} bits per byte** over {result["valid_n_bytes"]:,} bytes of stories it never saw, \
as shipped (half-precision weights) |
| command | `{record["command"]}` |

Every setting is in `run.json`.

![Validation loss falling as the model reads](curve.png)

## Stories of its own

Written from nothing (`minilm generate data/models/{name} --prompt "" --max-new-tokens 400`), seeds 0 to {len(stories) - 1}, unedited:

{told}

## Limits

It knows the words and the small world of its stories, in English. It mixes up who has what, forgets names, and knows no facts.
Do not use it for anything but learning.
"""
