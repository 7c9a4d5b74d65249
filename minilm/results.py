"""What came out here, and what did others publish? docs/RESULTS.md, made from records, so that no result in it is typed by hand.

The ideas in order: a record is a row whose numbers are numbers, and None where nothing was measured (`read_rows`); tables of fixed shape stand in the
template docs/results.md.in, and those with as many rows as there are records have a function each, from `tinystories` to `ablations`; what made the rows is
told from the records (`made_by`); and `page` fills the template. Its marks are those of `str.format`: `{ladder}` is a table,
`{runs[tinystories][shipped][valid_bits_per_byte]:.3f}` a number of a record, `{found[rate_gain]:.3f}` one computed from several.

Used by `minilm results`. Left out on purpose: converting a published loss to bits per byte, which needs the bytes that their tokenizer saw.
"""

import csv
import itertools
import json
import math
import re
import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import mean

from minilm.config import DATA, ROOT
from minilm.experiments import differences
from minilm.good_data import BUDGETS, ITEMS, TABLES, by_cell, contest, measures
from minilm.scaling import fit_valley
from minilm.trials import read_table

TEMPLATE = ROOT / "docs" / "results.md.in"
RUNG = re.compile(r"(.+)_([^_]+)_([\d.]+)x([\d.]+)_seed\d+")  # as minilm.ladder names its runs
SWEPT = re.compile(r"(.+)_([^_]+)_([^_]+)_judge_x[\d.]+_seed\d+")  # as minilm.sweep does
MEASURES = " | ".join(("bits per byte", "readable sentences", "perfect stories", *ITEMS))
BENCHMARKS = ("export", "generate", "grade", "items", "tokenizer", "tokenizer_large", "training")
EXCHANGED = {
    "baseline": "nothing",
    "post_norm": "the norm after the addition",
    "layer_norm": "LayerNorm for RMSNorm",
    "learned_positions": "learned positions for RoPE",
    "no_positions": "no positions for RoPE",
    "gelu": "GELU for SwiGLU",
    "relu2": "ReLU squared for SwiGLU",
    "mha": "four key/value heads for two",
    "mqa": "one key/value head for two",
    "untied": "two tables",
    "gpt2": "LayerNorm, learned positions, GELU, four key/value heads",
}


class Named(dict):
    """A dictionary that says in a sentence what it lacks."""

    def __init__(self, where: str, items: Mapping):
        super().__init__(items)
        self.where = where

    def __missing__(self, key):
        raise ValueError(f"{self.where} has no {key!r}; it has {', '.join(map(str, self)) or 'nothing'}")


class Kept(dict):
    """What benchmarks found; None for what was not kept, for not every machine can run every case."""

    def __missing__(self, key):
        return None


class Marks(string.Formatter):
    """`str.format` with the formats of `show`."""

    def format_field(self, value, spec):
        return show(value, spec)


def page(data: Path = DATA, template: Path = TEMPLATE) -> str:
    """The text of docs/RESULTS.md. Raises ValueError for a mark, a record or a column that is not there, and for an empty table."""
    runs, benchmarks, facts = read_runs(data), read_benchmarks(data), read_facts(data)
    made = {name: made_by(rows.values()) for name, rows in runs.items()} | {name: made_by(records) for name, records in benchmarks.items()}
    made |= {record.where.removesuffix(".json"): made_by([record]) for records in benchmarks.values() for record in records}
    names = {
        "runs": runs,
        "facts": facts,
        "found": Named("found", computed(runs, facts)),
        "kept": Kept({key: value for records in benchmarks.values() for record in records for key, value in record["values"].items()}),
        "made": Named("made", made | {"facts": made_by(facts.values())}),
        "printed": Named("printed", {name: printed(records) for name, records in benchmarks.items()}),
    }
    tables = {make.__name__: make(data) for make in (tinystories, losses, ladder, repeats, sweep, forecasts, growth, corners, contests, kinds, domains, vocabulary, ablations)}
    return Marks().vformat(template.read_text(encoding="utf-8"), (), Named(template.name, names | tables))


