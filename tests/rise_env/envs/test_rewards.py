from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.rewards import SCHEMES, Rewards, delay_gain, get_rewards
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.types import CheckResult, Verdict
from tests.rise_env.conftest import SUMS

OTHERS = [verdict for verdict in Verdict if verdict is not Verdict.CORRECT]


def total(rewards: Rewards, verdicts: tuple[Verdict, ...], *, stop: bool) -> float:
    """Return of an episode with these verdicts."""
    earned = 0.0
    for turn, verdict in enumerate(verdicts):
        earned += rewards(CheckResult(verdict), turn)
        if stop and verdict is Verdict.CORRECT:
            break
    return earned


RECORDS = {name: rewards for name, rewards in SCHEMES.items() if isinstance(rewards, Rewards)}


@pytest.mark.parametrize("stop", [True, False], ids=["stops when correct", "plays on"])
@pytest.mark.parametrize("scheme", RECORDS)
def test_answering_right_now_is_never_worse_than_delaying(scheme: str, stop: bool) -> None:
    rewards = RECORDS[scheme]
    for verdicts in product(Verdict, repeat=4):
        for turn in range(4):
            now = (*verdicts[:turn], Verdict.CORRECT, *verdicts[turn + 1 :])
            if stop and Verdict.CORRECT in verdicts[:turn]:
                continue
            assert total(rewards, now, stop=stop) >= total(rewards, verdicts, stop=stop) - 1e-12


@pytest.mark.parametrize("scheme", RECORDS)
@pytest.mark.parametrize("max_turns", [1, 2, 5, 20])
def test_no_shipped_scheme_pays_for_delay(scheme: str, max_turns: int) -> None:
    assert delay_gain(RECORDS[scheme], max_turns) <= 0


def test_paying_for_well_formed_wrong_answers_is_seen_as_farming() -> None:
    # a peer pays 0.04 per wrong but well-formed turn, so that solving on turn 3 returns 1.08 and not 1.00
    assert delay_gain(Rewards(wrong=0.04), 3) == pytest.approx(0.08)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 1), st.integers(1, 5))
def test_the_delay_gain_is_the_best_that_any_delay_earns(
    correct: float, wrong: float, no_answer: float, discount: float, turns: int
) -> None:
    if correct < max(wrong, no_answer):
        with pytest.raises(ConfigError, match="must be worth at least as much"):
            Rewards(correct=correct, wrong=wrong, no_answer=no_answer)
        return
    rewards = Rewards(correct=correct, wrong=wrong, no_answer=no_answer, discount=discount)
    kinds = (Verdict.WRONG, Verdict.NO_ANSWER)
    delayed = [
        total(rewards, (*fillers, Verdict.CORRECT), stop=True)
        for delay in range(1, turns)
        for fillers in product(kinds, repeat=delay)
    ]
    idle = [total(rewards, fillers, stop=True) for fillers in product(kinds, repeat=turns)]
    best = max([*delayed, *idle]) - rewards.correct
    assert delay_gain(rewards, turns) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    ("verdict", "gsm8k", "math"),
    [
        (Verdict.CORRECT, 1, 1),
        (Verdict.WRONG, 0, 0),
        (Verdict.TIMEOUT, 0, 0),
        (Verdict.NO_ANSWER, -1, 0),
        (Verdict.UNREADABLE, -1, 0),
    ],
)
def test_the_papers_schemes(verdict: Verdict, gsm8k: float, math: float) -> None:
    assert SCHEMES["gsm8k"](CheckResult(verdict), 3) == gsm8k
    assert SCHEMES["math"](CheckResult(verdict), 3) == math


def test_a_discount_shrinks_later_turns() -> None:
    rewards = Rewards(discount=0.5)
    assert [rewards(CheckResult(Verdict.CORRECT), turn) for turn in range(3)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(
    "value", ["gsm8k", Rewards(), (1, 0, -1), {"correct": 1.0, "no_answer": -1.0}], ids=str
)
def test_a_scheme_can_be_said_in_several_ways(value: Any) -> None:
    assert get_rewards(value) == Rewards()


@pytest.mark.parametrize(("rewards", "earned"), [("paper", [0.0, 0.0, 1.0]), ("gsm8k", [-1.0, 0.0, 1.0])])
def test_the_reward_of_the_paper_is_zero_without_a_readable_answer_and_that_of_the_release_is_minus_one(
    rewards: str, earned: list[float]
) -> None:
    replies = ["I do not know.", r"\boxed{8}", r"\boxed{7}"]
    env = MathEnv(SUMS, NumericChecker(), rewards=rewards)
    env.reset(options={"index": 3})
    assert [env.step(reply)[1] for reply in replies] == earned
    batch = MathVectorEnv(SUMS[3:4], NumericChecker(), num_envs=1, rewards=rewards)
    batch.reset()
    assert [float(batch.step([reply])[1][0]) for reply in replies] == earned


@pytest.mark.parametrize("how", ["as an argument", "as an entry of the table"])
def test_a_reward_can_be_a_function_of_check_and_turn(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_time(check: CheckResult, turn: int) -> float:
        return 1.0 if check.correct and turn < 2 else -turn

    monkeypatch.setattr("rise_env.envs.rewards.SCHEMES", {**SCHEMES, "in_time": in_time})
    rewards: Any = in_time if how == "as an argument" else "in_time"
    env = MathEnv(SUMS, NumericChecker(), rewards=rewards, max_turns=4, stop_when_correct=False)
    env.reset(options={"index": 3})
    assert env.reward(CheckResult(Verdict.CORRECT)) == 1.0
    assert [env.step(reply)[1] for reply in ("hm", r"\boxed{7}", r"\boxed{7}", "hm")] == [0, 1, -2, -3]
    batch = MathVectorEnv(SUMS[3:4], NumericChecker(), num_envs=1, rewards=rewards)
    batch.reset()
    assert [float(batch.step([reply])[1][0]) for reply in ("hm", "hm", r"\boxed{7}")] == [0, -1, -2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("gsm8", "no reward scheme 'gsm8'; did you mean 'gsm8k'"),
        ({"corect": 1.0}, "no field of rewards 'corect'; did you mean 'correct'"),
        ((1, 0), "three numbers"),
        ({"correct": -5.0}, "at least as much as a wrong"),
        ({"discount": 0.0}, r"discount must be in \(0, 1\], got 0.0"),
    ],
    ids=str,
)
def test_a_scheme_that_makes_no_sense_says_why(value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        get_rewards(value)
