"""How large a model, on how many tokens, for this compute? The Chinchilla explorer: a picture that answers while its sliders move.

The ideas in order: what it shows, read from the tables of data/published (`laws`, `models`, `hardware`, together `explorer_data`); the widget for notebooks
(`Explorer`), whose picture, mathematics and words are the one file explorer.js; the same file as a page that needs no kernel and no network
(`explorer_page`); and for places that can show ipywidgets but not this one, a plainer picture (`fallback`).

Used in: chapter 11. Left out on purpose: laws with more than five numbers, and prices of anybody's.
"""

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from string import Template

import ipywidgets
import matplotlib.pyplot as plt
import traitlets

from minilm import plots
from minilm.config import DATA
from minilm.scaling import Hardware, Law, inference_optimum, published_laws, training_flops
from minilm.widgets import WIDE, live_figure

try:
    from anywidget import AnyWidget
except ImportError:  # the page and the fallback do without it

    class AnyWidget:
        def __init__(self, **_):
            raise ImportError("the explorer needs the package anywidget (pip install anywidget); minilm.explorer.fallback() does without it")


CODE = Path(__file__).with_suffix(".js")
LABELS = {
    "Hoffmann rounded": "Hoffmann et al., as printed",
    "Hoffmann unrounded": "Hoffmann et al., unrounded",
    "Besiroglu et al. 2024": "Besiroglu et al. 2024",
}
LARGE = {
    "ranges": {"n_params": (1e6, 1e13), "n_tokens": (1e7, 1e14), "inference_tokens": (1e8, 1e16)},
    "start": {"n_params": 1.75e11, "n_tokens": 3e11, "inference_tokens": 1e12},  # GPT-3
}
SMALL = {
    "ranges": {"n_params": (1e4, 1e8), "n_tokens": (1e5, 1e9), "inference_tokens": (1e5, 1e12)},
    "start": {"n_params": 1e6, "n_tokens": 1e7, "inference_tokens": 1e8},
}
MODELS = ("GPT-3", "Chinchilla", "Gopher", "Llama 3 8B", "Llama 3 70B", "LLaMA-7B", "phi-2", "phi-1.5", "CS336 assignment 1 model", "MT-NLG 530B", "LLaMA-65B",
          "LLaMA-13B", "LLaMA-33B", "LaMDA", "Jurassic-1")  # where there is no room for all names, the first ones are written
SWEEP = DATA / "runs" / "sweep" / "growth_tinystories.json"
ASSUMED = {"utilisation": 0.4, "overhead": 1.1, "price_per_hour": 2.0}  # round numbers, to be changed by whoever knows better
FIRST_LAW, FIRST_MACHINE = "Besiroglu et al. 2024", "NVIDIA H100 SXM5"  # by that law Chinchilla lies where the best models do
START, MACHINE = tuple(LARGE["start"]), tuple(field.name for field in fields(Hardware))  # what of a state is of the point, and what of the machine
SLACK = 1e-6  # an edge that the browser reached by multiplying is still inside


def laws() -> dict[str, dict]:
    """The laws to choose from, by name, each with its label, the ranges of its axes and where it starts; ours only where the sweep has been fitted."""
    published = published_laws()
    found = {name: asdict(published[name]) | {"label": label} | LARGE for name, label in LABELS.items()}
    if SWEEP.is_file():
        kept = json.loads(SWEEP.read_text(encoding="utf-8"))["law"]
        found["our sweep"] = asdict(Law(**kept)) | {"label": "our sweep of tiny models"} | SMALL
    return found


def models() -> dict[str, dict[str, float]]:
    """Parameters and training tokens of real models, by name."""
    rows = {row["model"]: row for row in _rows("model_sizes_tokens.csv")}
    return {name: {"n_params": float(rows[name]["parameters"]), "n_tokens": float(rows[name]["training_tokens"])} for name in MODELS}


def hardware() -> dict[str, dict[str, float]]:
    """The machines to choose from: peak operations a second, and watts at most."""
    return {row["device"]: {"peak_flops": float(row["peak_dense_bf16_or_fp16_flop_per_s"]), "watts": float(row["max_watts"])}
            for row in _rows("accelerator_peaks.csv")}  # fmt: skip


def explorer_data(law: str = FIRST_LAW, machine: str = FIRST_MACHINE) -> dict[str, dict]:
    """All that the explorer shows, and the `state` it starts from.

    Raises ValueError for a law or a machine that is not there.
    """
    known = {"laws": laws(), "models": models(), "hardware": hardware()}
    chosen = _named("law", law, known["laws"])["start"] | _named("machine", machine, known["hardware"])
    return known | {"state": {"law": law, "hardware": machine} | chosen | ASSUMED}


def check_state(state: Mapping, laws: Mapping[str, Mapping], hardware: Mapping[str, Mapping]) -> None:
    """Raise ValueError unless a state can be shown: names that are known, numbers that a model and a machine can have."""
    missing = [name for name in (*START, *MACHINE, "law", "hardware") if name not in state]
    if missing:
        raise ValueError(f"the state lacks {', '.join(missing)}")
    _named("machine", state["hardware"], hardware)
    for name, (low, high) in _named("law", state["law"], laws)["ranges"].items():
        least = 0 if name == "inference_tokens" else low
        if not (isinstance(state[name], int | float) and least * (1 - SLACK) <= state[name] <= high * (1 + SLACK)):
            raise ValueError(f"{name} is {state[name]!r}; with the law {state['law']!r} it must be a number from {least:g} to {high:g}")
    Hardware(**{name: state[name] for name in MACHINE})


