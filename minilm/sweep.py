"""How does the best size grow with the budget? Small trainings on a grid of budgets and sizes, a valley of losses for each budget.

The ideas in order: a training is a size, a budget in operations, and a seed (`Training`); a budget goes to the six sizes around the likely best that
need not read the text too often (`sizes_for`); first a few trainings choose the learning rates, judged on stories held back from the training text
(`plan_rates`, `best_factor`), then those that count are judged on validation text (`plan_sweep`); `minilm.trials` carries them out;
from the rows of smaller budgets comes a forecast of a larger one, written down before it is trained (`forecast`); and from all rows how the best size
grows, found three ways (`growth`).

Used in: chapter 10. Left out on purpose: trying the batch. It is what makes a training some STEPS steps long.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from minilm.config import DATA, ModelConfig, TrainConfig
from minilm.corpora import Corpus
from minilm.data import token_file
from minilm.files import write_json
from minilm.scaling import Law, Valley, bootstrap, count_params, envelope, fit_law, fit_power_law, fit_valley
from minilm.tokenizer import Tokenizer, train_tokenizer
from minilm.trials import Trial, beginning, cost, read_table, write_stories

VOCAB_SIZE = 512  # so that the table is no more than half of the smallest models


def shape(d_model: int, n_layers: int, vocab_size: int = VOCAB_SIZE, context_length: int = 256) -> ModelConfig:
    """A shape with heads of 16 numbers and a feed-forward layer about 8/3 as wide."""
    n_heads = d_model // 16
    return ModelConfig(vocab_size=vocab_size, context_length=context_length, d_model=d_model, n_layers=n_layers, n_heads=n_heads, n_kv_heads=n_heads,
                       d_ff=16 * round(d_model / 6))  # fmt: skip


SIZES = {f"d{d_model}-L{n_layers}": shape(d_model, n_layers) for d_model, n_layers in
         ((16, 2), (32, 2), (32, 3), (48, 2), (48, 3), (64, 3), (80, 3), (96, 3), (112, 3), (128, 4), (144, 5), (160, 6), (192, 6), (256, 6))}  # fmt: skip
BUDGETS = (1e12, 2.5e12, 6.3e12, 1.6e13)
HELD_OUT = (4e13, 1e14)  # forecast first, trained afterwards
CHEAP = (1e12, 2.5e12, 6.3e12)  # trained with several seeds
SIZES_OF_BUDGET = 6
TOKENS_PER_PARAM = 15  # a first guess at the best; the sizes of a budget lie around it
MAX_READINGS = 4  # of the training text; Muennighoff et al.: up to there nearly as good as fresh text
STEPS = 1000  # about, in every training
RATES = {
    "d32-L2": 1e12,
    "d64-L3": 2.5e12,
    "d112-L3": 6.3e12,
}  # where the learning rates are tried out; other sizes have those of the next smaller
FACTORS = (1.0, 2.0, 4.0, 8.0)  # of both learning rates
HELD_BACK = VALID = 500_000  # characters
TABLES = {"judge": "sweep", "rate": "sweep_rates"}  # the experiment of data/runs in which a training is recorded, by its purpose


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training of the sweep: all that tells it from the others."""

    size: str
    flops: float
    seed: int
    factor: float
    """What both learning rates are multiplied by."""
    purpose: str = "judge"
    """`judge`: counts. `rate`: helps to choose the factor, and never sees the validation text."""

    def name(self, corpus: str) -> str:
        return f"{corpus}_{self.size}_{self.flops:g}_{self.purpose}_x{self.factor:g}_seed{self.seed}".replace("+", "")


def n_tokens(size: str, flops: float) -> float:
    """Tokens that a budget pays for, attention counted."""
    return flops / cost(SIZES[size])


def sizes_for(flops: float, train_tokens: int) -> list[str]:
    """The sizes of a budget, small ones first: those nearest to TOKENS_PER_PARAM that read `train_tokens` at most MAX_READINGS times."""

    def distance(size: str) -> float:
        return abs(math.log(n_tokens(size, flops) / sum(count_params(SIZES[size]).values()) / TOKENS_PER_PARAM))

    possible = [size for size in SIZES if n_tokens(size, flops) <= MAX_READINGS * train_tokens]
    chosen = sorted(possible, key=distance)[:SIZES_OF_BUDGET]
    return [size for size in SIZES if size in chosen]


def plan_rates() -> list[Training]:
    """The trainings that choose the learning rates."""
    return [
        Training(size=size, flops=flops, seed=100, factor=factor, purpose="rate") for size, flops in RATES.items() for factor in FACTORS
    ]


