"""What does a run need to know? Every setting of a model and of a training, in two frozen dataclasses.

Notebooks, the command line and the records in `data/runs/` all use these, so a setting has one name everywhere. The defaults are
those of a five-minute run on two CPU cores, chosen on a development split of the training text (docs/LOG.md, 2026-11-25).

Built by hand in: chapter 05 (the shape) and chapter 06 (the training). Left out on purpose: registries of models, YAML, inheritance.
"""

import dataclasses
import math
import numbers
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args, get_origin


def writable(inside: Path, outside: Path) -> Path:
    """`inside` the repository, unless nothing may be written there (another person's folder, a read-only disk): then `outside`, which is the user's own."""
    there = next(path for path in (inside, *inside.parents) if path.exists())
    return inside if os.access(there, os.W_OK) else outside


ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
CACHE = writable(DATA / "cache", Path("~/.cache/minilm").expanduser())
MODELS = DATA / "models"
WORK = Path(os.environ.get("MINILM_WORK") or writable(ROOT / "work", Path("~/minilm-work").expanduser()))  # the learner's own: chapters and progress

# Set by torchrun for each process that it starts (minilm.distributed); without it there is one process, the first.
RANK = int(os.environ.get("RANK", "0"))
LOCAL_RANK = int(os.environ.get("LOCAL_RANK", "0"))  # among the processes of one machine
WORLD_SIZE = int(os.environ.get("WORLD_SIZE", "1"))

PROFILES = ("ci", "laptop", "gpu")
LONGEST = 2**22  # tokens of a context; a longer one is a mistake that would take all memory for its table of angles
KINDS = {int: (numbers.Integral, "a whole number"), float: (numbers.Real, "a number"), bool: (bool, "true or false")}


def check_kinds(config: object) -> None:
    """Raise ValueError for a setting that is no number, or no truth value, where its field is one: settings come from files too."""
    for field in dataclasses.fields(config):
        value, kinds = getattr(config, field.name), get_args(field.type) or (field.type,)
        kind, said = next((KINDS[kind] for kind in kinds if kind in KINDS), (object, ""))
        if value is None and type(None) in kinds or kind is object:
            continue
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{field.name} is {value!r}; it must be {said}")


