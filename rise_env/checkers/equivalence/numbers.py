r"""Reads an answer that is one number as an exact fraction: integers, decimals, fractions, percentages."""

from fractions import Fraction
from typing import NamedTuple

from rise_env.checkers.equivalence.chains import stated_value
from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.equivalence.unit_match import split_unit, without_units
from rise_env.checkers.limits import MAX_DIGITS, NotDecidable, Undefined, on_own_stack
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.units import PERCENT, PERMILLE
from rise_env.checkers.reading.read_answer import read

_PLAIN = frozenset({"number", "negative", "quotient", "product", "power"})


class Number(NamedTuple):
    """An exact rational number, and whether it was written as a percentage."""

    value: Fraction | int
    percent: bool = False


def read_number(text: str) -> Number | None:
    r"""Return the number that `text` is; None if it is not a number, or has to be computed first.

    A unit, the name of a variable and earlier sides of a chain of equals are ignored. A percentage is marked:

    >>> read_number(r"\$1,800.00"), read_number("25%"), read_number("7-4")
    (Number(value=Fraction(1800, 1), percent=False), Number(value=Fraction(25, 1), percent=True), None)
    """
    if text.isdecimal() and len(text) <= MAX_DIGITS:
        return Number(int(text))
    if text[:1] == "-" and text[1:].isdecimal() and len(text) <= MAX_DIGITS:
        return Number(int(text))
    try:
        return on_own_stack(lambda: _read_number(text))
    except (RecursionError, MemoryError):
        return None


def _read_number(text: str) -> Number | None:
    parsed = read(text)
    if parsed.literal is not None:
        return Number(parsed.literal)
    if parsed.node is None:
        return None
    stated = parsed.node
    if stated.kind == "relation":
        stated = stated_value(stated, _same_constant, combinations=True) or stated
    node, unit = split_unit(stated)
    if unit == PERMILLE or not _is_literal(node):
        return None
    try:
        return Number(rational(node), unit == PERCENT)
    except (NotDecidable, Undefined):
        return None


def _same_constant(left: Node, right: Node) -> bool:
    try:
        return rational(without_units(left)) == rational(without_units(right))
    except (NotDecidable, Undefined):
        return False


def _is_literal(node: Node) -> bool:
    """Return whether a tree is a number as it is written: 1.5, 3/4, 2 1/3, 3.2 * 10^5, 2.5 million."""
    if node.kind == "sum":
        kinds = tuple(part.kind for part in node.parts)
        return kinds == ("number", "quotient") and all(map(_is_literal, node.parts))
    return node.kind in _PLAIN and all(map(_is_literal, node.parts))


def equal_numbers(found: Number, expected: Number) -> bool:
    """Return whether two numbers are equal. A percentage equals its value, and the number before its sign.

    So 25% equals 25, 0.25 and 1/4, but 25 and 0.25 without a sign differ. A reference below 1 without a sign
    is a proportion, which only the value of a percentage can equal: 0.25% is not 0.25.
    """
    if found.percent == expected.percent:
        return found.value == expected.value
    if found.value == expected.value and (expected.percent or abs(Fraction(expected.value)) >= 1):
        return True
    percentage, other = (found, expected) if found.percent else (expected, found)
    return percentage.value == other.value * 100
