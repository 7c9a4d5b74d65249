"""Does good text overthrow size? Small and large models on good and on poor text, with equal computation and with equal tokens.

The ideas in order: a text is storyworld with faults planted in it (`TEXTS`), or none; the four corners are a small and a ten times larger model on good and
on poor text, with a budget and with ten times as much, so that the large model with the large budget has read as many tokens as the small one with the
small (`plan_corners`); then the small model on each kind of fault in two doses (`plan_kinds`); all of them share a vocabulary, the rates, and the good
validation text by which they are judged. A second arm has real text: stories for children and pages of the web, each judged by both (`plan_domains`).

Used in: chapter 12. Left out on purpose: faults that nobody planted. Of real text nobody knows how much of it is bad.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from minilm.corpora import Corpus
from minilm.storyworld import write_corpus
from minilm.sweep import SIZES, VOCAB_SIZE, Training, n_tokens, train_config
from minilm.tokenizer import Tokenizer, train_tokenizer
from minilm.trials import Trial, beginning, write_stories

MODELS = {"small": "d64-L3", "large": "d160-L6"}  # 184 thousand and 1.94 million parameters
BUDGETS = (5e12, 5e13)
FACTOR = 2.0  # of the default rates: the best of 1, 2, 4 and 8 at each size that the sweep tried
KINDS = ("duplicate", "near_duplicate", "shuffled_sentences", "shuffled_words", "contradiction", "narrow_vocabulary", "low_diversity")
DOSES = (0.3, 0.9)
POOR = {kind: 0.9 / len(KINDS) for kind in KINDS}  # one story in ten is sound
TEXTS = {"good": {}, "poor": POOR} | {f"{kind}-{dose:g}": {kind: dose} for kind in KINDS for dose in DOSES}
"""Doses of the planted faults, by the name of the text."""
SEEDS = 3
BYTES_PER_TOKEN = 3.2  # more than a token of storyworld has, with VOCAB_SIZE ids: no training reads a text twice
TABLE = "good_data"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training: which model on which text with which budget."""

    model: str
    text: str
    flops: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.model}_{self.text}_{self.flops:g}_seed{self.seed}".replace("+", "")


def plan_corners(seeds: int = SEEDS) -> list[Cell]:
    """The four corners with both budgets."""
    return [Cell(model=model, text=text, flops=flops, seed=seed) for seed in range(seeds) for flops in BUDGETS for text in ("good", "poor")
            for model in MODELS]  # fmt: skip


def plan_kinds(seeds: int = SEEDS) -> list[Cell]:
    """The small model on each kind of fault and each dose, with the smaller budget."""
    return [Cell(model="small", text=text, flops=BUDGETS[0], seed=seed) for seed in range(seeds) for text in TEXTS if text not in ("good", "poor")]


def trials(plan: Iterable[Cell], out: Path) -> list[Trial]:
    """What there is to carry out; the texts are written on first use."""
    plan = list(plan)
    texts, tokenizer = {}, tokenizer_for(out)
    for cell in plan:
        if cell.text not in texts:
            most = max(n_tokens(MODELS[other.model], other.flops) for other in plan if other.text == cell.text)
            texts[cell.text] = write_text(cell.text, most, out)
    return [Trial(name=cell.name, table=TABLE, corpus=texts[cell.text], tokenizer=tokenizer, shape=SIZES[MODELS[cell.model]],
                  config=train_config(Training(size=MODELS[cell.model], flops=cell.flops, seed=cell.seed, factor=FACTOR))) for cell in plan]  # fmt: skip


def write_text(name: str, most_tokens: float, out: Path) -> Corpus:
    """Write storyworld with the faults of TEXTS, enough for so many tokens, once. The validation part has no faults and is the same for all."""
    megabytes = max(1, round(most_tokens * BYTES_PER_TOKEN / 1e6))
    folder = out / f"{name}_{megabytes}MB"
    if not folder.exists():
        write_corpus(folder, megabytes, faults=TEXTS[name])
    return Corpus(name, folder / "train.txt", folder / "valid.txt")


def tokenizer_for(out: Path) -> Tokenizer:
    """The vocabulary of all trainings, learned once from good text."""
    path = out / f"tokenizer_{VOCAB_SIZE}.json"
    if not path.exists():
        good = write_text("good", 1e6, out)
        train_tokenizer(good.stories("train"), VOCAB_SIZE).save(path)
    return Tokenizer.load(path)
