"""How do the chapters hang together? Pages about the course, made from the chapters, so that they cannot fall behind.

The ideas in order: what README and a chapter's own source say about it (`Chapter`); an index of every exercise (`exercises`); pages with words of their
own and marks for what the chapters know (`page`); which chapter takes which idea of which other (`read_links`), in words (`in_words`) and as a picture (`draw_map`).
A mark is a name and, perhaps, chapters: `{chapter 02}` is a link, `{minutes 02 03}` the sum of two numbers of README's table.

Used by `minilm guide`. Left out on purpose: anything that the chapters do not say themselves.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt

from minilm import plots
from minilm.config import ROOT
from minilm.course.exercise import chapter, chapter_numbers, find
from minilm.course.pages import STARS

DOCS = ROOT / "docs"
PAGES = ("GLOSSARY", "TEACHING")  # made from templates, docs/glossary.md.in and docs/teaching.md.in
PICTURE = "concept_map.png"
ROW = re.compile(r"\| (\d\d) \| \[(.+?)\]\(notebooks/(\w+)\.ipynb\) \| (.+?) \| (\d+) \| .+ \|")
MARK = re.compile(r"\{(\w+)((?: \d\d)*)\}")
NUMBER = re.compile(r"\b\d\d\.\d+\b")  # of an exercise
ABOVE = """# Exercises

