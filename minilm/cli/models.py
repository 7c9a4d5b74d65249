"""Commands that make, use and give away models: `quickstart | train | resume | generate | evaluate | record | ship | export | import-hf`."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from minilm.cli.common import (
    TrainingBar,
    as_typed,
    check_new,
    encode_corpus,
    findings,
    from_first_process,
    learn_tokenizer,
    prepare_training,
    print_result,
    progress_bar,
    save_curve,
    stories_by,
)
from minilm.config import CACHE, ModelConfig, TrainConfig


def train(
    corpus: str,
    out: Path,
    model: OmitArgPrefixes[ModelConfig],
    training: OmitArgPrefixes[TrainConfig],
    tokenizer: Path | None = None,
    shard: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train a model from scratch. Give a budget: --minutes, --max-tokens or --max-steps.

    Ctrl-C saves and stops; `minilm resume DIR` goes on. The loss shown is in nats per token; what is judged in the end is bits per byte
    over the whole validation text. On several devices: torchrun --nproc-per-node N -m minilm.cli train ...

    Args:
        corpus: A corpus, folder or file, as for `minilm corpus`.
        out: Folder for the run: its record, log and checkpoints.
        model: The shape of the model. The defaults suit five minutes on two processor cores.
        training: The budget, the batch, the optimizer, the schedule. Give one of --minutes, --max-tokens and --max-steps.
        tokenizer: A file made by `minilm tokenizer`; without one, a vocabulary of --vocab-size is learned first.
        shard: Under torchrun: split the model over the processes (FSDP2) instead of giving each a copy (DDP). Saves memory, costs time.
        cache: Folder for what is downloaded and encoded.
    """
    check_new(out)
    found, tokens = from_first_process(lambda: prepare_training(corpus, tokenizer, model.vocab_size, cache))
    model = dataclasses.replace(model, vocab_size=tokens.vocab_size)
    from minilm.runs import start_run

    with TrainingBar() as bar:
        command = as_typed(corpus, out, tokenizer, cache)
        record = start_run(out, found, tokens, model, training, command=command, shard=shard, cache_dir=cache, callbacks=[bar])
    print_result(out, record)


def quickstart(out: Path = Path("runs/quickstart"), minutes: float = 2, seed: int = 0, cache: Path = CACHE) -> None:
    """From nothing to a story in a few minutes: make a corpus, learn a vocabulary, train a small model, let it write, and check what it wrote.

    Args:
        out: Folder for the run; the plot of its loss is loss.png in it.
        minutes: Length of the training.
        seed: Other seed, other weights and another story.
        cache: Folder for the corpus and its tokens.
    """
    from minilm.corpora import load_corpus
    from minilm.storyworld import grade as read

    check_new(out)
    training = TrainConfig(minutes=minutes, seed=seed)
    print("1. A corpus: ten megabytes of stories of our own.")
    found = load_corpus("storyworld", cache_dir=cache)
    print(f"   One begins: {next(found.stories('train'))[:90]} ...\n2. A vocabulary, learned from it.")
    tokens = learn_tokenizer(found, ModelConfig.vocab_size)
    from minilm.runs import start_run

    encode_corpus(found, tokens, cache)
    print(f"3. A model, trained for {minutes:g} minutes.")
    with TrainingBar() as bar:
        command = as_typed(out, cache)
        record = start_run(out, found, tokens, ModelConfig(), training, command=command, cache_dir=cache, callbacks=[bar])
    save_curve(out, out / "loss.png")
    result = record["result"]
    print(f"   It read {result['n_tokens']:,} tokens and needs {result['valid_bits_per_byte']:.3f} bits for a byte of stories it never saw. "
          f"Its loss is drawn in {out / 'loss.png'}.\n4. A story of its own:\n")  # fmt: skip
    story = next(stories_by(out, [seed], temperature=0.6, top_p=0.9))  # so young a model is better kept to its likelier words
    graded = read(story)
    print(f"{story}\n\n   The reader of storyworld understands {len(graded.sentences) - len(graded.unparsed)} of its {len(graded.sentences)} sentences"
          f" and finds {len(graded.faults)} contradictions.\n{findings(graded)}\n\nNow try: minilm generate {out}, or make lab.")  # fmt: skip


