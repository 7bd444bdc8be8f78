"""How much each reply counts: reward to weight. Pure functions of arrays.

Every reply i has a reward r_i, was given at turn t_i, to problem p_i. Reward-weighted regression
(Peters and Schaal 2007) gives it the weight `exp(score_i / tau)`. The baselines that RISE is
compared with are other choices of the same weight: 1 for successes and 0 otherwise is filtered behaviour
cloning (STaR, ReST-EM), 1 for every reply is supervised fine-tuning.
"""

from collections.abc import Hashable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rise_env.errors import ConfigError

Array = NDArray[np.float64]

Weighting = Literal["exp", "exp_per_turn", "exp_per_problem", "binary", "uniform"]
"""exp: score is the reward (the released code of RISE, arXiv:2407.18219). exp_per_turn: the reward less the
mean reward of its turn (the paper's centred form, as far as known). exp_per_problem: less the mean reward of
its problem. binary: 1 where the reward is the largest possible. uniform: 1."""


def exponential_weights(scores: Array, *, tau: float, max_weight: float = np.inf) -> Array:
    """Return `exp(scores / tau)`, at most `max_weight`.

    Args:
        scores: Rewards or advantages, any shape.
        tau: In units of reward. Small values trust only the best replies; large values approach
            plain supervised fine-tuning on every reply.
        max_weight: Cap that keeps one lucky reply from swamping the batch (AWR, arXiv:1910.00177).

    Raises:
        ConfigError: `tau` or `max_weight` is not positive.
    """
    if not tau > 0:
        raise ConfigError(f"tau must be positive, got {tau}")
    if not max_weight > 0:
        raise ConfigError(f"max_weight must be positive, got {max_weight}")
    # cap before exp, so that tiny temperatures cannot overflow
    cap = min(float(np.log(max_weight)), 700.0)
    result: Array = np.exp(np.minimum(np.asarray(scores, dtype=np.float64) / tau, cap))
    return result


def centred(scores: Array, groups: Sequence[Hashable]) -> Array:
    """Return scores less the mean of their group.

    Args:
        scores: One per reply.
        groups: The group of each reply: its turn, or its problem.

    Raises:
        ConfigError: The two differ in length.
    """
    if len(scores) != len(groups):
        raise ConfigError(f"one group per score: got {len(groups)} groups and {len(scores)} scores")
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)
    values = np.asarray(scores, dtype=np.float64)
    sums = np.bincount(index, values, minlength=len(numbers))
    counts = np.bincount(index, minlength=len(numbers))
    result: Array = values - (sums / np.maximum(counts, 1))[index]
    return result


def weigh(
    rewards: Array,
    turns: Sequence[int],
    problems: Sequence[str],
    *,
    weights: Weighting = "exp",
    tau: float = 0.4,
    max_weight: float = np.inf,
    success: float = 1.0,
) -> Array:
    """Return the weight of each reply.

    Args:
        rewards: One per reply.
        turns: The turn at which each was given, from 0.
        problems: The problem that each answers.
        weights: See `Weighting`.
        tau: Of the exponential weightings, in units of reward.
        max_weight: Cap of the exponential weightings.
        success: "binary" counts rewards at least this large.

    Raises:
        ConfigError: An unknown weighting, or a setting out of range.
    """
    values = np.asarray(rewards, dtype=np.float64)
    if weights == "uniform":
        return np.ones_like(values)
    if weights == "binary":
        return (values >= success).astype(np.float64)
    if weights == "exp":
        scores = values
    elif weights == "exp_per_turn":
        scores = centred(values, turns)
    elif weights == "exp_per_problem":
        scores = centred(values, problems)
    else:
        raise ConfigError(f"no weights {weights!r}; there are: {', '.join(get_args(Weighting))}")
    return exponential_weights(scores, tau=tau, max_weight=max_weight)


def effective_sample_size(weights: Array) -> float:
    """Return `(sum w)^2 / sum w^2`: how many equally weighted replies carry as much (Kish 1965)."""
    total = float(np.sum(weights))
    return total * total / float(np.sum(np.square(weights))) if total > 0 else 0.0


def weight_shares(weights: Array, rewards: Array) -> dict[float, float]:
    """Return reward -> the fraction of the total weight that replies with this reward hold."""
    total = float(np.sum(weights))
    if total <= 0:
        return {}
    return {float(reward): float(np.sum(weights[rewards == reward])) / total for reward in np.unique(rewards)}


def histogram(weights: Array, bins: int = 10) -> dict[str, list[float]]:
    """Return `{"edges": bins + 1 numbers, "counts": bins numbers}` of the weights."""
    counts, edges = np.histogram(weights, bins=bins)
    return {"edges": edges.tolist(), "counts": counts.astype(float).tolist()}
