"""How small can a model be and still tell a story? Models of named sizes, trained on the same text, one row a run.

The ideas in order: a size is a shape with a name (`SIZES`); a rung of the ladder is one training, of a size, a seed and so many readings of a share
of the text (`plan_ladder`); what a ladder will cost is said before it begins (`cost`); each rung has a folder, so that a ladder that was
stopped goes on where it was, even in the middle of a rung (`climb`); in the end a model of each kind tells stories, all with the same beginnings (`tell`).

Used in: chapter 08. Left out on purpose: learning rates for each size. All have those of `TrainConfig`, which were chosen for d128-L4: a step of
Muon moves a matrix as far whatever its width.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from minilm.checkpoint import load_model
from minilm.config import DATA, ModelConfig, TrainConfig
from minilm.corpora import END_OF_TEXT, Corpus
from minilm.data import token_file
from minilm.files import read_rows, whole_file, write_rows
from minilm.generate import generate
from minilm.runs import Callbacks, resume_run, start_run
from minilm.scaling import count_params
from minilm.storyworld import grade
from minilm.tokenizer import Tokenizer, train_tokenizer
from minilm.trials import cost as flops_of_a_token
from minilm.trials import seconds_for


def _size(d_model: int, n_layers: int) -> ModelConfig:
    """A shape with heads of 32 numbers, half as many for keys and values, and a feed-forward layer about 8/3 as wide, a multiple of 64."""
    n_heads = d_model // 32
    return ModelConfig(d_model=d_model, n_layers=n_layers, n_heads=n_heads, n_kv_heads=n_heads // 2, d_ff=64 * round(d_model / 24))


SIZES = {
    "d64-L8": _size(64, 8),
    "d128-L2": _size(128, 2),  # with the next one, nearly the blocks of d64-L8, only wider and fewer
    "d192-L1": _size(192, 1),
    "d128-L8": _size(128, 8),
    "d256-L8": _size(256, 8),
    "d512-L8": _size(512, 8),
    "d768-L12": _size(768, 12),
    # The shape of a public assignment (docs/SOURCES.md#cs336)
    "cs336": ModelConfig(vocab_size=10_000, context_length=256, d_model=512, n_layers=4, n_heads=16, n_kv_heads=16, d_ff=1344, tie_embeddings=False),
}
SIZES_OF_PROFILE = {
    "ci": ("d64-L8",),
    "laptop": ("d64-L8", "d128-L8", "d256-L8"),
    "gpu": ("d64-L8", "d128-L8", "d256-L8", "d512-L8", "d768-L12", "cs336"),
}
REPEATED_SHARE = 0.25
PROMPTS = (  # beginnings of our own; "" lets a model begin as it likes
    "Once upon a time, there was a girl named Mia. Mia had a small red boat. One day,",
    "Ben wanted to climb the tall tree. His sister Anna said,",
    "The little dog was sad because he had lost his ball. His friend, the cat,",
)
UNPROMPTED = 40  # stories that a model begins by itself
SAMPLING = {"temperature": 0.8, "top_p": 0.95, "max_new_tokens": 400}
BYTES_PER_TOKEN = 4  # of stories, with 4,096 ids


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


def plan_ladder(sizes: tuple[str, ...], seeds: int, epochs: tuple[float, ...] = (1.0,), repeats: tuple[float, ...] = (),
                share: float = REPEATED_SHARE) -> list[Rung]:  # fmt: skip
    """So many readings (`epochs`) of all the text for each size and seed, small sizes first; then `repeats` readings of a share, by the smallest size.

    Raises ValueError for a size that is not in SIZES, and for numbers that are not positive.

    >>> [(rung.size, rung.share, rung.epochs) for rung in plan_ladder(("d128-L8", "d64-L8"), seeds=1, repeats=(2,))]
    [('d64-L8', 1.0, 1.0), ('d128-L8', 1.0, 1.0), ('d64-L8', 0.25, 2)]
    """
    for size in sizes:
        if size not in SIZES:
            raise ValueError(f"there is no size {size!r}; there are {', '.join(SIZES)}")
    if seeds < 1 or not all(0 < readings < math.inf for readings in epochs + repeats) or not 0 < share <= 1:
        raise ValueError(f"seeds {seeds}, epochs {epochs}, repeats {repeats}, share {share}: all must be positive, and share at most 1")
    sizes = tuple(size for size in SIZES if size in sizes)
    whole = [Rung(size=size, seed=seed, epochs=readings) for seed in range(seeds) for readings in epochs for size in sizes]
    return whole + [Rung(size=sizes[0], seed=seed, share=share, epochs=readings) for seed in range(seeds) for readings in repeats]


def batch_size(shape: ModelConfig) -> int:
    """Sequences in a batch: more for wider models, for the work of Muon, once a batch, grows faster with the width than that of the gradient."""
    return 4 * max(1, shape.d_model // 128)


def cost(shape: ModelConfig, n_tokens: float) -> dict[str, float]:
    """What a training takes: its parameters, its operations, and very roughly the seconds that they need here (`minilm.trials.seconds_for`)."""
    flops = n_tokens * flops_of_a_token(shape)
    return {"n_params": sum(count_params(shape).values()), "flops": flops, "seconds": seconds_for(shape, flops, torch.get_num_threads())}


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
    config = TrainConfig(max_tokens=n_tokens, batch_size=batch_size(shape), seed=rung.seed)
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
        with whole_file(path) as file:
            for story in corpus.stories("train"):
                if left <= 0:
                    break
                left -= file.write(f"{story}\n{END_OF_TEXT}\n")
    return replace(corpus, train=path)


def tell(run: Path, prompts: tuple[str, ...] = PROMPTS, unprompted: int = UNPROMPTED) -> Iterator[dict]:
    """Let the model of a run tell a story for each prompt, and some that it begins itself; yield a row for each, read by storyworld's reader.

    The seeds are 0, 1, 2, ... and the settings SAMPLING, the same for all models. What the reader finds means nothing for other corpora's stories.
    """
    model, tokenizer = load_model(run)
    for seed, prompt in enumerate([*prompts, *[""] * unprompted]):
        story = (prompt + "".join(generate(model, tokenizer, prompt, seed=seed, **SAMPLING))).strip()
        found = grade(story)
        yield {"run": Path(run).name, "prompt": prompt, "seed": seed, "n_sentences": len(found.sentences), "n_unparsed": len(found.unparsed),
               "n_faults": len(found.faults), "story": story}  # fmt: skip


def stories_of(run: Path, watch: Callable[[Iterable], Iterable] = iter) -> list[dict]:
    """The stories that `tell` makes of a run, told once and kept in its folder. watch: a progress bar, say."""
    path = Path(run) / "stories.csv"
    if not path.exists():
        write_rows(path, watch(tell(run)))
    return read_rows(path)


def keep_stories(stories: list[dict], table: Path = DATA / "runs" / "ladder" / "stories.csv") -> None:
    """Add stories to a table; those of the same runs are replaced."""
    runs, kept = {story["run"] for story in stories}, read_rows(table, "run") if table.exists() else []
    write_rows(table, [old for old in kept if old["run"] not in runs] + stories)
