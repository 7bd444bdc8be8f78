"""The immutable tree into which every readable answer is parsed.

A node has a kind, parts (its children) and a value. There is one class for all kinds, so that trees can be
hashed, compared and sent as JSON without further code. The kinds are:

| kind | parts | value |
| --- | --- | --- |
| number | | a Fraction |
| symbol | | the name of a variable |
| constant | | "pi", "e", "i" or "infinity" |
| based | | (digits, base), a number in another base |
| sum, product | the terms or factors | |
| negative, quotient, power, root | the operands; of a root: radicand, degree | |
| function | the arguments | the name, as in `vocabulary.FUNCTIONS` |
| apply | the arguments | the name of an unknown function such as f |
| big | see `commands.py` | "sum", "product", "integral", "limit", "limit+" or "limit-" |
| quantity | the number | a `units.Unit` |
| plusminus | left side, right side | "±" or "∓" |
| modulo | the relation or number, the modulus | |
| ratio | the terms | |
| list | the items | ";" if a semicolon separates them |
| set | the elements | |
| tuple | the items | the brackets: "()", "[]", "(]", "[)" or "<>" |
| matrix | the rows, each a list | |
| piecewise | tuples of a value and its condition | |
| approximate | a value that the answer marks as rounded | |
| relation | the sides of a chain | the signs between them |
| and, or, both | relations; "both": with only commas between them | |
| union, intersection, setminus | the sets | |
| builder | the element, the condition | |
| emptyset, nonexistent, reals, integers, positive_integers, rationals, naturals, complexes, ellipsis | | |
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
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.parts:
                stack.extend(node.parts)

    def has(self, kind: str) -> bool:
        """Return whether this node, or one below it, is of a kind."""
        stack = [self]
        while stack:
            node = stack.pop()
            if node.kind == kind:
                return True
            if node.parts:
                stack += node.parts
        return False


def number(value: Fraction | int) -> Node:
    """Return the node of a number."""
    return Node("number", (), value if type(value) is Fraction else Fraction(value))


ZERO, ONE = number(0), number(1)


def depth(node: Node) -> int:
    """Return the number of levels of a tree; 1 for a leaf."""
    levels, level = 0, [node]
    while level:
        levels += 1
        level = [part for above in level for part in above.parts]
    return levels


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
    """Return the tree that `to_json` converted to `data`."""
    kind, parts, value = data
    if kind == "number":
        value = Fraction(value)
    elif isinstance(value, list):
        value = tuple(value)
    return Node(kind, tuple(from_json(part) for part in parts), value)


def show(node: Node) -> str:
    """Return a tree on one line, in prefix notation, for people to read.

    >>> show(Node("sum", (ONE, Node("symbol", (), "x"))))
    '(sum 1 x)'
    """
    if node.kind == "number":
        return str(node.value)
    if node.kind in {"symbol", "constant"}:
        return str(node.value)
    head = node.kind if node.value is None else f"{node.kind}:{node.value}"
    return f"({' '.join([head, *map(show, node.parts)])})" if node.parts else f"({head})"
