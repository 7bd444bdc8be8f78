"""Measures of a critic that gives replies scores in [0, 1]. Pure functions of arrays.

A critic chooses among replies to one problem, so `auc_within` decides whether it helps. The pooled `auc` also
rewards a critic that only knows which problems are hard.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

MIN_AUC = 0.6
"""A critic whose AUC within problems is below it hardly helps to choose among replies."""


@dataclass(frozen=True, slots=True)
class CriticQuality:
    """The measures of one critic. A measure is NaN if it is undefined for the given replies."""

    replies: int
    auc_within: float
    auc: float
    calibration_error: float
    precision: float
    recall: float


def critic_quality(scores: Array, right: Bools, problems: Ints) -> CriticQuality:
    """Return all measures.

    Args:
        scores: Scores of replies in [0, 1], shape [replies].
        right: Whether each reply is right, shape [replies].
        problems: A number per problem, shape [replies].

    Raises:
        ConfigError: The shapes differ, or an array has another dtype.
    """
    check_array("scores", scores, "float", "replies")
    check_array("right", right, "bool", "replies")
    check_array("problems", problems, "integer", "replies")
    if not len(scores) == len(right) == len(problems):
        raise ConfigError(
            f"scores, right and problems need one length, got {len(scores)}, {len(right)} and {len(problems)}"
        )
    said = scores > 0.5
    return CriticQuality(
        replies=len(scores),
        auc_within=auc_within(scores, right, problems),
        auc=auc(scores, right),
        calibration_error=calibration_error(scores, right),
        precision=_ratio((said & right).sum(), said.sum()),
        recall=_ratio((said & right).sum(), right.sum()),
    )


def auc(scores: Array, right: Bools) -> float:
    """Return the probability that a right reply has a higher score than a wrong one; ties count half.

    It is NaN if there are no right or no wrong replies.
    """
    wins, pairs = _pairs(scores, right)
    return _ratio(wins, pairs)


def auc_within(scores: Array, right: Bools, problems: Ints) -> float:
    """Return the same probability for pairs of replies to one problem, over all such pairs."""
    wins = pairs = 0.0
    for problem in np.unique(problems):
        own = problems == problem
        more_wins, more_pairs = _pairs(scores[own], right[own])
        wins += more_wins
        pairs += more_pairs
    return _ratio(wins, pairs)


def calibration_error(scores: Array, right: Bools, bins: int = 10) -> float:
    """Return the expected calibration error: the mean distance of score and share of right replies.

    Scores are put into bins of equal width; each bin counts as often as it has replies. Source: Guo et al.
    2017, arXiv:1706.04599, section 2.

    Args:
        scores: Shape [replies].
        right: Shape [replies].
        bins: Number of bins.
    """
    if not len(scores):
        return float("nan")
    places = np.minimum((scores * bins).astype(int), bins - 1)
    total = 0.0
    for place in np.unique(places):
        own = places == place
        total += own.sum() * abs(scores[own].mean() - right[own].mean())
    return float(total / len(scores))


def _pairs(scores: Array, right: Bools) -> tuple[float, float]:
    """Return the number of won pairs of a right and a wrong reply (a tie is half a win), and of all pairs."""
    up, down = np.sort(scores[right]), np.sort(scores[~right])
    below = np.searchsorted(down, up, side="left").sum()
    not_above = np.searchsorted(down, up, side="right").sum()
    return float(below + not_above) / 2, float(len(up) * len(down))


def _ratio(top: float, of: float) -> float:
    return float(top) / float(of) if of else float("nan")
