"""Run a benchmark and keep what it found: `python benchmarks/keep.py NAME COMMAND ...` writes data/runs/benchmarks/NAME.json.

A name with a folder, such as reliability/fuzz_tokenizer, is kept in that folder of data/runs. The command's last line must be JSON, as that of every benchmark is (and of `minilm grade --json`). `minilm results` puts it into docs/RESULTS.md.
"""

import json
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from minilm.checkpoint import write_json
from minilm.config import DATA, ROOT
from minilm.runs import environment

N_LINES = 100  # of what was printed before the last line


def without_paths(words: list[str]) -> str:
    """The command as others can read it: PATH stands for what lies outside the repository."""
    kept = [Path(words[0]).name]
    for word in words[1:]:
        option, equals, value = word.rpartition("=")
        is_local = "/" in value and ROOT not in Path(value).resolve().parents
        kept.append(f"{option}{equals}PATH" if is_local else word)
    return shlex.join(kept)


def keep(name: str, words: list[str], folder: Path = DATA / "runs" / "benchmarks") -> Path:
    """Run a command, show what it prints, and keep it; return the record's path. Raises ValueError when it fails or ends without JSON."""
    lines = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    try:
        values = json.loads(lines[-1])
    except (json.JSONDecodeError, IndexError):
        values = None
    if running.returncode or not isinstance(values, dict):
        raise ValueError(f"{words[0]} ended with status {running.returncode}, or its last line is not JSON; nothing was kept")
    record = {"command": without_paths(words), "date": datetime.now(UTC).date().isoformat(), **environment()}
    del record["threads"], record["processes"]  # those of this process, not of the command's
    record |= {"values": values, "printed": lines[-N_LINES - 1 : -1]}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    write_json(path, record)
    return path


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        *folder, name = sys.argv[1].split("/")
        print(keep(name, sys.argv[2:], (DATA / "runs").joinpath(*folder or ["benchmarks"])))
    except (OSError, ValueError) as error:
        sys.exit(f"keep: {error}")
