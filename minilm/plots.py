"""How do the numbers look? One function for each figure of the course: data in, Axes out.

In order: the look that all figures share, `show` and `show_table`, then the figures as the chapters need them. A figure
function draws on the Axes it is given and returns it; it reads no file and opens no window, and leaves the title to the
caller, who knows what the figure found. Groups differ in their marks as well as in colour, so that a figure survives a
grey printer and colour-blind eyes.

Used from chapter 00 on. Left out on purpose: themes; figures that move (they belong to `widgets`).
"""

import base64
import io
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox

# Four of Okabe and Ito's hues, which colour-blind readers can tell apart, darkened where they were pale on white.
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#00805C", "#A8457C", "#5F6368"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
MARKERS = ("o", "s", "*", "D")
DASHES = (0, (4, 3))
HALO = withStroke(linewidth=3, foreground="white")  # so that no line crosses a letter
POINTS = {"textcoords": "offset points", "fontsize": 10, "zorder": 4, "path_effects": [HALO]}  # for text beside a point
SIDES = {"right": ((9, 0), {"ha": "left", "va": "center"}), "left": ((-9, 0), {"ha": "right", "va": "center"}),
         "above": ((0, 8), {"ha": "center", "va": "bottom"}), "below": ((0, -9), {"ha": "center", "va": "top"})}  # fmt: skip

STYLE = {
    "font.size": 11, "axes.titlesize": 13, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.titlepad": 12, "axes.labelsize": 11, "xtick.labelsize": 10, "ytick.labelsize": 10, "legend.fontsize": 10,
    "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
    "axes.axisbelow": True, "grid.color": "#E3E5E8", "grid.linewidth": 0.8, "lines.linewidth": 2, "lines.markersize": 8,
    "axes.prop_cycle": mpl.cycler(color=COLOURS), "figure.figsize": (7.5, 4.5), "figure.dpi": 100,
}  # fmt: skip


def style() -> AbstractContextManager:
    """Give the figures made inside `with style():` the look of the course."""
    return mpl.rc_context(STYLE)


def show(fig: Figure, alt: str) -> None:
    """Display a figure as PNG with words for those who cannot see it, and close it.

    alt: what the figure shows, in a sentence or two; exported pages take it from the output's metadata, and it stands in
    for the picture wherever only text can be shown. Raises ValueError if alt is empty.
    """
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows")
    buffer = io.BytesIO()
    # Twice the pixels of its size on the page, for sharp screens; no version stamp, so that two runs give equal bytes.
    fig.savefig(buffer, format="png", dpi=200, bbox_inches="tight", facecolor="white", metadata={"Software": None})
    plt.close(fig)
    png = buffer.getvalue()
    width = int.from_bytes(png[16:20]) // 2  # a PNG's header holds its width in these four bytes
    display({"image/png": base64.b64encode(png).decode(), "text/plain": alt}, raw=True,
            metadata={"image/png": {"alt": alt, "width": width}})  # fmt: skip


