from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rise_env import metrics
from rise_env.errors import ConfigError
from rise_env.metrics.policy_results import policy_results
from rise_env.metrics.reply_arrays import by_draw, by_turn
from tests.rise_env.episodes import parallel, sequential

TURNS = by_turn([sequential("1", "2", "3", problem="p"), sequential("2", "2", "2", problem="q")], 3)
ONE_ROW, TWO_ROWS, FLAT = np.ones((1, 4)), np.ones((2, 4)), np.ones(4)

WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "majority of a vector": (lambda: metrics.majority(np.ones(3, int)), r"\[episodes, replies\].*\(3,\)"),
    "majority of floats": (lambda: metrics.majority(ONE_ROW), "integer dtype.*float64"),
    "flips of a number": (lambda: metrics.wrong_to_right(np.array(1.0)), r"correct.*shape \(\)"),
    "flips of bools": (lambda: metrics.right_to_wrong(ONE_ROW > 0), "float dtype.*bool"),
    "transitions of integers": (lambda: metrics.transitions(np.ones((2, 3), int)), "float dtype.*int64"),
    "lift of shapes that broadcast": (lambda: metrics.lift(TWO_ROWS, ONE_ROW), r"\(2, 4\) and \(1, 4\)"),
    "lift of a list": (lambda: metrics.lift([1.0], FLAT), "got a list"),  # type: ignore[arg-type]
    "bootstrap of a vector": (lambda: metrics.bootstrap(FLAT), r"values must.*\[seeds, problems\].*\(4,\)"),
    "bootstrap of texts": (lambda: metrics.bootstrap(np.array([["1"]])), "values must.*number dtype"),  # type: ignore[arg-type]
    "denominators that broadcast": (
        lambda: metrics.bootstrap(TWO_ROWS, ONE_ROW),
        r"\(2, 4\) and \(1, 4\)",
    ),
    "denominators of one seed": (lambda: metrics.bootstrap(TWO_ROWS, FLAT), r"of must.*\(4,\)"),
    "a level in percent": (lambda: metrics.bootstrap(ONE_ROW, level=95), "level.*95"),
    "no bootstrap draws": (lambda: metrics.paired_bootstrap(ONE_ROW, ONE_ROW, draws=0), "draw, got 0"),
    "pairs that broadcast": (lambda: metrics.paired_bootstrap(TWO_ROWS, ONE_ROW), r"\(2, 4\) and \(1, 4\)"),
    "pairs of vectors": (lambda: metrics.paired_bootstrap(FLAT, FLAT), r"first.*\(4,\)"),
    "pairs of integers": (lambda: metrics.paired_bootstrap(ONE_ROW, np.ones((1, 4), int)), "second.*int64"),
    "McNemar of several seeds": (
        lambda: metrics.mcnemar(TWO_ROWS, TWO_ROWS),
        r"first must.*\(2, 4\)",
    ),
    "McNemar of one value": (lambda: metrics.mcnemar(FLAT, np.ones(1)), r"\(4,\) and \(1,\)"),
    "rates in percent": (lambda: metrics.break_even(30.0, 0.1, 0.5), "fix_rate.*30"),
    "scores of another log": (lambda: metrics.tokens_per_solved(TURNS, np.ones(3)), r"\(3,\) and 2 episodes"),
    "a score per reply": (lambda: metrics.tokens_per_solved(TURNS, np.ones((2, 3))), r"\(2, 3\)"),
    "replies of another width": (lambda: replace(TURNS, answer=TURNS.answer[:, :1]), r"answer is \(2, 1\)"),
    "replies of other problems": (lambda: replace(TURNS, problems=("p",)), "1 problems"),
    "replies as floats": (lambda: replace(TURNS, tokens=TURNS.tokens * 1.0), "tokens.*float64"),
    "a reply mask of integers": (lambda: replace(TURNS, given=TURNS.answer), "given.*bool dtype"),
    "every 0th reply": (lambda: TURNS.every(0), "step must be at least 1"),
    "a turn that was not played": (lambda: metrics.accuracy_at_turn(TURNS, 4), "first 4 replies"),
    "seeds of different lengths": (
        lambda: policy_results(
            [by_turn([sequential("1")], 2), by_turn([sequential("1")], 3)],
            [by_draw([parallel("1")], 1)] * 2,
        ),
        r"\(1, 2\), \(1, 3\)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_shapes_and_dtypes_are_errors_that_name_them(name: str) -> None:
    function, message = WRONG[name]
    with pytest.raises(ConfigError, match=message):
        function()
