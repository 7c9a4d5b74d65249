"""The look that all figures share, `show` and `show_table`, and curves over one axis."""

import base64
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

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


def told_apart(groups: Collection) -> Iterator[tuple]:
    """Give each group of a figure a colour and a mark of its own. Raises ValueError for more groups than there are colours."""
    if len(groups) > len(COLOURS):
        raise ValueError(f"{len(groups)} groups in one figure; colours and marks tell {len(COLOURS)} apart, so draw several figures")
    return zip(groups, COLOURS, MARKERS)


def lines(ax: Axes, x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Axes:
    """Draw a line with marks for each curve over the same x, its name at its right end; an empty name is not written."""
    for (name, values), colour, marker in told_apart(curves.items()):
        ax.plot(x, values, color=colour, marker=marker, markersize=6, clip_on=False, zorder=3)
        ax.annotate(name, (x[-1], values[-1]), (9, 0), va="center", color=colour, **POINTS)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    return ax
