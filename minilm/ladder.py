"""How small can a model be and still tell a story? Models of named sizes, trained on the same text, one row a run.

The ideas in order: a size is a shape with a name (`SIZES`); a rung of the ladder is one training, of a size, a seed and so many readings of a share
of the text (`plan_ladder`); each has a folder, so that a ladder that was stopped goes on where it was, even in the middle of a rung (`climb`).

Used in: chapter 08. Left out on purpose: learning rates for each size. All sizes have those of `TrainConfig`, which were chosen for d128-L4.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from minilm.config import ModelConfig, TrainConfig
from minilm.corpora import END_OF_TEXT, Corpus
from minilm.data import token_file
from minilm.runs import Callbacks, resume_run, start_run
from minilm.tokenizer import Tokenizer, train_tokenizer


def _size(d_model: int, n_layers: int) -> ModelConfig:
    """A shape with heads of 32 numbers, half as many for keys and values, and a feed-forward layer about 8/3 as wide, a multiple of 64."""
    n_heads = d_model // 32
    return ModelConfig(d_model=d_model, n_layers=n_layers, n_heads=n_heads, n_kv_heads=n_heads // 2, d_ff=64 * round(d_model / 24))


SIZES = {
    "d64-L8": _size(64, 8),
    "d128-L8": _size(128, 8),
    "d256-L8": _size(256, 8),
    "d512-L8": _size(512, 8),
    "d768-L12": _size(768, 12),
    # The shape of a public assignment (docs/SOURCES.md#cs336)
    "cs336": ModelConfig(vocab_size=10_000, context_length=256, d_model=512, n_layers=4, n_heads=16, n_kv_heads=16, d_ff=1344, tie_embeddings=False),
}
SIZES_OF_PROFILE = {"ci": ("d64-L8",), "laptop": ("d64-L8", "d128-L8", "d256-L8"), "gpu": tuple(SIZES)}
REPEATS = (2, 4, 8, 16)  # readings of a quarter of the text, by the smallest size


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One training of the ladder."""

    size: str
    seed: int
    share: float = 1.0
    """Of the training text; the first stories of it."""
    epochs: float = 1.0
    """Readings of that share."""

    def folder(self, corpus: Corpus) -> str:
        return f"{corpus.name}_{self.size}_{self.share:g}x{self.epochs:g}_seed{self.seed}"


def plan_ladder(sizes: tuple[str, ...], seeds: int, repeats: tuple[int, ...] = ()) -> list[Rung]:
    """One reading of all the text for each size and seed, small sizes first; then `repeats` readings of a quarter, by the smallest size.

    Raises ValueError for a size that is not in SIZES.

    >>> [(rung.size, rung.share, rung.epochs) for rung in plan_ladder(("d128-L8", "d64-L8"), seeds=1, repeats=(2,))]
    [('d64-L8', 1.0, 1.0), ('d128-L8', 1.0, 1.0), ('d64-L8', 0.25, 2)]
    """
    for size in sizes:
        if size not in SIZES:
            raise ValueError(f"there is no size {size!r}; there are {', '.join(SIZES)}")
    sizes = tuple(size for size in SIZES if size in sizes)
    once = [Rung(size=size, seed=seed) for seed in range(seeds) for size in sizes]
    return once + [Rung(size=sizes[0], seed=seed, share=0.25, epochs=epochs) for seed in range(seeds) for epochs in repeats]


def climb(rung: Rung, corpus: Corpus, out: Path, cache: Path, *, command: str = "", callbacks: Callbacks = ()) -> dict:
    """Train a rung, or go on with it where it was stopped; return its record. A finished one is left as it is.

    out: folder for tokenizers, shares of the text and runs, whose names begin with the corpus's.
    """
    folder = out / rung.folder(corpus)
    if (folder / "run.json").exists():
        return resume_run(folder, cache_dir=cache, callbacks=callbacks)
    shape, text = SIZES[rung.size], part_of(corpus, rung.share, out)
    tokenizer = tokenizer_for(corpus, shape.vocab_size, out)
    n_tokens = round(rung.epochs * len(token_file(text, "train", tokenizer, cache)))
    config = TrainConfig(max_tokens=n_tokens, seed=rung.seed)
    return start_run(folder, text, tokenizer, shape, config, command=command, cache_dir=cache, callbacks=callbacks)


def tokenizer_for(corpus: Corpus, vocab_size: int, out: Path) -> Tokenizer:
    """The vocabulary of all rungs with that many ids, learned from the whole training text once."""
    path = out / f"{corpus.name}_tokenizer_{vocab_size}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        train_tokenizer(corpus.stories("train"), vocab_size).save(path)
    return Tokenizer.load(path)


def part_of(corpus: Corpus, share: float, out: Path) -> Corpus:
    """The first stories of the training text, a share of its bytes, as a corpus with the same validation text."""
    if share == 1:
        return corpus
    path, left = out / f"{corpus.name}_{share:g}" / "train.txt", share * corpus.n_bytes("train")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            for story in corpus.stories("train"):
                if left <= 0:
                    break
                left -= file.write(f"{story}\n{END_OF_TEXT}\n")
        part.replace(path)
    return replace(corpus, train=path)
