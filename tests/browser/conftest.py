"""The browser that the tests of this folder share."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def chromium() -> Iterator:
    """Start a browser, and close it in the end; the test is skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs a browser: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    options = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=options.split())
        yield browser
        browser.close()


@pytest.fixture
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def one_browser():
    """A browser for all tests of a file: for many short ones, which close their pages."""
    with chromium() as browser:
        yield browser
