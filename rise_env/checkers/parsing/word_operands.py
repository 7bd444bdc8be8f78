"""Words in an expression: numbers in words, products of letters, percent, scales and units behind a value."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from rise_env.checkers.limits import PlainText, Unreadable
from rise_env.checkers.parsing import operands as atoms
from rise_env.checkers.parsing import units
from rise_env.checkers.parsing.numerals import SCALES, read_number_words
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.vocabulary import PRODUCT

if TYPE_CHECKING:
    from rise_env.checkers.parsing.parser import Parser

_PERCENT = frozenset({"percent", "pct", "percentage", "percents", "%"})
_ENGLISH = frozenset(
    "yes no odd all any not one two six ten is it we he of on by for the an as at be if so up us may "
    "jan dne nan nil red cat dog boy girl man sun mon tue wed thu fri sat out per new old big low top "
    "day non act zoo".split()
)
_CODES = frozenset({"Rs", "USD", "US", "EUR", "GBP", "INR", "CNY", "RMB"})


def words(p: Parser) -> Node:
    """Read words that are a number, a currency or letters; refuse all others."""
    token = p.token
    value = read_number_words(token.value)
    if value is not None:
        p.take()
        phrase = token.value
        while p.token.kind == "word" and read_number_words(f"{phrase} {p.token.value}") is not None:
            phrase += f" {p.take().value}"
        return number(read_number_words(phrase) or 0)
    if token.value.strip(" .") in _CODES and p.peek().kind in {"number", "operator"}:
        p.take()
        p.accept(".")
        return Node("tagged", (p.expression(PRODUCT),), units.read_unit(token.value.strip(" .")))
    if token.kind == "word" and len(token.value) <= 3 and not _english(token.value):
        p.take()
        return _letters(p, token.value)
    raise PlainText(f"the word {token.value!r}")


def _english(word: str) -> bool:
    """Return whether two or three letters are a word; capitals alone name a segment or a product."""
    return not word.isupper() and word.lower() in _ENGLISH


def _letters(p: Parser, word: str) -> Node:
    names = [Node("constant" if name in "ie" else "symbol", (), name) for name in word]
    if p.accept("_"):
        names[-1] = Node("symbol", (), f"{word[-1]}_{atoms.raw_argument(p)}")
    if p.at("^"):
        names[-1] = atoms.superscript(p, names[-1])
    return Node("product", tuple(names))


def words_behind(p: Parser, left: Node) -> Node:
    """Read what words behind a value say: a percentage, a scale, a unit, what is counted."""
    token = p.token
    word = token.value.strip(" .,()").lower()
    if token.kind == "word" and len(token.value) <= 3 and not units.is_unit(token.value):
        if word in atoms.ORDINALS and not token.spaced and left.kind == "number":
            p.take()
            return left
        if not _english(token.value) and word not in _PERCENT and word not in {"deg", "per"}:
            p.take()
            letters = _letters(p, token.value)
            before = left.parts if left.kind == "product" else (left,)
            return Node("product", (*before, *letters.parts))
    if word in SCALES:
        p.take()
        return Node("product", (left, number(SCALES[word])))
    if word in _PERCENT or word == "per cent" or (word == "per" and p.peek().value.lower() == "cent"):
        p.take()
        if word == "per":
            p.take()
        return Node("tagged", (left,), units.PERCENT)
    if any(part.kind in {"symbol", "text"} for part in left.walk()) and not units.is_unit(word):
        raise PlainText(f"the word {token.value!r} behind a name")
    phrase = _phrase(p)
    if word in {"degrees", "degree", "deg", "degs"}:
        scale = phrase.split()[1:]
        return Node("tagged", (left,), units.read_unit(scale[0]) if scale else units.DEGREE)
    unit = units.read_unit(phrase)
    if unit is None:
        raise PlainText(f"the words {phrase!r} behind a value")
    if left.kind == "tagged":
        return left if unit == units.COUNTED else Node("tagged", left.parts, unit)
    return Node("tagged", (left,), unit)


def _phrase(p: Parser) -> str:
    pieces: list[str] = []
    while True:
        kind, value, _ = p.token
        if (
            kind in {"word", "text", "letter"}
            or p.at("^", "/", "*")
            or (kind == "number" and pieces[-1:] == ["^"])
        ):
            pieces.append(p.take().value)
        elif p.at("{") and pieces[-1:] == ["^"]:
            pieces.append(atoms.raw_argument(p))
        elif p.at("(") and p.peek().kind in {"word", "text"} and p.peek(2).value == ")":
            p.take()
            pieces.append(p.take().value)
            p.take()
        elif kind == "name" and value in {"min", "sec"}:
            pieces.append(p.take().value)
        else:
            return " ".join(pieces)


def smaller_unit(p: Parser, left: Node) -> Node:
    """Read the second part of "1 hour 30 minutes"."""
    right = p.expression(PRODUCT)
    if right.kind != "tagged" or right.value.dimension != left.value.dimension or not left.value.dimension:
        raise Unreadable("two numbers side by side")
    return add_amounts(left, right)


def add_amounts(left: Node, right: Node) -> Node:
    """Return the sum of two amounts of one dimension, in the unit of the first."""
    scaled = Node("product", (right.parts[0], number(Fraction(right.value.factor / left.value.factor))))
    return Node("tagged", (Node("sum", (left.parts[0], scaled)),), left.value)
