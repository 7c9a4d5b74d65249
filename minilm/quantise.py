"""How few bits does a weight need? Whole numbers of 8 or 4 bits in place of floats, with a scale for every few of them.

The ideas in order: the largest of a group of neighbouring weights becomes the largest whole number there is, and all others are rounded on the
scale that this makes (`quantise`, and back, `dequantise`); one scale for a small group and not for the whole matrix, so that a single
large weight spoils only its neighbours; two numbers of 4 bits share a byte (`pack4`, `unpack4`).

The scheme is symmetric (zero stays zero, and there is no offset), as in llama2.c's int8 files. Built by hand in: chapter 13. Left out on purpose:
offsets, scales of scales, rounding that looks at data (GPTQ, AWQ), training with rounded weights. Source: docs/SOURCES.md#quantisation
"""

from dataclasses import dataclass

import numpy as np
from numpy import ndarray

BITS = range(2, 9)  # a code must fit into an int8


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """A matrix of weights as codes and scales."""

    codes: ndarray
    """Whole numbers (rows, columns), int8, from -largest(bits) to +largest(bits)."""
    scales: ndarray
    """What a code is multiplied by, (rows, columns / group_size), float32."""
    bits: int
    """Bits that a code needs."""

    @property
    def group_size(self) -> int:
        return self.codes.shape[-1] // self.scales.shape[-1]

    @property
    def n_bytes(self) -> int:
        """Bytes on disk: the codes packed, and the scales."""
        return self.codes.size * self.bits // 8 + self.scales.nbytes


def largest(bits: int) -> int:
    """The largest code: 127 of 8 bits, 7 of 4. The smallest is its negative, so that zero lies in the middle.

    >>> largest(8), largest(4)
    (127, 7)
    """
    if bits not in BITS:
        raise ValueError(f"bits is {bits}; a code has {BITS[0]} to {BITS[-1]}, such as 8 or 4")
    return 2 ** (bits - 1) - 1


def quantise(weights: ndarray, bits: int = 8, group_size: int = 64) -> Quantised:
    """Round weights (rows, columns) to whole numbers, with one scale for each `group_size` neighbours in a row.

    Raises ValueError for other than 2 to 8 bits, for rows that are no multiple of the group, and for weights that are not finite.

    >>> q = quantise(np.array([[0.18, -0.7, 0.33, 0.0]]), bits=4, group_size=4)
    >>> print(q.codes, q.scales)
    [[ 2 -7  3  0]] [[0.1]]
    """
    weights = np.asarray(weights, np.float32)
    if group_size < 1 or weights.ndim != 2 or weights.shape[1] % group_size:
        raise ValueError(f"weights of shape {weights.shape} do not fall into groups of {group_size}; give a matrix whose rows are a multiple of that")
    if not np.isfinite(weights).all():
        raise ValueError("some weights are not finite numbers; the model is damaged or its training diverged")
    groups = weights.reshape(len(weights), -1, group_size)  # (rows, groups, group_size)
    scales = np.abs(groups).max(axis=-1) / np.float32(largest(bits))
    codes = np.rint(groups / np.where(scales, scales, 1)[..., None])  # a group of zeros has no scale
    return Quantised(codes=codes.astype(np.int8).reshape(weights.shape), scales=scales, bits=bits)


def dequantise(q: Quantised) -> ndarray:
    """Make floats of codes and scales again: within half a scale of what they were.

    >>> print(dequantise(quantise(np.array([[0.18, -0.7, 0.33, 0.0]]), bits=4, group_size=4)).round(3))
    [[ 0.2 -0.7  0.3  0. ]]
    """
    groups = q.codes.reshape(*q.scales.shape, -1) * q.scales[..., None]
    return groups.reshape(q.codes.shape)


def bytes_per_weight(bits: int, group_size: int) -> float:
    """What a weight costs with its share of a float32 scale. A float32 weight costs 4.

    >>> bytes_per_weight(8, 64), bytes_per_weight(4, 32)
    (1.0625, 0.625)
    """
    largest(bits)  # says so if there are no such codes
    return bits / 8 + 4 / group_size


def pack4(codes: ndarray) -> bytes:
    """Put each two codes from -8 to 7 into one byte, the first into its lower half.

    >>> pack4(np.array([1, 2, -7, 0])).hex(" ")
    'a9 81'
    """
    codes = np.asarray(codes).ravel()
    if codes.size % 2 or codes.size and not -8 <= codes.min() <= codes.max() <= 7:
        raise ValueError(f"{codes.size} codes from {codes.min()} to {codes.max()}; give an even number of codes from -8 to 7")
    halves = (codes + 8).astype(np.uint8)  # 0 to 15
    return (halves[::2] | halves[1::2] << 4).tobytes()


def unpack4(packed: bytes) -> ndarray:
    """Take codes out of the halves of bytes again.

    >>> unpack4(bytes.fromhex("a981")).tolist()
    [1, 2, -7, 0]
    """
    both = np.frombuffer(packed, np.uint8)
    return np.stack([both & 15, both >> 4], axis=-1).ravel().astype(np.int8) - np.int8(8)
