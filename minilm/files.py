"""How is a file read that anybody may have changed, and written so that nobody meets half of it?

JSON and CSV only. A file may be cut, empty, of another kind, nested a hundred thousand levels deep, or a folder: whatever stands in it ends in words,
and nothing in it can run; the answer names it and says what is wrong (`read_json`, `read_rows`). What is written takes its name when it is whole
(`whole_file`). Weights are safetensors, read in `minilm.checkpoint` and `minilm.numpy_model`; no file is ever unpickled, and a test looks.

Used by all that keeps something. Left out on purpose: checksums. A flipped bit of a weight is a weight.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def read_json(path: Path, what: str, advice: str = "copy it again from where it is whole") -> dict:
    """Read an object of settings. what: such as "a model's config", for the message; advice: what to do.

    Raises FileNotFoundError, and ValueError for whatever is no such file.
    """
    return as_object(read_text(path), f"{path} is not {what}", advice)


def as_object(text: str, complaint: str, advice: str) -> dict:
    """Read a text as a JSON object; a ValueError begins with the complaint and ends with the advice."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{complaint}: {error}; {advice}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{complaint}: it holds {type(found).__name__}, not an object with names; {advice}")
    return found


def read_rows(path: Path, *needed: str) -> list[dict[str, str]]:
    """Read a table (CSV) as its rows. needed: columns without which it is no such table.

    Raises FileNotFoundError, and ValueError for what is no table.
    """
    try:
        table = csv.DictReader(io.StringIO(read_text(path)))  # not splitlines: a text may hold marks that Python, but not CSV, takes for the end of a line
        rows, names = list(table), table.fieldnames or []
    except csv.Error as error:
        raise ValueError(f"{path} is not a table (CSV): {error}") from None
    if missing := [name for name in needed if name not in names or any(row[name] is None for row in rows)]:
        raise ValueError(f"{path} has no column {' and '.join(missing)}, or not in every row; its first line names {', '.join(names)[:200] or 'nothing'}")
    return rows


def read_text(path: Path) -> str:
    """Read a UTF-8 text. Raises FileNotFoundError, and ValueError for a folder and for what is no text."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a file, or take the folder away")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start:,}); it is damaged, or another kind of file") from None


@contextmanager
def whole_file(path: Path, mode: str = "w") -> Iterator[IO]:
    """Give a file to write in, UTF-8 if it is text; it takes its real name only when all is written, so that a reader meets the old one or the new one.

    Its first name is of this process, for another may be writing the same. Where writing fails nothing is left of it.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open(mode, **({} if "b" in mode else {"encoding": "utf-8", "newline": ""})) as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, content: dict) -> None:
    """Write an object of settings, all of it or nothing."""
    with whole_file(path) as file:
        file.write(json.dumps(content, indent=2) + "\n")


def write_rows(path: Path, rows: Iterable[Mapping]) -> None:
    """Write a table (CSV), all of it or nothing; folders are made as needed. Columns are those of the last row, then what only earlier rows have."""
    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        writer = csv.DictWriter(file, fieldnames=dict.fromkeys(name for row in reversed(rows) for name in row), restval="")
        writer.writeheader()
        writer.writerows(rows)
