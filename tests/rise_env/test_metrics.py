import numpy as np
import pytest

from rise_env import metrics
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Verdict

PROBLEM = Problem(id="p", question="1+1?", reference="2")


def attempt(answer: str | None) -> Attempt:
    if answer is None:
        check = CheckResult(Verdict.NO_ANSWER)
    else:
        check = CheckResult(Verdict.CORRECT if answer == "2" else Verdict.WRONG, answer)
    return Attempt(agent="a", reply=f"{answer}", check=check, reward=float(check.correct))


def rollout(*answers: str | None) -> Trajectory:
    turns = tuple(Turn(observation=(), attempts=(attempt(a),)) for a in answers)
    return Trajectory(id="t", problem=PROBLEM, turns=turns, seed=0)


def parallel(*answers: str | None) -> Trajectory:
    turn = Turn(observation=(), attempts=tuple(attempt(a) for a in answers))
    return Trajectory(id="t", problem=PROBLEM, turns=(turn,), seed=0)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(["2", "3", "2", "4", "5"], 1.0, id="most votes win"),
        pytest.param(["3", "2", "3"], 0.0, id="a wrong majority loses"),
        pytest.param(["2", "3"], 0.5, id="a tie of two is worth a half"),
        pytest.param(["2", "3", "4"], 1 / 3, id="a tie of three is worth a third"),
        pytest.param(["4", "4", "3", "3", "2"], 0.0, id="a tie without the right answer"),
        pytest.param([None, None, "2"], 1.0, id="no answer casts no vote"),
        pytest.param([None, None], 0.0, id="nobody votes"),
        pytest.param(["$3", "3 ", "2"], 0.0, id="spelling of a wrong answer"),
    ],
)
def test_majority_follows_the_stated_rules(answers: list[str | None], expected: float) -> None:
    assert metrics.m1_at_tt(rollout(*answers), 5) == pytest.approx(expected)
    assert metrics.mk_at_t1(parallel(*answers), 5) == pytest.approx(expected)


def test_mk_counts_only_the_first_k_samples() -> None:
    episode = parallel("3", "2", "2")
    assert metrics.mk_at_t1(episode, 1) == 0.0
    assert metrics.mk_at_t1(episode, 3) == 1.0


def test_m1_at_t1_is_the_first_reply_alone() -> None:
    assert metrics.m1_at_t1(rollout("3", "2", "2")) == 0.0
    assert metrics.m1_at_t1(rollout("2", "3")) == 1.0


def test_p1_is_any_turn_within_the_limit() -> None:
    assert metrics.p1_at_tt(rollout("3", "4", "2"), 2) == 0.0
    assert metrics.p1_at_tt(rollout("3", "4", "2"), 3) == 1.0


def test_turns_that_were_not_reached_count_as_wrong() -> None:
    np.testing.assert_array_equal(metrics.correct_by_turn(rollout("2"), 3), [1, 0, 0])
    assert metrics.m1_at_t1(rollout()) == 0.0
    assert metrics.mk_at_t1(rollout(), 5) == 0.0


def test_flip_rates_of_a_worked_case() -> None:
    # three episodes of three turns: w r r, r w r, w w r
    correct = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    fixed, wrong = (part.sum(axis=0) for part in metrics.wrong_to_right(correct))
    np.testing.assert_array_equal(fixed, [1, 2])
    np.testing.assert_array_equal(wrong, [2, 2])
    broken, right = (part.sum(axis=0) for part in metrics.right_to_wrong(correct))
    np.testing.assert_array_equal(broken, [1, 0])
    np.testing.assert_array_equal(right, [1, 1])
