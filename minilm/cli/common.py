"""What several commands share: bars, corpora and their tokens, folders, and how a command is written down."""

import io
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path

import tyro
from tqdm import tqdm

from minilm.config import RANK, WORLD_SIZE


def progress_bar(iterable=None, **options) -> tqdm:
    """A progress bar on standard error, shown only to a person."""
    return tqdm(iterable, dynamic_ncols=True, leave=False, disable=None, **options)


class TrainingBar:
    """A progress bar that is moved by lines of the training log."""

    def __enter__(self):
        self.bar = None
        return self

    def __call__(self, line: dict) -> None:
        if self.bar is None:
            self.bar = tqdm(desc="training", total=line["max_steps"], unit=" steps", dynamic_ncols=True, disable=None)
            self.bar.initial = self.bar.n = line["step"]  # a resumed run does not begin at zero
        self.bar.update(line["step"] - self.bar.n)
        self.bar.set_postfix_str(f"loss {line['loss']:.3f}, {line['tokens_per_second']:,.0f} tokens/s")
        if "valid_bits_per_byte" in line:
            self.bar.write(f"step {line['step']:,}: {line['valid_bits_per_byte']:.3f} bits per byte on a sample of the validation text")

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()


def prepare_training(corpus: str, tokenizer: Path | None, vocab_size: int, cache: Path):
    """Find or make the corpus, the tokenizer and the encoded text of a training."""
    from minilm.corpora import load_corpus
    from minilm.tokenizer import Tokenizer

    found = load_corpus(corpus, cache_dir=cache)
    if tokenizer:
        tokens = Tokenizer.load(tokenizer)
        if tokens.vocab_size != vocab_size:
            raise ValueError(f"{tokenizer} has {tokens.vocab_size} tokens; add --vocab-size {tokens.vocab_size}")
    else:
        tokens = learn_tokenizer(found, vocab_size)
    encode_corpus(found, tokens, cache)  # torch takes two seconds to load: mistakes above are answered before
    return found, tokens


def from_first_process(make):
    """What `make()` returns in the first of torchrun's processes, for all of them."""
    if WORLD_SIZE == 1:
        return make()
    from minilm.distributed import from_first

    return from_first(make)


def process_group(command: str):
    """What has to be open around a command: under torchrun, the connection to the other processes."""
    if WORLD_SIZE == 1:
        return nullcontext()
    if command not in ("train", "resume"):
        raise ValueError(f"torchrun is for `train` and `resume`; run `minilm {command}` without it")
    if RANK > 0:
        sys.stdout = io.StringIO()  # one process speaks for all
    from minilm.distributed import process_group

    return process_group()


def learn_tokenizer(corpus, vocab_size: int):
    """Learn a vocabulary from the training text of a corpus, with bars; say so if the text is too small for it."""
    from minilm.tokenizer import train_tokenizer

    with (
        progress_bar(desc="reading", total=corpus.n_bytes("train"), unit="B", unit_scale=True) as reading,
        progress_bar(desc="learning a vocabulary", total=vocab_size - 257, unit=" merges") as merging,
    ):
        bars = {"characters": reading, "merges": merging}
        learned = train_tokenizer(corpus.stories("train"), vocab_size, progress=lambda kind, n: bars[kind].update(n))
    if learned.vocab_size < vocab_size:
        print(f"The text is small: it gave {learned.vocab_size:,} tokens instead of {vocab_size:,}.", file=sys.stderr)
    return learned


def check_new(out: Path) -> None:
    """Raise FileExistsError when a run is there already, and what `check_folder` raises."""
    if (out / "run.json").exists():
        raise FileExistsError(f"{out} already holds a run; go on with it by `minilm resume {out}`, or name another folder")
    check_folder(out)


def check_folder(out: Path) -> None:
    """Raise ValueError when no folder can be made there, before the work that is to go into it."""
    there = next(path for path in (out, *out.parents) if path.exists())
    if not there.is_dir():
        raise ValueError(f"--out {out}: {there} is a file; name a folder")


def encode_corpus(corpus, tokens, cache: Path) -> None:
    """Encode both parts of a corpus, once, with a bar."""
    from minilm.data import token_file

    for split in ("train", "valid"):
        with progress_bar(desc=f"encoding {split}", total=corpus.n_bytes(split), unit="B", unit_scale=True) as bar:
            token_file(corpus, split, tokens, cache, progress=bar.update)


def stories_by(model: Path, seeds, **settings):
    """Let a model write from nothing, a story for each seed."""
    from minilm.checkpoint import load_model
    from minilm.generate import generate as write

    loaded = load_model(model)
    for seed in seeds:
        yield "".join(write(*loaded, seed=seed, max_new_tokens=600, **settings)).strip()


def as_printed(item) -> str:
    """An item for a reader: the end of its context, and its choices, the right one marked."""
    choices = (f"  {'*' if i == item.answer else ' '} {choice.strip()}" for i, choice in enumerate(item.choices))
    return "\n".join((f"... {item.context[-200:]} ...", *choices))


def findings(found) -> str:
    """What the reader found in a story, a line each."""
    lines = [f"  not understood: {sentence}" for sentence in found.unparsed]
    for place, fault in found.faults:
        where = found.sentences[place] if place < len(found.sentences) else "(the end)"
        lines.append(f"  {fault.reason}: {where}")
    return "\n".join(lines)


def save_curve(run: Path, path: Path) -> None:
    """Draw the loss of a run as a picture."""
    import matplotlib.pyplot as plt

    from minilm import plots
    from minilm.train import read_log

    with plots.style():
        fig, ax = plt.subplots()
        plots.loss_curve(ax, read_log(run))
        ax.set_title("The loss falls as the model reads")
        fig.savefig(path, dpi=130, bbox_inches="tight")
        plt.close(fig)


def print_result(run: Path, record: dict) -> None:
    """Say what a finished run came to, and what can be done with it."""
    result = record["result"]
    print(f"{result['n_tokens']:,} tokens in {result['seconds'] / 60:.1f} minutes: {result['valid_bits_per_byte']:.4f} bits per byte on the "
          f"validation text.\nNow try: minilm generate {run}")  # fmt: skip


def as_typed(*paths: object) -> str:
    """The command as it was given, with PATH for local paths: it goes into records that others read."""
    local = {str(path) for path in paths if path is not None and (Path(path).exists() or "/" in str(path))}
    words = []
    for word in sys.argv[1:]:
        option, equals, value = word.rpartition("=")
        words.append(f"{option}{equals}PATH" if value in local else word)
    return shlex.join(["minilm", *words])


SETTINGS = (tyro.conf.FlagCreatePairsOff,)
