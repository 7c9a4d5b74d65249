"""What does the size of the vocabulary do to a small model, when the computation is the same?

`python benchmarks/bench_vocabulary.py --tinystories FOLDER` trains the same body (787 thousand parameters) with vocabularies from the bare bytes to
eight thousand tokens, each for the same number of floating-point operations, on storyworld and on real TinyStories, with two seeds. Runs that are
finished are not repeated. It keeps each as a row of data/runs/vocabulary/runs.csv, prints a table, and ends with one line of JSON: the bits per byte of
the model that reads bare bytes over those of each other, so more is better.

A larger vocabulary makes fewer tokens of the same text, so a token carries more, and the model's window reaches further; but every token costs more,
for the head that predicts it is larger, and the rows of rare tokens are seldom trained.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import tyro
from bench_corpus import cut

from minilm.config import ModelConfig, TrainConfig
from minilm.corpora import Corpus, load_corpus
from minilm.model import Transformer, flops_per_token
from minilm.runs import read_record, record_run, start_run
from minilm.tokenizer import Tokenizer, train_tokenizer

COMMAND = "python benchmarks/bench_vocabulary.py --tinystories PATH"
SIZES = (257, 512, 1024, 2048, 4096, 8192)  # 257: the bytes and the end of text
BODY = ModelConfig()
VALID = 0.5  # megabytes of stories that judge a model


@dataclass(frozen=True, kw_only=True)
class Options:
    tinystories: Path
    """folder with train.txt and valid.txt"""
    corpora: tuple[str, ...] = ("storyworld", "tinystories")
    """which of the two to train on"""
    seeds: int = 2
    """models for each size"""
    flops: float = 1.5e13
    """floating-point operations of each training"""
    work: Path = Path("runs/vocabulary")
    """folder for tokens and runs"""


def find(name: str, options: Options) -> Corpus:
    """The corpus under its short name, with half a megabyte of validation text."""
    found = load_corpus(options.tinystories if name == "tinystories" else name)
    valid = options.work / f"{name}_valid.txt"
    cut(found.valid, valid, VALID)
    return replace(found, name=name, valid=valid)


def learn(corpus: Corpus, vocab_size: int, folder: Path) -> Tokenizer:
    """Learn the vocabulary from the training text, once for all seeds."""
    path = folder / f"{corpus.name}_{vocab_size}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        train_tokenizer(corpus.stories("train"), vocab_size).save(path)
    return Tokenizer.load(path)


def bits(corpus: Corpus, vocab_size: int, seed: int, options: Options) -> float:
    """Train one model, unless that is done already; record it; return its bits per byte of validation text."""
    out = options.work / f"{corpus.name}_{vocab_size}_seed{seed}"
    if not (out / "run.json").exists() or "result" not in read_record(out):
        config = replace(BODY, vocab_size=vocab_size)
        training = TrainConfig(max_tokens=int(options.flops / flops_per_token(Transformer(config))), seed=seed)
        tokenizer = learn(corpus, vocab_size, options.work / "tokenizers")
        start_run(out, corpus, tokenizer, config, training, command=COMMAND, cache_dir=options.work / "cache")
    record_run(out, "vocabulary")
    return read_record(out)["result"]["valid_bits_per_byte"]


def main(options: Options) -> None:
    ratios = {}
    for name in options.corpora:
        corpus = find(name, options)
        for seed in range(options.seeds):  # all sizes with one seed first: an early stop leaves a whole curve
            for size in SIZES:
                print(f"{name:12} vocabulary {size:5,}  seed {seed}: {bits(corpus, size, seed, options):.4f} bits per byte", flush=True)
        means = {size: mean(bits(corpus, size, seed, options) for seed in range(options.seeds)) for size in SIZES}
        ratios |= {f"bits_{name}_{size}_vs_bytes": round(means[SIZES[0]] / means[size], 3) for size in SIZES[1:]}
    print(json.dumps(ratios))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
