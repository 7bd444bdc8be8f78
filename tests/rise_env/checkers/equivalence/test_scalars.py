from fractions import Fraction

import pytest

from rise_env.checkers.equivalence.evaluate import Evaluator, context
from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.equivalence.scalars import same_value
from rise_env.checkers.limits import Deadline, DeadlineExceeded, NotDecidable, Undefined
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.parser import parse
from rise_env.checkers.parsing.tree import Node


def tree(text: str) -> Node:
    return parse(clean(text))


def same(left: str, right: str) -> bool:
    return same_value(tree(left), tree(right), Deadline(30.0))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^{-3}", Fraction(1, 8)),
        (r"\binom{10}{3}", 120),
        ("5!", 120),
        ("7!!", 105),
        (r"\gcd(12,18)", 6),
        (r"\lfloor 7/2 \rfloor", 3),
        (r"\max(2,3)", 3),
        ("2^{100} \\bmod 7", 2),
        ("3\\frac{1}{2}", Fraction(7, 2)),
    ],
)
def test_rational_expressions_have_exact_values(text: str, value: Fraction | int) -> None:
    assert rational(tree(text)) == value


@pytest.mark.parametrize("text", ["1/0", "0^0", "0^{-1}", r"\frac{1}{2-2}"])
def test_a_division_by_zero_has_no_value(text: str) -> None:
    with pytest.raises(Undefined):
        rational(tree(text))


def test_a_value_of_too_many_digits_is_not_written_out() -> None:
    with pytest.raises(NotDecidable):
        rational(tree("10^{100000}"))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"\sqrt{3-2\sqrt2}", r"\sqrt2-1"),
        (r"(x+1)^{300}(x-1)^{300}-(x^2-1)^{300}", "0"),
        (r"\sin \pi", "0"),
        (r"\cos(n\pi)", "(-1)^n"),
        ("2^{n-1}", r"\frac{2^n}{2}"),
        (r"\frac{2025!}{2024!}", "2025"),
        (r"\sqrt[3]{-8}", "-2"),
        (r"e^{i\pi}", "-1"),
        ("f(x)+f(x)", "2f(x)"),
    ],
)
def test_expressions_of_one_value_are_the_same(left: str, right: str) -> None:
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("10^{-200}", "0"),
        (r"\sqrt{2}-\sqrt 2+10^{-100}", "0"),
        ("2^{82589933}-1", "2^{82589933}"),
        ("|x|", "x"),
        ("f(x)", "f(y)"),
        ("f(x)", "g(x)"),
        (r"\frac{0}{0}", "1"),
        (r"\sqrt{\sqrt{11}+\sqrt{194}}", r"\sqrt{\sqrt{11}+\sqrt{195}}"),
    ],
)
def test_expressions_of_different_values_are_not(left: str, right: str) -> None:
    assert not same(left, right)


def test_a_tower_that_is_too_large_stays_undecided() -> None:
    with pytest.raises(NotDecidable):
        same("9^{9^{9^{9}}}", "1")


def test_time_that_is_over_ends_an_evaluation() -> None:
    with pytest.raises(DeadlineExceeded):
        same_value(tree(r"\sum_{k=1}^{1000} \sqrt{k}"), tree("1"), Deadline(0.0))


def test_precision_is_not_shared_with_others() -> None:
    import mpmath

    before = mpmath.mp.dps
    Evaluator(110, {}, Deadline(1.0)).value(tree(r"\sqrt{2}"))
    assert mpmath.mp.dps == before
    assert context(50).dps == 50
