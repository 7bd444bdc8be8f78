"""Tests of a difference between two policies on the same problems."""

import math

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array

Array = npt.NDArray[np.float64]


def mcnemar(first: Array, second: Array) -> tuple[int, int, float]:
    """Test whether one of two policies is right more often on the same problems (McNemar's exact test).

    Only problems that exactly one policy solves count. Under the null hypothesis either policy is that one
    with probability 1/2. Source: McNemar 1947, in the exact binomial form; two-sided: doubled, and at most 1.

    Args:
        first: 1 or 0 per problem for one policy, shape [problems]. A value between them (a tie of a majority
            vote, or a mean over seeds) counts as right if it exceeds 1/2. The test assumes independent
            problems, so several seeds must not be concatenated.
        second: The same for the other policy, with the same problems in the same order.

    Returns:
        The number of problems that only the first policy solves, the number that only the second solves, and
        the p-value.

    Raises:
        ConfigError: The shapes differ or are not [problems], or an array is not of numbers.
    """
    check_array("first", first, "number", "problems")
    check_array("second", second, "number", "problems")
    if first.shape != second.shape:
        raise ConfigError(
            f"McNemar's test needs two arrays of one shape, got {first.shape} and {second.shape}: pass the "
            "results of both policies on the same problems"
        )
    one, other = first > 0.5, second > 0.5
    only_first = int(np.count_nonzero(one & ~other))
    only_second = int(np.count_nonzero(other & ~one))
    return only_first, only_second, _two_sided(min(only_first, only_second), only_first + only_second)


def _two_sided(least: int, n: int) -> float:
    """Return the probability of at most `least` or at least n - `least` heads in n tosses of a fair coin."""
    if n == 0:
        return 1.0
    logs = [  # logarithms, because the binomial coefficients overflow
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2)
        for i in range(least + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(value) for value in logs))
