"""Which choices matter? Many trainings after one plan, each for the same computation, and a table that says how sure one may be.

The ideas in order: an experiment is a list of runs, written down before any begins (`plan_rates`, `plan_ablation`); each run has a folder and a
process of its own, so that a run that is killed loses only itself and a finished one is not repeated (`carry_out`); every finished run is a row of
one table (`write_table`); and what a variant of the architecture is worth is its difference to the baseline of the same seed, with an interval
(`differences`).

The learning rates of `TrainConfig` were chosen for the baseline and longer runs. For a fair chance each variant is first trained at several multiples
of them, for the whole budget (a shorter run would like a larger rate), and judged on stories held back from the training text. Its best factor then
holds for the runs that count, which have other seeds and are judged on the validation text that nothing was chosen by.

Used in: chapter 05. Left out on purpose: going on with a run from the middle, which is not worth it for minutes.
"""

import json
import logging
import math
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import numpy as np
import torch

from minilm.config import ModelConfig, TrainConfig, profile
from minilm.corpora import load_corpus
from minilm.data import token_file
from minilm.device import plan
from minilm.evaluate import evaluate, mean_difference
from minilm.files import write_json, write_rows
from minilm.model import flops_per_token
from minilm.processes import fresh_processes
from minilm.runs import environment, peak_memory_bytes
from minilm.tokenizer import Tokenizer, train_tokenizer
from minilm.train import Training, TrainingDiverged, train
from minilm.variants import VARIANTS, build

