"""How large a model, on how many tokens? The law that joins parameters, tokens and loss, three ways to find it, and what follows from it.

The ideas in order: what is counted (`count_params`, `training_flops`, `appendix_f_flops`); the law L = E + A / N^alpha + B / D^beta and the best
split of a budget under it (`Law`); the law from trainings (`fit_law`), or without it the best size of each budget from its valley (`fit_valley`) or
from the envelope of all curves (`envelope`), and how it grows (`fit_power_law`); how sure one may be (`bootstrap`); and what changes when the
model will be used (`inference_optimum`), when the text runs out (`effective_tokens`, `effective_params`), and when somebody has to pay (`Hardware`).

N, D and C are parameters, tokens and operations here, as in the papers. Losses are in nats per token, natural logarithm.

Built by hand in: chapters 10 and 11. Left out on purpose: laws with more terms. What five numbers cannot say, forty points of small models cannot teach.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from minilm.config import DATA, ModelConfig
from minilm.files import read_rows

PUBLISHED_LAWS = DATA / "published" / "parametric_loss_fits.csv"
DELTA = 1e-3  # where Huber's loss turns from square to straight; Hoffmann et al., section 3.3
STARTS = {
    "a": np.arange(0, 30, 5),
    "b": np.arange(0, 30, 5),
    "e": np.arange(-1, 1.5, 0.5),
    "alpha": np.arange(0, 2.5, 0.5),
    "beta": np.arange(0, 2.5, 0.5),
}
"""The grid of Hoffmann et al., appendix D.2: 4,500 beginnings of a search for log A, log B, log E, alpha and beta."""
TOLERANCE = 1e-9  # of the slope at the end of a search
LEAST_E = 1e-12  # nats: a search cannot begin from the logarithm of 0
SEARCHES = 20  # of those, the ones with the least error, that are followed to their ends
REPETITIONS = 15.387756  # Muennighoff et al., R_D*: repetitions after which a token is worth 1/e
SURPLUS = 5.309743  # the same, R_N*: times the size that the text can feed, after which a parameter more is worth 1/e


# What is counted


def count_params(config: ModelConfig) -> dict[str, int]:
    """Parameters of a transformer by place: `embedding`, `blocks` (with all norms) and `head`, which is 0 where the table is tied.

    >>> count_params(ModelConfig(vocab_size=512, d_model=64, n_layers=2, n_heads=2, n_kv_heads=1, d_ff=128))
    {'embedding': 32768, 'blocks': 74048, 'head': 0}
    """
    d, kv = config.d_model, config.n_kv_heads * config.head_dim
    block = 2 * d * d + 2 * d * kv + 3 * d * config.d_ff + 2 * d  # q and o, k and v, the feed-forward layer, two norms
    table = config.vocab_size * d
    return {"embedding": table, "blocks": config.n_layers * block + d, "head": 0 if config.tie_embeddings else table}


def training_flops(n_params: ArrayLike, n_tokens: ArrayLike) -> ArrayLike:
    """Operations of a training: 6 for each parameter and token, 2 forward and 4 backward. Source: docs/SOURCES.md#kaplan (section 2.1)

    >>> training_flops(70e9, 1.4e12)
    5.88e+23
    """
    return 6.0 * n_params * n_tokens


def appendix_f_flops(*, d_model: int, n_layers: int, n_heads: int, head_dim: int, d_ff: int, vocab_size: int, context_length: int,
                     tables: bool = True) -> float:  # fmt: skip
    """Operations to train on one token as Hoffmann et al. count them, for their models: attention in full, a feed-forward layer of two matrices.

    tables: count the embedding, as a product with a one-hot vector, and the head. Source: docs/SOURCES.md#chinchilla (appendix F)
    """
    width = n_heads * head_dim
    attention = 8 * d_model * width + 4 * context_length * width + 3 * n_heads * context_length  # four matrices; scores and mixing; softmax
    forward = n_layers * (attention + 4 * d_model * d_ff)
    return 3 * (forward + (4 * vocab_size * d_model if tables else 0))  # backward costs twice as much again


# The law


@dataclass(frozen=True, kw_only=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta: what no model can know, what a finite model lacks, what finite text lacks.

    Source: docs/SOURCES.md#chinchilla (section 3.3)

    >>> round(Law(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28).loss(70e9, 1.4e12), 3)
    1.937
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def __post_init__(self):
        for name, value in asdict(self).items():
            if not (math.isfinite(value) and (value > 0 or (name == "E" and value == 0))):
                raise ValueError(f"{name} is {value}; the numbers of a law must be positive (E may be 0)")

    def loss(self, n_params: ArrayLike, n_tokens: ArrayLike) -> ArrayLike:
        return self.E + self.A / n_params**self.alpha + self.B / n_tokens**self.beta

    @property
    def exponent(self) -> float:
        """The a of N ~ C^a: with ten times the operations the best model has 10^a times the parameters."""
        return self.beta / (self.alpha + self.beta)

    @property
    def _balance(self) -> float:
        """The k of N = k (C / 6)^a for the best model; where both terms fall equally fast."""
        return (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))

    def optimum(self, flops: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
        """The parameters and tokens with the least loss among those that cost 6 N D = flops. Source: docs/SOURCES.md#chinchilla (equation 4)

        Raises ValueError for a budget that is not positive.
        """
        _check_positive(flops=flops)
        n_params = self._balance * (flops / 6) ** self.exponent
        return n_params, flops / 6 / n_params

    def size_for(self, n_tokens: ArrayLike) -> ArrayLike:
        """The size that is best when so many tokens are all that the budget is for: `optimum` turned round."""
        _check_positive(n_tokens=n_tokens)
        return (self._balance * n_tokens**self.exponent) ** (1 / (1 - self.exponent))

    def tokens_for(self, loss: float, n_params: ArrayLike) -> ArrayLike:
        """Tokens after which a model of that size reaches a loss; infinite where it never does."""
        left = np.asarray(loss - self.E - self.A / n_params**self.alpha)
        return np.where(left > 0, (self.B / np.where(left > 0, left, 1)) ** (1 / self.beta), np.inf)


def published_laws() -> dict[str, Law]:
    """The laws that others have fitted, by the name of the fit."""
    columns = {"E": "E_nats_per_token"} | {name: name for name in ("A", "B", "alpha", "beta")}
    return {row["fit"]: Law(**{name: float(row[column]) for name, column in columns.items()}) for row in read_rows(PUBLISHED_LAWS)}


# The law from trainings

COLUMNS = {
    "parameters": ("n_params", "parameters", "params", "Model Size", "N"),
    "tokens": ("n_tokens", "training_tokens", "tokens", "D"),
    "operations": ("training_flop", "flops", "Training FLOP", "C"),
    "loss": ("valid_nats_per_token", "loss_nats_per_token", "loss", "L"),
}
"""Names by which a column of a table is known; the first that is there counts."""


def read_points(
    path: Path, where: Mapping[str, str] = MappingProxyType({}), drop_highest: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read parameters, tokens and losses of trainings from a table (CSV) with one row each; tokens are operations / 6 / parameters if not given.

    where: only the rows with these values in these columns. drop_highest: leave out so many rows, those with the highest loss.
    Raises ValueError for a table without the columns, or with no numbers in them.
    """
    if drop_highest < 0:
        raise ValueError(f"drop_highest is {drop_highest}; it must not be negative")
    rows = [row for row in read_rows(path) if all(row.get(name) == value for name, value in where.items())]
    there = {what: next((name for name in names if rows and name in rows[0]), None) for what, names in COLUMNS.items()}
    missing = [what for what in ("parameters", "loss") if not there[what]] + ["tokens or operations"] * (
        not there["tokens"] and not there["operations"]
    )
    if missing:
        known = "; ".join(f"{what}: {', '.join(names)}" for what, names in COLUMNS.items())
        asked = f" where {', '.join(f'{name} is {value}' for name, value in where.items())}" if where else ""
        raise ValueError(f"{path} has no column of {' and '.join(missing)}, or no such rows{asked}. Names that are known are {known}")

    def column(what: str) -> np.ndarray:
        try:
            return np.array([float(row[there[what]]) for row in rows])
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, column {there[what]!r}: {error}") from None

    n, loss = column("parameters"), column("loss")
    d = column("tokens") if there["tokens"] else column("operations") / 6 / n
    kept = np.argsort(loss, kind="stable")[: len(loss) - drop_highest]
    return n[kept], d[kept], loss[kept]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A law, and how badly it fits."""

    law: Law
    objective: float
    """Sum over the points of Huber(log predicted loss - log loss)."""


def fit_law(n_params: ArrayLike, n_tokens: ArrayLike, losses: ArrayLike, start: Law | None = None) -> Fit:
    """Find the law with the least Huber error in the logarithm of the loss. Source: docs/SOURCES.md#chinchilla (section 3.3, appendix D.2)

    start: search from here only, which is enough when the answer must be near, as in a bootstrap.
    Raises ValueError for what is not a positive number, and for fewer points than a law has numbers, plus one.
    """
    n, d, loss = (np.asarray(values, float) for values in (n_params, n_tokens, losses))
    _check_positive(n_params=n, n_tokens=d, losses=loss)
    if not n.shape == d.shape == loss.shape or n.ndim != 1 or len(n) < 6:
        raise ValueError(f"{n.shape}, {d.shape} and {loss.shape} parameters, tokens and losses; give rows of equal length, at least six points "
                         "for five numbers")  # fmt: skip
    points = np.log(n), np.log(d), np.log(loss)
    if start is None:
        grid = np.stack(np.meshgrid(*STARTS.values(), indexing="ij"), -1).reshape(-1, 5)
        errors = [_error(theta, *points)[0] for theta in grid]
        starts = grid[np.argsort(errors)[:SEARCHES]]
    else:
        starts = [[math.log(start.A), math.log(start.B), math.log(max(start.E, LEAST_E)), start.alpha, start.beta]]
    best = min((_search(theta, points) for theta in starts), key=lambda found: found.fun)
    a, b, e, alpha, beta = best.x.tolist()
    return Fit(law=Law(E=math.exp(e), A=math.exp(a), B=math.exp(b), alpha=alpha, beta=beta), objective=float(best.fun))


def _search(theta: ArrayLike, points: tuple) -> optimize.OptimizeResult:
    """Go downhill from theta. The error is near a thousandth, so SciPy's own tolerance, meant for numbers near one, would end the search early."""
    return optimize.minimize(_error, theta, points, jac=True, method="BFGS", options={"gtol": TOLERANCE})