def best_factor(size: str, bits: dict[Training, float]) -> float:
    """The factor with the fewest bits for the largest size of RATES that is not larger. Raises ValueError while a training of it is missing."""
    order = list(SIZES)
    tried = [name for name in RATES if order.index(name) <= order.index(size)] or [next(iter(RATES))]
    mine = [training for training in plan_rates() if training.size == tried[-1]]
    missing = [training for training in mine if training not in bits]
    if missing:
        raise ValueError(f"{len(missing)} trainings that choose the learning rates of {tried[-1]} are missing; begin with them")
    return min(mine, key=bits.get).factor


def plan_sweep(budgets: Iterable[float], seeds: int, train_tokens: int, bits: dict[Training, float]) -> list[Training]:
    """The trainings that count, small budgets first; those of CHEAP with several seeds. bits: of those that chose the rates."""
    return [Training(size=size, flops=flops, seed=seed, factor=best_factor(size, bits))
            for seed in range(seeds) for flops in sorted(budgets) if seed == 0 or flops in CHEAP
            for size in sizes_for(flops, train_tokens)]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Text:
    """What a sweep reads: a corpus to be judged by, one to choose rates by, and their vocabulary."""

    judge: Corpus
    rate: Corpus
    tokenizer: Tokenizer

    def train_tokens(self, cache: Path) -> int:
        return len(token_file(self.judge, "train", self.tokenizer, cache))


def prepare(corpus: Corpus, out: Path) -> Text:
    """Set aside the last HELD_BACK characters of the training text and the first VALID of the validation text, and learn a vocabulary; once."""
    folder = out / f"{corpus.name}_{corpus.fingerprint[:8]}"  # another text of that name gets another folder
    train, rate, valid, vocabulary = (folder / name for name in ("train.txt", "held_back.txt", "valid.txt", f"tokenizer_{VOCAB_SIZE}.json"))
    if not vocabulary.exists():
        folder.mkdir(parents=True, exist_ok=True)
        stories, left = list(corpus.stories("train")), HELD_BACK
        cut = len(stories)
        while left > 0 and cut > 1:
            cut -= 1
            left -= len(stories[cut])
        write_stories(train, stories[:cut])
        write_stories(rate, stories[cut:])
        write_stories(valid, beginning(corpus.stories("valid"), VALID))
        train_tokenizer(iter(stories[:cut]), VOCAB_SIZE).save(vocabulary)
    return Text(judge=Corpus(corpus.name, train, valid), rate=Corpus(corpus.name, train, rate), tokenizer=Tokenizer.load(vocabulary))


def trials(plan: Iterable[Training], text: Text) -> list[Trial]:
    """What there is to carry out: those that choose a rate are judged by other text than those that count."""
    return [Trial(name=training.name(text.judge.name), table=TABLES[training.purpose], corpus=text.judge if training.purpose == "judge" else text.rate,
                  tokenizer=text.tokenizer, shape=SIZES[training.size],
                  config=train_config(SIZES[training.size], training.flops, training.seed, training.factor)) for training in plan]  # fmt: skip


