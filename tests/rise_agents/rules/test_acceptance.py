import numpy as np
import pytest

from rise_agents.rules.acceptance import Test, decide, score_of
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Verdict

NONE, ALL = np.zeros(20), np.ones(20)


def accepted(old: list[float], new: list[float], batch: int, test: Test) -> bool:
    return decide(np.array(old, float), np.array(new, float), batch, accept=test, confidence=0.9).accepted


def test_equal_books_have_the_probability_one_half_and_no_test_accepts_them() -> None:
    mixed = np.array([0.0, 0.25, 1.0] * 8)
    for test in ("bootstrap", "mean", "strict"):
        decision = decide(mixed, mixed, 8, accept=test, confidence=0.6)  # type: ignore[arg-type]
        assert not decision.accepted
        assert decision.probability == pytest.approx(0.5)


def test_a_clear_gain_is_accepted_and_a_clear_loss_is_not() -> None:
    better = decide(NONE, ALL, 8, accept="bootstrap", confidence=0.99)
    assert better.accepted
    assert (better.old, better.new) == (0, 1)
    worse = decide(ALL, NONE, 8, accept="bootstrap", confidence=0.6)
    assert not worse.accepted
    assert worse.probability < 0.01


def test_one_better_problem_among_two_worse_ones_is_refused_by_the_bootstrap() -> None:
    old, new = np.zeros(58), np.zeros(58)
    new[0], old[10], old[11] = 1, 1, 1
    assert not decide(old, new, 8, accept="bootstrap", confidence=0.9).accepted


def test_one_problem_is_enough_to_compare() -> None:
    assert accepted([0], [1], 1, "bootstrap")
    assert not accepted([1], [1], 1, "bootstrap")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([0, 0, 1, 1], [1, 0, 1, 1], {"mean": True, "strict": True}),
        ([0, 0, 1, 1], [1, 0, 1, 0], {"mean": False, "strict": True}),
        ([0, 0, 1, 0], [0, 0, 1, 1], {"mean": True, "strict": False}),
        ([1, 0, 0, 0], [0, 0, 1, 1], {"mean": False, "strict": False}),
    ],
)
def test_mean_lets_neither_part_fall_and_strict_reads_the_batch_alone(
    old: list[float], new: list[float], expected: dict[Test, bool]
) -> None:
    for test, wanted in expected.items():
        assert accepted(old, new, 2, test) is wanted


def test_a_useless_rule_is_accepted_seldom_and_against_recorded_failures_mostly() -> None:
    """The reason for playing the old book again; see section B.3 of the specification."""
    draws = np.random.default_rng(0)
    rates = draws.beta(1.05, 1.95, size=(100, 58))
    old, new = (draws.binomial(4, rates) / 4 for _ in range(2))
    recorded = old.copy()
    recorded[:, :8] = 0
    shares = [
        np.mean(
            [
                decide(a, b, 8, accept="bootstrap", confidence=0.9).accepted
                for a, b in zip(base, new, strict=True)
            ]
        )
        for base in (old, recorded)
    ]
    assert shares[0] < 0.2
    assert shares[1] > 0.3


def test_episodes_are_scored_by_their_first_reply_their_turns_or_the_turn_of_success() -> None:
    def episode(*right: bool, error: str | None = None) -> Trajectory:
        checks = [CheckResult(Verdict.CORRECT if one else Verdict.WRONG) for one in right]
        turns = [
            Turn(observation=(), attempts=(Attempt(agent="a", reply="", check=c, reward=0),)) for c in checks
        ]
        problem = Problem(id="p", question="?", reference="1")
        return Trajectory(id="e", problem=problem, turns=tuple(turns), seed=0, error=error)

    late = episode(False, True)
    assert [score_of(late, kind, 4) for kind in ("first", "turns", "discounted")] == [0, 0.75, 0.9]  # type: ignore[arg-type]
    assert score_of(episode(True), "first", 4) == score_of(episode(True), "turns", 4) == 1
    assert score_of(episode(False, False, False, False), "discounted", 4) == 0
    assert score_of(episode(True, error="gone"), "first", 4) == 0
    assert score_of(episode(), "turns", 4) == 0