def _error(theta: np.ndarray, log_n: np.ndarray, log_d: np.ndarray, log_loss: np.ndarray) -> tuple[float, np.ndarray]:
    """The summed Huber error at theta = (log A, log B, log E, alpha, beta), and its gradient."""
    a, b, e, alpha, beta = theta
    terms = np.stack([a - alpha * log_n, b - beta * log_d, np.full_like(log_n, e)])  # logarithms of the three terms of the law
    predicted = special.logsumexp(terms, axis=0)
    residual = predicted - log_loss
    shares = np.exp(terms - predicted)  # of each term in the predicted loss
    slope = np.clip(residual, -DELTA, DELTA)
    by_a, by_b, by_e = shares @ slope
    return special.huber(DELTA, residual).sum(), np.array([by_a, by_b, by_e, -(shares[0] * log_n) @ slope, -(shares[1] * log_d) @ slope])


def bootstrap(fit: Callable[[np.ndarray], ArrayLike], n_points: int, n_samples: int = 1000, seed: int = 0) -> np.ndarray:
    """What `fit` finds in samples of the points, drawn with replacement; one row a sample.

    fit: given the numbers of the drawn points, returns what it finds. Samples on which it raises ValueError are drawn anew.
    The standard deviation of a column estimates the standard error, its 2.5th and 97.5th percentile an interval.
    """
    if n_samples < 2:
        raise ValueError(f"{n_samples} samples; how much they scatter shows from 2 on, and a good interval needs a thousand")
    rng, found = np.random.default_rng(seed), []
    for _ in range(10 * n_samples):
        try:
            found.append(np.asarray(fit(rng.integers(n_points, size=n_points)), float))
        except ValueError:
            continue
        if len(found) == n_samples:
            return np.array(found)
    raise ValueError(f"only {len(found)} of {10 * n_samples} samples of {n_points} points could be fitted; there are too few points")


