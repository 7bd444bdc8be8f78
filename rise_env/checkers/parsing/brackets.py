r"""Parses brackets: groups, tuples, intervals, sets, set builders, absolute values, floors and ceilings."""

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing.cursor import Cursor
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.vocabulary import RELATION

_DELIMITERS = {
    "⌊": ("⌋", "floor"),
    "⌈": ("⌉", "ceil"),
    "l|": ("r|", "abs"),
    "|": ("|", "abs"),
    "‖": ("‖", "norm"),
}
"""Opening delimiters, to the closing one and the function that they write."""


def parse_bracket(cursor: Cursor) -> Node:
    """Parse a bracket, its content, and the bracket that closes it."""
    opening = cursor.token.value
    enclosing = cursor.open_bars, cursor.in_set
    cursor.open_bars, cursor.in_set = 0, opening == "\\{"
    if opening in _DELIMITERS:
        node = _parse_delimited(cursor, *_DELIMITERS[opening])
    elif opening in {"(", "["}:
        node = _parse_parentheses(cursor, opening)
    elif opening == "{":
        node = _parse_group(cursor)
    elif opening == "\\{":
        node = _parse_set(cursor)
    elif opening == "⟨":
        cursor.take()
        items, _ = cursor.items()
        cursor.expect("⟩")
        node = Node("tuple", tuple(items), "<>")
    else:
        raise Unreadable(f"{opening!r} cannot begin an expression")
    cursor.open_bars, cursor.in_set = enclosing
    return node


def _parse_delimited(cursor: Cursor, closing: str, name: str) -> Node:
    cursor.take()
    cursor.open_bars = 1 if closing in {"|", "‖"} else 0
    node = cursor.expression(RELATION)
    if not cursor.accept(closing) and not (closing == "r|" and cursor.accept("|")):
        raise Unreadable(f"{closing} is missing")
    return Node("function", (node,), name)


def _parse_parentheses(cursor: Cursor, opening: str) -> Node:
    cursor.take()
    items, separators = cursor.items()
    closing = cursor.token.value
    if not cursor.accept(")", "]"):
        raise Unreadable("a bracket is not closed")
    if len(items) == 1 and not separators:
        if opening + closing not in {"()", "[]"} or cursor.tokens[cursor.position - 2].value in {",", ";"}:
            raise Unreadable("brackets that do not match")
        return items[0]
    if not set(separators) <= {",", ";"}:
        raise Unreadable("a list in brackets with words between its items")
    return Node("tuple", tuple(items), opening + closing)


def _parse_group(cursor: Cursor) -> Node:
    cursor.take()
    items, _ = cursor.items()
    if len(items) == 1 and cursor.at("choose", "over"):
        operation = cursor.take().value
        parts = (items[0], cursor.expression(RELATION))
        cursor.expect("}")
        return Node("quotient", parts) if operation == "over" else Node("function", parts, "binomial")
    cursor.expect("}")
    # {1, 2} without backslashes is meant as a set
    return items[0] if len(items) == 1 else Node("set", tuple(items))


def _parse_set(cursor: Cursor) -> Node:
    cursor.take()
    if cursor.accept("\\}"):
        return Node("emptyset")
    items, _ = cursor.items()
    if len(items) == 1 and cursor.accept("|", ":"):
        conditions, separators = cursor.items()
        cursor.expect("\\}")
        condition = conditions[0] if len(conditions) == 1 else Node("and", tuple(conditions))
        if "or" in separators:
            condition = Node("or", tuple(conditions))
        return Node("builder", (items[0], condition))
    cursor.expect("\\}")
    return Node("set", tuple(items))
