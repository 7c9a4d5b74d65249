"""Notebooks are built, not edited: in step with their sources, the same on every build, within the house's rules, and they run with all solutions in place.

That they run as shipped is tested by nbval, which pytest applies to every committed notebook.
"""

import math
import re
import subprocess
import sys
import textwrap

import matplotlib.pyplot as plt
import nbformat
import pytest

from minilm.config import ROOT
from minilm.course.exercise import chapter
from tests.figures import problems

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDTH = 105  # characters of code that a laptop's window shows
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))


def cells(path, kind: str) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_every_source_has_its_notebook_and_every_notebook_its_source():
    assert [path.stem for path in NOTEBOOKS] == [path.stem for path in SOURCES] != []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_notebook_has_drifted_from_its_source(build, source):
    assert build.drift(source, source.parents[1] / f"{source.stem}.ipynb") == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_explained(path):
    n_silent = 0
    for cell in nbformat.read(path, as_version=4).cells:
        n_silent = n_silent + 1 if cell.cell_type == "code" else 0
        assert n_silent <= 2, f"three code cells in a row without prose, the last: {cell.source[:60]!r}"
        if cell.cell_type == "code":
            lines = cell.source.split("\n")
            assert len(lines) <= 30, f"a cell of {len(lines)} lines: {cell.source[:60]!r}"
            assert max(map(len, lines)) <= WIDTH, f"the end of a line is out of sight: {max(lines, key=len)!r}"
    read = (re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL) for cell in cells(path, "markdown"))
    assert 500 < sum(len(text.split()) for text in read) <= 3500, "words, without those that are folded away"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_hold_pictures_with_words_and_nobodys_paths(path):
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures and all(len(output.metadata["image/png"]["alt"]) > 40 for output in pictures)
    assert not [output for output in outputs if output.output_type == "error"]
    shown = path.read_text()
    assert not re.search(r'(?<![\w.)}<])/(?:root|work|opt|home|tmp|Users)/\w', re.sub(r'"image/png": "[^"]*"', "", shown))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_is_whole(path):
    chapter = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in chapter if cell.cell_type == "markdown")
    parts = [f"# {path.stem[:2]} · ", "\n## What we know now\n", "## Quiz\n", "## Sources\n", "<summary>For those who teach: a walkthrough in 20 minutes</summary>"]
    places = [text.find(part) for part in parts]
    assert -1 not in places and places == sorted(places), "a part is missing, or in another place than in other chapters"
    assert text.splitlines()[0].endswith("?") and "**Time:**" in text and text.count("**Predict") >= 2
    assert 5 <= sum("walkthrough" in cell.metadata.get("tags", []) for cell in chapter) <= 16
    linked = re.findall(r"\]\((\w+\.ipynb)[)#]", text)
    assert not [name for name in linked if not (path.parent / name).exists()]


def minutes(path) -> tuple[int, int]:
    """An estimate of the time a chapter takes, and of that for its exercises alone: 150 words of prose or 30 lines of code a minute, and what the exercises say."""
    read = "\n".join(re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL) for cell in cells(path, "markdown"))
    lines = sum(len(cell.source.split("\n")) for cell in cells(path, "code"))
    exercises = sum(exercise.minutes for exercise in chapter(path.stem[:2]).exercises)
    return 5 * math.ceil((len(read.split()) / 150 + lines / 30 + exercises) / 5), exercises


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_stated_minutes_follow_one_formula(path):
    whole, exercises = minutes(path)
    assert f"**Time:** about {whole} minutes, {exercises} of them for the exercises." in cells(path, "markdown")[0].source
    (row,) = (line for line in (ROOT / "README.md").read_text().split("\n") if f"notebooks/{path.stem}.ipynb" in line and line.startswith("|"))
    assert row.split("|")[4].strip() == str(whole)


