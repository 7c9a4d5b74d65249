"""What is an exercise? A task and all that makes its check worth trusting: a stub, a solution, and wrong answers that must be told apart.

An exercise is written as Python's properties are: the first lines make it, and decorators of its own name add the parts.

    double = Exercise("90.1", "Double", ..., hints=("Add.", "Add x to itself."), verified="2, 0 and 20 random numbers")

    @double.stub
    def double(x):
        'Return twice x.'
        raise NotImplementedError

    @double.solution
    def double(x):
        return x + x

    double.wrong("x + x", "x * x", "you squared it. That 2 squared is twice 2 is chance.")

    @double.expected                  # an independent way to the answer
    def _(x):
        return 2 * x

    @double.cases                     # what a check tries, the simplest first; random is seeded
    def _(random):
        yield from [(2,), (0,)]
        yield from ((random.random(),) for _ in range(20))

A wrong answer is the solution with one thing changed, so it differs by one idea. A part that calls another exercise, `double(3)`, gets its
reference. An exercise without code asks for a value: its stub and solution are lines such as `size = ...  # in bytes`.
Left out on purpose: points, marks, deadlines.
"""

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

EXERCISES = Path(__file__).parent / "exercises"
Kind = Literal["implement", "estimate by hand", "predict and measure", "break it", "find the line"]


@dataclass(frozen=True)
class Answer:
    """One way to answer: its source as a learner writes it, the function or value that this makes, and what to say if it is wrong."""

    source: str
    value: object
    hint: str = ""


class Exercise:
    """A task; see the module's example. Raises ValueError for a number that is not like "02.3".

    number: chapter and place. minutes, difficulty (1 to 3): for the learner. prompt: Markdown. hints: two, the second gives more away.
    verified: what a passed check has shown, as the end of a sentence. explanation: stands below the solution. tolerance: how far, relatively,
    a float may be off. stub, solution: lines, only for an exercise without code.
    """

    def __init__(
        self,
        number: str,
        title: str,
        *,
        kind: Kind,
        minutes: int,
        difficulty: int,
        prompt: str,
        hints: tuple[str, str],
        verified: str,
        explanation: str = "",
        tolerance: float = 1e-6,
        stub: str | None = None,
        solution: str | None = None,
    ):
        chapter, dot, place = number.partition(".")
        if not (len(chapter) == 2 and dot and (chapter + place).isdigit()):
            raise ValueError(f"an exercise has a number such as 02.3, not {number!r}")
        self.number, self.title, self.kind, self.minutes, self.difficulty = number, title, kind, minutes, difficulty
        self.prompt, self.explanation = inspect.cleandoc(prompt), inspect.cleandoc(explanation)
        self.hints, self.verified, self.tolerance = hints, verified, tolerance
        self.has_code = stub is None
        self._cases: Callable[[Random], Iterator[tuple]] = lambda random: iter([()])
        self.wrong_answers: list[Answer] = []
        if stub is not None:
            self.stub_answer, self.solution_answer = _made_of(stub, {}), _made_of(solution, {})

    def stub(self, function: Callable) -> "Exercise":
        """Decorate the function that the learner finds; it raises NotImplementedError."""
        self.stub_answer = _answer_of_function(function)
        return self

    def solution(self, function: Callable) -> "Exercise":
        """Decorate the function that is shown as the solution, and stands in for the learner's until that is right."""
        self.solution_answer = _answer_of_function(function)
        return self

    def wrong(self, old: str, new: str, hint: str) -> None:
        """Add a wrong answer that a learner may well give: the solution with `new` in place of `old`, which must stand there once.

        hint: names the mistake, as the end of "Likeliest cause: ...", without giving the solution away.
        """
        solution = self.solution_answer
        if solution.source.count(old) != 1:
            raise ValueError(f"{self.number}: {old!r} stands {solution.source.count(old)} times in the solution, not once")
        names = solution.value.__globals__ if self.has_code else {}
        self.wrong_answers.append(_made_of(solution.source.replace(old, new), names, hint))

    def expected(self, function: Callable) -> "Exercise":
        """Decorate the function that tells what is right, by another way than the solution's."""
        self.oracle = function
        return self

    def cases(self, function: Callable[[Random], Iterator[tuple]]) -> "Exercise":
        """Decorate the generator of argument tuples that a check tries, the simplest first."""
        self._cases = function
        return self

    def tried(self) -> list[tuple]:
        """The arguments that a check tries: the same every time."""
        return list(self._cases(Random(self.number)))

    @property
    def name(self) -> str:
        """What the notebook calls the learner's function or value."""
        return _name(self.stub_answer.source)

    @property
    def reference(self) -> object:
        """What stands in for the learner's answer until that is right."""
        return self.solution_answer.value

    def __call__(self, *args, **kwargs):
        return self.reference(*args, **kwargs)


def _answer_of_function(function: Callable) -> Answer:
    source = textwrap.dedent(inspect.getsource(function))
    first = ast.parse(source).body[0].lineno  # decorators stand before it
    return Answer("\n".join(source.rstrip().split("\n")[first - 1 :]), function)


def _made_of(source: str, names: dict, hint: str = "") -> Answer:
    """Run a source and take what it names: a function, or the left side of a line."""
    made = dict(names)
    exec(source, made)
    return Answer(source, made[_name(source)], hint)


def _name(source: str) -> str:
    first = ast.parse(source).body[0]
    return first.name if isinstance(first, ast.FunctionDef) else first.targets[0].id


@dataclass(frozen=True)
class Question:
    """A question of a quiz. choices: answers, each with what to say to whoever gives it; the first is right, and shown somewhere else."""

    text: str
    choices: tuple[tuple[str, str], ...]

    def shuffled(self) -> list[tuple[str, str]]:
        """The choices in the order in which they are shown, which is always the same."""
        return Random(f"quiz {self.text}").sample(self.choices, len(self.choices))


@dataclass(frozen=True)
class Chapter:
    """The exercises and the quiz of a chapter, by its number, such as "02"."""

    number: str
    exercises: tuple[Exercise, ...]
    quiz: tuple[Question, ...]


def chapter(number: str) -> Chapter:
    """Find the exercises and the quiz of a chapter. Raises ValueError if it has none."""
    if number not in chapter_numbers():
        raise ValueError(f"there are no exercises for chapter {number!r}; there are for {', '.join(chapter_numbers())}")
    module = importlib.import_module(f"minilm.course.exercises.ch{number}")
    exercises = {part.number: part for part in vars(module).values() if isinstance(part, Exercise)}
    return Chapter(number, tuple(exercises[place] for place in sorted(exercises)), module.QUIZ)


def chapter_numbers() -> list[str]:
    """The chapters that have exercises, in order."""
    return sorted(path.stem.removeprefix("ch") for path in EXERCISES.glob("ch*.py"))


def find(number: str) -> Exercise:
    """Find an exercise by its number. Raises ValueError if there is none."""
    exercises = {exercise.number: exercise for exercise in chapter(str(number).partition(".")[0]).exercises}
    if number not in exercises:
        raise ValueError(f"there is no exercise {number!r}; this chapter has {', '.join(exercises)}")
    return exercises[number]
