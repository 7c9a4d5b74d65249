"""How do the numbers look? One function for each figure of the course: data in, Axes out.

In order: the look that all figures share, `show` and `show_table`, then the figures as the chapters need them. A figure
function draws on the Axes it is given and returns it; it reads no file and opens no window, and leaves the title to the
caller, who knows what the figure found. Groups differ in their marks as well as in colour, so a figure survives a grey
printer and colour-blind eyes.

Used from chapter 00 on. Left out on purpose: themes; figures that move (they belong to `widgets`).
"""

import base64
import io
import itertools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import Bbox

# Okabe and Ito's colours, chosen to stay apart for colour-blind readers, without those that are too pale on white.
BLUE, VERMILION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#00805C", "#A8457C", "#5F6368"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE)
MARKERS = ("o", "s", "D", "*")

STYLE = {
    "font.size": 11, "axes.titlesize": 13, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 12,
    "axes.labelsize": 11, "xtick.labelsize": 10, "ytick.labelsize": 10, "legend.fontsize": 10, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": "#E3E5E8", "grid.linewidth": 0.8, "lines.linewidth": 2, "lines.markersize": 8,
    "axes.prop_cycle": mpl.cycler(color=COLOURS), "figure.figsize": (7.5, 4.5), "figure.dpi": 100,
}


def style() -> AbstractContextManager:
    """Give the figures made inside `with style():` the look of the course."""
    return mpl.rc_context(STYLE)


def show(fig: Figure, alt: str) -> None:
    """Display a figure as PNG with words for those who cannot see it, and close it.

    alt: what the figure shows, in a sentence or two; it travels in the output's metadata, from where exported pages take
    it, and stands in for the picture wherever only text can be shown. Raises ValueError if alt is empty.
    """
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows")
    buffer = io.BytesIO()
    # Twice the pixels of its size on the page, for sharp screens; no version stamp, so that two runs give the same bytes.
    fig.savefig(buffer, format="png", dpi=200, bbox_inches="tight", facecolor="white", metadata={"Software": None})
    plt.close(fig)
    png = buffer.getvalue()
    width = int.from_bytes(png[16:20]) // 2  # the PNG header holds the width in these four bytes
    display({"image/png": base64.b64encode(png).decode(), "text/plain": alt}, raw=True,
            metadata={"image/png": {"alt": alt, "width": width}})


def show_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Display rows that share their keys as a table with the keys as its head; numbers stand to the right.

    Raises ValueError if there is no row, or if a row has other keys than the first.
    """
    if not rows or any(list(row) != list(rows[0]) for row in rows):
        raise ValueError("a table needs at least one row, and the same keys in every row")
    numeric = [all(isinstance(row[key], int | float) or not row[key] for row in rows) for key in rows[0]]
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

    models: mappings with `name`, `n_params`, `n_tokens` and `group` (its colour and mark, at most four groups); `hollow`
    if the tokens are not the whole story. The limits and the places of the names follow from the points.
    Source of the idea: Hoffmann et al. 2022, Table 1.
    """
    groups = list(dict.fromkeys(model["group"] for model in models))
    for group, colour, marker in zip(groups, COLOURS, MARKERS, strict=False):
        members = [model for model in models if model["group"] == group]
        face = "white" if any(model.get("hollow") for model in members) else colour
        ax.plot([m["n_params"] for m in members], [m["n_tokens"] for m in members], marker, color=colour, label=group,
                markerfacecolor=face, markersize=13 if marker == "*" else 8, zorder=3)
    sizes, tokens = (np.array([model[key] for model in models], float) for key in ("n_params", "n_tokens"))
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="training tokens",
           xlim=(sizes.min() / 3, sizes.max() * 4), ylim=(tokens.min() / 4, tokens.max() * 8))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(base=10, numticks=20))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    _ratio_lines(ax, ratios)
    _name_points(ax, sizes, tokens, [model["name"] for model in models])
    ax.legend(loc="lower right")
    return ax


def _ratio_lines(ax: Axes, ratios: Sequence[float]) -> None:
    """Draw tokens = ratio x parameters for each ratio, labelled just outside the frame, where no point can be."""
    (left, right), (_, top) = ax.get_xlim(), ax.get_ylim()
    for ratio in ratios:
        ax.plot([left, right], [ratio * left, ratio * right], color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1,
                scalex=False, scaley=False)
        label = f"{ratio:g} tokens\nper parameter"
        if ratio * right > top:
            ax.annotate(label, (top / ratio, top), (0, 3), textcoords="offset points", ha="center", va="bottom",
                        fontsize=9, color=GREY)
        else:
            ax.annotate(label, (right, ratio * right), (4, 0), textcoords="offset points", ha="left", va="center",
                        fontsize=9, color=GREY)


