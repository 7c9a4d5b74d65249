"""Every exercise keeps its promises: the stub is no attempt, the solution passes, and each wrong answer fails with the hint that names its mistake."""

import inspect
from collections.abc import Iterator

import jupytext
import pytest

from minilm.config import ROOT
from minilm.course.checks import Raised, examine, outcome, same
from minilm.course.exercise import Exercise, chapter, chapter_numbers, find

CHAPTERS = [chapter(number) for number in chapter_numbers()]
EXERCISES = [exercise for one in CHAPTERS for exercise in one.exercises]
each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
each_chapter = pytest.mark.parametrize("one", CHAPTERS, ids=lambda one: one.number)


def shortcomings(exercise: Exercise) -> Iterator[str]:
    """What keeps an exercise from being trusted; nothing, if it is good."""
    if examine(exercise, exercise.stub_answer.value).outcome != "not attempted":
        yield "the stub is taken for an attempt"
    if examine(exercise, exercise.reference).outcome != "passed":
        yield "the solution does not pass"
    if exercise.wrong_answers and not is_independent(exercise):
        yield "the check compares the solution with itself"
    if len(exercise.wrong_answers) < 2:
        yield "there are fewer than two wrong answers"
    if len({wrong.hint for wrong in exercise.wrong_answers}) < len(exercise.wrong_answers):
        yield "two wrong answers have the same hint"
    for wrong in exercise.wrong_answers:
        report, stopped = examine(exercise, wrong.value), []
        if report.outcome != "failed":
            yield f"a wrong answer passes: {wrong.hint}"
        elif f"**Likeliest cause:** {wrong.hint}" not in report.text:
            yield f"a wrong answer does not get its own hint ({wrong.hint}) but {report.text}"
        for args in exercise.tried():
            got, right = (outcome(f, args) if callable(f) else f for f in (wrong.value, exercise.oracle(*args)))
            stopped += [got] if isinstance(got, Raised) or type(got) is not type(right) and not same_kind(got, right) else []
        if stopped:
            yield f"a wrong answer stops or has another type, so it gives itself away: {stopped[0]!r}"
    if exercise.has_code and len(exercise.stub_answer.source.splitlines()) > 14:
        yield "the stub has more than 14 lines"
    if len(set(exercise.hints)) != 2 or not (5 <= exercise.minutes <= 15 and 1 <= exercise.difficulty <= 3 and exercise.prompt and exercise.verified):
        yield "the task lacks two hints, its minutes (5 to 15), its difficulty (1 to 3), a prompt, or what is verified"


def is_independent(exercise: Exercise) -> bool:
    """With a wrong answer in the solution's place, what is expected must stay the same."""
    expected = [exercise.oracle(*args) for args in exercise.tried()]
    right, exercise.solution_answer = exercise.solution_answer, exercise.wrong_answers[0]
    try:
        return same([exercise.oracle(*args) for args in exercise.tried()], expected, 1e-9)
    finally:
        exercise.solution_answer = right


def same_kind(got: object, right: object) -> bool:
    return isinstance(got, int | float) and isinstance(right, int | float) or isinstance(got, dict) and isinstance(right, dict)


@each
def test_an_exercise_can_be_trusted(exercise):
    assert list(shortcomings(exercise)) == []


@each
def test_a_learner_who_types_the_solution_passes(exercise):
    """What is shown as the solution is the whole answer, if the other exercises' functions are there."""
    given = {other.name: other.reference for other in EXERCISES if other.has_code}
    source = inspect.getsource(inspect.getmodule(exercise.oracle))
    exec("\n".join(line for line in source.splitlines() if line.startswith(("from ", "import "))), given)
    exec(exercise.solution_answer.source, given)
    assert examine(exercise, given[exercise.name]).outcome == "passed"


