import pytest

from rise_env.checkers.equivalence.real_sets import same_real_set
from rise_env.checkers.limits import Deadline, NotDecidable
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.parser import parse


def same(left: str, right: str) -> bool:
    return same_real_set(parse(clean(left)), parse(clean(right)), Deadline(30.0))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"[1,2)\cup(2,3]", r"[1,3]\setminus\{2\}"),
        (r"[1,2]\cup[2,3]", "[1,3]"),
        (r"(1,3)\cap[2,5]", "[2,3)"),
        (r"x\ne 2", r"(-\infty,2)\cup(2,\infty)"),
        ("-2x<4", "x>-2"),
        ("|x-1|<2", "(-1,3)"),
        (r"|x|\ge2", r"(-\infty,-2]\cup[2,\infty)"),
        (r"x<2 \text{ and } x>3", r"\emptyset"),
        ("x<2, x>3", r"(-\infty,2)\cup(3,\infty)"),
        (r"x>2 \text{ or } x\le2", r"\mathbb{R}"),
        (r"\{x\in\mathbb{R} \mid 0\le x<1\}", "[0,1)"),
        (r"\{5\}\cup(5,6)", "[5,6)"),
        (r"(0,\sqrt2)", r"(0,\frac{2}{\sqrt2})"),
    ],
)
def test_a_set_of_real_numbers_may_be_written_in_many_ways(left: str, right: str) -> None:
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("[1,2)", "[1,2]"),
        (r"[1,2)\cup(2,3]", "[1,3]"),
        ("x>2", "y>2"),
        ("x>2", r"x\ge2"),
        (r"(0,\pi)", "(0,3.14159265358979)"),
        (r"x<2 \text{ and } x>3", r"(-\infty,2)\cup(3,\infty)"),
    ],
)
def test_different_sets_differ(left: str, right: str) -> None:
    assert not same(left, right)


@pytest.mark.parametrize("text", ["5", "x^2<4", "x<y", "(a,b)", "(3,2)", r"\mathbb{Z}"])
def test_what_is_no_known_set_stays_undecided(text: str) -> None:
    with pytest.raises(NotDecidable):
        same(text, r"\mathbb{R}")