def show_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Display rows that share their keys as a table with the keys as its head; columns of numbers stand to the right.

    Raises ValueError if there is no row, or if a row has other keys than the first.
    """
    if not rows or any(list(row) != list(rows[0]) for row in rows):
        raise ValueError("a table needs at least one row, and the same keys in every row")
    numeric = [all(re.match(r"[-+−]?\d", str(row[key])) or row[key] in ("", "–") for row in rows) for key in rows[0]]
    lines = [rows[0], ["---:" if right else ":---" for right in numeric], *(row.values() for row in rows)]
    text = "\n".join("| " + " | ".join(str(value) for value in line) + " |" for line in lines)
    display({"text/markdown": text, "text/plain": text}, raw=True)


def short(number: float) -> str:
    """Write a large number as people say it, in three digits at most.

    >>> short(1.4e12), short(6.7e9), short(1_038_464), short(260_032), short(512)
    ('1.4T', '6.7B', '1.04M', '260K', '512')
    """
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= 0.9995 * size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def giants_and_dwarfs(ax: Axes, models: Sequence[Mapping], ratios: Sequence[float] = (2, 20, 200)) -> Axes:
    """Draw models by size and by training tokens on logarithmic axes, with lines of equal tokens per parameter.

    models: mappings with `name`, `n_params`, `n_tokens`, `group` (at most four; the third is marked by stars) and, if wanted,
    `side`: where the name stands, "right" (else), "left", "above" or "below". Source: Hoffmann et al. 2022, Table 1.
    """
    for group, colour, marker in zip(dict.fromkeys(model["group"] for model in models), COLOURS, MARKERS):
        members = [(model["n_params"], model["n_tokens"]) for model in models if model["group"] == group]
        ax.plot(*zip(*members), marker, color=colour, label=group, markersize=15 if marker == "*" else 8, zorder=3)
    for model in models:
        offset, look = SIDES[model.get("side", "right")]
        ax.annotate(model["name"], (model["n_params"], model["n_tokens"]), offset, **look, **POINTS)
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="training tokens",
           xlim=(min(m["n_params"] for m in models) / 3, max(m["n_params"] for m in models) * 9),
           ylim=(min(m["n_tokens"] for m in models) / 8, max(m["n_tokens"] for m in models) * 5))  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(base=10, numticks=20))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    for ratio in ratios:
        _ratio_line(ax, ratio)
    ax.legend(loc="lower right")
    return ax


def _ratio_line(ax: Axes, ratio: float) -> None:
    """Draw tokens = ratio x parameters, with its name along the line, a little left of the middle."""
    (left, right), (bottom, top), frame = ax.get_xlim(), ax.get_ylim(), ax.get_window_extent()
    ax.axline((left, ratio * left), (right, ratio * right), color=GREY, linewidth=1, linestyle=DASHES, zorder=1)
    rise, run = frame.height / np.log10(top / bottom), frame.width / np.log10(right / left)  # pixels of a factor of ten
    place = left * (right / left) ** 0.46
    ax.annotate(f"{ratio:g} tokens per parameter", (place, ratio * place), (0, 3), ha="center", va="bottom", color=GREY,
                rotation=np.degrees(np.arctan2(rise, run)), rotation_mode="anchor", **POINTS | {"fontsize": 9})  # fmt: skip


def equal_compute(ax: Axes, flops: float) -> Line2D:
    """Draw the line on which training takes `flops` operations, 6 for each parameter and token, across the axes; return it."""
    (line,) = ax.plot(ax.get_xlim(), ax.get_xlim(), color=PURPLE, linewidth=1.5, zorder=2)
    set_equal_compute(line, flops)
    return line


def set_equal_compute(line: Line2D, flops: float) -> None:
    """Move the line of `equal_compute` to another computation."""
    line.set_ydata(flops / 6 / np.asarray(line.get_xdata()))


def exam_scores(ax: Axes, scores: Mapping[str, float], levels: Mapping[str, float], marked: Sequence[str] = ()) -> Axes:
    """Draw the results of an exam as bars, the best on top, with lines for levels such as blind guessing.

    scores, levels: per cent of correct answers, by name; the bars of the names in `marked` stand out.
    """
    for name, score in sorted(scores.items(), key=lambda item: item[1]):
        look = {"color": VERMILION, "hatch": "//", "edgecolor": "white"} if name in marked else {"color": BLUE}
        ax.barh(name, score, height=0.65, **look)
        ax.annotate(f"{score:.1f}", (score, name), (5, 0), va="center", **POINTS)
    for name, level in levels.items():
        ax.axvline(level, color=GREY, linewidth=1.2, linestyle=DASHES, zorder=3)
        ax.annotate(f"{name}, {level:g} %", (level, 1), (0, 3), xycoords=("data", "axes fraction"), ha="center",
                    va="bottom", color=GREY, **POINTS | {"fontsize": 9})  # fmt: skip
    ax.set(xlim=(0, 100), xlabel="correct answers, per cent")
    ax.grid(axis="y", visible=False)
    return ax


def story_grades(ax: Axes, grades: Mapping[str, Mapping[str, float]]) -> Axes:
    """Draw the grades that each story-teller got: a row of marks for each, in the order given from the top.

    grades: for each name the same few qualities (at most four), each graded from 0 to 10.
    """
    names = list(grades)[::-1]
    ax.hlines(names, [min(grades[name].values()) for name in names], [max(grades[name].values()) for name in names],
              color="#B9BDC3", zorder=2)  # fmt: skip
    for quality, marker, colour in zip(grades[names[0]], "osD^", COLOURS):
        ax.plot([grades[name][quality] for name in names], names, marker, color=colour, label=quality, clip_on=False, zorder=3)
    ax.set(xlim=(0, 10), ylim=(-0.6, len(names) - 0.4), xlabel="grade, out of 10")
    ax.legend(loc="lower left")
    ax.grid(axis="y", visible=False)
    return ax


AXES = {"step": "optimizer steps", "tokens": "tokens read", "seconds": "seconds of training",
        "loss": "training loss, nats per token", "valid_bits_per_byte": "validation loss, bits per byte"}  # fmt: skip


def loss_curve(ax: Axes, log: Sequence[Mapping], x: str = "tokens", y: str = "loss", label: str | None = None) -> Axes:
    """Draw one curve of a training log: a thin line as it was logged and, if it is long and noisy, its running mean.

    log: lines of `log.jsonl`; those without both keys are passed over. Call again with another y or log to compare.
    Raises ValueError if no line has both.
    """
    points = np.array([(line[x], line[y]) for line in log if x in line and y in line], float)
    if not len(points):
        raise ValueError(f"no line of the log has both {x!r} and {y!r}")
    window = 1 + len(points) // 50
    (curve,) = ax.plot(*points.T, marker="o" if len(points) <= 25 else "", markersize=5, label=label)
    if window > 1:
        curve.set(alpha=0.3, linewidth=1, label=None)
        means = np.lib.stride_tricks.sliding_window_view(points, window, axis=0).mean(axis=-1)
        ax.plot(*means.T, color=curve.get_color(), label=label)
    ax.set(xlabel=AXES.get(x, x), ylabel=AXES.get(y, y))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    if label:
        ax.legend()
    return ax


TINTS = ("#CFE3F2", "#F8DCC8", "#CDE8DE", "#EAD3DF")  # the four hues, pale enough for black letters


def tint(token: str) -> str:
    """A pale colour for a token, the same wherever it stands."""
    return TINTS[sum(token.encode()) % len(TINTS)]


def shown(token: str) -> str:
    """A token as it is drawn: a dot for a blank, an arrow for the end of a line."""
    return token.replace(" ", "·").replace("\n", "↵")


def lines(ax: Axes, x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Axes:
    """Draw a line with marks for each curve over the same x, its name at its right end; an empty name is not written."""
    for (name, values), colour, marker in zip(curves.items(), COLOURS, MARKERS):
        ax.plot(x, values, color=colour, marker=marker, markersize=6, clip_on=False, zorder=3)
        ax.annotate(name, (x[-1], values[-1]), (9, 0), va="center", color=colour, **POINTS)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    return ax


def token_boxes(ax: Axes, rows: Mapping[str, Sequence[str]]) -> Axes:
    """Draw rows of tokens, each token as a box around its letters; a dot stands for a blank. rows: label -> tokens of the same text."""
    for y, tokens in enumerate(rows.values()):
        x = 0
        for token in tokens:
            ax.barh(-y, len(token), 0.72, left=x, color=tint(token), edgecolor=GREY, linewidth=0.6)
            ax.text(x + len(token) / 2, -y, shown(token), ha="center", va="center_baseline", family="monospace", fontsize=10)
            x += len(token)
    ax.set(yticks=[-y for y in range(len(rows))], yticklabels=rows, xticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def work_per_merge(ax: Axes, work: Mapping[str, Sequence[float]]) -> Axes:
    """Draw how much each merge costs in several ways of learning, on a logarithmic axis, the name of each at its line's end."""
    for (name, values), colour in zip(work.items(), COLOURS):
        ax.plot(range(1, len(values) + 1), values, color=colour)
        ax.annotate(name, (len(values), values[-1]), (6, 0), va="center", color=colour, **POINTS)
    ax.set(yscale="log", xlabel="merge", ylabel="ids looked at", xlim=(0, len(values) * 1.1))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.yaxis.set_minor_locator(NullLocator())
    return ax


def by_vocabulary(ax: Axes, runs: Sequence[Mapping], y: str, label: str) -> Axes:
    """Draw a measure of runs against their vocabulary size: a mark for each run, a line through the means of each corpus."""
    for corpus, colour, marker in zip(sorted({run["corpus"] for run in runs}), COLOURS, MARKERS):
        points = [(run["vocab_size"], run[y]) for run in runs if run["corpus"] == corpus]
        sizes = sorted({size for size, _ in points})
        ax.plot(sizes, [np.mean([value for size, value in points if size == one]) for one in sizes], color=colour)
        ax.plot(*zip(*points), marker, color=colour, label=corpus, markersize=6)
    ax.set(xscale="log", xlabel="ids in the vocabulary", ylabel=label, ylim=(0, None), xticks=sizes)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    if len({run["corpus"] for run in runs}) > 1:
        ax.legend()
    return ax


def table_and_body(ax: Axes, sizes: Sequence[int], d_model: int, n_layers: int) -> BarContainer:
    """Draw which share of a model its embedding table takes, for several vocabulary sizes; return the bars of the tables.

    The body is that of a LLaMA-shaped model, about 12 n_layers d_model² parameters.
    """
    places = [f"{size:,}" for size in sizes]
    ax.bar(places, [1] * len(sizes), color=TINTS[0], label="body")
    bars = ax.bar(places, [0] * len(sizes), color=BLUE, hatch="//", edgecolor="white", label="embedding table")
    set_table_and_body(bars, sizes, d_model, n_layers)
    ax.set(ylim=(0, 1), xlabel="ids in the vocabulary", ylabel="share of all parameters")
    ax.tick_params(axis="x", labelsize=9)
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left", frameon=True)
    return bars


