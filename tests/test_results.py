"""docs/RESULTS.md is what the records say: nothing typed, nothing kept that is left out, and what was not measured says so."""

import csv
import json
import re
import sys
from itertools import pairwise

import pytest

from benchmarks.keep import keep
from minilm.cli import main
from minilm.config import DATA, ROOT
from minilm.ladder import SIZES
from minilm.results import (
    BENCHMARKS,
    TEMPLATE,
    contests,
    corners,
    domains,
    forecasts,
    growth,
    kinds,
    ladder,
    losses,
    page,
    read_rows,
    repeats,
    sweep,
    table,
    tinystories,
)

RUN = {"command": "minilm ladder --corpus storyworld --keep", "corpus": "storyworld", "n_params": 300_000, "seconds": 90, "flops": 1.5e13,
       "peak_memory_bytes": "", "machine": "a laptop", "cores": 4, "gpu": ""}  # fmt: skip
BENCHMARK = [sys.executable, "-c", """print("two\\nlines"); print('{"speed": 1.5}')"""]


def climbed(folder, **made_up):
    """A data folder with a ladder of made-up runs: tokens and bits per byte by name."""
    return write(folder, "ladder", [RUN | {"run": name, "n_tokens": n_tokens, "valid_bits_per_byte": value} for name, (n_tokens, value) in made_up.items()])


def swept(folder, **made_up):
    """A data folder with a sweep of made-up trainings: parameters and nats per token by name."""
    return write(folder, "sweep", [RUN | {"run": name, "n_params": n_params, "valid_nats_per_token": loss, "valid_bits_per_byte": loss / 2, "n_tokens": 3000,
                                          "train_tokens": 2000} for name, (n_params, loss) in made_up.items()])  # fmt: skip


VALLEY = {"tales_d16_1e12_judge_x2_seed0": (1000, 2.5), "tales_d32_1e12_judge_x2_seed0": (2000, 2.0), "tales_d64_1e12_judge_x2_seed0": (4000, 2.5)}


def write(folder, experiment, rows):
    path = folder / "runs" / experiment / "runs.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_the_page_is_what_the_records_give(tmp_path):
    written = tmp_path / "RESULTS.md"
    assert main(["results", "--out", str(written)]) == 0
    assert written.read_text(encoding="utf-8") == (ROOT / "docs" / "RESULTS.md").read_text(encoding="utf-8"), "run `minilm results`"


def test_every_table_says_what_made_it():
    blocks = page().split("\n\n")
    below = [after for block, after in pairwise(blocks) if block.startswith("| ")]
    assert len(below) >= 8
    for text in below:
        assert re.match(r"Made by `(minilm|python) |From `data/published/|Not measured yet.* `python ", text), text
    named = re.findall(r"`(data/published/[^`]+)`", page())
    assert named and all((ROOT / name).is_file() for name in named)


def test_what_stands_below_a_table_is_what_made_it():
    """Of two records with one name the large one has a table of its own, and each table its own command."""
    short, long = (page().split(f"| {head} |")[1].split("\n\n")[1] for head in ("work | beside | speed, ours over theirs | peak memory, ours over theirs", "work | speed, long over short | memory, long over short | memory over a gigabyte"))
    assert "bench_tokenizer.py" in short and "bench_encode_large.py" not in short
    assert "bench_encode_large.py" in long and "bench_tokenizer.py" not in long


def test_every_number_that_a_benchmark_kept_stands_on_the_page():
    marks, paths = TEMPLATE.read_text(encoding="utf-8"), sorted((DATA / "runs" / "benchmarks").glob("*.json"))
    assert paths
    for path in paths:
        assert path.stem.startswith(BENCHMARKS)
        record = json.loads(path.read_text(encoding="utf-8"))
        assert not [key for key in record["values"] if f"{{kept[{key}]:" not in marks]


def test_every_number_of_a_gpu_has_its_place_on_the_page():
    names = re.findall(r'f"(train_\{size\}_gpu_\w+)"', (ROOT / "benchmarks" / "bench_training.py").read_text(encoding="utf-8"))
    marks = TEMPLATE.read_text(encoding="utf-8")
    assert len(names) == 5 and not [key for name in names for size in SIZES if f"{{kept[{(key := name.format(size=size))}]:" not in marks]


def test_sizes_are_means_over_seeds(tmp_path):
    data = climbed(tmp_path, **{"storyworld_d64-L8_1x1_seed0": (4000, 0.5), "storyworld_d64-L8_0.25x4_seed0": (3990, 0.6),
                                "storyworld_d64-L8_1x1_seed1": (4000, 0.7), "storyworld_d64-L8_1x0.5_seed0": (2000, 0.8)})  # fmt: skip
    assert [line for line in ladder(data).splitlines() if line.startswith("| storyworld")] == [
        "| storyworld | d64-L8 | 300,000 | 2,000 | 0.800 | 1 | 1.5 | not measured | 1.5 × 10¹³ |",
        "| storyworld | d64-L8 | 300,000 | 4,000 | 0.600 (0.500 to 0.700) | 2 | 1.5 (1.5 to 1.5) | not measured | 1.5 × 10¹³ |"]  # fmt: skip
    assert ladder(data).endswith(f"Made by `{RUN['command']}` on 4 cores of a laptop.")


