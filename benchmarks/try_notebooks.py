"""Does every chapter run where learners run it? `python benchmarks/try_notebooks.py` tries each of them, a cell at a time, in fresh kernels.

- In a copy of the course whose path has blanks and letters beyond ASCII, with empty caches, and with every connection to another machine refused and
  counted: all cells; then all of them again in the same kernel; then, as after a restart, the setup cell and the second half.
- In a copy on which nothing can be written, with an empty home: all cells.
- In a copy that two share, with one home and empty caches: all cells, in two kernels that start at the same moment.

After a restart a cell may miss a name that the first half made: a NameError says so, and such cells are counted. Any other error is a failure, and shown. Cells
with outputs that must stay the same (`nbval-check-output`) are compared with the notebook as it is in the repository. Seconds and memory are those of the first
run: time of a processor, children included, and the most memory that the kernel held at once (both on Linux only). The last line is JSON.

Root can write everywhere: run it as somebody else, or as `unshare -m python benchmarks/try_notebooks.py`, and the second copy is mounted read-only.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import tyro
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
AWKWARD = "a copy of the course, für Übungen 课程"
# Read by every Python that starts with this folder on its path, before any other module.
GUARD = """
import os, socket

def _guarded(method):
    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            with open(os.environ["REFUSED"], "a") as log:
                log.write(f"{address}\\n")
            raise ConnectionRefusedError(f"no network here: {address}")
        return method(self, address)
    return guarded

def _nowhere(host, *rest, _ask=socket.getaddrinfo, **more):
    if host not in (None, "", "localhost", "127.0.0.1", "::1"):
        with open(os.environ["REFUSED"], "a") as log:
            log.write(f"{host}\\n")
        raise socket.gaierror(f"no network here: {host}")
    return _ask(host, *rest, **more)

socket.socket.connect, socket.socket.connect_ex = _guarded(socket.socket.connect), _guarded(socket.socket.connect_ex)
socket.getaddrinfo = _nowhere
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    notebooks: tuple[str, ...] = ()
    """such as 02_tokenizer; without any, all of them"""


class Session:
    """A kernel, and what came of the cells that it ran."""

    def __init__(self, path: Path, env: dict[str, str]):
        self.notebook, self.env = nbformat.read(path, as_version=4), env
        self.code = [(i, cell) for i, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"]
        self.name, self.n_run, self.failed, self.names = path.stem, 0, [], []
        self.client = NotebookClient(self.notebook, timeout=900, record_timing=False, coalesce_streams=True, resources={"metadata": {"path": str(path.parent)}})

    @contextmanager
    def kernel(self):
        with self.client.setup_kernel(env=self.env):
            yield self

    def run(self, cells: Iterable[tuple[int, nbformat.NotebookNode]]) -> None:
        """Run cells; one that fails is remembered, and the next has its turn, as when a person goes on."""
        for i, cell in cells:
            self.n_run += 1
            try:
                self.client.execute_cell(cell, i)
            except CellExecutionError as error:
                (self.names if error.ename == "NameError" else self.failed).append(f"{self.name}, cell {i + 1}: {error.ename}: {error.evalue}"[:600])
            except (DeadKernelError, TimeoutError) as error:
                self.failed.append(f"{self.name}, cell {i + 1}: {type(error).__name__}")
                return

    def needed(self) -> dict[str, float]:
        """Seconds of a processor, and the most memory held in MB of 10^6 bytes; nothing where the system does not tell."""
        folder = Path(f"/proc/{self.client.km.provisioner.pid}")
        if not folder.exists():
            return {}
        ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:15]  # user and system, of the kernel and of the children it waited for
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", (folder / "status").read_text())
        return {"seconds": round(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), 1), "megabytes": round(1.024e-3 * int(kilobytes))}


