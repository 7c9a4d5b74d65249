"""Commands that make and look at text: `corpus | storyworld | grade | tokenizer`."""

import json
import math
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from minilm.cli.common import findings, learn_tokenizer, progress_bar, stories_by
from minilm.config import CACHE, ModelConfig


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
        for story in progress_bar(found.stories(split), desc=f"reading {split}", unit=" stories"):
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
    with progress_bar(desc="writing stories", total=round(total) if math.isfinite(total) else None, unit="B", unit_scale=True) as bar:
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
        texts = list(progress_bar(stories_by(stories, range(n), temperature=temperature, top_p=top_p), desc="writing", unit=" stories", total=n))
    else:
        texts = list(read_stories(stories))
    grades = [read(story) for story in progress_bar(texts, desc="reading", unit=" stories")]
    for number, found in enumerate(grades, start=1):
        if not found.perfect:
            print(f"story {number}\n{findings(found)}")
    result = grade_shares(grades)
    print(f"{len(grades):,} stories: {result['parse_rate']:.1%} of {result['n_sentences']:,} sentences parse, {result['consistent_share']:.1%} of the stories "
          f"have no contradiction, {result['perfect_share']:.1%} are perfect")  # fmt: skip
    if json_:
        print(json.dumps(result))


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
    learned = learn_tokenizer(found, vocab_size)
    out.parent.mkdir(parents=True, exist_ok=True)
    learned.save(out)
    sample = next(found.stories("valid"))
    ids = learned.encode(sample)
    print(f"{out}: {learned.vocab_size:,} tokens. The first validation story's {len(sample.encode()):,} bytes become {len(ids):,} tokens:")
    print("|".join(learned.decode([token]) for token in ids[:20]), "...")
