"""Whether a changed book is better: a paired test of two books on the same problems and seeds.

The old book is always played again. Against the recorded failures of a batch, whose score is 0, nearly every
rule looks good: in a simulation (base accuracy 35 %, 8 failures, no further problem) a rule that does nothing
was accepted in 80 % of the trials. With the old book played again, 50 further problems and 4 draws, the
bootstrap accepts it in 12 %, and still finds a rule worth 12 points in 98 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rise_env.metrics.bootstrap import paired_bootstrap
from rise_env.types import Trajectory

Array = npt.NDArray[np.float64]
Test = Literal["bootstrap", "mean", "strict", "always"]
Score = Literal["first", "turns", "discounted"]

DISCOUNT = 0.9
"""What each turn before the first right reply multiplies the score "discounted" with."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of a test."""

    accepted: bool
    probability: float
    """P(mean(new - old) > 0) over bootstrap samples of the problems; a mean of exactly 0 counts half."""
    old: float
    """Mean score of the old book."""
    new: float
    """Mean score of the new book."""


def decide(old: Array, new: Array, batch: int, *, accept: Test, confidence: float, seed: int = 0) -> Decision:
    """Compare two books.

    Args:
        old: Score of the old book per problem, in [0, 1], shape [problems]: first those of the batch.
        new: The same for the new book, on the same problems and seeds.
        batch: Number of problems of the batch, from which the new book was made.
        accept: "bootstrap" accepts if the probability is at least `confidence`. "mean" accepts if the mean
            falls neither on the batch nor on the other problems and rises on one of them, the common reading
            of MetaReflection. "strict" accepts if the sum over the batch rises, as GEPA does.
            "always" accepts every book.
        confidence: See `accept`.
        seed: Seed of the bootstrap.
    """
    estimate, p = paired_bootstrap(old[None], new[None], seed=seed)
    probability = 1 - p / 2 if estimate.mean > 0 else p / 2
    rises = [float((new - old)[part].sum()) for part in (slice(0, batch), slice(batch, None))]
    accepted = {
        "bootstrap": probability >= confidence and estimate.mean > 0,
        "mean": min(rises) >= 0 and max(rises) > 0,
        "strict": rises[0] > 0,
        "always": True,
    }[accept]
    return Decision(accepted, probability, float(old.mean()), float(new.mean()))


def score_of(episode: Trajectory, score: Score, turns: int) -> float:
    """Return the score of an episode, in [0, 1]; one that failed has 0.

    Args:
        episode: The episode.
        score: "first": whether the first reply is right (m1@t1). "turns": the share of the turns that are
            right. "discounted": `DISCOUNT` to the power of the number of replies before the first right one.
            An episode that ended with a right reply counts as right in the turns that were not played.
        turns: Number of turns of a whole episode.
    """
    right = [turn.action.check.correct for turn in episode.turns]
    if episode.error is not None or not right:
        return 0.0
    if score == "first":
        return float(right[0])
    if score == "discounted":
        return DISCOUNT ** right.index(True) if any(right) else 0.0
    unplayed = turns - len(right) if right[-1] else 0
    return (sum(right) + unplayed) / turns


def mean_scores(draws: Sequence[Sequence[Trajectory]], score: Score, turns: int) -> Array:
    """Return the mean score of each problem over its episodes, shape [problems]."""
    means = [sum(score_of(one, score, turns) for one in episodes) / len(episodes) for episodes in draws]
    return np.array(means, dtype=np.float64)
