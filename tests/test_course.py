"""The course's machinery: what a check says, what is kept as progress, and that nothing of the learner's is ever overwritten."""

import json

import nbformat
import numpy as np
import pytest
import torch

from minilm.course import check, checks, progress, quiz
from minilm.course.checks import examine, same
from minilm.course.exercise import chapter, find
from minilm.course.quizzes import as_text


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """A learner's folder of its own for each test."""
    monkeypatch.setattr(progress, "WORK", tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def shown(monkeypatch):
    """What checks and quizzes display."""
    bundles = []
    monkeypatch.setattr(checks, "display", lambda bundle, raw: bundles.append(bundle))
    return bundles


count_pairs, merge_pair, learn = find("02.1"), find("02.2"), find("02.3")


def test_a_right_answer_is_given_back_and_kept(shown):
    def mine(ids):
        return {pair: list(zip(ids, ids[1:])).count(pair) for pair in zip(ids, ids[1:])}

    assert check("02.1", mine) is mine
    assert shown[0]["text/plain"].startswith("02.1 passed") and "against a count by position" in shown[0]["text/markdown"]
    assert progress.read()["exercises"]["02.1"]["attempts"] == 1 and "passed" in progress.read()["exercises"]["02.1"]


def test_no_attempt_is_no_failure_and_the_notebook_goes_on(shown):
    def mine(ids):
        raise NotImplementedError

    assert check("02.1", mine) is count_pairs.reference and check("02.6", ...) == find("02.6").reference
    assert [bundle["text/plain"].split("\n")[0] for bundle in shown] == ["02.1 not attempted", "02.6 not attempted"]
    assert progress.read()["exercises"] == {}


def test_a_wrong_answer_hears_what_was_tried_expected_and_got_and_why(shown):
    def mine(ids):
        """Every second pair only, in other words than the wrong answer in the exercise's file."""
        counts, i = {}, 0
        while i + 1 < len(ids):
            counts[ids[i], ids[i + 1]] = counts.get((ids[i], ids[i + 1]), 0) + 1
            i += 2
        return counts

    assert check("02.1", mine) is count_pairs.reference
    said = shown[0]["text/markdown"]
    assert "count_pairs([1, 2, 3])" in said and "{(1, 2): 1, (2, 3): 1}" in said and "got        {(1, 2): 1}" in said
    assert "every second pair" in said and "attempts" in progress.read()["exercises"]["02.1"] and "passed" not in progress.read()["exercises"]["02.1"]


def cause(exercise, answer) -> str:
    report = examine(exercise, answer)
    assert report.outcome == "failed"
    return report.text.split("**Likeliest cause:** ")[1]


def in_place(ids, pair, new_id):
    ids[:] = merge_pair(ids, pair, new_id)
    return ids


def gather(mean_loss, w, parts):
    """Gradients gather in the caller's own tensor."""
    w.requires_grad_()
    for part in parts:
        (mean_loss(w, part) * len(part) / sum(map(len, parts))).backward()
    return w.grad


@pytest.mark.parametrize("exercise, answer, hint", [
    (count_pairs, lambda ids: None, "returned nothing"),
    (count_pairs, lambda ids: list(zip(ids, ids[1:])), "of type `list`, and should be `dict`"),
    (count_pairs, lambda ids: {pair: 7 for pair in zip(ids, ids[1:])}, "not one that is known here"),
    (merge_pair, in_place, "changed what it was given"),
    (find("06.5"), lambda mean_loss, w, parts: gather(mean_loss, w, parts), "changed what it was given"),
    (merge_pair, lambda ids, pair, new_id: tuple(merge_pair(ids, pair, new_id)), "of type `tuple`"),
    (merge_pair, lambda ids, pair: ids, "stopped with an error"),
    (count_pairs, lambda ids: 3, "of type `int`, and should be `dict`"),
    (find("02.6"), 0.99, "too large"), (find("02.6"), 0.3, "too small"), (find("02.6"), "half", "of type `str`"),
])  # fmt: skip
def test_a_mistake_without_a_hint_of_its_own_is_still_described(exercise, answer, hint):
    assert hint in cause(exercise, answer)


def test_an_error_shows_its_line_and_a_value_is_not_given_away():
    def mine(ids):
        return ids[0] / 0

    assert "ZeroDivisionError: division by zero (in the line: return ids[0] / 0)" in examine(count_pairs, mine).text
    assert "0.57" not in examine(find("02.6"), 0.99).text


def test_a_batch_in_parts_may_not_be_put_together_again():
    def at_once(mean_loss, w, parts):
        return torch.autograd.functional.jacobian(lambda w: mean_loss(w, torch.cat(parts)), w)

    assert "MemoryError: 4 rows at once; no more than 2 fit into the memory" in examine(find("06.5"), at_once).text


def test_of_two_suspects_the_one_that_behaves_alike_more_often_is_named():
    """On the first case that fails, both ways to break ties give the same; the longer run tells them apart."""

    def by_ids(counts, n_merges):
        return learn.wrong_answers[2].value(counts, n_merges)

    assert "greater ids" in cause(learn, by_ids)


def test_only_a_function_can_answer_where_one_is_asked_for():
    with pytest.raises(TypeError, match=r'asks for a function, and was given 3; write check\("02.1", count_pairs\)'):
        check("02.1", 3)


@pytest.mark.parametrize("got, expected, equal", [
    (0.5 + 1e-9, 0.5, True), (0.51, 0.5, False), (1, 1.0, True), ("1", 1.0, False), (np.float32(0.5), 0.5, True), (np.int64(3), 3, True), (2.5, np.float64(2.5), True), (2.6, np.float64(2.5), False), (np.int64(3), "3", False), (True, 1, True), ([1, 2], (1, 2), False),
    ([1.0, 2.0 + 1e-9], [1.0, 2.0], True), ([1.0], [1.0, 2.0], False), ({"a": 1.0}, {"a": 1.0 + 1e-9}, True), ({"a": 1}, {"b": 1}, False),
    (b"a", "a", False), (None, 0, False),
    (torch.ones(2, 3), torch.ones(2, 3), True), (torch.ones(2, 3, requires_grad=True), torch.ones(2, 3), True), (torch.ones(3, 2), torch.ones(2, 3), False),
    (np.array([1.0, 2.0]), np.array([1.0, 2.1]), False), (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True), ([1.0, 2.0], np.array([1.0, 2.0]), False),
    (torch.tensor(12.0), 12.0, True), (torch.tensor(True), True, True), (torch.tensor(False), True, False), (torch.tensor([12.0]), 12.0, False), (np.ones(2), torch.ones(2), False),
    (torch.ones(2, dtype=torch.bfloat16), torch.ones(2), True), (torch.zeros(2, dtype=torch.bfloat16), torch.ones(2), False), (np.array([None, 1]), np.ones(2), False),
])  # fmt: skip
def test_results_are_equal_up_to_rounding_and_only_in_the_same_kind_of_container(got, expected, equal):
    assert same(got, expected, 1e-6) is equal


# Progress


def test_progress_adds_up_and_survives_a_second_look(work):
    assert progress.read() == {"exercises": {}, "quizzes": {}}
    for passed in (False, True, False):
        progress.record_exercise("02.2", passed)
    for right in (2, 4, 3):
        progress.record_quiz("02", right, 6)
    done = json.loads((work / "progress.json").read_text())
    assert done["exercises"]["02.2"]["attempts"] == 3 and len(done["exercises"]["02.2"]["passed"]) == 10 and done["quizzes"] == {"02": {"right": 4, "of": 6}}
    row = next(row for row in progress.table() if row["chapter"].startswith("02"))
    minutes = sum(exercise.minutes for exercise in chapter("02").exercises if exercise.number != "02.2")
    assert row == {"chapter": "02 tokenizer", "exercises passed": "1 of 6", "quiz": "4 of 6", "minutes left": minutes, "next": "02.1"}
    assert list(work.iterdir()) == [work / "progress.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"exercises": 3, "quizzes": {}}', '{"exercises": {"02.2": {"attempts": "3"}}, "quizzes": {}}',
                                     '{"exercises": {"02.1": {}}, "quizzes": {}}', '{"exercises": {}, "quizzes": {"02": {"right": 4}}}'])  # fmt: skip
