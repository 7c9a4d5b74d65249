"""Several processes give what one gives, in the same order; they never run far ahead; and what fails in one of them is heard."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilm.processes import batches_of, map_in_order

several = pytest.mark.parametrize("n_processes", [1, 2, 3])


def who(_) -> int:
    time.sleep(0.01)
    return os.getpid()


def wait_and_double(number: int) -> int:
    time.sleep(0.01 * (number % 5 == 0))  # some batches take much longer, and the results after them must wait
    return 2 * number


@given(st.lists(st.text(max_size=9), max_size=9), st.integers(1, 20))
def test_a_batch_ends_as_soon_as_it_is_large_enough(texts, size):
    batches = list(batches_of(texts, size))
    assert [text for batch in batches for text in batch] == texts and all(batches)
    assert all(sum(map(len, batch)) >= size for batch in batches[:-1])
    assert all(sum(map(len, batch[:-1])) < size for batch in batches)


@several
@pytest.mark.parametrize("n_batches", [0, 1, 2, 3, 40])
def test_results_come_in_the_order_of_the_batches(n_processes, n_batches):
    assert list(map_in_order(wait_and_double, range(n_batches), n_processes)) == [2 * i for i in range(n_batches)]


@several
def test_all_processes_work_this_one_too(n_processes):
    workers = set(map_in_order(who, range(40), n_processes))
    assert len(workers) == n_processes and os.getpid() in workers


@several
def test_batches_are_read_no_further_ahead_than_work_needs(n_processes):
    n_read = 0

    def batches():
        nonlocal n_read
        for number in range(40):
            n_read += 1
            yield number

    ahead = [n_read - n_done for n_done, _ in enumerate(map_in_order(wait_and_double, batches(), n_processes))]
    assert len(ahead) == 40 and max(ahead) <= max(2, 4 * (n_processes - 1) + 1)


@pytest.mark.parametrize("wrong", [0, 6])  # the first batch always goes to another process
@several
def test_an_error_in_any_process_reaches_the_caller(n_processes, wrong):
    words = [*"0123456"]
    words[wrong] = "wrong"
    with pytest.raises(ValueError, match="'wrong'") as failed:
        list(map_in_order(int, words, n_processes))
    assert wrong or n_processes == 1 or "Traceback" in str(failed.value.__cause__)  # that of the other process


def test_no_process_at_all_is_refused():
    with pytest.raises(ValueError, match="n_processes is 0; it must be at least 1"):
        list(map_in_order(int, ["1", "2"], 0))
