"""A ladder is the same training at several sizes: nothing twice, nothing lost when it stops, and a share of the text is its first stories."""

import pytest

from minilm import ladder
from minilm.corpora import load_corpus, read_stories
from minilm.ladder import SIZES, Rung, climb, part_of, plan_ladder, tokenizer_for
from minilm.model import Transformer
from minilm.runs import read_record
from minilm.storyworld import write_corpus

TINY = SIZES["d64-L8"].__class__(vocab_size=300, context_length=32, d_model=32, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "tales"
    write_corpus(folder, 0.06, valid_megabytes=0.01)
    return load_corpus(folder)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "d64-L8", TINY)


def test_the_assignment_has_the_published_number_of_parameters():
    assert round(Transformer(SIZES["cs336"]).n_params / 1e6, 1) == 22.7


def test_small_sizes_come_first_and_repeats_are_of_a_quarter():
    plan = plan_ladder(("d256-L8", "d64-L8"), seeds=2, repeats=(2, 16))
    assert [(rung.size, rung.seed, rung.share, rung.epochs) for rung in plan] == [
        ("d64-L8", 0, 1, 1), ("d256-L8", 0, 1, 1), ("d64-L8", 1, 1, 1), ("d256-L8", 1, 1, 1),
        ("d64-L8", 0, 0.25, 2), ("d64-L8", 0, 0.25, 16), ("d64-L8", 1, 0.25, 2), ("d64-L8", 1, 0.25, 16)]  # fmt: skip
    with pytest.raises(ValueError, match="there is no size 'd65'; there are d64-L8"):
        plan_ladder(("d65",), seeds=1)


def test_a_share_is_the_first_whole_stories_with_the_same_validation(corpus, tmp_path):
    part = part_of(corpus, 0.25, tmp_path)
    stories, whole = list(read_stories(part.train)), list(corpus.stories("train"))
    assert stories == whole[: len(stories)] and part.valid == corpus.valid and part.name == corpus.name
    size = sum(map(len, stories))
    assert 0.2 < size / sum(map(len, whole)) < 0.3
    assert part_of(corpus, 1.0, tmp_path) is corpus


def test_a_rung_reads_so_many_times_and_is_not_trained_again(corpus, tmp_path, monkeypatch):
    record = climb(Rung(size="d64-L8", seed=3, share=0.25, epochs=2), corpus, tmp_path, tmp_path / "cache", command="minilm ladder")
    tokens = record["training"]["max_steps"] * record["training"]["batch_size"] * TINY.context_length
    assert 2 * record["train_tokens"] <= tokens < 2 * record["train_tokens"] + 4 * TINY.context_length
    assert record["training"]["seed"] == 3 and record["command"] == "minilm ladder" and record["result"]["n_tokens"] == tokens
    monkeypatch.setattr(ladder, "start_run", None)
    assert climb(Rung(size="d64-L8", seed=3, share=0.25, epochs=2), corpus, tmp_path, tmp_path / "cache") == record
    assert (tmp_path / "tales_d64-L8_0.25x2_seed3" / "log.jsonl").exists()


def test_a_rung_that_was_stopped_goes_on(corpus, tmp_path):
    class Stop(Exception):
        pass

    def stop(line):
        if line["step"] >= 40:
            raise Stop

    rung, cache = Rung(size="d64-L8", seed=0, epochs=1), tmp_path / "cache"
    with pytest.raises(Stop):
        climb(rung, corpus, tmp_path / "stopped", cache, callbacks=[stop])
    assert "result" not in read_record(tmp_path / "stopped" / rung.folder(corpus))
    went_on, unbroken = climb(rung, corpus, tmp_path / "stopped", cache), climb(rung, corpus, tmp_path / "unbroken", cache)
    assert went_on["result"]["valid_bits_per_byte"] == unbroken["result"]["valid_bits_per_byte"] and len(went_on["resumed"]) == 1


def test_one_vocabulary_is_learned_for_all_rungs_with_as_many_ids(corpus, tmp_path, monkeypatch):
    first = tokenizer_for(corpus, 300, tmp_path)
    monkeypatch.setattr(ladder, "train_tokenizer", None)
    assert tokenizer_for(corpus, 300, tmp_path).merges == first.merges and first.vocab_size == 300
