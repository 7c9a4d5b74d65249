"""In a real browser, as `make lab` opens it: chapters run from top to bottom, a slider moves a figure, a quiz answers and is kept, nothing leaves the machine.

Pictures of what was seen lie in build/screenshots afterwards.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from minilm.config import ROOT
from minilm.plots import short
from minilm.scaling import published_laws, training_flops
from tests.made import free_port

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
    env = os.environ | {name: str(tmp_path / folder) for name, folder in places.items()} | {"MINILM_WORK": str(tmp_path / "work")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path / 'notebooks'}", "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    with open(tmp_path / "lab.log", "w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server, tmp_path / "lab.log")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=100)


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    """Seconds suffice, unless the machine is busy; what the server said is shown if it does not answer."""
    deadline = time.monotonic() + 300
    while True:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=20).read()
            return
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


@pytest.fixture
def page(lab, browser, open_page):
    """A page of the browser, still empty. JupyterLab is talkative; only errors count."""
    with open_page(browser, lab, lab.replace("http", "ws"), "blob:", wrong=("error",), viewport={"width": 1280, "height": 1000}) as page:
        yield page


def open_and_run(page, lab: str, name: str) -> None:
    page.goto(f"{lab}/lab/tree/{name}.ipynb?token={TOKEN}&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
    page.evaluate(RUN_ALL)
    assert page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0


def move_slider(page) -> None:
    """One press of an arrow key, and the picture of the live figure is another, in the same place."""
    figure = page.locator(".widget-vbox:has(> img.widget-image)").first
    picture = figure.locator("img.widget-image")
    picture.scroll_into_view_if_needed()
    before, place, said = picture.get_attribute("src"), picture.bounding_box(), figure.locator("p[role=status]").inner_text()
    figure.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("([image, src]) => image.src !== src", arg=[picture.element_handle(), before])
    words = "([figure, said]) => figure.querySelector('p[role=status]').innerText !== said"  # new words are a new element, looked up each time
    page.wait_for_function(words, arg=[figure.element_handle(), said])
    after = picture.bounding_box()
    assert (after["width"], after["height"]) == (place["width"], place["height"]), "the figure jumped"


def answer_quiz(page, work: Path, number: str) -> None:
    """The first question by keyboard alone: the explanation appears and the score is kept on disk."""
    box = page.locator(".widget-vbox:has(> .widget-radio)").first
    box.scroll_into_view_if_needed()
    box.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    answer = box.get_by_role("button", name="Answer")
    page.wait_for_function("button => !button.disabled", arg=answer.element_handle())
    while page.evaluate("() => document.activeElement.type") == "radio":  # every choice is a stop of its own
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    said = box.locator("p[role=status]")
    said.wait_for()
    page.get_by_text("right at once").first.wait_for(state="attached")  # this is said after the score was kept
    assert len(said.inner_text()) > 40
    kept = json.loads((work / "progress.json").read_text())["quizzes"][number]
    assert kept["right"] in (0, 1) and kept["of"] >= 4
    assert ("Right." in said.inner_text()) is bool(kept["right"])


def screenshots(page, name: str) -> None:
    """Save pictures for a person to look at: every cell in the light theme, what cells show in the dark one."""
    for theme, wanted in (("Light", ".jp-Notebook .jp-Cell"), ("Dark", ".jp-Notebook .jp-Cell:has(.jp-OutputArea-output)")):
        page.evaluate(f"() => window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})")
        page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=str(theme == "Light").lower())
        folder = ROOT / "build" / "screenshots" / name / theme.lower()
        shutil.rmtree(folder, ignore_errors=True)
        for i, cell in enumerate(page.locator(wanted).all()):
            cell.scroll_into_view_if_needed()
            cell.screenshot(path=folder / f"{i:03d}.png")


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_a_chapter_runs_its_figure_moves_and_its_quiz_answers(lab, page, tmp_path, name):
    open_and_run(page, lab, name)
    if name == "00_start_here":
        page.get_by_text("in order").first.wait_for(state="attached")  # in the table about this computer
        page.get_by_role("button", name="Tell a story").click()
        story = page.locator(".widget-html p:not([role])")
        story.wait_for()  # every piece of it makes the paragraph anew, so it is looked up each time
        page.wait_for_function("() => document.querySelector('.widget-html p:not([role])').innerText.length > 200")
        assert story.inner_text().startswith("Once upon a time, a fish wanted to fly.")
    if name == "11_tradeoffs":
        explorer = page.locator(".minilm-explorer")
        explorer.get_by_role("button", name="Go to the optimum").press("Enter")
        best, _ = published_laws()["Besiroglu et al. 2024"].optimum(training_flops(175e9, 300e9))
        explorer.locator("[role=status] section", has_text="Your model").get_by_text(f"{short(best)} parameters").wait_for()
    if name == "12_good_data":
        page.get_by_role("button", name="David").click()
        page.get_by_text("story 1 is by David. 1 of 1 right").wait_for()
    move_slider(page)
    answer_quiz(page, tmp_path / "work", name[:2])
    screenshots(page, name)