def set_table_and_body(bars: BarContainer, sizes: Sequence[int], d_model: int, n_layers: int) -> list[float]:
    """Give the bars of `table_and_body` the heights of another shape; return these shares."""
    shares = [size / (size + 12 * n_layers * d_model) for size in sizes]
    for bar, share in zip(bars, shares):
        bar.set_height(share)
    return shares


def token_counts(ax: Axes, counts: Mapping[str, int], n_bytes: Mapping[str, int]) -> Axes:
    """Draw how many ids each text takes, as bars with their numbers, in front of its bytes; in the order given from the top."""
    names = list(counts)[::-1]
    ax.barh(names, [n_bytes[name] for name in names], height=0.75, color=TINTS[0], edgecolor=BLUE, label="bytes")
    ax.barh(names, [counts[name] for name in names], height=0.45, color=BLUE, label="ids")
    for name in names:
        ax.annotate(f"{counts[name]}", (max(counts[name], n_bytes[name]), name), (5, 0), va="center", **POINTS)
    ax.set(xlabel="bytes and ids", xlim=(0, max(n_bytes.values()) * 1.1))
    ax.legend(loc="upper right")
    ax.grid(axis="y", visible=False)
    return ax


def rows_by_frequency(ax: Axes, counts: Sequence[int], lengths: Sequence[float]) -> Axes:
    """Draw the length of each token's embedding against how often the token occurs; those that never do stand at the left, in another colour."""
    counts, lengths = np.array(counts), np.array(lengths)
    never, jitter = counts == 0, np.random.default_rng(0)
    ax.plot(counts[~never], lengths[~never], "o", color=BLUE, alpha=0.35, markersize=4, markeredgewidth=0, label="occurs")
    spread = 0.25 * 2 ** jitter.uniform(-0.5, 0.5, never.sum())
    ax.plot(spread, lengths[never], "s", color=VERMILION, alpha=0.45, markersize=4, markeredgewidth=0, label="never occurs")
    ax.set(xscale="log", xlabel="times the token occurs", ylabel="length of its row", ylim=(0, None), xticks=[0.25, 1, 10, 100, 1000, 10_000])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "never" if value < 1 else f"{value:,.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.legend(loc="lower left")
    return ax


def zipf(ax: Axes, curves: Mapping[str, Sequence[tuple[int, float]]], named: Mapping[int, str] = {}) -> Axes:
    """Draw how often words occur against their rank, both logarithmic, beside the line of first frequency over rank.

    curves: for each text (rank, times in a million words). named: words for some ranks of the first curve.
    """
    (_, top), *_ = first = list(next(iter(curves.values())))
    last = max(rank for points in curves.values() for rank, _ in points)
    ax.plot([1, last], [top, top / last], color=GREY, linestyle=DASHES, linewidth=1.2, zorder=1, label="first ÷ rank")
    for (name, points), colour, marker in zip(curves.items(), COLOURS, MARKERS):
        ax.plot(*zip(*points), color=colour, marker=marker, markersize=5, markevery=[0, len(points) - 1], label=name)
    for rank, name in named.items():
        ax.plot(rank, dict(first)[rank], "o", color=BLUE, markersize=6)
        ax.annotate(name, (rank, dict(first)[rank]), (7, 9), ha="left", va="bottom", **POINTS)
    ax.set(xscale="log", yscale="log", xlabel="rank of the word", ylabel="times in a million words", ylim=(None, top * 3))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        axis.set_minor_locator(NullLocator())
    ax.legend(loc="lower left")
    return ax


def growth(ax: Axes, curves: Mapping[str, Sequence[tuple[int, int]]], at: int) -> Line2D:
    """Draw how many different words there are among the first n, a line for each text; return the upright line at `at`, which may be moved."""
    for (name, points), colour, marker in zip(curves.items(), COLOURS, MARKERS):
        ax.plot(*zip(*points), color=colour, marker=marker, markevery=5, markersize=6, label=name)
    ax.set(xlabel="words of text", ylabel="different words", xlim=(0, None), ylim=(0, None))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.legend(loc="lower right")
    return ax.axvline(at, color=GREY, linewidth=1.2, linestyle=DASHES)


def shares_beside(ax: Axes, shares: Mapping[str, Mapping[str, float]]) -> Axes:
    """Draw shares in pairs of bars with their numbers. shares: for each text the same measures, in the order given from the top."""
    texts, names = list(shares), list(next(iter(shares.values())))
    height = 0.8 / len(texts)
    for k, (text, colour, hatch) in enumerate(zip(texts, COLOURS, ("", "//", ".."))):
        places = -np.arange(len(names)) - (k - (len(texts) - 1) / 2) * height
        values = [100 * shares[text][name] for name in names]
        ax.barh(places, values, height * 0.9, color=colour, hatch=hatch, edgecolor="white", label=text)
        for place, value in zip(places, values):
            ax.annotate(f"{value:.1f}", (value, place), (5, 0), va="center", **POINTS)
    ax.set(yticks=-np.arange(len(names)), yticklabels=names, xlabel="per cent", xlim=(0, 100))
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower right")
    return ax