def test_repeats_stand_beside_as_many_fresh_tokens(tmp_path):
    data = climbed(tmp_path, **{"storyworld_d64-L8_0.25x16_seed0": (15_960, 0.55), "storyworld_d64-L8_1x1_seed0": (4000, 0.5),
                                "storyworld_d64-L8_0.25x4_seed0": (3990, 0.6), "storyworld_d128-L8_1x1_seed0": (4000, 0.4),
                                "storyworld_d64-L8_0.25x2_seed0": (1995, 0.8), "storyworld_d64-L8_1x0.5_seed0": (2000, 0.7)})  # fmt: skip
    assert [line for line in repeats(data).splitlines() if line.startswith("| storyworld")] == [
        "| storyworld | d64-L8 | 0.25 | 2 | 1,995 | 0.800 | 0.700 |",
        "| storyworld | d64-L8 | 0.25 | 4 | 3,990 | 0.600 | 0.500 |",
        "| storyworld | d64-L8 | 0.25 | 16 | 15,960 | 0.550 | not measured |"]  # fmt: skip


def test_a_budget_of_the_sweep_has_the_lowest_point_of_its_valley(tmp_path):
    data = swept(tmp_path, **VALLEY)
    assert "| tales | 10¹² | 3 | 1,000 to 4,000 | 2,000 | 2.000 | 1.000 | 1.5 | 4 |".replace("10¹²", "1 × 10¹²") in sweep(data).splitlines()
    assert sweep(data).endswith(f"Made by `{RUN['command']}` on 4 cores of a laptop.")
    (tmp_path / "other").mkdir()
    with pytest.raises(ValueError, match="'first' should be CORPUS_SIZE_BUDGET_judge_xFACTOR_seedN"):
        sweep(swept(tmp_path / "other", first=(1, 1)))


def test_a_forecast_stands_beside_what_it_came_to(tmp_path):
    data = swept(tmp_path, **VALLEY)
    for budget in (1e12, 1e13):
        says = {"d32": (2.1, 1.9, 2.2), "d64": (2.1, 1.9, 2.2), "best size by the valleys": (1500, 1200, 2500), "least loss by the valleys": (2.3, 2.2, 2.4)}
        path = data / "runs" / "sweep" / f"forecast_tales_{budget:.0e}.json"
        path.write_text(json.dumps({"command": "minilm sweep --forecast", "budget": budget, "says": says}))
    lines = forecasts(data).splitlines()
    for line in ("d32 | 2.100 | 1.900 to 2.200 | 2.000 | yes |", "d64 | 2.100 | 1.900 to 2.200 | 2.500 | **no** |", "best size by the valleys | 1,500 | 1,200 to 2,500 | 2,000 | yes |",
                 "least loss by the valleys | 2.300 | 2.200 to 2.400 | 2.000 | **no** |"):  # fmt: skip
        assert f"| tales | 1 × 10¹² | {line}" in lines
    assert "| tales | 1 × 10¹³ | d32 | 2.100 | 1.900 to 2.200 | not trained yet |  |" in lines


def test_exponents_stand_by_what_is_counted_and_how(tmp_path):
    (tmp_path / "runs" / "sweep").mkdir(parents=True)
    found = {f"exponent by the {way}": (a, 0.4, 0.6) for way, a in {"valleys": 0.5, "envelope": 0.6, "law": 0.7}.items()} | {name: (0.35, 0.3, 0.4) for name in ("E", "A", "B", "alpha", "beta")}
    (tmp_path / "runs" / "sweep" / "growth_tales.json").write_text(json.dumps({"command": "minilm sweep --growth", "n_points": 30, "countings": {"6 N D": found}}))
    assert growth(tmp_path).splitlines()[2] == f"| tales | 30 | 6 N D{''.join(f' | 0.{a}0 (0.40 to 0.60)' for a in (5, 6, 7))}{' | 0.35 (0.30 to 0.40)' * 3} |"


def experiment(folder, **made_up):
    """A data folder with made-up runs of the good-data experiment: bits per byte, share of perfect stories and answers, by name."""
    answers = {f"answers_{kind}": "1" for kind in ("facts", "reasoning", "cloze")}
    return write(folder, "good_data", [RUN | {"run": name, "seed": name[-1], "n_tokens": 3000, "valid_bits_per_byte": bits, "perfect_share": perfect, "parse_rate": 0.8,
                                              "answers_context": right} | answers for name, (bits, perfect, right) in made_up.items()])  # fmt: skip


