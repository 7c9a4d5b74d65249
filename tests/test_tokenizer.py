"""Training equals counting everything anew, encoding equals tiktoken and Hugging Face, and no text is lost or mangled."""

import json
import tracemalloc
from collections import Counter
from functools import cache
from itertools import islice

import pytest
import tiktoken
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, models, pre_tokenizers, trainers

from minilm import tokenizer as module
from minilm.tokenizer import END_OF_TEXT, GPT2_PATTERN, GPT4_PATTERN, Tokenizer, count_pre_tokens, learn_merges, train_tokenizer
from tests.reference import byte_pair_steps, counts_of_merges

CUSTOM_PATTERN = r"\p{L}+ \p{L}+|\s|[^\s]+"  # here a space stands within a pre-token
PATTERNS = {"gpt2": GPT2_PATTERN, "gpt4": GPT4_PATTERN, "custom": CUSTOM_PATTERN}
SAMPLE = (
    "Once upon a time there was a little girl. She'd lost her ball, and they'll look for it!  'I'M HERE,' it said.\n\n"
    "   Der Mond schien, größer als 12345 Äpfel; 1000000 Sterne 🙂🙂 ...\r\n\tdef f(x):\n        return x  # 2024-01-31\n"
    "Жила-была девочка. Она нашла мяч. 昔々あるところに、女の子がいました。 👩‍👩‍👧 e\u0301 \u00a0 \u3000x\n"
) * 3

# Characters that Python knows are cut alike by all libraries; those that no one had assigned yet may be letters to one and not to the other.
CHARACTERS = st.characters(exclude_categories=("Cs", "Cn"))
TRICKY = st.sampled_from([*" \n\t\r\x1c\x85\u00a0\u3000\u200d'’.,!_-sStTdDmMlLvVrReEſK0123٣½éßжд漢字🙂👩", "  ", "\r\n", "12345", "'ll", " the", "e\u0301", END_OF_TEXT])
TEXTS = st.lists(TRICKY | CHARACTERS, max_size=40).map("".join)
patterns = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
thorough = settings(max_examples=300, deadline=None)


@cache
def trained(pattern: str = GPT4_PATTERN) -> Tokenizer:
    return train_tokenizer([SAMPLE], 500, pattern=pattern)


@cache
def as_tiktoken(pattern: str) -> tiktoken.Encoding:
    return trained(pattern).to_tiktoken()


