"""Seeds of random streams that do not overlap: every stream is named by a path of integers."""

import numpy as np


def derive(*path: int) -> int:
    """Return the seed, in [0, 2**63), of the stream with this path.

    The numbers are mixed by NumPy's `SeedSequence`. If they were added up, neighbouring seeds would share
    streams.

    Args:
        path: For example (seed of the run, problem, turn, draw).
    """
    return int(np.random.SeedSequence(path).generate_state(1, np.uint64)[0] >> 1)
