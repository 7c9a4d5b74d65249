"""What the code and the documents refer to exists."""

import csv
import json
import re
from functools import cache

import pytest

from minilm.config import DATA, ROOT
from minilm.storyworld import write_story
from minilm.trials import read_table

SOURCES = set(re.findall(r"^## (\w+)$", (ROOT / "docs" / "SOURCES.md").read_text(), flags=re.MULTILINE))
PROSE = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "data").glob("**/*.md"))]


@pytest.mark.parametrize("path", sorted((ROOT / "minilm").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_source_named_in_the_code_is_listed(path):
    named = set(re.findall(r"docs/SOURCES\.md#(\w+)", path.read_text()))
    assert named <= SOURCES


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text()):
        file, _, heading = target.partition("#")
        found = path if not file else path.parent / file
        assert found.exists(), target
        assert not heading or heading in anchors(found), target


@cache
def anchors(path) -> set[str]:
    """What the headings of a file are called in links: a page's by GitHub, a notebook's by JupyterLab and in exported pages."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)  # a comment in code is no heading
    headings = [re.sub(r"[`*]", "", heading) for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)]
    return {(heading if path.suffix == ".ipynb" else re.sub(r"[^\w\s-]", "", heading.lower())).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name, text, found", [
    ("a.md", "# Without make, or on Windows\n\n```sh\n# no\n```\n\n## `gpt2`\n", {"without-make-or-on-windows", "gpt2"}),
    ("a.ipynb", '{"cells": [{"cell_type": "markdown", "source": ["### 01.2 Who *is* it?\\n", "so"]}, {"cell_type": "code", "source": ["# no"]}]}', {"01.2-Who-is-it?"}),
])  # fmt: skip
def test_headings_are_called_what_links_call_them(tmp_path, name, text, found):
    (tmp_path / name).write_text(text)
    assert anchors(tmp_path / name) == found


@pytest.mark.parametrize("path", sorted((DATA / "published").glob("*.csv")), ids=lambda path: path.name)
def test_every_published_number_has_a_source_and_a_status(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert row["source"].strip() and None not in row and None not in row.values()
        assert row["status"] in {"verified_1", "verified_2", "derived", "memory"}


@pytest.mark.parametrize("path", sorted((DATA / "runs").glob("*/runs.csv")), ids=lambda path: path.parent.name)
def test_every_recorded_run_says_how_it_was_made(path):
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert row["command"].startswith(("minilm ", "python ")) and "/" not in row["command"].replace("benchmarks/", "")
        assert all(row[key] for key in ("run", "profile", "seed", "seconds", "peak_memory_bytes", "machine", "n_tokens", "corpus"))
        if row.get("purpose") != "rate":  # a run that only chose a learning rate is not judged, and has no log
            assert row["valid_bits_per_byte"] and (path.parent / f"{row['run']}.jsonl").is_file()


@pytest.mark.parametrize("path", sorted((DATA / "runs" / "benchmarks").glob("*.json")), ids=lambda path: path.stem)
def test_every_kept_benchmark_says_how_it_was_made(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    assert re.match(r"(minilm|python) ", record["command"])
    assert "/" not in record["command"].replace("benchmarks/", "").replace("data/models/", "")
    assert all(record[key] for key in ("date", "machine", "cores", "torch", "printed"))
    assert record["values"] and all(isinstance(value, int | float) for value in record["values"].values())


RELIABILITY = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (DATA / "runs" / "reliability").glob("*.json")}


@pytest.mark.parametrize("name", sorted(RELIABILITY))
def test_what_was_tried_stands_on_the_page_of_reliability(name):
    """Every count of a record, but what is said of single chapters, which README's table shows; and the command."""
    page, record = (ROOT / "docs" / "RELIABILITY.md").read_text(encoding="utf-8"), RELIABILITY[name]
    assert record["command"].startswith("python benchmarks/") and f"`{record['command']}`" in page
    counts = {key: f"{value:,}" for key, value in record["values"].items() if not re.match(r"\d\d_|minutes", key)}
    assert counts and not {key: value for key, value in counts.items() if not re.search(rf"(?<![\d,.]){value}(?![\d.]|,\d)", page)}


def test_time_and_memory_of_the_chapters_are_those_of_the_record():
    values, seen = RELIABILITY["try_notebooks"]["values"], []
    for row in re.findall(r"^\| \d\d \| .*$", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE):
        cells, name = [cell.strip() for cell in row.split("|")], (re.findall(r"notebooks/(\w+)\.ipynb", row) or [""])[0]
        known = f"{name}_seconds" in values
        assert cells[5:7] == ([f"{values[f'{name}_seconds']:.0f}", f"{values[f'{name}_megabytes']:,}"] if known else ["", ""])
        seen += [name] * known
    assert len(seen) == sum(key.endswith("_seconds") for key in values)
    assert values["10_scaling_laws_megabytes"] < 1000 and values["11_tradeoffs_megabytes"] < 1000  # the chapters for small machines


def test_the_story_on_the_first_page_is_the_models():
    readme, folder = (ROOT / "README.md").read_text(encoding="utf-8"), DATA / "models" / "storyworld"
    (quoted,), record = re.findall(r"^> .+$", readme, flags=re.MULTILINE), json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert quoted in (folder / "card.md").read_text(encoding="utf-8")
    assert f"{record['n_params'] / 1e6:.1f} million parameters, and was trained for {record['result']['seconds'] / 60:.0f} minutes" in readme


def test_the_samples_are_what_the_generator_writes():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    samples = dict(re.findall(r"\*\*Seed (\d+)\*\*\n\n((?:>.*\n)+)", text))
    assert len(samples) == 3
    for seed, quoted in samples.items():
        assert re.sub(r"^> ?", "", quoted, flags=re.MULTILINE).strip() == write_story(int(seed)).text


def test_what_quickstart_came_to_is_on_record():
    (run,) = read_table("quickstart")
    assert f"{float(run['valid_bits_per_byte']):.3f} bits per byte of storyworld (`data/runs/quickstart`)" in (ROOT / "README.md").read_text(encoding="utf-8")
