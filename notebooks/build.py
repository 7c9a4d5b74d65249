"""How does a chapter become a notebook? `python notebooks/build.py [--check] [names...]`

1. Read `src/NN_slug.py` (cells between `# %%` lines), put in the cells of its exercises and quiz (`# %% exercise="02.3"`, `# %% quiz="02"`; see
   `minilm.course.pages`), and give every cell an id made from its position and its text.
2. Run it in a fresh kernel under the `ci` profile, with `notebooks/` as the working folder, wherever it was called from.
3. Keep what a reader sees; drop what differs from one run to the next (times, versions, the state of widgets) and all that
   a cell tagged `machine` shows, which differs from one computer to the next.
4. Replace `NN_slug.ipynb` in one step. A cell that fails leaves the old notebook as it was.

Without names, chapters whose text has not changed are left alone. A chapter that is named (`00_start_here`) is always
run again: do that when a model or a record that it shows has changed. `--check` runs nothing; it names the cells in
which a committed notebook differs from its source. A cell tagged `picture:SLUG` also writes its figure to `docs/images/SLUG.png`.
Left out on purpose: two-way syncing (the source is edited, the notebook is built) and the site (`publish.py`).
"""

import argparse
import base64
import hashlib
import os
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from minilm.course.pages import exercise_cells, quiz_cells

NOTEBOOKS = Path(__file__).resolve().parent
IMAGES = NOTEBOOKS.parent / "docs" / "images"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}
WIDGET = "application/vnd.jupyter.widget-view+json"


class BuildError(Exception):
    """A chapter that could not be built; the message names the notebook and the cell."""


def read_source(path: Path, solved: bool = False) -> nbformat.NotebookNode:
    """Read a py:percent source as a notebook that has not run: the same text gives the same cells, ids included.

    solved: with the solutions of the exercises in place of their stubs.
    """
    cells = []
    for cell in jupytext.read(path, fmt="py:percent").cells:
        if "exercise" in cell.metadata or "quiz" in cell.metadata:
            parts = exercise_cells(cell.metadata["exercise"], solved) if "exercise" in cell.metadata else quiz_cells(cell.metadata["quiz"])
            for kind, source, tags in parts:
                made = nbformat.v4.new_markdown_cell(source) if kind == "markdown" else nbformat.v4.new_code_cell(source)
                made.metadata = {"tags": list(tags)} if tags else {}
                cells.append(made)
        else:
            cell.metadata = {key: cell.metadata[key] for key in ("tags", "jupyter") if key in cell.metadata}
            cells.append(cell)
    for position, cell in enumerate(cells):
        cell.id = f"{position:03d}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def describe(position: int, cell: nbformat.NotebookNode) -> str:
    """Name a cell so that a person finds it: its number, its kind, its first line."""
    return f"cell {position + 1} ({cell.cell_type}, {(cell.source.strip().splitlines() or ['empty'])[0][:60]!r})"


def drift(source: Path, target: Path) -> list[str]:
    """List what differs between a source and its committed notebook, outputs aside; an empty list says they agree."""
    if not target.exists():
        return [f"{target.name} is missing"]
    fresh, committed = read_source(source), nbformat.read(target, as_version=4)
    found = [] if committed.metadata == fresh.metadata else ["notebook metadata differ"]
    for position, (ours, theirs) in enumerate(zip(fresh.cells, committed.cells)):
        parts = [part for part in ("cell_type", "source", "id", "metadata") if ours[part] != theirs.get(part)]
        if parts:
            found.append(f"{describe(position, ours)}: not the same {', '.join(parts)}")
        elif ours.cell_type == "code" and theirs.execution_count is None:
            found.append(f"{describe(position, ours)}: was never run")
    if len(fresh.cells) != len(committed.cells):
        found.append(f"the source has {len(fresh.cells)} cells, the notebook {len(committed.cells)}")
    return found


def execute(notebook: nbformat.NotebookNode, name: str, folder: Path) -> None:
    """Run every cell in a fresh kernel whose working folder is `folder`. Raises BuildError at the first that fails."""
    # A streamed text arrives in packets of chance length; coalescing them makes two runs alike.
    client = NotebookClient(notebook, timeout=600, record_timing=False, coalesce_streams=True,
                            resources={"metadata": {"path": str(folder)}})
    with tempfile.TemporaryDirectory() as work, client.setup_kernel(env=os.environ | {"MINILM_PROFILE": "ci", "MINILM_WORK": work}):
        for position, cell in enumerate(notebook.cells):
            try:
                client.execute_cell(cell, position)
            except Exception as error:  # the cell raised, it took too long, or the kernel died
                raise BuildError(f"{name}: {describe(position, cell)} failed\n{error}") from error


def settle(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs between two runs, and widgets, which need a kernel; of these their text stays, if they have one."""
    notebook.metadata = nbformat.from_dict(METADATA)  # nbclient adds the Python version and the state of widgets
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        for output in cell.outputs:
            if output.get("data", {}).pop(WIDGET, None):
                output["data"] = {key: text for key, text in output["data"].items() if "text/markdown" in output["data"]}
        dropped = "machine" in cell.metadata.get("tags", [])
        cell.outputs = [] if dropped else [output for output in cell.outputs if output.get("data") != {}]


def picture(cell: nbformat.NotebookNode) -> bytes:
    """Take the PNG that a cell drew. Raises BuildError if it drew none."""
    for output in cell.outputs:
        if "image/png" in output.get("data", {}):
            return base64.b64decode(output.data["image/png"])
    raise BuildError(f"the cell tagged {', '.join(cell.metadata.tags)} drew no picture")


def build(source: Path, target: Path, images: Path = IMAGES) -> None:
    """Run one source, then replace its notebook and pictures. Raises BuildError, changing nothing, if a cell fails."""
    notebook, figures = read_source(source), {}
    execute(notebook, source.stem, target.parent)
    settle(notebook)
    for cell in notebook.cells:
        for tag in (tag for tag in cell.metadata.get("tags", []) if tag.startswith("picture:")):
            figures[images / f"{tag.removeprefix('picture:')}.png"] = picture(cell)
    nbformat.validate(notebook)
    for path, content in (figures | {target: nbformat.writes(notebook).encode() + b"\n"}).items():
        replace(path, content)


def replace(path: Path, content: bytes) -> None:
    """Write a file, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def main(arguments: list[str] | None = None) -> int:
    """Build or check the chapters; return the exit status."""
    parser = argparse.ArgumentParser(description="Build the notebooks from their sources.")
    parser.add_argument("--check", action="store_true", help="run nothing; exit 1 if a notebook has drifted")
    parser.add_argument("names", nargs="*", help="chapters, such as 00_start_here; all of them if none is named")
    options = parser.parse_args(arguments)
    known = {path.stem: path for path in sorted((NOTEBOOKS / "src").glob("*.py"))}
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no source for {', '.join(unknown)}; there are: {', '.join(known)}")
    failed = False
    for name in options.names or known:
        target = NOTEBOOKS / f"{name}.ipynb"
        differences = drift(known[name], target)
        if options.check and differences:
            failed = True
            print(f"{name}.ipynb has drifted; `python notebooks/build.py {name}` mends it", *differences, sep="\n  ")
        elif not options.check and (differences or options.names):
            print(f"{name}: running", flush=True)
            try:
                build(known[name], target)
            except BuildError as error:
                failed = True
                print(f"{error}\n{target.name} was left as it was", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