def show(value: object, spec: str = "", missing: str = "not measured") -> str:
    """A value as it is printed; with `spec` "power" as people write large numbers.

    >>> show(0.5, ".1%"), show(None, ".3f"), show(1.5e13, "power")
    ('50.0%', 'not measured', '1.5 × 10¹³')
    """
    if value is None:
        return missing
    if spec != "power":
        return format(value, spec)
    digits, exponent = f"{value:.1e}".split("e+")
    return f"{digits.removesuffix('.0')} × 10{str(int(exponent)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


# Records


def read_rows(path: Path) -> list[Named]:
    """The rows of a table; numbers are numbers, and what is missing is None. Raises ValueError when there are none."""
    where = "/".join(path.parts[-3:])
    if not path.is_file():
        raise ValueError(f"there is no {where}")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Named(where, {name: _value(text) for name, text in row.items()}) for row in csv.DictReader(file)]
    if not rows:
        raise ValueError(f"{where} has no rows")
    return rows


def read_published(data: Path, name: str) -> list[Named]:
    """Published rows, but for those that nobody has seen in print or whose note says not to use them."""
    rows = read_rows(data / "published" / f"{name}.csv")
    return [row for row in rows if row["status"] != "memory" and "do not use" not in (row.get("note") or "")]


def read_runs(data: Path) -> Named:
    """Every recorded run: `runs[experiment][run]`."""
    found = {path.parent.name: read_rows(path) for path in sorted((data / "runs").glob("*/runs.csv"))}
    return Named("data/runs", {name: Named(f"data/runs/{name}", {row["run"]: row for row in rows}) for name, rows in found.items()})


