"""The experiment compares like with like: equal operations, equal tokens, the same items, beginnings and good text for all, and nothing read twice."""

import csv
import json

import pytest

from minilm import cli, good_data
from minilm.checkpoint import load_model
from minilm.corpora import Corpus, read_stories
from minilm.evaluate import score_choices
from minilm.items import read_items
from minilm.model import Transformer
from minilm.storyworld import grade, write_corpus
from minilm.sweep import shape

KIND = "shuffled_words"


@pytest.fixture
def small(monkeypatch, trials_here):
    """An experiment of tiny models, budgets, texts and item sets."""
    changes = {
        "SHAPES": {"small": shape(16, 1, 512, 64), "large": shape(32, 1, 512, 64)},
        "VOCAB_SIZE": 512,
        "BUDGETS": (3e8, 6e8),
        "TEXTS": {"good": {}, "poor": {"duplicate": 0.9}, f"{KIND}-0.9": {KIND: 0.9}},
        "ITEMS": ("context", "cloze"),
        "N_ITEMS": 3,
        "N_STORIES": 2,
        "LONGEST": 15,
        "N_KEPT": 1,
        "VALID": 20_000,
    }
    for name, value in changes.items():
        monkeypatch.setattr(good_data, name, value)
    monkeypatch.setattr("minilm.sweep.STEPS", 5)
    monkeypatch.setattr(
        good_data, "write_corpus", lambda folder, megabytes, faults: write_corpus(folder, megabytes, valid_megabytes=0.05, faults=faults)
    )


