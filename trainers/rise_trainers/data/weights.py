"""Computes the training weight of each reply from the rewards. Pure functions of arrays.

Reply i has a reward r_i and was given at turn t_i to problem p_i. Reward-weighted regression (Peters and
Schaal 2007) gives it the weight `exp(r_i / tau)`, as the released code of RISE does. The paper of RISE
(arXiv:2407.18219, section 3.2) centres: "center the exponentiated rewards around the mean value averaged
across all attempts on a given prompt, akin to advantage-weighted regression". The words leave open whether
the mean is subtracted before the exponential, as in advantage-weighted regression (`exp_per_problem`), or
after it (`centred_exp`). Baselines of RISE are other choices of the same weight: 1 for successes and 0
otherwise is filtered behaviour cloning (STaR, ReST-EM), 1 for every reply is supervised fine-tuning, and the
reward less a baseline is the policy gradient of REINFORCE (Williams 1992).

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
    attempts: Mapping[str, Array]
    """Id of a problem -> the rewards of all attempts at it: every turn and every sample, trained or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSettings:
    """The settings that weightings may use."""

    tau: float
    """Temperature of the exponential weightings, in units of reward."""
    max_weight: float
    """Cap of the exponential weightings."""
    success: float
    """The smallest reward that is a success."""
    negative_weights: bool
    """Whether `centred_exp` keeps negative weights; False makes them 0."""


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
    """Return the exponential of r / tau. Source: `workflow_convert.py` of cmu-mind/RISE."""
    return exponential_weights(replies.rewards, tau=settings.tau, max_weight=settings.max_weight)


def exp_per_problem(replies: Replies, settings: WeightSettings) -> Array:
    """Return exp((r - mean reward of all attempts at the problem) / tau).

    Source: arXiv:2407.18219, section 3.2, with the mean subtracted before the exponential as in
    advantage-weighted regression (arXiv:1910.00177).
    """
    scores = advantage(replies, settings)
    return exponential_weights(scores, tau=settings.tau, max_weight=settings.max_weight)


def centred_exp(replies: Replies, settings: WeightSettings) -> Array:
    """Return exp(r / tau) less its mean over all attempts at the problem; below 0 it is 0, unless kept.

    Source: arXiv:2407.18219, section 3.2, with the mean subtracted after the exponential. A reply whose
    reward is the same as that of every other attempt at its problem has the weight 0.
    """

    def weights_of(rewards: Array) -> Array:
        return exponential_weights(rewards, tau=settings.tau, max_weight=settings.max_weight)

    means = _problem_means(replies, {name: weights_of(found) for name, found in replies.attempts.items()})
    result = weights_of(replies.rewards) - means
    return result if settings.negative_weights else np.maximum(result, 0.0)


def advantage(replies: Replies, settings: WeightSettings) -> Array:
    """Return the reward less the mean reward of all attempts at the problem; it may be negative.

    With it the gradient of the loss is the policy gradient with a mean baseline (REINFORCE, Williams 1992),
    if the model that is fitted sampled the replies and uses each of them once.
    """
    return replies.rewards - _problem_means(replies, replies.attempts)


def exp_per_turn(replies: Replies, settings: WeightSettings) -> Array:
    """Return exp((r - mean reward of the trained replies of its turn) / tau).

    The paper of RISE does not describe this variant.
    """
    scores = centred(replies.rewards, replies.turns)
    return exponential_weights(scores, tau=settings.tau, max_weight=settings.max_weight)


def binary(replies: Replies, settings: WeightSettings) -> Array:
    """Return 1 for every success, 0 otherwise."""
    return (replies.rewards >= settings.success).astype(np.float64)


def uniform(replies: Replies, settings: WeightSettings) -> Array:
    """Return 1 for every reply."""
    return np.ones_like(replies.rewards)


WEIGHTINGS: Mapping[str, Callable[[Replies, WeightSettings], Array]] = {
    "exp": exp,
    "exp_per_problem": exp_per_problem,
    "centred_exp": centred_exp,
    "exp_per_turn": exp_per_turn,
    "advantage": advantage,
    "binary": binary,
    "uniform": uniform,
}
"""Name of a weighting -> the function that returns the weights [n] of n replies."""

if TYPE_CHECKING:
    Weighting = str
else:
    Weighting = Literal[*WEIGHTINGS]
"""The type of a setting that names a weighting. The command line lists its values from the table."""


