from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import ConfigError
from rise_env.metrics.budgets.equal_budget import at_draws, draws_for, spent
from rise_env.metrics.budgets.equal_row import ScoredDraws, equal_row
from rise_env.metrics.policy_results import PolicyResults, policy_results
from rise_env.metrics.reply_arrays import Replies, by_draw, by_turn
from rise_env.types import Trajectory, Usage
from tests.rise_env.episodes import parallel, sequential


def with_usage(episode: Trajectory, usage: Usage, scores: tuple[float, ...] = ()) -> Trajectory:
    """Return an episode whose attempts have this usage, and these scores in their order."""
    given = iter(scores)
    turns = tuple(
        replace(turn, attempts=tuple(replace(a, usage=usage, score=next(given, None)) for a in turn.attempts))
        for turn in episode.turns
    )
    return replace(episode, turns=turns)


def test_budgets_count_tokens_uncached_tokens_and_calls() -> None:
    usage = Usage(prompt_tokens=100, completion_tokens=7, cached_tokens=60, calls=3)
    replies = by_turn([with_usage(sequential("2", "3"), usage), sequential("2")], 2)
    assert spent(replies, "generated").tolist() == [[7, 7], [10, 0]]
    assert spent(replies, "total").tolist() == [[47, 47], [110, 0]]
    assert spent(replies, "calls").tolist() == [[3, 3], [1, 0]]
    with pytest.raises(ConfigError, match="did you mean 'total'"):
        spent(replies, "totals")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("budget", "draws"),
    [(5, 1.0), (10, 1.0), (15, 1.5), (20, 2.0), (35, 2.5), (50, 3.0), (100, 6.0)],
)
def test_the_number_of_draws_of_a_budget(budget: float, draws: float) -> None:
    # the first draw costs 10, the second 10, the third 30; beyond them 50 / 3 each
    assert draws_for(np.array([10.0, 20.0, 50.0]), budget) == pytest.approx(draws)


@given(costs=st.lists(st.floats(1, 50), min_size=1, max_size=8), share=st.floats(0, 1))
def test_the_draws_of_a_budget_cost_this_budget(costs: list[float], share: float) -> None:
    sums = np.cumsum(costs)
    budget = float(sums[0] + share * (sums[-1] - sums[0]))
    number = draws_for(sums, budget)
    assert 1 <= number <= len(costs) + 1e-9
    cost = np.interp(number, np.arange(1, len(costs) + 1), sums)
    assert cost == pytest.approx(budget)


def test_draws_without_a_cost_are_refused() -> None:
    with pytest.raises(ConfigError, match="cost above 0"):
        draws_for(np.array([0.0, 1.0]), 1)


def test_scores_between_two_numbers_of_draws_are_interpolated_problem_by_problem() -> None:
    scores = {1: np.array([0.0, 1.0]), 2: np.array([1.0, 0.5])}
    assert at_draws(scores.__getitem__, 1.25).tolist() == [0.25, 0.875]
    assert at_draws(scores.__getitem__, 2.0).tolist() == [1.0, 0.5]


def searched(tokens: int) -> PolicyResults:
    """Right on both problems, with this many generated tokens."""
    usage = Usage(prompt_tokens=100, completion_tokens=tokens, calls=4)
    turns = [with_usage(sequential("2", problem=problem), usage) for problem in "ab"]
    draws = [parallel("2", problem=problem) for problem in "ab"]
    return policy_results([by_turn(turns, 1)], [by_draw(draws, 1)])


def draws(*scores: tuple[float, ...]) -> Replies:
    answers = {"a": ("3", "2", "3", "3"), "b": ("2", "2", "3", "2")}
    rows = zip(answers.items(), scores or ((), ()), strict=True)
    episodes = (
        with_usage(parallel(*said, problem=problem), Usage(completion_tokens=10), own)
        for (problem, said), own in rows
    )
    return by_draw(episodes, 4)


def base() -> PolicyResults:
    turns = by_turn([sequential("3", problem="a"), sequential("2", problem="b")], 1)
    return policy_results([turns], [draws()])


def test_a_row_is_compared_with_draws_that_cost_as_much() -> None:
    row = equal_row("mcts", searched(tokens=25), base(), "generated")
    assert (row["generated"], row["read"], row["calls"]) == (25, 100, 4)
    majority = row["choices"]["majority"]
    # problem a: half at 2 draws (a tie), 0 at 3; b: 1 and 1; the budget is 2.5 draws
    assert majority["draws"] == 2.5
    assert majority["score"]["mean"] == pytest.approx((0.25 + 1) / 2)
    assert row["gain"]["mean"] == pytest.approx(1 - 0.625)
    assert row["gain"]["over"] == "majority"
    assert row["choices"].keys() == {"majority"}


def test_scores_of_draws_give_best_of_n_at_the_cost_of_draws_and_ratings() -> None:
    scored = draws((0.1, 0.9, 0.2, 0.3), (0.9, 0.8, 0.1, 0.2))
    free = equal_row("mcts", searched(tokens=20), base(), "generated", ScoredDraws("v", (scored,)))
    assert free["choices"]["best of n"] == {
        "draws": 2,
        "available": 4,
        "score": {"mean": 1, "low": 1, "high": 1},
    }
    assert free["choices"]["weighted vote"]["score"]["mean"] == 1
    assert free["gain"]["over"] == "best of n"
    rated = equal_row(
        "mcts", searched(tokens=20), base(), "generated", ScoredDraws("v", (scored,), (draws(),))
    )
    assert rated["choices"]["best of n"]["draws"] == 1
    assert rated["choices"]["best of n"]["score"]["mean"] == 0.5
    assert rated["choices"]["majority"] == free["choices"]["majority"]


def test_too_few_draws_have_no_score_and_say_how_many_are_needed() -> None:
    row = equal_row("mcts", searched(tokens=95), base(), "generated")
    assert row["choices"]["majority"] == {"draws": 9.5, "available": 4, "score": None}
    assert row["gain"] is None


def test_a_row_on_other_problems_is_refused() -> None:
    other = policy_results(
        [by_turn([sequential("2", problem="c")], 1)], [by_draw([parallel("2", problem="c")], 1)]
    )
    with pytest.raises(ConfigError, match="other problems or seeds"):
        equal_row("mcts", other, base(), "generated")
