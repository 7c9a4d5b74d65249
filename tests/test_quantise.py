"""Rounded weights are as near as their scale allows, zero stays zero, and every byte is counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minilm.quantise import bytes_per_weight, dequantise, largest, pack4, quantise, unpack4

COUNTS = {8: 127, 4: 7, 2: 1}


def drawn(rows: int = 6, columns: int = 96, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, (rows, columns)).astype(np.float32)


@pytest.mark.parametrize("bits", COUNTS)
@pytest.mark.parametrize("group_size", [1, 32, 96])
def test_codes_and_scales_are_those_of_a_loop(bits, group_size):
    weights = drawn()
    weights[1, :32], weights[2, 5] = 0, 3.0  # a group of zeros, and one large weight
    with np.errstate(all="raise"):
        q = quantise(weights, bits, group_size)
    for row in range(6):
        for group in range(96 // group_size):
            part = weights[row, group * group_size : (group + 1) * group_size]
            scale = max(abs(float(w)) for w in part) / COUNTS[bits]
            assert q.scales[row, group] == pytest.approx(scale, rel=1e-6)
            for i, w in enumerate(part):
                code = int(q.codes[row, group * group_size + i])
                assert abs(code) <= COUNTS[bits] and abs(code * scale - w) <= scale / 2 * (1 + 1e-5)
    np.testing.assert_allclose(dequantise(q), q.codes * np.repeat(q.scales, group_size, axis=1), rtol=1e-7)


def test_the_largest_of_a_group_and_zero_come_back_exactly_and_signs_are_alike():
    weights = drawn()
    weights[:, 3] = 0
    back = dequantise(quantise(weights, 8, 32))
    assert (back[:, 3] == 0).all()
    np.testing.assert_allclose(np.abs(back).reshape(6, 3, 32).max(-1), np.abs(weights).reshape(6, 3, 32).max(-1), rtol=1e-6)
    assert np.array_equal(dequantise(quantise(-weights, 8, 32)), -back)


def test_one_large_weight_spoils_only_its_group():
    weights = drawn(1, 128)
    spoiled = weights.copy()
    spoiled[0, 0] = 100.0
    small, large = (np.abs(dequantise(quantise(spoiled, 4, size)) - spoiled)[0, 64:].max() for size in (64, 128))
    assert np.array_equal(dequantise(quantise(spoiled, 4, 64))[0, 64:], dequantise(quantise(weights, 4, 64))[0, 64:])
    assert large > 5 * small


@pytest.mark.parametrize(("bits", "group_size"), [(8, 64), (8, 32), (4, 64), (4, 32), (2, 32)])
def test_bytes_are_those_of_packed_codes_and_float32_scales(bits, group_size):
    weights = drawn(64, 128)
    q = quantise(weights, bits, group_size)
    codes = len(pack4(q.codes)) if bits == 4 else sum(bits for _ in q.codes.ravel()) // 8
    assert q.n_bytes == codes + 4 * q.scales.size == weights.size * bytes_per_weight(bits, group_size)
    assert q.group_size == group_size


@given(st.lists(st.integers(-8, 7), max_size=50).filter(lambda codes: len(codes) % 2 == 0))
@settings(deadline=None)
def test_two_codes_share_a_byte_and_come_back(codes):
    packed = pack4(np.array(codes, np.int8))
    assert len(packed) == len(codes) // 2 and unpack4(packed).tolist() == codes
    assert [(byte % 16 - 8, byte // 16 - 8) for byte in packed] == list(zip(codes[::2], codes[1::2]))


@pytest.mark.parametrize(
    ("weights", "bits", "group_size", "message"),
    [
        (drawn(), 9, 32, "bits is 9; a code has 2 to 8, such as 8 or 4"),
        (drawn(), 1, 32, "bits is 1"),
        (drawn(), 8, 64, r"weights of shape \(6, 96\) do not fall into groups of 64"),
        (drawn(), 8, 0, "do not fall into groups of 0"),
        (drawn()[0], 8, 32, r"weights of shape \(96,\)"),
        (np.full((6, 96), np.inf), 8, 32, "not finite numbers"),
    ],
)
def test_what_cannot_be_quantised_is_refused(weights, bits, group_size, message):
    with pytest.raises(ValueError, match=message):
        quantise(weights, bits, group_size)


@pytest.mark.parametrize(("codes", "message"), [([1, 2, 3], "3 codes from 1 to 3; give an even number"), ([8, 0], "codes from 0 to 8"), ([0, -9], "codes from -9 to 0")])
def test_codes_that_do_not_fit_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        pack4(np.array(codes))


def test_other_bits_have_no_cost():
    with pytest.raises(ValueError, match="bits is 16"):
        bytes_per_weight(16, 32)
    assert largest(8) == 127 and largest(2) == 1
