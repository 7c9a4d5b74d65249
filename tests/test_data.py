"""A row of ids holds every story and its end; the sampler shows each window once an epoch, and depends on nothing but seed and step."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minilm import data
from minilm.corpora import load_corpus, read_stories
from minilm.data import Sampler, count_bytes, encode_stories, token_file
from minilm.processes import BATCH
from minilm.tokenizer import END_OF_TEXT, Tokenizer, train_tokenizer

BYTES = Tokenizer([])
LEARNED = train_tokenizer(["Ana saw the café. The cat saw Ana. 🐈 the the the"], 280)


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "tales").mkdir()
    (tmp_path / "tales" / "train.txt").write_text("Ana ran.\n\nBen saw the café.")
    (tmp_path / "tales" / "valid.txt").write_text("The cat sat.")
    return load_corpus(tmp_path / "tales")


def test_stories_lie_end_to_end_each_with_its_end_mark():
    assert encode_stories(["ab", "é"], BYTES).tolist() == [97, 98, 256, 195, 169, 256]
    ids = encode_stories(["the cat", "saw"], LEARNED).tolist()
    assert ids == LEARNED.encode("the cat") + [277] + LEARNED.encode("saw") + [277] and len(ids) == 5
    assert encode_stories([], BYTES).tolist() == []


def test_an_end_mark_inside_a_story_is_text():
    assert encode_stories([END_OF_TEXT], BYTES).tolist() == [*END_OF_TEXT.encode(), 256]


@pytest.mark.parametrize(("vocab_size", "dtype"), [(2**16, np.uint16), (2**16 + 1, np.uint32)])
def test_ids_take_two_bytes_as_long_as_they_fit(vocab_size, dtype):
    pairs = [(bytes([i]), bytes([j])) for i in range(256) for j in range(256)]
    tokenizer = Tokenizer(pairs[: vocab_size - 257])
    ids = encode_stories(["a"], tokenizer)
    assert ids.dtype == dtype and ids.tolist() == [97, vocab_size - 1]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=5))
def test_bytes_are_counted_as_utf8_without_end_marks(texts):
    for tokenizer in (BYTES, LEARNED):
        assert count_bytes(encode_stories(texts, tokenizer), tokenizer) == sum(len(text.encode()) for text in texts)


def test_a_token_file_is_encoded_once_and_told_of_each_story(corpus, tmp_path, monkeypatch):
    lengths = []
    ids = token_file(corpus, "train", LEARNED, tmp_path / "cache", progress=lengths.append)
    assert isinstance(ids, np.memmap) and lengths == [8, 17]
    assert ids.tolist() == encode_stories(["Ana ran.", "Ben saw the café."], LEARNED).tolist()
    monkeypatch.setattr(data, "map_in_order", lambda *_: pytest.fail("it was encoded again"))
    assert token_file(corpus, "train", LEARNED, tmp_path / "cache").tolist() == ids.tolist()


def test_another_text_split_or_tokenizer_never_meets_old_ids(corpus, tmp_path):
    def row(split="train", tokenizer=BYTES):
        return token_file(load_corpus(corpus.train.parent), split, tokenizer, tmp_path / "cache").tolist()

    before = row()
    assert row("valid") == [*b"The cat sat.", 256]
    assert row(tokenizer=LEARNED) == encode_stories(["Ana ran.", "Ben saw the café."], LEARNED).tolist() != before
    corpus.train.write_text(corpus.train.read_text().replace("ran", "sat"))
    assert row() == [*b"Ana sat.", 256, *"Ben saw the café.".encode(), 256]


@pytest.fixture
def long_corpus(corpus):
    """Enough text for three batches."""
    corpus.train.write_text("\n\n".join(f"Ana saw the café on day {i}." for i in range(3 * BATCH // 25)))
    return load_corpus(corpus.train.parent)


def test_several_processes_write_the_same_file_as_one(long_corpus, tmp_path):
    one, several = [], []
    for n_processes, heard in ((1, one), (3, several)):
        token_file(long_corpus, "train", LEARNED, tmp_path / str(n_processes), progress=heard.append, n_processes=n_processes)
    files = [next((tmp_path / folder / "tokens").iterdir()).read_bytes() for folder in "13"]
    assert files[0] == files[1] and len(files[0]) == 2 * len(encode_stories(long_corpus.stories("train"), LEARNED))
    assert one == several and sum(one) > 3 * BATCH


class Torn(Tokenizer):
    """Fails at a story of Ben's."""

    def __reduce__(self):
        return Torn, (self.merges,)

    def encode(self, text):
        if text.startswith("Ben"):
            raise MemoryError("no room")
        return super().encode(text)