def train_config(shape: ModelConfig, flops: float, seed: int, factor: float, about: int | None = None) -> TrainConfig:
    """The default training with a factor to its rates, its schedule ending where its budget does. about: how many steps, roughly; STEPS if not given."""
    default, tokens = TrainConfig(max_steps=1), flops / cost(shape)
    batch_size = 2 ** max(0, round(math.log2(tokens / (about or STEPS) / shape.context_length)))
    steps = max(1, round(tokens / batch_size / shape.context_length))
    return default.replace(max_steps=steps, batch_size=batch_size, seed=seed, max_lr=factor * default.max_lr, muon_lr=factor * default.muon_lr,
                           device="cpu", precision="float32", compile="no",
                           eval_every=steps + 1, save_every=max(100, steps // 4), log_every=max(1, steps // 50))  # fmt: skip


def bits_of(plan: list[Training], corpus: str, records: Path = DATA / "runs") -> dict[Training, float]:
    """Bits per byte of the trainings of a plan that have a row."""
    found = {row["run"]: float(row["valid_bits_per_byte"]) for table in TABLES.values() for row in read_table(table, records)}
    return {training: found[training.name(corpus)] for training in plan if training.name(corpus) in found}


@dataclass(frozen=True, kw_only=True)
class Points:
    """The trainings that count, a row each: what they were given and came to."""

    budget: np.ndarray
    n_params: np.ndarray
    n_tokens: np.ndarray
    loss: np.ndarray
    """Nats per token of the validation text."""

    def __getitem__(self, chosen: np.ndarray) -> "Points":
        return Points(**{name: column[chosen] for name, column in vars(self).items()})

    def __len__(self) -> int:
        return len(self.loss)


def read_points(rows: list[dict], corpus: str, *, embeddings: bool = True) -> Points:
    """The rows of a corpus as columns. embeddings: count the table among the parameters."""
    mine = [row for row in rows if row["corpus"] == corpus]
    if not mine:
        raise ValueError(f"the table of the sweep has no trainings on {corpus}; make some first, by `minilm sweep --corpus {corpus}`")
    n_params = "n_params" if embeddings else "n_params_without_embeddings"
    column = {name: np.array([float(row[key]) for row in mine]) for name, key in
              {"n_params": n_params, "n_tokens": "n_tokens", "loss": "valid_nats_per_token"}.items()}  # fmt: skip
    return Points(budget=np.array([float(row["run"].split("_")[-4]) for row in mine]), **column)


def best_sizes(points: Points) -> tuple[np.ndarray, list[Valley]]:
    """The budgets, and the valley of each. Raises ValueError for a valley whose lowest point lies beyond the sizes that were trained."""
    budgets = np.unique(points.budget)
    valleys = [fit_valley(points.n_params[points.budget == budget], points.loss[points.budget == budget]) for budget in budgets]
    for budget, valley in zip(budgets, valleys, strict=True):
        if not valley.inside:
            raise ValueError(f"with {budget:g} operations the best size seems to lie beyond those that were trained; train others")
    return budgets, valleys


def forecast(points: Points, sizes: list[str], budget: float, n_samples: int = 1000) -> dict:
    """What smaller budgets say of a larger one: the loss of each size by the law, with 95 % ranges, and the best size by the law and by the valleys.

    A range holds what is not known of the law (samples of the points) and how single trainings scatter around it (their residuals).
    """
    law = fit_law(points.n_params, points.n_tokens, points.loss).law
    residuals = np.log(points.loss) - np.log(law.loss(points.n_params, points.n_tokens))
    n, d = np.array([sum(count_params(SIZES[size]).values()) for size in sizes]), np.array([n_tokens(size, budget) for size in sizes])

    def sample(drawn: np.ndarray) -> np.ndarray:
        """Losses of the sizes, then the best size by the law, by the valleys, and the least loss by each."""
        drawn_points = points[drawn]
        drawn_law = fit_law(drawn_points.n_params, drawn_points.n_tokens, drawn_points.loss, start=law).law
        losses = drawn_law.loss(n, d)
        by_law = fit_valley(n, losses)
        budgets, valleys = best_sizes(drawn_points)
        by_valleys = [fit_power_law(budgets, [getattr(valley, name) for valley in valleys])(budget) for name in ("n_params", "loss")]
        return np.array([*losses * np.exp(residuals[drawn[: len(losses)]]), by_law.n_params, by_law.loss, *by_valleys])

    best, samples = sample(np.arange(len(points))), bootstrap(sample, len(points), n_samples)
    best[: len(n)] = law.loss(n, d)
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    names = [*sizes, "best size by the law", "least loss by the law", "best size by the valleys", "least loss by the valleys"]
    return {"budget": budget, "n_points": len(points), "law": asdict(law),
            "says": {name: [float(f"{value:.6g}") for value in triple] for name, *triple in zip(names, best, low, high, strict=True)}}  # fmt: skip


def write_forecast(corpus: str, budget: float, train_tokens: int, records: Path = DATA / "runs", *, command: str = "",
                   n_samples: int = 1000) -> tuple[dict, Path]:  # fmt: skip
    """Write what the budgets so far let expect of a larger one beside the table of the sweep; return it, and where it lies.

    Raises ValueError when a training of that budget, or of a larger one, has a row already: a forecast comes first.
    """
    points = read_points(read_table(TABLES["judge"], records), corpus)
    if (points.budget >= budget).any():
        raise ValueError(
            f"the table has trainings of {max(points.budget):g} operations already; a forecast of {budget:g} comes before them"
        )
    said = {"command": command} | forecast(points, sizes_for(budget, train_tokens), budget, n_samples)
    path = records / TABLES["judge"] / f"forecast_{corpus}_{budget:g}.json".replace("+", "")
    write_json(path, said)
    return said, path


Curve = tuple[float, np.ndarray, np.ndarray]
"""Of one training: parameters, tokens so far, and the training loss there in nats per token."""


def read_curves(rows: list[dict], corpus: str, records: Path = DATA / "runs", *, embeddings: bool = True) -> list[Curve]:
    """The course of each training of a corpus, in the order of its rows. embeddings: count the table among the parameters."""
    curves = []
    for row in rows:
        if row["corpus"] == corpus:
            lines = [json.loads(line) for line in (records / TABLES["judge"] / row["log"]).read_text(encoding="utf-8").splitlines()]
            tokens, losses = (np.array([line[name] for line in lines if "loss" in line], float) for name in ("tokens", "loss"))
            curves.append((float(row["n_params" if embeddings else "n_params_without_embeddings"]), tokens, losses))
    return curves


def operations(n_params: np.ndarray) -> np.ndarray:
    """What a token costs in training, attention included, for a model of that size: read off between SIZES."""
    known = {sum(count_params(shape).values()): cost(shape) for shape in SIZES.values()}
    return np.exp(np.interp(np.log(n_params), np.log(list(known)), np.log(list(known.values()))))


COUNTINGS = {"operations": (True, operations), "6 N D": (True, lambda n: 6 * n), "6 N D without the table": (False, lambda n: 6 * n)}
"""What a training may be taken to cost: whether the table counts among the parameters, and operations for each token of a model of n parameters."""


def growth(points: Points, curves: Sequence[Curve], flops_per_token: Callable[[np.ndarray], np.ndarray], n_samples: int = 1000) -> dict:
    """The exponent a of N ~ C^a, found three ways, and the numbers of the law, with 95 % ranges. Source: docs/SOURCES.md#chinchilla (section 3)

    flops_per_token: what a size is taken to cost; the budget C of a training is that, times its tokens.
    """
    law, grid = fit_law(points.n_params, points.n_tokens, points.loss).law, np.geomspace(points.n_params.min(), points.n_params.max(), 2000)

    def sample(drawn: np.ndarray) -> list[float]:
        """The exponents by the valleys, by the envelope and by the law, and the numbers of the law."""
        mine, drawn_curves = points[drawn], [curves[i] for i in drawn]
        budgets, sizes = map(np.array, zip(*_stars(mine, flops_per_token), strict=True))
        drawn_law = fit_law(mine.n_params, mine.n_tokens, mine.loss, start=law).law
        by_law = [grid[np.argmin(drawn_law.loss(grid, budget / flops_per_token(grid)))] for budget in budgets]
        counted = [(n, flops_per_token(n) * tokens, losses) for n, tokens, losses in drawn_curves]
        lowest = zip(*envelope(counted, np.geomspace(budgets.min(), budgets.max(), 50)), strict=True)
        ways = (budgets, sizes), tuple(lowest)[:2], (budgets, by_law)
        return [*(fit_power_law(*way).exponent for way in ways), *asdict(drawn_law).values()]

    best, samples = sample(np.arange(len(points))), bootstrap(sample, len(points), n_samples)
    low, high = np.percentile(samples, [2.5, 97.5], axis=0)
    names = ["exponent by the valleys", "exponent by the envelope", "exponent by the law", *asdict(law)]
    return {name: [float(f"{value:.6g}") for value in triple] for name, *triple in zip(names, best, low, high, strict=True)}


def _stars(points: Points, flops_per_token: Callable[[np.ndarray], np.ndarray]) -> Iterator[tuple[float, float]]:
    """The lowest point of each budget's valley, as (operations, parameters)."""
    for budget, valley in zip(*best_sizes(points), strict=True):
        mine = points[points.budget == budget]
        order = np.argsort(mine.n_params)
        tokens = np.exp(np.interp(math.log(valley.n_params), np.log(mine.n_params[order]), np.log(mine.n_tokens[order])))
        yield float(flops_per_token(valley.n_params) * tokens), valley.n_params


def write_growth(corpus: str, records: Path = DATA / "runs", *, command: str = "", n_samples: int = 1000) -> tuple[dict, Path]:
    """Write how the best size grows by each way of counting, and the law, beside the table of the sweep; return it, and where it lies."""
    rows, found = read_table(TABLES["judge"], records), {}
    for name, (embeddings, flops_of_token) in COUNTINGS.items():
        points, curves = read_points(rows, corpus, embeddings=embeddings), read_curves(rows, corpus, records, embeddings=embeddings)
        found[name] = growth(points, curves, flops_of_token, n_samples)
    law = {name: found["6 N D"][name][0] for name in Law.__dataclass_fields__}
    said, path = {"command": command, "n_points": len(points), "law": law, "countings": found}, records / TABLES["judge"] / f"growth_{corpus}.json"
    write_json(path, said)
    return said, path
