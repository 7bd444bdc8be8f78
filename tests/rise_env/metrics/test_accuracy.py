import math
from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import ConfigError
from rise_env.metrics import accuracy
from rise_env.metrics.reply_arrays import by_draw, by_turn
from tests.rise_env.episodes import RIGHT, parallel, sequential

ANSWERS = st.sampled_from([RIGHT, "3", "4", "5", None])
ROWS = st.lists(st.lists(ANSWERS, min_size=4, max_size=4), min_size=1, max_size=6)


def voted(answers: list[str | None]) -> float:
    """The majority rule once more, with a counter and lots drawn among the leading answers."""
    votes = Counter(a for a in answers if a is not None)
    leading = [a for a, n in votes.items() if n == max(votes.values())]
    return sum(a == RIGHT for a in leading) / len(leading) if leading else 0.0


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
    count = len(answers)
    assert accuracy.m1_at_tt(by_turn([sequential(*answers)], count), count) == pytest.approx(expected)
    assert accuracy.mk_at_t1(by_draw([parallel(*answers)], count), count) == pytest.approx(expected)


@given(ROWS)
def test_majorities_agree_with_counting_one_episode_at_a_time(rows: list[list[str | None]]) -> None:
    table = by_turn([sequential(*row) for row in rows], 4)
    for turns in (1, 2, 3, 4):
        expected = [voted(row[:turns]) for row in rows]
        np.testing.assert_allclose(accuracy.m1_at_tt(table, turns), expected)


@given(ROWS, st.integers(1, 4))
def test_pass_at_k_is_the_mean_over_all_choices_of_k_draws(rows: list[list[str | None]], k: int) -> None:
    table = by_draw([parallel(*row) for row in rows], 4)
    expected = [np.mean([any(a == RIGHT for a in some) for some in combinations(row, k)]) for row in rows]
    np.testing.assert_allclose(accuracy.pass_at_k(table, k), expected)


def test_pass_at_k_worked_out_by_hand() -> None:
    # 2 of 5 right: pass@1 = 2/5, pass@2 = 1 - (3*2)/(5*4) = 0.7, pass@4 = 1
    table = by_draw([parallel("2", "3", "2", "4", None)], 5)
    values = [float(accuracy.pass_at_k(table, k)[0]) for k in (1, 2, 4)]
    assert values == pytest.approx([0.4, 0.7, 1.0])
    with pytest.raises(ConfigError, match="at least 6 draws"):
        accuracy.pass_at_k(table, 6)


def test_mk_counts_only_the_first_k_samples() -> None:
    table = by_draw([parallel("3", "2", "2")], 3)
    assert accuracy.mk_at_t1(table, 1) == 0.0
    assert accuracy.mk_at_t1(table, 3) == 1.0


def test_m1_at_t1_is_the_first_reply_alone() -> None:
    table = by_turn([sequential("3", "2", "2"), sequential("2", "3", "3"), sequential()], 3)
    assert accuracy.m1_at_t1(table).tolist() == [0.0, 1.0, 0.0]


def test_p1_is_any_turn_within_the_limit() -> None:
    table = by_turn([sequential("3", "4", "2")], 3)
    assert accuracy.p1_at_tt(table, 2) == 0.0
    assert accuracy.p1_at_tt(table, 3) == 1.0


def test_turns_that_were_not_reached_count_as_wrong() -> None:
    np.testing.assert_array_equal(accuracy.correct_by_turn(sequential("2"), 3), [1, 0, 0])
    assert accuracy.mk_at_t1(by_draw([sequential()], 5), 5) == 0.0


# three episodes of three turns: w r r, r w r, w w r
CORRECT = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])


def test_flip_rates_of_a_worked_case() -> None:
    fixed, wrong = (part.sum(axis=0) for part in accuracy.wrong_to_right(CORRECT))
    np.testing.assert_array_equal(fixed, [1, 2])
    np.testing.assert_array_equal(wrong, [2, 2])
    broken, right = (part.sum(axis=0) for part in accuracy.right_to_wrong(CORRECT))
    np.testing.assert_array_equal(broken, [1, 0])
    np.testing.assert_array_equal(right, [1, 1])


def test_the_four_transitions_of_a_worked_case() -> None:
    found = {name: part.sum(axis=0).tolist() for name, part in accuracy.transitions(CORRECT).items()}
    assert found == {
        "right to right": [0, 1],
        "right to wrong": [1, 0],
        "wrong to right": [1, 2],
        "wrong to wrong": [1, 0],
    }


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=5))
def test_transitions_share_out_every_step_and_agree_with_pairs(rows: list[list[bool]]) -> None:
    found = accuracy.transitions(np.array(rows, dtype=float))
    pairs = Counter((a, b) for row in rows for a, b in pairwise(row))
    names = {True: "right", False: "wrong"}
    for before in (True, False):
        for after in (True, False):
            count = found[f"{names[before]} to {names[after]}"].sum()
            assert count == pairs[before, after]
    np.testing.assert_array_equal(sum(found.values()), np.ones((len(rows), 4)))


def test_a_lift_is_paired() -> None:
    assert accuracy.lift(np.array([1.0, 0.5]), np.array([0.0, 1.0])).tolist() == [1.0, -0.5]
    with pytest.raises(ConfigError, match="need the same shape"):
        accuracy.lift(np.zeros(2), np.zeros(3))


def test_a_vote_among_many_draws_needs_no_table_of_pairs() -> None:
    answers = [RIGHT] * 400 + ["3"] * 399 + [None] * 200
    assert accuracy.mk_at_t1(by_draw([parallel(*answers)], 999), 999) == 1.0
    assert math.isclose(accuracy.pass_at_k(by_draw([parallel(*answers)], 999), 1)[0], 400 / 999)
