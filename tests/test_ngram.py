"""Counting, the baseline: equal to the formulas written as loops, and a probability whatever the context."""

import numpy as np
import pytest

from minilm.ngram import NGram
from tests.reference import kneser_ney


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_equal_to_the_formulas(order):
    rng = np.random.default_rng(order)
    train, text = rng.integers(0, 6, 300), rng.integers(0, 6, 60)
    slow = kneser_ney(train.tolist(), text.tolist(), 6, order)
    np.testing.assert_allclose(NGram(train, 6, order).probabilities(text), slow, rtol=1e-12)


def test_tokens_never_seen_after_contexts_never_seen_have_probabilities_that_sum_to_one():
    counted = NGram(np.array([3, 1, 4, 1, 5, 3, 1, 4, 4, 1]), vocab_size=9, order=3)
    for context in ([3, 1], [8, 8], [1, 8], [4], []):
        total = sum(counted.probabilities(np.array([*context, token]))[-1] for token in range(9))
        assert total == pytest.approx(1)
    first_only = NGram(np.array([3, 0, 1, 0, 1, 2, 0]), vocab_size=5, order=3)  # nothing ever stood before 3
    assert sum(first_only.probabilities(np.array([3, token]))[-1] for token in range(5)) == pytest.approx(1)


def test_a_longer_context_helps_where_there_is_something_to_know():
    rng = np.random.default_rng(0)
    text = np.concatenate([[i, (i * i) % 7, 7 + i] for i in rng.integers(0, 7, 2000)])  # the third follows from the first only
    nats = [NGram(text[:5000], 14, order).nats(text[5000:]) for order in (1, 2, 3)]
    assert nats[0] > 1.2 * nats[1] > 1.2 * nats[2]
    assert nats[2] == pytest.approx(-np.log(NGram(text[:5000], 14, 3).probabilities(text[5000:])).sum())


@pytest.mark.parametrize(
    "ids, order, said", [([1, 2], 3, "2 tokens"), ([1, 9], 1, "0 to 8"), ([-1, 2], 1, "from -1"), ([1, 2], 0, "at least 1")]
)
def test_what_cannot_be_counted_is_refused(ids, order, said):
    with pytest.raises(ValueError, match=said):
        NGram(np.array(ids), 9, order)