def read_benchmarks(data: Path) -> Named:
    """The records that `benchmarks/keep.py` wrote: those of `training` are training.json, training_gpu.json and so on; perhaps none."""
    found = {name: sorted((data / "runs" / "benchmarks").glob(f"{name}*.json")) for name in BENCHMARKS}
    read = {name: [Named(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in paths] for name, paths in found.items()}
    return Named("data/runs/benchmarks", read)


def read_facts(data: Path) -> Named:
    """What was measured of both texts, with what the tables of growth and novelty say."""
    folder = data / "runs" / "corpus_facts"
    facts = Named("data/runs/corpus_facts", {row["corpus"]: row for row in read_rows(folder / "facts.csv")})
    for name, fact in facts.items():
        growth = read_rows(folder / f"growth_{name}.csv")
        for n_words in (100_000, 500_000, 1_000_000):
            fact[f"first_{n_words}"] = min(growth, key=lambda row: abs(row["n_words"] - n_words))["different_words"]
        fact["new_runs_of_5"] = {row["n_words"]: row["new_share"] for row in read_rows(folder / f"novelty_{name}.csv")}[5]
    return facts


def _value(text: str) -> int | float | str | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


# Tables, and what stands below them


def table(head: str, rows: Iterable[Iterable[str]], below: str) -> str:
    """A Markdown table and the sentence below it. Raises ValueError when it has no rows.

    >>> print(table("ids | bits", [("257", "1.2")], "Made by hand."))
    | ids | bits |
    |---|---|
    | 257 | 1.2 |
    <BLANKLINE>
    Made by hand.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        raise ValueError(f"the table of {head!r} has no rows; data/runs lacks the records that make them")
    return "\n".join([f"| {head} |", "|---" * len(head.split(" | ")) + "|", *lines, "", below])


def made_by(rows: Iterable[Mapping]) -> str:
    """The sentence with the commands that made some rows, and the machines that ran them."""
    rows = list(rows)
    if not rows:
        return "Not measured yet."
    commands = dict.fromkeys(f"`{row['command']}`" for row in rows)
    machines = dict.fromkeys(row.get("gpu") or f"{row['cores']} cores of {row['machine']}" for row in rows)
    notes = dict.fromkeys(f" {row['note']}" for row in rows if row.get("note"))
    return f"Made by {', '.join(commands)} on {' and '.join(machines)}.{''.join(notes)}"


def printed(records: Iterable[Mapping]) -> str:
    """What benchmarks printed, folded."""
    lines = "\n".join(line for record in records for line in record["printed"])
    return f"<details><summary>What was printed</summary>\n\n```\n{lines}\n```\n\n</details>" if lines else ""


def spread(runs: Iterable[Mapping], key: str, spec: str, unit: float = 1) -> str:
    """The mean of a column, and how far its values lie apart.

    >>> spread([{"seconds": 60}, {"seconds": 90}], "seconds", ".2f", unit=60)
    '1.25 (1.00 to 1.50)'
    """
    values = [run[key] for run in runs]
    if not values or None in values:
        return show(None)
    least, most = (f"{value / unit:{spec}}" for value in (min(values), max(values)))
    return f"{mean(values) / unit:{spec}}" + (f" ({least} to {most})" if len(values) > 1 else "")


def tinystories(data: Path) -> str:
    """Our models of TinyStories, and others' whose bits per byte are published."""
    ours, rows = read_rows(data / "runs" / "tinystories" / "runs.csv"), []
    for row in ours:
        rows.append(["ours", row["run"], f"{row['n_params']:,}", f"{row['n_tokens']:,}", f"{row['valid_n_bytes']:,} bytes kept apart",
                     f"**{row['valid_bits_per_byte']:.3f}**", f"{row['seconds'] / 60:.0f} minutes"])  # fmt: skip
    for row in read_published(data, "llama2c_models"):
        rows.append(["llama2.c", row["model"], f"{row['parameters_computed_tied']:,}", "not published", "its own",
                     f"about {row['approx_bits_per_byte_third_party']:g}", row["hardware"]])  # fmt: skip
    for row in read_published(data, "tinystories_reproductions"):
        if row["bits_per_byte"]:
            minutes = f", {row['wall_time_s'] / 60:.0f} minutes" if row["wall_time_s"] else ""
            rows.append(["others", row["name"], show(row["parameters_total"], ","), show(row["training_tokens"], ",", "not published"),
                         row["dataset"], f"{row['bits_per_byte']:g}", show(row["hardware"], missing="not published") + minutes])  # fmt: skip
    below = ("Theirs: `data/published/llama2c_models.csv`, bits per byte by a third party, and `data/published/tinystories_reproductions.csv`, "
             "each row with its source.")  # fmt: skip
    return table("by | model | parameters | tokens read | judged on | bits per byte | time and machine", rows, f"{made_by(ours)} {below}")


def losses(data: Path) -> str:
    """Others' losses as published: nats per token, each of its own tokenizer."""
    released = {(row["hidden_size"], row["layers"]): row for row in read_published(data, "tinystories_hf_models")}
    found = [(row["model"], row["parameters_computed_tied"], row["vocab_size"], row["val_loss_nats_per_token"], row["source"])
             for row in read_published(data, "llama2c_models")]  # fmt: skip
    for row in read_published(data, "tinystories_fig4_gpt_eval"):
        twin = released.get((row["hidden_size"], row["layers"]), {})
        found.append((f"{row['model']}, width {row['hidden_size']}, layers: {row['layers']}", twin.get("parameters_stored_total"),
                      twin.get("stored_vocab_size"), row["eval_loss_nats_per_token"], row["source"]))  # fmt: skip
    found += [(row["name"], row["parameters_total"], row["vocab_size"], row["val_loss_nats_per_token"], row["source"])
              for row in read_published(data, "tinystories_reproductions")]  # fmt: skip
    rows = [(name, show(n_params, ",", "not published"), show(n_ids, ",", "not published"), f"{loss:g}", source)
            for name, n_params, n_ids, loss, source in found if loss is not None]  # fmt: skip
    files = ("llama2c_models", "tinystories_fig4_gpt_eval", "tinystories_hf_models", "tinystories_reproductions")
    below = f"From {', '.join(f'`data/published/{name}.csv`' for name in files)}."
    return table("model | parameters | ids | nats per token | source", rows, below)


def read_rungs(data: Path) -> dict[tuple, list[Named]]:
    """The runs of the ladder by (corpus, size, share of the text, readings), one for each seed, small ones first; nothing before any was kept."""
    path, found = data / "runs" / "ladder" / "runs.csv", {}
    for row in read_rows(path) if path.is_file() else ():
        name = RUNG.fullmatch(row["run"])
        if not name:
            raise ValueError(f"{row.where}: {row['run']!r} should be CORPUS_SIZE_SHARExREADINGS_seedN")
        corpus, size, share, readings = name.groups()
        found.setdefault((corpus, size, float(share), float(readings)), []).append(row)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], item[1][0]["n_params"], item[1][0]["n_tokens"])))


