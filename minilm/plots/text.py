"""Figures about text and its tokens: chapters 01 and 02."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullLocator

from minilm.plots.look import BLUE, DASHES, GREY, POINTS, VERMILION, short, told_apart

TINTS = ("#CFE3F2", "#F8DCC8", "#CDE8DE", "#EAD3DF")  # the four hues, pale enough for black letters


def tint(token: str) -> str:
    """A pale colour for a token, the same wherever it stands."""
    return TINTS[sum(token.encode()) % len(TINTS)]


def shown(token: str) -> str:
    """A token as it is drawn: a dot for a blank, an arrow for the end of a line."""
    return token.replace(" ", "·").replace("\n", "↵")


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
    for (name, values), colour, _ in told_apart(work.items()):
        ax.plot(range(1, len(values) + 1), values, color=colour)
        ax.annotate(name, (len(values), values[-1]), (6, 0), va="center", color=colour, **POINTS)
    ax.set(yscale="log", xlabel="merge", ylabel="ids looked at", xlim=(0, len(values) * 1.1))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    ax.yaxis.set_minor_locator(NullLocator())
    return ax


def by_vocabulary(ax: Axes, runs: Sequence[Mapping], y: str, label: str) -> Axes:
    """Draw a measure of runs against their vocabulary size: a mark for each run, a line through the means of each corpus."""
    for corpus, colour, marker in told_apart(sorted({run["corpus"] for run in runs})):
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
    for (name, points), colour, marker in told_apart(curves.items()):
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
    for (name, points), colour, marker in told_apart(curves.items()):
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
    for k, ((text, colour, _), hatch) in enumerate(zip(told_apart(texts), ("", "//", "..", "xx"))):
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
    for y, ((name, values), colour, marker) in enumerate(told_apart([*reversed(shares.items())])):
        heights = y + jitter.uniform(-0.3, 0.3, len(values))
        ax.plot(values, heights, marker, color=colour, alpha=0.45, markersize=5, markeredgewidth=0)
    ax.set(yticks=range(len(shares)), yticklabels=list(shares)[::-1], xlim=(-0.03, 1.03), xlabel="share of its runs of five words in one earlier story")
    ax.grid(axis="y", visible=False)
    return ax.axvline(threshold, color=GREY, linewidth=1.5, linestyle=DASHES)
