"""The small immutable tree that every readable answer becomes.

A node is a kind, its parts and a value. There is one class, so that trees hash, compare and travel as
JSON without further code. The kinds:

    number      value: Fraction            symbol    value: name        constant  value: pi e i infinity
    sum product                            negative  quotient  power    function  value: name
    apply       value: name, of an unknown function such as f
    plusminus   parts: left, right; value: "±" or "∓"
    list set tuple                         tuple has value "()", "[]", "(]", "[)" or "<>"
    relation    parts: the sides of a chain; value: the signs between them
    and or union intersection setminus     membership (element, set)    builder (element, condition)
    matrix      parts: rows, each a list   ratio     parts: terms       based     value: (digits, base)
    tagged      value: a `units.Unit` name text      value: normalised words
    big         value: sum product integral limit; parts: see `parser_big.py`
    emptyset reals integers naturals rationals complexes ellipsis
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple


class Node(NamedTuple):
    """One node of an answer's tree."""

    kind: str
    parts: tuple["Node", ...] = ()
    value: Any = None

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all below it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.parts)


def number(value: Fraction | int) -> Node:
    """Return a number's node."""
    return Node("number", (), Fraction(value))


ZERO, ONE = number(0), number(1)


def symbols(node: Node) -> frozenset[str]:
    """Return the names of the variables, and of unknown functions, in a tree."""
    return frozenset(part.value for part in node.walk() if part.kind in {"symbol", "apply"})


def to_json(node: Node) -> list[Any]:
    """Return a tree as lists, strings and numbers."""
    value = node.value
    if isinstance(value, Fraction):
        value = f"{value.numerator}/{value.denominator}"
    return [node.kind, [to_json(part) for part in node.parts], value]


def from_json(data: list[Any]) -> Node:
    """Return the tree that `to_json` wrote."""
    kind, parts, value = data
    if kind == "number":
        value = Fraction(value)
    elif isinstance(value, list):
        value = tuple(value)
    return Node(kind, tuple(from_json(part) for part in parts), value)


def show(node: Node) -> str:
    """Return a tree on one line, for people.

    >>> show(Node("sum", (ONE, Node("symbol", (), "x"))))
    '(sum 1 x)'
    """
    if node.kind == "number":
        return str(node.value)
    if node.kind in {"symbol", "constant"}:
        return str(node.value)
    head = node.kind if node.value is None else f"{node.kind}:{node.value}"
    return f"({' '.join([head, *map(show, node.parts)])})" if node.parts else f"({head})"
