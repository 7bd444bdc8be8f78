"""Pseudo-random permutations of any size, computed only at the positions that are asked for."""

import numpy as np
import numpy.typing as npt

_ROUNDS = 8
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_ROUND_CONSTANT = 0x9E3779B97F4A7C15
_BITS_64 = 2**64 - 1

_Ints = npt.NDArray[np.uint64]


def permute(positions: _Ints, size: int, key: int) -> _Ints:
    """Return the values of a permutation of `range(size)` at these positions.

    A Feistel network over the next power of two, applied again to results outside of the range. Source: Black
    and Rogaway 2002, "Ciphers with Arbitrary Finite Domains" (cycle walking); the round function is the
    finaliser of SplitMix64 (Steele et al. 2014).

    Args:
        positions: In [0, size).
        size: At least 1, at most 2**62.
        key: Selects the permutation, in [0, 2**64).

    >>> sorted(permute(np.arange(5, dtype=np.uint64), 5, key=3).tolist())
    [0, 1, 2, 3, 4]
    """
    bits = max(2, (size - 1).bit_length())
    if 2**bits <= 4 * len(positions):  # it is faster to compute all values once than some values repeatedly
        table = _network(np.arange(2**bits, dtype=np.uint64), bits, key)
        result = table[positions]
        while (outside := result >= size).any():
            result[outside] = table[result[outside]]
        return result
    result = _network(positions, bits, key)
    while (outside := result >= size).any():
        result[outside] = _network(result[outside], bits, key)
    return result


def _network(values: _Ints, bits: int, key: int) -> _Ints:
    """Return a permutation of [0, 2**bits) applied to these values."""
    low = bits - bits // 2
    left, right = values >> np.uint64(low), values & np.uint64((1 << low) - 1)
    left_bits, right_bits = bits - low, low
    for number in range(_ROUNDS):
        mixed = _mix(right + np.uint64((key + (number + 1) * _ROUND_CONSTANT) & _BITS_64))
        left, right = right, left ^ (mixed & np.uint64((1 << left_bits) - 1))
        left_bits, right_bits = right_bits, left_bits
    return (left << np.uint64(right_bits)) | right


def _mix(values: _Ints) -> _Ints:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_MIX[0])
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_MIX[1])
    mixed: _Ints = values ^ (values >> np.uint64(31))
    return mixed
