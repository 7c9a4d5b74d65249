"""Notebooks are built, not edited: in step with their sources, the same on every build, and within the house's rules.

That they run is tested by nbval, which pytest applies to every committed notebook.
"""

import importlib.util
import re
import sys
import textwrap

import nbformat
import pytest

from minilm.config import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDTH = 105  # characters of code that a laptop's window shows
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))


@pytest.fixture(scope="module")
def build():
    """The build script as a module; it is a script, so no package holds it."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "notebooks" / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["build"] = module
    spec.loader.exec_module(module)
    return module


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
    words = sum(len(cell.source.split()) for cell in cells(path, "markdown"))
    assert 500 < words <= 3500


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_hold_pictures_with_words_and_nobodys_paths(path):
    outputs = [output for cell in cells(path, "code") for output in cell.outputs]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures and all(len(output.metadata["image/png"]["alt"]) > 40 for output in pictures)
    assert not [output for output in outputs if output.output_type == "error"]
    shown = path.read_text()
    assert not re.search(r'(?<![\w.)}<])/(?:root|work|opt|home|tmp|Users)/\w', re.sub(r'"image/png": "[^"]*"', "", shown))


def write_source(folder, code: str):
    (folder / "src").mkdir(exist_ok=True)
    path = folder / "src" / "90_small.py"
    path.write_text(textwrap.dedent(code).lstrip())
    return path


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
    source, target = write_source(tmp_path, SMALL), tmp_path / "90_small.ipynb"
    notebook = build.read_source(source)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
    nbformat.write(notebook, target)
    assert build.drift(source, target) == []
    write_source(tmp_path, SMALL.replace(old, new))
    (found,) = build.drift(source, target)
    assert found.endswith(finding)