def rows_of(folder, table: str) -> list[dict]:
    with (folder / table / "runs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_grid_holds_what_was_promised():
    corners, kinds = good_data.plan_corners(), good_data.plan_kinds()
    assert len({cell.name for cell in corners + kinds}) == 3 * 4 * 3 + 7 * 2 * 3 == 78
    assert min(cell.flops for cell in corners + kinds + good_data.plan_domains()) >= 5e12
    n_params = {name: Transformer(config).n_params for name, config in good_data.SHAPES.items()}
    assert 9 < n_params["large"] / n_params["small"] < 11


def test_the_largest_budget_gives_the_large_model_as_many_tokens_as_the_smallest_gives_the_small_one():
    steps = {name: good_data.train_config(config, budget, 0, 1.0) for (name, config), budget in
             zip(good_data.SHAPES.items(), (good_data.BUDGETS[0], good_data.BUDGETS[-1]), strict=True)}  # fmt: skip
    small, large = (config.max_steps * config.batch_size * good_data.CONTEXT_LENGTH for config in steps.values())
    assert large == pytest.approx(small, rel=0.01)


def test_of_poor_text_one_story_in_ten_is_sound():
    assert sum(good_data.POOR.values()) == pytest.approx(0.9) and set(good_data.POOR) == set(good_data.KINDS)
    assert len(set(good_data.POOR.values())) == 1


def test_all_models_are_judged_alike_and_nothing_is_read_or_trained_twice(small, tmp_path, capsys):
    arguments = ["experiment", "good-data", "--seeds", "1", "--out", str(tmp_path), "--cache", str(tmp_path / "cache")]
    assert cli.main(arguments) == 0
    rows = rows_of(tmp_path, "good_data")
    assert [row["run"] for row in rows] == [f"{model}_{text}_{flops:g}_seed0".replace("+", "") for flops in (3e8, 6e8) for text in ("good", "poor")
                                            for model in ("small", "large")] + [f"small_{KIND}-0.9_3e08_seed0"]  # fmt: skip
    assert len({(tmp_path / "texts" / text / "valid.txt").read_bytes() for text in good_data.TEXTS}) == 1
    assert all(int(row["n_tokens"]) <= int(row["train_tokens"]) for row in rows)
    assert {(len(row["answers_context"]), len(row["answers_cloze"]), row["n_stories"]) for row in rows} == {(3, 3, "2")}
    assert {len({row[key] for row in rows}) for key in ("valid_n_bytes", "max_lr", "vocab_size")} == {1}
    kept = json.loads((tmp_path / "good_data" / "stories.json").read_text())
    assert len(kept) == 8 and {len(stories) for stories in kept.values()} == {1}
    capsys.readouterr()
    assert cli.main(arguments) == 0 and "0 trainings, of which 0" in capsys.readouterr().out
    assert rows_of(tmp_path, "good_data") == rows


def test_what_a_judge_writes_down_is_what_the_model_answers_and_writes(small, tmp_path):
    assert (
        cli.main(
            ["experiment", "good-data", "--parts", "kinds", "--seeds", "1", "--out", str(tmp_path), "--cache", str(tmp_path / "cache")]
        )
        == 0
    )
    (row,) = rows_of(tmp_path, "good_data")
    model, tokenizer = load_model(tmp_path / row["run"])
    right = score_choices(model, tokenizer, read_items(tmp_path / "items_cloze.jsonl")).right
    assert [answer == "1" for answer in row["answers_cloze"]] == right.tolist()
    told, begun = (list(read_stories(path)) for path in (tmp_path / row["run"] / "stories.txt", tmp_path / "beginnings.txt"))
    assert all(story.startswith(beginning) and len(story) > len(beginning) for story, beginning in zip(told, begun, strict=True))
    graded = [grade(story) for story in told]
    assert float(row["perfect_share"]) == sum(found.perfect for found in graded) / 2
    assert float(row["parse_rate"]) == pytest.approx(
        1 - sum(len(found.unparsed) for found in graded) / sum(len(found.sentences) for found in graded)
    )
    facts = json.loads((tmp_path / "items.json").read_text())
    assert set(facts) == {"context", "cloze"} and all(found["n_items"] == 3 for found in facts.values())


def test_real_texts_of_equal_length_are_judged_by_each_other(small, tmp_path):
    for name, seed, megabytes in (("tales", 5, 0.2), ("pages", 6, 0.1)):
        write_corpus(tmp_path / name, megabytes, valid_megabytes=0.03, seed=seed)
    third = tmp_path / "third.txt"
    third.write_text("Something else.\n\nAnd again.\n")
    out = tmp_path / "out"
    assert cli.main(["experiment", "good-data", "--parts", "domains", "--seeds", "1", "--stories", str(tmp_path / "tales"), "--web", str(tmp_path / "pages"),
                     "--others", str(third), "--out", str(out), "--cache", str(tmp_path / "cache")]) == 0  # fmt: skip
    rows = {(row["n_params"], row["corpus"]): row for row in rows_of(out, "domains")}
    assert len(rows) == 6
    for (_, text), row in rows.items():
        if text != "half":
            assert float(row[f"bits_{text}"]) == pytest.approx(float(row["valid_bits_per_byte"]), abs=1e-9)
        assert {"bits_stories", "bits_web", "bits_storyworld", "bits_third"} <= row.keys()
    sizes = {name: (out / "domains" / name / "train.txt").stat().st_size for name in good_data.DOMAINS}
    assert max(sizes.values()) < 1.06 * min(sizes.values())
    half, tales = (set(Corpus("", out / "domains" / name / "train.txt", third).stories("train")) for name in ("half", "stories"))
    assert len(half & tales) / len(half) == pytest.approx(0.5, abs=0.05)


def test_rows_are_told_apart_and_measured():
    row = {"valid_bits_per_byte": "1.5", "perfect_share": "0.25", "parse_rate": "0.75", "answers_facts": "0110", "bits_web": "2.5"}
    rows = [row | {"run": f"small_low_diversity-0.3_5e12_seed{seed}", "seed": str(seed)} for seed in (10, 2)]
    cells = good_data.by_cell(rows)
    assert list(cells) == [("small", "low_diversity-0.3", 5e12)] and [row["seed"] for row in cells["small", "low_diversity-0.3", 5e12]] == ["2", "10"]
    assert good_data.measures(rows[0]) == {"bits per byte": 1.5, "readable sentences": 0.75, "perfect stories": 0.25, "facts": 0.5, "web": 2.5}
    better = [one | {"valid_bits_per_byte": bits} for one, bits in zip(rows, ("1.25", "1.0"))]
    assert good_data.contest(better, rows)["bits per byte"] == pytest.approx((-0.375, 12.7062 * 0.125), abs=1e-4)


def test_a_crossing_lies_between_the_budgets_or_nowhere():
    assert good_data.crossing([1e12, 1e14], [-0.1, 0.1]) == pytest.approx(1e13)
    assert good_data.crossing([1e12, 1e14], [0.3, -0.1]) == pytest.approx(1e12 * 10**1.5)
    assert good_data.crossing([1e12, 1e13, 1e14], [-0.3, -0.2, -0.1]) is None


@pytest.mark.parametrize("wrong, said", [
    (["--parts", "domains", "--stories", "x"], "give them as --stories and --web"),
    (["--seeds", "0"], "at least one"),
    (["--processes", "0"], "at least one"),
])  # fmt: skip
def test_what_cannot_be_carried_out_is_refused(wrong, said, tmp_path, capsys):
    assert cli.main(["experiment", "good-data", "--out", str(tmp_path / "none"), *wrong]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_stories_of_runs_made_elsewhere_are_kept(tmp_path):
    row, path = {"corpus": "good", "seed": "0"}, tmp_path / "good_data" / "stories.json"
    path.parent.mkdir()
    path.write_text('{"there": ["Told before."]}')
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "stories.txt").write_text("Told now.\n")
    good_data.keep_stories([row | {"run": run} for run in ("there", "here", "gone")], tmp_path, tmp_path)
    assert json.loads(path.read_text()) == {"there": ["Told before."], "here": ["Told now."]}