def ladder(data: Path) -> str:
    """Models of several sizes that read no story twice."""
    once = {key: runs for key, runs in read_rungs(data).items() if key[3] <= 1}
    rows = [(corpus, size, f"{runs[0]['n_params']:,}", f"{runs[0]['n_tokens']:,}", spread(runs, "valid_bits_per_byte", ".3f"), f"{len(runs)}",
             spread(runs, "seconds", ".1f", unit=60), spread(runs, "peak_memory_bytes", ",.0f", unit=1e6), show(runs[0]["flops"], "power"))
            for (corpus, size, _, _), runs in once.items()]  # fmt: skip
    head = "corpus | size | parameters | tokens | bits per byte | seeds | minutes | memory, MB | FLOP"
    return table(head, rows, made_by(run for runs in once.values() for run in runs))


def repeats(data: Path) -> str:
    """Text that was read several times, beside as many tokens of which none is repeated."""
    rungs, rows, used = read_rungs(data), [], []
    for (corpus, size, share, readings), runs in rungs.items():
        if readings > 1:
            n_tokens = runs[0]["n_tokens"]  # not quite a multiple: a share ends with a whole story
            fresh = [run for key, others in rungs.items() for run in others if key[:2] == (corpus, size) and key[3] <= 1
                     and abs(run["n_tokens"] - n_tokens) < 0.02 * n_tokens]  # fmt: skip
            rows.append((corpus, size, f"{share:g}", f"{readings:g}", f"{n_tokens:,}",
                         *(spread(some, "valid_bits_per_byte", ".3f") for some in (runs, fresh))))  # fmt: skip
            used += runs + fresh
    head = "corpus | size | share of the text | readings | tokens | bits per byte | as many tokens, read once"
    return table(head, rows, made_by(used))


def read_sweep(data: Path) -> dict[tuple, list[Named]]:
    """The trainings of the sweep by (corpus, budget), small ones first."""
    found = {}
    for row in read_rows(data / "runs" / "sweep" / "runs.csv"):
        name = SWEPT.fullmatch(row["run"])
        if not name:
            raise ValueError(f"{row.where}: {row['run']!r} should be CORPUS_SIZE_BUDGET_judge_xFACTOR_seedN")
        corpus, _, budget = name.groups()
        found.setdefault((corpus, float(budget)), []).append(row)
    return dict(sorted(found.items(), key=lambda item: (item[0][0] != "tinystories", item[0])))


def sweep(data: Path) -> str:
    """What each budget was spent on, and the lowest point of its valley."""
    found, rows = read_sweep(data), []
    for (corpus, budget), runs in found.items():
        sizes = sorted(run["n_params"] for run in runs)
        valley = fit_valley([run["n_params"] for run in runs], [run["valid_nats_per_token"] for run in runs])
        best = min(runs, key=lambda run: run["valid_nats_per_token"])
        rows.append((corpus, show(budget, "power"), f"{len(runs)}", f"{sizes[0]:,} to {sizes[-1]:,}",
                     f"{valley.n_params:,.0f}" + ("" if valley.inside else " (outside)"), f"{valley.loss:.3f}", f"{best['valid_bits_per_byte']:.3f}",
                     f"{max(run['n_tokens'] / run['train_tokens'] for run in runs):.1f}", f"{sum(run['seconds'] for run in runs) / 60:.0f}"))  # fmt: skip
    head = "corpus | FLOP | trainings | parameters | best size | its loss, nats | best training, bits per byte | readings, at most | minutes"
    return table(head, rows, made_by(run for runs in found.values() for run in runs))


