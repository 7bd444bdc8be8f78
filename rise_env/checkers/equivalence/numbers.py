r"""Reads answers that are one number, exactly: integers, decimals, fractions, with percent and units."""

from fractions import Fraction
from typing import NamedTuple

from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.equivalence.unit_match import split_unit
from rise_env.checkers.limits import NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.units import PERCENT, PERMILLE
from rise_env.checkers.reading.named_values import definition
from rise_env.checkers.reading.read_answer import read

_MAX_INTEGER_DIGITS = 1000
_PLAIN = frozenset({"number", "negative", "quotient", "product", "power"})


class Number(NamedTuple):
    """An exact rational number, and whether it was said as a percentage."""

    value: Fraction | int
    percent: bool = False


def read_number(text: str) -> Number | None:
    r"""Return the number that `text` spells, or None where it spells none, or has to be worked out.

    A unit and a name are dropped; a percentage keeps its sign apart:

    >>> read_number(r"\$1,800.00"), read_number("25%"), read_number("7-4")
    (Number(value=Fraction(1800, 1), percent=False), Number(value=Fraction(25, 1), percent=True), None)
    """
    if text.isdecimal() and len(text) <= _MAX_INTEGER_DIGITS:
        return Number(int(text))
    reading = read(text)
    if reading.literal is not None:
        return Number(reading.literal)
    if reading.node is None:
        return None
    defined = definition(reading.node)
    node, unit = split_unit(defined[1] if defined else reading.node)
    if unit == PERMILLE or not _is_literal(node):
        return None
    try:
        return Number(rational(node), unit == PERCENT)
    except (NotDecidable, Undefined):
        return None


def _is_literal(node: Node) -> bool:
    """Return whether a tree is a number as it is written: 1.5, 3/4, 2 1/3, 3.2 * 10^5, 2.5 million."""
    if node.kind == "sum":
        kinds = tuple(part.kind for part in node.parts)
        return kinds == ("number", "quotient") and all(map(_is_literal, node.parts))
    return node.kind in _PLAIN and all(map(_is_literal, node.parts))


def equal_numbers(found: Number, expected: Number) -> bool:
    """Return whether two numbers are equal. A percentage equals its value, and the bare figure.

    25% equals 25, 0.25 and 1/4; without any sign 25 and 0.25 differ. A reference below 1 without a sign
    is a share: 0.25 is not 0.25%.
    """
    if found.percent == expected.percent:
        return found.value == expected.value
    if found.value == expected.value and (expected.percent or abs(Fraction(expected.value)) >= 1):
        return True
    percentage, other = (found, expected) if found.percent else (expected, found)
    return percentage.value == other.value * 100
