"""What moves when the learner moves something? One figure that is redrawn in place, a question with its answers, a stepper.

Apart from the quiz only this module knows ipywidgets. A widget needs a running kernel: GitHub, print and a fresh clone show none, so the chapters draw each figure
once as it stands at first, and a question has its text beside it (`show`).

Used from chapter 00 on. Left out on purpose: `interact`, which makes a new figure each time, flickers, and is twice as slow.
"""

import html
import io
from collections.abc import Callable, Sequence

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from minilm.plots import shown, tint

WIDE = {"description_width": "initial"}


def show(widget: ipywidgets.Widget, fallback: str) -> None:
    """Display a widget, with Markdown for places that can show none; a built notebook keeps only that."""
    bundle = {key: value for key, value in widget._repr_mimebundle_().items() if "widget" in key}
    display(bundle | {"text/markdown": fallback, "text/plain": fallback}, raw=True)


def live_figure(fig: Figure, redraw: Callable[..., str], **controls: ipywidgets.Widget) -> ipywidgets.Box:
    """Make a figure that follows its controls: redraw(**values) changes what is drawn in it and says in words what can be seen now.

    The figure is kept, and only its picture is replaced, so that nothing flickers. It is closed here: only the widget shows it.
    """
    fig.tight_layout()
    width = round(fig.get_figwidth() * fig.dpi)
    picture, words = ipywidgets.Image(format="png", layout={"width": f"{width}px", "max_width": "100%"}), ipywidgets.HTML()

    def update(_=None) -> None:
        said = redraw(**{name: control.value for name, control in controls.items()})
        buffer = io.BytesIO()
        fig.savefig(buffer, format="png", dpi=2 * fig.dpi, facecolor="white")  # for sharp screens; no tight box, or the picture would jump
        picture.value, words.value = buffer.getvalue(), f'<p role="status">{html.escape(said)}</p>'

    for control in controls.values():
        control.observe(update, "value")
    update()
    plt.close(fig)
    return ipywidgets.VBox([*controls.values(), picture, words])


def token_html(tokens: Sequence[str]) -> str:
    """Write tokens as coloured boxes; a dot stands for a blank, an arrow for the end of a line."""
    look = "display: inline-block; padding: 0 3px; margin: 1px; border: 1px solid #5F6368; border-radius: 3px; color: black; font: 15px/1.7 monospace; background: "
    boxes = (f'<span style="{look}{tint(token)}">{html.escape(shown(token))}</span>' for token in tokens)
    return f"<div>{''.join(boxes)}</div>"


def stepper(render: Callable[[int], str], n_steps: int, description: str = "step") -> ipywidgets.Box:
    """Make a slider and two buttons that walk through steps 0 to n_steps; render(step) gives the HTML of each."""
    slider = ipywidgets.IntSlider(0, 0, n_steps, description=description, style=WIDE, continuous_update=True)
    page = ipywidgets.HTML(render(0))
    slider.observe(lambda change: setattr(page, "value", render(change["new"])), "value")
    buttons = []
    for label, move in (("◀ back", -1), ("next ▶", 1)):
        button = ipywidgets.Button(description=label, layout={"width": "6em"})
        button.on_click(lambda _, move=move: setattr(slider, "value", slider.value + move))
        buttons.append(button)
    return ipywidgets.VBox([ipywidgets.HBox([*buttons, slider]), page])


def question(number: int, text: str, choices: Sequence[tuple[str, str]], right: str, answered: Callable[[bool], None]) -> ipywidgets.Box:
    """Make a question with its choices; the explanation of the one that was taken appears below.

    choices: answers with what to say to each. right: the right answer. answered: called with the outcome of every attempt. All by keyboard: Tab
    and the arrow keys choose, Enter on the button answers.
    """
    wanted = ipywidgets.RadioButtons(options=[choice for choice, _ in choices], value=None, layout={"width": "auto"})
    button = ipywidgets.Button(description="Answer", tooltip=f"answer question {number}", disabled=True)
    said = ipywidgets.HTML()

    def answer(_) -> None:
        is_right = wanted.value == right
        mark, why = ("✓ Right. " if is_right else "✗ Not this one. "), dict(choices)[wanted.value]
        said.value = f'<p role="status"><b>{mark}</b>{html.escape(why)}</p>'
        answered(is_right)

    wanted.observe(lambda change: setattr(button, "disabled", change["new"] is None), "value")
    button.on_click(answer)
    head = ipywidgets.HTML(f"<b>{number}. {html.escape(text)}</b>")
    return ipywidgets.VBox([head, wanted, button, said], layout={"margin": "0 0 1em 0"})


def blind_test(stories: Sequence[tuple[str, str]], writers: Sequence[str], summary: Callable[[list[bool]], str]) -> ipywidgets.Box:
    """Show stories one by one, and let the reader guess who wrote each; what was right is said after each guess.

    stories: pairs of a text and its writer, in the order in which they are shown. summary: says in words what the guesses so far are worth, of
    which each is right or not. Raises ValueError if there is no story, or one by nobody of the writers.
    """
    if not stories:
        raise ValueError("there is no story; give at least one")
    if unknown := {writer for _, writer in stories} - set(writers):
        raise ValueError(f"stories by {', '.join(sorted(unknown))}; the writers are {', '.join(writers)}")
    guesses: list[bool] = []
    page, said = ipywidgets.HTML(), ipywidgets.HTML('<p role="status">Who wrote this?</p>')
    buttons = [ipywidgets.Button(description=writer, layout={"width": "auto"}) for writer in writers]

    def show_next() -> None:
        number, done = len(guesses), len(guesses) == len(stories)
        text = "" if done else html.escape(stories[number][0]).replace("\n", "<br>")
        page.value = "<p>That was the last story.</p>" if done else f'<p><b>Story {number + 1} of {len(stories)}</b></p><blockquote style="max-width: 45em">{text}</blockquote>'
        for button in buttons:
            button.disabled = done

    def guess(button: ipywidgets.Button) -> None:
        writer = stories[len(guesses)][1]
        guesses.append(button.description == writer)
        mark = "✓ Right" if guesses[-1] else "✗ No"
        said.value = f'<p role="status"><b>{mark}</b>: story {len(guesses)} is by {html.escape(writer)}. {html.escape(summary(guesses))}</p>'
        show_next()

    for button in buttons:
        button.on_click(guess)
    show_next()
    return ipywidgets.VBox([page, ipywidgets.HBox(buttons), said])