def resume(run: Positional[Path], shard: bool = False, cache: Path = CACHE) -> None:
    """Go on with a run that was stopped, exactly as if it had not been.

    Args:
        run: Folder of the run, as given to `minilm train --out`.
        shard: As for `minilm train`; neither it nor the number of processes need be what it was.
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.runs import resume_run

    with TrainingBar() as bar:
        record = resume_run(run, shard=shard, cache_dir=cache, callbacks=[bar])
    print_result(run, record)


def generate(
    model: Positional[Path],
    prompt: str = "Once upon a time",
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float = 0.95,
    min_p: float = 0.0,
    seed: int = 0,
) -> None:
    """Write a story.

    Args:
        model: Folder of a model or of a run.
        prompt: How the story begins.
        max_new_tokens: Stop after this many tokens even if the story goes on.
        temperature: 0 always takes the likeliest token; 1 takes the model's guesses as they are; above 1 is wild.
        top_k: Choose among only this many of the likeliest tokens.
        top_p: Choose among the likeliest tokens that together have this probability.
        min_p: Choose among tokens at least this share as likely as the likeliest.
        seed: Another seed, another story.
    """
    from minilm.checkpoint import load_model
    from minilm.generate import generate as write

    weights, tokens = load_model(model)
    settings = {"max_new_tokens": max_new_tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p, "seed": seed}
    pieces = write(weights, tokens, prompt, **settings)
    first = next(pieces, "")  # wrong settings are found out before anything is printed
    print(prompt + first, end="", flush=True)
    for piece in pieces:
        print(piece, end="", flush=True)
    print()


def evaluate(model: Positional[Path], corpus: str, json_: Annotated[bool, arg(name="json")] = False, cache: Path = CACHE) -> None:
    """Measure how well a model predicts a text, in bits per byte: less is better.

    Every story of a file counts, none is left out or split off; of a named corpus or a folder it is the validation part.

    Args:
        model: Folder of a model or of a run.
        corpus: A UTF-8 text file, a folder with train.txt and valid.txt, or a corpus's name.
        json_: End with one line of JSON.
        cache: Folder for what is downloaded.
    """
    from minilm.corpora import load_corpus, read_stories

    stories = read_stories(corpus) if Path(corpus).is_file() else load_corpus(corpus, cache_dir=cache).stories("valid")
    from minilm.checkpoint import load_model
    from minilm.data import encode_stories
    from minilm.evaluate import evaluate as measure

    weights, tokens = load_model(model)
    ids = encode_stories(progress_bar(stories, desc="encoding", unit=" stories"), tokens)
    with progress_bar(desc="predicting", unit=" tokens", total=len(ids)) as bar:
        found = measure(weights, ids, tokens, progress=bar.update)
    print(f"{found.bits_per_byte:.4f} bits per byte, {found.nats_per_token:.4f} nats per token ({found.n_bytes:,} bytes, {found.n_tokens:,} tokens)")
    if json_:
        print(json.dumps(found.to_dict()))


def record(run: Positional[Path], experiment: str) -> None:
    """Keep a finished run as a row of data/runs/EXPERIMENT/runs.csv, with its log beside it.

    Args:
        run: Folder of the run.
        experiment: Name of the table's folder.
    """
    from minilm.runs import record_run

    print(record_run(run, experiment))


def ship(run: Positional[Path], out: Path, data_note: str, cache: Path = CACHE) -> None:
    """Make a small folder to give away: weights in half precision, tokenizer, record, and a card with stories of its own.

    Args:
        run: Folder of a finished run.
        out: Folder to make.
        data_note: What the text is and under which licence, for the card.
        cache: Folder for what is encoded.
    """
    from minilm.runs import ship_run

    shipped = ship_run(run, out, data_note=data_note, cache_dir=cache)
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{out}: {size / 1e6:.2f} MB, {shipped['result']['valid_bits_per_byte']:.4f} bits per byte")


def export(
    model: Positional[Path],
    to: Literal["hf", "llama2c", "gguf"],
    out: Path,
    weights: Literal["float32", "float16", "int8", "int4"] = "float32",
) -> None:
    """Write a model so that other programs run it: Hugging Face's transformers, llama2.c, or whatever reads GGUF (llama.cpp and all that builds on it).

    Args:
        model: Folder of a model or of a run.
        to: The format. `hf` and `llama2c` are folders, `gguf` is one file.
        out: Folder or file to make.
        weights: Type of the weights: for `hf` float32 or float16, for `llama2c` float32 (its run.c) or int8 (its runq.c), for `gguf` any.
    """
    from minilm.checkpoint import load_model
    from minilm.export import EXPORTS

    loaded, options = load_model(model), {"weights": weights}
    if to == "hf" and (model / "card.md").is_file():
        options["card"] = (model / "card.md").read_text(encoding="utf-8")
    made = EXPORTS[to](*loaded, out, **options)
    for path in sorted(made.iterdir()) if made.is_dir() else [made]:
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")


def import_hf(folder: Positional[Path], out: Path) -> None:
    """Make a model here of a LLaMA-shaped checkpoint of Hugging Face's: config.json, safetensors, and tokenizer.json of a byte-level BPE.

    Args:
        folder: Folder of the checkpoint.
        out: Folder to make.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists; name a new folder")
    from minilm.checkpoint import save_model
    from minilm.export import import_hf as read

    model, tokens = read(folder)
    save_model(out, model, tokens)
    print(f"{out}: {model.n_params:,} parameters, {tokens.vocab_size:,} tokens. Now try: minilm generate {out}")
