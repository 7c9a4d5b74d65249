"""Is the learner's answer right, and if not, why not? `check("02.3", merge_pair)`.

The answer is tried on the exercise's cases and compared with an independent way to the same result. At the first difference the exercise's
*wrong answers* are tried on the same input: one that gives what the learner got is the likeliest cause, and its hint is shown. So a hint
is never a guess about the learner's code; it is about what that code does.

Left out on purpose: looking at the source of an answer, and a limit on its time (interrupt the kernel instead).
"""

import copy
import math
import reprlib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
from IPython.display import display

from minilm.course import progress
from minilm.course.exercise import Exercise, find

SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 200
SHORT.maxlist = SHORT.maxtuple = 24
SHORT.maxdict = 12


@dataclass(frozen=True)
class Raised:
    """What came of a call that raised: the error, and the line of the learner's that it came from."""

    error: Exception

    def __repr__(self) -> str:
        lines = [frame.line for frame in traceback.extract_tb(self.error.__traceback__)[1:] if frame.line]
        return f"{type(self.error).__name__}: {self.error}" + (f" (in the line: {lines[0]})" if lines else "")


@dataclass(frozen=True)
class Report:
    """What a check found. outcome: "passed", "failed" or "not attempted"; text: Markdown for the learner."""

    outcome: str
    text: str


def check(number: str, answer: object) -> object:
    """Try an answer, show what was found, keep it as progress; return the answer if it is right, else the reference.

    number: the exercise's, such as "02.3". answer: a function, or for exercises without code a value. Raises ValueError for an unknown exercise.
    """
    exercise = find(number)
    report = examine(exercise, answer)
    if report.outcome != "not attempted":
        progress.record_exercise(number, report.outcome == "passed")
    display({"text/markdown": report.text, "text/plain": f"{number} {report.outcome}\n{report.text}"}, raw=True)
    return answer if report.outcome == "passed" else exercise.reference


def examine(exercise: Exercise, answer: object) -> Report:
    """Compare an answer with what is expected on every case, up to the first difference."""
    head = f"**{exercise.number} {exercise.title}**"
    function = _as_function(exercise, answer)
    for args in exercise.tried():
        given, expected = copy.deepcopy(args), exercise.oracle(*copy.deepcopy(args))
        got = outcome(function, given)
        if got is Ellipsis or isinstance(got, Raised) and isinstance(got.error, NotImplementedError):
            what = "function" if exercise.has_code else "answer"
            return Report("not attempted", f"◻ {head}: not attempted yet. Until then the notebook goes on with the course's own {what}.")
        changed = not isinstance(got, Raised) and not _untouched(given, args)
        if changed or not same(got, expected, exercise.tolerance):
            cause = _changed(exercise) if changed else likeliest_cause(exercise, function, args, got, expected)
            return Report("failed", f"✗ {head}: not yet.\n\n{_evidence(exercise, args, got, expected)}\n\n**Likeliest cause:** {cause}")
    return Report("passed", f"✓ {head}: passed. Verified: {exercise.verified}.")


def outcome(function: Callable, args: tuple) -> object:
    """Call a function; an exception is an outcome too."""
    try:
        return function(*args)
    except Exception as error:
        return Raised(error)


