"""Bootstrap intervals over problems and seeds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval."""

    mean: float
    low: float
    high: float


def bootstrap(
    values: Array, of: Array | None = None, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Estimate:
    """Return the mean of `values` with its percentile-bootstrap interval.

    Problems are drawn with replacement, the same ones for every seed, and so are seeds where there are
    several. For a paired comparison pass the differences.

    Args:
        values: One number per seed and problem, shape [seeds, problems].
        of: Denominators of the same shape: the estimate is then the ratio of the sums, not a mean.
        level: Of the interval.
        draws: Bootstrap samples.
        seed: Of the resampling.

    Raises:
        ConfigError: There is nothing to average, or the shapes differ.
    """
    weights = np.ones_like(values) if of is None else of
    if values.ndim != 2 or values.size == 0 or weights.shape != values.shape:
        raise ConfigError(f"need [seeds, problems] of one shape, got {values.shape} and {weights.shape}")
    total = float(weights.sum())
    if total == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    seeds, problems = values.shape
    rng = np.random.default_rng(np.random.SeedSequence((seed, seeds, problems)))
    by_problem = rng.multinomial(problems, np.full(problems, 1 / problems), size=draws)
    by_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    top = ((by_seed @ values) * by_problem).sum(axis=1)
    bottom = ((by_seed @ weights) * by_problem).sum(axis=1)
    ratios = top[bottom > 0] / bottom[bottom > 0]
    tail = (1 - level) / 2
    low, high = np.quantile(ratios, (tail, 1 - tail))
    return Estimate(float(values.sum()) / total, float(low), float(high))
