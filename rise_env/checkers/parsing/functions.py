r"""Parses functions with their arguments: `\sin^2 2x`, `\log_2 8`, `\sqrt[3]{2}`, `\gcd(12, 18)`."""

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing.brackets import parse_bracket
from rise_env.checkers.parsing.cursor import Cursor
from rise_env.checkers.parsing.operands import (
    parse_argument,
    parse_number_token,
    parse_postfix,
    parse_superscript,
)
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.vocabulary import POSTFIX, STARTS, UNBRACKETED

_INVERSES = {name: f"arc{name}" for name in "sin cos tan cot sec csc sinh cosh tanh".split()}
_MINUS_ONE = Node("negative", (number(1),))


def parse_function(cursor: Cursor) -> Node:
    """Parse a function, its subscript and exponent, and its arguments."""
    name = cursor.take().value
    if name in {"sqrt", "cbrt"}:
        return _parse_root(cursor, 2 if name == "sqrt" else 3)
    if name == "mod":
        raise Unreadable("mod without a left side")
    base: Node | None = None
    power: Node | None = None
    while cursor.at("^", "_"):
        if cursor.accept("_"):
            base = parse_number_token(cursor) if cursor.token.kind == "number" else parse_argument(cursor)
        else:
            raised = parse_superscript(cursor, number(1))
            if raised.kind != "power":
                raise Unreadable("a degree sign on the name of a function")
            power = raised.parts[1]
    if power == _MINUS_ONE and name in _INVERSES:
        name, power = _INVERSES[name], None
    arguments = _parse_arguments(cursor, name)
    if name == "binomial" and len(arguments) != 2:
        raise Unreadable("a binomial coefficient of other than two numbers")
    node = Node("function", arguments, name)
    if base is not None:
        if name != "log":
            raise Unreadable(f"a subscript of {name}")
        node = Node("function", (*node.parts, base), "log")
    return node if power is None else Node("power", (node, power))


def _parse_root(cursor: Cursor, index: int) -> Node:
    degree = number(index)
    if cursor.at("[") and index == 2:
        degree = parse_bracket(cursor)
    if cursor.token.kind == "number":  # unlike TeX, people mean \sqrt12 as the root of twelve
        inside = parse_number_token(cursor)
    elif cursor.at("(", "{"):
        inside = parse_bracket(cursor)
    else:
        inside = parse_argument(cursor)
    return Node("root", (inside, degree))


def _parse_arguments(cursor: Cursor, name: str) -> tuple[Node, ...]:
    if cursor.at("(", "\\{") or (cursor.at("{") and name not in UNBRACKETED):
        inside = parse_bracket(cursor)
        if name == "binomial" and cursor.at("{"):
            return (inside, parse_bracket(cursor))
        return inside.parts if inside.kind in {"tuple", "set"} else (inside,)
    if name == "binomial":
        return (parse_argument(cursor), parse_argument(cursor))
    if name not in UNBRACKETED:
        raise Unreadable(f"{name} without brackets")
    return (_parse_unbracketed_argument(cursor),)


def _parse_unbracketed_argument(cursor: Cursor) -> Node:
    """Parse factors without signs between them, up to an operator or the next function of this sort."""
    if cursor.accept("-"):
        cursor.enter()
        node = Node("negative", (_parse_unbracketed_argument(cursor),))
        cursor.leave()
        return node
    factors = [_parse_factor(cursor)]
    while True:
        kind, value, _ = cursor.token
        continues = (
            kind in {"letter", "constant", "accent"}
            or (kind == "name" and value not in UNBRACKETED)
            or (kind == "command" and value == "frac")
            or (kind == "operator" and value in STARTS and value not in {"(", "["})
        )
        if not continues:
            return factors[0] if len(factors) == 1 else Node("product", tuple(factors))
        factors.append(_parse_factor(cursor))


def _parse_factor(cursor: Cursor) -> Node:
    node = cursor.atom()
    while cursor.at("^", *POSTFIX):
        node = parse_superscript(cursor, node) if cursor.at("^") else parse_postfix(cursor, node)
    return node
