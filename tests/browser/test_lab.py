"""In a real browser, as `make lab` opens it: chapter 00 runs from top to bottom, and its button tells a story."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from minilm.config import ROOT

TOKEN = "course"
# The status line says "idle" before the kernel is there; these promises are kept only when it is. The last one waits for the last cell.
RUN_ALL = """async () => {
    const app = window.jupyterapp;
    await app.restored;
    const panel = app.shell.currentWidget;
    await panel.context.ready; await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info;
    return await app.commands.execute('notebook:run-all-cells');
}"""
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells out of sight are not in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def lab(tmp_path):
    """JupyterLab on a copy of the notebooks, since Lab may save; gives its address."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    for plugin, content in SETTINGS.items():
        path = tmp_path / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    port = free_port()
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    env = os.environ | {name: str(tmp_path / folder) for name, folder in places.items()}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path / 'notebooks'}", "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    with open(tmp_path / "lab.log", "w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=2).read()
            break
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, (tmp_path / "lab.log").read_text()
            time.sleep(0.2)
    yield address
    server.terminate()
    server.wait(timeout=20)


@pytest.fixture
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs a browser: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    options = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=options.split())
        yield browser
        browser.close()


def test_chapter_00_runs_and_its_button_tells_a_story(lab, browser, request):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(120_000)  # milliseconds; seconds suffice, unless the machine is busy
    outside, errors = [], []
    page.on("request", lambda asked: asked.url.startswith((lab, "data:", "blob:", lab.replace("http", "ws"))) or outside.append(asked.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{lab}/lab/tree/00_start_here.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.evaluate(RUN_ALL)
    assert page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    assert page.get_by_text("in order").count() >= 1, "the table about this computer"

    page.get_by_role("button", name="Tell a story").click()
    story = page.locator(".widget-html p")
    story.wait_for()
    page.wait_for_function("() => document.querySelector('.widget-html p').innerText.length > 200")
    assert story.inner_text().startswith("Once upon a time, a fish wanted to fly.")
    assert outside == [] and errors == []
    if folder := request.config.getoption("--screenshots"):
        screenshots(page, Path(folder))


def screenshots(page, folder: Path) -> None:
    """Save a picture of every output and of the text cells, for a person to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, cell in enumerate(page.locator(".jp-Notebook .jp-Cell").all()):
        cell.scroll_into_view_if_needed()
        cell.screenshot(path=folder / f"{i:03d}.png")
