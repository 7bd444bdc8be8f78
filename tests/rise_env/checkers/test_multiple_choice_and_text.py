import pytest

from rise_env.checkers import ChoiceChecker, TextChecker, check_answer
from rise_env.errors import ProblemError
from rise_env.types import Verdict

CORRECT, WRONG, UNREADABLE = Verdict.CORRECT, Verdict.WRONG, Verdict.UNREADABLE


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (r"\boxed{B}", CORRECT),
        (r"\boxed{b}", CORRECT),
        (r"\boxed{(B)}", CORRECT),
        (r"\boxed{\textbf{(B)}\ 42}", CORRECT),
        (r"\boxed{\text{B: the second one}}", CORRECT),
        (r"\boxed{\text{Answer: B}}", CORRECT),
        ("Answer: B/B", CORRECT),
        (r"\boxed{A}", WRONG),
        (r"\boxed{A or B}", UNREADABLE),
        (r"\boxed{A, B}", UNREADABLE),
        (r"\boxed{\text{(B) or (C)}}", UNREADABLE),
        (r"\boxed{8}", UNREADABLE),
        ("I do not know.", Verdict.NO_ANSWER),
    ],
)
def test_one_letter_is_chosen(reply: str, verdict: Verdict) -> None:
    assert ChoiceChecker().check(reply, "B").verdict is verdict


def test_the_general_checker_sees_that_a_reference_is_a_choice() -> None:
    assert check_answer(r"\boxed{(C)\ 12}", "C").correct
    assert not check_answer(r"\boxed{ABCD}", "C").correct


@pytest.mark.parametrize("reference", ["5", "AB", ""])
def test_a_reference_that_is_no_letter_is_an_error(reference: str) -> None:
    with pytest.raises(ProblemError, match="is not a letter"):
        ChoiceChecker().check(r"\boxed{A}", reference)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("ellipse", CORRECT),
        ("Ellipse.", CORRECT),
        (r"\text{an ellipse}", CORRECT),
        ("The graph is an ellipse", CORRECT),
        ("It is not an ellipse", WRONG),
        ("No conic here is an ellipse", WRONG),
        ("ellipse or circle", WRONG),
        ("ellipses and circles", WRONG),
        ("espille", WRONG),
    ],
)
def test_words_are_compared_as_words(answer: str, verdict: Verdict) -> None:
    assert TextChecker().check(f"\\boxed{{{answer}}}", r"\text{ellipse}").verdict is verdict


def test_a_reference_without_words_is_an_error() -> None:
    with pytest.raises(ProblemError, match="has no words"):
        TextChecker().check(r"\boxed{x}", "$$")
