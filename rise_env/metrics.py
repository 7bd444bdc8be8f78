"""What evaluation measures: pure functions of trajectories, one number per episode.

Rules, where the paper (arXiv:2407.18219) leaves them open:

- A reply without a readable answer (NO_ANSWER, UNREADABLE) casts no vote and counts as wrong.
- Correct answers are one class whatever their spelling; wrong ones are classes by their spelling,
  blanks and a leading "$" apart.
- A tie is worth the share of the tied classes that is right, so that neither the first nor the last
  turn is favoured: what drawing lots among them gives on average.
- Turns that an episode did not reach because it failed count as wrong.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rise_env.types import Attempt, Trajectory, Verdict

Array = npt.NDArray[np.float64]
_SILENT = {Verdict.NO_ANSWER, Verdict.UNREADABLE}


def vote(attempt: Attempt) -> str | None:
    """Return the class that an attempt votes for; None where it casts no vote."""
    check = attempt.check
    if check.correct:
        return "correct"
    if check.verdict in _SILENT or check.answer is None:
        return None
    return "wrong: " + "".join(check.answer.split()).lstrip("$")


def majority(attempts: Sequence[Attempt]) -> float:
    """Return how right the majority vote over the attempts is: 1, 0, or between at a tie."""
    counts = Counter(v for v in map(vote, attempts) if v is not None)
    if not counts:
        return 0.0
    most = max(counts.values())
    tied = [v for v, n in counts.items() if n == most]
    return float("correct" in tied) / len(tied)


def actions(trajectory: Trajectory, turns: int) -> tuple[Attempt, ...]:
    """Return the chosen attempts of the first `turns` turns."""
    return tuple(turn.action for turn in trajectory.turns[:turns])


def correct_by_turn(trajectory: Trajectory, turns: int) -> Array:
    """Return 1 or 0 for each turn, shape [turns]; 0 for turns that were not reached."""
    right = [float(a.check.correct) for a in actions(trajectory, turns)]
    return np.array(right + [0.0] * (turns - len(right)))


def m1_at_t1(sequential: Trajectory) -> float:
    """m1@t1: whether the first reply is right. Paper, section 5."""
    return float(correct_by_turn(sequential, 1)[0])


def mk_at_t1(parallel: Trajectory, samples: int) -> float:
    """mK@t1: majority over the first K independent replies to the first observation.

    Args:
        parallel: Its first turn holds at least K attempts, drawn without regard to their verdicts.
        samples: K.
    """
    return majority(parallel.turns[0].attempts[:samples]) if parallel.turns else 0.0


def m1_at_tt(sequential: Trajectory, turns: int) -> float:
    """m1@tT: majority over the T replies of one rollout that no oracle steered or stopped."""
    return majority(actions(sequential, turns))


def p1_at_tt(sequential: Trajectory, turns: int) -> float:
    """p1@tT: whether any of the T turns is right, what an oracle that stops the rollout there would see.

    The rollout up to the first right reply is the same with and without that oracle, as long as the
    feedback is blind; so one log gives both this and `m1_at_tt`.
    """
    return float(correct_by_turn(sequential, turns).any())


def wrong_to_right(correct: Array) -> tuple[Array, Array]:
    """Count, for each step from turn t to t+1, the wrong that became right, and the wrong.

    Args:
        correct: 1 or 0, shape [..., turns].

    Returns:
        Two arrays of shape [..., turns - 1]: their sums' ratio is the wrong-to-right rate.
    """
    before, after = correct[..., :-1], correct[..., 1:]
    return (1 - before) * after, 1 - before


def right_to_wrong(correct: Array) -> tuple[Array, Array]:
    """Count the right that became wrong, and the right, as `wrong_to_right` does."""
    before, after = correct[..., :-1], correct[..., 1:]
    return before * (1 - after), before
