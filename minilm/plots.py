"""How do the numbers look? One function for each figure of the course: data in, Axes out.

In order: the look that all figures share, `show` and `show_table`, then the figures as the chapters need them. A figure
function draws on the Axes it is given and returns it; it reads no file and opens no window, and leaves the title to the
caller, who knows what the figure found. Groups differ in their marks as well as in colour, so that a figure survives a
grey printer and colour-blind eyes.

Used from chapter 00 on. Left out on purpose: themes; figures that move (they belong to `widgets`).
"""

import base64
import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

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
            ax.text(x + len(token) / 2, -y, token.replace(" ", "·"), ha="center", va="center_baseline", family="monospace", fontsize=10)
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
    names = [token.replace(" ", "·") for token in tokens]
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
        shown = token.replace(" ", "·").replace("\n", "↵")
        if x + len(shown) > width:
            x, y = 0, y - 1
        looks = i == len(tokens) - 1
        ax.barh(y, len(shown), 0.8, left=x, color=WEIGHTS(weight**0.5), edgecolor=VERMILION if looks else GREY, linewidth=2.5 if looks else 0.5)
        colour = "white" if weight > 0.6 else "black"
        ax.text(x + len(shown) / 2, y, shown, ha="center", va="center_baseline", family="monospace", fontsize=9.5, color=colour)
        x += len(shown) + 0.15
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
