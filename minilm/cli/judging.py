"""Commands that ask and judge: `judge | items | evaluate-items`."""

import dataclasses
import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from minilm.cli.common import as_printed, progress_bar
from minilm.config import CACHE


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
        print("\nThese are counts; no judge was asked. For marks name one: --url http://localhost:11434/v1 --model NAME, or MINILM_JUDGE_URL and "
              "MINILM_JUDGE_MODEL.")  # fmt: skip
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
    for one in progress_bar(judge.marking(stories, prompt, consent=yes), desc="judging", unit=" stories", total=len(stories)):
        marks.append(one)
        print(f"story {len(marks)}: " + (", ".join(f"{name} {mark}" for name, mark in dataclasses.asdict(one).items()) if one else "unjudged"), flush=True)
    judged = [one for one in marks if one]
    found |= {"model": judge.endpoint.model, "rubric": RUBRIC, "n_judged": len(judged), "n_unjudged": len(marks) - len(judged)}
    if judged:
        found |= {name: sum(getattr(one, name) for one in judged) / len(judged) for name in CRITERIA}
        found["ages"] = dict(Counter(one.age for one in judged))
        print(f"\nOn average of {len(judged)}: " + ", ".join(f"{name} {found[name]:.2f}" for name in CRITERIA))
    return found


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
    print(f"{out}: {len(made):,} items, fingerprint {fingerprint(made)}, {len(repeated(made))} repeated. The first:\n{as_printed(made[0])}")
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
        with progress_bar(desc="answering", unit=" choices", total=sum(len(item.choices) for item in asked)) as bar:
            scores = score_choices(weights, tokens, asked, normalise=normalise, progress=bar.update)
        found, written = accuracy(scores.right, chance_level(asked)), last_word_accuracy(scores)
        answers.append(scores.right)
        print(f"{folder}: {found.share:.1%} of {found.n_items:,} items right ({found.low:.1%} to {found.high:.1%}; guessing blindly {found.chance:.1%}); "
              f"it would have written {written.share:.1%} itself; {scores.n_cut} contexts were cut")  # fmt: skip
        result.setdefault("models", []).append({**dataclasses.asdict(found), "written_share": written.share, "n_cut": scores.n_cut})
    if other:
        found = compare(*answers)
        print(f"The first answers {100 * found.difference:+.1f} points more rightly than the second ({100 * found.low:+.1f} to {100 * found.high:+.1f}; "
              f"p = {found.p_value:.2g}): {found.n_only_first} items only the first, {found.n_only_second} only the second")  # fmt: skip
        result["comparison"] = dataclasses.asdict(found)
    if json_:
        print(json.dumps(result))
