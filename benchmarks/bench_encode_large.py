"""Is a large text encoded as fast as a small one, in bounded memory, and how fast beside `tiktoken` alone?

`python benchmarks/bench_encode_large.py --scratch FOLDER` repeats the stories of storyworld to 220 MB and to 2.2 GB, learns a vocabulary from each,
encodes it, and draws batches from what came out. It needs 4 GB of disk, and deletes what it wrote. Learning and encoding have a fresh process each,
whose memory is looked at from outside, with that of its children, and counted above a Python that has loaded nothing.

The last line has ratios as JSON. Of speeds they are ours over theirs, or the large text's over the small one's: more is better. Of memory (the name
ends in `memory`) they are the large text's peak over the small one's, and over a gigabyte: less is better. `tiktoken` gets the same merges and, since
it streams nothing, a list of stories: by `encode_ordinary`, and by `encode_ordinary_batch` with a thread for each core.
"""

import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import tyro
from bench_tokenizer import resident, seconds

from minilm.corpora import END_OF_TEXT, Corpus, load_corpus
from minilm.data import Sampler, token_file
from minilm.tokenizer import Tokenizer, train_tokenizer

MEGABYTE = 10**6
GIGABYTE = 10**9 / 2**20  # in MiB
PART = 20_000  # stories, about 20 MB, that tiktoken encodes
BATCHES = 200  # of 32 windows of 256 tokens


@dataclass(frozen=True, kw_only=True)
class Options:
    scratch: Path
    """folder in which a folder for the texts is made, and deleted"""
    megabytes: float = 2200
    """size of the large text; the small one has a tenth"""
    vocab_size: int = 4096
    """ids, the end-of-text mark included"""
    rounds: int = 3
    """how often tiktoken is measured"""


def repeat_stories(folder: Path, megabytes: float) -> Corpus:
    """Write the training stories of storyworld again and again, up to a size."""
    folder.mkdir()
    storyworld = load_corpus("storyworld")
    stories = [f"{story}\n{END_OF_TEXT}\n" for story in storyworld.stories("train")]
    left = megabytes * MEGABYTE
    with (folder / "train.txt").open("w", encoding="utf-8") as file:
        while left > 0:
            for story in stories:
                left -= file.write(story)
                if left <= 0:
                    break
    return Corpus(folder.name, folder / "train.txt", storyworld.valid)


def learn(corpus: Corpus, vocab_size: int, path: Path) -> None:
    train_tokenizer(corpus.stories("train"), vocab_size).save(path)


def encode(corpus: Corpus, tokenizer: Path, cache: Path) -> None:
    token_file(corpus, "train", Tokenizer.load(tokenizer), cache)


def tell_seconds(connection, work: Callable, *args) -> None:
    multiprocessing.set_start_method(None, force=True)  # that of the platform, as in a process that nobody spawned
    connection.send(seconds(work, *args))


def watched(work: Callable, *args) -> tuple[float, float]:
    """Do work(*args) in a fresh process; return its seconds, and the peak in MiB of this process and its children."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=tell_seconds, args=(theirs, work, *args))
    process.start()
    first, peak = psutil.Process(process.pid), 0.0
    while process.is_alive():
        with suppress(psutil.NoSuchProcess):
            peak = max(peak, sum(map(resident, [first, *first.children(recursive=True)])))
        time.sleep(0.1)  # looking costs a few milliseconds of a core
    if process.exitcode:
        raise RuntimeError(f"{work.__name__} failed while its memory was measured")
    return ours.recv(), peak


def bare_interpreter() -> float:
    """MiB of a Python that has loaded nothing."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        time.sleep(0.5)
        memory = resident(psutil.Process(process.pid))
        process.communicate(b"\n")
    return memory


def draw(ids: np.ndarray) -> None:
    sampler = Sampler(ids, context_length=256, batch_size=32, seed=0)
    start = time.perf_counter()
    sampler.batch(0)
    first = time.perf_counter() - start
    others = seconds(lambda: [sampler.batch(step) for step in range(1, BATCHES + 1)]) / BATCHES
    print(f"{'':7} {len(ids):13,} tokens: the first batch after {1000 * first:.0f} ms, others {1000 * others:.2f} ms each")


