from pathlib import Path

import pytest

from rise_env.checkers import equivalent
from rise_env.errors import ProblemError
from rise_env.types import Verdict

TABLE = Path(__file__).with_name("same_or_not.txt")
LINES = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
CASES = [(*line.rsplit(" | ", 1)[0].split(" | ", 1), line[-1]) for line in LINES]


@pytest.mark.parametrize(("reference", "answer", "same"), CASES, ids=LINES)
def test_the_same_object_counts_and_nothing_else(reference: str, answer: str, same: str) -> None:
    assert equivalent(answer, reference, timeout=20.0).correct == (same == "+")


@pytest.mark.parametrize("reference", ["", "  ", "$$", r"\boxed{}", "nan", "?!"])
def test_a_reference_that_is_no_answer_is_an_error_that_quotes_it(reference: str) -> None:
    with pytest.raises(ProblemError, match="the reference answer"):
        equivalent("5", reference)


def test_an_empty_answer_is_no_answer() -> None:
    assert equivalent(r"\text{}", "0").verdict is Verdict.NO_ANSWER


def test_a_reference_may_stand_in_its_box() -> None:
    assert equivalent("5", r"\boxed{5}").correct
    assert equivalent("5", "#### 5").correct
