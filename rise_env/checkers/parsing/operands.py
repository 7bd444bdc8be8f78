"""The smallest parts of an expression: numbers and names, and what stands behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing import brackets as parser_brackets
from rise_env.checkers.parsing import commands as parser_big
from rise_env.checkers.parsing import functions as parser_functions
from rise_env.checkers.parsing import units
from rise_env.checkers.parsing import word_operands as parser_words
from rise_env.checkers.parsing.numerals import read_literal, read_number_words
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.vocabulary import PRODUCT

if TYPE_CHECKING:
    from rise_env.checkers.parsing.parser import Parser

_FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac"})
_APPLIED = frozenset("fghFGQ")
ORDINALS = frozenset({"th", "st", "nd", "rd"})
CURRENCIES = {"$": "dollar", "£": "£", "€": "euro", "¥": "yen", "¢": "cent", "₹": "rupee"}


def atom(p: Parser) -> Node:
    """Read one atom; refuse what cannot begin one."""
    kind, value, _ = p.token
    if kind == "number":
        return _number(p)
    if kind == "letter":
        return _letter(p)
    if kind == "constant":
        p.take()
        return Node("constant", (), value)
    if kind == "whole":
        p.take()
        return Node(value)
    if kind == "name":
        return parser_functions.function(p)
    if kind == "accent":
        p.take()
        return Node("symbol", (), f"{value} {raw_argument(p)}")
    if kind == "command":
        if value in _FRACTIONS:
            p.take()
            return Node("quotient", (argument(p), argument(p)))
        return parser_big.command(p)
    if kind == "operator":
        if value in CURRENCIES:
            p.take()
            return Node("tagged", (p.expression(PRODUCT),), units.read_unit(CURRENCIES[value]))
        return parser_brackets.bracket(p)
    if kind in {"word", "text"}:
        return parser_words.words(p)
    raise Unreadable("it ends too early")


def _number(p: Parser) -> Node:
    token = p.take()
    node = number(read_literal(token.value))
    if p.at("_"):
        p.take()
        if not token.value.isdecimal():
            raise Unreadable("a subscript of a number that is no integer")
        return Node("based", (), (token.value, _base(p)))
    if not token.value.isdigit():
        return node
    following = p.token
    if following.kind == "command" and following.value in _FRACTIONS:
        part = atom(p)
        kind = "sum" if _proper(part) and node.value != 0 else "product"
        return Node(kind, (node, part))
    if following.kind == "number":
        if following.value.isdigit() and p.peek().value == "/" and p.peek(2).value.isdigit():
            part = Node("quotient", (_take_number(p, slash=True), _take_number(p)))
            if _proper(part) and following.spaced:
                return Node("sum", (node, part))
        raise Unreadable("two numbers side by side")
    return node


def _take_number(p: Parser, *, slash: bool = False) -> Node:
    node = number(read_literal(p.take().value))
    if slash:
        p.expect("/")
    return node


def _proper(node: Node) -> bool:
    """Return whether a fraction of plain integers is the fraction part of a mixed number."""
    over, under = node.parts
    plain = over.kind == under.kind == "number" and over.value.denominator == under.value.denominator == 1
    return plain and 0 < over.value < under.value


def _base(p: Parser) -> int:
    text = raw_argument(p)
    if text.isdigit() and len(text) <= 2:
        return int(text)
    words = read_number_words(text)
    if words is None or words > 36:
        raise Unreadable("a number with a subscript that is no base")
    return int(words)


def _letter(p: Parser) -> Node:
    name = p.take().value
    if p.accept("_"):
        name = f"{name}_{raw_argument(p)}"
    while p.accept("'"):
        name += "'"
    if name in _APPLIED and p.at("(") and not p.token.spaced:
        inside = parser_brackets.bracket(p)
        return Node("apply", inside.parts if inside.kind == "tuple" else (inside,), name)
    if name in {"i", "e"}:
        return Node("constant", (), name)
    return Node("symbol", (), name)


def argument(p: Parser) -> Node:
    r"""Read a TeX argument: a group, one digit, or one symbol, so that `\frac94` is nine quarters."""
    token = p.token
    if token.kind == "number":
        digits = token.value
        if not digits.isdecimal():
            raise Unreadable("a decimal number as an argument without braces")
        p.tokens[p.position] = token._replace(value=digits[1:], spaced=False)
        if len(digits) == 1:
            p.position += 1
        return number(int(digits[0]))
    if token.kind == "operator" and token.value == "{":
        return parser_brackets.bracket(p)
    if token.kind in {"letter", "constant", "command", "name"}:
        return atom(p)
    raise Unreadable("an argument is missing")


def raw_argument(p: Parser) -> str:
    """Read a TeX argument as it stands, for subscripts and accents."""
    if not p.accept("{"):
        token = p.take()
        if token.kind == "end":
            raise Unreadable("an argument is missing")
        return token.value
    pieces: list[str] = []
    depth = 1
    while True:
        token = p.take()
        if token.kind == "end":
            raise Unreadable("an open brace")
        depth += (token.value == "{") - (token.value == "}")
        if depth == 0:
            return "".join(pieces)
        pieces.append(token.value)


# --- behind an operand
def superscript(p: Parser, left: Node) -> Node:
    """Read a power, or a degree sign written as one."""
    p.expect("^")
    if left.kind == "number" and _degree_letter(p):
        return _degrees(p, left)
    opened = p.at("{") and p.peek().value in {"∘", "°", "'"}
    if opened or p.at("∘", "°", "'"):
        if opened:
            p.take()
        value = p.take().value
        if opened:
            p.expect("}")
        return _degrees(p, left) if value in "∘°" else _prime(left)
    if p.at("{") and p.peek().value in ORDINALS and p.peek().kind in {"text", "word"}:
        raw_argument(p)
        return left
    return Node("power", (left, _exponent(p)))


def _degree_letter(p: Parser) -> bool:
    """Consume the letter o where it is written for a degree sign."""
    braces = p.at("{") and p.peek(2).value == "}"
    letter = p.peek() if braces else p.token
    if letter.kind != "letter" or letter.value != "o":
        return False
    p.position += 3 if braces else 1
    return True


def currency_behind(p: Parser, left: Node) -> Node:
    """Read a currency sign behind a number."""
    return Node("tagged", (left,), units.read_unit(CURRENCIES[p.take().value]))


def _prime(left: Node) -> Node:
    if left.kind != "symbol":
        raise Unreadable("a prime behind no name")
    return Node("symbol", (), left.value + "'")


def _exponent(p: Parser) -> Node:
    if p.accept("-"):
        return Node("negative", (_exponent(p),))
    p.accept("+")
    base = number(read_literal(p.take().value)) if p.token.kind == "number" else atom(p)
    return superscript(p, base) if p.at("^") else base


def _degrees(p: Parser, left: Node) -> Node:
    kind, value, _ = p.token
    if kind in {"letter", "text", "word"} and value[:1] in {"C", "F", "K"}:
        p.take()
        return Node("tagged", (left,), units.read_unit(value))
    return Node("tagged", (left,), units.DEGREE)


def postfix(p: Parser, left: Node) -> Node:
    """Read a factorial, percent, degree or prime sign."""
    sign = p.take().value
    if sign == "!":
        count = 1
        while p.at("!") and p.peek().value != "=":
            p.take()
            count += 1
        if count > 2:
            raise Unreadable("too many factorial signs")
        return Node("function", (left,), "factorial" if count == 1 else "factorial2")
    if sign == "°":
        return _degrees(p, left)
    if sign == "'":
        return _prime(left)
    if p.token.kind in {"number", "letter", "constant", "name"}:
        raise Unreadable("a percent sign inside")
    return Node("tagged", (left,), units.PERCENT if sign == "%" else units.PERMILLE)


def number_token(p: Parser) -> Node:
    """Read one number token as it stands."""
    return number(read_literal(p.take().value))