STRICT = """
from minilm import plots
from tests.figures import problems

_show = plots.show


def _strict(fig, alt):
    found = problems(fig)
    _show(fig, alt)
    assert not found, found


plots.show = _strict
"""


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_chapter_runs_with_all_solutions_and_its_figures_can_be_read(build, source):
    """Every check passes on what the chapter itself gives as solutions; on the way each figure is looked over while it is still a figure."""
    notebook = build.read_source(source, solved=True)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{STRICT}"))
    build.execute(notebook, source.stem, NOTEBOOKS[0].parent)
    tried = [cell for cell in notebook.cells if "check" in cell.metadata.get("tags", [])]
    said = [output.data["text/plain"].split("\n")[0] for cell in tried for output in cell.outputs if "data" in output]
    numbers = [exercise.number for exercise in chapter(source.stem[:2]).exercises]
    assert said == [f"{number} passed" for number in numbers]
    assert len([cell for cell in notebook.cells if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))]) >= 4


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_the_walkthrough_runs_without_the_rest(build, source):
    """An instructor runs the setup and the tagged cells; exercises give the course's own functions."""
    notebook = build.read_source(source)
    shown = {"walkthrough", "exercise", "check"}
    setup = next(cell for cell in notebook.cells if cell.cell_type == "code")
    notebook.cells = [cell for cell in notebook.cells if cell is setup or shown & set(cell.metadata.get("tags", []))]
    build.execute(notebook, source.stem, NOTEBOOKS[0].parent)


def test_what_is_wrong_with_a_figure_is_found():
    fig, ax = plt.subplots(figsize=(4, 3), dpi=100)
    ax.set(title="A title", xlabel="x", ylabel="y")
    assert problems(fig) == []
    ax.text(0.5, 0.5, "one", fontsize=10)
    ax.text(0.52, 0.5, "other", fontsize=10)
    ax.text(0.1, 0.1, "tiny", fontsize=8)
    ax.text(0.1, 0.8, "", fontsize=3)
    assert problems(fig) == ["'tiny' has 8 points, under 9", "'one' lies on 'other'"]
    plt.close(fig)


def test_slanted_texts_may_be_near_each_other_but_not_on_each_other():
    fig, ax = plt.subplots(figsize=(4, 4), dpi=100)
    ax.text(0.1, 0.1, "along a long diagonal line", rotation=45, rotation_mode="anchor")
    ax.text(0.5, 0.1, "below", fontsize=10)
    assert problems(fig) == []
    ax.text(0.3, 0.3, "on it", fontsize=10)
    assert problems(fig) == ["'along a long diagonal line' lies on 'on it'"]
    plt.close(fig)


def write_source(folder, code: str):
    (folder / "src").mkdir(exist_ok=True)
    path = folder / "src" / "90_small.py"
    path.write_text(textwrap.dedent(code).lstrip())
    return path


