"""Do our ids equal tiktoken's, whatever the text? `python benchmarks/fuzz_tokenizer.py` draws 100,000 different texts and looks.

The texts are Hypothesis's: characters of all planes that Unicode has assigned (no surrogates, which no valid text holds), runs of white space,
contractions, numbers, special tokens and parts of them, words of storyworld whole and cut. Each goes through four tokenizers: that of the shipped
storyworld model, one for each of the two published patterns, learned from a text in many scripts, and one whose pre-tokens hold blanks. The ids must
be tiktoken's, with special tokens allowed and not, and the text must come back, at once and piece by piece.

A second, smaller set holds characters that Python's Unicode has not assigned. These must come back too; where another library's Unicode has, ids may
differ, and such texts are counted. The last line is JSON. A text that fails is made smaller by Hypothesis, and shown.
"""

import json
import random
import sys
import time
import unicodedata
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import tyro
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for the texts that the tests try

from minilm.config import MODELS
from minilm.storyworld import stories
from minilm.tokenizer import END_OF_TEXT, Tokenizer
from tests.test_tokenizer import PATTERNS, TRICKY, trained

ROUND = 5000  # texts drawn from one seed: Hypothesis remembers all of a round


@dataclass(frozen=True, kw_only=True)
class Options:
    texts: int = 100_000
    """different texts of assigned characters"""
    unassigned: int = 10_000
    """different texts with characters that are not assigned"""
    seed: int = 0
    """of the first round; the next round takes the next"""


def words_of_stories() -> list[str]:
    """Words as they stand in stories, and pieces of them, so that long merges are begun and broken off."""
    words = sorted({word for story in islice(stories("fuzz"), 200) for word in story.split(" ")})
    chance = random.Random(0)
    return words + [word[: chance.randint(1, len(word))] for word in words]


def in_all_planes(assigned: bool) -> list[str]:
    """Characters of Unicode's seventeen planes but surrogates; of the two planes of private use, and of those without any, a few."""
    found = (chr(code) for code in range(0x110000) if code < 0x30000 or code % 97 == 0)
    return [char for char in found if unicodedata.category(char) != "Cs" and (unicodedata.category(char) != "Cn") == assigned]


ASSIGNED, UNASSIGNED = (st.sampled_from(in_all_planes(assigned)) for assigned in (True, False))
PIECES = st.sampled_from([" ", "  ", "   \n", "\n\n\t", "\r\n \r\n", END_OF_TEXT, END_OF_TEXT * 2, END_OF_TEXT[:-1], END_OF_TEXT[1:], "<|", "|>", "'LL ", "'s1234567"])
COMMON = TRICKY | PIECES | st.sampled_from(words_of_stories()) | st.characters(max_codepoint=0x2FF)


def texts_of(characters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(COMMON | characters, min_size=1, max_size=30).map("".join)


def trial(tokenizers: list[tuple[Tokenizer, object]], text: str) -> bool:
    """Try a text on each tokenizer; return whether all ids are tiktoken's. Raises AssertionError when the text does not come back."""
    same = True
    for ours, theirs in tokenizers:
        ids, special = ours.encode(text), ours.encode(text, allow_special=True)
        assert ours.decode(ids) == ours.decode(special) == text, f"{text!r} does not come back"
        assert "".join(ours.decode_stream(ids)) == text, f"{text!r} does not come back piece by piece"
        same &= ids == theirs.encode_ordinary(text) and special == theirs.encode(text, allowed_special="all")
    return same


def fuzz(tokenizers: list, texts: st.SearchStrategy[str], wanted: int, first_seed: int, must_agree: bool) -> dict[str, int]:
    """Draw texts, round after round, until so many different ones were tried; count them and what differed."""
    seen, found = set(), {"texts": 0, "characters": 0, "bytes": 0, "with_special": 0, "differ": 0}
    for number in count(first_seed):

        @seed(number)
        @settings(max_examples=min(ROUND, max(100, wanted - len(seen))), database=None, deadline=None, suppress_health_check=list(HealthCheck))
        @given(texts)
        def one_round(text: str) -> None:
            same = trial(tokenizers, text)
            if hash(text) not in seen:
                seen.add(hash(text))
                for name, n in (("texts", 1), ("characters", len(text)), ("bytes", len(text.encode())), ("with_special", END_OF_TEXT in text), ("differ", not same)):
                    found[name] += n
            assert same or not must_agree, f"{text!r} has other ids"

        one_round()
        print(f"seed {number}: {len(seen):,} different texts", flush=True)
        if len(seen) >= wanted:
            return found


def main(options: Options) -> None:
    start = time.perf_counter()
    ours = [Tokenizer.load(MODELS / "storyworld" / "tokenizer.json"), *map(trained, PATTERNS.values())]
    tokenizers = [(tokenizer, tokenizer.to_tiktoken()) for tokenizer in ours]
    values = fuzz(tokenizers, texts_of(ASSIGNED), options.texts, options.seed, must_agree=True) | {"tokenizers": len(tokenizers)}
    others = fuzz(tokenizers, texts_of(UNASSIGNED), options.unassigned, options.seed, must_agree=False)
    values |= {f"unassigned_{name}": others[name] for name in ("texts", "differ")} | {"minutes": round((time.perf_counter() - start) / 60, 1)}
    print(json.dumps(values))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
