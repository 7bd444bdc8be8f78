"""Seeds of independent random streams. A tuple of integers, the path, identifies each stream."""

import numpy as np


def derive(*path: int) -> int:
    """Return the seed, in [0, 2**63), of the stream with this path.

    NumPy's `SeedSequence` mixes the integers. A sum of them would be wrong, because different paths can have
    the same sum.

    Args:
        path: Integers, for example (seed of the run, problem, turn, sample).
    """
    return int(np.random.SeedSequence(path).generate_state(1, np.uint64)[0] >> 1)