def as_if_built(build, folder, code: str):
    """Write a source and the notebook that it would become, without running it; return both paths."""
    source, target = write_source(folder, code), folder / "90_small.ipynb"
    notebook = build.read_source(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
    nbformat.write(notebook, target)
    assert build.drift(source, target) == []
    return source, target


SMALL = '''
    # %% [markdown]
    # # Small

    # %% tags=["picture:small"]
    import matplotlib.pyplot as plt
    from minilm import plots
    fig, ax = plt.subplots(figsize=(1, 1))
    ax.plot([1, 2])
    plots.show(fig, alt="A line that rises.")

    # %% tags=["machine"]
    print("differs from one machine to the next")

    # %%
    import os
    print(os.environ["MINILM_PROFILE"], sorted(name for name in os.listdir() if name == "src"))
'''


def test_a_build_gives_the_same_bytes_twice_and_a_failed_one_changes_nothing(build, tmp_path):
    source, target = write_source(tmp_path, SMALL), tmp_path / "90_small.ipynb"
    assert build.drift(source, target) == ["90_small.ipynb is missing"]
    build.build(source, target, images=tmp_path / "images")
    first = target.read_bytes()
    build.build(source, target, images=tmp_path / "images")
    assert target.read_bytes() == first and build.drift(source, target) == []
    assert (tmp_path / "images" / "small.png").read_bytes().startswith(b"\x89PNG")
    picture, machine, profile = cells(target, "code")
    assert machine.outputs == [] and profile.outputs[0].text.startswith("ci ")
    assert "'src'" in profile.outputs[0].text  # the folder of the notebook, which holds the sources

    write_source(tmp_path, SMALL + '\n    # %%\n    raise KeyError("a mistake")\n')
    assert build.drift(source, target) == ["the source has 5 cells, the notebook 4"]
    with pytest.raises(build.BuildError, match=r"90_small: cell 5 \(code, 'raise KeyError"):
        build.build(source, target, images=tmp_path / "images")
    assert target.read_bytes() == first


@pytest.mark.parametrize("old, new, finding", [
    ("A line that rises", "A line that falls", "not the same source, id"),
    ('["machine"]', '["other"]', "not the same metadata"),
    ("# # Small", "# # Large", "not the same source, id"),
])  # fmt: skip
def test_drift_names_the_cell_and_what_differs(build, tmp_path, old, new, finding):
    source, target = as_if_built(build, tmp_path, SMALL)
    write_source(tmp_path, SMALL.replace(old, new))
    (found,) = build.drift(source, target)
    assert found.endswith(finding)


COURSE = """
    # %% [markdown]
    # # 90 · Small?
    #
    # See [the other](91_other.ipynb).

    # %%
    import ipywidgets
    from minilm import widgets
    from minilm.course import check, quiz
    widgets.show(ipywidgets.IntSlider(), "**text in its place**")

    # %%
    ipywidgets.IntSlider()

    # %% exercise="02.1"

    # %% quiz="02"
"""


def test_exercises_and_quizzes_are_put_in_and_widgets_leave_their_text(build, tmp_path):
    source, target = write_source(tmp_path, COURSE), tmp_path / "90_small.ipynb"
    build.build(source, target, images=tmp_path)
    assert build.drift(source, target) == []
    notebook = nbformat.read(target, as_version=4)
    kinds = [(cell.cell_type, cell.metadata.get("tags", [])) for cell in notebook.cells]
    assert kinds[3:] == [("markdown", []), ("code", ["exercise"]), ("code", ["check"]), ("markdown", []), ("markdown", []), ("code", ["nbval-ignore-output"])]
    shown, slider, stub, tried, asked = (cell for cell in notebook.cells if cell.cell_type == "code")
    assert shown.outputs[0].data == {"text/markdown": "**text in its place**", "text/plain": "**text in its place**"}
    assert slider.outputs == [] and "NotImplementedError" in stub.source
    assert tried.source == 'count_pairs = check("02.1", count_pairs)' and tried.outputs[0].data["text/plain"].startswith("02.1 not attempted")
    assert "Solution" in notebook.cells[6].source and asked.outputs[0].data["text/plain"].startswith("**1. ")
    solved = build.read_source(source, solved=True)
    assert "zip(ids, ids[1:])" in solved.cells[4].source and [cell.cell_type for cell in solved.cells] == [cell.cell_type for cell in notebook.cells]


def test_an_edited_exercise_is_a_drift(build, tmp_path, monkeypatch):
    source, target = as_if_built(build, tmp_path, COURSE)
    monkeypatch.setattr(chapter("02").exercises[0], "hints", ("another", "hint"))
    (found,) = build.drift(source, target)
    assert "not the same source" in found


@pytest.mark.parametrize("stem", ["10_scaling_laws", "11_tradeoffs"])
def test_chapters_that_only_calculate_do_without_torch(stem):
    setup = cells(ROOT / "notebooks" / f"{stem}.ipynb", "code")[0].source
    code = f"{setup}\nfrom minilm.course.exercise import chapter\nchapter({stem[:2]!r})\nimport sys\nsys.exit('torch' in sys.modules)"
    assert "from minilm" in setup and subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
