"""A ladder is the same training at several sizes: nothing twice, nothing lost when it stops, and a share of the text is its first stories."""

import pytest

from minilm import cli, ladder
from minilm.config import ModelConfig
from minilm.corpora import load_corpus, read_stories
from minilm.files import read_rows
from minilm.ladder import PROMPTS, SIZES, Rung, climb, cost, keep_stories, part_of, plan_ladder, stories_of, tell, tokenizer_for
from minilm.model import Transformer
from minilm.runs import read_record
from minilm.storyworld import write_corpus
from minilm.trials import share_of_peak

TINY = ModelConfig(vocab_size=300, context_length=32, d_model=32, n_layers=1, n_heads=2, n_kv_heads=1, d_ff=64)


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


def test_budgets_are_readings_of_all_the_text_by_every_size():
    plan = plan_ladder(("d64-L8", "d128-L2"), seeds=1, epochs=(0.5, 2))
    assert [(rung.size, rung.share, rung.epochs) for rung in plan] == [
        ("d64-L8", 1, 0.5), ("d128-L2", 1, 0.5), ("d64-L8", 1, 2), ("d128-L2", 1, 2)]  # fmt: skip
    assert [rung.share for rung in plan_ladder(("d64-L8",), seeds=1, epochs=(), repeats=(4,), share=0.1)] == [0.1]


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"epochs": (1, 0)}, {"repeats": (-2,)}, {"share": 0}, {"share": 1.5}])
def test_numbers_that_mean_no_training_are_refused(wrong):
    with pytest.raises(ValueError, match="all must be positive, and share at most 1"):
        plan_ladder(("d64-L8",), **{"seeds": 1, **wrong})


def test_the_cost_counts_parameters_and_operations_by_hand(monkeypatch):
    monkeypatch.setattr("minilm.trials.peak_flops", lambda threads: 1e9)
    shape = SIZES["d128-L2"]  # 3 for queries, keys, values and output with half the key heads; 3 matrices of the feed-forward layer
    n_params = 4096 * 128 + 2 * (3 * 128 * 128 + 3 * 128 * shape.d_ff + 2 * 128) + 128
    flops = 1000 * (6 * n_params + 6 * 2 * 256 * 128)
    assert cost(shape, 1000) == {"n_params": n_params, "flops": flops, "seconds": pytest.approx(flops / share_of_peak(shape) / 1e9)}


@pytest.fixture(scope="module")
def told(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("ladder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, "d64-L8", TINY)
        climb(Rung(size="d64-L8", seed=0, epochs=0.2), corpus, out, out / "cache")
    return out / "tales_d64-L8_1x0.2_seed0"


def test_a_model_goes_on_from_each_prompt_and_begins_some_stories_itself(told, monkeypatch):
    monkeypatch.setitem(ladder.SAMPLING, "max_new_tokens", 30)
    stories = list(tell(told, unprompted=2))
    assert [story["prompt"] for story in stories] == [*PROMPTS, "", ""] and [story["seed"] for story in stories] == [0, 1, 2, 3, 4]
    assert all(story["story"].startswith(story["prompt"]) and story["run"] == told.name for story in stories)
    assert stories[3]["story"] != stories[4]["story"] and stories == list(tell(told, unprompted=2))
    assert all(story["n_unparsed"] <= story["n_sentences"] for story in stories)


def test_stories_are_told_once_and_replace_those_of_the_same_run(told, tmp_path, monkeypatch):
    monkeypatch.setitem(ladder.SAMPLING, "max_new_tokens", 5)
    monkeypatch.setattr(ladder, "UNPROMPTED", 0)
    first = stories_of(told)
    monkeypatch.setattr(ladder, "tell", None)
    assert stories_of(told) == first and len(first) >= len(PROMPTS)
    table = tmp_path / "stories.csv"
    keep_stories(first, table)
    keep_stories([{**story, "run": "another"} for story in first], table)
    keep_stories([{**first[0], "story": "So it\nends, \"she\" said."}], table)
    kept = read_rows(table)
    assert [story["run"] for story in kept] == ["another"] * len(first) + [told.name] and kept[-1]["story"] == "So it\nends, \"she\" said."


def test_the_command_says_the_cost_first_and_keeps_rows_and_stories(corpus, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("minilm.runs.record_run", lambda run, experiment: kept.append((run.name, experiment)))
    monkeypatch.setattr(ladder, "keep_stories", lambda stories: kept.append(len(stories)))
    monkeypatch.setattr(ladder, "tell", lambda run: [{"run": run.name, "story": "Hello."}])
    kept = []
    words = f"ladder --corpus {corpus.train.parent} --sizes d64-L8 --seeds 1 --epochs 0.1 --keep --out {tmp_path / 'out'} --cache {tmp_path}"
    assert cli.main(words.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1 trainings, ") and "very roughly" in lines[0]
    assert lines[-1].startswith("tales_d64-L8_1x0.1_seed0") and kept == [("tales_d64-L8_1x0.1_seed0", "ladder"), 1]


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
