"""Bootstrap intervals over problems and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MAX_COUNTS = 4_000_000
"""Largest number of resampled counts that are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or a ratio with its interval."""

    mean: float
    low: float
    high: float


def bootstrap(
    values: Array, of: Array | None = None, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Estimate:
    """Return the mean of `values` with its percentile-bootstrap interval.

    Each bootstrap sample draws problems with replacement, the same ones for every seed, and draws the seeds
    with replacement as well. For a paired comparison, pass the differences or call `paired_bootstrap`.

    Args:
        values: One number per seed and problem, shape [seeds, problems].
        of: Denominators of the same shape: the estimate is then the ratio of the sums, not a mean.
        level: Probability that the interval covers, for example 0.95.
        draws: Number of bootstrap samples.
        seed: Seed of the resampling.

    Returns:
        The estimate; it is not a number (NaN) if the denominators sum to 0.

    Raises:
        ConfigError: The arrays are empty, the shapes differ or are not [seeds, problems], an array is not of
            numbers, or `level` or `draws` is out of range.
    """
    _check_settings(level, draws)
    check_array("values", values, "number", "seeds", "problems")
    weights = np.ones_like(values) if of is None else of
    check_array("of", weights, "number", "seeds", "problems")
    total = _total(values, weights)
    if total == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    ratios = _resampled(values, weights, draws=draws, seed=seed)
    tail = (1 - level) / 2
    low, high = np.quantile(ratios, (tail, 1 - tail))
    return Estimate(float(values.sum()) / total, float(low), float(high))


def paired_bootstrap(
    first: Array, second: Array, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[Estimate, float]:
    """Return the mean of second - first, pair by pair, with its interval and a two-sided p-value.

    The p-value is twice the smaller of two shares, of the bootstrap means below 0 and of those above 0; a
    mean of exactly 0 counts half for each. It is at least 1 / draws, the finest step that so many draws can
    resolve, and at most 1.

    Args:
        first: Scores of one policy, shape [seeds, problems].
        second: The same for the other policy, with the same seeds and problems in the same order.
        level: Probability that the interval covers, for example 0.95.
        draws: Number of bootstrap samples.
        seed: Seed of the resampling.

    Raises:
        ConfigError: The shapes differ or are not [seeds, problems], an array is not of floats, there is
            nothing to compare, or `level` or `draws` is out of range.
    """
    _check_settings(level, draws)
    check_array("first", first, "float", "seeds", "problems")
    check_array("second", second, "float", "seeds", "problems")
    if first.shape != second.shape:
        raise ConfigError(f"a paired comparison needs one shape, got {first.shape} and {second.shape}")
    difference = second - first
    ones = np.ones_like(difference)
    _total(difference, ones)
    means = _resampled(difference, ones, draws=draws, seed=seed)
    below = float((means < 0).mean() + (means == 0).mean() / 2)
    share = min(below, 1 - below)
    p = min(1.0, max(2 * share, 1 / draws))
    return bootstrap(difference, level=level, draws=draws, seed=seed), p


def paired_ratio_bootstrap(
    first: tuple[Array, Array],
    second: tuple[Array, Array],
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return the ratio of `second` minus that of `first`, with its interval.

    Each bootstrap sample draws the same problems and seeds for both. Samples in which a denominator is 0 are
    left out.

    Args:
        first: Numerators and denominators of one policy, each of shape [seeds, problems].
        second: The same for the other policy, with the same seeds and problems in the same order.
        level: Probability that the interval covers, for example 0.95.
        draws: Number of bootstrap samples.
        seed: Seed of the resampling.

    Returns:
        The estimate; it is not a number (NaN) if the denominators of a policy sum to 0.

    Raises:
        ConfigError: See `bootstrap`.
    """
    _check_settings(level, draws)
    arrays = (*first, *second)
    for array in arrays:
        check_array("first and second", array, "number", "seeds", "problems")
        _total(arrays[0], array)
    totals = [float(array.sum()) for array in arrays]
    if 0 in (totals[1], totals[3]):
        return Estimate(float("nan"), float("nan"), float("nan"))
    top, of, later_top, later_of = _resampled_sums(arrays, draws=draws, seed=seed)
    known = (of > 0) & (later_of > 0)
    differences = later_top[known] / later_of[known] - top[known] / of[known]
    tail = (1 - level) / 2
    low, high = np.quantile(differences, (tail, 1 - tail))
    return Estimate(totals[2] / totals[3] - totals[0] / totals[1], float(low), float(high))


def _check_settings(level: float, draws: int) -> None:
    if not 0 < level < 1:
        raise ConfigError(f"the level of an interval must be above 0 and below 1, got {level}")
    if draws < 1:
        raise ConfigError(f"a bootstrap needs at least 1 draw, got {draws}")


def _total(values: Array, weights: Array) -> float:
    if values.size == 0 or weights.shape != values.shape:
        raise ConfigError(
            f"need [seeds, problems] of one shape, not empty; got {values.shape} and {weights.shape}"
        )
    return float(weights.sum())


def _resampled(values: Array, weights: Array, *, draws: int, seed: int) -> Array:
    """Return the ratio of the sums in each bootstrap sample; samples whose denominator is 0 are left out."""
    top, bottom = _resampled_sums((values, weights), draws=draws, seed=seed)
    return np.asarray(top[bottom > 0] / bottom[bottom > 0])


def _resampled_sums(arrays: Sequence[Array], *, draws: int, seed: int) -> Array:
    """Return the sum of each array in each bootstrap sample, shape [arrays, draws].

    Problems with equal values are drawn as one group. How often a group is drawn is the sum of how often its
    members are drawn, so the distribution is the same. Time and memory depend on the number of groups, which
    is 2 for 100,000 problems with the values 0 and 1.

    Args:
        arrays: Each of shape [seeds, problems].
        draws: Number of bootstrap samples.
        seed: Seed of the resampling.
    """
    seeds, problems = arrays[0].shape
    groups, sizes = _groups(np.concatenate(arrays))
    rng = np.random.default_rng(np.random.SeedSequence((seed, seeds, problems)))
    sums = np.empty((len(arrays), draws))
    step = max(1, MAX_COUNTS // len(sizes))
    for start in range(0, draws, step):
        count = min(step, draws - start)
        by_problem = rng.multinomial(problems, sizes / problems, size=count)
        by_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=count)
        for number in range(len(arrays)):
            own = groups[number * seeds : (number + 1) * seeds]
            sums[number, start : start + count] = ((by_seed @ own) * by_problem).sum(axis=1)
    return sums


def _groups(columns: Array) -> tuple[Array, Ints]:
    """Return the distinct columns, and how often each of them occurs."""
    _, code = np.unique(columns[0], return_inverse=True)
    for row in columns[1:]:  # sorting integers once per row is faster than sorting columns
        levels, place = np.unique(row, return_inverse=True)
        _, code = np.unique(code * len(levels) + place, return_inverse=True)
    _, first, sizes = np.unique(code, return_index=True, return_counts=True)
    return columns[:, first], sizes.astype(np.int64)
