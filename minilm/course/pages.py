"""How does an exercise look in a notebook? As four cells: the task, the stub, its check, and hints with the solution folded away.

`notebooks/build.py` puts these cells where a source says `# %% exercise="02.3"` or `# %% quiz="02"`, so nothing is written twice. Solved, the stub's place
is taken by the solution.
"""

from typing import NamedTuple

from minilm.course.exercise import Exercise, find

STARS = {1: "★☆☆", 2: "★★☆", 3: "★★★"}


class Cell(NamedTuple):
    """A cell of a notebook: "markdown" or "code", its text, its tags."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


def exercise_cells(number: str, solved: bool = False) -> list[Cell]:
    """Write the cells of an exercise. Raises ValueError if there is none of that number."""
    exercise = find(number)
    head = f"### {number} {exercise.title}\n\n*{exercise.kind.capitalize()}, {exercise.minutes} minutes, {STARS[exercise.difficulty]}*"
    answer = exercise.solution_answer if solved else exercise.stub_answer
    return [
        Cell("markdown", f"{head}\n\n{exercise.prompt}"),
        Cell("code", answer.source, ("exercise",)),
        Cell("code", f'{exercise.name} = check("{number}", {exercise.name})', ("check",)),
        Cell("markdown", _folded(exercise)),
    ]


def quiz_cells(number: str) -> list[Cell]:
    """Write the cells of a chapter's quiz."""
    return [Cell("markdown", "## Quiz\n\nThe first attempt counts. Every answer, right or wrong, says why."),
            Cell("code", f'quiz("{number}")', ("nbval-ignore-output",))]  # fmt: skip


def _folded(exercise: Exercise) -> str:
    parts = {"Hint 1": exercise.hints[0], "Hint 2": exercise.hints[1]}
    parts["Solution"] = f"```python\n{exercise.solution_answer.source}\n```" + (f"\n\n{exercise.explanation}" if exercise.explanation else "")
    return "\n\n".join(f"<details><summary>{name}</summary>\n\n{text}\n\n</details>" for name, text in parts.items())
