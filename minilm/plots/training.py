"""Figures of models that learn: chapters 03, 06 and 08."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from minilm.plots.look import BLUE, DASHES, GREEN, GREY, POINTS, VERMILION, short, told_apart
from minilm.plots.text import TINTS

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


def ladder(ax: Axes, bits: Mapping[str, float]) -> Axes:
    """Draw bits per byte as bars, in the order given from the top, with their numbers."""
    for name, value in reversed(bits.items()):
        ax.barh(name, value, height=0.65, color=BLUE)
        ax.annotate(f"{value:.2f}", (value, name), (5, 0), va="center", **POINTS)
    ax.set(xlabel="bits per byte", xlim=(0, max(bits.values()) * 1.1))
    ax.grid(axis="y", visible=False)
    return ax


def paths_in_valley(ax: Axes, paths: Mapping[str, Sequence[tuple[float, float]]], steepness: float) -> Axes:
    """Draw ways down to (0, 0) over the loss (a² + steepness b²) / 2, whose levels are thin grey lines."""
    for (name, path), colour, marker in told_apart(paths.items()):
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
    for (name, values), colour, marker in told_apart(ends.items()):
        ax.plot(rates, values, color=colour, marker=marker, label=name)
    ax.axhline(level[1], color=GREY, linewidth=1.2, linestyle=DASHES)
    ax.annotate(level[0], (rates[0], level[1]), (0, -5), ha="left", va="top", color=GREY, **POINTS)
    ax.set(xscale="log", xlabel="peak learning rate", ylabel="loss at the end, nats per token")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, 0.9))
    return ax


def apart(ax: Axes, steps: Sequence[int], distances: Mapping[str, Sequence[float]]) -> Axes:
    """Draw how far runs are from a run that they are compared with, at each step."""
    for (name, values), colour, marker in told_apart(distances.items()):
        ax.plot(steps, values, color=colour, marker=marker, markersize=6, label=name, clip_on=False, zorder=3)
    ax.set(xlabel="step", ylim=(0, None))
    ax.legend(loc="upper right")
    return ax


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
