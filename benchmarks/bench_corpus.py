"""What is the text of storyworld worth beside that of TinyStories, by the same measures?

`python benchmarks/bench_corpus.py --tinystories FOLDER` measures ten megabytes of each: words and how their number of kinds grows, repeated openings and
sentences, copies, how small xz packs it; how well a counted 5-gram and a model of a million parameters predict stories they never saw, after three
and after ten megabytes; and how fast storyworld writes. It keeps `facts.csv` and, for each corpus, tables of growth, ranks and novelty in data/runs/corpus_facts, the trained models as rows
of data/runs/corpus_models, and ends with the ratios as JSON: storyworld's figure over TinyStories', and the 5-gram's bits over the model's.

The vocabulary, learned from the ten megabytes, is the same for the 5-gram and the models; every model sees the same number of tokens, so that
after three megabytes it has read them several times.
"""

import csv
import json
import statistics
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import tyro

from minilm.config import DATA, ModelConfig, TrainConfig, profile
from minilm.corpora import Corpus, read_stories
from minilm.data import token_file
from minilm.evaluate import bits_per_byte
from minilm.facts import corpus_facts, run_novelty, vocabulary_growth, word_ranks
from minilm.ngram import NGram
from minilm.runs import environment, peak_memory_bytes, read_record, record_run, start_run
from minilm.storyworld import stories, write_corpus
from minilm.storyworld.corpus import MEGABYTE, SEPARATOR
from minilm.tokenizer import Tokenizer, train_tokenizer

COMMAND = "python benchmarks/bench_corpus.py --tinystories PATH"
SMALL, LARGE, VALID = 3, 10, 1  # megabytes
MODEL = ModelConfig(vocab_size=2048)  # 1.05 million parameters
COMPARED = ("xz_bytes_per_byte", "different_words", "duplicate_sentence_share", "most_common_opening_share")


@dataclass(frozen=True, kw_only=True)
class Options:
    tinystories: Path
    """folder with train.txt and valid.txt"""
    work: Path = Path("runs/corpus_facts")
    """folder for texts, tokens and runs"""
    tokens: int = 3_000_000
    """tokens that every model sees"""
    rounds: int = 5
    """how often the speed of writing is measured"""
    tables_only: bool = False
    """write the tables of growth, ranks and novelty, which take a minute, and nothing else"""


def cut(source: Path, target: Path, megabytes: float) -> None:
    """Copy the first stories of a file, up to a size."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    size, kept = 0, []
    for story in read_stories(source):
        kept.append(story)
        size += len((story + SEPARATOR).encode())
        if size >= megabytes * MEGABYTE:
            break
    target.write_text("".join(story + SEPARATOR for story in kept), encoding="utf-8")


def corpora_of(name: str, options: Options) -> dict[int, Corpus]:
    """Make the corpus in both sizes, with the same validation stories."""
    if name == "storyworld":
        source = options.work / "storyworld"
        if not source.exists():
            write_corpus(source, LARGE + 0.1, valid_megabytes=VALID + 0.1)
    else:
        source = options.tinystories
    found = {}
    for megabytes in (SMALL, LARGE):
        folder = options.work / f"{name}_{megabytes}MB"
        cut(source / "train.txt", folder / "train.txt", megabytes)
        cut(source / "valid.txt", folder / "valid.txt", VALID)
        found[megabytes] = Corpus(f"{name}_{megabytes}MB", folder / "train.txt", folder / "valid.txt")
    return found


def counted_bits(corpus: Corpus, tokenizer: Tokenizer, cache: Path) -> float:
    """Bits per byte of the validation stories under an interpolated 5-gram of the training stories."""
    train_ids, valid_ids = (token_file(corpus, split, tokenizer, cache) for split in ("train", "valid"))
    n_bytes = sum(len(story.encode()) for story in corpus.stories("valid"))
    return bits_per_byte(NGram(train_ids, tokenizer.vocab_size).nats(valid_ids), n_bytes)


def trained_bits(corpus: Corpus, tokenizer: Tokenizer, options: Options) -> float:
    """Bits per byte of the same stories under a trained model, which is recorded."""
    out = options.work / "models" / corpus.name
    if not (out / "run.json").exists() or "result" not in read_record(out):
        training = TrainConfig(max_tokens=options.tokens)
        start_run(out, corpus, tokenizer, MODEL, training, command=COMMAND, cache_dir=options.work / "cache")
    record_run(out, "corpus_models")
    return read_record(out)["result"]["valid_bits_per_byte"]


def write_tables(name: str, train: list[str]) -> None:
    """Keep how the vocabulary grows, how often the word of each rank occurs, and how many runs of words are new."""
    tables = {
        "growth": [("n_words", "different_words"), *vocabulary_growth(train)],
        "ranks": [("rank", "per_million_words"), *word_ranks(train)],
        "novelty": [("n_words", "new_share"), *run_novelty(train)],
    }
    for table, rows in tables.items():
        with (DATA / "runs" / "corpus_facts" / f"{table}_{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)


def measure(name: str, options: Options) -> dict[str, object]:
    start, cache = time.perf_counter(), options.work / "cache"
    corpora = corpora_of(name, options)
    train = list(corpora[LARGE].stories("train"))
    facts = {"corpus": name, "command": COMMAND, "profile": profile(), "seed": 0} | corpus_facts(train)
    write_tables(name, train)
    tokenizer = train_tokenizer(train, MODEL.vocab_size)
    for megabytes, corpus in corpora.items():
        facts[f"bits_per_byte_5gram_{megabytes}MB"] = counted_bits(corpus, tokenizer, cache)
        facts[f"bits_per_byte_model_{megabytes}MB"] = trained_bits(corpus, tokenizer, options)
    facts |= {
        "corpus_fingerprint": corpora[LARGE].fingerprint,
        "seconds": time.perf_counter() - start,
        "peak_memory_bytes": peak_memory_bytes(),
    }
    return facts | {key: environment()[key] for key in ("machine", "cores", "python")}


def writing_speed(rounds: int) -> float:
    """Megabytes of stories a second, by one process; the median of the rounds."""
    speeds = []
    for seed in range(rounds):
        start = time.process_time()
        size = sum(map(len, islice(stories(f"speed/{seed}"), 1000)))
        speeds.append(size / MEGABYTE / (time.process_time() - start))
    return statistics.median(speeds)


def main(options: Options) -> None:
    folder = DATA / "runs" / "corpus_facts"
    folder.mkdir(parents=True, exist_ok=True)
    if options.tables_only:
        for name in ("storyworld", "tinystories"):
            write_tables(name, list(corpora_of(name, options)[LARGE].stories("train")))
        return
    rows = [measure(name, options) for name in ("storyworld", "tinystories")]
    speed = writing_speed(options.rounds)
    rows[0]["megabytes_per_second"], rows[1]["megabytes_per_second"] = round(speed, 3), ""
    rows = [{key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()} for row in rows]
    with (folder / "facts.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"{'':34}{'storyworld':>14}{'tinystories':>14}")
    for key, value in rows[0].items():
        if isinstance(value, int | float):
            print(f"{key:34}" + "".join(f"{row[key]!s:>14}" for row in rows))
    ours, theirs = rows
    ratios = {f"{key}_storyworld_vs_tinystories": round(ours[key] / theirs[key], 3) for key in COMPARED}
    for row in rows:
        model, counted = (row[f"bits_per_byte_{who}_{LARGE}MB"] for who in ("model", "5gram"))
        ratios[f"bits_{row['corpus']}_model_vs_5gram"] = round(counted / model, 3)
    print(json.dumps(ratios))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