def shared_runs(ax: Axes, shares: Mapping[str, Sequence[float]], threshold: float) -> Line2D:
    """Draw, in a row for each kind of story, the share of runs that stand in one earlier story; return the line of the threshold."""
    jitter = np.random.default_rng(0)
    for y, ((name, values), colour, marker) in enumerate(zip(reversed(shares.items()), COLOURS, MARKERS)):
        heights = y + jitter.uniform(-0.3, 0.3, len(values))
        ax.plot(values, heights, marker, color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
    ax.set(yticks=range(len(shares)), yticklabels=list(shares)[::-1], xlim=(-0.03, 1.03), xlabel="share of its runs of five words in one earlier story")
    ax.grid(axis="y", visible=False)
    return ax.axvline(threshold, color=GREY, linewidth=1.5, linestyle=DASHES)


def descent(ax: Axes, loss: Callable[[np.ndarray], np.ndarray], places: np.ndarray, limits: tuple[float, float]) -> Line2D:
    """Draw a loss of one number and the places that descent visits on it; return the path, whose data may be changed."""
    w = np.linspace(*limits, 200)
    ax.plot(w, loss(w), color=GREY, zorder=1)
    (path,) = ax.plot(places, loss(places), "o-", color=VERMILION, linewidth=1, markersize=6)
    ax.set(xlabel="w", ylabel="loss", xlim=limits, ylim=(-2, loss(w).max()))
    return path


def toward(ax: Axes, losses: Sequence[float], least: float, name: str) -> Axes:
    """Draw a loss against the steps of training, from the first on, on a logarithmic axis, and the level below which it cannot fall."""
    ax.plot(range(1, len(losses) + 1), losses, color=BLUE)
    ax.axhline(least, color=GREY, linewidth=1.2, linestyle=DASHES)
    ax.annotate(f"{name}, {least:.2f}", (1, least), (0, -6), ha="left", va="top", color=GREY, **POINTS)
    ax.set(xscale="log", xlabel="steps", ylabel="loss, nats per token", ylim=(0, None))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return ax


def pulls(ax: Axes, probs: Sequence[float], gradient: Sequence[float], target: int) -> Axes:
    """Draw the probabilities of a guess and the gradient of its loss side by side for each id; the target is named."""
    places = np.arange(len(probs))
    ax.bar(places - 0.2, probs, 0.38, color=BLUE, label="probability")
    ax.bar(places + 0.2, gradient, 0.38, color=VERMILION, hatch="//", edgecolor="white", label="gradient")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(xticks=places, xticklabels=[f"id {i}" + ("\nwhat came" if i == target else "") for i in places], ylim=(-1, 1))
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper right")
    return ax


def next_token_table(ax: Axes, probs: np.ndarray, tokens: Sequence[str]) -> Axes:
    """Draw probabilities of the next token (columns), given the last (rows), darker for likelier; ␣ stands for a blank."""
    names = [token.replace(" ", "␣").replace("\n", "¶") for token in tokens]
    image = ax.imshow(probs, cmap="Blues", norm="log", vmin=1e-4, vmax=1)
    ax.set(xticks=range(len(names)), yticks=range(len(names)), xlabel="next", ylabel="last")
    ax.set_xticklabels(names, rotation=90, family="monospace")
    ax.set_yticklabels(names, family="monospace")
    ax.grid(visible=False)
    ax.figure.colorbar(image, ax=ax, label="probability", shrink=0.8)
    return ax


def ladder(ax: Axes, bits: Mapping[str, float]) -> Axes:
    """Draw bits per byte as bars, in the order given from the top, with their numbers."""
    for name, value in reversed(bits.items()):
        ax.barh(name, value, height=0.65, color=BLUE)
        ax.annotate(f"{value:.2f}", (value, name), (5, 0), va="center", **POINTS)
    ax.set(xlabel="bits per byte", xlim=(0, max(bits.values()) * 1.1))
    ax.grid(axis="y", visible=False)
    return ax


WEIGHTS = LinearSegmentedColormap.from_list("weights", ["white", BLUE])  # 0 is white, 1 is blue


def weight_map(ax: Axes, weights: Sequence[Sequence[float]], tokens: Sequence[str] = (), largest: float = 1) -> Axes:
    """Draw weights as squares, the darker the larger: a row for each token that looks, a column for each that is looked at; no tokens, no names."""
    ax.imshow(np.asarray(weights), cmap=WEIGHTS, vmin=0, vmax=largest, aspect="equal")
    names = [shown(token) for token in tokens]
    ax.set(xticks=range(len(names)), yticks=range(len(names)), yticklabels=names)
    ax.set_xticklabels(names, rotation=90)
    ax.grid(visible=False)
    ax.spines[:].set(visible=True, color=GREY)
    ax.tick_params(length=0, labelsize=9)
    return ax


def head_maps(axes: np.ndarray, maps: Sequence[Sequence], marked: Sequence[tuple[int, int]] = ()) -> np.ndarray:
    """Draw a small map for each head, a row of Axes for each layer; those in `marked`, as (layer, head), get a thick frame."""
    for layer, row in enumerate(maps):
        for head, weights in enumerate(row):
            ax = weight_map(axes[layer, head], np.sqrt(weights))  # the root, so that small weights can be seen
            if (layer, head) in marked:
                ax.spines[:].set(color=VERMILION, linewidth=3)
            if layer == 0:
                ax.set_title(f"head {head}", fontsize=10, weight="normal", loc="center", pad=4)
        axes[layer, 0].set_ylabel(f"layer {layer}", fontsize=10)
    return axes


def clock_hands(ax: Axes, query: Sequence[complex], key: Sequence[complex]) -> tuple[list[Line2D], list[Line2D]]:
    """Draw each pair of coordinates as a clock with two hands, the query's and the key's, all of length 1; return the hands."""
    hands = []
    for name, look in (("query", {"color": BLUE}), ("key", {"color": VERMILION, "linestyle": (0, (3, 1.5))})):
        hands.append([ax.plot([], [], linewidth=3, label=name if i == 0 else None, **look)[0] for i in range(len(query))])
    turn = np.exp(1j * np.linspace(0, 2 * np.pi, 100))
    for i in range(len(query)):
        ax.plot(*_on_clock(i, turn), color=GREY, linewidth=1)
        ax.text(2.5 * i, -1.5, f"pair {i}", ha="center", fontsize=10)
    set_clock_hands(hands, query, key)
    ax.set(aspect="equal", xticks=[], yticks=[], ylim=(-2, 2.2), xlim=(-1.5, 2.5 * len(query) - 1))
    ax.spines[:].set_visible(False)
    ax.legend(loc="upper center", ncols=2)
    return tuple(hands)


def _on_clock(i: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of clock i on the page."""
    return 2.5 * i + np.real(points), np.imag(points)


def set_clock_hands(hands: tuple[list[Line2D], list[Line2D]], query: Sequence[complex], key: Sequence[complex]) -> None:
    """Turn the hands of `clock_hands`."""
    for lines, numbers in zip(hands, (query, key)):
        for i, (line, number) in enumerate(zip(lines, numbers)):
            line.set_data(*_on_clock(i, np.array([0, number])))


def score_by_distance(ax: Axes, scores: Sequence[float], distance: int) -> tuple[Line2D, Line2D]:
    """Draw a score against the distance of two tokens, with a mark at one distance; return the curve and the mark."""
    (curve,) = ax.plot(range(len(scores)), scores, color=BLUE)
    (mark,) = ax.plot([distance], [scores[distance]], "o", color=VERMILION, markersize=10, zorder=3)
    ax.set(xlabel="places back", ylabel="score")
    return curve, mark


def looked_at(ax: Axes, tokens: Sequence[str], weights: Sequence[float], width: int = 62) -> Axes:
    """Write a text in boxes, each the darker the more weight its token gets; the last token, which looks, has a thick frame. Clears the Axes first."""
    ax.clear()
    x = y = 0
    for i, (token, weight) in enumerate(zip(tokens, weights)):
        box = shown(token)
        if x + len(box) > width:
            x, y = 0, y - 1
        looks = i == len(tokens) - 1
        ax.barh(y, len(box), 0.8, left=x, color=WEIGHTS(weight**0.5), edgecolor=VERMILION if looks else GREY, linewidth=2.5 if looks else 0.5)
        colour = "white" if weight > 0.6 else "black"
        ax.text(x + len(box) / 2, y, box, ha="center", va="center_baseline", family="monospace", fontsize=9.5, color=colour)
        x += len(box) + 0.15
    ax.set(xticks=[], yticks=[], xlim=(-0.5, width + 1), ylim=(min(y, -3) - 0.7, 0.7))
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


def knocked_out(ax: Axes, harm: Mapping[str, tuple[float, float]], labels: tuple[str, str]) -> Axes:
    """Draw what it costs to take away a part, two bars for each: for one kind of token and for all the others."""
    places, looks = np.arange(len(harm)), ({"color": BLUE}, {"color": TINTS[1], "hatch": "//", "edgecolor": VERMILION})
    for shift, label, look, values in zip((-0.2, 0.2), labels, looks, zip(*harm.values())):
        ax.bar(places + shift, values, 0.38, label=label, **look)
    ax.set_xticks(places, harm, fontsize=9)
    ax.set(ylabel="loss added, nats per token")
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left")
    return ax


def block_diagram(ax: Axes, name: str, first: Sequence[str], second: Sequence[str], before: str, after: str) -> Axes:
    """Draw a transformer block: the stream goes straight up, and each sub-layer reads it on the right and adds to it.

    first, second: what is written into the boxes of the two sub-layers, from below. before, after: what stands below and above the block.
    """
    look = {"ha": "center", "va": "center", "fontsize": 10, "bbox": {"boxstyle": "round,pad=0.35", "facecolor": TINTS[0], "edgecolor": BLUE}}
    arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (0, 10.3), (0, -0.3), arrowprops=arrow | {"color": VERMILION, "linewidth": 3})
    for bottom, boxes in ((0.4, first), (5.4, second)):
        heights = bottom + 1.1 + np.arange(len(boxes)) * 2.0 / (len(boxes) - 1)
        ax.plot([0, 2.6, 2.6], [bottom, bottom, heights[-1]], color=GREY, linewidth=1.5, zorder=1)
        ax.plot([2.6, 2.6], [heights[-1], bottom + 4.2], color=GREY, linewidth=1.5, zorder=1)
        ax.annotate("", (0.25, bottom + 4.2), (2.6, bottom + 4.2), arrowprops=arrow)
        for box, height in zip(boxes, heights):
            ax.text(2.6, height, box, **look)
        ax.text(0, bottom + 4.2, "+", ha="center", va="center", fontsize=13, weight="bold", zorder=4,
                bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": VERMILION})  # fmt: skip
    ax.text(0, -0.5, before, ha="center", va="top", fontsize=10)
    ax.text(0, 10.5, after, ha="center", va="bottom", fontsize=10)
    ax.set(xlim=(-1.6, 4.6), ylim=(-1.5, 11.6), xticks=[], yticks=[])
    ax.set_title(name, loc="center", fontsize=12)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


PARTS = ("table(s)", "attention", "feed-forward", "norms")


def where_parameters_live(ax: Axes, models: Mapping[str, Sequence[float]]) -> list[BarContainer]:
    """Draw which share of its parameters each model has in tables, attention, feed-forward layers and norms; return the bars, part by part."""
    names, bars = list(models)[::-1], []
    for part, colour, hatch in zip(PARTS, COLOURS, ("", "//", "..", "xx")):
        bars.append(ax.barh(names, [0] * len(names), height=0.65, color=colour, hatch=hatch, edgecolor="white", label=part))
    ax.set(xlim=(0, 1), xlabel="share of all parameters")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=4)
    for row, counts in enumerate(reversed(models.values())):
        set_where_parameters_live(bars, row, counts)
    return bars


def set_where_parameters_live(bars: Sequence[BarContainer], row: int, counts: Sequence[float]) -> list[float]:
    """Give one row of `where_parameters_live`, counted from below, other numbers of parameters; return the shares."""
    shares, left = [count / sum(counts) for count in counts], 0.0
    for bar, share in zip(bars, shares):
        bar[row].set(x=left, width=share)
        left += share
    return shares


def first_losses(ax: Axes, spreads: Sequence[float], losses: Sequence[float], blind: float) -> Axes:
    """Draw the loss before training against the spread of the first weights (logarithmic), and the loss of even guesses."""
    ax.plot(spreads, losses, "o-", color=BLUE, markersize=6, zorder=3)
    ax.axhline(blind, color=GREY, linewidth=1.2, linestyle=DASHES, zorder=1)
    ax.annotate(f"even guesses, {blind:.2f}", (spreads[0], blind), (0, -6), ha="left", va="top", color=GREY, **POINTS)
    ax.set(xscale="log", xlabel="spread of the first weights", ylabel="first loss, nats per token", ylim=(0, None))
    ax.set_xticks(spreads, [f"{spread:g}" for spread in spreads])
    ax.minorticks_off()
    return ax


def lens(ax: Axes, tokens: Sequence[str], guesses: Sequence[Sequence[str]], probs: Sequence[Sequence[float]], targets: Sequence[str]) -> Axes:
    """Write the best guess after each layer (rows, the first at the bottom) at each token (columns), the darker the surer; right ones get a frame.

    Clears the Axes first. targets: what really came after each token; "" where nothing did.
    """
    ax.clear()
    for layer, (row, sure) in enumerate(zip(guesses, probs)):
        for t, (guess, p) in enumerate(zip(row, sure)):
            right = guess == targets[t]
            ax.barh(layer, 0.94, 0.86, left=t - 0.47, color=WEIGHTS(0.9 * p), edgecolor=VERMILION if right else GREY, linewidth=2.5 if right else 0.4)
            ax.text(t, layer, shown(guess)[:9], ha="center", va="center_baseline", family="monospace", fontsize=9.5, color="white" if p > 0.6 else "black")
    ax.set_xticks(range(len(tokens)), [shown(token) for token in tokens], family="monospace")
    ax.set_yticks(range(len(guesses)), ["embedding", "1 block", *(f"{n} blocks" for n in range(2, len(guesses)))])
    ax.set(xlim=(-0.6, len(tokens) - 0.4), ylim=(-0.6, len(guesses) - 0.4), xlabel="token that was read")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def differences(ax: Axes, effects: Mapping[str, tuple[float, float]], label: str) -> Axes:
    """Draw differences from a baseline with the half-widths of their intervals, in the order given from the top; those whose interval holds 0 are hollow.

    A half-width that is infinite, that of a single seed, is not drawn.
    """
    for y, (middle, half) in enumerate(reversed(effects.values())):
        clear = abs(middle) > half
        half = half if math.isfinite(half) else 0
        colour = GREY if not clear else VERMILION if middle > 0 else BLUE
        ax.errorbar(middle, y, xerr=half, fmt="o", color=colour, capsize=4, markersize=8, markerfacecolor=colour if clear else "white", zorder=3)
        side = 1 if middle > 0 else -1  # away from zero
        ax.annotate(f"{middle:+.3f}", (middle + side * half, y), (8 * side, 0), ha="left" if middle > 0 else "right", va="center", **POINTS)
    ax.axvline(0, color="black", linewidth=1, zorder=1)
    ax.set(yticks=range(len(effects)), yticklabels=list(effects)[::-1], ylim=(-0.6, len(effects) - 0.4), xlabel=label)
    ax.margins(x=0.15)
    ax.grid(axis="y", visible=False)
    return ax


def paths_in_valley(ax: Axes, paths: Mapping[str, Sequence[tuple[float, float]]], steepness: float) -> Axes:
    """Draw ways down to (0, 0) over the loss (a² + steepness b²) / 2, whose levels are thin grey lines."""
    for (name, path), colour, marker in zip(paths.items(), COLOURS, MARKERS):
        ax.plot(*np.transpose(path), marker + "-", color=colour, linewidth=1.2, markersize=5, label=name, zorder=3)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    a, b = np.meshgrid(np.linspace(left, right, 200), np.linspace(bottom, top, 200))
    loss = (a**2 + steepness * b**2) / 2
    ax.contour(a, b, loss, levels=loss.max() * np.linspace(0.02, 1, 9) ** 2, colors=GREY, linewidths=0.7, zorder=1)
    ax.plot(0, 0, "+", color="black", markersize=12, zorder=4)
    ax.set(xlabel="first weight", ylabel="second weight")
    ax.grid(visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return ax


def schedule(ax: Axes, shares: Sequence[float]) -> Line2D:
    """Draw the learning rate of each step as a share of its peak; return the curve, whose heights may be changed."""
    (curve,) = ax.plot(range(len(shares)), shares, color=BLUE)
    ax.set(xlabel="step", ylabel="share of the peak rate", ylim=(0, 1.05), xlim=(0, len(shares) - 1))
    return curve


def gallery(axes: Sequence[Axes], runs: Mapping[str, tuple[Sequence[float], Sequence[float]]], level: float) -> Sequence[Axes]:
    """Draw each loss curve with the healthy run that it belongs to, dashed and grey, and a dotted level; steps are logarithmic.

    runs: letter -> (curve, healthy). Every Axes has a scale of its own.
    """
    for ax, (letter, (losses, healthy)) in zip(np.ravel(axes), runs.items()):
        ax.axhline(level, color=GREY, linewidth=1, linestyle=":")
        ax.plot(range(1, len(healthy) + 1), healthy, color=GREY, linewidth=1.2, linestyle=DASHES)
        ax.plot(range(1, len(losses) + 1), losses, color=VERMILION, linewidth=1.5)
        ax.set_title(letter, loc="center", pad=4)
        ax.set(ylim=(0, None), xscale="log", xlabel="step", ylabel="nats per token")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return axes


def rate_sweep(ax: Axes, rates: Sequence[float], ends: Mapping[str, Sequence[float]], level: tuple[str, float]) -> Axes:
    """Draw where runs ended against their peak rate, on a logarithmic axis, a line for each kind of run, and a dashed level with its name."""
    for (name, values), colour, marker in zip(ends.items(), COLOURS, MARKERS):
        ax.plot(rates, values, color=colour, marker=marker, label=name)
    ax.axhline(level[1], color=GREY, linewidth=1.2, linestyle=DASHES)
    ax.annotate(level[0], (rates[0], level[1]), (0, -5), ha="left", va="top", color=GREY, **POINTS)
    ax.set(xscale="log", xlabel="peak learning rate", ylabel="loss at the end, nats per token")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, 0.9))
    return ax


def apart(ax: Axes, steps: Sequence[int], distances: Mapping[str, Sequence[float]]) -> Axes:
    """Draw how far runs are from a run that they are compared with, at each step."""
    for (name, values), colour, marker in zip(distances.items(), COLOURS, MARKERS):
        ax.plot(steps, values, color=colour, marker=marker, markersize=6, label=name, clip_on=False, zorder=3)
    ax.set(xlabel="step", ylim=(0, None))
    ax.legend(loc="upper right")
    return ax


def next_token_bars(ax: Axes, names: Sequence[str], believed: Sequence[float], drawn: Sequence[float]) -> tuple:
    """Draw for each token, the likeliest on top, what the model believes (wide, pale) and what is drawn from (narrow); return both sets of bars."""
    places = range(len(names))
    pale = ax.barh(places, believed, 0.8, color=TINTS[0], edgecolor=BLUE, linewidth=0.8, label="the model's guess")
    dark = ax.barh(places, drawn, 0.4, color=BLUE, label="drawn from")
    ax.set(yticks=places, ylim=(len(names) - 0.5, -0.5), xlabel="probability")
    ax.grid(axis="y", visible=False)
    set_next_token_bars((pale, dark), names, believed, drawn)
    return pale, dark


def set_next_token_bars(bars: tuple, names: Sequence[str], believed: Sequence[float], drawn: Sequence[float]) -> None:
    """Give the bars of `next_token_bars` other names and lengths; a token that cannot be drawn has a grey name."""
    ax = bars[0].patches[0].axes
    for container, lengths in zip(bars, (believed, drawn)):
        for bar, length in zip(container, lengths):
            bar.set_width(length)
    for label, share in zip(ax.set_yticklabels(names), drawn):
        label.set_color("black" if share > 0 else "#8A8F96")
    ax.set_xlim(0, 1.08 * max(*believed, *drawn))


def drawn_shares(ax: Axes, names: Sequence[str], wanted: Sequence[float], shares: Mapping[str, Sequence[float]]) -> Axes:
    """Draw wanted probabilities as bars, and on them the shares in which several ways of drawing gave each name, as marks."""
    places = np.arange(len(names))
    ax.bar(places, wanted, 0.7, color=TINTS[0], edgecolor=BLUE, linewidth=0.8, label="probability")
    for (way, values), colour, marker in zip(shares.items(), COLOURS, MARKERS):
        ax.plot(places, values, marker, color=colour, label=way, markersize=7, clip_on=False, zorder=3)
    ax.set(ylabel="share of the draws", ylim=(0, 1))
    ax.set_xticks(places, names, rotation=30)
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left")
    return ax


def against_temperature(ax: Axes, temperatures: Sequence[float], measured: Mapping[str, Sequence[tuple[float, float]]], levels: Mapping[str, float] = {}) -> Axes:
    """Draw measures against the temperature, each point with two standard errors either way; levels: for comparison, by name."""
    for (name, points), colour, marker in zip(measured.items(), COLOURS, MARKERS):
        means, errors = np.array(points).T
        ax.errorbar(temperatures, means, 2 * errors, color=colour, marker=marker, markersize=6, capsize=3, label=name or None)
    for name, level in levels.items():
        ax.axhline(level, color=GREY, linestyle=DASHES, linewidth=1.2, label=name)
    ax.set(xlabel="temperature", ylim=(0, None), xticks=temperatures)
    ax.tick_params(axis="x", labelsize=9)
    return ax


def intensity(ax: Axes, batch: Sequence[int], curves: Mapping[str, Sequence[float]], level: float, name: str) -> Axes:
    """Draw operations per byte against the number of texts side by side, both logarithmic, below the level that a machine could keep up with."""
    for (label, values), colour, marker in zip(curves.items(), COLOURS, MARKERS):
        ax.plot(batch, values, color=colour, marker=marker, markersize=6)
        ax.annotate(label, (batch[-1], values[-1]), (9, 0), va="center", color=colour, **POINTS)
    ax.axhline(level, color=GREY, linestyle=DASHES, linewidth=1.2)
    ax.annotate(name, (batch[0], level), (0, 5), va="bottom", color=GREY, **POINTS)
    ax.set(xscale="log", yscale="log", xlabel="texts written side by side", ylabel="operations per byte fetched")
    ax.set_xticks(batch, [str(n) for n in batch])
    ax.minorticks_off()
    return ax


def with_ranges(ax: Axes, curves: Mapping[str, Sequence[tuple[float, float, float, float]]], xlabel: str, ylabel: str) -> Axes:
    """Draw the points (x, y, low, high) of each curve, with a bar from low to high; x is logarithmic."""
    for (name, points), colour, marker in zip(curves.items(), COLOURS, MARKERS):
        x, y, low, high = np.array(sorted(points)).T
        ax.plot(x, y, color=colour, marker=marker, markersize=6, label=name, zorder=3)
        bars = np.clip((y - low, high - y), 0, None)  # a mean of equal numbers may differ from them in the last digit
        ax.errorbar(x, y, bars, fmt="none", ecolor=colour, capsize=3, zorder=3)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.legend()
    return ax


def shares_in_rows(ax: Axes, shares: Mapping[str, Mapping[str, tuple[float, float, float]]], levels: Mapping[str, float] = {}) -> Axes:
    """Draw a row for each thing measured: a mark for each group with a bar from low to high, and a dashed line at the level of blind guessing.

    shares: for each group (share, low, high) by row, from 0 to 1; rows that a group lacks are left out of it. levels: shares by row. Rows stand in
    the order in which they first come, from the top.
    """
    rows = list(dict.fromkeys(row for group in shares.values() for row in group))
    for k, ((name, group), colour, marker) in enumerate(zip(shares.items(), COLOURS, MARKERS)):
        places = [-rows.index(row) + 0.14 * ((len(shares) - 1) / 2 - k) for row in group]
        middle, low, high = 100 * np.array(list(group.values())).T
        ax.errorbar(middle, places, xerr=np.clip((middle - low, high - middle), 0, None), fmt="none", ecolor=colour, capsize=3, zorder=3)
        ax.plot(middle, places, marker, color=colour, label=name, markersize=7, zorder=4)
    for row, level in levels.items():
        height = -rows.index(row)
        (line,) = ax.plot([100 * level] * 2, [height - 0.42, height + 0.42], color=GREY, linestyle=DASHES, linewidth=1.5, zorder=2)
    if levels:
        line.set_label("guessing blindly")
    ax.set(yticks=-np.arange(len(rows)), yticklabels=rows, ylim=(0.6 - len(rows), 0.6), xlabel="per cent")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def found_shares(ax: Axes, shares: Sequence[float], n_items: int) -> list[Line2D]:
    """Draw how likely each score is with so many items, for models whose true shares are given (at most four); return the curves."""
    curves = [ax.plot([], [], color=colour, marker=marker, markersize=4, linewidth=1.2, label=f"true share {100 * share:g} %")[0]
              for share, colour, marker in zip(shares, COLOURS, MARKERS)]  # fmt: skip
    for share, curve in zip(shares, curves):
        ax.axvline(100 * share, color=curve.get_color(), linestyle=DASHES, linewidth=1)
    ax.set(xlabel="items right, per cent", ylabel="exams of 100, for each step of 2 %", xlim=(60, 100))
    ax.legend(loc="upper left")
    set_found_shares(curves, shares, n_items)
    return curves


def set_found_shares(curves: Sequence[Line2D], shares: Sequence[float], n_items: int) -> None:
    """Give the curves of `found_shares` another number of items."""
    counts = np.arange(n_items + 1)
    for curve, share in zip(curves, shares):
        ways = [math.lgamma(n_items + 1) - math.lgamma(k + 1) - math.lgamma(n_items - k + 1) for k in counts]  # logarithms
        logs = ways + counts * math.log(share) + (n_items - counts) * math.log(1 - share)
        curve.set(data=(100 * counts / n_items, 100 * np.exp(logs) * n_items / 50), markevery=max(1, n_items // 50))
    top = max(max(curve.get_ydata()) for curve in curves)
    curves[0].axes.set_ylim(0, 1.45 * top)


def expected_band(ax: Axes, steps: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Line2D:
    """Draw the band in which losses are expected, and return an empty line for those of a run that goes on."""
    ax.fill_between(steps, low, high, color=TINTS[0], label="expected")
    (run,) = ax.plot([], [], "o-", color=VERMILION, markersize=5, label="this run", zorder=3)
    ax.set(xlabel="step", ylabel="training loss, nats per token")
    ax.legend()
    return run


def forecast_lines(ax: Axes, x: Sequence[float], middle: Sequence[float], low: Sequence[float], high: Sequence[float]) -> list[Line2D]:
    """Draw a forecast and, dashed, the two ends of its range; return the three lines, whose heights may be changed."""
    (centre,) = ax.plot(x, middle, color=GREEN, label="forecast")
    ends = [ax.plot(x, values, color=GREEN, linestyle=DASHES, linewidth=1.2)[0] for values in (low, high)]
    ax.legend()
    return [centre, *ends]


def with_lowest(ax: Axes, x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Axes:
    """Draw a curve for each name over the same logarithmic x, and a star where it is lowest; infinite values are left out."""
    for (name, values), colour in zip(curves.items(), COLOURS):
        lowest = np.argmin(values)
        ax.plot(x, np.where(np.isfinite(values), values, np.nan), color=colour, label=name)
        ax.plot(x[lowest], values[lowest], "*", color=colour, markersize=14, markeredgecolor="white", zorder=4)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.legend(loc="upper center")
    return ax


def valleys(ax: Axes, races: Mapping[float, tuple[np.ndarray, np.ndarray]], best: Mapping[float, tuple[float, float]]) -> Axes:
    """Draw the losses of each budget against the size, with the parabola through them and its lowest point.

    races: sizes and losses by budget in operations. best: the lowest point (size, loss) of each.
    """
    shades = plt.colormaps["viridis"](np.linspace(0, 0.85, len(races)))
    for (budget, (sizes, losses)), colour, marker in zip(races.items(), shades, itertools.cycle("osD^vP")):
        grid = np.geomspace(min(sizes), max(sizes), 60)
        ax.plot(grid, np.polyval(np.polyfit(np.log(sizes), losses, 2), np.log(grid)), color=colour, linewidth=1.5)
        ax.plot(sizes, losses, marker, color=colour, markersize=6, label=f"{budget:g}".replace("+", ""))
        ax.plot(*best[budget], "*", color=VERMILION, markersize=11, markeredgecolor="white", zorder=2)
    ax.set(xscale="log", xlabel="parameters", ylabel="loss, nats per token")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.legend(title="operations", loc="upper right")
    return ax


def law_plane(ax: Axes, law, ranges: Mapping[str, tuple[float, float]], point: tuple[float, float], models: Mapping[str, Mapping[str, float]],
              cheapest: tuple[float, float] | None = None) -> Axes:  # fmt: skip
    """Draw the plane of parameters and training tokens: losses as lines with their numbers at the right, the best of each compute, and a point.

    law: what has `loss(n_params, n_tokens)` and `optimum(flops)`, such as minilm.scaling.Law. ranges: of `n_params` and `n_tokens`.
    models: `n_params` and `n_tokens` by name; those outside are left out. cheapest: a second point, such as the best one for serving.
    """
    (left, right), (bottom, top) = ranges["n_params"], ranges["n_tokens"]
    n, d, flops = np.geomspace(left, right, 120), np.geomspace(bottom, top, 120), np.geomspace(6 * left * bottom / 1e4, 6 * right * top * 1e4, 400)
    best_n, best_d = law.optimum(flops)
    ax.set(xscale="log", yscale="log", xlim=(left, right), ylim=(bottom, top), xlabel="parameters", ylabel="training tokens")
    levels = round_levels(np.log10(flops), law.loss(best_n, best_d), law.loss(right, top), law.loss(right, bottom))
    ax.contour(n, d, law.loss(n, d[:, None]), levels=levels, colors=BLUE, linewidths=0.8, alpha=0.5, zorder=1)
    for level in levels:
        height = np.interp(-level, -law.loss(right, d), np.log(d))  # losses fall upwards
        ax.annotate(f"{level:g}", (right, np.exp(height)), (5, 0), color=BLUE, va="center", **POINTS | {"fontsize": 9})
    ax.plot(best_n, best_d, color=GREEN, label="best for each compute", zorder=2)
    budget = 6 * point[0] * point[1]
    ax.plot(n, budget / 6 / n, color=VERMILION, linewidth=1.5, label="your compute", zorder=2)
    ax.plot(*point, "o", markersize=13, markerfacecolor="none", markeredgewidth=2.5, color=VERMILION, label="your model", zorder=5)
    ax.plot(*law.optimum(budget), "D", color=GREEN, label="best for your compute", zorder=4)
    if cheapest is not None:
        ax.plot(*cheapest, "*", color=PURPLE, markersize=14, label="cheapest of your loss, when served", zorder=4)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(base=10, numticks=20))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.grid(visible=False)
    _write_names(ax, {name: (m["n_params"], m["n_tokens"]) for name, m in models.items() if left <= m["n_params"] <= right and bottom <= m["n_tokens"] <= top},
                 ax.legend(loc="lower right", frameon=True, framealpha=1))  # fmt: skip
    return ax


def round_levels(places: Sequence[float], losses: Sequence[float], lowest: float, highest: float) -> list[float]:
    """Losses for lines of a map, round ones first, as long as they keep a distance of a thirtieth of all places.

    places, losses: places in rising order, and the loss at each, falling.
    """
    kept = {}
    for step in (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        end = min(highest, lowest + 7 * step)  # far from the lowest, small steps are not round
        for level in step * np.arange(math.ceil(lowest / step), math.ceil(end / step)):
            place = np.interp(-level, -np.asarray(losses), places)
            if all(abs(place - other) > (places[-1] - places[0]) / 30 for other in kept.values()):
                kept[round(float(level), 2)] = place
    return sorted(kept)


def chapter_map(ax: Axes, names: Mapping[str, str], links: Sequence, later: Sequence[str] = ()) -> Axes:
    """Draw chapters below each other, with an arc from each to those that take an idea from it.

    names: by number, in order. links: have `source` and `target` (numbers), `idea` and `needed`; what only helps is dashed. later: the numbers of
    those that are not there yet, drawn pale.
    """
    rows = {number: -place for place, number in enumerate(names)}
    hues = dict(zip(sorted({link.source for link in links if link.needed}), itertools.cycle(COLOURS)))
    for link in sorted(links, key=lambda link: link.needed):
        top, bottom = rows[link.source] - 0.13, rows[link.target] + 0.13  # arcs leave below the middle and arrive above it
        angle = np.linspace(0, np.pi, 60)
        look = {"color": hues[link.source], "linewidth": 1.8} if link.needed else {"color": GREY, "linewidth": 1.2, "linestyle": DASHES}
        ax.plot(-0.45 - 0.6 * (top - bottom) ** 0.8 * np.sin(angle), (top + bottom) / 2 + (top - bottom) / 2 * np.cos(angle), zorder=1, **look)
        ax.plot(-0.42, bottom, ">", color=look["color"], markersize=7, zorder=2)
    for number, y in rows.items():
        colour = GREY if number in later else "black"
        taken = ", ".join(f"{link.idea} ({link.source})" for link in links if link.target == number)
        ax.plot(0, y, "o", color="white", markeredgecolor=colour, markersize=21, zorder=3)
        ax.text(0, y, number, ha="center", va="center_baseline", fontsize=10, fontweight="bold", color=colour, zorder=4)
        ax.text(0.5, y + 0.04, names[number] + (", to come" if number in later else ""), va="bottom", fontsize=11, fontweight="bold", color=colour)
        ax.text(0.5, y - 0.04, taken and f"takes {taken}", va="top", fontsize=9.5, color=GREY)
    ax.plot([], [], color=GREY, linewidth=1.8, label="needed")
    ax.plot([], [], color=GREY, linewidth=1.2, linestyle=DASHES, label="helpful")
    ax.legend(loc="upper left")
    ax.set(xlim=(-0.6 * len(names) ** 0.8, 7.5), ylim=(min(rows.values()) - 0.6, 0.6))
    ax.axis("off")
    return ax


def _write_names(ax: Axes, places: Mapping[str, tuple[float, float]], *others: Artist) -> None:
    """Mark places and write their names where they meet neither each other, nor a mark, nor the others; a name without room is left out."""
    if not places:
        return
    ax.plot(*zip(*places.values()), "o", color="black", markersize=5, zorder=3)
    dots = ax.transData.transform(list(places.values()))
    taken = [other.get_window_extent() for other in others] + [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in dots]
    far = [((9 if side == "left" else -9, up), {"ha": side, "va": "center"}) for up in (18, -18, 32, -32, 46, -46) for side in ("left", "right")]
    for name, place in places.items():
        for offset, look in (*SIDES.values(), *far):
            text = ax.annotate(name, place, offset, **look, **POINTS | {"fontsize": 9})
            box = text.get_window_extent().padded(1)
            if ax.bbox.containsx(box.x0) and ax.bbox.containsx(box.x1) and ax.bbox.containsy(box.y1) and not box.count_overlaps(taken):
                taken.append(box)
                if abs(offset[1]) > 12:  # far names have a thread to their mark
                    ax.annotate("", place, offset, textcoords="offset points", arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": GREY})
                break
            text.remove()
