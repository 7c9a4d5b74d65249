"""What is done already? A small JSON file in the learner's own folder, and nothing leaves the machine.

`{"exercises": {"02.1": {"attempts": 3, "passed": "2026-11-25"}}, "quizzes": {"02": {"right": 4, "of": 5}}}`. `minilm progress` and chapter 00 show it.
`start` copies a chapter to where the learner may write in it, so that a newer version of the course never meets those edits.
"""

import json
from datetime import date
from pathlib import Path

from minilm.config import ROOT, WORK
from minilm.course.exercise import chapter, chapter_numbers
from minilm.files import read_json, whole_file

NOTEBOOKS = ROOT / "notebooks"
NUMBERS = {"exercises": ("attempts",), "quizzes": ("right", "of")}  # what is counted of each


def progress_file() -> Path:
    return WORK / "progress.json"


def read() -> dict[str, dict]:
    """Read what is done; nothing is done if there is no file. Raises ValueError if the file is damaged."""
    path = progress_file()
    if not path.exists():
        return {"exercises": {}, "quizzes": {}}
    found = read_json(path, "a whole progress file", "mend it, or rename it to begin anew")
    try:
        done = {what: {name: dict(entry) for name, entry in found[what].items()} for what in NUMBERS}
        if wrong := [name for what, keys in NUMBERS.items() for name, entry in done[what].items() if not all(type(entry[key]) is int for key in keys)]:
            raise ValueError(f"the numbers of {', '.join(wrong)} are no whole numbers")
        return done
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a whole progress file ({error}); mend it, or rename it to begin anew") from error


def record_exercise(number: str, passed: bool) -> None:
    """Count an attempt, and keep the day of the first that passed."""
    done = read()
    entry = done["exercises"].setdefault(number, {"attempts": 0})
    entry["attempts"] += 1
    if passed:
        entry.setdefault("passed", date.today().isoformat())
    _write(done)


def record_quiz(number: str, right: int, of: int) -> None:
    """Keep how many questions of a quiz were answered rightly at once, if that is more than before."""
    done = read()
    if right >= done["quizzes"].get(number, {"right": 0})["right"]:
        done["quizzes"][number] = {"right": right, "of": of}
        _write(done)


def _write(done: dict) -> None:
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(json.dumps(done, indent=1, sort_keys=True) + "\n")


def table() -> list[dict[str, object]]:
    """One row for each chapter that has exercises: how many are passed, how the quiz went, and what is next."""
    done, rows = read(), []
    for number in chapter_numbers():
        one = chapter(number)
        entries = [done["exercises"].get(exercise.number, {}) for exercise in one.exercises]
        n_passed, quiz = sum("passed" in entry for entry in entries), done["quizzes"].get(number)
        missing = [exercise.number for exercise, entry in zip(one.exercises, entries) if "passed" not in entry]
        rows.append({
            "chapter": notebook(number).stem.replace("_", " "),
            "exercises passed": f"{n_passed} of {len(entries)}",
            "quiz": f"{quiz['right']} of {quiz['of']}" if quiz else f"– of {len(one.quiz)}",
            "minutes left": sum(exercise.minutes for exercise in one.exercises if exercise.number in missing),
            "next": missing[0] if missing else "done",
        })  # fmt: skip
    return rows


def notebook(number: str) -> Path:
    """Find the notebook of a chapter. Raises ValueError if there is none."""
    found = sorted(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    if not number or len(found) != 1:
        known = ", ".join(path.stem[:2] for path in sorted(NOTEBOOKS.glob("*.ipynb")))
        raise ValueError(f"there is no chapter {number!r}; there are {known}")
    return found[0]


def start(number: str) -> tuple[Path, bool]:
    """Copy a chapter into the learner's folder, unless it is there; return where it is, and whether it was copied now."""
    source = notebook(number)
    target = WORK / source.name
    if target.exists():
        return target, False
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:  # fails if the file has come to be in the meantime
        file.write(source.read_bytes())
    return target, True
