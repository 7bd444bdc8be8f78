"""Computes the training weight of each reply from the rewards. Pure functions of arrays.

Reply i has a reward r_i and was given at turn t_i to problem p_i. Reward-weighted regression (Peters and
Schaal 2007) gives it the weight `exp(score_i / tau)`. Two baselines are other weights: 1 for successes and 0
for all other replies is filtered behaviour cloning (STaR, ReST-EM), 1 for every reply is supervised
fine-tuning.

To add a weighting, write a function of `Replies` and `WeightSettings` and add it to `WEIGHTINGS`. The
settings of `rise fit`, `rise mask` and `rise run`, their help and their errors are made from that table.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from rise_env.errors import ConfigError
from rise_env.utils.suggestions import validate_choice

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """The n replies that get weights."""

    rewards: Array
    """[n], float64."""
    turns: Sequence[int]
    """[n], the turn of each reply, from 0."""
    problems: Sequence[str]
    """[n], the id of the problem that each reply answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSettings:
    """The settings that weightings may use."""

    tau: float
    """Temperature of the exponential weightings, in units of reward."""
    max_weight: float
    """Cap of the exponential weightings."""
    success: float
    """The smallest reward that is a success."""


def exponential_weights(scores: Array, *, tau: float, max_weight: float = np.inf) -> Array:
    """Return `exp(scores / tau)`, at most `max_weight`.

    Args:
        scores: Rewards or advantages, of any shape, in units of reward.
        tau: Temperature, in units of reward. With small values, only the best replies count; with large
            values, all replies count nearly the same, as in supervised fine-tuning.
        max_weight: Cap, so that one reply cannot dominate a batch (AWR, arXiv:1910.00177).

    Raises:
        ConfigError: `tau` or `max_weight` is not positive, or the scores are not real numbers.
    """
    values = _real("scores", scores)
    if not tau > 0:
        raise ConfigError(f"tau must be positive, got {tau}")
    if not max_weight > 0:
        raise ConfigError(f"max_weight must be positive, got {max_weight}")
    # cap before exp, so that a tiny tau cannot overflow
    cap = min(float(np.log(max_weight)), 700.0)
    result: Array = np.exp(np.minimum(values / tau, cap))
    return result


def centred(scores: Array, groups: Sequence[Hashable]) -> Array:
    """Return each score minus the mean score of its group.

    Args:
        scores: [n], in units of reward.
        groups: [n], the group of each reply: its turn, or its problem.

    Raises:
        ConfigError: `scores` is not an array [n] of real numbers, or there are not n groups.
    """
    values = _real("scores", scores)
    if values.shape != (len(groups),):
        raise ConfigError(
            f"scores must be [n] with n groups, got shape {list(values.shape)} and {len(groups)} groups"
        )
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)
    sums = np.bincount(index, values, minlength=len(numbers))
    counts = np.bincount(index, minlength=len(numbers))
    result: Array = values - (sums / np.maximum(counts, 1))[index]
    return result


def exp(replies: Replies, settings: WeightSettings) -> Array:
    """Weight by the reward itself, as the released code of RISE does (arXiv:2407.18219)."""
    return exponential_weights(replies.rewards, tau=settings.tau, max_weight=settings.max_weight)


def exp_per_turn(replies: Replies, settings: WeightSettings) -> Array:
    """Weight by the reward minus the mean reward of its turn (which we believe the paper uses)."""
    scores = centred(replies.rewards, replies.turns)
    return exponential_weights(scores, tau=settings.tau, max_weight=settings.max_weight)


def exp_per_problem(replies: Replies, settings: WeightSettings) -> Array:
    """Weight by the reward minus the mean reward of its problem."""
    scores = centred(replies.rewards, replies.problems)
    return exponential_weights(scores, tau=settings.tau, max_weight=settings.max_weight)


def binary(replies: Replies, settings: WeightSettings) -> Array:
    """Return 1 for every success, 0 otherwise."""
    return (replies.rewards >= settings.success).astype(np.float64)


def uniform(replies: Replies, settings: WeightSettings) -> Array:
    """Return 1 for every reply."""
    return np.ones_like(replies.rewards)


WEIGHTINGS: Mapping[str, Callable[[Replies, WeightSettings], Array]] = {
    "exp": exp,
    "exp_per_turn": exp_per_turn,
    "exp_per_problem": exp_per_problem,
    "binary": binary,
    "uniform": uniform,
}
"""Name of a weighting -> the function that returns the weights [n] of n replies."""

if TYPE_CHECKING:
    Weighting = str
else:
    Weighting = Literal[*WEIGHTINGS]
"""The type of a setting that names a weighting. The command line lists its values from the table."""


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
    """Return the weight of each of n replies.

    Args:
        rewards: [n].
        turns: [n], the turn of each reply, from 0.
        problems: [n], the id of the problem that each reply answers.
        weights: A name in `WEIGHTINGS`.
        tau: Temperature of the exponential weightings, in units of reward.
        max_weight: Cap of the exponential weightings.
        success: The smallest reward that is a success.

    Raises:
        ConfigError: An unknown weighting, a setting out of range, or arguments of different lengths.
    """
    values = _real("rewards", rewards)
    if not values.shape == (len(turns),) == (len(problems),):
        raise ConfigError(
            f"rewards must be [n], turns n and problems n, got shape {list(values.shape)}, "
            f"{len(turns)} turns and {len(problems)} problems"
        )
    chosen = WEIGHTINGS[validate_choice(weights, WEIGHTINGS, "weights")]
    return chosen(
        Replies(rewards=values, turns=turns, problems=problems),
        WeightSettings(tau=tau, max_weight=max_weight, success=success),
    )


def effective_sample_size(weights: Array) -> float:
    """Return `(sum w)^2 / sum w^2` (Kish 1965): n for n equal weights, about 1 where one weight dominates.

    Args:
        weights: [n].
    """
    total = float(np.sum(weights))
    return total * total / float(np.sum(np.square(weights))) if total > 0 else 0.0


def weight_shares(weights: Array, rewards: Array) -> dict[float, float]:
    """Return reward -> the fraction of the total weight that replies with this reward have.

    Args:
        weights: [n].
        rewards: [n].

    Raises:
        ConfigError: The two differ in shape.
    """
    if weights.shape != rewards.shape:
        raise ConfigError(
            f"weights and rewards must have one shape, got {list(weights.shape)} and {list(rewards.shape)}"
        )
    total = float(np.sum(weights))
    if total <= 0:
        return {}
    return {float(reward): float(np.sum(weights[rewards == reward])) / total for reward in np.unique(rewards)}


def histogram(weights: Array, bins: int = 10) -> dict[str, list[float]]:
    """Return `{"edges": bins + 1 numbers, "counts": bins numbers}` of the weights."""
    counts, edges = np.histogram(weights, bins=bins)
    return {"edges": edges.tolist(), "counts": counts.astype(float).tolist()}


def _real(name: str, values: Array) -> Array:
    """Return the values as float64; raise ConfigError if they are not real numbers."""
    found = np.asarray(values)
    if found.dtype.kind not in "biuf":
        raise ConfigError(
            f"{name} must be an array of real numbers, got {found.dtype} of shape {list(found.shape)}"
        )
    return found.astype(np.float64, copy=False)
