"""An experiment goes by its plan: equal computation, a fair learning rate, nothing twice, and intervals that SciPy's own t-test agrees with."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from minilm import experiments
from minilm.config import DATA
from minilm.corpora import load_corpus
from minilm.data import encode_stories, token_file
from minilm.experiments import (
    FACTORS,
    HELD_BACK,
    Ablation,
    Run,
    ablate,
    best_factor,
    differences,
    keep_ablation,
    load_text,
    plan_ablation,
    plan_rates,
    write_table,
)
from minilm.variants import VARIANTS

FLOPS = 2e10  # three steps of the default shape


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An experiment with the baseline alone and two seeds, carried out for real, but for three steps; and all that it yielded."""
    ablation = Ablation(flops=FLOPS, seeds=2, variants=("baseline",), out=tmp_path_factory.mktemp("ablation"), command="minilm experiment ablations")
    return ablation, list(ablate(ablation))


def row_of(variant="mqa", purpose="judge", seed=0, **values):
    return {"variant": variant, "purpose": purpose, "seed": seed, "valid_bits_per_byte": None, "held_back_bits_per_byte": None} | values


def test_the_plan_is_carried_out_once_with_equal_computation(small):
    ablation, rows = small
    assert [row["run"] for row in rows] == [run.name for run in plan_rates(ablation) + plan_ablation(ablation)]
    assert len(rows) == len(FACTORS) + 2
    for row in rows:
        step = row["flops_per_token"] * row["batch_size"] * row["context_length"]
        assert abs(row["flops_used"] - row["flops"]) <= step / 2 or row["max_steps"] == 1
        assert row["max_lr"] == 0.01 * row["factor"] and row["muon_lr"] == 0.012 * row["factor"]
        assert (row["valid_bits_per_byte"] is None) == (row["purpose"] == "rate"), "what chooses a rate must not see what judges"
        assert row["held_back_bits_per_byte"] < 8 and row["command"] == "minilm experiment ablations" and row["peak_memory_bytes"] > 1e8
    assert list(ablate(ablation)) == [], "nothing is trained twice"


def test_a_seed_means_one_run(small):
    ablation, rows = small
    first, second = rows[-2:]
    assert (first["seed"], second["seed"]) == (1, 2) and rows[0]["seed"] == 0 and first["valid_bits_per_byte"] != second["valid_bits_per_byte"]
    experiments.carry_out_one(plan_ablation(ablation)[1], ablation)
    again = json.loads((ablation.out / second["run"] / "row.json").read_text())
    assert again["valid_bits_per_byte"] == second["valid_bits_per_byte"]


def test_the_best_factor_is_taken_from_the_short_runs(small, tmp_path):
    ablation = replace(small[0], variants=("mqa",), out=tmp_path)
    held_back = dict(zip(FACTORS, (2.0, 1.5, 1.25, 1.75, 3.0, None)))
    for run in plan_rates(ablation):
        folder = tmp_path / run.name
        folder.mkdir()
        bits = held_back[run.factor] if run.variant == "mqa" else None if run.factor != 8 else 3.0
        (folder / "row.json").write_text(json.dumps({"held_back_bits_per_byte": bits}))
    assert (best_factor("mqa", ablation), best_factor("baseline", ablation)) == (2, 8)
    assert {(run.variant, run.factor) for run in plan_ablation(ablation)} == {("mqa", 2), ("baseline", 8)}
    (tmp_path / plan_rates(ablation)[0].name / "row.json").unlink()
    with pytest.raises(FileNotFoundError, match="is not finished; start the experiment again"):
        plan_ablation(ablation)


def test_training_that_diverges_is_a_row_without_bits(small):
    ablation = small[0]
    run = Run(variant="baseline", purpose="judge", factor=1e30, seed=0, flops=2 * FLOPS)
    experiments.carry_out_one(run, ablation)
    row = json.loads((ablation.out / run.name / "row.json").read_text())
    assert row["valid_bits_per_byte"] is None and row["held_back_bits_per_byte"] is None
    found = differences([row_of("baseline", valid_bits_per_byte=1.0), row_of(valid_bits_per_byte=None)])
    assert found["mqa"]["difference"] == math.inf


