"""Would the tests notice? `python tests/mutants.py [WORD]`: plant each mistake of a table in a copy of the code and run the test that must fail.

Each entry of `mutants.toml` names a file, the text that stands there once, what a mistake would make of it, and the test. Every test of the
table must pass on the untouched copy, or its failing would prove nothing; then each mistake is planted alone. The working tree is never touched. A word runs only the entries that hold it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("minilm", "tests", "benchmarks", "data", "notebooks", "docs", "binder", ".github", "README.md", "LICENSE", "Makefile", "pyproject.toml",
          "constraints.txt", "environment.yml")  # fmt: skip


def copy_of_the_tree(folder: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("cache", "__pycache__"))
        else:
            shutil.copyfile(source, folder / name)
    return folder


def failures(tree: Path, *tests: str) -> str:
    """Run tests against the code in a tree; return pytest's last lines if something failed, else nothing."""
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore"]
    # One thread each, since two run side by side; the copy goes before the installed package.
    env = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", *options, *tests], cwd=tree, env=env, capture_output=True, text=True)
    if done.returncode not in (0, 1):  # 1 says that a test failed; anything else, that none was run
        raise RuntimeError(f"pytest could not run {' '.join(tests)}:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
    return done.stdout[-1500:] if done.returncode else ""


def survives(mutant: dict[str, str]) -> bool:
    """Plant one mistake in a fresh copy; tell whether its test passes all the same."""
    file, old, new = mutant["file"], mutant["old"], mutant["new"]
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_of_the_tree(Path(folder))
        source = (tree / file).read_text()
        if source.count(old) != 1:
            raise ValueError(f"{file}: the text to replace occurs {source.count(old)} times, not once: {old!r}")
        (tree / file).write_text(source.replace(old, new))
        return not failures(tree, mutant["test"])


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    table = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text())["mutant"]
    mutants = [mutant for mutant in table if word in " ".join(mutant.values())]
    with tempfile.TemporaryDirectory() as folder:
        if failed := failures(copy_of_the_tree(Path(folder)), *dict.fromkeys(mutant["test"] for mutant in mutants)):
            print(f"the untouched code fails already:\n{failed}", file=sys.stderr)
            return 2
    n_alive = 0
    with ThreadPoolExecutor(2) as pool:
        for mutant, alive in zip(mutants, pool.map(survives, mutants)):
            n_alive += alive
            change = f"{mutant['old'].strip()[:50]!r} -> {mutant['new'].strip()[:50]!r}"
            print(f"{'SURVIVED' if alive else 'noticed '} {mutant['file']}: {change}, by {mutant['test']}", flush=True)
    print(f"{len(mutants) - n_alive} of {len(mutants)} mistakes were noticed")
    return int(bool(n_alive) or not mutants)


if __name__ == "__main__":
    sys.exit(main())
