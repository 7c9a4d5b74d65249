"""The explorer without a browser: what it shows comes from the tables, bad input is answered in a sentence, and the page is what the command writes."""

import json
import re
import subprocess
import sys

import pytest

from minilm import explorer
from minilm.cli import main
from minilm.config import ROOT
from minilm.explorer import Explorer, check_state, explorer_data, explorer_page, fallback
from minilm.scaling import Law, inference_optimum, published_laws

TINY = {"E": 0.9, "A": 60.0, "B": 90.0, "alpha": 0.35, "beta": 0.33}


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """A law of our own, as a finished sweep leaves it."""
    path = tmp_path / "law.json"
    path.write_text(json.dumps({"law": TINY, "n_points": 30}))
    monkeypatch.setattr(explorer, "SWEEP", path)


def test_the_laws_are_the_published_ones_and_ours_where_it_is_known(monkeypatch, tmp_path, sweep):
    found, published = explorer.laws(), published_laws()
    assert [law["label"] for law in found.values()] == ["Hoffmann et al., as printed", "Hoffmann et al., unrounded", "Besiroglu et al. 2024", "our sweep of tiny models"]
    for name, law in found.items():
        assert Law(**{key: law[key] for key in TINY}) == (Law(**TINY) if name == "our sweep" else published[name])
    assert found["our sweep"]["ranges"]["n_params"] == (1e4, 1e8) and found["Hoffmann rounded"]["ranges"]["n_params"] == (1e6, 1e13)
    monkeypatch.setattr(explorer, "SWEEP", tmp_path / "none.json")
    assert "our sweep" not in explorer.laws()


def test_every_law_and_machine_can_be_begun_with(sweep):
    for law in explorer.laws():
        for machine in explorer.hardware():
            data = explorer_data(law, machine)
            check_state(data["state"], data["laws"], data["hardware"])
            assert data["state"]["watts"] == data["hardware"][machine]["watts"] >= 70


def test_models_and_machines_are_those_of_the_tables():
    data = explorer_data()
    assert data["models"]["GPT-3"] == {"n_params": 1.75e11, "n_tokens": 3e11} and data["models"]["Llama 3 70B"]["n_tokens"] == 1.5e13
    assert {"LaMDA", "Chinchilla", "LLaMA-7B", "phi-2", "CS336 assignment 1 model"} <= data["models"].keys()
    assert data["hardware"]["NVIDIA T4"] == {"peak_flops": 65e12, "watts": 70}
    assert not [name for name in data["hardware"] if "CPU" in name], "rows that were found nowhere are not shown"


@pytest.mark.parametrize("change, said", [
    ({"law": "Kaplan"}, "no law 'Kaplan'; there are 'Hoffmann rounded'"), ({"hardware": "abacus"}, "no machine 'abacus'; there are 'NVIDIA H200 SXM'"),
    ({"n_params": 1e5}, r"n_params is 100000.0.* from 1e\+06 to 1e\+13"), ({"n_tokens": 2e14}, "n_tokens is 200000000000000.0"), ({"n_tokens": float("nan")}, "n_tokens is nan"),
    ({"inference_tokens": -1}, r"inference_tokens is -1.* from 0 to 1e\+16"), ({"n_params": "many"}, "'many'"),
    ({"utilisation": 40}, "utilisation 40"), ({"watts": 0}, "watts has 0"),
])  # fmt: skip
def test_a_state_that_cannot_be_shown_is_refused_in_a_sentence(change, said):
    widget = Explorer()
    before = widget.state
    with pytest.raises(ValueError, match=said):
        widget.state = before | change
    assert widget.state == before
    with pytest.raises(ValueError, match="lacks n_params, law"):
        widget.state = {key: value for key, value in before.items() if key not in ("n_params", "law")}


@pytest.mark.parametrize("make", [explorer_data, Explorer, explorer_page, fallback])
def test_unknown_names_are_answered_with_the_known_ones(make):
    with pytest.raises(ValueError, match="no law 'Kaplan'; there are 'Hoffmann rounded', 'Hoffmann unrounded', 'Besiroglu et al. 2024'"):
        make("Kaplan")
    if make is not fallback:
        with pytest.raises(ValueError, match="no machine 'abacus'; there are 'NVIDIA H200 SXM', "):
            make(machine="abacus")


def test_the_widget_takes_what_it_shows_from_the_tables_and_its_code_from_the_file():
    widget = Explorer("Hoffmann rounded", "NVIDIA T4")
    assert widget.state == explorer_data("Hoffmann rounded", "NVIDIA T4")["state"]
    assert str(widget._esm) == explorer.CODE.read_text(encoding="utf-8")
    widget.state = widget.state | {"n_params": 1e13 * (1 + 1e-12), "inference_tokens": 0}  # as a browser may reach an edge


def test_the_page_is_what_the_command_writes(tmp_path):
    written, kept = tmp_path / "explorer.html", ROOT / "docs" / "explorer.html"
    assert main(["explorer", "--out", str(written)]) == 0
    assert written.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), "run `minilm explorer`"
    assert kept.stat().st_size < 150_000


def test_the_page_holds_all_that_it_needs(monkeypatch):
    monkeypatch.setitem(explorer.LABELS, "Hoffmann rounded", "</script>")
    page = explorer_page()
    assert explorer.CODE.read_text(encoding="utf-8") in page and page.count("</script>") == 1
    assert not re.search(r"""(src|href)="(?!data:)|\bimport\b|url\((?!#)|fetch\(""", page)


def test_without_anywidget_all_but_the_widget_works():
    code = """import sys; sys.modules["anywidget"] = None; from minilm import explorer; explorer.explorer_page(); explorer.fallback(); explorer.Explorer()"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and done.stderr.endswith("ImportError: the explorer needs the package anywidget (pip install anywidget); minilm.explorer.fallback() does without it\n")
    code = "import sys, minilm.widgets; sys.exit('anywidget' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_the_fallback_says_what_the_law_says():
    box, law = fallback("Hoffmann rounded"), published_laws()["Hoffmann rounded"]
    size, tokens, served, picture, words = box.children
    before = bytes(picture.value)
    size.value, tokens.value, served.value = 1e9, 2e10, 1e10
    plan = inference_optimum(law, law.loss(1e9, 2e10), 1e10)
    assert f"1B parameters on 20B tokens: a loss of {law.loss(1e9, 2e10):.3f}" in words.value and f"{plan.n_params / 1e6:.0f}M parameters" in words.value
    assert before != bytes(picture.value) and [slider.description for slider in (size, tokens, served)] == ["size", "tokens", "tokens served"]
    assert (size.min, size.max, tokens.min, tokens.max) == (6, 13, 7, 14)
