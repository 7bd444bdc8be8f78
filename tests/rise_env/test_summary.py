import json

import pytest

from rise_env.errors import ConfigError
from rise_env.summary import outcomes, percent, row
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Verdict


def attempt(answer: str) -> Attempt:
    check = CheckResult(Verdict.CORRECT if answer == "2" else Verdict.WRONG, answer)
    return Attempt(agent="a", reply=answer, check=check, reward=float(check.correct))


def posed(problem: str) -> Problem:
    return Problem(id=problem, question="", reference="2")


def sequential(problem: str, *answers: str) -> Trajectory:
    turns = tuple(Turn(observation=(), attempts=(attempt(a),)) for a in answers)
    return Trajectory(id=problem, problem=posed(problem), turns=turns, seed=0)


def parallel(problem: str, *answers: str) -> Trajectory:
    turn = Turn(observation=(), attempts=tuple(map(attempt, answers)))
    return Trajectory(id=problem, problem=posed(problem), turns=(turn,), seed=0)


# two problems, three turns, three samples
RUN = [sequential("p", "1", "2", "2"), sequential("q", "2", "3", "4")]
DRAWS = [parallel("p", "2", "2", "3"), parallel("q", "3", "3", "2")]


def test_a_row_worked_out_by_hand() -> None:
    table = row("base", outcomes([RUN], [DRAWS], turns=3, samples=3))
    assert table["m1@t1"]["mean"] == 0.5
    assert table["m3@t1"]["mean"] == 0.5
    assert table["m1@t3"]["mean"] == pytest.approx((1 + 1 / 3) / 2, abs=1e-6)
    assert table["p1@t3"]["mean"] == 1.0
    assert [turn["mean"] for turn in table["accuracy_by_turn"]] == [0.5, 0.5, 0.5]
    assert [turn["mean"] for turn in table["wrong_to_right_by_turn"]] == [1.0, 0.0]
    assert [turn["mean"] for turn in table["right_to_wrong_by_turn"]] == [1.0, 0.0]
    assert table["t3 - t1"]["mean"] == 0.0
    assert table["m1@t3 - m3@t1"]["mean"] == pytest.approx(1 / 6, abs=1e-6)


def test_gains_are_paired_by_problem_whatever_the_order_of_the_log() -> None:
    base = outcomes([RUN], [DRAWS], turns=3, samples=3)
    shuffled = outcomes([RUN[::-1]], [DRAWS[::-1]], turns=3, samples=3)
    table = row("again", shuffled, base)
    assert table["gain m1@t1"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert table["gain m1@t3"] == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_a_rate_of_nothing_is_null_in_json_and_a_dash_in_text() -> None:
    never = [sequential("p", "1", "1")]
    table = row("base", outcomes([never], [[parallel("p", "1")]], turns=2, samples=1))
    assert table["right_to_wrong_by_turn"][0]["mean"] is None
    assert percent(table["right_to_wrong_by_turn"][0]) == "–"
    json.dumps(table, allow_nan=False)


def test_percent_gives_the_half_width() -> None:
    assert percent({"mean": 0.4733, "low": 0.44, "high": 0.5}) == "47.3 ± 3.0"


def test_logs_of_different_problems_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="same problems"):
        outcomes([RUN], [DRAWS[:1]], turns=3, samples=3)
    with pytest.raises(ConfigError, match="same problems"):
        outcomes([RUN, [RUN[0], RUN[0]]], [DRAWS, DRAWS], turns=3, samples=3)
    with pytest.raises(ConfigError, match="nothing"):
        outcomes([], [], turns=3, samples=3)


def test_rows_of_different_seeds_are_not_compared() -> None:
    base = outcomes([RUN], [DRAWS], turns=3, samples=3)
    twice = outcomes([RUN, RUN], [DRAWS, DRAWS], turns=3, samples=3)
    with pytest.raises(ConfigError, match="other problems or seeds"):
        row("twice", twice, base)
