r"""Function names with their arguments: `\sin^2 2x`, `\log_2 8`, `sqrt(3)`, `\sqrt[3]{2}`, `\gcd(12, 18)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing import brackets as parser_brackets
from rise_env.checkers.parsing import operands as atoms
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.vocabulary import LOOSE, POSTFIX, STARTS

if TYPE_CHECKING:
    from rise_env.checkers.parsing.parser import Parser

_INVERSES = {name: f"arc{name}" for name in "sin cos tan cot sec csc sinh cosh tanh".split()}
_MINUS_ONE = Node("negative", (number(1),))


def function(p: Parser) -> Node:
    """Read a function and its argument."""
    name = p.take().value
    if name in {"sqrt", "cbrt"}:
        return _root(p, 2 if name == "sqrt" else 3)
    if name == "mod":
        raise Unreadable("mod without a left side")
    base: Node | None = None
    power: Node | None = None
    while p.at("^", "_"):
        if p.accept("_"):
            base = atoms.number_token(p) if p.token.kind == "number" else atoms.argument(p)
        else:
            raised = atoms.superscript(p, number(1))
            if raised.kind != "power":
                raise Unreadable("degrees of a function")
            power = raised.parts[1]
    if power == _MINUS_ONE and name in _INVERSES:
        name, power = _INVERSES[name], None
    node = Node("function", _arguments(p, name), name)
    if base is not None:
        if name != "log":
            raise Unreadable(f"a subscript of {name}")
        node = Node("function", (*node.parts, base), "log")
    return node if power is None else Node("power", (node, power))


def _root(p: Parser, index: int) -> Node:
    degree = number(index)
    if p.at("[") and index == 2:
        degree = parser_brackets.bracket(p)
    if p.token.kind == "number":  # \sqrt12 is meant as the root of twelve
        inside = atoms.number_token(p)
    elif p.at("(", "{"):
        inside = parser_brackets.bracket(p)
    else:
        inside = atoms.argument(p)
    return Node("root", (inside, degree))


def _arguments(p: Parser, name: str) -> tuple[Node, ...]:
    if p.at("(", "\\{") or (p.at("{") and name not in LOOSE):
        inside = parser_brackets.bracket(p)
        if name == "binomial" and p.at("{"):
            return (inside, parser_brackets.bracket(p))
        return inside.parts if inside.kind in {"tuple", "set"} else (inside,)
    if name == "binomial":
        return (atoms.argument(p), atoms.argument(p))
    if name not in LOOSE:
        raise Unreadable(f"{name} without brackets")
    return (_loose_argument(p),)


def _loose_argument(p: Parser) -> Node:
    """Read factors without signs between them, up to an operator or the next such function."""
    if p.accept("-"):
        return Node("negative", (_loose_argument(p),))
    factors = [_factor(p)]
    while True:
        kind, value, _ = p.token
        goes_on = (
            kind in {"letter", "constant", "accent"}
            or (kind == "name" and value not in LOOSE)
            or (kind == "command" and value in {"frac", "dfrac", "tfrac"})
            or (kind == "operator" and value in STARTS and value not in {"(", "["})
        )
        if not goes_on:
            return factors[0] if len(factors) == 1 else Node("product", tuple(factors))
        factors.append(_factor(p))


def _factor(p: Parser) -> Node:
    node = atoms.atom(p)
    while p.at("^", *POSTFIX):
        node = atoms.superscript(p, node) if p.at("^") else atoms.postfix(p, node)
    return node
