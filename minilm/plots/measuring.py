"""Figures of how large, how good, how sure: chapters 00 and 08 to 13, and the map of the chapters."""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox

from minilm.plots.look import BLUE, COLOURS, DASHES, GREEN, GREY, POINTS, PURPLE, SIDES, VERMILION, short, told_apart


def _log_ticks(axis: Axis, **where) -> None:
    """Mark a logarithmic axis where LogLocator says, in short numbers, with nothing between."""
    axis.set_major_locator(LogLocator(**where))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def giants_and_dwarfs(ax: Axes, models: Sequence[Mapping], ratios: Sequence[float] = (2, 20, 200)) -> Axes:
    """Draw models by size and by training tokens on logarithmic axes, with lines of equal tokens per parameter.

    models: mappings with `name`, `n_params`, `n_tokens`, `group` (the third is marked by stars) and, if wanted,
    `side`: where the name stands, "right" (else), "left", "above" or "below". Source: Hoffmann et al. 2022, Table 1.
    """
    for group, colour, marker in told_apart(dict.fromkeys(model["group"] for model in models)):
        members = [(model["n_params"], model["n_tokens"]) for model in models if model["group"] == group]
        ax.plot(*zip(*members), marker, color=colour, label=group, markersize=15 if marker == "*" else 8, zorder=3)
    for model in models:
        offset, look = SIDES[model.get("side", "right")]
        ax.annotate(model["name"], (model["n_params"], model["n_tokens"]), offset, **look, **POINTS)
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="training tokens",
           xlim=(min(m["n_params"] for m in models) / 3, max(m["n_params"] for m in models) * 9),
           ylim=(min(m["n_tokens"] for m in models) / 8, max(m["n_tokens"] for m in models) * 5))  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        _log_ticks(axis, numticks=20)
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

    grades: for each name the same few qualities, each graded from 0 to 10.
    """
    names = list(grades)[::-1]
    ax.hlines(names, [min(grades[name].values()) for name in names], [max(grades[name].values()) for name in names],
              color="#B9BDC3", zorder=2)  # fmt: skip
    for (quality, colour, _), marker in zip(told_apart(grades[names[0]]), "osD^"):
        ax.plot([grades[name][quality] for name in names], names, marker, color=colour, label=quality, clip_on=False, zorder=3)
    ax.set(xlim=(0, 10), ylim=(-0.6, len(names) - 0.4), xlabel="grade, out of 10")
    ax.legend(loc="lower left")
    ax.grid(axis="y", visible=False)
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


def _looks(groups: Collection, pairs: bool) -> Iterator[tuple]:
    """Each group with its colour and mark; in pairs the second has the colour and the mark of the first, and is hollow."""
    looks = [{"color": colour, "marker": marker} for _, colour, marker in told_apart(groups)]
    if pairs:
        looks = [look | fill for look in looks for fill in ({}, {"markerfacecolor": "white", "linestyle": DASHES})]
    return zip(groups, looks)


def with_ranges(ax: Axes, curves: Mapping[str, Sequence[tuple[float, float, float, float]]], xlabel: str, ylabel: str, pairs: bool = False) -> Axes:
    """Draw the points (x, y, low, high) of each curve, with a bar from low to high; x is logarithmic.

    pairs: whether each two curves share a colour; the second is hollow and dashed then.
    """
    for (name, points), look in _looks(curves.items(), pairs):
        x, y, low, high = np.array(sorted(points)).T
        ax.plot(x, y, markersize=6, label=name, zorder=4, **look)
        bars = np.clip((y - low, high - y), 0, None)  # a mean of equal numbers may differ from them in the last digit
        ax.errorbar(x, y, bars, fmt="none", ecolor=look["color"], capsize=3, zorder=3)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    _log_ticks(ax.xaxis, subs=(1, 1.5, 2, 3, 5, 7))
    ax.legend()
    return ax


def shares_in_rows(ax: Axes, shares: Mapping[str, Mapping[str, tuple[float, float, float]]], levels: Mapping[str, float] = {}, pairs: bool = False) -> Axes:
    """Draw a row for each thing measured: a mark for each group with a bar from low to high, and a dashed line at the level of blind guessing.

    shares: for each group (share, low, high) by row, from 0 to 1; rows that a group lacks are left out of it. levels: shares by row. Rows stand in
    the order in which they first come, from the top. pairs: as for `with_ranges`.
    """
    rows = list(dict.fromkeys(row for group in shares.values() for row in group))
    for k, ((name, group), look) in enumerate(_looks(shares.items(), pairs)):
        places = [-rows.index(row) + 0.14 * ((len(shares) - 1) / 2 - k) for row in group]
        middle, low, high = 100 * np.array(list(group.values())).T
        ax.errorbar(middle, places, xerr=np.clip((middle - low, high - middle), 0, None), fmt="none", ecolor=look["color"], capsize=3, zorder=3)
        ax.plot(middle, places, label=name, markersize=7, zorder=4, **look | {"linestyle": "none"})
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
    """Draw how likely each score is with so many items, for models whose true shares are given; return the curves."""
    curves = [ax.plot([], [], color=colour, marker=marker, markersize=4, linewidth=1.2, label=f"true share {100 * share:g} %")[0]
              for share, colour, marker in told_apart(shares)]  # fmt: skip
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


def with_lowest(ax: Axes, x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Axes:
    """Draw a curve for each name over the same logarithmic x, and a star where it is lowest; infinite values are left out."""
    for (name, values), colour, _ in told_apart(curves.items()):
        lowest = np.argmin(values)
        ax.plot(x, np.where(np.isfinite(values), values, np.nan), color=colour, label=name)
        ax.plot(x[lowest], values[lowest], "*", color=colour, markersize=14, markeredgecolor="white", zorder=4)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    _log_ticks(ax.xaxis, subs=(1, 2, 5))
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
    _log_ticks(ax.xaxis, subs=(1, 2, 5))
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
        _log_ticks(axis, numticks=20)
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


def chapter_map(ax: Axes, names: Mapping[str, str], links: Sequence) -> Axes:
    """Draw chapters below each other, with an arc from each to those that take an idea from it.

    names: by number, in order. links: have `source` and `target` (numbers), `idea` and `needed`; what only helps is dashed.
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
        taken = ", ".join(f"{link.idea} ({link.source})" for link in links if link.target == number)
        ax.plot(0, y, "o", color="white", markeredgecolor="black", markersize=21, zorder=3)
        ax.text(0, y, number, ha="center", va="center_baseline", fontsize=10, fontweight="bold", zorder=4)
        ax.text(0.5, y + 0.04, names[number], va="bottom", fontsize=11, fontweight="bold")
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
