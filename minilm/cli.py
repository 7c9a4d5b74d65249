"""How is all this used from a terminal? `minilm quickstart`, for the course `start | progress`, and then `corpus | storyworld | grade | judge | tokenizer | train | ...`.

Each command is a function; its parameters, docstring and dataclasses are the options and the help. Torch is imported only by
the commands that need it, so that `minilm --help` answers at once. A mistake of the user's is answered in one line, not by a traceback.
"""

import dataclasses
import io
import json
import math
import shlex
import sys
from collections import Counter
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tqdm import tqdm
from tyro.conf import OmitArgPrefixes, Positional, arg

from minilm.config import CACHE, RANK, ROOT, WORLD_SIZE, ModelConfig, TrainConfig, profile


def corpus(name: Positional[str], cache: Path = CACHE) -> None:
    """Get a corpus ready and tell what is in it.

    Args:
        name: `storyworld` (made on first use), `tinystories` (downloads 2.2 GB once), a folder with train.txt and valid.txt, or a UTF-8 text file.
        cache: Folder for what is made or downloaded.
    """
    from minilm.corpora import SPLITS, load_corpus

    found = load_corpus(name, cache_dir=cache)
    for split in SPLITS:
        n_stories = n_bytes = 0
        for story in _bar(found.stories(split), desc=f"reading {split}", unit=" stories"):
            n_stories, n_bytes = n_stories + 1, n_bytes + len(story.encode())
        print(f"{split:5}  {n_stories:>9,} stories  {n_bytes:>13,} bytes")
    print(f"\nThe first training story begins:\n{next(found.stories('train'))[:200]} ...")


def storyworld(
    out: Positional[Path],
    megabytes: float = 10,
    valid_megabytes: float = 0.5,
    seed: int = 0,
    faults: dict[str, float] | None = None,
) -> None:
    """Write stories of our own into a new folder that `--corpus` understands, as many as you like, and as bad as you like.

    Args:
        out: Folder to make, with train.txt and valid.txt.
        megabytes: Size of the training text.
        valid_megabytes: Size of the validation text, which never has faults.
        seed: Other seed, other stories.
        faults: Kinds and doses (shares of the training stories), such as `--faults duplicate 0.3 shuffled_words 0.1`. Kinds: contradiction,
            swapped_name, shuffled_sentences, shuffled_words, duplicate, near_duplicate, narrow_vocabulary, low_diversity.
    """
    from minilm.storyworld import write_corpus

    total = (megabytes + valid_megabytes) * 1e6
    with _bar(desc="writing stories", total=round(total) if math.isfinite(total) else None, unit="B", unit_scale=True) as bar:
        write_corpus(out, megabytes, valid_megabytes=valid_megabytes, seed=seed, faults=faults, progress=bar.update)
    print(f"{out}: train.txt and valid.txt, {megabytes:g} and {valid_megabytes:g} MB. Now try: minilm train --corpus {out} --minutes 5")


