"""How does the learner know? Exercises with checks that name the mistake, quizzes that explain, and progress kept on the learner's own disk.

In order: `exercise` (what an exercise is), `checks` (is it right, and if not, why), `quizzes`, `progress` (what is done; `start` copies a chapter), `pages` (the
cells of an exercise). The exercises themselves are in `exercises/chNN.py`, one file for each chapter: stubs, checks, references, hints, wrong
answers, solutions, quiz. docs/WRITING.md says how one is added.
"""

from minilm.course import progress
from minilm.course.checks import check
from minilm.course.exercise import find
from minilm.course.quizzes import quiz

__all__ = ["check", "find", "progress", "quiz"]