def bootstrap_law(
    n_params: ArrayLike, n_tokens: ArrayLike, losses: ArrayLike, law: Law, n_samples: int = 1000, seed: int = 0
) -> dict[str, np.ndarray]:
    """The five numbers of the laws that fit samples of the points, each as a row."""
    n, d, loss = (np.asarray(values, float) for values in (n_params, n_tokens, losses))
    rows = bootstrap(lambda drawn: list(asdict(fit_law(n[drawn], d[drawn], loss[drawn], start=law).law).values()), len(n), n_samples, seed)
    return dict(zip(asdict(law), rows.T, strict=True))


# The best size without a law


@dataclass(frozen=True, kw_only=True)
class Valley:
    """The lowest point of the losses of one budget: a parabola over log N."""

    n_params: float
    loss: float
    inside: bool
    """Whether the lowest point lies between the sizes that were trained; else it is a guess."""


def fit_valley(n_params: ArrayLike, losses: ArrayLike) -> Valley:
    """Lay a parabola through the losses of models that had the same budget. Source: docs/SOURCES.md#chinchilla (section 3.2)

    Raises ValueError for fewer than three sizes, and for losses that bend downwards, which have no lowest point.
    """
    n, loss = np.asarray(n_params, float), np.asarray(losses, float)
    _check_positive(n_params=n, losses=loss)
    if len(np.unique(n)) < 3:
        raise ValueError(f"{len(np.unique(n))} sizes; a parabola needs at least three")
    bend, slope, height = np.polyfit(np.log(n), loss, 2).tolist()
    if bend <= 0:
        raise ValueError(
            "the losses of this budget have no valley: the parabola through them bends downwards; train smaller and larger models"
        )
    lowest = -slope / (2 * bend)
    return Valley(n_params=math.exp(lowest), loss=height - slope**2 / (4 * bend), inside=math.log(n.min()) <= lowest <= math.log(n.max()))


