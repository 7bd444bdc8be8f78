"""Expressions that agree in one regime and differ in another are not equal, under any name."""

import string
from pathlib import Path

import pytest

from rise_env.checkers import equivalent

LETTERS = [letter for letter in string.ascii_letters if letter not in "ei"]
TABLE = [
    tuple(line.split(" ;; "))
    for line in Path(__file__).with_name("regimes.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
EQUAL = [(left, right) for kind, left, right in TABLE if kind == "equal"]
DIFFERENT = {
    kind: [(left, right) for other, left, right in TABLE if other == kind]
    for kind in dict.fromkeys(kind for kind, _, _ in TABLE if kind != "equal")
}


def test_the_sweep_has_sixty_pairs() -> None:
    assert sum(map(len, DIFFERENT.values())) >= 60


@pytest.mark.parametrize("kind", DIFFERENT)
def test_expressions_that_differ_in_one_regime_are_different(kind: str) -> None:
    accepted = [
        (left, right, letter)
        for left, right in DIFFERENT[kind]
        for letter in LETTERS
        for a, b in [(left.replace("<v>", letter), right.replace("<v>", letter))]
        if equivalent(a, b).correct or equivalent(b, a).correct
    ]
    assert accepted == []


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_expressions_that_agree_in_every_regime_are_equal(left: str, right: str) -> None:
    assert equivalent(left, right).correct
    assert equivalent(right, left).correct


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("y=|x|", "y=x"),
        (r"y=\sqrt{x^2}", "y=x"),
        (r"y=\lfloor x\rfloor", "y=x"),
        (r"2y=\max(x,10)+10", "y=10"),
        ("2|x|<4", r"(-\infty,2)"),
        (r"\lfloor x\rfloor \le 3", "x \\le 3"),
    ],
)
def test_relations_are_compared_in_every_regime(left: str, right: str) -> None:
    assert not equivalent(left, right).correct
    assert not equivalent(right, left).correct
