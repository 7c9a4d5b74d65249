"""One source of dependencies: pyproject.toml. What repeats it must agree, and what is installed must satisfy it."""

import re
import shlex
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

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


def test_the_packages_the_course_is_known_for_are_there():
    assert FIXED <= ranges(PROJECT["dependencies"]).keys()
    assert EXTRAS.keys() == {"test", "bench", "data", "judge", "export"}


def test_every_direct_package_is_pinned_within_its_range():
    pinned = pins()
    for name, wanted in ranges(PROJECT["dependencies"] + EXTRAS["test"]).items():
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


def commands_in_the_readme() -> list[list[str]]:
    blocks = re.findall(r"```(?:sh|console|powershell)\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    lines = [line.split(" # ")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line, posix=False) for line in lines if line and not line.startswith("#")]


def test_the_readme_names_only_what_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    from minilm.cli import COMMANDS

    commands = commands_in_the_readme()
    assert len(commands) > 8
    for words in commands:
        if words[0] == "make":
            assert words[1] in targets, words
        if words[0] == "minilm":
            assert words[1] in COMMANDS, words
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / "README.md").read_text())
    assert linked and not [path for path in linked if not (ROOT / path).exists()]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "minilm").glob("*.py")))
def test_imports_run_one_way(name):
    floors = ["config tokenizer loss attention", "corpora model optim plots", "data checkpoint generate", "evaluate", "train", "runs", "cli"]
    floor = {module: i for i, modules in enumerate(floors) for module in modules.split()}
    module = Path(name).stem
    text = (ROOT / "minilm" / name).read_text()
    imported = {found for found in re.findall(r"^\s*from minilm(?:\.(\w+))? import|^\s*import minilm", text, flags=re.MULTILINE) if found}
    imported |= {found for found in re.findall(r"^from minilm import (\w+)", text, flags=re.MULTILINE) if found in floor}
    if module == "__init__":
        assert not imported
        return
    same_floor_in_order = ["checkpoint", "generate"]  # none of these two imports the other
    assert module in floor, f"say on which floor {name} stands"
    higher = {other for other in imported if floor[other] > floor[module] or (floor[other] == floor[module] and other in same_floor_in_order)}
    assert not higher, f"{name} stands on floor {floor[module]} and imports {higher}"
