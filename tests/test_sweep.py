"""A sweep gives every budget the right sizes, never lets what chooses a rate see what judges, trains nothing twice, and forecasts before it trains."""

import csv
import json
import math
from statistics import median

import numpy as np
import pytest
import torch

from minilm import cli, sweep
from minilm.config import ModelConfig
from minilm.corpora import load_corpus, read_stories
from minilm.model import Transformer, flops_per_token
from minilm.scaling import Law, count_params
from minilm.storyworld import write_corpus
from minilm.sweep import (
    BUDGETS,
    FACTORS,
    HELD_OUT,
    RATES,
    SIZES,
    Training,
    best_factor,
    bits_of,
    plan_rates,
    plan_sweep,
    prepare,
    sizes_for,
    trials,
)
from minilm.trials import carry_out, flops_of, peak_flops, read_table, seconds_of, share_of_peak

TINY_SIZES = {f"d{d}-L1": ModelConfig(vocab_size=512, context_length=32, d_model=d, n_layers=1, n_heads=1, n_kv_heads=1, d_ff=32) for d in (8, 16)}


@pytest.fixture
def small(monkeypatch, tmp_path, trials_here):
    """A sweep of two tiny shapes and one budget, on a corpus of our own; gives the corpus."""
    for name, value in {"SIZES": TINY_SIZES, "RATES": {"d8-L1": 2e8}, "FACTORS": (1.0, 8.0), "BUDGETS": (2e8, 4e8), "STEPS": 20, "HELD_BACK": 2000,
                        "VALID": 3000}.items():  # fmt: skip
        monkeypatch.setattr(sweep, name, value)
    write_corpus(tmp_path / "tales", 0.06, valid_megabytes=0.01)
    return load_corpus(tmp_path / "tales")


def test_a_budget_pays_for_its_tokens_attention_counted():
    tokens = sweep.n_tokens("d96-L3", 1e13)
    n_params = sum(count_params(SIZES["d96-L3"]).values())
    assert tokens * (6 * n_params + 6 * 3 * 256 * 96) == pytest.approx(1e13)


@pytest.mark.parametrize("flops", [*BUDGETS, *HELD_OUT])
def test_the_sizes_lie_around_the_best_and_read_four_times_at_most(flops):
    sizes = sizes_for(flops, 5_400_000)
    ratios = [sweep.n_tokens(size, flops) / sum(count_params(SIZES[size]).values()) for size in sizes]
    assert len(sizes) == 6 or flops == 1e14
    assert all(sweep.n_tokens(size, flops) <= 4 * 5_400_000 for size in sizes)
    assert ratios == sorted(ratios, reverse=True) and ratios[0] > 15 > ratios[-1]
    # Another size in place of one of these would be further from the guess, or read too often.
    left_out = [size for size in SIZES if size not in sizes and sweep.n_tokens(size, flops) <= 4 * 5_400_000]
    far = max(abs(math.log(ratio / 15)) for ratio in ratios)
    assert (
        all(abs(math.log(sweep.n_tokens(size, flops) / sum(count_params(SIZES[size]).values()) / 15)) >= far for size in left_out)
        or len(sizes) < 6
    )


@pytest.mark.parametrize("flops", [1e12, 4e13, 1e14])
def test_the_schedule_ends_with_the_budget_in_a_thousand_steps(flops):
    for size in sizes_for(flops, 5_400_000):
        config = sweep.train_config(SIZES[size], flops, seed=3, factor=2.0)
        with torch.device("meta"):
            spent = config.max_steps * config.batch_size * 256 * flops_per_token(Transformer(SIZES[size]))
        assert spent == pytest.approx(flops, rel=0.002) and 650 < config.max_steps < 1500
        assert (config.seed, config.max_lr, config.muon_lr) == (3, 0.02, 0.024)


def test_a_rate_is_that_of_the_next_smaller_size_that_was_tried():
    bits = {training: 2.0 for training in plan_rates()}
    assert len(bits) == len(RATES) * len(FACTORS)
    for training in bits:
        if training.factor == {"d32-L2": 4.0, "d64-L3": 2.0, "d112-L3": 1.0}[training.size]:
            bits[training] = 1.5
    assert [best_factor(size, bits) for size in ("d16-L2", "d32-L2", "d48-L3", "d64-L3", "d96-L3", "d112-L3", "d256-L6")] == [
        4,
        4,
        4,
        2,
        2,
        1,
        1,
    ]
    with pytest.raises(ValueError, match="1 trainings that choose the learning rates of d64-L3 are missing"):
        best_factor("d80-L3", {training: bit for training, bit in bits.items() if (training.size, training.factor) != ("d64-L3", 8.0)})