def same(got: object, expected: object, tolerance: float) -> bool:
    """Tell whether two results are equal: floats and arrays up to a relative tolerance, in containers too; a list is not a tuple.

    A tensor is not an array, with one exception: a tensor of a single number is as good as that number.
    """
    expected = expected.item() if isinstance(expected, np.generic) else expected  # NumPy's numbers have shapes, and are no arrays
    if isinstance(expected, Real) and hasattr(got, "item"):
        got = got.item() if got.ndim == 0 else got
    if hasattr(expected, "shape"):
        if not isinstance(got, type(expected)) or tuple(got.shape) != tuple(expected.shape):
            return False
        left, right = _as_array(got), _as_array(expected)
        return left.dtype != object and bool(np.allclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True))
    if isinstance(expected, float):
        return isinstance(got, Real) and math.isclose(got, expected, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and got.keys() == expected.keys() and all(same(got[k], expected[k], tolerance) for k in expected)
    if isinstance(expected, list | tuple):
        return isinstance(got, list if isinstance(expected, list) else tuple) and len(got) == len(expected) and all(
            same(a, b, tolerance) for a, b in zip(got, expected)
        )  # fmt: skip
    return (type(got) is type(expected) or isinstance(got, Real)) and bool(got == expected)


def _as_array(x: object) -> np.ndarray:
    if not hasattr(x, "detach"):
        return np.asarray(x)
    return np.asarray(x.detach().float() if x.is_floating_point() and x.element_size() < 4 else x.detach())  # NumPy has no bfloat16


def likeliest_cause(exercise: Exercise, function: Callable, args: tuple, got: object, expected: object) -> str:
    """Say why an answer is wrong: the wrong answer that behaves most like it, else what its type or size tells."""
    suspects = []
    for wrong in exercise.wrong_answers:
        theirs = _as_function(exercise, wrong.value)
        if same(got, outcome(theirs, copy.deepcopy(args)), exercise.tolerance):
            suspects.append((_agreement(exercise, function, theirs), wrong.hint))
    if suspects:
        return max(suspects, key=lambda suspect: suspect[0])[1]
    if isinstance(got, Raised):
        return "the function stopped with an error instead of returning. Call it yourself with what was tried, and read the whole message."
    if got is None:
        return "the function returned nothing. Is there a `return`, and is it reached?"
    if hasattr(expected, "shape") and hasattr(got, "shape") and tuple(got.shape) != tuple(expected.shape):
        return f"the shape is {tuple(got.shape)}, and should be {tuple(expected.shape)}."
    if type(got) is not type(expected) and not any(isinstance(got, kind) and isinstance(expected, kind) for kind in (Real, Mapping)):
        return f"the result is of type `{type(got).__name__}`, and should be `{type(expected).__name__}`."
    if not exercise.has_code and isinstance(got, Real):
        return f"too {'large' if got > expected else 'small'}. Write each step down; the first hint tells where to begin."
    return "not one that is known here. Do what was tried by hand, step by step, and compare; the first hint tells where to begin."


def _agreement(exercise: Exercise, function: Callable, other: Callable) -> int:
    """On how many of the cases do two answers do the same?"""
    return sum(
        same(outcome(function, copy.deepcopy(args)), outcome(other, copy.deepcopy(args)), exercise.tolerance) for args in exercise.tried()
    )


def _as_function(exercise: Exercise, answer: object) -> Callable:
    if exercise.has_code and not callable(answer):
        raise TypeError(f"{exercise.number} asks for a function, and was given {SHORT.repr(answer)}; write check(\"{exercise.number}\", {exercise.name})")
    return answer if exercise.has_code else lambda: answer


def _untouched(given: tuple, args: tuple) -> bool:
    """Are the inputs as they were? A tensor that was made to gather gradients is not."""
    return same(given, args, 0) and [getattr(x, "requires_grad", None) for x in given] == [getattr(x, "requires_grad", None) for x in args]


def _changed(exercise: Exercise) -> str:
    return f"`{exercise.name}` changed what it was given. Whoever called it may need that again: build something new, or work on a copy."


def _evidence(exercise: Exercise, args: tuple, got: object, expected: object) -> str:
    """What was tried, expected and got, one below the other. An exercise without code does not tell what is expected."""
    if not exercise.has_code:
        return f"    got        {SHORT.repr(got)}"
    call = f"{exercise.name}({', '.join(map(SHORT.repr, args))})"
    return f"    tried      {call}\n    expected   {SHORT.repr(expected)}\n    got        {SHORT.repr(got)}"
