"""Widgets without a browser: moving a control redraws the same figure, and what cannot be shown has its text. tests/browser sees them in JupyterLab."""

import ipywidgets
import matplotlib.pyplot as plt
import pytest

from minilm import widgets


def test_a_live_figure_redraws_the_figure_it_has():
    fig, ax = plt.subplots(figsize=(3, 2))
    (line,) = ax.plot([0, 1], [0, 1])
    seen = []

    def redraw(height, width):
        seen.append((height, width))
        line.set_ydata([0, height])
        return f"height {height} < 5"

    height, width = ipywidgets.IntSlider(1, 0, 4), ipywidgets.IntSlider(2, 0, 4)
    box = widgets.live_figure(fig, redraw, height=height, width=width)
    *controls, picture, words = box.children
    assert controls == [height, width] and seen == [(1, 2)] and not plt.get_fignums()
    first = bytes(picture.value)
    height.value = 4
    second = bytes(picture.value)
    assert seen[-1] == (4, 2) and line.get_ydata()[1] == 4 and second != first and second.startswith(b"\x89PNG")
    assert "height 4 &lt; 5" in words.value
    assert first[16:24] == second[16:24] == (600).to_bytes(4) + (400).to_bytes(4), "the picture must not jump"


def test_a_stepper_walks_between_its_ends():
    box = widgets.stepper("<b>{}</b>".format, 2, "merges")
    (back, forth, slider), page = box.children[0].children, box.children[1]
    assert page.value == "<b>0</b>"
    for button, step in ((forth, 1), (forth, 2), (forth, 2), (back, 1), (back, 0), (back, 0)):
        button.click()
        assert slider.value == step and page.value == f"<b>{step}</b>"


def test_tokens_are_boxes_and_their_letters_cannot_be_html():
    made = widgets.token_html([" <b>", "x\n"])
    assert made.count("<span") == 2 and "·&lt;b&gt;" in made and "x↵" in made


def test_where_no_widget_can_be_shown_its_text_is(monkeypatch):
    bundles = []
    monkeypatch.setattr(widgets, "display", lambda bundle, raw: bundles.append(bundle))
    widgets.show(ipywidgets.IntSlider(), "**a slider**")
    assert bundles[0]["text/plain"] == bundles[0]["text/markdown"] == "**a slider**"
    assert "application/vnd.jupyter.widget-view+json" in bundles[0]


@pytest.mark.parametrize("choice, mark", [("yes", "✓"), ("no", "✗")])
def test_a_question_answers_only_when_asked(choice, mark):
    heard = []
    box = widgets.question(1, "1 < 2?", [("no", "It is."), ("yes", "So it is.")], "yes", heard.append)
    head, choices, button, said = box.children
    assert "1 &lt; 2?" in head.value and button.disabled and choices.value is None
    choices.value = choice
    assert heard == [] and said.value == "" and not button.disabled
    button.click()
    assert heard == [choice == "yes"] and mark in said.value


def test_a_blind_test_tells_after_each_guess_who_wrote_the_story():
    stories = [("Ben & a <hat>.\nThe end.", "small"), ("A cat.", "large"), ("A dog.", "small")]
    page, buttons, said = widgets.blind_test(stories, ["small", "large"], lambda guesses: f"{sum(guesses)} of {len(guesses)} right").children
    small, large = buttons.children
    assert "Story 1 of 3" in page.value and "Ben &amp; a &lt;hat&gt;.<br>The end." in page.value
    large.click()
    assert "✗ No</b>: story 1 is by small. 0 of 1 right" in said.value and "A cat." in page.value
    large.click()
    small.click()
    assert "✓ Right</b>: story 3 is by small. 2 of 3 right" in said.value
    assert "last story" in page.value and small.disabled and large.disabled


@pytest.mark.parametrize("stories, said", [([], "no story"), ([("A cat.", "nobody")], "stories by nobody; the writers are small")])
def test_a_blind_test_needs_stories_of_its_writers(stories, said):
    with pytest.raises(ValueError, match=said):
        widgets.blind_test(stories, ["small", "large"], str)