def test_cheap_budgets_have_two_seeds():
    bits = {training: 2.0 for training in plan_rates()}
    plan = plan_sweep(BUDGETS, 2, 5_400_000, bits)
    seeds = {flops: sorted({training.seed for training in plan if training.flops == flops}) for flops in BUDGETS}
    assert list(seeds.values()) == [[0, 1]] * 3 + [[0]] and len(plan) == 4 * 6 + 3 * 6
    assert {training.seed for training in plan_sweep(HELD_OUT, 2, 5_400_000, bits)} == {0}


def test_what_chooses_a_rate_is_held_back_from_the_training_text(small, tmp_path):
    text = prepare(small, tmp_path / "out")
    train, held_back, valid = (list(read_stories(path)) for path in (text.judge.train, text.rate.valid, text.judge.valid))
    assert train + held_back == list(small.stories("train")) and len("".join(held_back)) >= 2000 > len("".join(held_back[1:]))
    assert valid == list(small.stories("valid"))[: len(valid)] and len("".join(valid)) >= 3000 > len("".join(valid[:-1]))
    assert text.rate.train == text.judge.train and len(text.tokenizer.vocab) == 512
    with small.train.open("a") as file:  # a corpus that has changed is another text
        file.write("\n<|endoftext|>\nA new story.")
    assert "A new story." in prepare(small, tmp_path / "out").rate.valid.read_text()


def test_budgets_that_differ_a_little_have_names_of_their_own():
    names = {Training(size="d16-L2", flops=flops, seed=0, factor=1.0).name("tales") for flops in (1.23e12, 1.24e12, 6.3e12)}
    assert names == {f"tales_d16-L2_{flops}_judge_x1_seed0" for flops in ("1.23e12", "1.24e12", "6.3e12")}


def test_a_sweep_is_carried_out_once_and_each_training_is_a_row(small, tmp_path):
    out, records, cache = tmp_path / "out", tmp_path / "records", tmp_path / "cache"
    text = prepare(small, out)
    rates = list(carry_out(trials(plan_rates(), text), out, cache, command="minilm sweep", records=records))
    assert [float(row["max_lr"]) for row in rates] == [0.01, 0.08] and {row["seed"] for row in rates} == {"100"}
    bits = bits_of(plan_rates(), "tales", records)
    plan = plan_sweep((2e8,), 1, text.train_tokens(cache), bits)
    rows = list(carry_out(trials(plan, text), out, cache, records=records))
    assert [row["run"] for row in rows] == [training.name("tales") for training in plan] and len(rows) == 2
    assert [row["run"] for row in read_table("sweep", records)] == [row["run"] for row in rows]
    assert {row["valid_n_bytes"] for row in rows}.isdisjoint(row["valid_n_bytes"] for row in rates), "other text chooses the rates"
    for row in rows:
        assert float(row["flops"]) == pytest.approx(2e8, rel=0.1) and (records / "sweep" / row["log"]).exists()
    assert list(carry_out(trials(plan, text), out, cache, records=records)) == [], "nothing is trained twice"
    (records / "sweep" / "runs.csv").unlink()  # a run that was finished and not recorded
    assert [row["started"] for row in carry_out(trials(plan, text), out, cache, records=records)] == [row["started"] for row in rows]


def made_by_a_law(law, noise=0.0, budgets=BUDGETS):
    """Rows as a sweep would record them, if its losses followed a law."""
    rng, rows = np.random.default_rng(0), []
    for flops in budgets:
        for size in sizes_for(flops, 5_400_000):
            n, d = sum(count_params(SIZES[size]).values()), sweep.n_tokens(size, flops)
            loss = law.loss(n, d) * math.exp(noise * rng.normal())
            rows.append({"run": f"tales_{size}_{flops:.2g}_judge_x1_seed0".replace("+", ""), "corpus": "tales", "n_params": n,
                         "n_params_without_embeddings": count_params(SIZES[size])["blocks"], "n_tokens": round(d), "valid_nats_per_token": loss})  # fmt: skip
    return rows


LAW = Law(E=0.9, A=120, B=400, alpha=0.4, beta=0.4)  # best with about 20 tokens for each parameter, where the sizes of a budget lie


def test_a_forecast_finds_what_the_law_will_do():
    points = sweep.read_points(made_by_a_law(LAW, noise=0.004), "tales")
    sizes = sizes_for(4e13, 5_400_000)
    said = sweep.forecast(points, sizes, 4e13, n_samples=200)["says"]
    truth = [LAW.loss(sum(count_params(SIZES[size]).values()), sweep.n_tokens(size, 4e13)) for size in sizes]
    for size, true in zip(sizes, truth):
        best, low, high = said[size]
        assert low < true < high and high - low < 0.15 * true and low < best < high
    assert said["least loss by the law"][0] == pytest.approx(min(truth), rel=0.03)
    assert said["best size by the valleys"][1] < said["best size by the valleys"][0] < said["best size by the valleys"][2]


