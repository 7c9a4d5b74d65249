"""How fast is minilm.tokenizer beside Hugging Face `tokenizers` and `tiktoken`, and how much memory does it take?

`python benchmarks/bench_tokenizer.py --tinystories FOLDER --shared FOLDER` prints a table and, as its last line, the ratios as JSON. A ratio
of speed is ours over theirs: more is better. A ratio of memory is ours over theirs too: less is better.

Peers take turns within each round, and medians over rounds are compared. Everyone has two processes or threads, except that our `encode` has
one; the pattern is the same for all. Encoding is cold: no tokenizer has seen a text before. Peak memory is that of a fresh process, with
its children and the libraries it loads, that streams the texts from disk, looked at every 10 ms.
"""

import gc
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

N_PROCESSES = 2
os.environ["RAYON_NUM_THREADS"] = str(N_PROCESSES)  # before tokenizers starts its threads
os.environ["TOKENIZERS_PARALLELISM"] = "true"

import psutil
import tokenizers
import tyro
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers

from minilm.corpora import read_stories
from minilm.tokenizer import END_OF_TEXT, GPT4_PATTERN, Tokenizer, train_tokenizer


@dataclass(frozen=True, kw_only=True)
class Options:
    tinystories: Path
    """folder with train.txt, for the training of 4,096 ids and for encoding"""
    texts: tuple[Path, ...] = ()
    """text files for the training of 10,000 ids"""
    shared: Path | None = None
    """folder whose .txt files are used if --texts is not given, except *.sources.txt"""
    rounds: int = 5
    """how often everything is measured"""


def hugging_face(model: models.BPE) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(model)
    pattern = GPT4_PATTERN.replace("{1,3}+", "{1,3}")  # means the same; their engine reads the plus as "again and again"
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train_ours(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    return train_tokenizer(texts, vocab_size, n_processes=N_PROCESSES)


def train_theirs(texts: Iterable[str], vocab_size: int) -> tokenizers.Tokenizer:
    tokenizer = hugging_face(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=[END_OF_TEXT], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


TRAINERS = {"minilm": train_ours, "hf": train_theirs}


def stories_of(paths: Iterable[Path]) -> Iterator[str]:
    return chain.from_iterable(map(read_stories, paths))


def train_and_forget(peer: str, paths: tuple[Path, ...], vocab_size: int) -> None:
    multiprocessing.set_start_method(None, force=True)  # that of the platform, as in a process that nobody spawned
    TRAINERS[peer](stories_of(paths), vocab_size)


def resident(process: psutil.Process) -> float:
    """MiB of a process, where a page shared by n processes counts as 1/n of a page (on Linux; elsewhere shared pages do not count)."""
    try:
        memory = process.memory_full_info()
        return getattr(memory, "pss", memory.uss) / 2**20
    except psutil.Error:  # it ended a moment ago
        return 0.0


def peak_memory(peer: str, paths: tuple[Path, ...], vocab_size: int) -> float:
    """Train in a fresh process, and watch it and its children from outside."""
    training = multiprocessing.get_context("spawn").Process(target=train_and_forget, args=(peer, paths, vocab_size))
    training.start()
    watched, peak = psutil.Process(training.pid), 0.0
    while training.is_alive():
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, sum(map(resident, [watched, *watched.children(recursive=True)])))
        time.sleep(0.01)
    if training.exitcode:
        raise RuntimeError(f"{peer} failed while its memory was measured")
    return peak


def measure_memory(paths: tuple[Path, ...], vocab_size: int, rounds: int) -> dict[str, list[float]]:
    peaks = {peer: [] for peer in TRAINERS}
    for _ in range(rounds):
        for peer in TRAINERS:
            peaks[peer].append(peak_memory(peer, paths, vocab_size))
    return peaks


def seconds(work: Callable, *args) -> float:
    gc.collect()
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


def measure_training(paths: tuple[Path, ...], vocab_size: int, rounds: int) -> dict[str, list[float]]:
    texts = list(stories_of(paths))
    times = {peer: [] for peer in TRAINERS}
    for _ in range(rounds):
        for peer, train in TRAINERS.items():
            times[peer].append(seconds(train, texts, vocab_size))
    return times


def measure_encoding(paths: tuple[Path, ...], vocab_size: int, rounds: int) -> dict[str, list[float]]:
    texts = list(stories_of(paths))
    trained, hf_json = train_ours(texts, vocab_size), train_theirs(texts, vocab_size).to_str()
    times = {"minilm": [], "hf": [], "tiktoken": []}
    for _ in range(rounds):  # new tokenizers in each round, with empty caches
        ours, hf, tiktoken = Tokenizer(trained.merges), tokenizers.Tokenizer.from_str(hf_json), trained.to_tiktoken()
        times["minilm"].append(seconds(lambda encode: [encode(text) for text in texts], ours.encode))
        times["hf"].append(seconds(hf.encode_batch, texts))
        times["tiktoken"].append(seconds(partial(tiktoken.encode_ordinary_batch, num_threads=N_PROCESSES), texts))
    return times


def report(work: str, measured: dict[str, list[float]], unit: str) -> dict[str, float]:
    """Print a row for each peer, and return ours beside theirs."""
    medians = {peer: statistics.median(values) for peer, values in measured.items()}
    ratios = {}
    for peer, values in measured.items():
        ratio = medians["minilm"] / medians[peer] if unit == "MiB" else medians[peer] / medians["minilm"]
        print(f"{work:28} {peer:9} {medians[peer]:8.2f} {unit:4} [{min(values):.2f} .. {max(values):.2f}] {ratio:7.2f}", flush=True)
        if peer != "minilm":
            ratios[f"{work}_vs_{peer}" + ("_memory" if unit == "MiB" else "")] = round(ratio, 3)
    return ratios


def main(options: Options) -> None:
    small = (options.tinystories / "train.txt",)
    found = sorted(options.shared.rglob("*.txt")) if options.shared else []
    large = options.texts or tuple(path for path in found if not path.name.endswith(".sources.txt"))
    corpora = {"train_tinystories4096": (small, 4096)} | ({"train_joined10000": (large, 10_000)} if large else {})
    print(f"{'work':28} {'peer':9} {'median':>8}      [least .. most]  ours over theirs")
    ratios = {}
    for work, corpus in corpora.items():
        ratios |= report(work, measure_training(*corpus, options.rounds), "s")
        ratios |= report(work, measure_memory(*corpus, options.rounds), "MiB")
    ratios |= report("encode_tinystories", measure_encoding(*corpora["train_tinystories4096"], options.rounds), "s")
    print(json.dumps(ratios))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
