"""Parses words in an expression: number words, products of letters, percentages, scales, units."""

from fractions import Fraction

from rise_env.checkers.limits import PlainText, Unreadable
from rise_env.checkers.parsing import units
from rise_env.checkers.parsing.cursor import Cursor
from rise_env.checkers.parsing.numerals import SCALES, read_number_words
from rise_env.checkers.parsing.operands import ORDINALS, parse_superscript
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.vocabulary import PRODUCT

_PERCENT = frozenset({"percent", "pct", "percentage", "percents", "%"})
_ENGLISH = frozenset(
    "yes no odd all any not one two six ten is it we he of on by for the an as at be if so up us may "
    "jan dne nan nil red cat dog boy girl man sun mon tue wed thu fri sat out per new old big low top "
    "day non act zoo".split()
)
_CURRENCY_CODES = frozenset({"Rs", "USD", "US", "EUR", "GBP", "INR", "CNY", "RMB"})


def parse_words(cursor: Cursor) -> Node:
    """Parse words that begin an expression: a number, the code of a currency, or letters.

    Raises:
        PlainText: They are something else.
    """
    token = cursor.token
    value = read_number_words(token.value)
    if value is not None:
        cursor.take()
        phrase = token.value
        while cursor.token.kind == "word" and read_number_words(f"{phrase} {cursor.token.value}") is not None:
            phrase += f" {cursor.take().value}"
        return number(read_number_words(phrase) or 0)
    if token.value.strip(" .") in _CURRENCY_CODES and cursor.peek().kind in {"number", "operator"}:
        cursor.take()
        cursor.accept(".")
        return Node("quantity", (cursor.expression(PRODUCT),), units.read_unit(token.value.strip(" .")))
    if token.kind == "word" and len(token.value) <= 3 and not _is_english(token.value):
        cursor.take()
        return _parse_letters(cursor, token.value)
    raise PlainText(f"the word {token.value!r}")


def _is_english(word: str) -> bool:
    """Return whether a few letters are an English word; capitals alone are none, but a segment or product."""
    return not word.isupper() and word.lower() in _ENGLISH


def _parse_letters(cursor: Cursor, word: str) -> Node:
    names = [Node("constant" if name in "ie" else "symbol", (), name) for name in word]
    if cursor.accept("_"):
        names[-1] = Node("symbol", (), f"{word[-1]}_{cursor.raw_argument()}")
    if cursor.at("^"):
        names[-1] = parse_superscript(cursor, names[-1])
    return Node("product", tuple(names))


def parse_words_after(cursor: Cursor, left: Node) -> Node:
    """Parse words that follow a value: an ordinal, letters, a scale such as "million", a percentage, a unit.

    Raises:
        PlainText: They are something else.
    """
    token = cursor.token
    word = token.value.strip(" .,()").lower()
    is_unit = units.is_unit(token.value, spaced=token.spaced)
    if token.kind == "word" and len(token.value) <= 3 and not is_unit:
        if word in ORDINALS and not token.spaced and left.kind == "number":
            cursor.take()
            return left
        if not _is_english(token.value) and word not in _PERCENT and word not in {"deg", "per"}:
            cursor.take()
            letters = _parse_letters(cursor, token.value)
            before = left.parts if left.kind == "product" else (left,)
            return Node("product", (*before, *letters.parts))
    if word in SCALES:
        cursor.take()
        return Node("product", (left, number(SCALES[word])))
    if word in _PERCENT or word == "per cent" or (word == "per" and cursor.peek().value.lower() == "cent"):
        cursor.take()
        if word == "per":
            cursor.take()
        return Node("quantity", (left,), units.PERCENT)
    known = units.is_unit(word) or (token.kind == "text" and units.is_unit_phrase(token.value))
    if not known and any(part.kind == "symbol" for part in left.walk()):
        raise PlainText(f"the word {token.value!r} after a name")
    phrase = _parse_phrase(cursor)
    if word in {"degrees", "degree", "deg", "degs"}:
        scale = phrase.split()[1:]
        return Node("quantity", (left,), units.read_unit(scale[0]) if scale else units.DEGREE)
    unit = units.read_unit(phrase)
    if unit is None:
        raise PlainText(f"the words {phrase!r} after a value")
    if left.kind == "quantity":
        return left if unit == units.COUNTED else Node("quantity", left.parts, unit)
    return Node("quantity", (left,), unit)


def _parse_phrase(cursor: Cursor) -> str:
    """Consume the words of a unit, with its powers and slashes, and return them separated by spaces."""
    pieces: list[str] = []
    while True:
        kind, value, _ = cursor.token
        if (
            kind in {"word", "text", "letter"}
            or cursor.at("^", "/", "*")
            or (kind == "number" and pieces[-1:] == ["^"])
        ):
            pieces.append(cursor.take().value)
        elif cursor.at("{") and pieces[-1:] == ["^"]:
            pieces.append(cursor.raw_argument())
        elif cursor.at("(") and cursor.peek().kind in {"word", "text"} and cursor.peek(2).value == ")":
            cursor.take()
            pieces.append(cursor.take().value)
            cursor.take()
        elif kind == "name" and value in {"min", "sec"}:
            pieces.append(cursor.take().value)
        else:
            return " ".join(pieces)


def parse_smaller_unit(cursor: Cursor, left: Node) -> Node:
    """Parse the second part of "1 hour 30 minutes"."""
    right = cursor.expression(PRODUCT)
    if right.kind != "quantity" or right.value.dimension != left.value.dimension or not left.value.dimension:
        raise Unreadable("two numbers side by side")
    return add_quantities(left, right)


def add_quantities(left: Node, right: Node) -> Node:
    """Return the sum of two quantities of one dimension, in the unit of the first."""
    factor = Fraction(right.value.factor / left.value.factor)
    if left.parts[0].kind == right.parts[0].kind == "number":
        return Node("quantity", (number(left.parts[0].value + factor * right.parts[0].value),), left.value)
    scaled = Node("product", (right.parts[0], number(factor)))
    return Node("quantity", (Node("sum", (left.parts[0], scaled)),), left.value)
