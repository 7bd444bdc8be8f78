"""Random streams that do not overlap: every stream has a path of its own."""

import numpy as np


def derive(*path: int) -> int:
    """Return the seed, in [0, 2**63), of the stream with this path.

    Seeds are mixed by `SeedSequence` and never added up: with sums, neighbouring seeds share streams.
    """
    return int(np.random.SeedSequence(path).generate_state(1, np.uint64)[0] >> 1)