@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_encoding_that_fails_leaves_nothing(long_corpus, tmp_path, n_processes):
    with long_corpus.train.open("a") as file:
        file.write("\n\nBen ran.")
    with pytest.raises(MemoryError, match="no room"):
        token_file(long_corpus, "train", Torn([]), tmp_path / "cache", n_processes=n_processes)
    assert not list((tmp_path / "cache" / "tokens").iterdir())
    assert token_file(long_corpus, "train", BYTES, tmp_path / "cache")[-9:].tolist() == [*b"Ben ran.", 256]


def test_an_empty_split_is_refused_and_leaves_nothing(corpus, tmp_path):
    corpus.valid.write_text(f" {END_OF_TEXT} ")
    with pytest.raises(ValueError, match="the valid split of tales has no text"):
        token_file(corpus, "valid", BYTES, tmp_path / "cache")
    assert not list((tmp_path / "cache" / "tokens").iterdir())


SIZES = (st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))  # context_length, batch_size, seed


def test_a_batch_is_a_pure_function_of_seed_and_step():
    ids = np.arange(1000)
    forward = [Sampler(ids, 8, 4, seed=3).batch(step)[0] for step in range(100)]  # a new one each time
    one = Sampler(ids, 8, 4, seed=3)
    for step in [*reversed(range(100)), 50, 2, 99]:
        assert (one.batch(step)[0] == forward[step]).all()
    assert any((Sampler(ids, 8, 4, seed=4).batch(step)[0] != forward[step]).any() for step in range(3))


@settings(deadline=None)
@given(*SIZES, st.integers(0, 50))
def test_an_epoch_visits_every_window_once_and_none_twice(context_length, batch_size, seed, extra):
    width = context_length + 1
    ids = np.arange(1000, 1000 + 2 * width + extra)
    sampler = Sampler(ids, context_length, batch_size, seed)
    n_windows = len(ids) // width - 1
    steps = [sampler.batch(step) for step in range(-(-3 * n_windows // batch_size))]  # three epochs
    windows = [(*tokens.tolist(), last.item()) for batch in steps for tokens, last in zip(batch[0], batch[1][:, -1])]
    for epoch in range(3):
        starts = sorted(window[0] - 1000 for window in windows[epoch * n_windows : (epoch + 1) * n_windows])
        assert starts == list(range(starts[0], starts[0] + n_windows * width, width)) and 0 <= starts[0] < width
        assert starts[-1] + width <= len(ids)
    assert all(window == tuple(range(window[0], window[0] + width)) for window in windows)


@given(*SIZES)
def test_targets_are_the_inputs_moved_on_by_one(context_length, batch_size, seed):
    ids = np.random.default_rng(0).integers(0, 2**16, 100).astype(np.uint16)
    tokens, targets = Sampler(ids, context_length, batch_size, seed).batch(step=seed)
    assert tokens.shape == targets.shape == (batch_size, context_length) and str(tokens.dtype) == str(targets.dtype) == "torch.int64"
    row = ids.tolist()
    for ours, following in zip(tokens.tolist(), targets.tolist()):
        assert any(row[i : i + context_length + 1] == ours + following[-1:] for i in range(100 - context_length))
        assert ours[1:] == following[:-1]


def test_epochs_differ_in_offset_and_in_order():
    sampler = Sampler(np.arange(50 * 10), context_length=9, batch_size=49, seed=0)
    epochs = [sampler.batch(step)[0][:, 0].tolist() for step in range(40)]  # a batch is an epoch
    offsets = Counter(epoch[0] % 10 for epoch in epochs)
    assert set(offsets) == set(range(10))
    orders = {tuple(first // 10 for first in epoch) for epoch in epochs}
    assert len(orders) == 40 and all(list(order) != sorted(order) for order in orders)


@pytest.mark.parametrize("n_tokens", [0, 5, 9])
def test_a_text_too_short_for_one_window_is_refused(n_tokens):
    with pytest.raises(ValueError, match=f"the text has {n_tokens} tokens; context_length 4 needs at least 10"):
        Sampler(np.arange(n_tokens), context_length=4, batch_size=1, seed=0)
    Sampler(np.arange(10), context_length=4, batch_size=1, seed=0).batch(0)


def test_real_stories_have_as_many_bytes_as_counted_elsewhere(tinystories):
    stories = list(read_stories(tinystories / "valid.txt"))
    ids = encode_stories(stories, BYTES)
    assert (ids == 256).sum() == len(stories) and count_bytes(ids, BYTES) == 5_872_376 == len(ids) - len(stories)
