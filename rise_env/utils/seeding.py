"""Seeds of independent random streams. A tuple of integers, the path, identifies each stream."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt


def derive(*path: int) -> int:
    """Return the seed, in [0, 2**63), of the stream with this path.

    NumPy's `SeedSequence` mixes the integers. A sum of them would be wrong, because different paths can have
    the same sum.

    Args:
        path: Integers, for example (seed of the run, problem, turn, sample).
    """
    return int(np.random.SeedSequence(path).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def unchanged_random_state() -> Iterator[None]:
    """Restore the global random state of Python and NumPy after the block."""
    python, numpy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002 it is what is kept
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def derive_many(prefix: tuple[int, int], start: int, count: int) -> npt.NDArray[np.uint64]:
    """Return the first 64 bits of `SeedSequence((*prefix, i))` for `count` numbers `i`, computed together.

    Source: NumPy, `numpy/random/bit_generator.pyx`, whose results NEP 19 keeps stable.

    Args:
        prefix: Two numbers below 2**32.
        start: The first `i`; all of them are below 2**32.
        count: Number of values of `i`.
    """
    words = [np.full(count, word, np.uint32) for word in prefix]
    words += [np.arange(start, start + count, dtype=np.uint64).astype(np.uint32), np.zeros(count, np.uint32)]
    constant = 0x43B0D7E5

    def mixed(value: npt.NDArray[np.uint32], factor: int) -> npt.NDArray[np.uint32]:
        nonlocal constant
        value = value ^ np.uint32(constant)
        constant = constant * factor & 0xFFFFFFFF
        value = value * np.uint32(constant)
        return value ^ (value >> np.uint32(16))

    pool = [mixed(word, 0x931E8875) for word in words]
    for source in range(4):
        for target in range(4):
            if source != target:
                other = mixed(pool[source], 0x931E8875)
                value = np.uint32(0xCA01F9DD) * pool[target] - np.uint32(0x4973F715) * other
                pool[target] = value ^ (value >> np.uint32(16))
    constant = 0x8B51F9DD
    low, high = (mixed(word, 0x58F38DED).astype(np.uint64) for word in pool[:2])
    return low | high << np.uint64(32)
