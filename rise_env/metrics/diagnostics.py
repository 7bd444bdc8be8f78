"""How a policy uses its turns, apart from being right or wrong: pure functions of `Replies`.

A rate is returned as two arrays of shape [episodes]: how often something happened, and how often it could
have happened. The rate is the ratio of their sums; `bootstrap.bootstrap` computes it with its interval. An
episode in which it could not happen has 0 in both.
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
    """Return (ECR / EIR, accuracy / (1 - accuracy)): a turn raises the accuracy if the first is greater.

    ECR, the error correction rate, is the share of wrong replies that are right at the next turn. EIR, the
    error introduction rate, is the share of right replies that are wrong at the next turn. A turn changes the
    accuracy by (1 - accuracy) ECR - accuracy EIR, which is above 0 exactly when
    ECR / EIR > accuracy / (1 - accuracy). Compare studies of intrinsic self-correction (arXiv:2310.01798).

    Args:
        fix_rate: ECR, in [0, 1].
        break_rate: EIR, in [0, 1].
        accuracy: The accuracy before the turn, in [0, 1].

    Returns:
        Both ratios. x / 0 is infinite, and 0 / 0 is not a number (NaN).

    Raises:
        ConfigError: A share is not between 0 and 1.
    """
    check_range("fix_rate", fix_rate)
    check_range("break_rate", break_rate)
    check_range("accuracy", accuracy)
    return _ratio(fix_rate, break_rate), _ratio(accuracy, 1 - accuracy)


def distinct_answers(turns: Replies) -> tuple[Array, Array]:
    """Count the distinct answers of each episode, and its replies with an answer.

    The ratio is 1 if all answers differ and 1/T if all T of them are the same. A reply without a readable
    answer is in neither count. Source: the share of distinct answers in arXiv:2507.14295.
    """
    answer = turns.answer
    new = answer != NO_VOTE
    votes = new.sum(axis=1)
    for column in range(1, answer.shape[1]):
        new[:, column] &= ~(answer[:, :column] == answer[:, column : column + 1]).any(axis=1)
    return new.sum(axis=1).astype(float), votes.astype(float)


def repeats(turns: Replies) -> tuple[Array, Array]:
    """Count wrong answers that are repeated at the next turn, and wrong answers that have a next turn.

    A reply without a readable answer is in neither count. Source: the repeated answers after failures in
    arXiv:2507.14295.
    """
    before, after = turns.answer[:, :-1], turns.answer[:, 1:]
    wrong = (before > RIGHT) & turns.given[:, 1:]
    return (wrong & (before == after)).sum(axis=1).astype(float), wrong.sum(axis=1).astype(float)


def verbatim_repeats(turns: Replies) -> tuple[Array, Array]:
    """Count replies whose text equals that of the reply before, and all replies after the first."""
    again = turns.given[:, 1:]
    same = again & (turns.text[:, 1:] == turns.text[:, :-1])
    return same.sum(axis=1).astype(float), again.sum(axis=1).astype(float)


def format_failures(replies: Replies) -> tuple[Array, Array]:
    """Count replies without a readable answer (NO_ANSWER, UNREADABLE), and all replies.

    A check that ran out of time (TIMEOUT) is not counted as a format failure; see `timeouts`.
    """
    return np.isin(replies.verdict, _FAILED).sum(axis=1).astype(float), _count(replies)


def timeouts(replies: Replies) -> tuple[Array, Array]:
    """Count replies whose check ran out of time or memory, and all replies."""
    late = replies.verdict == VERDICTS.index(Verdict.TIMEOUT)
    return late.sum(axis=1).astype(float), _count(replies)


def withheld(replies: Replies) -> tuple[Array, Array]:
    """Count replies that a server's content filter or a provider's refusal withheld, and all replies."""
    kept_back = replies.verdict == VERDICTS.index(Verdict.WITHHELD)
    return kept_back.sum(axis=1).astype(float), _count(replies)


def reply_length(replies: Replies) -> tuple[Array, Array]:
    """Return the generated tokens and the number of replies of each episode: the ratio is tokens per reply.

    The agent counts the tokens. They are 0 for an agent that counts none; `Replies.characters` is always
    known.
    """
    return replies.tokens.sum(axis=1).astype(float), _count(replies)


def tokens_per_solved(replies: Replies, right: Array, *, prompts: bool = False) -> tuple[Array, Array]:
    """Return the tokens of each episode and its score: the ratio is tokens per solved problem.

    Args:
        replies: All replies that were generated for the score.
        right: The score, m1@tT or p1@tT for example, shape [episodes]. A tie counts with its value below 1.
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