def test_the_table_gives_the_same_differences_as_the_rows(small, tmp_path):
    ablation, _ = small
    rows = write_table(ablation, tmp_path / "new" / "runs.csv")
    with (tmp_path / "new" / "runs.csv").open() as file:
        assert differences(csv.DictReader(file)) == differences(rows)
    kept = keep_ablation(ablation, tmp_path / "kept")
    assert kept.read_text() == (tmp_path / "new" / "runs.csv").read_text()
    assert sorted(path.stem for path in kept.parent.glob("*.jsonl")) == sorted(row["run"] for row in rows if row["purpose"] == "judge")
    assert len(rows) == len(FACTORS) + 2 and not list(tmp_path.glob("**/*.part"))


def test_intervals_are_those_of_the_paired_t_test():
    random = np.random.default_rng(0)
    baseline, other = random.normal(1, 0.1, 5), random.normal(1.05, 0.1, 5)
    rows = [row_of(name, seed=str(seed), valid_bits_per_byte=str(bits)) for name, all_bits in (("baseline", baseline), ("mqa", other))
            for seed, bits in reversed(list(enumerate(all_bits)))]  # fmt: skip
    rows.append(row_of("mqa", purpose="rate", valid_bits_per_byte="9"))  # does not count
    found, interval = differences(rows)["mqa"], stats.ttest_rel(other, baseline).confidence_interval(0.95)
    assert found["difference"] - found["half_width"] == pytest.approx(interval.low)
    assert found["difference"] + found["half_width"] == pytest.approx(interval.high)
    assert found["n_seeds"] == 5 and found["bits_per_byte"] == pytest.approx(other.mean())


def test_the_held_back_stories_are_whole_and_not_trained_on(small):
    text = load_text(small[0].out)
    end = text.tokenizer.end_of_text
    assert text.train[-1] == text.held_back[-1] == text.valid[-1] == end
    assert HELD_BACK - 2000 < len(text.held_back) <= HELD_BACK
    ids = token_file(load_corpus("storyworld"), "train", text.tokenizer, small[0].out / "cache")
    assert np.array_equal(np.concatenate([text.train, text.held_back]), ids), "each token is on one side"
    first = next(load_corpus("storyworld").stories("train"))
    assert text.train[: len(text.tokenizer.encode(first)) + 1].tolist() == encode_stories([first], text.tokenizer).tolist()


@pytest.mark.parametrize(("wrong", "message"), [
    ({"flops": 0}, "flops is 0; it must be more than 0"),
    ({"seeds": 0}, "seeds is 0; it must be more than 0"),
    ({"processes": -1}, "processes is -1"),
    ({"variants": ("mqa", "swish")}, "there is no variant 'swish'; there are baseline, post_norm"),
])  # fmt: skip
def test_what_cannot_work_is_refused(wrong, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        Ablation(**{"flops": 1e10, "seeds": 1, "out": tmp_path} | wrong)


def test_the_recorded_ablation_is_whole():
    with (DATA / "runs" / "ablations" / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    judged = [row for row in rows if row["purpose"] == "judge"]
    seeds = {variant: sorted(row["seed"] for row in judged if row["variant"] == variant) for variant in VARIANTS}
    assert all(len(found) >= 3 for found in seeds.values()) and len({tuple(found) for found in seeds.values()}) == 1
    assert min(float(row["flops_used"]) for row in judged) >= 1e12
    assert max(float(row["flops_used"]) for row in judged) < 1.02 * min(float(row["flops_used"]) for row in judged)
    assert {row["command"].split(" --")[0] for row in rows} == {"minilm experiment ablations"} and not any("/" in row["command"] for row in rows)
    for variant in VARIANTS:  # the best rate lies between two that are worse
        tried = {float(row["factor"]): float(row["held_back_bits_per_byte"] or "inf") for row in rows if (row["purpose"], row["variant"]) == ("rate", variant)}
        best = min(tried, key=tried.get)
        assert min(tried) < best < max(tried), variant
        assert {float(row["factor"]) for row in judged if row["variant"] == variant} == {best}
