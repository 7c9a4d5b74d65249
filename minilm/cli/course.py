"""Commands of the course and its pages: `start | progress | results | guide | explorer`."""

from pathlib import Path

from tyro.conf import Positional

from minilm.config import ROOT


def results(out: Path = ROOT / "docs" / "RESULTS.md") -> None:
    """Write docs/RESULTS.md anew, from the records in data/ and the words in docs/results.md.in.

    Args:
        out: File to write.
    """
    from minilm.results import page

    out.write_text(page(), encoding="utf-8")
    print(out)


def guide(out: Path = ROOT / "docs") -> None:
    """Write what is made from the chapters anew: docs/EXERCISES.md, GLOSSARY.md, TEACHING.md, and the map of the chapters.

    Args:
        out: Folder to write to.
    """
    from minilm.guide import write

    for path in write(out):
        print(path)


def explorer(out: Path = ROOT / "docs" / "explorer.html") -> None:
    """Write the Chinchilla explorer as one page that a browser opens from the disk: how large a model, on how many tokens?

    Args:
        out: File to write.
    """
    from minilm.explorer import explorer_page

    out.write_text(explorer_page(), encoding="utf-8")
    print(out)


def start(chapter: Positional[str]) -> None:
    """Copy a chapter into your own folder, work/, to solve it there. What you wrote is never overwritten.

    Args:
        chapter: Its number, such as 02.
    """
    from minilm.course.progress import start as copy

    path, is_new = copy(chapter)
    if is_new:
        print(f"{path} is yours now. Open it by: jupyter lab {path}")
    else:
        print(f"{path} is there already and was left as it is. To begin anew beside it, give it another name first.")


def progress() -> None:
    """Show which exercises and quizzes of the course are done."""
    from minilm.course import progress as done

    rows = done.table()
    lines = [list(rows[0]), *(list(map(str, row.values())) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())
    print(f"\nKept in {done.progress_file()}; nothing leaves this machine.")