def envelope(curves: Iterable[tuple[float, ArrayLike, ArrayLike]], budgets: ArrayLike) -> list[tuple[float, float, float]]:
    """For each budget the size whose curve is lowest there: (flops, parameters, loss). Budgets that no curve reaches are left out.

    curves: (parameters, operations so far, losses) of trainings. Source: docs/SOURCES.md#chinchilla (section 3.1)
    """
    curves, lowest = [(n, np.log(flops), np.asarray(loss)) for n, flops, loss in curves], []
    for budget in np.asarray(budgets, float):
        there = [
            (float(np.interp(math.log(budget), flops, loss)), n) for n, flops, loss in curves if flops[0] <= math.log(budget) <= flops[-1]
        ]
        if there:
            loss, n = min(there)
            lowest.append((float(budget), n, loss))
    return lowest


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """y = coefficient x^exponent."""

    coefficient: float
    exponent: float

    def __call__(self, x: ArrayLike) -> ArrayLike:
        return self.coefficient * np.asarray(x) ** self.exponent


def fit_power_law(x: ArrayLike, y: ArrayLike) -> PowerLaw:
    """The straight line through the logarithms, by least squares. Raises ValueError for fewer than two different x.

    >>> round(fit_power_law([1, 10, 100], [2, 20, 200]).exponent, 6)
    1.0
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    _check_positive(x=x, y=y)
    if len(np.unique(x)) < 2:
        raise ValueError("a power law needs points at two different x, at least")
    exponent, log_coefficient = np.polyfit(np.log(x), np.log(y), 1).tolist()
    return PowerLaw(coefficient=math.exp(log_coefficient), exponent=exponent)


# What follows


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A size, the tokens it is trained on, and what training and use cost together."""

    n_params: float
    n_tokens: float
    flops: float


