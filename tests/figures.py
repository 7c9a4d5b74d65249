"""What is wrong with a figure? Letters on letters, letters too small to read. Used on every figure of the chapters, and proved on figures made wrong."""

from itertools import combinations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLEST = 9  # points


def shown_texts(fig: Figure) -> list[Text]:
    """The texts that a reader sees: none that are empty, hidden, or ticks out of range."""
    fig.canvas.draw()
    ticks, shown = set(), set()
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                ticks |= {tick.label1, tick.label2}
                if low <= tick.get_loc() <= high:
                    shown |= {tick.label1, tick.label2}
    texts = [text for text in fig.findobj(Text) if text not in ticks or text in shown]
    return [text for text in texts if text.get_text().strip() and text.get_visible() and _parents_visible(text)]


def _parents_visible(text: Text) -> bool:
    return text.axes is None or text.axes.get_visible()


def problems(fig: Figure) -> list[str]:
    """List what a reader could stumble over; an empty list is a good figure."""
    texts = shown_texts(fig)
    found = [f"{text.get_text()!r} has {text.get_fontsize():g} points, under {SMALLEST}" for text in texts if text.get_fontsize() < SMALLEST]
    boxes = {text: text.get_window_extent() for text in texts}
    for one, other in combinations(texts, 2):
        both = Bbox.intersection(boxes[one], boxes[other])
        if both is None or min(both.width, both.height) < 1:
            continue
        if (one.get_rotation() or other.get_rotation()) and not (ink(fig, one) & ink(fig, other)).any():
            continue  # the boxes of slanted texts cross more than their letters do
        found.append(f"{one.get_text()!r} lies on {other.get_text()!r}")
    return found


def ink(fig: Figure, text: Text) -> np.ndarray:
    """The pixels that a text covers, drawn alone."""
    renderer = fig.canvas.get_renderer()
    renderer.clear()
    text.draw(renderer)
    drawn = np.asarray(renderer.buffer_rgba())[..., 3] > 0
    fig.canvas.draw()
    return drawn