def forecasts(data: Path) -> str:
    """What was said of a budget before it was trained, and what it came to."""
    found, rows, commands = read_sweep(data), [], []
    for path in sorted((data / "runs" / "sweep").glob("forecast_*.json")):
        said, corpus = json.loads(path.read_text(encoding="utf-8")), path.stem.split("_")[1]
        runs = found.get((corpus, said["budget"]), [])
        came_to = {SWEPT.fullmatch(run["run"])[2]: run["valid_nats_per_token"] for run in runs}
        if runs:
            valley = fit_valley([run["n_params"] for run in runs], [run["valid_nats_per_token"] for run in runs])
            came_to |= {f"best size by the {way}": valley.n_params for way in ("law", "valleys")}
            came_to |= {f"least loss by the {way}": valley.loss for way in ("law", "valleys")}
        for name, (middle, low, high) in said["says"].items():
            spec, value = ",.0f" if "size" in name else ".3f", came_to.get(name)
            verdict = "" if value is None else "yes" if low < value < high else "**no**"
            rows.append((corpus, show(said["budget"], "power"), name, f"{middle:{spec}}", f"{low:{spec}} to {high:{spec}}",
                         show(value, spec, "not trained yet"), verdict))  # fmt: skip
        commands.append(f"`{said['command']}`")
    return table("corpus | FLOP | of | forecast | range | came to | within", rows, f"Made by {', '.join(commands)}, before the trainings.")