def profile() -> str:
    """Name the hardware tier that this process runs under, from MINILM_PROFILE: `ci`, `laptop` (the default) or `gpu`.

    Raises ValueError for any other name.
    """
    name = os.environ.get("MINILM_PROFILE", "laptop")
    if name not in PROFILES:
        raise ValueError(f"MINILM_PROFILE is {name!r}; it must be one of {', '.join(PROFILES)}")
    return name


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a LLaMA-style transformer.

    Keep `d_model` and `d_ff` multiples of 64: some export formats quantise in blocks of that size.
    Raises ValueError for a shape that cannot be built. Source: docs/SOURCES.md#llama

    >>> ModelConfig(d_model=128, n_heads=4).head_dim
    32
    """

    vocab_size: int = 4096
    """Rows of the embedding table: one for each token id."""
    context_length: int = 256
    """The longest sequence the model is trained on, in tokens."""
    d_model: int = 128
    """Width of the residual stream."""
    n_layers: int = 4
    """Number of blocks."""
    n_heads: int = 4
    """Query heads of an attention."""
    n_kv_heads: int = 2
    """Key and value heads; fewer than `n_heads` is grouped-query attention."""
    d_ff: int = 384
    """Width of the feed-forward layer."""
    rope_theta: float = 10_000.0
    """Base of the rotary position angles."""
    norm_eps: float = 1e-5
    """Added to the mean square in RMSNorm, so that nothing is divided by zero."""
    tie_embeddings: bool = True
    """Use the embedding table as the output head too, instead of a second table."""

    def __post_init__(self):
        check_kinds(self)
        for name in ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.context_length > LONGEST:
            raise ValueError(f"context_length is {self.context_length}; at most {LONGEST:,} tokens are possible")
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is not a multiple of n_heads {self.n_heads}; try n_heads 4")
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"n_heads {self.n_heads} is not a multiple of n_kv_heads {self.n_kv_heads}")
        if self.head_dim % 2:
            raise ValueError(f"head_dim is {self.head_dim} (d_model / n_heads); RoPE rotates pairs, so it must be even")
        if not (0 < self.rope_theta < math.inf and 0 < self.norm_eps < math.inf):
            raise ValueError(f"rope_theta {self.rope_theta} and norm_eps {self.norm_eps} must be positive and finite")

    @property
    def head_dim(self) -> int:
        """Width D of one head."""
        return self.d_model // self.n_heads


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a model is trained: the budget, the batch, the optimizer, the schedule.

    Give the budget as exactly one of `minutes`, `max_tokens`, `max_steps`; a budget in minutes is turned into `max_steps` once
    the speed has been measured. One step is one update from batch_size x accumulation_steps sequences.
    Raises ValueError for settings that cannot work.
    """

    minutes: float | None = None
    """Budget in minutes of training, compiling included, tokenizing and evaluating not."""
    max_tokens: int | None = None
    """Budget in tokens seen (repeats counted)."""
    max_steps: int | None = None
    """Budget in optimizer steps."""
    batch_size: int = 4
    """Sequences in a forward pass; several processes share them out."""
    accumulation_steps: int = 1
    """Forward passes whose gradients are averaged before each update."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """`muon`: Muon for the matrices of the blocks, AdamW for the rest. `adamw`: AdamW for all."""
    max_lr: float = 0.01
    """Peak learning rate of AdamW."""
    muon_lr: float = 0.012
    """Peak learning rate of Muon."""
    min_lr_ratio: float = 0.0
    """The last learning rate as a share of the peak."""
    schedule: Literal["linear", "cosine"] = "linear"
    """Shape of the decay after the warm-up."""
    warmup_ratio: float = 0.03
    """Share of the steps in which the learning rate rises from zero."""
    weight_decay: float = 0.2
    """Decay of matrices (not of norms, and not of the embedding)."""
    beta1: float = 0.9
    """AdamW's memory of the gradient."""
    beta2: float = 0.95
    """AdamW's memory of the squared gradient."""
    clip_norm: float = 1.0
    """Gradients longer than this are scaled down to it."""
    seed: int = 0
    """Fixes the initial weights and the order of the data."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """`auto` takes CUDA if there is one, else the CPU. `mps`, an Apple GPU, is written and not measured: no such device was at hand."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`bfloat16` and `float16` are autocast with float32 weights, `float16` with a scaled loss too: for GPUs without bfloat16. `auto` takes
    bfloat16 on CUDA, or float16 where the GPU has no units for it; elsewhere it times float32 and bfloat16 and takes the faster."""
    compile: Literal["auto", "yes", "no"] = "auto"
    """torch.compile; `auto` compiles when the budget is long enough to repay the wait."""
    eval_every: int = 500
    """Steps between evaluations on a part of the validation text."""
    save_every: int = 500
    """Steps between checkpoints."""
    log_every: int = 20
    """Steps between lines of the log."""

    def __post_init__(self):
        check_kinds(self)
        budgets = [name for name in ("minutes", "max_tokens", "max_steps") if getattr(self, name) is not None]
        if len(budgets) != 1:
            raise ValueError(f"the budget is {' and '.join(budgets) or 'missing'}; give one of minutes, max_tokens, max_steps")
        positive = (*budgets, "batch_size", "accumulation_steps", "clip_norm", "eval_every", "save_every", "log_every")
        for name in positive:
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be more than 0, and finite")
        for name in ("max_lr", "muon_lr", "weight_decay"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must not be negative")
        check_seed(self.seed)
        for name in ("min_lr_ratio", "warmup_ratio", "beta1", "beta2"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        for field in dataclasses.fields(self):
            choices = get_args(field.type) if get_origin(field.type) is Literal else ()
            if choices and getattr(self, field.name) not in choices:
                raise ValueError(f"{field.name} is {getattr(self, field.name)!r}; it must be one of {', '.join(choices)}")

    def tokens_per_step(self, context_length: int) -> int:
        """Tokens that one update learns from."""
        return self.batch_size * self.accumulation_steps * context_length

    def n_tokens(self, context_length: int) -> int:
        """Tokens that a budget in tokens or in steps pays for."""
        return self.max_tokens or self.max_steps * self.tokens_per_step(context_length)

    def replace(self, **changes) -> "TrainConfig":
        """Copy with some fields changed."""
        return dataclasses.replace(self, **changes)


def check_seed(seed: int) -> None:
    """Raise ValueError for a seed that a random generator of NumPy or PyTorch does not take."""
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed is {seed}; it must be 0 or more, and below 2**63")


def check_sampling(*, temperature: float, top_k: int | None, top_p: float, min_p: float) -> None:
    """Raise ValueError for settings of `minilm.generate.next_token_probs` that leave no token, or mean nothing."""
    if not 0 <= temperature < math.inf or not 0 < top_p <= 1 or not 0 <= min_p <= 1 or (top_k is not None and top_k < 1):
        raise ValueError(
            f"temperature {temperature}, top_k {top_k}, top_p {top_p}, min_p {min_p}: "
            "temperature must not be negative, top_k at least 1, top_p above 0 and at most 1, min_p between 0 and 1"
        )
