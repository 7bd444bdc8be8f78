import json

import pytest

from rise_env.errors import ConfigError
from rise_env.metrics.policy_results import PolicyResults, policy_results
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.metrics.report_row import row
from rise_env.metrics.report_values import percent
from rise_env.types import Trajectory
from tests.rise_env.episodes import parallel, sequential

# two problems, three turns, three samples
RUN = [sequential("1", "2", "2", problem="p"), sequential("2", "3", "4", problem="q")]
DRAWS = [parallel("2", "2", "3", problem="p"), parallel("3", "2", "2", problem="q")]


def of(runs: list[list[Trajectory]], draws: list[list[Trajectory]], width: int = 3) -> PolicyResults:
    return policy_results([by_turn(run, width) for run in runs], [by_draw(draw, width) for draw in draws])


def means(estimates: list[dict[str, float]]) -> list[float]:
    return [pytest.approx(value["mean"], abs=1e-6) for value in estimates]


def test_a_row_worked_out_by_hand() -> None:
    table = row("base", of([RUN], [DRAWS]))
    assert table["m1@t1"]["mean"] == 0.5
    assert table["m3@t1"]["mean"] == 1.0
    assert table["m1@t3"]["mean"] == pytest.approx((1 + 1 / 3) / 2, abs=1e-6)
    assert table["p1@t3"]["mean"] == 1.0
    assert means(table["accuracy_by_turn"]) == [0.5, 0.5, 0.5]
    assert means(table["wrong_to_right_by_turn"]) == [1.0, 0.0]
    assert means(table["right_to_wrong_by_turn"]) == [1.0, 0.0]
    assert table["t3 - t1"]["mean"] == 0.0
    assert table["m1@t3 - m3@t1"]["mean"] == pytest.approx(-1 / 3, abs=1e-6)


def test_curves_over_turns_and_draws_worked_out_by_hand() -> None:
    table = row("base", of([RUN], [DRAWS]))
    # p: 0, tie of two, 1; q: 1, tie of two, tie of three
    assert means(table["majority_by_turn"]) == [0.5, 0.5, (1 + 1 / 3) / 2]
    assert means(table["any_by_turn"]) == [0.5, 1.0, 1.0]
    assert means(table["majority_by_samples"]) == [0.5, 0.75, 1.0]
    # 2 of 3 right in both
    assert means(table["pass_at_k"]) == [2 / 3, 1.0, 1.0]
    assert means(table["transitions_by_turn"]["right to wrong"]) == [0.5, 0.0]
    assert means(table["transitions_by_turn"]["wrong to wrong"]) == [0.0, 0.5]


def test_what_turns_do_worked_out_by_hand() -> None:
    table = row("base", of([RUN], [DRAWS]))
    assert table["distinct_answers"]["mean"] == pytest.approx(5 / 6, abs=1e-6)
    assert table["repeats"]["mean"] == 0.0
    assert table["format_failures"]["mean"] == 0.0
    # at turn 1 half are right, all wrong ones get right and all right ones wrong: it does not pay
    assert table["break_even_by_turn"][0] == {"ratio": 1.0, "needed": 1.0}


def test_costs_worked_out_by_hand() -> None:
    cost = row("base", of([RUN], [DRAWS]))["cost"]
    assert cost["sequential"] == {
        "generations": [1.0, 2.0, 3.0], "generated": [10.0, 20.0, 30.0], "read": [100.0, 200.0, 300.0],
    }  # fmt: skip
    assert cost["parallel"]["generated"] == [10.0, 20.0, 30.0]
    # m1@t1 solves one with 20 tokens; an oracle stops p after two turns and q after one
    assert cost["tokens_per_solved"] == {"m1@t1": 20.0, "m3@t1": 30.0, "m1@t3": 45.0, "p1@t3": 15.0}


def test_the_unsolved_are_those_that_many_draws_do_not_solve() -> None:
    runs = [sequential("1", "2", problem="p"), sequential("2", "2", problem="q")]
    draws = [parallel("1", "1", "2", "1", problem="p"), parallel("1", "2", "2", "2", problem="q")]
    table = policy_results([by_turn(runs, 2)], [by_draw(draws, 4)])
    first, second = row("base", table)["unsolved"]
    assert (first["k"], first["draws"], first["problems"]) == (1, 2, 1)
    assert (first["m1"]["mean"], first["p1"]["mean"]) == (0.5, 1.0)
    assert (second["draws"], second["problems"], second["m1"]["mean"]) == (4, 0, None)


def test_a_single_draw_never_stands_in_the_column_of_the_first_turn() -> None:
    runs = [sequential("1", "2", problem="p", tokens=5), sequential("1", "2", problem="q", tokens=5)]
    draws = [parallel("2", problem="p"), parallel("2", problem="q")]
    table = row("base", policy_results([by_turn(runs, 2)], [by_draw(draws, 1)]))
    assert table["m1@t1"]["mean"] == 0.0
    assert table["m1@t2 - m1@t1"]["mean"] == 0.5  # a tie of two
    assert table["cost"]["tokens_per_solved"]["m1@t1"] is None
    assert table["pass_at_k"][0]["mean"] == table["majority_by_samples"][0]["mean"] == 1.0


def test_further_protocols_have_rows_of_their_own() -> None:
    stopped = [sequential("1", "2", problem="p"), sequential("2", problem="q")]
    found = policy_results([by_turn(RUN, 3)], [by_draw(DRAWS, 3)], {"oracle": [by_turn(stopped, 3)]})
    table = row("base", found)["protocols"]["oracle"]
    assert table["p1@t3"]["mean"] == 1.0
    assert table["generated_tokens"]["mean"] == 15.0


def test_gains_are_paired_by_problem_whatever_the_order_of_the_log() -> None:
    base = of([RUN], [DRAWS])
    table = row("again", of([RUN[::-1]], [DRAWS[::-1]]), base)
    assert table["gain m1@t1"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert table["gain m1@t3"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert table["p m1@t1"] == 1.0
    assert table["mcnemar m1@t1"] == {"only_before": 0, "only_after": 0, "p": 1.0}


def test_a_rate_of_nothing_is_null_in_json_and_a_dash_in_text() -> None:
    never = [sequential("1", "1")]
    table = row("base", policy_results([by_turn(never, 2)], [by_draw([parallel("1")], 1)]))
    assert table["right_to_wrong_by_turn"][0]["mean"] is None
    assert percent(table["right_to_wrong_by_turn"][0]) == "–"
    json.dumps(table, allow_nan=False)


def test_percent_gives_the_half_width() -> None:
    assert percent({"mean": 0.4733, "low": 0.44, "high": 0.5}) == "47.3 ± 3.0"


def test_logs_of_different_problems_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="same problems"):
        of([RUN], [DRAWS[:1]])
    with pytest.raises(ConfigError, match="same problems"):
        of([RUN, [RUN[0], RUN[0]]], [DRAWS, DRAWS])
    with pytest.raises(ConfigError, match="at least one problem, got 0 and 0 logs"):
        policy_results([], [])
    with pytest.raises(ConfigError, match="every seed"):
        policy_results([by_turn(RUN, 3)], [by_draw(DRAWS, 3)], {"oracle": []})


def test_rows_of_different_seeds_are_not_compared() -> None:
    base = of([RUN], [DRAWS])
    twice = of([RUN, RUN], [DRAWS, DRAWS])
    with pytest.raises(ConfigError, match="other problems or seeds"):
        row("twice", twice, base)