def check_weighting(weights: str, *, negative_weights: bool) -> None:
    """Raise ConfigError if there is no such weighting, or if it has no negative weights to keep."""
    validate_choice(weights, WEIGHTINGS, "weights")
    if negative_weights and weights != "centred_exp":
        raise ConfigError(
            f"negative_weights is a setting of the weights centred_exp, got weights {weights!r}: leave it out"
        )


def weigh(
    rewards: Array,
    turns: Sequence[int],
    problems: Sequence[str],
    *,
    weights: Weighting = "exp",
    tau: float = 0.4,
    max_weight: float = np.inf,
    success: float = 1.0,
    negative_weights: bool = False,
    attempts: Mapping[str, Sequence[float]] | None = None,
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
        negative_weights: Whether `centred_exp` keeps negative weights; False makes them 0.
        attempts: Id of each problem -> the rewards of all attempts at it, trained or not, for the weightings
            that are centred per problem. None takes the n replies as all attempts.

    Raises:
        ConfigError: An unknown weighting, a setting out of range, arguments of different lengths, or a
            problem without attempts.
    """
    values = _real("rewards", rewards)
    if not values.shape == (len(turns),) == (len(problems),):
        raise ConfigError(
            f"rewards must be [n], turns n and problems n, got shape {list(values.shape)}, "
            f"{len(turns)} turns and {len(problems)} problems"
        )
    check_weighting(weights, negative_weights=negative_weights)
    if attempts is None:
        own: dict[str, list[float]] = {}
        for problem, reward in zip(problems, values.tolist(), strict=True):
            own.setdefault(problem, []).append(reward)
        attempts = own
    missing = sorted({problem for problem in problems if not len(attempts.get(problem, ()))})
    if missing:
        raise ConfigError(f"attempts has no reward of the problem {missing[0]!r}, which a reply answers")
    return WEIGHTINGS[weights](
        Replies(
            rewards=values,
            turns=turns,
            problems=problems,
            attempts={name: _real("attempts", np.asarray(found)) for name, found in attempts.items()},
        ),
        WeightSettings(tau=tau, max_weight=max_weight, success=success, negative_weights=negative_weights),
    )


def scaled(weights: Array) -> Array:
    """Return the weights divided by the mean magnitude of those that are not 0, so that this mean is 1.

    Weights that are all 0 are returned as they are. The mean of signed weights themselves
    is no scale: that of centred weights is about 0.

    Args:
        weights: [n].
    """
    used = np.abs(weights[weights != 0])
    return weights / used.mean() if len(used) else weights


def effective_sample_size(weights: Array) -> float:
    """Return `(sum |w|)^2 / sum w^2` (Kish 1965): n for n equal weights, about 1 where one weight dominates.

    Of negative weights the magnitude counts: it is what decides how much a reply changes the model.

    Args:
        weights: [n].
    """
    total = float(np.sum(np.abs(weights)))
    return total * total / float(np.sum(np.square(weights))) if total > 0 else 0.0


def weight_shares(weights: Array, rewards: Array) -> dict[float, float]:
    """Return reward -> the fraction of the total weight that replies with this reward have.

    Of negative weights the magnitude counts.

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
    sizes = np.abs(weights)
    total = float(np.sum(sizes))
    if total <= 0:
        return {}
    return {float(reward): float(np.sum(sizes[rewards == reward])) / total for reward in np.unique(rewards)}


def histogram(weights: Array, bins: int = 10) -> dict[str, list[float]]:
    """Return `{"edges": bins + 1 numbers, "counts": bins numbers}` of the weights."""
    counts, edges = np.histogram(weights, bins=bins)
    return {"edges": edges.tolist(), "counts": counts.astype(float).tolist()}


def _problem_means(replies: Replies, values: Mapping[str, Array]) -> Array:
    """Return for each reply the mean of the values of its problem, [n]."""
    # the computed mean of equal values may differ from them by rounding, which would leave weights of 1e-16
    means = {name: float(found.mean() if np.ptp(found) else found[0]) for name, found in values.items()}
    return np.array([means[problem] for problem in replies.problems], dtype=np.float64)


def _real(name: str, values: Array) -> Array:
    """Return the values as float64; raise ConfigError if they are not real numbers."""
    found = np.asarray(values)
    if found.dtype.kind not in "biuf":
        raise ConfigError(
            f"{name} must be an array of real numbers, got {found.dtype} of shape {list(found.shape)}"
        )
    return found.astype(np.float64, copy=False)