Every exercise and what it takes. Made by `minilm guide` from `minilm/course/exercises`; do not edit it. The last column says what a passed check has shown;
how a check works is in [WRITING.md](WRITING.md#an-exercise)."""


@dataclass(frozen=True)
class Chapter:
    """A row of README's table."""

    number: str
    name: str
    question: str
    file: str
    minutes: int

    @property
    def source(self) -> str:
        """The text of the chapter's source, comments' marks taken away."""
        path = ROOT / "notebooks" / "src" / f"{self.file}.py"
        return re.sub(r"^# ?", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)

    @property
    def link(self) -> str:
        """A link from a page in docs/."""
        return f"[{self.number}](../notebooks/{self.file}.ipynb)"

    @property
    def homework(self) -> str:
        """What the chapter's walkthrough sets as homework. Raises ValueError if it sets none."""
        found = re.search(r"^Homework: (.+)\.$", self.source, flags=re.MULTILINE)
        if not found:
            raise ValueError(f"{self.file} sets no homework; the walkthrough ends with a line `Homework: 02.3 and 02.5.`")
        return found[1]

    @property
    def homework_minutes(self) -> int:
        """What the exercises of the homework take together."""
        return sum(find(number).minutes for number in NUMBER.findall(self.homework))

    @property
    def n_shown(self) -> int:
        """The cells that a teacher shows."""
        return len(re.findall(r'^%% .*"walkthrough"', self.source, flags=re.MULTILINE))


def chapters(readme: Path = ROOT / "README.md") -> dict[str, Chapter]:
    """The chapters by their numbers, as README's table has them. Raises ValueError if it has none."""
    rows = map(ROW.fullmatch, readme.read_text(encoding="utf-8").splitlines())
    found = {row[1]: Chapter(row[1], row[2].replace("_", " "), row[4], row[3], int(row[5])) for row in rows if row}
    if not found:
        raise ValueError(f"{readme.name} has no table of chapters; a row is | 02 | [tokenizer](notebooks/02_tokenizer.ipynb) | question | 85 | 16 | 414 |")
    return found


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table in Markdown. names: those of the columns, with a colon if the column holds numbers."""
    lines = [[name.rstrip(":") for name in names], ["---:" if name.endswith(":") else "---" for name in names], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


# Exercises


def exercises() -> str:
    """The text of docs/EXERCISES.md: every exercise of the course, with minutes and what its check verifies."""
    known, ours = chapters(), [chapter(number) for number in chapter_numbers()]
    rows = [(known[one.number].link, known[one.number].name, len(one.exercises), sum(part.minutes for part in one.exercises), len(one.quiz)) for one in ours]
    totals = [sum(row[column] for row in rows) for column in (2, 3, 4)]
    kinds = Counter(part.kind for one in ours for part in one.exercises)
    parts = [
        ABOVE,
        table(("", "chapter", "exercises:", "minutes:", "questions of the quiz:"), [*rows, ("", "**all**", *(f"**{total}**" for total in totals))]),
        f"By kind: {', '.join(f'{n} × {kind}' for kind, n in kinds.most_common())}.",
    ]
    for one in ours:
        about = known[one.number]
        below = table(("", "exercise", "kind", "difficulty", "minutes:", "checked"), map(_row, one.exercises))
        parts += [f"## {about.number} {about.name}\n\n{about.question}", below]
    return "\n\n".join(parts) + "\n"


def _row(exercise) -> tuple:
    """A row of the index; the link leads to the exercise's heading, as JupyterLab and exported pages name it."""
    place = f"../notebooks/{chapters()[exercise.number[:2]].file}.ipynb#{exercise.number}-{exercise.title.replace(' ', '-')}"
    return f"[{exercise.number}]({place})", exercise.title, exercise.kind, STARS[exercise.difficulty], exercise.minutes, exercise.verified


# Pages with words of their own


def page(name: str, docs: Path = DOCS) -> str:
    """The text of docs/NAME.md, from its template. Raises ValueError for a mark or a chapter that does not exist."""
    template = docs / f"{name.lower()}.md.in"
    known, marks = chapters(), MARKS | {"map": lambda _: in_words(read_links())}

    def fill(mark: re.Match) -> str:
        if mark[1] not in marks or not set(mark[2].split()) <= set(known):
            raise ValueError(f"{template.name}: {mark[0]} is no mark; marks are {', '.join(marks)}, chapters {', '.join(known)}")
        return marks[mark[1]]([known[number] for number in mark[2].split()])

    return MARK.sub(fill, template.read_text(encoding="utf-8"))


def write(folder: Path) -> list[Path]:
    """Write all pages and the map into a folder; return their paths."""
    pages = {"EXERCISES": exercises()} | {name: page(name) for name in PAGES}
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    draw_map(folder / "images" / PICTURE)
    return [folder / f"{name}.md" for name in pages] + [folder / "images" / PICTURE]


def _minutes(some: Iterable[Chapter]) -> str:
    return str(sum(one.minutes for one in some))


def _overview(_) -> str:
    """The chapters as a teacher needs them."""
    rows = [(one.link, one.name, one.minutes, sum(part.minutes for part in chapter(one.number).exercises), one.n_shown, one.homework, one.homework_minutes)
            for one in chapters().values()]  # fmt: skip
    return table(("", "chapter", "minutes:", "of them exercises:", "cells to show:", "homework", "its exercises, minutes:"), rows)


MARKS: dict[str, Callable[[list[Chapter]], str]] = {
    "chapter": lambda some: ", ".join(one.link for one in some),
    "minutes": _minutes,
    "homework": lambda some: "; ".join(one.homework for one in some),
    "overview": _overview,
    "all_minutes": lambda _: _minutes(chapters().values()),
    "all_exercises": lambda _: str(sum(len(chapter(number).exercises) for number in chapter_numbers())),
    "all_questions": lambda _: str(sum(len(chapter(number).quiz) for number in chapter_numbers())),
}


# The map


@dataclass(frozen=True)
class Link:
    """An idea of the chapter `source` that the chapter `target` takes; `needed`, or only helpful."""

    source: str
    target: str
    idea: str
    needed: bool


def read_links(path: Path = DOCS / "concept_map.csv") -> list[Link]:
    """Which chapter takes what from which. Raises ValueError for a row that says neither "needs" nor "helps", or leads backwards."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = chapters()
    for row in rows:
        if row["how"] not in ("needs", "helps") or not {row["chapter"], row["takes_from"]} <= set(known) or row["takes_from"] >= row["chapter"]:
            raise ValueError(f"{path.name}: {row} should name two chapters, the later one first, and say needs or helps")
    return [Link(row["takes_from"], row["chapter"], row["idea"], row["how"] == "needs") for row in rows]


def in_words(links: Sequence[Link]) -> str:
    """The map in a paragraph, for those who cannot see it."""
    parts = []
    for number, one in chapters().items():
        taken = [f"{link.idea} from {link.source}{'' if link.needed else ' (helpful)'}" for link in links if link.target == number]
        parts.append(f"{number} {one.name} takes {', '.join(taken) or 'nothing from other chapters'}.")
    return f"A map of the chapters, one below the other, with arcs from each to those that take something from it. {' '.join(parts)}"


def draw_map(path: Path) -> None:
    """Draw the map of the chapters; what it shows stands in the picture's file too, so that a test can tell whether it is still true."""
    known, links = chapters(), read_links()
    needing = Counter(link.source for link in links if link.needed)
    most = max(known, key=lambda number: needing[number])
    with plots.style():
        fig, ax = plt.subplots(figsize=(7.5, 8))
        plots.chapter_map(ax, {number: one.name for number, one in known.items()}, links)
        ax.set_title(f"Chapter {most} is needed by {needing[most]} of the chapters after it")
        fig.savefig(path, dpi=200, bbox_inches="tight", facecolor="white", metadata={"Software": None, "Description": in_words(links)})
        plt.close(fig)
