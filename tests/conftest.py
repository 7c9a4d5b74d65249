"""Options and fixtures that the whole suite shares."""

import importlib
import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("MINILM_PROFILE", "ci")  # before any kernel starts: notebooks are tested under the profile they were built in
LEARNERS = tempfile.TemporaryDirectory()  # what checks keep in a test is nobody's progress
os.environ["MINILM_WORK"] = LEARNERS.name
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # several processes test side by side, and each would take all cores


def pytest_addoption(parser):
    # Alone, it must be written --tinystories=PATH: pytest takes a word of its own for a place with tests, and looks for its settings there.
    parser.addoption("--tinystories", metavar="PATH", help="folder with train.txt and valid.txt of real TinyStories")
    parser.addoption("--kills", type=int, default=3, help="how often the kill test kills a training (default 3)")
    parser.addoption("--no-skips", action="store_true", help="fail if any test or notebook cell was skipped, as CI must")


@pytest.fixture(scope="session")
def tinystories(request) -> Path:
    """The folder of real text; the tests that need it are skipped without `--tinystories PATH`."""
    given = request.config.getoption("--tinystories")
    if given is None:
        pytest.skip("needs real text: make test TINYSTORIES=PATH, or pytest --tinystories=PATH")
    folder = Path(given)
    missing = [name for name in ("train.txt", "valid.txt") if not (folder / name).is_file()]
    if missing:
        pytest.fail(f"--tinystories {given}: no {' and no '.join(missing)} there")
    return folder


@pytest.fixture(scope="session")
def transformers():
    """The package, quiet. It takes seconds, so it is loaded only for the tests that need it."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


@pytest.fixture(scope="session")
def publish():
    """The script that writes the site, as a module; no package holds it, and it stands beside the build script that it uses."""
    sys.path.insert(0, str(ROOT / "notebooks"))
    yield importlib.import_module("publish")
    sys.path.remove(str(ROOT / "notebooks"))


@pytest.fixture(scope="session")
def build(publish):
    """The script that builds the notebooks, as a module."""
    return sys.modules["build"]


@pytest.fixture(scope="session")
def course(publish) -> dict[str, bytes]:
    """The site of this tree, as `make course` writes it: what is in each file, by address."""
    return publish.site(ROOT)


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.config.getoption("--no-skips") and exitstatus == 0 and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and config.getoption("--no-skips"):
        terminalreporter.write_line(f"--no-skips: {len(skipped)} skipped, so this run failed", red=True)


@pytest.fixture
def trials_here(monkeypatch):
    """Carry out trials in this process: those of their own would not know what a test has made small."""
    monkeypatch.setattr("minilm.trials.ProcessPoolExecutor", HereAndNow)


class HereAndNow:
    """A pool that does the work itself, one thing after the other."""

    def __init__(self, *_, **__):
        pass

    __enter__ = lambda self: self
    __exit__ = lambda *_: None
    map = staticmethod(map)
