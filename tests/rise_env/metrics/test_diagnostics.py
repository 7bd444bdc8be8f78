import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.metrics import diagnostics
from rise_env.metrics.accuracy import p1_at_tt
from rise_env.metrics.reply_arrays import by_turn
from rise_env.types import Attempt, CheckResult, Trajectory, Turn, Verdict
from tests.rise_env.episodes import attempt, posed, sequential

ANSWERS = st.lists(st.sampled_from(["2", "3", "4", None]), min_size=4, max_size=4)


def rate(counts: tuple[object, object]) -> tuple[list[float], list[float]]:
    happened, of = counts
    return happened.tolist(), of.tolist()  # type: ignore[attr-defined]


def test_distinct_answers_of_a_worked_case() -> None:
    table = by_turn([sequential("3", "3", "2", None, "4"), sequential(None, None, None, None, None)], 5)
    assert rate(diagnostics.distinct_answers(table)) == ([3, 0], [4, 0])


@given(ANSWERS)
def test_distinct_answers_agree_with_a_set(answers: list[str | None]) -> None:
    table = by_turn([sequential(*answers)], 4)
    given_ = [a for a in answers if a is not None]
    assert rate(diagnostics.distinct_answers(table)) == ([len(set(given_))], [len(given_)])


def test_repeats_count_wrong_answers_given_again() -> None:
    # 3 3: repeated; 3 2: not; 2 2: right, no repeat of a failure; 2 None; None 4: no answer before
    table = by_turn([sequential("3", "3", "2", "2", None, "4")], 6)
    assert rate(diagnostics.repeats(table)) == ([1], [2])


@given(ANSWERS)
def test_repeats_agree_with_pairs_of_neighbours(answers: list[str | None]) -> None:
    pairs = [(a, b) for a, b in pairwise(answers) if a in ("3", "4")]
    table = by_turn([sequential(*answers)], 4)
    assert rate(diagnostics.repeats(table)) == ([sum(a == b for a, b in pairs)], [len(pairs)])


def test_verbatim_repeats_compare_texts_and_not_answers() -> None:
    texts = ["so 3", "so 3", "then 3", "so 3"]
    turns = tuple(Turn(observation=(), attempts=(attempt("3", reply=text),)) for text in texts)
    table = by_turn([Trajectory(id="t", problem=posed("p"), turns=turns, seed=0)], 5)
    assert rate(diagnostics.verbatim_repeats(table)) == ([1], [3])


def test_format_failures_are_counted_apart_from_timeouts_and_wrong_answers() -> None:
    checks = [
        CheckResult(Verdict.NO_ANSWER),
        CheckResult(Verdict.UNREADABLE, "x y"),
        CheckResult(Verdict.TIMEOUT, "9^9"),
        CheckResult(Verdict.WRONG, "3"),
    ]
    turns = tuple(
        Turn(observation=(), attempts=(Attempt(agent="a", reply="r", check=check, reward=0.0),))
        for check in checks
    )
    table = by_turn([Trajectory(id="t", problem=posed("p"), turns=turns, seed=0)], 5)
    assert rate(diagnostics.format_failures(table)) == ([2], [4])
    assert rate(diagnostics.timeouts(table)) == ([1], [4])


def test_length_and_tokens_per_solved_problem() -> None:
    table = by_turn([sequential("3", "2", tokens=30), sequential("3", "3", "3", tokens=10)], 3)
    assert rate(diagnostics.reply_length(table)) == ([60, 30], [2, 3])
    solved = p1_at_tt(table, 3)
    assert rate(diagnostics.tokens_per_solved(table, solved)) == ([60, 30], [1, 0])
    assert rate(diagnostics.tokens_per_solved(table, solved, prompts=True)) == ([260, 330], [1, 0])


@pytest.mark.parametrize(
    ("fix", "broken", "accuracy"), [(0.3, 0.1, 0.5), (0.1, 0.3, 0.5), (0.2, 0.1, 0.9), (0.5, 0.05, 0.9)]
)
def test_a_turn_pays_exactly_when_the_first_ratio_is_the_greater(
    fix: float, broken: float, accuracy: float
) -> None:
    gained, needed = diagnostics.break_even(fix, broken, accuracy)
    change = (1 - accuracy) * fix - accuracy * broken
    assert (gained > needed) == (change > 0)


def test_break_even_at_the_edges() -> None:
    assert diagnostics.break_even(0.3, 0.1, 0.6) == pytest.approx((3.0, 1.5))
    assert diagnostics.break_even(0.3, 0.0, 0.6)[0] == math.inf
    assert math.isnan(diagnostics.break_even(0.0, 0.0, 0.6)[0])
    assert diagnostics.break_even(0.3, 0.1, 1.0)[1] == math.inf
