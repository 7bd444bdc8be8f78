r"""Reads plain numbers exactly: integers, decimals, fractions, with thousands groups, percent and units."""

import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

MOST_DIGITS = 1000
"""Longer spellings are not read as numbers."""

_GROUPS = re.compile(r"(?<![\d.])\d{1,3}(?:(?:,|\{,\}|\\,|,\\!|\\ | )\d{3})+(?!\d)")
_GROUP_MARK = re.compile(r"\{,\}|,\\!|\\,|\\ |[, ]")
_CURRENCY = re.compile(r"^([+-]?)\s*(?:\\?[$]|[£€¥])\s*")
_PERCENT = re.compile(r"\s*(?:\\?%|\bper\s?cent|\bpct)\.?$", re.IGNORECASE)
_UNIT = re.compile(
    r"\s*(?:\\(?:text|mathrm|mbox|textrm|textnormal)\s*\{[^{}\d]*\}(?:\^\{?[23]\}?)?"
    r"|[A-Za-z]{2,}(?: [A-Za-z]+)*)\.?$"  # one letter alone is a variable
)
_NUMBER = re.compile(
    r"([+-]?)(?:(\d+)/(\d+)|\\[dtc]?frac\{(-?\d+)\}\{(-?\d+)\}|(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,3}))?"
)


class Number(NamedTuple):
    """An exact rational number, and whether it was said as a percentage."""

    value: Fraction | int
    percent: bool = False


def read_number(text: str) -> Number | None:
    r"""Return the number that `text` spells, or None where it spells none, or more than one thing.

    A currency sign in front and a unit behind are dropped; a percentage keeps its sign apart:

    >>> read_number(r"\$1,800.00"), read_number("25%")
    (Number(value=Fraction(1800, 1), percent=False), Number(value=Fraction(25, 1), percent=True))
    """
    if len(text) > MOST_DIGITS:
        return None
    if text.isdecimal():
        return Number(int(text))
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2212", "-")
    text = text.strip().strip("$").strip().removesuffix(".")
    text = _CURRENCY.sub(r"\1", text)
    bare = _PERCENT.sub("", text)
    percent = bare != text
    if not percent:
        bare = _UNIT.sub("", text)
    bare = _GROUPS.sub(lambda match: _GROUP_MARK.sub("", match.group()), bare).strip()
    match = _NUMBER.fullmatch(bare.removesuffix("."))
    if match is None:
        return None
    sign, over, under, frac_over, frac_under, whole, decimals, bare_decimals, exponent = match.groups()
    if under or frac_under:
        if exponent or int(under or frac_under) == 0:
            return None
        value = Fraction(int(over or frac_over), int(under or frac_under))
    else:
        digits = decimals or bare_decimals or ""
        value = Fraction(int((whole or "0") + digits), 10 ** len(digits)) * Fraction(10) ** int(exponent or 0)
    return Number(-value if sign == "-" else value, percent)


def equal_numbers(found: Number, expected: Number) -> bool:
    """Return whether two numbers are equal. A percentage equals its value, and the bare figure.

    25% equals 25, 0.25 and 1/4; without any sign 25 and 0.25 differ.
    """
    if found.value == expected.value:
        return True
    if found.percent == expected.percent:
        return False
    percentage, other = (found, expected) if found.percent else (expected, found)
    return percentage.value == other.value * 100
