"""Scores of a policy's answers: pure functions of `Replies` that return one number per episode, [episodes].

Rules, where the RISE paper (arXiv:2407.18219) leaves them open:

- Unparsable: a reply without a readable answer (NO_ANSWER, UNREADABLE) casts no vote and counts as wrong.
- Classes: all correct answers are one class. Two wrong answers are of one class if their texts are equal
  after blanks and a leading "$" are removed.
- Ties: the value is the share of right classes among the tied ones, which is the expected score of a random
  choice among them. The order of the turns has no influence.
- Turns that an episode did not reach count as wrong, and cast no vote.

`m` stands for majority, `p` for pass; the first number is how many draws, the second how many turns.
"""

import math

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array
from rise_env.metrics.reply_arrays import NO_VOTE, RIGHT, Ints, Replies, by_turn
from rise_env.types import Trajectory

Array = npt.NDArray[np.float64]


def majority(answer: Ints) -> Array:
    """Return the score of the majority vote of each row: 1 if it is right, 0 if wrong, a share at a tie.

    Args:
        answer: Classes as in `Replies.answer`, shape [episodes, replies].

    Raises:
        ConfigError: `answer` has another shape, or is not of integers.
    """
    check_array("answer", answer, "integer", "episodes", "replies")
    votes = answer != NO_VOTE
    counts = np.zeros(answer.shape)
    for column in range(answer.shape[1]):  # one column at a time, so that memory stays [episodes, replies]
        counts += answer == answer[:, column : column + 1]
    counts *= votes
    highest = counts.max(axis=1, initial=0)
    leading = votes & (counts == highest[:, None])
    # a leading class has `highest` members, so this is the number of tied classes
    classes = leading.sum(axis=1) / np.maximum(highest, 1)
    right = (leading & (answer == RIGHT)).any(axis=1)
    return np.asarray(right / np.maximum(classes, 1))


def m1_at_t1(turns: Replies) -> Array:
    """m1@t1: whether the first reply is right. No tie; unparsable is wrong. Paper, section 5."""
    return np.asarray(turns.correct[:, 0], dtype=float)


def mk_at_t1(draws: Replies, num_samples: int) -> Array:
    """mK@t1: majority over the first K independent replies to the first observation. Paper, section 5.

    Ties and unparsable replies: see the module.

    Args:
        draws: From `by_draw`.
        num_samples: K.
    """
    return majority(draws.first(num_samples).answer)


def m1_at_tt(turns: Replies, count: int) -> Array:
    """m1@tT: majority over the T replies of one rollout that no oracle steered or stopped. Paper, section 5.

    Ties and unparsable replies: see the module.

    Args:
        turns: From `by_turn`, played with blind feedback to the end.
        count: T.
    """
    return majority(turns.first(count).answer)


def p1_at_tt(turns: Replies, count: int) -> Array:
    """p1@tT: whether any of the first T turns is right. No tie; unparsable is wrong. Paper, section 5.

    This is the score of a rollout that an oracle stops at the first right reply. With blind feedback, a
    rollout up to that reply is the same with and without the oracle, so one log gives both this and
    `m1_at_tt`. With feedback="oracle" the replies differ, and a log of that protocol is needed.
    """
    return np.asarray(turns.first(count).correct.any(axis=1), dtype=float)


def accuracy_at_turn(turns: Replies, number: int) -> Array:
    """Return whether the reply at one turn is right. No vote; unparsable is wrong.

    Args:
        turns: From `by_turn`.
        number: The number of the turn, from 1.
    """
    return np.asarray(turns.first(number).correct[:, -1], dtype=float)


def pass_at_k(draws: Replies, k: int) -> Array:
    """pass@k: an unbiased estimate, from n >= k draws, of the chance that at least one of k draws is right.

    1 - C(n - c, k) / C(n, k), where c of the n draws are right. No tie; unparsable is wrong. Source: Chen et
    al. 2021, arXiv:2107.03374, section 2.1.

    Raises:
        ConfigError: There are fewer than k draws.
    """
    n = draws.correct.shape[1]
    if not 1 <= k <= n:
        raise ConfigError(f"pass@{k} needs at least {max(k, 1)} draws per problem, and there are {n}")
    table = np.array([1 - math.comb(n - c, k) / math.comb(n, k) for c in range(n + 1)])
    return np.asarray(table[draws.correct.sum(axis=1)])


def correct_by_turn(trajectory: Trajectory, turns: int) -> Array:
    """Return 1 or 0 for each turn of one episode, shape [turns]; 0 for turns that were not reached."""
    return np.asarray(by_turn([trajectory], turns).correct[0], dtype=float)


def wrong_to_right(correct: Array) -> tuple[Array, Array]:
    """Count, for each step from turn t to t+1, wrong replies that became right, and all wrong replies.

    Args:
        correct: 1 or 0, shape [..., turns]; unparsable replies are wrong.

    Returns:
        Two arrays of shape [..., turns - 1]. The ratio of their sums is the wrong-to-right rate.

    Raises:
        ConfigError: `correct` has no axis of turns, or is not of floats.
    """
    before, after = _steps(correct)
    return (1 - before) * after, 1 - before


def right_to_wrong(correct: Array) -> tuple[Array, Array]:
    """Count, for each step from turn t to t+1, right replies that became wrong, and all right replies.

    Args and returns: see `wrong_to_right`.
    """
    before, after = _steps(correct)
    return before * (1 - after), before


def transitions(correct: Array) -> dict[str, Array]:
    """Return which of four transitions happened at each step from turn t to t+1: four arrays of 0 and 1.

    Args:
        correct: 1 or 0, shape [..., turns]; unparsable replies are wrong.

    Returns:
        "right to right", "right to wrong", "wrong to right", "wrong to wrong", each [..., turns - 1]; at
        every place exactly one of them is 1. Source: the figure turn_correctness_change of the paper.

    Raises:
        ConfigError: `correct` has no axis of turns, or is not of floats.
    """
    before, after = _steps(correct)
    return {
        "right to right": before * after,
        "right to wrong": before * (1 - after),
        "wrong to right": (1 - before) * after,
        "wrong to wrong": (1 - before) * (1 - after),
    }


def lift(later: Array, earlier: Array) -> Array:
    """Return the gain of one score over another, problem by problem: later - earlier, in [-1, 1].

    For the numbers in brackets in the paper's tables, `earlier` is m1@t1 of the same policy. For the gain of
    sequential over parallel generations it is mK@t1. Both arrays are of the same problems in the same order.

    Raises:
        ConfigError: The shapes differ, or an array is not of floats.
    """
    check_array("later", later, "float", "...", "problems")
    check_array("earlier", earlier, "float", "...", "problems")
    if later.shape != earlier.shape:
        raise ConfigError(
            f"later and earlier need the same shape, got {later.shape} and {earlier.shape}: pass the scores "
            "of the same problems"
        )
    return later - earlier


def _steps(correct: Array) -> tuple[Array, Array]:
    """Return the replies before and after each step from one turn to the next, each [..., turns - 1]."""
    check_array("correct", correct, "float", "...", "turns")
    return correct[..., :-1], correct[..., 1:]
