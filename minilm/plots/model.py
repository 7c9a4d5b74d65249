"""Figures of what happens inside a model and of what it says next: chapters 03 to 05 and 07."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D

from minilm.plots.look import BLUE, COLOURS, DASHES, GREY, POINTS, VERMILION, told_apart
from minilm.plots.text import TINTS, shown


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
    for (way, values), colour, marker in told_apart(shares.items()):
        ax.plot(places, values, marker, color=colour, label=way, markersize=7, clip_on=False, zorder=3)
    ax.set(ylabel="share of the draws", ylim=(0, 1))
    ax.set_xticks(places, names, rotation=30)
    ax.grid(axis="x", visible=False)
    ax.legend(loc="upper left")
    return ax


def against_temperature(ax: Axes, temperatures: Sequence[float], measured: Mapping[str, Sequence[tuple[float, float]]], levels: Mapping[str, float] = {}) -> Axes:
    """Draw measures against the temperature, each point with two standard errors either way; levels: for comparison, by name."""
    for (name, points), colour, marker in told_apart(measured.items()):
        means, errors = np.array(points).T
        ax.errorbar(temperatures, means, 2 * errors, color=colour, marker=marker, markersize=6, capsize=3, label=name or None)
    for name, level in levels.items():
        ax.axhline(level, color=GREY, linestyle=DASHES, linewidth=1.2, label=name)
    ax.set(xlabel="temperature", ylim=(0, None), xticks=temperatures)
    ax.tick_params(axis="x", labelsize=9)
    return ax


def intensity(ax: Axes, batch: Sequence[int], curves: Mapping[str, Sequence[float]], level: float, name: str) -> Axes:
    """Draw operations per byte against the number of texts side by side, both logarithmic, below the level that a machine could keep up with."""
    for (label, values), colour, marker in told_apart(curves.items()):
        ax.plot(batch, values, color=colour, marker=marker, markersize=6)
        ax.annotate(label, (batch[-1], values[-1]), (9, 0), va="center", color=colour, **POINTS)
    ax.axhline(level, color=GREY, linestyle=DASHES, linewidth=1.2)
    ax.annotate(name, (batch[0], level), (0, 5), va="bottom", color=GREY, **POINTS)
    ax.set(xscale="log", yscale="log", xlabel="texts written side by side", ylabel="operations per byte fetched")
    ax.set_xticks(batch, [str(n) for n in batch])
    ax.minorticks_off()
    return ax
