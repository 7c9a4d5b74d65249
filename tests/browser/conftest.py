"""The browser that the tests of this folder share, and pages that notice what no page of the course may do."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

PATIENCE = 300_000  # milliseconds for whatever is waited for; seconds suffice, unless the machine is busy


@contextmanager
def chromium() -> Iterator:
    """Start a browser, and close it in the end; the test is skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    options = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=options.split(), timeout=PATIENCE)
        yield browser
        browser.close()


@contextmanager
def watched_page(browser, *addresses: str, wrong: tuple[str, ...] = (), **options) -> Iterator:
    """A page that may ask only for what begins with these addresses, and may not complain, whatever a test does with it.

    wrong: kinds of lines in its console that are complaints; without any, each line is one, and so is a request that fails.
    options: as for `browser.new_page`.
    """
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE)
    outside, complaints = [], []
    page.on("request", lambda asked: asked.url.startswith((*addresses, "data:")) or outside.append(asked.url))
    # What was still on its way when the test left the page is aborted, and no failure.
    page.on("requestfailed", lambda asked: wrong or asked.failure == "net::ERR_ABORTED" or complaints.append(f"{asked.failure}: {asked.url}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}") if said.type in wrong or not wrong else None)
    yield page
    page.close()  # until then complaints may come in
    assert outside == [] and complaints == []


@pytest.fixture
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def one_browser():
    """A browser for all tests of a file: for many short ones, which close their pages."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page() -> Callable:
    """`watched_page`, which a test cannot import from here."""
    return watched_page