def test_points_are_those_of_one_corpus_with_and_without_the_table():
    rows = made_by_a_law(LAW) + [row | {"corpus": "other"} for row in made_by_a_law(LAW)[:5]]
    points, blocks = (sweep.read_points(rows, "tales", embeddings=embeddings) for embeddings in (True, False))
    assert len(points) == 24 and (points.n_params - blocks.n_params >= 512 * 16).all()
    budgets, valleys = sweep.best_sizes(points)
    assert budgets.tolist() == list(BUDGETS)
    for flops, valley in zip(budgets, valleys):  # near the lowest of the budget's own losses
        mine = points.budget == flops
        assert valley.loss == pytest.approx(points.loss[mine].min(), rel=0.01)


def test_a_best_size_beyond_those_that_were_trained_is_refused():
    hungry = Law(E=0.9, A=10, B=900, alpha=0.4, beta=0.4)  # best far below
    with pytest.raises(ValueError, match="with 1e\\+12 operations the best size seems to lie beyond those that were trained"):
        sweep.best_sizes(sweep.read_points(made_by_a_law(hungry), "tales"))


def test_the_forecast_is_written_before_what_it_forecasts(tmp_path):
    def record(rows):
        (tmp_path / "sweep").mkdir(exist_ok=True)
        with (tmp_path / "sweep" / "runs.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    record(made_by_a_law(LAW))
    said, path = sweep.write_forecast("tales", 4e13, 5_400_000, tmp_path, command="minilm sweep", n_samples=20)
    assert path == tmp_path / "sweep" / "forecast_tales_4e13.json" and json.loads(path.read_text())["says"] == said["says"]
    assert said["n_points"] == 24 and said["budget"] == 4e13 and said["command"] == "minilm sweep"
    record(made_by_a_law(LAW) + made_by_a_law(LAW, budgets=(4e13,)))
    for budget in (4e13, 1e13):
        with pytest.raises(ValueError, match="has trainings of 4e\\+13 operations already; a forecast of .* comes before them"):
            sweep.write_forecast("tales", budget, 5_400_000, tmp_path)
    assert sweep.write_forecast("tales", 1e14, 5_400_000, tmp_path, n_samples=2)[0]["n_points"] == 30


def courses(rows, law):
    """A course for each row, along the law."""
    for row in rows:
        tokens = np.geomspace(row["n_tokens"] / 50, row["n_tokens"], 50)
        yield row["n_params"], tokens, law.loss(row["n_params"], tokens)


@pytest.mark.parametrize("flops_per_token", [lambda n: 6 * n, lambda n: 30 * n**0.9], ids=["6 N D", "large models cheaper"])
def test_three_ways_agree_on_trainings_that_follow_a_law(flops_per_token):
    rows = [{**row, "n_tokens": flops / flops_per_token(row["n_params"])} for flops in BUDGETS for row in made_by_a_law(LAW, budgets=(flops,))]
    rng = np.random.default_rng(1)
    rows = [{**row, "valid_nats_per_token": LAW.loss(row["n_params"], row["n_tokens"]) * math.exp(0.001 * rng.normal())} for row in rows]
    says = sweep.growth(sweep.read_points(rows, "tales"), list(courses(rows, LAW)), flops_per_token, n_samples=50)
    # The least of A / N^alpha + B (c N^k / C)^beta: N grows as C^(beta / (alpha + k beta)).
    power = math.log(flops_per_token(math.e) / flops_per_token(1))
    truth = LAW.beta / (LAW.alpha + power * LAW.beta)
    for way, error in {"valleys": 0.03, "envelope": 0.05, "law": 0.01}.items():  # an envelope goes from size to size in steps
        best, low, high = says[f"exponent by the {way}"]
        assert best == pytest.approx(truth, abs=error) and low <= best <= high, way
    assert says["alpha"][1] < LAW.alpha < says["alpha"][2]


def test_growth_is_written_for_each_way_of_counting(tmp_path):
    (tmp_path / "sweep").mkdir()
    rows = made_by_a_law(LAW, noise=0.001)
    for row, (_, tokens, losses) in zip(rows, courses(rows, LAW)):
        row["log"] = f"{row['run']}.jsonl"
        lines = [{"tokens": token, "loss": loss} for token, loss in zip(tokens, losses)] + [{"tokens": tokens[-1], "valid_bits_per_byte": 1.0}]
        (tmp_path / "sweep" / row["log"]).write_text("".join(json.dumps(line) + "\n" for line in lines))
    with (tmp_path / "sweep" / "runs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    said, path = sweep.write_growth("tales", tmp_path, n_samples=3)
    assert path == tmp_path / "sweep" / "growth_tales.json" and json.loads(path.read_text()) == json.loads(json.dumps(said)) and said["n_points"] == 24
    assert said["law"]["alpha"] == pytest.approx(LAW.alpha, abs=0.03)  # its numbers as counted with 6 N D
    exponents = {name: found["exponent by the law"][0] for name, found in said["countings"].items()}
    assert exponents["6 N D"] == pytest.approx(0.5, abs=0.02)
    assert exponents["6 N D without the table"] > exponents["6 N D"] + 0.03, "small models lose more of their size when the table is not counted"
    valleys = {name: found["exponent by the valleys"][0] for name, found in said["countings"].items()}
    for by_way in (exponents, valleys):
        assert by_way["operations"] > by_way["6 N D"] + 0.01, "attention weighs most in small models"


def test_the_time_that_trainings_take_is_shared_by_processes_of_one_thread_each(small, tmp_path, monkeypatch):
    plan, seen = trials(plan_rates(), prepare(small, tmp_path / "out")), set()
    monkeypatch.setattr("minilm.trials.peak_flops", lambda threads: seen.add(threads) or 1e9)
    one, four = seconds_of(plan, 1), seconds_of(plan, 4)
    assert one == pytest.approx(4 * four) and seen == {1}
    assert sum(map(flops_of, plan)) / 1e9 / 0.4 < one < sum(map(flops_of, plan)) / 1e9 / 0.05


def test_measuring_a_matrix_product_leaves_the_threads_as_they_were(monkeypatch):
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(2)
    monkeypatch.setattr("minilm.device.time.perf_counter", lambda: seen.append(torch.get_num_threads()) or float(len(seen)))
    try:
        peak_flops.cache_clear()
        assert peak_flops(1) == 2 * 1024**3 or torch.cuda.is_available()  # a second each, by the clock that ticks once a look
        assert set(seen) == {1} and torch.get_num_threads() == 2
    finally:
        peak_flops.cache_clear()
        torch.set_num_threads(before)


def test_the_share_of_the_peak_is_within_twice_of_what_was_recorded_at_every_width():
    speeds = {}
    for table in ("ladder", "sweep", "good_data", "domains"):
        for row in read_table(table):
            speeds.setdefault((table, int(row["d_model"])), []).append(float(row["flops"]) / float(row["seconds"]))
    assert {width for _, width in speeds} >= {32, 64, 128, 256}
    for (table, width), found in speeds.items():
        share = median(found) / 210e9  # a product of matrices on the machine of these tables (docs/RESULTS.md)
        assert 0.5 < share_of_peak(ModelConfig(d_model=width)) / share < 2, (table, width)


def test_a_size_costs_what_its_model_does():
    for size in ("d16-L2", "d96-L3", "d256-L6"):
        assert sweep.operations(sum(count_params(SIZES[size]).values())) * sweep.n_tokens(size, 1e13) == pytest.approx(1e13)


def test_the_command_sweeps_and_forecasts(small, tmp_path, capsys, monkeypatch):
    paths = ["--corpus", str(tmp_path / "tales"), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert cli.main(["sweep", *paths, "--budgets", "2e8", "--seeds", "1"]) == 0
    printed = capsys.readouterr().out
    assert "2 trainings, of which 2 are to do: 4.0e+08 operations" in printed and "tales_d16-L1_2e08_judge_x" in printed
    assert len(read_table("sweep", tmp_path / "out")) == len(read_table("sweep_rates", tmp_path / "out")) == 2
    monkeypatch.setattr(sweep, "write_forecast", lambda corpus, budget, n, records, command: ({"says": {corpus: (1.0, 0.5, 2.0)}}, records))
    assert cli.main(["sweep", *paths, "--forecast", "4e13"]) == 0
    assert f"{'tales':50}            1   0.5 to 2" in capsys.readouterr().out
    monkeypatch.setattr(sweep, "write_growth", lambda corpus, records, command: ({"countings": {"6 N D": {"alpha": (0.5, 0.4, 0.6)}}}, records))
    assert cli.main(["sweep", *paths, "--growth"]) == 0
    assert f"{'6 N D, alpha':50}          0.5   0.4 to 0.6" in capsys.readouterr().out
    assert cli.main(["sweep", *paths, "--forecast", "-1"]) == 2
    assert cli.main(["sweep", *paths, "--budgets", "-1"]) == 2
    assert "must be more than 0, and one is -1" in capsys.readouterr().err
