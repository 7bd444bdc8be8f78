"""What a policy does with its turns beside being right or wrong: pure functions of `Replies`.

Rates are given as two arrays of shape [episodes], what happened and out of how many: the ratio of their sums
is the rate, and `bootstrap.bootstrap` gives it with its interval. An episode in which nothing
could happen adds nothing to either.
"""

import math

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics.array_checks import check_array, check_range
from rise_env.metrics.reply_arrays import NO_VOTE, RIGHT, VERDICTS, Replies
from rise_env.types import Verdict

Array = npt.NDArray[np.float64]
_FAILED = [VERDICTS.index(Verdict.NO_ANSWER), VERDICTS.index(Verdict.UNREADABLE)]


def break_even(fix_rate: float, break_rate: float, accuracy: float) -> tuple[float, float]:
    """Return (ECR / EIR, accuracy / (1 - accuracy)): another turn pays when the first is the greater.

    ECR, the error correction rate, is the share of wrong replies that the next turn sets right; EIR, the
    error introduction rate, the share of right ones that it breaks. A turn changes accuracy by
    (1 - accuracy) ECR - accuracy EIR, which is above 0 exactly when ECR / EIR > accuracy / (1 - accuracy).
    Source: as collected from studies of intrinsic self-correction (compare arXiv:2310.01798).

    Args:
        fix_rate: ECR, in [0, 1].
        break_rate: EIR, in [0, 1].
        accuracy: Before the turn, in [0, 1].

    Returns:
        Both ratios; x / 0 is infinite, 0 / 0 is not a number (nothing changes, so nothing is decided).

    Raises:
        ConfigError: A share is not between 0 and 1.
    """
    check_range("fix_rate", fix_rate)
    check_range("break_rate", break_rate)
    check_range("accuracy", accuracy)
    return _ratio(fix_rate, break_rate), _ratio(accuracy, 1 - accuracy)


def distinct_answers(turns: Replies) -> tuple[Array, Array]:
    """Count the distinct answers of each episode, and its replies with an answer.

    The ratio is 1 when every turn answers anew and 1/T when all T agree. Ties play no part; a reply without
    a readable answer is left out of both. Source: the share of distinct answers in arXiv:2507.14295.
    """
    answer = turns.answer
    new = answer != NO_VOTE
    votes = new.sum(axis=1)
    for column in range(1, answer.shape[1]):
        new[:, column] &= ~(answer[:, :column] == answer[:, column : column + 1]).any(axis=1)
    return new.sum(axis=1).astype(float), votes.astype(float)


def repeats(turns: Replies) -> tuple[Array, Array]:
    """Count the wrong answers that the next turn gives again, and the wrong answers that had a next turn.

    A reply without a readable answer is not an answer: it neither repeats nor is repeated. Source: the
    repeated answers after failures in arXiv:2507.14295.
    """
    before, after = turns.answer[:, :-1], turns.answer[:, 1:]
    wrong = (before > RIGHT) & turns.given[:, 1:]
    return (wrong & (before == after)).sum(axis=1).astype(float), wrong.sum(axis=1).astype(float)


def verbatim_repeats(turns: Replies) -> tuple[Array, Array]:
    """Count replies that are letter for letter the one before, and all replies after the first."""
    again = turns.given[:, 1:]
    same = again & (turns.text[:, 1:] == turns.text[:, :-1])
    return same.sum(axis=1).astype(float), again.sum(axis=1).astype(float)


def format_failures(replies: Replies) -> tuple[Array, Array]:
    """Count replies without a readable answer (NO_ANSWER, UNREADABLE), and all replies.

    A check that ran out of time (TIMEOUT) is no failure of the format: see `timeouts`.
    """
    return np.isin(replies.verdict, _FAILED).sum(axis=1).astype(float), _count(replies)


def timeouts(replies: Replies) -> tuple[Array, Array]:
    """Count replies whose check ran out of time or memory, and all replies."""
    late = replies.verdict == VERDICTS.index(Verdict.TIMEOUT)
    return late.sum(axis=1).astype(float), _count(replies)


def reply_length(replies: Replies) -> tuple[Array, Array]:
    """Return the tokens generated in each episode, and its replies: the ratio is tokens per reply.

    Tokens as the agent counts them; where it counts none they are 0 (characters are in
    `Replies.characters`).
    """
    return replies.tokens.sum(axis=1).astype(float), _count(replies)


def tokens_per_solved(replies: Replies, right: Array, *, prompts: bool = False) -> tuple[Array, Array]:
    """Return the tokens of each episode, and how far it was solved: the ratio is tokens per solved problem.

    Args:
        replies: All that was generated for the score.
        right: The score, shape [episodes]: m1@tT, p1@tT, ...; a tie counts as its share.
        prompts: Count the prompts' tokens as well, not only the generated ones.

    Raises:
        ConfigError: `right` does not have one float per episode.
    """
    check_array("right", right, "float", "episodes")
    if len(right) != len(replies.problems):
        raise ConfigError(
            f"right needs one value per episode: got shape {right.shape} and {len(replies.problems)} episodes"
        )
    tokens = replies.tokens + replies.prompt_tokens if prompts else replies.tokens
    return tokens.sum(axis=1).astype(float), right


def _count(replies: Replies) -> Array:
    return np.asarray(replies.given.sum(axis=1), dtype=float)


def _ratio(top: float, bottom: float) -> float:
    if bottom == 0:
        return math.nan if top == 0 else math.inf
    return top / bottom