FACTORS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # of both learning rates
HELD_BACK = 2**15  # tokens at the end of the training text that choose the factor
VOCAB_SIZE = 2048  # learned from storyworld; the small table leaves most of the budget to the blocks
NEVER = 10**9

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """What an ablation is given. Raises ValueError for what cannot work."""

    flops: float
    """Floating-point operations of each training."""
    seeds: int
    """Trainings of each variant that count."""
    out: Path
    """Folder for tokens, runs and the table."""
    variants: tuple[str, ...] = VARIANTS
    """Which of `minilm.variants`; the baseline comes with them in any case."""
    processes: int = 1
    """Trainings side by side, one thread each."""
    command: str = ""
    """How it was started, for the record."""

    def __post_init__(self):
        for name in ("flops", "seeds", "processes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be more than 0")
        unknown = set(self.variants) - set(VARIANTS)
        if unknown:
            raise ValueError(f"there is no variant {min(unknown)!r}; there are {', '.join(VARIANTS)}")
        object.__setattr__(self, "variants", tuple(name for name in VARIANTS if name in {"baseline", *self.variants}))


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: everything that tells it from the others of the experiment."""

    variant: str
    purpose: str
    """`rate`: helps to choose the factor; `judge`: counts."""
    factor: float
    """What both learning rates are multiplied by."""
    seed: int
    flops: float

    @property
    def name(self) -> str:
        return f"{self.variant}_{self.purpose}_{self.flops:.3g}_x{self.factor:g}_seed{self.seed}"


@dataclass(frozen=True, kw_only=True)
class Text:
    """The rows of ids of an experiment, and where they come from."""

    tokenizer: Tokenizer
    fingerprint: str
    train: np.ndarray
    held_back: np.ndarray
    valid: np.ndarray


def load_text(out: Path) -> Text:
    """Storyworld and a vocabulary learned from it; made on first use."""
    corpus, path = load_corpus("storyworld", progress=False), out / f"tokenizer_{VOCAB_SIZE}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        train_tokenizer(corpus.stories("train"), VOCAB_SIZE).save(path)
    tokenizer = Tokenizer.load(path)
    ids, valid = (token_file(corpus, split, tokenizer, out / "cache") for split in ("train", "valid"))
    ends = np.flatnonzero(ids == tokenizer.end_of_text)
    cut = ends[np.searchsorted(ends, len(ids) - HELD_BACK)] + 1  # after a whole story
    return Text(tokenizer=tokenizer, fingerprint=corpus.fingerprint, train=ids[:cut], held_back=ids[cut:], valid=valid)


def ablate(ablation: Ablation) -> Iterator[dict]:
    """Carry out an ablation; yield the row of each run as it ends. `write_table` and `differences` make something of them."""
    load_text(ablation.out)  # once, so that no two processes make it at the same time
    for make_plan in (plan_rates, plan_ablation):
        yield from carry_out(make_plan(ablation), ablation)


def plan_rates(ablation: Ablation) -> list[Run]:
    """The runs that give every variant a fair learning rate."""
    return [Run(variant=variant, purpose="rate", factor=factor, seed=0, flops=ablation.flops)
            for variant in ablation.variants for factor in FACTORS]  # fmt: skip


def plan_ablation(ablation: Ablation) -> list[Run]:
    """The runs that count, all variants with one seed first: an early stop leaves a whole comparison. Reads the results of `plan_rates`."""
    factors = {variant: best_factor(variant, ablation) for variant in ablation.variants}
    return [Run(variant=variant, purpose="judge", factor=factors[variant], seed=seed, flops=ablation.flops)
            for seed in range(1, ablation.seeds + 1) for variant in ablation.variants]  # fmt: skip


def best_factor(variant: str, ablation: Ablation) -> float:
    """The factor with the fewest bits on the held-back stories. Raises FileNotFoundError when a run of `plan_rates` is not finished."""
    runs = [run for run in plan_rates(ablation) if run.variant == variant]
    bits = {run.factor: _bits(_read_row(run, ablation), "held_back_bits_per_byte") for run in runs}
    return min(bits, key=bits.get)


def carry_out(runs: list[Run], ablation: Ablation) -> Iterator[dict]:
    """Train what is not finished yet, each in a process of its own, which tells its own peak of memory; yield the rows in the order of the plan."""
    waiting = [run for run in runs if not _row_path(run, ablation).exists()]
    with ProcessPoolExecutor(ablation.processes, mp_context=fresh_processes("minilm.experiments"), max_tasks_per_child=1) as pool:
        for run, _ in zip(waiting, pool.map(carry_out_one, waiting, [ablation] * len(waiting)), strict=True):
            yield _read_row(run, ablation)


def carry_out_one(run: Run, ablation: Ablation) -> None:
    """Train and judge one model; the last thing written is `row.json`, the sign that the run is finished."""
    torch.set_num_threads(1)
    out, text = ablation.out / run.name, load_text(ablation.out)
    shutil.rmtree(out, ignore_errors=True)  # of a run that was killed
    out.mkdir(parents=True)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    model = build(run.variant, ModelConfig(vocab_size=VOCAB_SIZE), run.seed)
    training = Training(model, train_config(run, model), text.train)
    result = _train_and_judge(training, run, text, out)
    write_json(_row_path(run, ablation), {
        "run": run.name, **asdict(run), "flops_per_token": flops_per_token(model), **result, "peak_memory_bytes": peak_memory_bytes(),
        "n_params": model.n_params, "n_params_without_embeddings": model.n_params_without_embeddings,
        "command": ablation.command, "profile": profile(), "started": started,
        "corpus": "storyworld", "corpus_fingerprint": text.fingerprint, "train_tokens": len(text.train),
        **asdict(model.config), **asdict(training.config), **environment()})  # fmt: skip
    shutil.rmtree(out / "checkpoints", ignore_errors=True)


def train_config(run: Run, model: torch.nn.Module) -> TrainConfig:
    """The default training with the run's rates, for as many whole steps as its budget pays, its schedule ending with them."""
    default = TrainConfig(max_steps=1)
    steps = max(1, round(run.flops / flops_per_token(model) / default.tokens_per_step(model.config.context_length)))
    return plan(model, default.replace(max_steps=steps, seed=run.seed, max_lr=run.factor * default.max_lr, muon_lr=run.factor * default.muon_lr,
                                       device="cpu", precision="float32", compile="no", eval_every=NEVER, save_every=NEVER))  # fmt: skip