def growth(data: Path) -> str:
    """The exponent of the best size, by what is counted and how it is found."""
    rows, commands = [], []
    for path in sorted((data / "runs" / "sweep").glob("growth_*.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        commands.append(f"`{said['command']}`")
        for counting, found in said["countings"].items():
            ways = ("{:.2f} ({:.2f} to {:.2f})".format(*found[f"exponent by the {way}"]) for way in ("valleys", "envelope", "law"))
            numbers = ("{:.2f} ({:.2f} to {:.2f})".format(*found[name]) for name in ("E", "alpha", "beta"))
            rows.append((path.stem.split("_")[1], str(said["n_points"]), counting, *ways, *numbers))
    head = "corpus | trainings | C is | a by the valleys | by the envelope | by the law | E, nats | α | β"
    return table(head, rows, f"Made by {', '.join(commands)}.")


def vocabulary(data: Path) -> str:
    """The same body with vocabularies of several sizes, at equal computation."""
    runs, rows = read_rows(data / "runs" / "vocabulary" / "runs.csv"), []
    for n_ids in sorted({run["vocab_size"] for run in runs}):
        same = [run for run in runs if run["vocab_size"] == n_ids]
        both = [[run for run in same if run["corpus"] == name] for name in ("storyworld", "tinystories")]
        rows.append((f"{n_ids:,}", f"{1 - same[0]['n_params_without_embeddings'] / same[0]['n_params']:.0%}",
                     "; ".join(f"{some[0]['valid_n_bytes'] / some[0]['valid_n_tokens']:.2f}" for some in both),
                     *(", ".join(f"{run['valid_bits_per_byte']:.3f}" for run in some) for some in both)))  # fmt: skip
    return table("ids | share of the table | bytes a token, storyworld; TinyStories | storyworld | TinyStories", rows, made_by(runs))


def ablations(data: Path) -> str:
    """The default body with one part exchanged, and what that costs."""
    runs = read_rows(data / "runs" / "ablations" / "runs.csv")
    factors, found = {run["variant"]: run["factor"] for run in runs if run["purpose"] == "judge"}, differences(runs)
    rows = [(EXCHANGED[name], f"{factors[name]:g}", f"{one['bits_per_byte']:.4f}",
             "" if name == "baseline" else f"{one['difference']:+.4f} ± {one['half_width']:.4f}")
            for name, one in sorted(found.items(), key=lambda item: (item[0] != "baseline", item[1]["difference"]))]  # fmt: skip
    return table("exchanged | rates, times | bits per byte | difference", rows, made_by(runs))


# Good and poor text


def corners(data: Path) -> str:
    """Small and large models on good and on poor text, with each budget."""
    cells = {key: runs for key, runs in read_cells(data, "corners").items() if key[1] in ("good", "poor")}
    rows = [(show(flops, "power"), model, text, f"{int(runs[0]['n_tokens']):,}", *means(runs), f"{len(runs)}")
            for (model, text, flops), runs in sorted(cells.items(), key=lambda item: item[0][2])]  # fmt: skip
    return table(f"FLOP | model | text | tokens | {MEASURES} | seeds", rows, made_by(itertools.chain(*cells.values())))


def contests(data: Path) -> str:
    """The small model on good text less the large one on poor text: with equal operations, and with equal tokens."""
    cells, rows, used = read_cells(data, "corners"), [], []
    for small, large, equal in [(flops, flops, "operations") for flops in BUDGETS] + [(BUDGETS[0], BUDGETS[-1], "tokens")]:
        if ("small", "good", small) in cells and ("large", "poor", large) in cells:
            david, goliath = cells["small", "good", small], cells["large", "poor", large]
            used += david + goliath
            rows.append((equal, show(small, "power"), show(large, "power"), *(plus_minus(*found) for found in contest(david, goliath).values())))
    return table(f"equal | FLOP, small | FLOP, large | {MEASURES}", rows, made_by(used))


def kinds(data: Path) -> str:
    """What each kind of fault costs the small model, by its dose."""
    cells = read_cells(data, "kinds")
    good, faulty = cells.get(("small", "good", BUDGETS[0])), {key: runs for key, runs in cells.items() if key[1] not in ("good", "poor")}
    rows = []
    for (_, text, _), runs in sorted(faulty.items()) if good else ():
        kind, dose = text.rsplit("-", 1)
        rows.append((kind.replace("_", " "), dose, *means(runs), plus_minus(*contest(runs, good)["bits per byte"]), f"{len(runs)}"))
    head = f"fault | dose | {MEASURES} | bits more than on good text | seeds"
    return table(head, rows, made_by(itertools.chain(*faulty.values())))


def domains(data: Path) -> str:
    """Which real text a model read, and by which it is judged: the whole matrix, in bits per byte."""
    cells = read_cells(data, "domains")
    rows = [(model, text, *means(runs)[1:], f"{len(runs)}") for (model, text, _), runs in cells.items()]
    judged = list(measures(next(iter(cells.values()))[0]))[1:] if rows else []
    return table(f"model | read | {' | '.join(judged)} | seeds", rows, made_by(itertools.chain(*cells.values())))


def read_cells(data: Path, part: str) -> dict[tuple[str, str, float], list[dict]]:
    return by_cell(read_table(TABLES[part], data / "runs"))


def plus_minus(middle: float, half: float) -> str:
    """A difference with half the width of its interval; one pair of seeds has none."""
    return f"{middle:+.3f} ± {half:.3f}" if math.isfinite(half) else f"{middle:+.3f} (one seed)"


def means(runs: Iterable[dict]) -> list[str]:
    """Each measure of some runs, over their seeds."""
    found = [measures(run) for run in runs]
    return [spread(found, name, ".3f") for name in found[0]]


def computed(runs: Named, facts: Named) -> dict[str, float]:
    """The numbers of the template's prose that no single record has."""
    ours, theirs, longer = facts["storyworld"], facts["tinystories"], runs["corpus_models"]["storyworld_10MB_long"]
    shipped, parts = runs["tinystories"]["shipped"], list(runs["ablations"].values())
    rates = {run["factor"]: run["held_back_bits_per_byte"] for run in parts if (run["variant"], run["purpose"]) == ("baseline", "rate")}
    bits: dict[str, dict[int, list[float]]] = {}
    for run in runs["vocabulary"].values():
        bits.setdefault(run["corpus"], {}).setdefault(run["vocab_size"], []).append(run["valid_bits_per_byte"])
    return {f"best_{corpus}": min(by_size, key=lambda n_ids: mean(by_size[n_ids])) for corpus, by_size in bits.items()} | {
        "seeds_apart": max(max(some) - min(some) for by_size in bits.values() for some in by_size.values()),
        "readings": shipped["n_tokens"] / shipped["train_tokens"],
        "train_megabytes": shipped["train_tokens"] * shipped["valid_n_bytes"] / shipped["valid_n_tokens"] / 1e6,
        "gain_storyworld": 1 - ours["bits_per_byte_model_10MB"] / ours["bits_per_byte_5gram_10MB"],
        "gain_tinystories": 1 - theirs["bits_per_byte_model_10MB"] / theirs["bits_per_byte_5gram_10MB"],
        "gain_longer": 1 - longer["valid_bits_per_byte"] / ours["bits_per_byte_5gram_10MB"],
        "gain_more_text": 1 - ours["bits_per_byte_model_10MB"] / ours["bits_per_byte_model_3MB"],
        "n_trainings": len(parts),
        "cpu_seconds": mean(run["cpu_seconds"] for run in parts),
        "n_seeds": len({run["seed"] for run in parts if run["purpose"] == "judge"}),
        "n_rates": len(rates),
        "rate_gain": rates[1] - min(rates.values()),
    }
