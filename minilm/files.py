"""How is a file read that anybody may have changed? So that whatever stands in it ends in words, and nothing in it can run.

JSON and CSV only. A file may be cut, empty, of another kind, nested a hundred thousand levels deep, or a folder: the answer names it and says what is
wrong (`read_json`, `read_rows`). Weights are safetensors, read in `minilm.checkpoint` and `minilm.numpy_model`; no file is ever unpickled, and a test looks.

Used by all that keeps something. Left out on purpose: checksums. A flipped bit of a weight is a weight.
"""

import csv
import json
from pathlib import Path


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
        table = csv.DictReader(read_text(path).splitlines(keepends=True))
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