def _train_and_judge(training: Training, run: Run, text: Text, out: Path) -> dict:
    """What the training cost and came to. Bits per byte are None for a run that diverged, and where the text is not this run's to look at."""
    start, start_cpu, held_back = time.perf_counter(), time.process_time(), None
    try:
        held_back = train(training, text.held_back, text.tokenizer, out)["valid_bits_per_byte"]
    except TrainingDiverged as error:
        log.warning("%s: %s", run.name, error)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    n_tokens = training.step * training.tokens_per_step
    training.model.eval()
    # What chooses the factor must not look at what judges the variant.
    judging = run.purpose == "judge" and held_back is not None
    judged = evaluate(training.model, text.valid, text.tokenizer) if judging else None
    return {"n_tokens": n_tokens, "flops_used": n_tokens * flops_per_token(training.model), "held_back_bits_per_byte": held_back,
            "valid_bits_per_byte": judged and judged.bits_per_byte, "valid_n_bytes": judged and judged.n_bytes,
            # CPU seconds of one thread, judging the held-back text included: the fairer time where other programs share the machine.
            "seconds": round(seconds, 1), "cpu_seconds": round(cpu_seconds, 1)}  # fmt: skip


def write_table(ablation: Ablation, path: Path) -> list[dict]:
    """Write the finished runs of an ablation as a table, a row each, in the order of the plan; return the rows."""
    plans = plan_rates(ablation) + plan_ablation(ablation)
    rows = [_read_row(run, ablation) for run in plans if _row_path(run, ablation).exists()]
    write_rows(path, rows)
    return rows


def keep_ablation(ablation: Ablation, folder: Path) -> Path:
    """Keep the table in a folder such as data/runs/ablations, and beside it the logs of the runs that count; return its path."""
    for row in write_table(ablation, folder / "runs.csv"):
        if row["purpose"] == "judge":
            shutil.copyfile(ablation.out / row["run"] / "log.jsonl", folder / f"{row['run']}.jsonl")
    return folder / "runs.csv"


def differences(rows: Iterable[dict]) -> dict[str, dict]:
    """How many bits per byte each variant needs more than the baseline of the same seed: mean, and half the width of the 95 % interval.

    rows: of `write_table`, or read from its file. A run and its baseline share the order of the text, so that chance common to both cancels. The
    half width is infinite with one seed. Each interval is for its own variant: of twenty such comparisons expect one to be wrong.

    >>> row = {"purpose": "judge", "factor": 1}
    >>> bits = {"baseline": (1.0, 1.1, 1.2), "mqa": (1.1, 1.2, 1.4)}
    >>> found = differences(row | {"variant": v, "seed": s, "valid_bits_per_byte": b} for v in bits for s, b in enumerate(bits[v]))
    >>> round(found["mqa"]["difference"], 4), round(found["mqa"]["half_width"], 4)
    (0.1333, 0.1434)
    """
    bits: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["purpose"] == "judge":
            bits.setdefault(row["variant"], {})[int(row["seed"])] = _bits(row, "valid_bits_per_byte")
    found, baseline = {}, bits["baseline"]
    for variant, by_seed in bits.items():
        seeds = sorted(by_seed.keys() & baseline.keys())
        difference, half_width = mean_difference([by_seed[seed] for seed in seeds], [baseline[seed] for seed in seeds])
        found[variant] = {"bits_per_byte": mean(by_seed.values()), "difference": difference, "half_width": half_width, "n_seeds": len(seeds)}
    return found


def _bits(row: dict, key: str) -> float:
    """Infinite for a run that diverged: None in its row, and nothing in the table."""
    return float(row[key] or math.inf)


def _row_path(run: Run, ablation: Ablation) -> Path:
    return ablation.out / run.name / "row.json"


def _read_row(run: Run, ablation: Ablation) -> dict:
    path = _row_path(run, ablation)
    if not path.exists():
        raise FileNotFoundError(f"{run.name} is not finished; start the experiment again")
    return json.loads(path.read_text())
