r"""Commands with a shape of their own: matrices, sums, products, integrals, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rise_env.checkers.limits import MAX_ITEMS, Unreadable
from rise_env.checkers.parsing import operands as atoms
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.vocabulary import PRODUCT, RELATION, SUM

if TYPE_CHECKING:
    from rise_env.checkers.parsing.parser import Parser

_MATRICES = frozenset(
    {"pmatrix", "bmatrix", "matrix", "smallmatrix", "Bmatrix", "vmatrix", "Vmatrix", "array"}
)
_INTEGRALS = frozenset({"int", "oint"})


def command(p: Parser) -> Node:
    """Read what a command begins; refuse the commands that we do not know."""
    name = p.take().value
    if name == "begin":
        return _matrix(p)
    if name in {"sum", "prod"}:
        return _series(p, "sum" if name == "sum" else "product")
    if name in _INTEGRALS:
        return _integral(p)
    if name == "lim":
        return _limit(p)
    raise Unreadable(f"the command \\{name}")


def _matrix(p: Parser) -> Node:
    name = atoms.raw_argument(p)
    if name not in _MATRICES:
        raise Unreadable(f"the environment {name!r}")
    if name == "array" and p.at("{"):
        atoms.raw_argument(p)
    outside, p.bars, p.in_set = (p.bars, p.in_set), 0, False
    rows: list[list[Node]] = [[]]
    while not (p.token.kind == "command" and p.token.value == "end"):
        if p.token.kind == "command" and p.token.value == "\\":
            p.take()
            rows.append([])
        elif p.token.kind == "command" and p.token.value == "hline":
            p.take()
        elif p.accept("&"):
            if not rows[-1]:
                raise Unreadable("an empty entry of a matrix")
        else:
            rows[-1].append(p.relation())
            if sum(map(len, rows)) > MAX_ITEMS:
                raise Unreadable("a matrix of too many entries")
    p.take()
    if atoms.raw_argument(p) != name:
        raise Unreadable("environments that cross")
    p.bars, p.in_set = outside
    rows = [row for row in rows if row]
    if not rows or len({len(row) for row in rows}) != 1:
        raise Unreadable("a matrix with ragged rows")
    node = Node("matrix", tuple(Node("list", tuple(row)) for row in rows))
    return Node("function", (node,), "det") if name == "vmatrix" else node


def _bounds(p: Parser) -> tuple[Node | None, Node | None]:
    below: Node | None = None
    above: Node | None = None
    while p.at("_", "^"):
        if p.accept("_"):
            below = _bound(p)
        else:
            p.take()
            above = _bound(p)
    return below, above


def _bound(p: Parser) -> Node:
    if not p.accept("{"):
        return atoms.argument(p)
    node = p.relation()
    p.expect("}")
    return node


def _series(p: Parser, name: str) -> Node:
    below, above = _bounds(p)
    defined = below is not None and below.kind == "relation" and below.value == ("=",)
    if below is None or above is None or not defined or below.parts[0].kind not in {"symbol", "constant"}:
        raise Unreadable(f"a {name} without bounds")
    variable = Node("symbol", (), below.parts[0].value)
    body = rename(p.expression(SUM if name == "sum" else PRODUCT), below.parts[0], variable)
    return Node("big", (variable, below.parts[1], above, body), name)


def rename(node: Node, old: Node, new: Node) -> Node:
    """Return a tree with one leaf replaced by another."""
    if old == new:
        return node
    return new if node == old else node._replace(parts=tuple(rename(part, old, new) for part in node.parts))


def _integral(p: Parser) -> Node:
    below, above = _bounds(p)
    if (below is None) != (above is None):
        raise Unreadable("an integral with one bound")
    start = p.position
    # the differential ends the integrand: find "d" and a letter, or one word "dx", on this level
    depth = 0
    for place in range(start, len(p.tokens) - 1):
        kind, value, _ = p.tokens[place]
        depth += (value in {"(", "{", "["}) - (value in {")", "}", "]"})
        if depth == 0 and kind == "letter" and value == "d" and p.tokens[place + 1].kind == "letter":
            return _integrate(p, place, p.tokens[place + 1].value, 2, (below, above))
        if depth == 0 and kind == "word" and len(value) == 2 and value[0] == "d":
            return _integrate(p, place, value[1], 1, (below, above))
    raise Unreadable("an integral without a differential")


def _integrate(p: Parser, place: int, name: str, width: int, bounds: tuple[Node | None, Node | None]) -> Node:
    rest = p.tokens[place:]
    p.tokens[place:] = [p.tokens[-1]]
    body = p.relation() if p.token.kind != "end" else Node("number", (), 1)
    if p.token.kind != "end":
        raise Unreadable("an integrand that does not end")
    p.tokens[place:] = rest
    p.position = place + width
    variable = Node("symbol", (), name)
    parts = (variable, body) if bounds[0] is None or bounds[1] is None else (variable, *bounds, body)
    return Node("big", parts, "integral")  # type: ignore[arg-type]


def _limit(p: Parser) -> Node:
    p.expect("_")
    p.expect("{")
    variable = atoms.atom(p)
    p.expect("→")
    target = p.expression(RELATION)
    side = ""
    if p.accept("^"):
        side = atoms.raw_argument(p)
    p.expect("}")
    if variable.kind != "symbol" or side not in {"", "+", "-"}:
        raise Unreadable("a limit of no variable")
    return Node("big", (variable, target, p.expression(SUM)), f"limit{side}")