def visible(token: bytes) -> str:
    """The characters that Hugging Face writes for bytes: those that can be seen stand for themselves, the others come after U+00FF."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return "".join(chr(byte if byte in seen else 256 + hidden.index(byte)) for byte in token)


def hugging_face_split(pattern: str) -> pre_tokenizers.Split:
    # Their engine reads {1,3}+ as "one to three, again and again", not as "keep what you have"; no text needs that here.
    return pre_tokenizers.Split(Regex(pattern.replace("{1,3}+", "{1,3}")), "isolated")


def hugging_face(pattern: str, model: models.BPE) -> tokenizers.Tokenizer:
    theirs = tokenizers.Tokenizer(model)
    split = hugging_face_split(pattern)
    theirs.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return theirs


def merges_of_hugging_face(text: str, pattern: str, n_merges: int) -> list[tuple[bytes, bytes]]:
    theirs = hugging_face(pattern, models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    theirs.train_from_iterator([text], trainers.BpeTrainer(vocab_size=256 + n_merges, initial_alphabet=alphabet, show_progress=False))
    byte_of = {visible(bytes([byte])): byte for byte in range(256)}
    return [tuple(bytes(byte_of[char] for char in part) for part in pair) for pair in json.loads(theirs.to_str())["model"]["merges"]]


# Training


@given(st.dictionaries(st.text("ab", min_size=1, max_size=9) | TEXTS.filter(bool), st.integers(1, 5), max_size=6))
@thorough
def test_learning_equals_counting_everything_anew(counts):
    assert [(merge.pair, merge.count) for merge in learn_merges(counts)] == list(byte_pair_steps(counts))


@given(st.dictionaries(st.text("ab", min_size=1, max_size=30), st.integers(1, 5), max_size=6))
@thorough
def test_no_two_merges_yield_the_same_bytes(counts):
    merges = list(learn_merges(counts))
    assert len({merge.token for merge in merges}) == len(merges)
    assert [merge.id for merge in merges] == list(range(256, 256 + len(merges)))


def test_training_on_a_text_equals_counting_everything_anew():
    steps = list(islice(byte_pair_steps(count_pre_tokens([SAMPLE])), 200))
    assert [(merge.pair, merge.count) for merge in islice(learn_merges(count_pre_tokens([SAMPLE])), 200)] == steps
    assert train_tokenizer([SAMPLE], 457).merges == [pair for pair, _ in steps]


@patterns
@given(texts=st.lists(TEXTS, max_size=3))
@thorough
def test_pre_tokens_are_those_of_hugging_face(pattern, texts):
    split = hugging_face_split(pattern)
    assert count_pre_tokens(texts, pattern) == Counter(piece for text in texts for piece, _ in split.pre_tokenize_str(text))


@patterns
def test_each_pair_is_as_frequent_as_the_one_hugging_face_chose(pattern):
    # Of equally frequent pairs each takes another first. Where such pairs overlap, that changes later counts; here, from merge 30 on.
    assert_counts_agree_with_hugging_face(SAMPLE, pattern, n_merges=30)


@pytest.mark.parametrize("pattern", [GPT2_PATTERN, GPT4_PATTERN], ids=["gpt2", "gpt4"])
def test_each_pair_is_as_frequent_as_the_one_hugging_face_chose_on_real_text(pattern, tinystories):
    text = (tinystories / "valid.txt").read_text(encoding="utf-8")[:200_000]
    assert_counts_agree_with_hugging_face(text, pattern, n_merges=300)


def assert_counts_agree_with_hugging_face(text: str, pattern: str, n_merges: int) -> None:
    counts = count_pre_tokens([text], pattern)
    theirs = merges_of_hugging_face(text, pattern, n_merges)
    assert len(theirs) == n_merges
    assert [merge.count for merge in islice(learn_merges(counts), n_merges)] == counts_of_merges(counts, theirs)


@pytest.mark.parametrize("n_processes", [1, 2, 3])
def test_neither_processes_nor_slices_change_what_is_learned(monkeypatch, n_processes):
    monkeypatch.setattr(module, "SLICE", 50)
    texts = (SAMPLE[start : start + 700] for start in range(0, len(SAMPLE), 700))
    assert count_pre_tokens(texts, n_processes=n_processes) == count_pre_tokens_at_once(SAMPLE, 700)


def count_pre_tokens_at_once(text: str, length: int) -> Counter[str]:
    split = hugging_face_split(GPT4_PATTERN)
    return Counter(piece for start in range(0, len(text), length) for piece, _ in split.pre_tokenize_str(text[start : start + length]))


def test_texts_are_not_kept(monkeypatch):
    monkeypatch.setattr(module, "SLICE", 10_000)
    tracemalloc.start()
    train_tokenizer(("once upon a time " * 1000 for _ in range(100)), 280, n_processes=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 500_000  # of 1.7 million characters


@pytest.mark.parametrize("n_processes", [1, 2])
def test_progress_hears_of_every_character_and_merge(monkeypatch, n_processes):
    monkeypatch.setattr(module, "SLICE", 100)
    heard = Counter()
    learned = train_tokenizer([SAMPLE, "", "The end."], 300, n_processes=n_processes, progress=lambda what, n: heard.update({what: n}))
    assert heard == {"characters": len(SAMPLE) + 8, "merges": 300 - 257} and len(learned.merges) == 43


def test_merges_can_be_watched_one_by_one():
    steps = learn_merges({"aaab": 2, "ab": 3})
    first = next(steps)
    assert (first.pair, first.id, first.count, first.token) == ((b"a", b"b"), 256, 5, b"ab")
    assert [(merge.token, merge.count) for merge in steps] == [(b"aab", 2), (b"aaab", 2)]


def test_a_short_text_gives_fewer_ids_than_asked_for():
    learned = train_tokenizer(["low lower lowest"], 300)
    assert learned.vocab_size == 257 + len(learned.merges) < 300
    assert train_tokenizer([], 300).vocab_size == 257


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "vocab_size is 256; the 256 bytes and the special tokens alone are 257", {"vocab_size": 256}),
        (ValueError, "vocab_size is 2000000; at most 1,114,112", {"vocab_size": 2_000_000}),
        (TypeError, "vocab_size is 300.0; it must be an int", {"vocab_size": 300.0}),
        (TypeError, "vocab_size is True", {"vocab_size": True}),
        (ValueError, "n_processes is 0", {"n_processes": 0}),
        (TypeError, "texts is one str", {"texts": "text"}),
        (TypeError, "a text is bytes", {"texts": [b"text"]}),
        (ValueError, r"character 0 of '\\ud83dc'... is half a surrogate pair", {"texts": ["ab\ud83dc"]}),
        (ValueError, "special tokens are .*must differ", {"special_tokens": ["<s>", "<s>"]}),
        (ValueError, "special tokens are .*none may be empty", {"special_tokens": [""]}),
    ],
)
def test_training_refuses_what_cannot_be(error, message, arguments):
    with pytest.raises(error, match=message):
        train_tokenizer(**({"texts": ["some text"], "vocab_size": 300} | arguments))


# Encoding and decoding


def test_an_earlier_merge_goes_before_one_further_left():
    assert Tokenizer([(b"b", b"c"), (b"a", b"b")]).encode("abc") == [ord("a"), 256]


@patterns
@given(text=TEXTS)
@thorough
def test_ids_are_those_of_tiktoken(pattern, text):
    assert trained(pattern).encode(text) == as_tiktoken(pattern).encode_ordinary(text)
    assert trained(pattern).encode(text, allow_special=True) == as_tiktoken(pattern).encode(text, allowed_special="all")


@given(st.text("ab", min_size=20, max_size=80), st.text("ab", max_size=40))
@thorough
def test_ids_are_those_of_tiktoken_whatever_was_learned(lesson, text):
    learned = train_tokenizer([lesson], 290)
    assert learned.encode(text) == learned.to_tiktoken().encode_ordinary(text)


@patterns
def test_ids_of_a_long_text_are_those_of_tiktoken(monkeypatch, pattern):
    monkeypatch.setattr(module, "SLICE", 50)
    text = SAMPLE + SAMPLE[::-1] + "aaaa" * 500
    assert trained(pattern).encode(text) == as_tiktoken(pattern).encode_ordinary(text)


@patterns
def test_ids_are_those_of_hugging_face_with_the_same_merges(pattern):
    ours = trained(pattern)
    vocab = {visible(token): i for i, token in enumerate(ours.vocab[:-1])}
    merges = [(visible(left), visible(right)) for left, right in ours.merges]
    theirs = hugging_face(pattern, models.BPE(vocab, merges))
    for text in (SAMPLE, "The girls were lost: 1234567 stars!\n\n größer, она искала мяч 🙂", SAMPLE[::-1]):
        assert ours.encode(text) == theirs.encode(text).ids


@patterns
@given(text=st.text())  # surrogates are not drawn
@thorough
def test_every_text_comes_back(pattern, text):
    assert trained(pattern).decode(trained(pattern).encode(text)) == text
    assert trained(pattern).decode(trained(pattern).encode(text, allow_special=True)) == text


def test_a_repeated_letter_is_encoded_in_time():
    # 100,000 letters in one pre-token would take minutes, were all pairs looked at anew for each merge.
    tokenizer = Tokenizer([(b"a", b"a"), (b"aa", b"aa")])
    assert tokenizer.encode("a" * 100_001) == [257] * 25_000 + [97]


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match=r"character 1 of ' \\ud83d'... is half a surrogate pair.*read the text as UTF-8"):
        trained().encode("a girl \ud83d")


def test_bytes_that_are_no_text_become_the_replacement_character():
    tokenizer = Tokenizer([])
    assert tokenizer.decode([72, 0xF0, 0x9F, 105]) == "H\ufffdi"
    assert tokenizer.decode_bytes([72, 0xF0, 0x9F, 105]) == b"H\xf0\x9fi"


def test_a_stream_shows_whole_letters_as_soon_as_they_are_whole():
    taken = []

    def ids():
        for token in [*"é🐈!".encode(), *"🐈".encode()[:-1]]:
            taken.append(token)
            yield token

    pieces = [(piece, len(taken)) for piece in Tokenizer([]).decode_stream(ids())]
    assert pieces == [("é", 2), ("🐈", 6), ("!", 7), ("\ufffd", 10)]


def test_a_stream_ends_at_the_end_mark():
    assert list(Tokenizer([]).decode_stream([*b"ab", 256, 65])) == ["a", "b"]
    assert list(Tokenizer([]).decode_stream([0xF0, 0x9F, 256, 65])) == ["\ufffd"]
    assert list(Tokenizer([], special_tokens=["[end]"]).decode_stream([65, 256, 66])) == ["A", "[end]", "B"]


@given(st.lists(st.integers(0, 255) | st.sampled_from([*"é🐈昔".encode()]), max_size=30))
@thorough
def test_a_stream_is_what_decode_gives(ids):
    assert "".join(Tokenizer([]).decode_stream(ids)) == Tokenizer([]).decode(ids)


@pytest.mark.parametrize("unknown", [-1, 257])
def test_an_unknown_id_is_named(unknown):
    with pytest.raises(ValueError, match=f"there is no token {unknown}; ids go from 0 to 256"):
        Tokenizer([]).decode([65, unknown, 66])


def test_special_tokens_are_ids_only_where_allowed():
    tokenizer = Tokenizer([(b"|", b">")], special_tokens=[END_OF_TEXT, "[a|b]"])
    text = "x[a|b]" + END_OF_TEXT
    assert tokenizer.end_of_text == 257 and tokenizer.vocab_size == 259
    assert tokenizer.encode(text, allow_special=True) == [120, 258, 257]
    assert tokenizer.encode(text) == [*b"x[a|b]<|endoftext", 256]
    assert tokenizer.decode([120, 258, 257]) == tokenizer.decode(tokenizer.encode(text)) == text
    assert Tokenizer([(b"a", b"b")], special_tokens=[]).encode("ab", allow_special=True) == [256]


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ([(b"ab", b"c"), (b"a", b"b")], "comes before its parts"),
        ([(b"a", b"b"), (b"b", b"c"), (b"ab", b"c"), (b"a", b"bc")], "gives bytes that are a token already"),
    ],
)
def test_merges_that_cannot_be_are_refused(merges, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer(merges)


# Files


@patterns
def test_a_saved_tokenizer_comes_back(tmp_path, pattern):
    ours = train_tokenizer([SAMPLE], 400, pattern=pattern, special_tokens=["<é>", END_OF_TEXT])
    ours.save(tmp_path / "t.json")
    again = Tokenizer.load(tmp_path / "t.json")
    assert (again.vocab, again.merges, again.special_tokens) == (ours.vocab, ours.merges, ours.special_tokens)
    assert (again.pattern, again.fingerprint) == (pattern, ours.fingerprint)
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]


def test_the_fingerprint_changes_with_anything_that_changes_ids():
    several = [
        Tokenizer([]),
        Tokenizer([(b"a", b"b")]),
        Tokenizer([(b"a", b"b"), (b"b", b"c")]),
        Tokenizer([(b"b", b"c"), (b"a", b"b")]),
        Tokenizer([], special_tokens=[]),
        Tokenizer([], pattern=GPT2_PATTERN),
    ]
    assert len({tokenizer.fingerprint for tokenizer in several}) == len(several)
    assert Tokenizer([]).fingerprint == several[0].fingerprint


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("merges", "merge"),
        lambda text: text.replace('"e"', "5"),
        lambda text: text.replace('"e"', '"\u6f22"'),
        lambda text: "[1, 2]",
    ],
    ids=["cut", "no merges", "a number for a token", "no bytes", "another file"],
)
def test_a_damaged_file_says_so(tmp_path, damage):
    path = tmp_path / "t.json"
    trained().save(path)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match="t.json is not a whole tokenizer file"):
        Tokenizer.load(path)


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    trained().save(tmp_path / "t.json")

    def torn(path, *_):
        raise OSError("disk full")

    monkeypatch.setattr(module.Path, "replace", torn)
    with pytest.raises(OSError, match="disk full"):
        Tokenizer([]).save(tmp_path / "t.json")
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]
    assert Tokenizer.load(tmp_path / "t.json").fingerprint == trained().fingerprint