def test_small_on_good_text_stands_against_large_on_poor_text_seed_by_seed(tmp_path):
    data = experiment(tmp_path, **{
        "small_good_5e12_seed0": (1.0, 0.5, "1100"), "small_good_5e12_seed1": (1.2, 0.7, "1110"),
        "large_poor_5e12_seed1": (1.4, 0.1, "0000"), "large_poor_5e12_seed0": (1.3, 0.3, "1000"), "large_poor_4e13_seed0": (0.9, 0.9, "1111"),
        "small_shuffled_words-0.3_5e12_seed0": (1.1, 0.4, "1000"), "small_shuffled_words-0.3_5e12_seed1": (1.4, 0.2, "1000"),
    })  # fmt: skip
    assert "| 5 × 10¹² | small | good | 3,000 | 1.100 (1.000 to 1.200) | 0.800 (0.800 to 0.800) | 0.600 (0.500 to 0.700) |" in corners(data)
    assert "shuffled" not in corners(data)
    lines = contests(data).splitlines()
    # Differences of -0.3 and -0.2: their mean, and 12.706 times their standard deviation of 0.0707 over the root of 2.
    assert lines[2].startswith("| operations | 5 × 10¹² | 5 × 10¹² | -0.250 ± 0.635 | +0.000 ± 0.000 | +0.400 ± 2.541 |")
    assert lines[3].startswith("| tokens | 5 × 10¹² | 4 × 10¹³ | +0.100 (one seed) |"), "only the seed that both have counts"
    assert len([line for line in lines if line.startswith("|")]) == 4, "a contest without both sides is left out"
    assert "| shuffled words | 0.3 | 1.250 (1.100 to 1.400) | 0.800 (0.800 to 0.800) | 0.300 (0.200 to 0.400) |" in kinds(data) and "| +0.150 ± 0.635 |" in kinds(data)


def test_real_texts_stand_as_a_matrix(tmp_path):
    runs = [RUN | {"run": f"small_{text}_5e12_seed0", "seed": "0", "valid_bits_per_byte": 9, "bits_stories": ours, "bits_web": theirs}
            for text, ours, theirs in (("stories", 1.0, 3.0), ("web", 2.0, 2.5))]  # fmt: skip
    assert domains(write(tmp_path, "domains", runs)).splitlines()[:4] == [
        "| model | read | stories | web | seeds |", "|---|---|---|---|---|", "| small | stories | 1.000 | 3.000 | 1 |", "| small | web | 2.000 | 2.500 | 1 |",
    ]  # fmt: skip


@pytest.mark.parametrize("section", [ladder, repeats, corners, contests, kinds, domains])
def test_a_section_without_records_is_refused(tmp_path, section):
    with pytest.raises(ValueError, match="has no rows; data/runs lacks the records"):
        section(tmp_path)


def test_published_losses_stay_as_they_are_and_doubtful_ones_stay_out():
    text = losses(DATA)
    assert "| stories260K | 260,032 | 512 | 1.297 | karpathy/llama2.c" in text
    assert "1.0496" not in text  # its row says not to use it
    assert "1.297" not in tinystories(DATA) and "| about 0.91 |" in tinystories(DATA)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match="'ids | bits' has no rows"):
        table("ids | bits", [], "")
    (tmp_path / "empty.csv").write_text("run,seed\n")
    with pytest.raises(ValueError, match="empty.csv has no rows"):
        read_rows(tmp_path / "empty.csv")
    (tmp_path / "one.csv").write_text("run,seed,loss\nfirst,0,\n")
    assert read_rows(tmp_path / "one.csv") == [{"run": "first", "seed": 0, "loss": None}]
    with pytest.raises(ValueError, match="one.csv has no 'bits'; it has run, seed, loss"):
        read_rows(tmp_path / "one.csv")[0]["bits"]
    with pytest.raises(ValueError, match="'first' should be CORPUS_SIZE_SHARExREADINGS_seedN"):
        ladder(climbed(tmp_path, first=(1, 1)))
    (tmp_path / "page.in").write_text("{runs[tinystories][shiped][n_tokens]}")
    with pytest.raises(ValueError, match="data/runs/tinystories has no 'shiped'; it has shipped, five_minutes"):
        page(template=tmp_path / "page.in")


def test_a_benchmark_is_kept_with_its_command(tmp_path, capsys):
    record = json.loads(keep("speed", [*BENCHMARK, f"--text={tmp_path}", "benchmarks/bench_corpus.py"], tmp_path).read_text())
    assert record["values"] == {"speed": 1.5} and record["printed"] == ["two", "lines"] and record["torch"]
    assert record["command"].startswith("python") and record["command"].endswith("--text=PATH benchmarks/bench_corpus.py")
    assert "two\nlines" in capsys.readouterr().out


@pytest.mark.parametrize("code", ["print('no JSON')", "", "print(3)", "print('{}'); raise SystemExit(1)"])
def test_a_benchmark_that_fails_is_not_kept(tmp_path, code):
    with pytest.raises(ValueError, match="nothing was kept"):
        keep("speed", [sys.executable, "-c", code], tmp_path)
    assert not list(tmp_path.iterdir())
