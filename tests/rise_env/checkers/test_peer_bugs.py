"""Bugs that other checkers had, each of which spoiled a training run of somebody."""

import threading

import pytest

from rise_env.checkers import NumericChecker, SymbolicChecker
from rise_env.checkers.base import Checker
from rise_env.types import CheckResult, Verdict

CHECKERS = [NumericChecker(), SymbolicChecker()]


@pytest.fixture(params=CHECKERS, ids=["numeric", "symbolic"])
def checker(request: pytest.FixtureRequest) -> Checker:
    found: Checker = request.param
    return found


def test_a_correct_answer_counts_in_a_worker_thread(checker: Checker) -> None:
    found: list[CheckResult] = []
    thread = threading.Thread(target=lambda: found.append(checker.check(r"\boxed{4}", "4")))
    thread.start()
    thread.join()
    assert found[0].correct


@pytest.mark.parametrize(
    "answer",
    ["+".join(f"\\sqrt{{{i}}}" for i in range(2, 900)), "7" * 2_000_000, "5^{5^{5^{5^5}}}"],
    ids=["898 square roots", "two million digits", "tower"],
)
def test_an_answer_that_is_too_large_does_not_affect_the_next_check(checker: Checker, answer: str) -> None:
    assert not checker.check(f"\\boxed{{{answer}}}", "4").correct
    assert checker.check(r"\boxed{4}", "4").correct


@pytest.mark.parametrize("reply", ["2125", "2,125", "2{,}125", "2125.0"])
def test_a_reference_with_a_thousands_comma_is_one_number(checker: Checker, reply: str) -> None:
    assert checker.check(f"\\boxed{{{reply}}}", "2,125").correct
    assert not checker.check(r"\boxed{2}", "2,125").correct


@pytest.mark.parametrize("spelling", ["$18", r"\$18", "18.0", "18.", "18.00", "+18", r"\$18.00"])
def test_eighteen_is_eighteen(checker: Checker, spelling: str) -> None:
    assert checker.check(f"\\boxed{{{spelling}}}", "18").correct
    assert checker.check(f"#### {spelling}", "18").correct


def test_thousands_commas_of_the_reply_are_read(checker: Checker) -> None:
    assert checker.check(r"\boxed{1,800}", "1800").correct


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("-3", "3"), ("3", "-3"), ("2025", "2020"), ("101", "100"), ("7-4", "-4"), ("4", "40"), ("0.5", "50")],
)
def test_a_different_number_is_wrong(checker: Checker, answer: str, reference: str) -> None:
    assert not checker.check(f"\\boxed{{{answer}}}", reference).correct


def test_the_last_of_two_markers_counts(checker: Checker) -> None:
    assert not checker.check("first #### 18 then no, #### 20", "18").correct
    assert checker.check("#### 18 #### 20", "20").correct


def test_the_last_of_two_boxes_counts(checker: Checker) -> None:
    assert checker.check(r"\boxed{41}, no: \boxed{42}", "42").correct
    assert not checker.check(r"\boxed{42}, no: \boxed{41}", "42").correct


@pytest.mark.parametrize(
    "guesses",
    [r"\boxed{41, 42, 43}", r"\boxed{41}, \boxed{42}", r"\boxed{41 \text{ or } 42}", r"\boxed{42 or 43}",
     r"\boxed{41}\text{ and }\boxed{42}", r"\boxed{\pm 42}", r"\boxed{40 < x < 43}", r"\boxed{\mathbb{Z}}"],
)  # fmt: skip
def test_a_list_of_guesses_is_wrong(checker: Checker, guesses: str) -> None:
    assert not checker.check(guesses, "42").correct


def test_two_failures_to_find_an_answer_are_not_equal(checker: Checker) -> None:
    assert checker.check("I do not know.", "42").verdict is Verdict.NO_ANSWER


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(r"\frac{\sqrt{3}}{5}", r"\frac{\sqrt{3}}{2}", id="nested braces"),
        pytest.param(r"\frac \pi4", r"\frac \pi4 + 2 - \sqrt2", id="a prefix that parses"),
        pytest.param("2^{n}-1", "2^{n-1}", id="braces dropped"),
        pytest.param(r"\sqrt{2}", r"\sqrt[3]{2}", id="root index dropped"),
        pytest.param("a+b/c", r"\frac{a+b}{c}", id="fraction bar dropped"),
        pytest.param("10^{20}", "10^{20}+1", id="integers as floats"),
        pytest.param("(-36,104]", "[-36,104]", id="brackets as thousands"),
        pytest.param("12 m", r"12\text{ cm}", id="units dropped"),
        pytest.param("204_6", "204_5", id="bases dropped"),
        pytest.param("1:00", "12:00", id="clock times as ratios"),
        pytest.param(">42", "42", id="relation dropped"),
        pytest.param(r"\ne 42", "42", id="negation dropped"),
        pytest.param("x<2", "x>2", id="relation turned"),
        pytest.param(r"1-\frac{1}{e}", r"1+\frac{1}{e}", id="sign dropped"),
        pytest.param("1,22", "1.22", id="list as decimal"),
        pytest.param("seat", r"\text{east}", id="words as products"),
        pytest.param("0", "a+3z=0", id="equation as its right side"),
    ],
)
def test_what_another_checker_accepted_is_wrong(answer: str, reference: str) -> None:
    assert not SymbolicChecker().check(f"\\boxed{{{answer}}}", reference).correct


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        pytest.param(r"74°", r"74^\circ", id="degree sign"),
        pytest.param("3.2e5", "320000", id="e notation"),
        pytest.param(r"0.\overline{3}", r"\frac13", id="repeating decimal"),
        pytest.param("４２", "42", id="full width"),
        pytest.param("pi/2", r"\frac{\pi}{2}", id="plain pi"),
        pytest.param("exp(16)-1", "e^{16} - 1", id="plain exp"),
        pytest.param("**73**", "73", id="markdown"),
        pytest.param("1,2,3", r"\{1,2,3\}", id="braces left out"),
        pytest.param("2x+4y=6", "x+2y=3", id="scaled equation"),
        pytest.param(r"\begin{bmatrix}1\\2\end{bmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}", id="brackets"),
        pytest.param(r"\frac{4}{6}", r"\frac23", id="not reduced"),
    ],
)
def test_what_another_checker_rejected_is_right(answer: str, reference: str) -> None:
    assert SymbolicChecker().check(f"\\boxed{{{answer}}}", reference).correct
