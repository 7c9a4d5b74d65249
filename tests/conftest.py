"""Options and fixtures that the whole suite shares."""

from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--tinystories", metavar="PATH", help="folder with train.txt and valid.txt of real TinyStories")
    parser.addoption("--kills", type=int, default=3, help="how often the kill test kills a training (default 3)")


@pytest.fixture(scope="session")
def tinystories(request) -> Path:
    """The folder of real text; the tests that need it are skipped without `--tinystories PATH`."""
    given = request.config.getoption("--tinystories")
    if given is None:
        pytest.skip("needs real text: pytest --tinystories PATH")
    folder = Path(given)
    missing = [name for name in ("train.txt", "valid.txt") if not (folder / name).is_file()]
    if missing:
        pytest.fail(f"--tinystories {given}: no {' and no '.join(missing)} there")
    return folder