def measure_ours(name: str, megabytes: float, folder: Path, options: Options, bare: float) -> dict[str, float]:
    """Learn, encode and draw; return megabytes a second and MiB above the bare interpreter, under "learn", "encode", "…_memory"."""
    corpus, path = repeat_stories(folder / name, megabytes), folder / f"{name}.json"
    found = {}
    for work, arguments in ((learn, (corpus, options.vocab_size, path)), (encode, (corpus, path, folder))):
        took, peak = watched(work, *arguments)
        found |= {work.__name__: megabytes / took, f"{work.__name__}_memory": peak - bare}
        print(f"{name:7} {work.__name__:9} {megabytes:6g} MB {took:8.1f} s {megabytes / took:8.1f} MB/s {peak - bare:8.0f} MiB", flush=True)
    print(f"{'':7} the fingerprint of the corpus, asked for once a run or more: {1000 * seconds(lambda: corpus.fingerprint):.0f} ms")
    ids = token_file(corpus, "train", Tokenizer.load(path), folder)
    draw(ids)
    check(ids, corpus, Tokenizer.load(path))
    return found


def check(ids: np.ndarray, corpus: Corpus, tokenizer: Tokenizer) -> None:
    """What stands in the file is what tiktoken makes of the stories, from the first on, and as far as looked at."""
    theirs, start = tokenizer.to_tiktoken(), 0
    for story in islice(corpus.stories("train"), 1000):
        expected = [*theirs.encode_ordinary(story), tokenizer.end_of_text]
        if ids[start : start + len(expected)].tolist() != expected:
            raise RuntimeError(f"the ids of {corpus.name} are not those of tiktoken from {start} on")
        start += len(expected)


def measure_tiktoken(folder: Path, options: Options) -> dict[str, float]:
    """Megabytes a second with one thread and with one for each core, medians over rounds."""
    stories = list(islice(Corpus("large", folder / "large" / "train.txt", Path()).stories("train"), PART))
    megabytes = sum(len(story.encode()) for story in stories) / MEGABYTE
    theirs = Tokenizer.load(folder / "large.json").to_tiktoken()
    ways = {
        "tiktoken": lambda: [theirs.encode_ordinary(story) for story in stories],
        "tiktoken_threads": partial(theirs.encode_ordinary_batch, stories, num_threads=os.cpu_count()),
    }
    times = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            times[name].append(seconds(way))
    rates = {name: megabytes / statistics.median(taken) for name, taken in times.items()}
    for name, taken in times.items():
        print(f"{name:17} {megabytes:6.1f} MB {rates[name]:19.1f} MB/s [{megabytes / max(taken):.1f} .. {megabytes / min(taken):.1f}]")
    return rates


def main(options: Options) -> None:
    options.scratch.mkdir(parents=True, exist_ok=True)
    needed, free = 1.8 * options.megabytes * MEGABYTE, shutil.disk_usage(options.scratch).free
    if free < needed:
        raise SystemExit(f"{options.scratch} has {free / 1e9:.1f} GB of room, and {needed / 1e9:.1f} are needed; name another --scratch")
    bare = bare_interpreter()
    print(f"{os.cpu_count()} cores; a bare interpreter has {bare:.0f} MiB")
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        sizes = {"small": options.megabytes / 10, "large": options.megabytes}
        small, large = (measure_ours(name, megabytes, Path(folder), options, bare) for name, megabytes in sizes.items())
        rates = measure_tiktoken(Path(folder), options)
    ratios = {f"encode_large_vs_{name}": large["encode"] / rate for name, rate in rates.items()}
    for work in ("learn", "encode"):
        ratios[f"{work}_large_vs_small"] = large[work] / small[work]
        ratios[f"{work}_large_vs_small_memory"] = large[f"{work}_memory"] / small[f"{work}_memory"]
        ratios[f"{work}_large_vs_gigabyte_memory"] = large[f"{work}_memory"] / GIGABYTE
    print(json.dumps({name: round(ratio, 3) for name, ratio in ratios.items()}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
