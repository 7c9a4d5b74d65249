"""One source of dependencies: pyproject.toml. What repeats it must agree, and what is installed must satisfy it."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from minilm.cli import COMMANDS
from minilm.config import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
FIXED = {"jupyterlab", "torch", "numpy", "matplotlib", "tiktoken", "nbval", "ipywidgets"}  # what the course is known to stand on


def ranges(lines: list[str]) -> dict[str, SpecifierSet]:
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one.specifier for one in found if one.name != "minilm"}


def pins() -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    return {canonicalize_name(name): pin for name, pin in (line.split("==") for line in lines if line)}


def test_conda_users_get_the_same_packages_and_python():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *packages, last = environment["dependencies"]
    (first, *listed, ours) = last["pip"]
    assert ranges(listed) == ranges(PROJECT["dependencies"])
    assert (first, ours) == ("--constraint constraints.txt", "-e .[test]")
    assert packages == [f"python{PROJECT['requires-python']}", "pip"]


def test_binder_gets_the_same_packages_without_torch():
    lines = [line for line in (ROOT / "binder" / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "-c ../constraints.txt" and (ROOT / "binder" / lines[0].split()[1]).resolve() == ROOT / "constraints.txt"
    wanted = ranges(PROJECT["dependencies"])
    del wanted["torch"]
    assert ranges(lines[1:]) == wanted
    assert (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-") in SpecifierSet(PROJECT["requires-python"])
    script = ROOT / "binder" / "postBuild"
    assert script.stat().st_mode & 0o111 and script.read_text().startswith("#!/bin/sh\n") and "pip install --no-deps -e .\n" in script.read_text()


def test_links_to_binder_and_colab_open_what_exists_and_say_that_they_were_not_tried():
    section = re.search(r"^## On Binder or Colab\n(.*?)^## ", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)[1]
    binder = re.findall(r"\(https://mybinder\.org/v2/gh/OWNER/minilm/HEAD\?labpath=(notebooks/\w+\.ipynb)\)", section)
    colab = re.findall(r"\(https://colab\.research\.google\.com/github/OWNER/minilm/blob/main/(notebooks/\w+\.ipynb)\)", section)
    assert binder and colab and len(binder + colab) == section.count("](https://")
    assert not [path for path in binder + colab if not (ROOT / path).is_file()]
    # Binder's machine has no torch; tests/test_notebooks.py shows that these two need none.
    assert {Path(path).stem for path in binder} <= {"10_scaling_laws", "11_tradeoffs"}
    assert "Neither has been tried here." in section


def test_the_workflow_runs_the_tests_at_every_push_and_every_week():
    text = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    workflow = yaml.safe_load(text)
    events = workflow[True]  # YAML 1.1 takes the word `on` for true
    minute, hour, day, month, weekday = events["schedule"][0]["cron"].split()
    assert "push" in events and minute.isdigit() and hour.isdigit() and (day, month) == ("*", "*") and weekday in "0123456"
    make, conda = workflow["jobs"]["make"], workflow["jobs"]["conda"]
    assert "make test PYTHON=python" in [step.get("run") for step in make["steps"]]
    assert make["strategy"]["matrix"]["python"][0] == "3.11" and all(one in SpecifierSet(PROJECT["requires-python"]) for one in make["strategy"]["matrix"]["python"])
    assert [step["with"]["environment-file"] for step in conda["steps"] if "environment-file" in step.get("with", {})] == ["environment.yml"]
    assert "not yet run there" in text and "that has not been tried here either" in (ROOT / "README.md").read_text()
    # What `make test` installs is what pyproject.toml names, in the versions of constraints.txt.
    assert (ROOT / "Makefile").read_text().count('install -c constraints.txt -e ".[test]"; \\\n') == 2


def test_the_packages_the_course_is_known_for_are_there():
    assert FIXED <= ranges(PROJECT["dependencies"]).keys()
    assert EXTRAS.keys() == {"test", "bench", "data", "judge", "export"}


def test_every_direct_package_is_pinned_within_its_range():
    pinned = pins()
    for name, wanted in ranges([*PROJECT["dependencies"], *chain.from_iterable(EXTRAS.values())]).items():
        assert name in pinned, f"constraints.txt does not pin {name}"
        assert pinned[name] in wanted, f"constraints.txt pins {name} {pinned[name]}, outside {wanted}"


def test_what_is_installed_is_the_tested_set():
    different = {}
    for name, pin in pins().items():
        try:
            installed = version(name).split("+")[0]  # 2.13.0+cpu is the CPU build of 2.13.0
        except PackageNotFoundError:
            continue  # not every machine needs every package
        if installed != pin:
            different[name] = (installed, pin)
    assert not different, "installed, pinned"
    assert sys.version_info[:2] >= (3, 11)


def test_no_name_is_imported_and_not_used_or_used_and_not_known():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def commands_in_the_readme() -> list[list[str]]:
    blocks = re.findall(r"```(?:sh|console|powershell)\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    lines = [line.split(" # ")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line, posix=False) for line in lines if line and not line.startswith("#")]


def test_the_readme_names_only_what_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    commands = commands_in_the_readme()
    assert len(commands) > 8
    for words in commands:
        if words[0] == "make":
            assert words[1] in targets, words
        if words[0] == "minilm":
            assert words[1] in COMMANDS, words


FLOORS = [
    "files processes", "config storyworld tokenizer attention loss ngram facts quantise", "corpora items scaling model optim numpy_model plots surface", "data checkpoint device generate variants widgets judge", "evaluate export", "course explorer train", "distributed", "runs", "trials", "experiments ladder sweep", "good_data", "guide reproductions results", "cli",
]  # fmt: skip
FLOOR = {module: height for height, modules in enumerate(FLOORS) for module in modules.split()}


def imported_from_minilm(path: Path) -> set[str]:
    """Names of the modules of the package that a file imports, at its head or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} if node.module != "minilm" else {f"minilm.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("minilm.")}  # a subpackage is one module


@pytest.mark.parametrize("path", sorted((ROOT / "minilm").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_one_way(path):
    module = path.relative_to(ROOT / "minilm").with_suffix("").parts[0]
    if module == "__init__":
        assert not imported_from_minilm(path)
        return
    assert module in FLOOR, f"say on which floor {path.name} stands"
    assert not {other for other in imported_from_minilm(path) - {module} if FLOOR[other] >= FLOOR[module]}


def test_the_ground_floor_needs_no_torch_where_it_promises_so():
    code = "import sys, minilm.config, minilm.processes, minilm.tokenizer, minilm.corpora, minilm.plots, minilm.storyworld, minilm.facts, minilm.items, minilm.ngram, minilm.scaling, minilm.numpy_model, minilm.course, minilm.surface, minilm.judge, minilm.quantise; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Modules that an import may load at most, Python's own included, and what must not be among them. Counts say what seconds say, on any machine.
@pytest.mark.parametrize("module, n_most, without", [
    ("minilm", 5, "numpy"), ("minilm.config", 40, "numpy"), ("minilm.tokenizer", 120, "numpy scipy matplotlib tiktoken"), ("minilm.cli", 250, "torch numpy matplotlib"),
    ("minilm.scaling", 800, "torch matplotlib ipywidgets"), ("minilm.plots", 650, "torch scipy ipywidgets"), ("minilm.explorer", 1300, "torch transformers pandas"),
])  # fmt: skip
def test_an_import_loads_little(module, n_most, without):
    code = f"import sys; before = len(sys.modules); import {module}; print(len(sys.modules) - before, *{{name.split('.')[0] for name in sys.modules}})"
    n_loaded, *names = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert int(n_loaded) <= n_most and not set(names) & set(without.split())


def test_every_planted_mistake_has_its_place_and_its_test():
    table = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
    assert len({(mutant["file"], mutant["old"], mutant["new"]) for mutant in table}) == len(table)
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for mutant in table for name in (mutant["file"], mutant["test"].split("::")[0])}
    for mutant in table:
        assert texts[mutant["file"]].count(mutant["old"]) == 1 and mutant["old"] != mutant["new"], mutant
        file, *names = re.sub(r"\[.*", "", mutant["test"]).split("::")
        assert all(re.search(rf"(def|class) {name}\b", texts[file]) or file.startswith("minilm") for name in names), mutant
