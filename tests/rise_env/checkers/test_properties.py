"""Properties that the equality of answers has for all answers."""

import json
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rise_env.checkers import equivalent, final_answer
from rise_env.checkers.parsing.vocabulary import FRACTIONS
from rise_env.checkers.reading.references import read_reference
from rise_env.errors import ProblemError
from tests.rise_env.checkers.random_answers import REFERENCES, expression

DATA = os.environ.get("RISE_DATA_DIR")
expressions = st.integers(0, 10**9).map(lambda seed: expression(Random(seed), 3))


def readable(text: str) -> bool:
    """Return whether a text may be a reference."""
    try:
        return read_reference(text).node is not None
    except ProblemError:
        return False


def respelled(text: str) -> list[str]:
    """Return other spellings of the same answer."""
    return [
        f"  {text}  ",
        f"${text}$",
        f"\\({text}\\)",
        f"{text}.",
        f"\\displaystyle {text}",
        *(text.replace("\\frac", f"\\{command}") for command in sorted(FRACTIONS - {"frac"})),
        text.replace("(", "\\left(").replace(")", "\\right)"),
        text.replace("+", " + ").replace("=", " = "),
    ]


@settings(max_examples=150)
@given(expressions.filter(readable))
def test_every_answer_equals_itself_in_any_spelling(text: str) -> None:
    for spelling in (text, *respelled(text)):
        assert equivalent(spelling, text).correct, spelling


@settings(max_examples=150)
@given(expressions.filter(readable), expressions.filter(readable))
def test_equality_of_expressions_is_symmetric(left: str, right: str) -> None:
    # Between lists and tuples, and a proportion and a percentage, equality depends on which one is the
    # reference, so those pairs are left out.
    if ("%" in left) == ("%" in right) and {"(" in left, "," in left, "=" in left} == {
        "(" in right,
        "," in right,
        "=" in right,
    }:
        assert equivalent(left, right).correct == equivalent(right, left).correct


@settings(max_examples=100)
@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.integers(1, 1000))
def test_fractions_are_equal_exactly_when_their_values_are(over: int, under: int, factor: int) -> None:
    plain = f"\\frac{{{over}}}{{{under}}}"
    assert equivalent(f"{over * factor}/{under * factor}", plain).correct
    assert not equivalent(f"{over * factor + 1}/{under * factor}", plain).correct


@settings(max_examples=50)
@given(st.permutations(["1", "2", "\\sqrt{3}", "\\frac{1}{2}", "x"]))
def test_the_order_of_a_set_never_matters(items: list[str]) -> None:
    assert equivalent(",".join(items), "\\{1,2,\\sqrt3,0.5,x\\}").correct


@pytest.mark.parametrize("reference", REFERENCES)
def test_no_two_different_references_are_equal(reference: str) -> None:
    assert [other for other in REFERENCES if equivalent(other, reference).correct] == [reference]


@pytest.mark.skipif(not DATA, reason="RISE_DATA_DIR is not set")
def test_every_reference_of_math_equals_itself_in_any_spelling() -> None:
    lines = (Path(DATA or "") / "math" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    references = [final_answer(json.loads(line)["solution"]) for line in lines]
    assert None not in references
    wrong = [
        (reference, spelling)
        for reference in references
        if reference
        for spelling in (reference, *respelled(reference))
        if not equivalent(spelling, reference).correct
    ]
    assert wrong == []
