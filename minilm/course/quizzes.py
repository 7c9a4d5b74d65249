"""What stayed? `quiz("02")` shows the questions of a chapter, with an explanation for every answer, right or wrong.

Only the first attempt at a question counts, and the best round is kept. Without a kernel the same questions stand there as text.
"""

import ipywidgets

from minilm.course import progress
from minilm.course.exercise import Question, chapter
from minilm.widgets import question, show


def quiz(number: str) -> None:
    """Show the quiz of a chapter, such as "02". Raises ValueError if it has none."""
    questions, first_attempts = chapter(number).quiz, {}
    score = ipywidgets.HTML()

    def answered(place: int, is_right: bool) -> None:
        first_attempts.setdefault(place, is_right)
        n_right = sum(first_attempts.values())
        progress.record_quiz(number, n_right, len(questions))
        score.value = f"<p>{n_right} of {len(questions)} right at once, {len(questions) - len(first_attempts)} to go.</p>"

    boxes = [
        question(place, asked.text, asked.shuffled(), asked.choices[0][0], lambda is_right, place=place: answered(place, is_right))
        for place, asked in enumerate(questions, start=1)
    ]
    show(ipywidgets.VBox([*boxes, score]), as_text(questions))


def as_text(questions: tuple[Question, ...]) -> str:
    """Write a quiz as Markdown, with the answers folded away behind all questions."""
    asked_parts, explained_parts = [], []
    for place, asked in enumerate(questions, start=1):
        choices = list(zip("ABCDEF", asked.shuffled()))
        listed = "\n".join(f"- {letter}. {answer}" for letter, (answer, _) in choices)
        explained = "\n".join(f"- {letter}: {'**right.** ' if answer == asked.choices[0][0] else ''}{why}" for letter, (answer, why) in choices)
        asked_parts.append(f"**{place}. {asked.text}**\n\n{listed}")
        explained_parts.append(f"**{place}.**\n\n{explained}")
    answers = "\n\n".join(["<details><summary>Answers</summary>", *explained_parts, "</details>"])
    return "\n\n".join([*asked_parts, answers])