@each_chapter
def test_a_chapter_has_its_exercises_in_order_and_each_kind_of_work(one):
    assert [exercise.number for exercise in one.exercises] == [f"{one.number}.{place}" for place in range(1, len(one.exercises) + 1)]
    assert 4 <= len(one.exercises) <= 6 and any(not exercise.has_code for exercise in one.exercises)
    assert len({exercise.name for exercise in one.exercises}) == len(one.exercises)
    (source,) = (ROOT / "notebooks" / "src").glob(f"{one.number}_*.py")
    cells = jupytext.read(source, fmt="py:percent").cells
    assert [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata] == [exercise.number for exercise in one.exercises]
    assert [cell.metadata["quiz"] for cell in cells if "quiz" in cell.metadata] == [one.number]


@each_chapter
def test_a_quiz_explains_every_answer_and_does_not_give_the_right_one_away(one):
    assert 4 <= len(one.quiz) <= 6
    for asked in one.quiz:
        answers, reasons = zip(*asked.choices)
        assert len(set(answers)) == len(set(reasons)) == len(answers) >= 3 and all(reasons)
        assert sorted(asked.shuffled()) == sorted(asked.choices) and asked.shuffled() == asked.shuffled()
    places = [asked.shuffled().index(asked.choices[0]) for asked in one.quiz]
    assert len(set(places)) > 1, "the right answer always stands in the same place"


def doubling(**changed) -> Exercise:
    """A sound exercise of two lines, or one with something changed."""
    parts = {"kind": "implement", "minutes": 5, "difficulty": 1, "prompt": "Twice.", "hints": ("Add.", "Add x to x."), "verified": "2, 3 and 5"}
    double = Exercise("90.1", "Double", **parts | changed)

    @double.stub
    def double(x):
        raise NotImplementedError

    @double.solution
    def double(x):
        return x + x

    @double.expected
    def _(x):
        return 2 * x

    @double.cases
    def _(random):
        yield from [(2,), (3,), (5,)]

    return double


def test_the_test_itself_notices():
    good = doubling()
    assert list(shortcomings(good)) == ["there are fewer than two wrong answers"]
    good.wrong("x + x", "x * x", "you squared it.")
    assert list(shortcomings(good)) == ["there are fewer than two wrong answers"]
    good.wrong("x + x", "x", "you did nothing.")
    assert list(shortcomings(good)) == []

    def with_third(new: str, hint: str) -> str:
        bad = doubling()
        bad.wrong("x + x", "x * x", "you squared it.")
        bad.wrong("x + x", "x", "you did nothing.")
        bad.wrong("x + x", new, hint)
        return " ".join(shortcomings(bad))

    assert "passes" in with_third("2 * x", "twice.")
    assert "same hint" in with_third("x - x", "you did nothing.")
    assert "its own hint" in with_third("x ** 2", "you raised it.")  # behaves as another wrong answer does
    assert "another type" in with_third("str(x)", "you wrote it down.")
    assert "stops" in with_third("x / 0", "you divided by nothing.")
    assert "two hints" in " ".join(shortcomings(doubling(hints=("Add.", "Add."))))
    assert "minutes" in " ".join(shortcomings(doubling(minutes=60)))

    broken = doubling()
    broken.solution_answer = good.wrong_answers[0]
    assert "the solution does not pass" in list(shortcomings(broken))
    circular = doubling()
    circular.wrong("x + x", "x", "you did nothing.")
    circular.expected(circular)
    assert "the check compares the solution with itself" in list(shortcomings(circular))


def test_a_wrong_answer_must_be_a_change_of_the_solution():
    with pytest.raises(ValueError, match="stands 0 times in the solution"):
        doubling().wrong("y", "z", "no such thing.")
    with pytest.raises(ValueError, match="02.3, not '2.3'"):
        Exercise("2.3", "", kind="implement", minutes=5, difficulty=1, prompt="", hints=("", ""), verified="")


@pytest.mark.parametrize("number", ["02.99", "77.1", "", "abc"])
def test_an_unknown_exercise_is_answered_by_those_there_are(number):
    with pytest.raises(ValueError, match="02"):
        find(number)
