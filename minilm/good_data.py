"""Does good text overthrow size? Small and large models on good and on poor text, with equal computation and with equal tokens.

The ideas in order: a text is storyworld with faults planted in it (`TEXTS`), or none; the four corners are a small and a ten times larger model on good and
on poor text, with budgets of which the largest gives the large model as many tokens as the smallest gives the small one (`plan_corners`); then the
small model on each kind of fault in two doses (`plan_kinds`). All share a vocabulary, the rates and the length in steps, and are judged alike, by good
stories that none has read: bits per byte, items, and what they write themselves (`judge`). A second arm has real text: stories for children
and pages of the web, each judged by both and by texts that neither is like (`plan_domains`).

Used in: chapter 12. Left out on purpose: faults that nobody planted. Of real text nobody knows how much of it is bad.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

from minilm.checkpoint import load_model, newest_checkpoint
from minilm.config import DATA
from minilm.corpora import Corpus, read_stories
from minilm.data import encode_stories, token_file
from minilm.evaluate import evaluate, mean_difference, score_choices
from minilm.files import write_json
from minilm.items import cloze_from_stories, fingerprint, leaked, read_items, storyworld_items, write_items
from minilm.numpy_model import NumpyModel
from minilm.storyworld import grade, grade_shares, split_sentences, stories, write_corpus
from minilm.surface import surface
from minilm.sweep import shape, train_config
from minilm.tokenizer import Tokenizer, train_tokenizer
from minilm.trials import Trial, beginning, cost, read_table, write_stories

VOCAB_SIZE, CONTEXT_LENGTH = 1024, 512  # so that most stories fit into the window
SHAPES = {"small": shape(64, 3, VOCAB_SIZE, CONTEXT_LENGTH), "large": shape(160, 6, VOCAB_SIZE, CONTEXT_LENGTH)}
BUDGETS = (5e12, 1.4e13, 4e13)  # with the last the large model reads as many tokens as the small one with the first
FACTOR = 2.0  # of the default rates: the best of 1, 2, 4 and 8 at each size that the sweep tried, on sound text
KINDS = ("duplicate", "near_duplicate", "shuffled_sentences", "shuffled_words", "contradiction", "narrow_vocabulary", "low_diversity")
DOSES = (0.3, 0.9)
POOR = dict.fromkeys(KINDS, 0.9 / len(KINDS))  # one story in ten is sound
TEXTS = {"good": {}, "poor": POOR} | {f"{kind}-{dose:g}": {kind: dose} for kind in KINDS for dose in DOSES}
"""Doses of the planted faults, by the name of the text."""
DOMAINS = ("stories", "web", "half")  # texts of the second arm; `half` is made of halves of the other two
SEEDS = 3
BYTES_PER_TOKEN = 3.2  # more than a token of storyworld has with this vocabulary, so that no training reads a text twice
ITEMS, N_ITEMS = ("facts", "context", "reasoning", "cloze"), 200
N_STORIES, LONGEST = 100, 700  # that each model writes, and their length in tokens
N_KEPT = 20  # stories of each corner that are kept to be read
VALID = 500_000  # characters of each text that the second arm is judged by
TABLES = {"corners": "good_data", "kinds": "good_data", "domains": "domains"}


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
    """The four corners with each budget, a whole set of one seed first."""
    return [Cell(model=model, text=text, flops=flops, seed=seed) for seed in range(seeds) for flops in BUDGETS for text in ("good", "poor")
            for model in SHAPES]  # fmt: skip


def plan_kinds(seeds: int = SEEDS) -> list[Cell]:
    """The small model on each kind of fault and each dose, with the smallest budget."""
    return [
        Cell(model="small", text=text, flops=BUDGETS[0], seed=seed)
        for seed in range(seeds)
        for text in TEXTS
        if text not in ("good", "poor")
    ]


def plan_domains(seeds: int = SEEDS) -> list[Cell]:
    """Both models on each real text, with the smallest budget."""
    return [Cell(model=model, text=text, flops=BUDGETS[0], seed=seed) for seed in range(seeds) for text in DOMAINS for model in SHAPES]


PLANS = {"corners": plan_corners, "kinds": plan_kinds, "domains": plan_domains}


def left_of(plan: Iterable[Cell], table: str, records: Path = DATA / "runs") -> list[Cell]:
    """The cells without a row: only for them must texts be written."""
    done = {row["run"] for row in read_table(table, records)}
    return [cell for cell in plan if cell.name not in done]


def _trial(cell: Cell, table: str, text: Corpus, tokenizer: Tokenizer, judge: partial) -> Trial:
    config = train_config(SHAPES[cell.model], cell.flops, cell.seed, FACTOR)
    return Trial(name=cell.name, table=table, corpus=text, tokenizer=tokenizer, shape=SHAPES[cell.model], config=config, judge=judge)


# The main grid: planted faults


def trials(plan: Iterable[Cell], out: Path, cache: Path) -> list[Trial]:
    """What there is to carry out; texts and items are written on first use."""
    plan = list(plan)
    if not plan:
        return []
    good = write_text("good", out)
    tokenizer = vocabulary(good.stories("train"), out)
    prepare_items(good, out)
    texts = {name: write_text(name, out) for name in {cell.text for cell in plan}}
    for text in texts.values():
        token_file(text, "train", tokenizer, cache)  # here, so that no two trainings do it at the same time
    return [_trial(cell, TABLES["corners"], texts[cell.text], tokenizer, partial(judge, asked=out)) for cell in plan]


def write_text(name: str, out: Path) -> Corpus:
    """Write storyworld with the faults of TEXTS, as much as its longest training reads, once. The validation part has no faults and is the same for all."""
    readers = [cell for cell in (*plan_corners(1), *plan_kinds(1)) if cell.text == name]
    megabytes = max(cell.flops / cost(SHAPES[cell.model]) for cell in readers) * BYTES_PER_TOKEN / 1e6
    folder = out / "texts" / name
    if not folder.exists():
        write_corpus(folder, megabytes, faults=TEXTS[name])
    return Corpus(name, folder / "train.txt", folder / "valid.txt")


def vocabulary(texts: Iterable[str], out: Path) -> Tokenizer:
    """The vocabulary of all trainings in a folder, learned once from a few megabytes."""
    path = out / f"tokenizer_{VOCAB_SIZE}.json"
    if not path.exists():
        train_tokenizer(beginning(texts, 10 * VALID), VOCAB_SIZE).save(path)
    return Tokenizer.load(path)


def prepare_items(good: Corpus, out: Path) -> None:
    """Write the item sets and the beginnings of stories, from good text that is not trained on, and what of it stands in the training text; once."""
    if (out / "items.json").exists():
        return
    found = {}
    for kind in ITEMS:
        items = cloze_from_stories(islice(stories("cloze"), 10 * N_ITEMS), N_ITEMS) if kind == "cloze" else storyworld_items(kind, N_ITEMS)
        write_items(out / f"items_{kind}.jsonl", items)
        found[kind] = {"n_items": len(items), "fingerprint": fingerprint(items), "n_leaked": len(leaked(items, good.stories("train")))}
    write_stories(out / "beginnings.txt", (split_sentences(story)[0] for story in islice(good.stories("valid"), N_STORIES)))
    write_json(out / "items.json", found)


def judge(folder: Path, asked: Path) -> dict:
    """Ask a finished run the items, and let it go on with the beginnings, whose stories are kept beside it and graded. asked: where both lie.

    `answers_KIND` has a 1 for each item that was answered rightly and a 0 for each other, in the order of the set.
    """
    model, tokenizer = load_model(folder)
    answers = {f"answers_{kind}": "".join(str(int(right)) for right in score_choices(model, tokenizer, read_items(asked / f"items_{kind}.jsonl")).right)
               for kind in ITEMS}  # fmt: skip
    writer = NumpyModel.load(newest_checkpoint(folder))
    told = [
        begun + "".join(writer.generate(begun, seed=seed, max_new_tokens=LONGEST))
        for seed, begun in enumerate(read_stories(asked / "beginnings.txt"))
    ]
    write_stories(folder / "stories.txt", told)
    return answers | grade_shares(map(grade, told)) | surface(told)


def keep_stories(rows: Iterable[dict], out: Path, records: Path = DATA / "runs") -> Path:
    """Keep some stories of the corners' first seed with the records, for readers to judge by their own eyes."""
    path = records / TABLES["corners"] / "stories.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}  # those of runs that were made in another place
    for row in rows:
        told = out / row["run"] / "stories.txt"
        if row["corpus"] in ("good", "poor") and row["seed"] == "0" and told.exists():
            kept[row["run"]] = list(islice(read_stories(told), N_KEPT))
    write_json(path, kept)
    return path


