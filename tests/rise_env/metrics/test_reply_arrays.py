from dataclasses import replace

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_env.metrics.reply_arrays import VERDICTS, by_draw, by_turn
from rise_env.types import Attempt, CheckResult, Trajectory, Turn, Usage, Verdict
from tests.rise_env.episodes import attempt, parallel, posed, sequential


def test_an_episode_that_ended_early_fills_its_row_with_nothing() -> None:
    table = by_turn([sequential("3", "2"), sequential("2", "3", "2", "9")], 3)
    assert table.given.tolist() == [[True, True, False], [True, True, True]]
    assert table.correct.tolist() == [[False, True, False], [True, False, True]]
    assert table.tokens.tolist() == [[10, 10, 0], [10, 10, 10]]
    assert table.verdict[0, 2] == -1
    assert table.answer[0, 2] == 0


def test_the_same_answer_has_the_same_number_in_every_episode() -> None:
    table = by_turn([sequential("3", "$3"), sequential("4", " 3 ")], 2)
    assert table.answer[0, 0] == table.answer[0, 1] == table.answer[1, 1] != table.answer[1, 0]
    assert table.answer.min() > 1


@pytest.mark.parametrize("verdict", [Verdict.NO_ANSWER, Verdict.UNREADABLE])
def test_an_answer_nobody_can_read_casts_no_vote(verdict: Verdict) -> None:
    reply = Attempt(agent="a", reply="?", check=CheckResult(verdict, "??"), reward=0.0)
    turns = (Turn(observation=(), attempts=(reply,)),)
    table = by_turn([Trajectory(id="t", problem=posed("p"), turns=turns, seed=0)], 1)
    assert table.answer.tolist() == [[0]]
    assert VERDICTS[table.verdict[0, 0]] is verdict
    assert table.given.all()


def test_turns_are_the_replies_that_the_episode_went_on_with() -> None:
    turn = Turn(observation=(), attempts=(attempt("3"), attempt("2")), chosen=1)
    episode = Trajectory(id="t", problem=posed("p"), turns=(turn,), seed=0)
    assert by_turn([episode], 1).correct.tolist() == [[True]]
    assert by_draw([episode], 2).correct.tolist() == [[False, True]]


def test_draws_of_an_episode_that_failed_at_once_are_not_given() -> None:
    table = by_draw([sequential(), parallel("2", "3")], 2)
    assert table.given.tolist() == [[False, False], [True, True]]


def test_episodes_are_put_in_the_order_of_the_problems() -> None:
    table = by_turn([sequential("3", problem="b"), sequential("2", problem="a")], 1).in_order(["a", "b"])
    assert table.problems == ("a", "b")
    assert table.correct.tolist() == [[True], [False]]
    with pytest.raises(ConfigError, match="same problems"):
        table.in_order(["a", "c"])
    with pytest.raises(ConfigError, match="same problems"):
        by_turn([sequential("2"), sequential("2")], 1).in_order(["p"])


def test_parts_of_a_table_keep_its_rows() -> None:
    table = by_turn([sequential("1", "2", "3", "2")], 4)
    assert table.first(2).correct.tolist() == [[False, True]]
    assert table.every(2).correct.tolist() == [[False, False]]
    assert table.every(2).tokens.tolist() == [[10, 20]]  # with what was said in between
    with pytest.raises(ConfigError, match="first 5 replies: the episodes have 4"):
        table.first(5)
    with pytest.raises(ConfigError, match="at least one"):
        by_turn([], 0)


def test_cached_tokens_calls_and_scores_are_read_and_summed_over_replies_in_between() -> None:
    usage = Usage(prompt_tokens=9, completion_tokens=5, cached_tokens=4, calls=3)
    several = replace(attempt("2"), usage=usage, score=0.5)
    turns = tuple(Turn(observation=(), attempts=(one,)) for one in (several, attempt("3"), several))
    table = by_turn([Trajectory(id="t", problem=posed("p"), turns=turns, seed=0)], 4)
    assert table.cached_tokens.tolist() == [[4, 0, 4, 0]]
    assert table.calls.tolist() == [[3, 1, 3, 0]]
    np.testing.assert_array_equal(table.score, [[0.5, np.nan, 0.5, np.nan]])
    kept = table.every(2)
    assert kept.cached_tokens.tolist() == [[4, 4]]
    assert kept.calls.tolist() == [[3, 4]]
    np.testing.assert_array_equal(kept.score, [[0.5, 0.5]])


def test_some_replies_of_the_middle_are_taken_by_their_numbers() -> None:
    table = by_turn([sequential("1", "2", "3"), sequential("2")], 3)
    assert table.between(2, 3).correct.tolist() == [[True, False], [False, False]]
    assert table.between(2, 2).given.tolist() == [[True], [False]]
    with pytest.raises(ConfigError, match="replies 3 to 4: the episodes have 3"):
        table.between(3, 4)