def inference_optimum(law: Law, loss: float, inference_tokens: float) -> Plan:
    """The cheapest model of a given loss, when it will also read and write so many tokens: least 6 N D + 2 N D_inference.

    Raises ValueError for a loss that the law does not allow. Source: docs/SOURCES.md#sardana
    """
    if not loss > law.E:
        raise ValueError(f"a loss of {loss} cannot be reached: the law ends at E = {law.E}")
    if not inference_tokens >= 0:
        raise ValueError(f"{inference_tokens} tokens served; the number must not be negative")
    smallest = math.log((law.A / (loss - law.E)) ** (1 / law.alpha))  # with endless text

    def cost(log_n: float) -> float:
        n = math.exp(log_n)
        return math.log(n * (6 * law.tokens_for(loss, n) + 2 * inference_tokens))

    found = optimize.minimize_scalar(cost, bounds=(smallest + 1e-9, smallest + 20), method="bounded", options={"xatol": 1e-10})
    return Plan(n_params=math.exp(found.x), n_tokens=float(law.tokens_for(loss, math.exp(found.x))), flops=math.exp(found.fun))


def effective_tokens(unique_tokens: float, epochs: ArrayLike, repetitions: float = REPETITIONS) -> ArrayLike:
    """Fresh tokens that are worth as much as reading `unique_tokens` so many times. Source: docs/SOURCES.md#repeats (equation 5)

    >>> round(float(effective_tokens(1.0, 4)), 2)
    3.73
    """
    _check_positive(unique_tokens=unique_tokens, epochs=epochs, repetitions=repetitions)
    again = np.maximum(np.asarray(epochs) - 1.0, 0)
    return unique_tokens * (np.minimum(epochs, 1.0) + repetitions * -np.expm1(-again / repetitions))


def effective_params(n_params: ArrayLike, fed: float, surplus: float = SURPLUS) -> ArrayLike:
    """Parameters that are worth as much when there is text for `fed` of them only (`Law.size_for`). Source: docs/SOURCES.md#repeats (equation 6)

    >>> round(float(effective_params(4.0, 1.0)), 2)
    3.29
    """
    return effective_tokens(fed, np.asarray(n_params) / fed, surplus)


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """One accelerator, and what an hour of it takes. All are assumptions: change them."""

    peak_flops: float
    """Dense operations a second, as the maker states them."""
    utilisation: float
    """Share of the peak that a training reaches."""
    watts: float
    """Power it draws."""
    overhead: float = 1.1
    """Power of the whole building over that of the machines (PUE)."""
    price_per_hour: float = 0.0
    """Money for an hour of one accelerator."""

    def __post_init__(self):
        _check_positive(peak_flops=self.peak_flops, utilisation=self.utilisation, watts=self.watts, overhead=self.overhead)
        if self.utilisation > 1 or self.price_per_hour < 0:
            raise ValueError(f"utilisation {self.utilisation} and price {self.price_per_hour}: at most 1, and not negative")

    def cost(self, flops: float) -> dict[str, float]:
        """What so many operations take: `hours` of one accelerator, `kwh` of energy, `money`."""
        hours = flops / (self.peak_flops * self.utilisation) / 3600
        return {"hours": hours, "kwh": hours * self.watts * self.overhead / 1000, "money": hours * self.price_per_hour}


def _check_positive(**values: ArrayLike) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) & (np.asarray(value) > 0)).all():
            wrong = np.asarray(value, float).ravel()
            bad = wrong[~(np.isfinite(wrong) & (wrong > 0))][0]
            raise ValueError(f"{name} has {bad:g}; all must be finite and more than 0")