# The second arm: real text


def domain_trials(plan: Iterable[Cell], tales: Corpus, web: Corpus, others: Iterable[Path], out: Path, cache: Path) -> list[Trial]:
    """Equal amounts of two real texts and of their mixture; each model is judged by both, by the texts of `others`, and by storyworld."""
    plan, folder = list(plan), out / "domains"
    if not plan:
        return []
    if not (folder / "half").exists():
        _write_domains(tales, web, folder)
    tokenizer = vocabulary(read_stories(folder / "half" / "train.txt"), folder)
    texts = {name: Corpus(name, folder / name / "train.txt", folder / name / "valid.txt") for name in DOMAINS}
    for text in texts.values():
        token_file(text, "train", tokenizer, cache)
    judged = {"stories": texts["stories"].valid, "web": texts["web"].valid, "storyworld": write_text("good", out).valid}
    judged |= {path.stem: Path(path).resolve() for path in others}
    return [_trial(cell, TABLES["domains"], texts[cell.text], tokenizer, partial(judge_by_texts, texts=judged)) for cell in plan]


def _write_domains(tales: Corpus, web: Corpus, folder: Path) -> None:
    """Cut both texts to the length of the shorter one, and make a third of halves of them."""
    size = min(tales.n_bytes("train"), web.n_bytes("train"))
    for name, corpus in (("stories", tales), ("web", web)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        write_stories(folder / name / "train.txt", beginning(corpus.stories("train"), size))
        write_stories(folder / name / "valid.txt", beginning(corpus.stories("valid"), VALID))
    part = folder / "half.part"
    part.mkdir(exist_ok=True)
    for split, half in (("train", size // 2), ("valid", VALID // 2)):
        write_stories(
            part / f"{split}.txt",
            (text for name in ("stories", "web") for text in beginning(read_stories(folder / name / f"{split}.txt"), half)),
        )
    part.rename(folder / "half")


def judge_by_texts(folder: Path, texts: dict[str, Path]) -> dict:
    """Bits per byte of a finished run on each of several texts."""
    model, tokenizer = load_model(folder)
    return {f"bits_{name}": evaluate(model, encode_stories(beginning(read_stories(path), VALID), tokenizer), tokenizer).bits_per_byte
            for name, path in texts.items()}  # fmt: skip


# What came out


def by_cell(rows: Iterable[dict]) -> dict[tuple[str, str, float], list[dict]]:
    """The rows of a table by (model, text, budget), in the order of their seeds."""
    found = {}
    for row in sorted(rows, key=lambda row: int(row["seed"])):
        model, rest = row["run"].split("_", 1)
        text, flops, _ = rest.rsplit("_", 2)
        found.setdefault((model, text, float(flops)), []).append(row)
    return found


def measures(row: dict) -> dict[str, float]:
    """What a run came to, by name: bits per byte of its own validation text, and whatever else it was judged by; shares are from 0 to 1."""
    found = {"bits per byte": float(row["valid_bits_per_byte"])}
    if "perfect_share" in row:
        found |= {"readable sentences": float(row["parse_rate"]), "perfect stories": float(row["perfect_share"])}
    answers = {name.removeprefix("answers_"): text for name, text in row.items() if name.startswith("answers_")}
    texts = {name.removeprefix("bits_"): float(bits) for name, bits in row.items() if name.startswith("bits_")}
    return found | {kind: text.count("1") / len(text) for kind, text in answers.items()} | texts


def contest(first: Sequence[dict], second: Sequence[dict]) -> dict[str, tuple[float, float]]:
    """How much more the first runs have of each measure than the second of the same seeds: mean, and half the width of its 95 % interval."""
    ours, theirs = ({row["seed"]: measures(row) for row in rows} for rows in (first, second))
    seeds = sorted(ours.keys() & theirs.keys())
    return {name: mean_difference([ours[seed][name] for seed in seeds], [theirs[seed][name] for seed in seeds]) for name in measures(first[0])}


def crossing(budgets: Sequence[float], differences: Sequence[float]) -> float | None:
    """The budget at which a difference first changes its sign, on a straight line over the logarithm between two budgets; None if at none.

    >>> round(crossing([1e12, 1e13, 1e14], [-0.2, -0.1, 0.1]) / 1e13, 2)
    3.16
    """
    for (low, before), (high, after) in pairwise(zip(budgets, differences, strict=True)):
        if before * after < 0:
            return float(low * (high / low) ** (before / (before - after)))
    return None
