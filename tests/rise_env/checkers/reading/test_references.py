"""A reference that nobody can read raises, and names itself; every other one is read."""

import pytest

from rise_env.checkers import SymbolicChecker, check_answer, equivalent
from rise_env.checkers.reading.references import read_reference
from rise_env.errors import ProblemError
from rise_env.problems.audit import audit_split
from rise_env.types import Problem

UNREADABLE = {
    "empty": "",
    "white space": "  ",
    "nan": "nan",
    "empty box": r"\boxed{}",
    "empty text": r"\text{}",
    "Python list of texts": "['5']",
    "list of quoted words": '["yes", "no"]',
    "tag around a number": "<answer>5</answer>",
    "tag around a word": "<b>east</b>",
    "two decimal points": "1.234.567",
    "unknown command": r"\unknowncmd{5}",
    "unknown command with a word": r"\unknowncmd{five}",
    "unknown environment": r"\begin{tikzpicture} \draw (0,0) circle \end{tikzpicture}",
    "integral without integrand": r"\int_0^1",
    "division by zero": "1/0",
    "fraction over zero": r"\frac{1}{0}",
    "part of a point divides by zero": "(1/0, 2)",
    "negative power of zero": "0^{-1}",
    "division by a difference of zero": r"\frac{\pi}{2-2}",
    "missing exponent": "x^",
    "open bracket": "(1, 2",
    "left over bracket": "5)",
    "punctuation": "???",
    "too deep": r"\sqrt" * 300 + "2",
}
READABLE = (
    "5", "five", "5 apples", r"\text{Evelyn}", "does not exist", "true", r"\infty", "B",
    "12:30", "0.0011_{2}",
    r"\dot{x}_{0}", "1" * 5000, r"\frac{x}{x}", "March 3", "0", r"$g(x)=\frac{1}{3}x$ for some $a>0$",
)  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_reference_that_nobody_can_read_raises(name: str) -> None:
    reference = UNREADABLE[name]
    for reply in (r"\boxed{5}", "no answer", ""):
        with pytest.raises(ProblemError, match="cannot be read"):
            check_answer(reply, reference)
    with pytest.raises(ProblemError):
        equivalent("5", reference)


@pytest.mark.parametrize("reference", READABLE, ids=lambda text: text[:20])
def test_other_references_are_read(reference: str) -> None:
    assert read_reference(reference).text


def test_the_message_quotes_the_reference() -> None:
    with pytest.raises(ProblemError, match=r"<answer>5</answer>.*has the tag <answer>"):
        read_reference("<answer>5</answer>")


def test_the_audit_finds_such_references() -> None:
    problems = [
        Problem(id=f"{place}", question=f"Question {place}?", reference=reference)
        for place, reference in enumerate(["5", "['5']", "1/0", r"\unknowncmd{5}"])
    ]
    rejected = audit_split(problems, SymbolicChecker()).golds_rejected
    assert rejected == [f"{place} (reference unreadable)" for place in (1, 2, 3)]


@pytest.mark.parametrize(
    ("answer", "same"),
    [("0.0011_2", True), (".0011", True), ("0.00110_{2}", True), ("0.1875", False), ("0.001_2", False)],
)
def test_fractions_in_a_base_are_compared_by_their_digits(answer: str, same: bool) -> None:
    assert equivalent(answer, "0.0011_{2}").correct is same
