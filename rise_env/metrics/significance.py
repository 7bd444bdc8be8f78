"""Tests of a difference between two policies on the same problems."""

import math

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array

Array = npt.NDArray[np.float64]


def mcnemar(first: Array, second: Array) -> tuple[int, int, float]:
    """McNemar's exact test: is one of two policies right more often on the same problems?

    Only problems on which they differ tell: under the null hypothesis each favours either with chance one
    half. Source: McNemar 1947; the exact, two-sided binomial form, doubled and capped at 1.

    Args:
        first: 1 or 0 per problem. Independent problems: with several seeds, give one seed at a time, or
            the majority over seeds. Unparsable replies are 0. A tie of a majority vote (a value between 0
            and 1) counts as right when it exceeds one half.
        second: Of the other policy, the same problems in the same order.

    Returns:
        How many problems only the first solves, how many only the second, and the p-value.

    Raises:
        ConfigError: The shapes differ or are not [problems], or an array is not of numbers.
    """
    check_array("first", first, "number", "problems")
    check_array("second", second, "number", "problems")
    if first.shape != second.shape:
        raise ConfigError(f"McNemar's test is of pairs: got shapes {first.shape} and {second.shape}")
    one, other = first > 0.5, second > 0.5
    only_first = int(np.count_nonzero(one & ~other))
    only_second = int(np.count_nonzero(other & ~one))
    return only_first, only_second, _two_sided(min(only_first, only_second), only_first + only_second)


def _two_sided(least: int, n: int) -> float:
    """P of at most `least` or at least n - `least` heads among n tosses, by logarithms against overflow."""
    if n == 0:
        return 1.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2)
        for i in range(least + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(value) for value in logs))