def test_a_damaged_file_is_named_and_kept(work, content):
    work.mkdir()
    (work / "progress.json").write_text(content)
    with pytest.raises(ValueError, match="progress.json is not a whole progress file"):
        progress.record_exercise("02.2", True)
    assert (work / "progress.json").read_text() == content


def test_a_chapter_is_copied_once_and_never_overwritten(work):
    path, is_new = progress.start("02")
    assert is_new and path == work / "02_tokenizer.ipynb" and nbformat.read(path, as_version=4).cells
    path.write_text("my own work")
    assert progress.start("02") == (path, False) and path.read_text() == "my own work"


@pytest.mark.parametrize("number", ["2", "99", "", "0", "*"])
def test_an_unknown_chapter_is_answered_by_those_there_are(work, number):
    with pytest.raises(ValueError, match="there are 00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11, 12, 13"):
        progress.start(number)
    assert not work.exists()


# Quiz


def test_a_quiz_counts_first_attempts_and_explains_each_answer(monkeypatch):
    kept = []
    monkeypatch.setattr("minilm.course.quizzes.show", lambda widget, fallback: kept.extend([widget, fallback]))
    quiz("02")
    box, text = kept
    *questions, score = box.children
    asked = chapter("02").quiz
    assert len(questions) == len(asked)

    def answer(place: int, choice: str) -> str:
        _, choices, button, said = questions[place].children
        assert button.disabled is (choices.value is None)
        choices.value = choice
        button.click()
        return said.value

    assert "Right" in answer(0, asked[0].choices[0][0]) and progress.read()["quizzes"]["02"]["right"] == 1
    wrong, why = asked[1].choices[1]
    assert "Not this one" in answer(1, wrong) and progress.read()["quizzes"]["02"]["right"] == 1
    answer(1, asked[1].choices[0][0])  # right at the second attempt: too late to count
    assert progress.read()["quizzes"]["02"] == {"right": 1, "of": len(asked)} and f"1 of {len(asked)} right at once, {len(asked) - 2} to go" in score.value
    assert text == as_text(asked) and all(choice in text and reason in text for one in asked for choice, reason in one.choices)


def test_an_unknown_quiz_is_refused():
    with pytest.raises(ValueError, match="no exercises for chapter '98'"):
        quiz("98")
