import pytest

from rise_env.checkers import equivalent
from rise_env.checkers.policy import Policy

ROUNDED = [r"\approx 3.14", r"x \approx 3.14", r"\text{approximately } 3.14", "about 3.14", "≈3.14"]


@pytest.mark.parametrize("answer", ROUNDED)
def test_a_value_that_is_called_rounded_counts_if_the_policy_rounds(answer: str) -> None:
    assert equivalent(answer, r"\pi", policy=Policy(digits=2)).correct
    assert not equivalent(answer, r"\pi").correct
    assert not equivalent(answer, "3.2", policy=Policy(digits=2)).correct


def test_a_value_that_is_called_rounded_is_no_exact_value() -> None:
    assert not equivalent(r"\approx 3.14", "3.14").correct
    assert not equivalent(r"\text{about } 3", "3").correct