def _named(kind: str, name: str, known: Mapping[str, Mapping]) -> Mapping:
    if name not in known:
        raise ValueError(f"there is no {kind} {name!r}; there are {', '.join(map(repr, known))}")
    return known[name]


def _rows(table: str) -> list[dict[str, str]]:
    """The rows of a table of published numbers, without those that were found nowhere."""
    with (DATA / "published" / table).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["status"] != "memory"]


class Explorer(AnyWidget):
    """The explorer in a notebook; `state` is what the learner has chosen, and may be set from Python.

    law, machine: what to begin with. Raises ValueError for one that is not there, and for a state that cannot be shown.
    """

    _esm = CODE
    laws = traitlets.Dict().tag(sync=True)
    models = traitlets.Dict().tag(sync=True)
    hardware = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, law: str = FIRST_LAW, machine: str = FIRST_MACHINE):
        super().__init__(**explorer_data(law, machine))

    @traitlets.validate("state")
    def _check(self, proposal: Mapping) -> dict:
        check_state(proposal["value"], self.laws, self.hardware)
        return proposal["value"]


def explorer_page(law: str = FIRST_LAW, machine: str = FIRST_MACHINE) -> str:
    """The explorer as one HTML page that runs from a file, with nothing else: explorer.js, its data, and what anywidget would be to it."""
    data = json.dumps(explorer_data(law, machine), ensure_ascii=False).replace("<", "\\u003c")  # so that no text can end the script
    return PAGE.substitute(code=CODE.read_text(encoding="utf-8"), data=data)


PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The Chinchilla explorer</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; }
body { max-width: 1180px; margin: 0 auto; padding: 12px; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; background: light-dark(#ffffff, #1b1d21); color: light-dark(#202124, #e8eaed); }
h1 { margin: 12px 12px 4px; font-size: 24px; line-height: 1.25; }
header p, footer { margin: 0 12px; max-width: 75ch; }
footer { margin-top: 12px; font-size: 13px; color: light-dark(#5f6368, #b4bac2); }
</style>
</head>
<body>
<header>
<h1>How large a model, on how many tokens?</h1>
<p>A scaling law says which loss a language model reaches by its size and by the tokens it was trained on. Move the ring, and see what the same compute could have bought.</p>
</header>
<main id="explorer"></main>
<footer>The laws: Hoffmann et al. 2022 (arXiv 2203.15556); Besiroglu et al. 2024 (arXiv 2404.10102). Serving as in Sardana et al. 2024 (arXiv 2401.00448). A law speaks of the text and
the kind of model that it was fitted on; for others it is a guess. What a machine costs and draws is an assumption: change it. Made by <code>minilm explorer</code>.</footer>
<script type="module">
$code
// What anywidget is to the code in a notebook, for a page without a kernel

const traits = $data, heard = {};
render({
  el: document.getElementById("explorer"),
  model: {
    get: name => traits[name],
    set: (name, value) => { traits[name] = value; heard[`change:$${name}`]?.(); },
    on: (event, call) => { heard[event] = call; },
    off: event => { delete heard[event]; },
    save_changes: () => {},
  },
});
</script>
</body>
</html>
""")


def fallback(law: str = FIRST_LAW) -> ipywidgets.Box:
    """The explorer of plain ipywidgets, for places that cannot show the other: one law, slower, without the what-ifs of real models and the bill.

    Raises ValueError for a law that is not there.
    """
    known = explorer_data(law)
    ranges, start = known["laws"][law]["ranges"], known["laws"][law]["start"]
    numbers = Law(**{name: known["laws"][law][name] for name in Law.__dataclass_fields__})
    with plots.style():
        fig, ax = plt.subplots(figsize=(7.5, 6))

    def redraw(size: float, tokens: float, served: float) -> str:
        loss, (best, text) = numbers.loss(size, tokens), numbers.optimum(training_flops(size, tokens))
        plan = inference_optimum(numbers, loss, served)
        ax.clear()
        plots.law_plane(ax, numbers, ranges, (size, tokens), known["models"], cheapest=(plan.n_params, plan.n_tokens))
        return (f"{plots.short(size)} parameters on {plots.short(tokens)} tokens: a loss of {loss:.3f}. The same compute would train {plots.short(best)} on "
                f"{plots.short(text)}, to {numbers.loss(best, text):.3f}. With {plots.short(served)} tokens served, the cheapest model of your loss has "
                f"{plots.short(plan.n_params)} parameters and reads {plots.short(plan.n_tokens)}.")  # fmt: skip

    names = {"size": "n_params", "tokens": "n_tokens", "served": "inference_tokens"}
    sliders = {control: _log_slider(control.replace("served", "tokens served"), start[name], ranges[name]) for control, name in names.items()}
    redraw(*start.values())  # so that the figure is laid out around what it will hold
    return live_figure(fig, redraw, **sliders)


def _log_slider(name: str, value: float, limits: tuple[float, float]) -> ipywidgets.FloatLogSlider:
    low, high = map(math.log10, limits)
    return ipywidgets.FloatLogSlider(value, min=low, max=high, step=0.05, description=name, readout_format=".2e", style=WIDE, layout={"width": "480px"})
