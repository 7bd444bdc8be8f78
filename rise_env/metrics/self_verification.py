"""How well a model judges its own answers, and stops by itself at right ones.

In the protocol "self_verify" each answer is followed by a reply that says whether it is right. Such a reply
is graded by whether it says so rightly, and a "yes" ends the episode.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rise_env.metrics.reply_arrays import VERDICTS, Bools, Replies
from rise_env.types import CheckResult, Verdict

Array = npt.NDArray[np.float64]
METHOD = "self_verification"
"""`CheckResult.method` of replies that say whether the reply before them is right."""

_RATED = [VERDICTS.index(verdict) for verdict in (Verdict.CORRECT, Verdict.WRONG)]


def verification_check(rating: float | None, correct: bool) -> CheckResult:
    """Return the grade of a reply that says whether the reply before it is right.

    Args:
        rating: Its probability that it is right; above 0.5 is a yes. None if it does not say.
        correct: Whether the reply before it is right.
    """
    if rating is None:
        return CheckResult(Verdict.NO_ANSWER, method=METHOD)
    agrees = (rating > 0.5) == correct
    return CheckResult(Verdict.CORRECT if agrees else Verdict.WRONG, f"{rating:g}", METHOD)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Verifications:
    """Answers and what their author says about them; arrays of shape [episodes, answers]."""

    answers: Replies
    """The answers, with the tokens of the verifications before them."""
    verified: Bools
    """Whether a verification of the answer was given."""
    accepted: Bools
    """Whether it says that the answer is right."""

    @property
    def final(self) -> Array:
        """1 for each episode whose last answer is right, else 0, shape [episodes]."""
        given, correct = self.answers.given, self.answers.correct
        last = np.maximum(given.sum(axis=1) - 1, 0)
        return np.asarray(correct[np.arange(len(correct)), last], dtype=np.float64)


def verifications(log: Replies) -> Verifications:
    """Return the answers and verifications of a log of the protocol "self_verify".

    Args:
        log: Shape [episodes, 2 * answers]: each answer is followed by its verification.
    """
    answers = log.every(2)
    verified = log.given[:, 1::2]
    agrees = log.correct[:, 1::2]
    rated = np.isin(log.verdict[:, 1::2], _RATED)
    return Verifications(answers=answers, verified=verified, accepted=rated & (agrees == answers.correct))


def verification_counts(logs: Sequence[Replies]) -> dict[str, tuple[Array, Array | None]]:
    """Return the counts of each metric of the protocol "self_verify", shape [seeds, problems].

    Args:
        logs: One log per seed; see `verifications`.

    Returns:
        Metric -> (values, denominators); without denominators, the metric is the mean of the values.
        "precision" and "recall" are those of a verification that says yes.
    """
    read = [verifications(log) for log in logs]
    accepted = np.stack([one.accepted.sum(axis=1) for one in read]).astype(float)
    right = np.stack([(one.verified & one.answers.correct).sum(axis=1) for one in read]).astype(float)
    both = np.stack([(one.accepted & one.answers.correct).sum(axis=1) for one in read]).astype(float)
    return {
        "accuracy_at_stop": (np.stack([one.final for one in read]), None),
        "precision": (both, accepted),
        "recall": (both, right),
        "stopped": ((accepted > 0).astype(float), None),
        "answers": (np.stack([one.answers.given.sum(axis=1) for one in read]).astype(float), None),
    }
