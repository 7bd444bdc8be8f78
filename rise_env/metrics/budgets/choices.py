"""Scores of one answer chosen among several replies by scores: best of n, and the weighted vote.

`accuracy.majority` is the choice that needs no scores.
"""

import numpy as np

from rise_env.errors import ConfigError
from rise_env.metrics.accuracy import Array
from rise_env.metrics.array_checks import check_array
from rise_env.metrics.reply_arrays import NO_VOTE, RIGHT, Floats, Ints


def best_of(answer: Ints, score: Floats) -> Array:
    """Return whether the reply with the best score is right, the first one among equals.

    A reply without a score is chosen only if none has one.

    Args:
        answer: Classes as in `Replies.answer`, shape [episodes, replies].
        score: Scores of the same shape; NaN where there is none.

    Raises:
        ConfigError: The shapes differ, or an array has another dtype.
    """
    _check(answer, score)
    best = np.where(np.isnan(score), -np.inf, score).argmax(axis=1)
    return np.asarray(answer[np.arange(len(answer)), best] == RIGHT, dtype=float)


def weighted_vote(answer: Ints, score: Floats) -> Array:
    """Return the score of a vote in which each reply counts as much as its score.

    It is 1 if the right answer has the largest sum, 0 if not, and a share at a tie, as `accuracy.majority`.
    Replies without an answer do not vote, and those without a score add nothing. If all sums are 0, the vote
    is a plain majority.

    Args:
        answer: Classes as in `Replies.answer`, shape [episodes, replies].
        score: Scores of the same shape; NaN where there is none.

    Raises:
        ConfigError: The shapes differ, or an array has another dtype.
    """
    _check(answer, score)
    weight = np.where(np.isnan(score), 0.0, score)
    votes = answer != NO_VOTE
    weight[(weight * votes).sum(axis=1) == 0] = 1.0
    sums = np.zeros(answer.shape)
    first = np.ones(answer.shape, dtype=bool)
    for column in range(answer.shape[1]):
        equal = answer == answer[:, column : column + 1]
        sums += equal * weight[:, column : column + 1]
        first[:, column + 1 :] &= ~equal[:, column + 1 :]
    sums *= votes
    highest = sums.max(axis=1, initial=0)
    # sums of the same numbers in the same order are equal, but equal sums of others may differ by rounding
    leading = votes & first & np.isclose(sums, highest[:, None], rtol=1e-12, atol=0)
    right = (leading & (answer == RIGHT)).any(axis=1)
    return np.asarray(right / np.maximum(leading.sum(axis=1), 1))


def _check(answer: Ints, score: Floats) -> None:
    check_array("answer", answer, "integer", "episodes", "replies")
    check_array("score", score, "float", "episodes", "replies")
    if answer.shape != score.shape:
        raise ConfigError(f"answer and score need one shape, got {answer.shape} and {score.shape}")