def settled(cell: nbformat.NotebookNode) -> str:
    """The text that a cell shows."""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def copy_of_the_course(folder: Path) -> Path:
    """What a clone has, without what was made since."""
    ignored = shutil.ignore_patterns("cache", "__pycache__", ".ipynb_checkpoints", "*.egg-info")
    for name in ("minilm", "notebooks", "data", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def make_read_only(folder: Path) -> None:
    """Take away everybody's right to write, or, from root, the disk's. Raises OSError when writing is still possible."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    if os.access(folder, os.W_OK):
        for options in (["--bind"], ["-o", "remount,bind,ro"]):
            subprocess.run(["mount", *options, folder, folder], check=True)
    if os.access(folder, os.W_OK):
        raise OSError(f"{folder} can still be written; run this as another user than root, or by `unshare -m`")


def environment(place: Path, course: Path) -> dict[str, str]:
    """For kernels: the copy of the course goes before the installed one, home is empty, and there is no network."""
    (place / "guard").mkdir(exist_ok=True)
    (place / "guard" / "sitecustomize.py").write_text(GUARD)
    home = place / f"home of {course.name}"
    home.mkdir()
    env = {key: value for key, value in os.environ.items() if key not in ("MINILM_WORK", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    dead = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return env | dead | {"PYTHONPATH": f"{place / 'guard'}{os.pathsep}{course}", "HOME": str(home), "MINILM_PROFILE": "ci", "REFUSED": str(place / "refused")}


def try_in_the_copy(path: Path, env: dict[str, str], values: dict) -> list[str]:
    """The first three trials of a chapter; add what was found to `values`, return what failed."""
    whole, after = Session(path, env), Session(path, env)
    expected = [settled(cell) for _, cell in whole.code]
    with whole.kernel():
        whole.run(whole.code)
        values.update({f"{path.stem}_{what}": value for what, value in whole.needed().items()})
        must_stay = [k for k, (_, cell) in enumerate(whole.code) if "nbval-check-output" in cell.metadata.get("tags", [])]
        differ = [f"{path.stem}: the output of code cell {k + 1} differs" for k in must_stay if settled(whole.code[k][1]) != expected[k]]
        whole.run(whole.code)
    with after.kernel():
        after.run([after.code[0], *after.code[len(after.code) // 2 :]])
    values["cells"] += whole.n_run + after.n_run
    values["compared"] += len(must_stay)
    values["restart_cells"] += after.n_run
    values["restart_name_errors"] += len(after.names)
    print(*after.names, sep="\n")
    return differ + whole.failed + whole.names + after.failed


def try_read_only(path: Path, env: dict[str, str], values: dict) -> list[str]:
    session = Session(path, env)
    with session.kernel():
        session.run(session.code)
    values["cells"] += session.n_run
    return [f"read-only: {one}" for one in session.failed + session.names]


def try_two_at_once(path: Path, env: dict[str, str], values: dict) -> list[str]:
    def run_whole(session: Session) -> Session:
        with session.kernel():
            session.run(session.code)
        return session

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(run_whole, [Session(path, env), Session(path, env)]))
    values["cells"] += sum(session.n_run for session in both)
    return [f"two at once: {one}" for session in both for one in session.failed + session.names]


def main(options: Options) -> None:
    place = Path(tempfile.mkdtemp())
    names = options.notebooks or sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    values = dict.fromkeys(("notebooks", "cells", "compared", "restart_cells", "restart_name_errors", "failed", "refused"), 0) | {"notebooks": len(names)}
    failed = []
    try:
        copy, locked, shared = (copy_of_the_course(place / name) for name in (AWKWARD, "read-only", "shared by two"))
        make_read_only(locked)
        for course, trial in ((copy, try_in_the_copy), (locked, try_read_only), (shared, try_two_at_once)):
            env = environment(place, course)
            for name in names:
                found = trial(course / "notebooks" / f"{name}.ipynb", env, values)
                print(f"{trial.__name__} {name}: {'; '.join(found) or 'as it should be'}", flush=True)
                failed += found
        left = sorted(path.relative_to(place).as_posix() for path in place.glob("home of read-only/**/*") if "minilm" in path.as_posix())
        print("written beside the read-only copy:", *left[:12])
        if (place / "refused").exists():
            print("refused:", *(lines := (place / "refused").read_text().splitlines()), sep="\n")
            values["refused"] = len(lines)
    finally:
        subprocess.run(["umount", place / "read-only"], check=False, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)
    print(json.dumps(values | {"failed": len(failed)}))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
