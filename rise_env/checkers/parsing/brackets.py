r"""Brackets: groups, tuples, intervals, sets, set builders, absolute values, floors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.vocabulary import RELATION

if TYPE_CHECKING:
    from rise_env.checkers.parsing.parser import Parser

_AROUND = {
    "⌊": ("⌋", "floor"),
    "⌈": ("⌉", "ceil"),
    "l|": ("r|", "abs"),
    "|": ("|", "abs"),
    "‖": ("‖", "norm"),
}


def bracket(p: Parser) -> Node:
    """Read what a bracket encloses, up to the bracket that closes it."""
    opening = p.token.value
    outside = p.bars, p.in_set
    p.bars, p.in_set = 0, opening == "\\{"
    if opening in _AROUND:
        node = _around(p, *_AROUND[opening])
    elif opening in {"(", "["}:
        node = _parentheses(p, opening)
    elif opening == "{":
        node = _group(p)
    elif opening == "\\{":
        node = _set(p)
    elif opening == "⟨":
        p.take()
        items, _ = p.items()
        p.expect("⟩")
        node = Node("tuple", tuple(items), "<>")
    else:
        raise Unreadable(f"{opening!r} begins nothing")
    p.bars, p.in_set = outside
    return node


def _around(p: Parser, closing: str, name: str) -> Node:
    p.take()
    p.bars = 1 if closing in {"|", "‖"} else 0
    node = p.expression(RELATION)
    if not p.accept(closing) and not (closing == "r|" and p.accept("|")):
        raise Unreadable(f"{closing} is missing")
    return Node("function", (node,), name)


def _parentheses(p: Parser, opening: str) -> Node:
    p.take()
    items, separators = p.items()
    closing = p.token.value
    if not p.accept(")", "]"):
        raise Unreadable("a bracket is not closed")
    if len(items) == 1 and not separators:
        if opening + closing not in {"()", "[]"} or p.tokens[p.position - 2].value in {",", ";"}:
            raise Unreadable("brackets that do not match")
        return items[0]
    if not set(separators) <= {",", ";"}:
        raise Unreadable("words between brackets")
    return Node("tuple", tuple(items), opening + closing)


def _group(p: Parser) -> Node:
    p.take()
    items, _ = p.items()
    if len(items) == 1 and p.at("choose", "over"):
        operation = p.take().value
        parts = (items[0], p.expression(RELATION))
        p.expect("}")
        return Node("quotient", parts) if operation == "over" else Node("function", parts, "binomial")
    p.expect("}")
    return items[0] if len(items) == 1 else Node("set", tuple(items))


def _set(p: Parser) -> Node:
    p.take()
    if p.accept("\\}"):
        return Node("emptyset")
    items, _ = p.items()
    if len(items) == 1 and p.accept("|", ":"):
        conditions, separators = p.items()
        p.expect("\\}")
        condition = conditions[0] if len(conditions) == 1 else Node("and", tuple(conditions))
        if "or" in separators:
            condition = Node("or", tuple(conditions))
        return Node("builder", (items[0], condition))
    p.expect("\\}")
    return Node("set", tuple(items))