def grade(
    stories: Positional[Path],
    n: int = 20,
    temperature: float = 0.8,
    top_p: float = 0.95,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Read stories as storyworld's reader does: which sentences does it not understand, and what cannot be true?

    Args:
        stories: A UTF-8 text file with stories set apart by <|endoftext|> or blank lines, or the folder of a model or run, which then writes some.
        n: How many stories a model writes, with seeds 0, 1, 2, ...
        temperature: As for `minilm generate`.
        top_p: As for `minilm generate`.
        json_: End with one line of JSON.
    """
    from minilm.corpora import read_stories
    from minilm.storyworld import grade as read
    from minilm.storyworld import grade_shares

    if n < 1:
        raise ValueError(f"--n is {n}; a model must write at least one story to be graded")
    if stories.is_dir():
        texts = list(_bar(_stories_by(stories, range(n), temperature=temperature, top_p=top_p), desc="writing", unit=" stories", total=n))
    else:
        texts = list(read_stories(stories))
    grades = [read(story) for story in _bar(texts, desc="reading", unit=" stories")]
    for number, found in enumerate(grades, start=1):
        if not found.perfect:
            print(f"story {number}\n{_findings(found)}")
    result = grade_shares(grades)
    print(f"{len(grades):,} stories: {result['parse_rate']:.1%} of {result['n_sentences']:,} sentences parse, {result['consistent_share']:.1%} of the stories "
          f"have no contradiction, {result['perfect_share']:.1%} are perfect")  # fmt: skip
    if json_:
        print(json.dumps(result))


def judge(
    stories: Positional[Path],
    prompt: str = "",
    train: str | None = None,
    n_train: int = 5000,
    url: str = "",
    model: str = "",
    yes: bool = False,
    anchors: bool = False,
    timeout: float = 60,
    retries: int = 4,
    price_in: float | None = None,
    price_out: float | None = None,
    json_: Annotated[bool, arg(name="json")] = False,
    cache: Path = CACHE,
) -> None:
    """Measure stories without a model (what is new, copied, said again), and let a large model mark them, through any server that speaks OpenAI's protocol.

    Nothing is sent without --yes; without it the command says what would be. A key is read from MINILM_JUDGE_KEY only. Marks are kept, so that no
    story is sent twice.

    Args:
        stories: A UTF-8 text file with stories set apart by <|endoftext|> or blank lines.
        prompt: How all the stories begin; this part was given to the model and gets no marks.
        train: The corpus that the model was trained on, as for `minilm corpus`, to tell what is copied from it.
        n_train: How many of its stories are read, from the first on. With fewer, more looks new.
        url: The server, such as http://localhost:11434/v1; by default what MINILM_JUDGE_URL says.
        model: The server's name of the model; by default what MINILM_JUDGE_MODEL says.
        yes: Send the stories.
        anchors: Let the judge mark stories of known faults first, to see whether it tells good from bad.
        timeout: Seconds to wait for an answer.
        retries: How often to ask a busy server again.
        price_in: Money for a million tokens that the server reads.
        price_out: Money for a million tokens that it writes.
        json_: End with one line of JSON.
        cache: Folder for marks, and for what is downloaded.
    """
    from minilm.corpora import load_corpus, read_stories
    from minilm.judge import Judge, find_endpoint
    from minilm.surface import surface

    if n_train < 1:
        raise ValueError(f"--n-train is {n_train}; compare with at least one training story")
    told = [_after(story, prompt) for story in read_stories(stories)]
    endpoint = find_endpoint(url, model, timeout=timeout, retries=retries, price_in=price_in, price_out=price_out)
    known = list(islice(load_corpus(train, cache_dir=cache).stories("train"), n_train)) if train else []
    result = surface(told, known)
    for name, value in result.items():
        print(f"{name:28} {value:10,}" if isinstance(value, int) else f"{name:28} {value:10.4f}")
    if endpoint:
        result |= _judged(Judge(endpoint, cache / "judge"), told, prompt, yes, anchors)
    else:
        print("\nThese are counts; no judge was asked. For marks name one: --url http://localhost:11434/v1 --model NAME, or MINILM_JUDGE_URL and MINILM_JUDGE_MODEL.")
    if json_:
        print(json.dumps(result))


def _after(story: str, prompt: str) -> str:
    if not story.startswith(prompt):
        raise ValueError(f"a story does not begin with --prompt, which is {prompt!r}; leave it out, or judge stories of other beginnings by themselves")
    return story[len(prompt) :].strip()


def _judged(judge, stories: list[str], prompt: str, yes: bool, anchors: bool) -> dict[str, object]:
    """Say what will be sent; with consent let the judge mark the stories, and print what it says."""
    from minilm.judge import ANCHORS, CRITERIA, RUBRIC, calibrate

    estimates = [judge.estimate(stories, prompt)]
    if anchors:
        estimates.append(judge.estimate([story for kind in ANCHORS.values() for story in kind]))
    print("", *estimates, sep="\n")
    if any(estimate.n_stories for estimate in estimates) and not yes:
        print("Nothing was sent. Send it with --yes.")
        return {"n_to_send": sum(estimate.n_stories for estimate in estimates)}
    found = {}
    if anchors:
        comparisons = calibrate(judge, consent=yes)
        for one in comparisons:
            print(f"{one.criterion}: good {one.good}, {one.fault} {one.faulty}: {'as expected' if one.holds else 'NOT as expected'}")
        found["anchors_as_expected"] = sum(one.holds for one in comparisons) / len(comparisons)
    marks = []
    for one in _bar(judge.marking(stories, prompt, consent=yes), desc="judging", unit=" stories", total=len(stories)):
        marks.append(one)
        print(f"story {len(marks)}: " + (", ".join(f"{name} {mark}" for name, mark in dataclasses.asdict(one).items()) if one else "unjudged"), flush=True)
    judged = [one for one in marks if one]
    found |= {"model": judge.endpoint.model, "rubric": RUBRIC, "n_judged": len(judged), "n_unjudged": len(marks) - len(judged)}
    if judged:
        found |= {name: sum(getattr(one, name) for one in judged) / len(judged) for name in CRITERIA}
        found["ages"] = dict(Counter(one.age for one in judged))
        print(f"\nOn average of {len(judged)}: " + ", ".join(f"{name} {found[name]:.2f}" for name in CRITERIA))
    return found


def tokenizer(corpus: Positional[str], out: Path, vocab_size: int = ModelConfig.vocab_size, cache: Path = CACHE) -> None:
    """Learn a vocabulary from the training part of a corpus.

    Args:
        corpus: A corpus, folder or file, as for `minilm corpus`.
        out: File to write, such as tokenizer.json.
        vocab_size: Number of different tokens, the 256 bytes and the end-of-text mark included.
        cache: Folder for what is downloaded.
    """
    from minilm.corpora import load_corpus

    if out.is_dir():
        raise ValueError(f"--out {out} is a folder; name a file, such as {out / 'tokenizer.json'}")
    found = load_corpus(corpus, cache_dir=cache)
    learned = _learn_tokenizer(found, vocab_size)
    out.parent.mkdir(parents=True, exist_ok=True)
    learned.save(out)
    sample = next(found.stories("valid"))
    ids = learned.encode(sample)
    print(f"{out}: {learned.vocab_size:,} tokens. The first validation story's {len(sample.encode()):,} bytes become {len(ids):,} tokens:")
    print("|".join(learned.decode([token]) for token in ids[:20]), "...")


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
    _check_new(out)
    found, tokens = _from_first_process(lambda: _prepare(corpus, tokenizer, model.vocab_size, cache))
    model = dataclasses.replace(model, vocab_size=tokens.vocab_size)
    from minilm.runs import start_run

    with _TrainingBar() as bar:
        command = _command(corpus, out, tokenizer, cache)
        record = start_run(out, found, tokens, model, training, command=command, shard=shard, cache_dir=cache, callbacks=[bar])
    _print_result(out, record)


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

    _check_new(out)
    training = TrainConfig(minutes=minutes, seed=seed)
    print("1. A corpus: ten megabytes of stories of our own.")
    found = load_corpus("storyworld", cache_dir=cache)
    print(f"   One begins: {next(found.stories('train'))[:90]} ...\n2. A vocabulary, learned from it.")
    tokens = _learn_tokenizer(found, ModelConfig.vocab_size)
    from minilm.runs import start_run

    _encode(found, tokens, cache)
    print(f"3. A model, trained for {minutes:g} minutes.")
    with _TrainingBar() as bar:
        command = _command(out, cache)
        record = start_run(out, found, tokens, ModelConfig(), training, command=command, cache_dir=cache, callbacks=[bar])
    _save_curve(out, out / "loss.png")
    result = record["result"]
    print(f"   It read {result['n_tokens']:,} tokens and needs {result['valid_bits_per_byte']:.3f} bits for a byte of stories it never saw. "
          f"Its loss is drawn in {out / 'loss.png'}.\n4. A story of its own:\n")  # fmt: skip
    story = next(_stories_by(out, [seed], temperature=0.6, top_p=0.9))  # so young a model is better kept to its likelier words
    graded = read(story)
    print(f"{story}\n\n   The reader of storyworld understands {len(graded.sentences) - len(graded.unparsed)} of its {len(graded.sentences)} sentences"
          f" and finds {len(graded.faults)} contradictions.\n{_findings(graded)}\n\nNow try: minilm generate {out}, or make lab.")  # fmt: skip


def resume(run: Positional[Path], shard: bool = False, cache: Path = CACHE) -> None:
    """Go on with a run that was stopped, exactly as if it had not been.

    Args:
        run: Folder of the run, as given to `minilm train --out`.
        shard: As for `minilm train`; neither it nor the number of processes need be what it was.
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.runs import resume_run

    with _TrainingBar() as bar:
        record = resume_run(run, shard=shard, cache_dir=cache, callbacks=[bar])
    _print_result(run, record)


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
    ids = encode_stories(_bar(stories, desc="encoding", unit=" stories"), tokens)
    with _bar(desc="predicting", unit=" tokens", total=len(ids)) as bar:
        found = measure(weights, ids, tokens, progress=bar.update)
    print(f"{found.bits_per_byte:.4f} bits per byte, {found.nats_per_token:.4f} nats per token ({found.n_bytes:,} bytes, {found.n_tokens:,} tokens)")
    if json_:
        print(json.dumps(found.to_dict()))


def items(
    corpus: Positional[str],
    kind: Literal["facts", "looks", "context", "reasoning", "cloze"],
    out: Path,
    n: int = 200,
    seed: int = 0,
    against: str | None = None,
    cache: Path = CACHE,
) -> None:
    """Make a set of items to ask models: a text broken off, and several ways to go on, of which one is right.

    Args:
        corpus: Where the texts come from: for `cloze` any corpus, folder or file, as for `minilm corpus`, of which the validation part is taken; for the
            other kinds `storyworld`, whose rules decide what is right.
        kind: `facts` (whose is it?), `looks` (which colour or size has it?), `context` (who has it and who is where by now?), `reasoning` (what can be
            known, done or answered now?) or `cloze` (which word was left out?).
        out: File to write, an item a line.
        n: Number of items.
        seed: Other seed, other items.
        against: A corpus whose training part is searched for the items; a model trained on it may have read those that are found.
        cache: Folder for what is made or downloaded.
    """
    from minilm.corpora import load_corpus
    from minilm.items import cloze_from_stories, fingerprint, leaked, repeated, storyworld_items, write_items

    if kind == "cloze":
        made = cloze_from_stories(load_corpus(corpus, cache_dir=cache).stories("valid"), n, seed)
    elif corpus == "storyworld":
        made = storyworld_items(kind, n, seed)
    else:
        raise ValueError(f"items of the kind {kind} come from storyworld, not from {corpus}; of any other text there are items of the kind cloze")
    compared = load_corpus(against, cache_dir=cache) if against else None
    write_items(out, made)
    print(f"{out}: {len(made):,} items, fingerprint {fingerprint(made)}, {len(repeated(made))} repeated. The first:\n{_as_printed(made[0])}")
    if compared:
        found = leaked(made, compared.stories("train"))
        print(f"The last 13 words of {len(found)} of the {len(made):,} items stand in the training part of {against}.")


def evaluate_items(
    model: Positional[Path],
    items: Positional[Path],
    other: Path | None = None,
    normalise: Literal["none", "token", "byte"] = "none",
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Ask a model the items of a set: which of the ways to go on does it hold likeliest?

    Args:
        model: Folder of a model or of a run.
        items: A file made by `minilm items`.
        other: Folder of a second model, to be compared with the first item by item.
        normalise: Divide the log-likelihood of a choice by its tokens or bytes, for choices of different lengths.
        json_: End with one line of JSON.
    """
    from minilm.items import fingerprint, read_items

    asked = read_items(items)
    from minilm.checkpoint import load_model
    from minilm.evaluate import accuracy, chance_level, compare, last_word_accuracy, score_choices

    answers, result = [], {"items": fingerprint(asked), "normalise": normalise}
    for folder in filter(None, (model, other)):
        weights, tokens = load_model(folder)
        with _bar(desc="answering", unit=" choices", total=sum(len(item.choices) for item in asked)) as bar:
            scores = score_choices(weights, tokens, asked, normalise=normalise, progress=bar.update)
        found, written = accuracy(scores.right, chance_level(asked)), last_word_accuracy(scores)
        answers.append(scores.right)
        print(f"{folder}: {found.share:.1%} of {found.n_items:,} items right ({found.low:.1%} to {found.high:.1%}; guessing blindly {found.chance:.1%}); "
              f"it would have written {written.share:.1%} itself; {scores.n_cut} contexts were cut")  # fmt: skip
        result.setdefault("models", []).append({**dataclasses.asdict(found), "written_share": written.share, "n_cut": scores.n_cut})
    if other:
        found = compare(*answers)
        print(f"The first answers {100 * found.difference:+.1f} points more rightly than the second ({100 * found.low:+.1f} to {100 * found.high:+.1f}; p = {found.p_value:.2g}): "
              f"{found.n_only_first} items only the first, {found.n_only_second} only the second")  # fmt: skip
        result["comparison"] = dataclasses.asdict(found)
    if json_:
        print(json.dumps(result))


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


def results(out: Path = ROOT / "docs" / "RESULTS.md") -> None:
    """Write docs/RESULTS.md anew, from the records in data/ and the words in docs/results.md.in.

    Args:
        out: File to write.
    """
    from minilm.results import page

    out.write_text(page(), encoding="utf-8")
    print(out)


def guide(out: Path = ROOT / "docs") -> None:
    """Write what is made from the chapters anew: docs/EXERCISES.md, GLOSSARY.md, TEACHING.md, and the map of the chapters.

    Args:
        out: Folder to write to.
    """
    from minilm.guide import write

    for path in write(out):
        print(path)


def explorer(out: Path = ROOT / "docs" / "explorer.html") -> None:
    """Write the Chinchilla explorer as one page that a browser opens from the disk: how large a model, on how many tokens?

    Args:
        out: File to write.
    """
    from minilm.explorer import explorer_page

    out.write_text(explorer_page(), encoding="utf-8")
    print(out)


def ablations(
    flops: float = 2e12,
    seeds: int = 5,
    variants: tuple[str, ...] = (),
    processes: int = 1,
    out: Path = Path("runs/ablations"),
    keep: bool = False,
) -> None:
    """Train the transformer with one choice of its design undone at a time, each for the same computation, and compare.

    Finished trainings are not repeated, so an experiment that was stopped goes on. With the defaults it takes about 80 minutes of one core; with
    `--flops 1e11 --seeds 2` about eight.

    Args:
        flops: Floating-point operations of each training.
        seeds: Trainings of each variant that count; others with another seed choose its learning rate.
        variants: Which of minilm.variants; without any, all of them.
        processes: Trainings side by side, one thread each.
        out: Folder for the runs and their table, runs.csv.
        keep: Keep the table as data/runs/ablations/runs.csv too, as the course's own.
    """
    from minilm.config import DATA
    from minilm.experiments import Ablation, ablate, differences, keep_ablation, write_table
    from minilm.variants import VARIANTS

    _check_new(out)
    command = _command(out)
    plan = Ablation(flops=flops, seeds=seeds, variants=variants or VARIANTS, processes=processes, out=out, command=command)
    for row in ablate(plan):
        bits = row["valid_bits_per_byte"] or row["held_back_bits_per_byte"]
        print(f"{row['run']:52} {f'{bits:.4f} bits per byte' if bits else 'diverged':22} {row['cpu_seconds']:5.0f} s of a core", flush=True)
    rows = write_table(plan, out / "runs.csv")
    if keep:
        print(f"kept in {keep_ablation(plan, DATA / 'runs' / 'ablations')}")
    print(f"\n{'variant':18} {'bits/byte':>9} {'more than baseline':>20}")
    for name, found in differences(rows).items():
        print(f"{name:18} {found['bits_per_byte']:9.4f} {found['difference']:+11.4f} ± {found['half_width']:.4f}")


def ladder(
    corpus: str,
    sizes: tuple[str, ...] = (),
    profile_: Annotated[Literal["ci", "laptop", "gpu"] | None, arg(name="profile")] = None,
    seeds: int = 2,
    epochs: tuple[float, ...] = (1.0,),
    repeats: tuple[float, ...] = (),
    share: float = 0.25,
    out: Path = Path("runs/ladder"),
    keep: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train models of several sizes on the same text, let those of seed 0 tell stories, and compare. A ladder that was stopped goes on where it was.

    Args:
        corpus: A corpus, folder or file, as for `minilm corpus`.
        sizes: Names of minilm.ladder.SIZES; without any, those of the profile (laptop: d64-L8 d128-L8 d256-L8).
        profile_: Hardware; by default what MINILM_PROFILE says.
        seeds: Trainings of each.
        epochs: Readings of the whole text, by each size: such as `0.25 0.5 1`.
        repeats: Readings of a share of the text, by the smallest size: such as `2 4 8 16`.
        share: What share that is.
        out: Folder for the runs.
        keep: Keep each finished run as a row of data/runs/ladder/runs.csv, and its stories in stories.csv beside it.
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.corpora import load_corpus
    from minilm.ladder import BYTES_PER_TOKEN, SIZES, SIZES_OF_PROFILE, climb, cost, keep_stories, plan_ladder, stories_of
    from minilm.runs import record_run

    _check_folder(out)
    plan = plan_ladder(sizes or SIZES_OF_PROFILE[profile_ or profile()], seeds, epochs, repeats, share)
    found = load_corpus(corpus, cache_dir=cache)
    command = _command(corpus, out, cache)
    n_tokens = found.n_bytes("train") / BYTES_PER_TOKEN
    costs = [cost(SIZES[rung.size], rung.share * rung.epochs * n_tokens) for rung in plan]
    print(f"{len(plan)} trainings, {sum(one['flops'] for one in costs):.1e} operations, on this machine very roughly "
          f"{sum(one['seconds'] for one in costs) / 60:,.0f} minutes. Ctrl-C stops; the same command goes on.")  # fmt: skip
    print(f"{'rung':40} {'parameters':>11} {'tokens':>11} {'minutes':>7}  bits per byte")
    for rung in plan:
        with _TrainingBar() as bar:
            record = climb(rung, found, out, cache, command=command, callbacks=[bar])
        folder = out / rung.folder(found)
        if keep:
            record_run(folder, "ladder")
        if rung.seed == 0:  # one model of each kind tells stories
            stories = stories_of(folder, watch=lambda telling: _bar(telling, desc="telling", unit=" stories"))
            if keep:
                keep_stories(stories)
        result = record["result"]
        print(f"{folder.name:40} {record['n_params']:11,} {result['n_tokens']:11,} {result['seconds'] / 60:7.1f}  "
              f"{result['valid_bits_per_byte']:.4f}", flush=True)  # fmt: skip


def sweep(
    corpus: str,
    budgets: tuple[float, ...] = (),
    seeds: int = 2,
    processes: int = 1,
    forecast: float | None = None,
    growth: bool = False,
    out: Path = Path("runs/sweep"),
    keep: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train small models of several sizes for each of several budgets, to see how the best size grows. A sweep that was stopped goes on where it was.

    Args:
        corpus: A corpus, folder or file, as for `minilm corpus`.
        budgets: Floating-point operations of a training; without any 1e12, 2.5e12, 6.3e12 and 1.6e13.
        seeds: Trainings of each size with budgets up to 6.3e12; with larger ones one.
        processes: Trainings side by side, one thread each.
        forecast: Train nothing; say what the budgets so far let expect of this larger one, and write it beside the table.
        growth: Train nothing; say how the best size grows with the budget, and which law fits, and write it beside the table.
        out: Folder for the runs and, without --keep, their tables.
        keep: Keep each finished run as a row of data/runs/sweep/runs.csv (of sweep_rates, if it helped to choose the learning rates).
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.config import DATA
    from minilm.corpora import load_corpus
    from minilm.sweep import BUDGETS, TABLES, bits_of, plan_rates, plan_sweep, prepare, read_points, trials, write_forecast, write_growth
    from minilm.trials import read_table

    if bad := [one for one in (*budgets, seeds, processes, 1 if forecast is None else forecast) if not one > 0]:
        raise ValueError(f"budgets, seeds and processes must be more than 0, and one is {bad[0]:g}")
    _check_folder(out)
    found, records = load_corpus(corpus, cache_dir=cache), DATA / "runs" if keep else out
    if forecast is not None or growth:
        read_points(read_table(TABLES["judge"], records), found.name)  # whether there is a sweep, before anything is made
    text = prepare(found, out)
    if forecast is not None:
        said, path = write_forecast(found.name, forecast, text.train_tokens(cache), records, command=_command(corpus, out, cache))
        _print_ranges(said["says"], path)
        return
    if growth:
        said, path = write_growth(found.name, records, command=_command(corpus, out, cache))
        _print_ranges({f"{name}, {what}": triple for name, triples in said["countings"].items() for what, triple in triples.items()}, path)
        return
    command = _command(corpus, out, cache)
    for make_plan in (plan_rates, lambda: plan_sweep(budgets or BUDGETS, seeds, text.train_tokens(cache), bits_of(plan_rates(), found.name, records))):
        _carry_out(trials(make_plan(), text), out, cache, processes=processes, command=command, records=records)


def _carry_out(trials: list, out: Path, cache: Path, *, processes: int, command: str, records: Path) -> None:
    """Say what trials are to come, carry them out, and print a line for each."""
    from minilm.ladder import SHARE_OF_PEAK, matrix_flops
    from minilm.trials import carry_out, flops_of, still_to_do

    waiting = still_to_do(trials, records)
    flops = sum(map(flops_of, waiting))
    print(f"{len(trials)} trainings, of which {len(waiting)} are to do: {flops:.1e} operations, on this machine very roughly "
          f"{flops / (SHARE_OF_PEAK * matrix_flops()) / processes / 60:,.0f} minutes. Ctrl-C stops; the same command goes on.")  # fmt: skip
    for row in carry_out(trials, out, cache, processes=processes, command=command, records=records):
        print(f"{row['run']:44} {int(row['n_params']):9,} parameters {int(row['n_tokens']):11,} tokens {float(row['seconds']):6.0f} s  "
              f"{float(row['valid_bits_per_byte']):.4f} bits per byte", flush=True)  # fmt: skip


def _print_ranges(says: dict[str, tuple[float, float, float]], path: Path) -> None:
    for name, (best, low, high) in says.items():
        print(f"{name:50} {best:12,.4g}   {low:,.4g} to {high:,.4g}")
    print(path)


def fit_scaling(
    file: Positional[Path],
    where: dict[str, str] | None = None,
    drop_highest: int = 0,
    samples: int = 1000,
    seed: int = 0,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Find the law L = E + A / N^alpha + B / D^beta in a table of trainings, and say how sure it is and what it advises.

    Args:
        file: A table (CSV), one row a training, with columns of parameters, of tokens or operations, and of losses in nats per token;
            data/published/chinchilla_points.csv is one.
        where: Only the rows with these values in these columns, such as `--where corpus tinystories`.
        drop_highest: Leave out so many trainings, those with the highest loss. Besiroglu et al. leave out 5 of Chinchilla's.
        samples: Samples of the bootstrap, which gives the standard errors.
        seed: Other seed, other samples.
        json_: End with a line of JSON.
    """
    import numpy as np

    from minilm.scaling import bootstrap_law, fit_law, read_points

    if samples < 1 or seed < 0:
        raise ValueError(f"samples is {samples} and seed {seed}; draw at least one sample, with a seed of 0 or more")
    points = read_points(file, where or {}, drop_highest)
    fit = fit_law(*points)
    law, found = fit.law, bootstrap_law(*points, fit.law, samples, seed)
    print(f"{len(points[0])} trainings of {points[0].min():.3g} to {points[0].max():.3g} parameters on {points[1].min():.3g} to {points[1].max():.3g} tokens")
    print(f"\n{'':6} {'best':>10} {'standard error':>15}   95 % interval")
    for name, values in found.items():
        low, high = np.percentile(values, [2.5, 97.5])
        print(f"{name:6} {getattr(law, name):10.5g} {values.std(ddof=1):15.3g}   {low:.4g} to {high:.4g}")
    print(f"\nThe best size grows as the budget to the power of {law.exponent:.3f}. By budget:")
    low, high = (math.floor(math.log10(limit)) for limit in ((6 * points[0] * points[1]).min(), (6 * points[0] * points[1]).max()))
    for flops in (10.0**power for power in range(low, high + 3)):
        n, d = law.optimum(flops)
        print(f"{flops:8.0e} operations: {n:9.3g} parameters, {d:9.3g} tokens, {d / n:6.1f} for each, loss {law.loss(n, d):.3f}")
    if json_:
        errors = {f"{name}_standard_error": values.std(ddof=1) for name, values in found.items()}
        print(json.dumps(dataclasses.asdict(law) | errors | {"exponent": law.exponent, "objective": fit.objective, "n_points": len(points[0])}))


def reproduce(
    name: Positional[str],
    corpus: str = "tinystories",
    out: Path = Path("runs/reproduce"),
    yes: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train what others have published, on the same text, and lay the result beside theirs: `cs336`, `cs336-low`, `stories260K`, `stories15M`.

    Says first what it takes, and begins only with --yes. One that was stopped goes on.

    Args:
        name: One of minilm.reproductions.REPRODUCTIONS.
        corpus: The whole of TinyStories; another corpus is for trying the command out.
        out: Folder for the runs.
        yes: Begin.
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.ladder import cost, tokenizer_for
    from minilm.reproductions import REPRODUCTIONS

    if name not in REPRODUCTIONS:
        raise ValueError(f"there is no {name!r} to reproduce; there are {', '.join(REPRODUCTIONS)}")
    plan = REPRODUCTIONS[name]
    theirs, needs = plan.published(), cost(plan.model, plan.training.max_tokens)
    bits = theirs.get("bits_per_byte") or theirs.get("approx_bits_per_byte_third_party") or "not known"
    print(f"{name}: {needs['n_params']:,} parameters read {plan.training.max_tokens:,} tokens: {needs['flops']:.1e} operations, on this machine "
          f"very roughly {needs['seconds'] / 3600:,.1f} hours; on a large GPU more, for so small a model keeps it waiting.\n"
          "TinyStories is a download of 2.2 GB; its tokens take as much again or less.\n"
          f"Theirs: {theirs['val_loss_nats_per_token']} nats per token, {bits} bits per byte ({theirs['source']}; {theirs['hardware']}).")  # fmt: skip
    if not yes:
        print(f"Nothing has been done. Begin by: minilm reproduce {name} --yes")
        return
    from minilm.corpora import load_corpus
    from minilm.runs import resume_run, start_run

    found = load_corpus(corpus, cache_dir=cache)
    tokens = tokenizer_for(found, plan.model.vocab_size, out)
    _encode(found, tokens, cache)
    run = out / name
    with _TrainingBar() as bar:
        if (run / "run.json").exists():
            record = resume_run(run, cache_dir=cache, callbacks=[bar])
        else:
            command = _command(corpus, out, cache)
            record = start_run(run, found, tokens, plan.model, plan.training, command=command, cache_dir=cache, callbacks=[bar])
    result = record["result"]
    print(f"Ours: {result['valid_nats_per_token']:.4f} nats per token, {result['valid_bits_per_byte']:.3f} bits per byte, "
          f"in {result['seconds'] / 3600:.1f} hours.\nNow try: minilm generate {run}")  # fmt: skip


def start(chapter: Positional[str]) -> None:
    """Copy a chapter into your own folder, work/, to solve it there. What you wrote is never overwritten.

    Args:
        chapter: Its number, such as 02.
    """
    from minilm.course.progress import start as copy

    path, is_new = copy(chapter)
    if is_new:
        print(f"{path} is yours now. Open it by: jupyter lab {path}")
    else:
        print(f"{path} is there already and was left as it is. To begin anew beside it, give it another name first.")


def progress() -> None:
    """Show which exercises and quizzes of the course are done."""
    from minilm.course import progress as done

    rows = done.table()
    lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
    print(f"\nKept in {done.progress_file()}; nothing leaves this machine.")


def _bar(iterable=None, **options) -> tqdm:
    """A progress bar on standard error, shown only to a person."""
    return tqdm(iterable, dynamic_ncols=True, leave=False, disable=None, **options)


class _TrainingBar:
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


def _prepare(corpus: str, tokenizer: Path | None, vocab_size: int, cache: Path):
    """Find or make the corpus, the tokenizer and the encoded text of a training."""
    from minilm.corpora import load_corpus
    from minilm.tokenizer import Tokenizer

    found = load_corpus(corpus, cache_dir=cache)
    if tokenizer:
        tokens = Tokenizer.load(tokenizer)
        if tokens.vocab_size != vocab_size:
            raise ValueError(f"{tokenizer} has {tokens.vocab_size} tokens; add --vocab-size {tokens.vocab_size}")
    else:
        tokens = _learn_tokenizer(found, vocab_size)
    _encode(found, tokens, cache)  # torch takes two seconds to load: mistakes above are answered before
    return found, tokens


def _from_first_process(make):
    """What `make()` returns in the first of torchrun's processes, for all of them."""
    if WORLD_SIZE == 1:
        return make()
    from minilm.distributed import from_first

    return from_first(make)


def _process_group(command: str):
    """What has to be open around a command: under torchrun, the connection to the other processes."""
    if WORLD_SIZE == 1:
        return nullcontext()
    if command not in ("train", "resume"):
        raise ValueError(f"torchrun is for `train` and `resume`; run `minilm {command}` without it")
    if RANK > 0:
        sys.stdout = io.StringIO()  # one process speaks for all
    from minilm.distributed import process_group

    return process_group()


def _learn_tokenizer(corpus, vocab_size: int):
    from minilm.tokenizer import train_tokenizer

    with (
        _bar(desc="reading", total=corpus.n_bytes("train"), unit="B", unit_scale=True) as reading,
        _bar(desc="learning a vocabulary", total=vocab_size - 257, unit=" merges") as merging,
    ):
        bars = {"characters": reading, "merges": merging}
        learned = train_tokenizer(corpus.stories("train"), vocab_size, progress=lambda kind, n: bars[kind].update(n))
    if learned.vocab_size < vocab_size:
        print(f"The text is small: it gave {learned.vocab_size:,} tokens instead of {vocab_size:,}.", file=sys.stderr)
    return learned


def _check_new(out: Path) -> None:
    if (out / "run.json").exists():
        raise FileExistsError(f"{out} already holds a run; go on with it by `minilm resume {out}`, or name another folder")
    _check_folder(out)


def _check_folder(out: Path) -> None:
    """Raise ValueError when no folder can be made there, before the work that is to go into it."""
    there = next(path for path in (out, *out.parents) if path.exists())
    if not there.is_dir():
        raise ValueError(f"--out {out}: {there} is a file; name a folder")


def _encode(corpus, tokens, cache: Path) -> None:
    from minilm.data import token_file

    for split in ("train", "valid"):
        with _bar(desc=f"encoding {split}", total=corpus.n_bytes(split), unit="B", unit_scale=True) as bar:
            token_file(corpus, split, tokens, cache, progress=bar.update)


def _stories_by(model: Path, seeds, **settings):
    """Let a model write from nothing, a story for each seed."""
    from minilm.checkpoint import load_model
    from minilm.generate import generate as write

    loaded = load_model(model)
    for seed in seeds:
        yield "".join(write(*loaded, seed=seed, max_new_tokens=600, **settings)).strip()


def _as_printed(item) -> str:
    """An item for a reader: the end of its context, and its choices, the right one marked."""
    choices = (f"  {'*' if i == item.answer else ' '} {choice.strip()}" for i, choice in enumerate(item.choices))
    return "\n".join((f"... {item.context[-200:]} ...", *choices))


def _findings(found) -> str:
    """What the reader found in a story, a line each."""
    lines = [f"  not understood: {sentence}" for sentence in found.unparsed]
    for place, fault in found.faults:
        where = found.sentences[place] if place < len(found.sentences) else "(the end)"
        lines.append(f"  {fault.reason}: {where}")
    return "\n".join(lines)


def _save_curve(run: Path, path: Path) -> None:
    import matplotlib.pyplot as plt

    from minilm import plots
    from minilm.train import read_log

    with plots.style():
        fig, ax = plt.subplots()
        plots.loss_curve(ax, read_log(run))
        ax.set_title("The loss falls as the model reads")
        fig.savefig(path, dpi=130, bbox_inches="tight")
        plt.close(fig)


def _print_result(run: Path, record: dict) -> None:
    result = record["result"]
    print(f"{result['n_tokens']:,} tokens in {result['seconds'] / 60:.1f} minutes: {result['valid_bits_per_byte']:.4f} bits per byte on the "
          f"validation text.\nNow try: minilm generate {run}")  # fmt: skip


def _command(*paths: object) -> str:
    """The command as it was given, with PATH for local paths: it goes into records that others read."""
    local = {str(path) for path in paths if path is not None and (Path(path).exists() or "/" in str(path))}
    words = []
    for word in sys.argv[1:]:
        option, equals, value = word.rpartition("=")
        words.append(f"{option}{equals}PATH" if value in local else word)
    return shlex.join(["minilm", *words])


def good_data(
    parts: tuple[Literal["corners", "kinds", "domains"], ...] = ("corners", "kinds"),
    seeds: int = 3,
    processes: int = 1,
    stories: str | None = None,
    web: str | None = None,
    others: tuple[Path, ...] = (),
    out: Path = Path("runs/good_data"),
    keep: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train small and large models on good and on poor text, and judge them alike. What was stopped goes on where it was.

    Args:
        parts: `corners`: small and ten times larger, on good and poor text, with three budgets; `kinds`: the small one on seven kinds of fault in two
            doses; `domains`: both on stories, on pages of the web, and on half of each.
        seeds: Trainings of each kind.
        processes: Trainings side by side, one thread each.
        stories: For domains, a corpus, folder or file, as for `minilm corpus`.
        web: For domains, likewise.
        others: For domains, files of text that none of the models reads, to judge them by.
        out: Folder for texts and runs and, without --keep, their tables.
        keep: Keep each finished run as a row of data/runs/good_data/runs.csv (of domains, for that part).
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.config import DATA
    from minilm.corpora import load_corpus
    from minilm.good_data import PLANS, TABLES, domain_trials, keep_stories, left_of, trials
    from minilm.trials import read_table

    if seeds < 1 or processes < 1:
        raise ValueError(f"{seeds} seeds and {processes} processes; give at least one of each")
    if "domains" in parts and not (stories and web):
        raise ValueError("the part domains needs two texts; give them as --stories and --web")
    records, command = DATA / "runs" if keep else out, _command(*filter(None, (stories, web)), *others, out, cache)
    out.mkdir(parents=True, exist_ok=True)
    for part in parts:
        left = left_of(PLANS[part](seeds), TABLES[part], records)
        if part == "domains":
            ready = domain_trials(left, load_corpus(stories, cache_dir=cache), load_corpus(web, cache_dir=cache), others, out, cache)
        else:
            ready = trials(left, out, cache)
        _carry_out(ready, out, cache, processes=processes, command=command, records=records)
        if part == "corners" and left:
            print(keep_stories(read_table(TABLES[part], records), out, records))


EXPERIMENTS = {f.__name__.replace("_", "-"): f for f in (ablations, good_data)}


def experiment(words: list[str]) -> None:
    """Carry out an experiment of the course, many trainings after one plan: `ablations`, `good-data`."""
    tyro.extras.subcommand_cli_from_dict(EXPERIMENTS, prog="minilm experiment", args=words, config=SETTINGS)


_ALL = (quickstart, start, progress, corpus, storyworld, grade, judge, tokenizer, train, resume, generate, evaluate, items, evaluate_items, experiment,
        ladder, sweep, fit_scaling, reproduce, record, results, guide, explorer, ship, export, import_hf)  # fmt: skip
COMMANDS = {f.__name__.replace("_", "-"): f for f in _ALL}
SETTINGS = (tyro.conf.FlagCreatePairsOff,)
FAILURES = ("TrainingDiverged", "OutOfMemory", "ProcessLost", "JudgeFailed")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 a run that went wrong, 2 a mistake in what was asked, 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # stories hold letters that some terminals lack
    name, *words = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        with _process_group(name):
            _run(name, words)
    except (ValueError, OSError) as error:
        print(f"minilm: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if type(error).__name__ not in FAILURES:  # named, so that torch need not be loaded to compare
            raise
        print(f"minilm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nminilm: stopped; `minilm resume DIR` goes on with a training", file=sys.stderr)
        return 130
    return 0


def _run(name: str, words: list[str]) -> None:
    if name == "experiment":
        experiment(words)
    elif name in COMMANDS:
        tyro.cli(COMMANDS[name], prog=f"minilm {name}", args=words, config=SETTINGS)
    else:  # the overview, or an answer to a command that does not exist
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="minilm", description="Small models, good data.", args=[name])


if __name__ == "__main__":
    sys.exit(main())