def _name_points(ax: Axes, xs: np.ndarray, ys: np.ndarray, names: Sequence[str]) -> None:
    """Write each name beside its point: the first of some places, near ones first, where it covers nothing else."""
    ax.figure.draw_without_rendering()
    points = ax.transData.transform(np.column_stack([xs, ys]))
    taken = [Bbox.from_extents(x - 7, y - 7, x + 7, y + 7) for x, y in points]
    frame = ax.get_window_extent()
    angles = np.deg2rad([0, 180, 90, 270, 45, 135, 315, 225])
    for x, y, name in zip(xs, ys, names, strict=True):
        for distance, angle in itertools.product((9, 20, 34, 50), angles):
            dx, dy = np.cos(angle), np.sin(angle)
            sides = ("left", "center", "right"), ("bottom", "center", "top")
            horizontal, vertical = (side[1 - int(np.sign(round(d, 6)))] for side, d in zip(sides, (dx, dy)))
            leader = {"arrowstyle": "-", "color": GREY, "linewidth": 0.8, "shrinkB": 5} if distance > 9 else None
            label = ax.annotate(name, (x, y), (distance * dx, distance * dy), textcoords="offset points", fontsize=10,
                                ha=horizontal, va=vertical, arrowprops=leader, zorder=4)
            box = Bbox(label.get_window_extent()).padded(2)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            label.remove()
        else:
            raise ValueError(f"no free place for {name!r}; make the figure larger or name fewer points")


def exam_scores(ax: Axes, scores: Mapping[str, float], *, chance: float, expert: float | None = None,
                marked: Sequence[str] = ()) -> Axes:
    """Draw an exam's results as bars, the best on top, with the level that blind guessing reaches.

    scores, chance and expert are percentages; the bars of the names in `marked` take another colour and a hatch.
    """
    ranked = sorted(scores.items(), key=lambda item: item[1])
    for name, score in ranked:
        look = {"color": VERMILION, "hatch": "//", "edgecolor": "white"} if name in marked else {"color": BLUE}
        ax.barh(name, score, height=0.65, **look)
        ax.annotate(f"{score:.1f}", (score, name), (4, 0), textcoords="offset points", va="center", fontsize=10)
    for level, label in ((chance, "chance"), (expert, "human expert")):
        if level is not None:
            ax.axvline(level, color=GREY, linewidth=1.2, linestyle=(0, (4, 3)), zorder=3)
            ax.annotate(f"{label}\n{level:g} %", (level, 1), (0, 3), xycoords=("data", "axes fraction"), fontsize=9,
                        textcoords="offset points", ha="center", va="bottom", color=GREY)
    ax.set(xlim=(0, 100), xlabel="correct answers, per cent")
    ax.grid(axis="y", visible=False)
    return ax


def story_grades(ax: Axes, grades: Mapping[str, Mapping[str, float]]) -> Axes:
    """Draw the grades that each story-teller got, one line of marks for each, in the order given from the top.

    grades: for each name the same few qualities, each graded from 0 to 10.
    """
    names = list(grades)[::-1]
    ax.hlines(names, [min(grades[name].values()) for name in names], [max(grades[name].values()) for name in names],
              color="#B9BDC3", linewidth=2, zorder=2)
    for quality, marker, colour in zip(grades[names[0]], MARKERS, COLOURS):
        ax.plot([grades[name][quality] for name in names], names, marker, color=colour, label=quality, zorder=3)
    ax.set(xlim=(0, 10), ylim=(-0.6, len(names) - 0.4), xlabel="grade, out of 10")
    ax.legend(loc="upper left")
    ax.grid(axis="y", visible=False)
    return ax


AXES = {"step": "optimizer steps", "n_tokens": "tokens read", "seconds": "seconds of training",
        "loss": "loss (nats per token)", "nats_per_token": "loss (nats per token)", "bits_per_byte": "bits per byte"}


def loss_curve(ax: Axes, records: Sequence[Mapping], x: str = "n_tokens", y: str = "bits_per_byte",
               label: str | None = None) -> Axes:
    """Draw one curve of a training log: a thin line as it was logged and, if it is long and noisy, its running mean.

    records: the log's lines; those without both keys are passed over. Call again with another y or log to compare.
    Raises ValueError if no line has both.
    """
    points = np.array([(record[x], record[y]) for record in records if x in record and y in record], float)
    if not len(points):
        raise ValueError(f"no line of the log has both {x!r} and {y!r}")
    window = max(1, len(points) // 25)
    (line,) = ax.plot(*points.T, marker="o" if len(points) <= 25 else "", markersize=5, label=label if window == 1 else None)
    if window > 1:
        line.set(alpha=0.3, linewidth=1)
        means = np.lib.stride_tricks.sliding_window_view(points, window, axis=0).mean(axis=-1)
        ax.plot(*means.T, color=line.get_color(), label=label)
    ax.set(xlabel=AXES.get(x, x), ylabel=AXES.get(y, y))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    if label:
        ax.legend()
    return ax
