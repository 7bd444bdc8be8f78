r"""Parses commands with a syntax of their own: matrices, sums, products, integrals, limits.

The parts of a node of the kind "big" are: of a sum or product (variable, first, last, term); of an integral
(variable, integrand) or (variable, lower, upper, integrand); of a limit (variable, target, expression).
"""

from rise_env.checkers.limits import MAX_ITEMS, Unreadable
from rise_env.checkers.parsing.cursor import Cursor
from rise_env.checkers.parsing.operands import parse_argument
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.vocabulary import PRODUCT, RELATION, RELATIONS, SUM

_MATRICES = frozenset(
    {"pmatrix", "bmatrix", "matrix", "smallmatrix", "Bmatrix", "vmatrix", "Vmatrix", "array"}
)
_SYSTEMS = frozenset({"cases", "aligned", "align", "align*", "gathered", "split", "rcases"})
"""LaTeX environments of systems of relations and of piecewise functions."""
_CONDITION_WORDS = frozenset({"if", "when", "for", "otherwise", "else", "if and only if"})
_INTEGRALS = frozenset({"int", "oint"})


def parse_command(cursor: Cursor) -> Node:
    """Parse a command and its arguments.

    Raises:
        Unreadable: The command is unknown, or its arguments cannot be parsed.
    """
    name = cursor.take().value
    if name == "begin":
        return _parse_matrix(cursor)
    if name in {"sum", "prod"}:
        return _parse_series(cursor, "sum" if name == "sum" else "product")
    if name in _INTEGRALS:
        return _parse_integral(cursor)
    if name == "lim":
        return _parse_limit(cursor)
    raise Unreadable(f"the command \\{name}")


def _parse_matrix(cursor: Cursor) -> Node:
    name = cursor.raw_argument()
    if name not in _MATRICES | _SYSTEMS:
        raise Unreadable(f"the environment {name!r}")
    if name == "array" and cursor.at("{"):
        cursor.raw_argument()
    if name in _SYSTEMS:
        _remove_alignment(cursor)
    enclosing, cursor.open_bars, cursor.in_set = (cursor.open_bars, cursor.in_set), 0, False
    rows: list[list[Node]] = [[]]
    while not (cursor.token.kind == "command" and cursor.token.value == "end"):
        if cursor.token.kind == "command" and cursor.token.value == "\\":
            cursor.take()
            rows.append([])
        elif cursor.token.kind == "command" and cursor.token.value == "hline":
            cursor.take()
        elif cursor.accept("&"):
            if not rows[-1] and name not in _SYSTEMS:
                raise Unreadable("an empty entry of a matrix")
        elif (
            name in _SYSTEMS
            and cursor.token.kind in {"text", "word"}
            and (cursor.token.value.strip(" ,").lower() in _CONDITION_WORDS)
        ):
            cursor.take()
        elif name in _SYSTEMS | {"array"} and cursor.accept(",", ";"):
            if not rows[-1]:
                raise Unreadable("an entry that begins with a comma")
        else:
            rows[-1].append(cursor.relation())
            if sum(map(len, rows)) > MAX_ITEMS:
                raise Unreadable("a matrix of too many entries")
    cursor.take()
    if cursor.raw_argument() != name:
        raise Unreadable("an environment that is closed by another name")
    cursor.open_bars, cursor.in_set = enclosing
    rows = [row for row in rows if row]
    if rows and (system := _as_system(rows)) is not None and name in _SYSTEMS | {"array"}:
        return system
    if name in _SYSTEMS:
        return _as_piecewise(rows)
    if not rows or len({len(row) for row in rows}) != 1:
        raise Unreadable("a matrix whose rows have different lengths")
    node = Node("matrix", tuple(Node("list", tuple(row)) for row in rows))
    return Node("function", (node,), "det") if name == "vmatrix" else node


def _remove_alignment(cursor: Cursor) -> None:
    """Remove the signs that only align the relations of a system: `x &= 1`."""
    tokens = cursor.tokens
    for place in range(len(tokens) - 2, cursor.position, -1):
        after = tokens[place + 1]
        if tokens[place].value == "&" and after.kind == "operator" and after.value in RELATIONS:
            del tokens[place]


def _as_system(rows: list[list[Node]]) -> Node | None:
    """Return the equations of a system as a list; None for a single row, or if an item is no equation."""
    items = [item for row in rows for item in row]
    if len(rows) < 2 or any(item.kind != "relation" or "=" not in item.value for item in items):
        return None
    return Node("list", tuple(items))


def _as_piecewise(rows: list[list[Node]]) -> Node:
    """Return a piecewise function. A row has a value and its condition; the last may have no condition."""
    if not rows or any(len(row) != 2 for row in rows[:-1]) or len(rows[-1]) not in {1, 2}:
        raise Unreadable("cases that are neither a system nor values with conditions")
    return Node("piecewise", tuple(Node("tuple", tuple(row), "()") for row in rows))


def _parse_bounds(cursor: Cursor) -> tuple[Node | None, Node | None]:
    below: Node | None = None
    above: Node | None = None
    while cursor.at("_", "^"):
        if cursor.accept("_"):
            below = _parse_bound(cursor)
        else:
            cursor.take()
            above = _parse_bound(cursor)
    return below, above


def _parse_bound(cursor: Cursor) -> Node:
    if not cursor.accept("{"):
        return parse_argument(cursor)
    node = cursor.relation()
    cursor.expect("}")
    return node


def _parse_series(cursor: Cursor, name: str) -> Node:
    below, above = _parse_bounds(cursor)
    defined = below is not None and below.kind == "relation" and below.value == ("=",)
    if below is None or above is None or not defined or below.parts[0].kind not in {"symbol", "constant"}:
        raise Unreadable(f"a {name} without bounds")
    variable = Node("symbol", (), below.parts[0].value)
    body = _replace_leaf(cursor.expression(SUM if name == "sum" else PRODUCT), below.parts[0], variable)
    return Node("big", (variable, below.parts[1], above, body), name)


def _replace_leaf(node: Node, old: Node, new: Node) -> Node:
    """Return a tree in which the leaf `old` is replaced by `new`."""
    if old == new:
        return node
    return (
        new
        if node == old
        else node._replace(parts=tuple(_replace_leaf(part, old, new) for part in node.parts))
    )


def _parse_integral(cursor: Cursor) -> Node:
    below, above = _parse_bounds(cursor)
    if (below is None) != (above is None):
        raise Unreadable("an integral with one bound")
    start = cursor.position
    # the differential ends the integrand: "d" and a letter, or the word "dx", outside of brackets
    depth = 0
    for place in range(start, len(cursor.tokens) - 1):
        kind, value, _ = cursor.tokens[place]
        depth += (value in {"(", "{", "["}) - (value in {")", "}", "]"})
        if depth == 0 and kind == "letter" and value == "d" and cursor.tokens[place + 1].kind == "letter":
            return _parse_integrand(cursor, place, cursor.tokens[place + 1].value, 2, (below, above))
        if depth == 0 and kind == "word" and len(value) == 2 and value[0] == "d":
            return _parse_integrand(cursor, place, value[1], 1, (below, above))
    raise Unreadable("an integral without a differential")


def _parse_integrand(
    cursor: Cursor, place: int, name: str, width: int, bounds: tuple[Node | None, Node | None]
) -> Node:
    """Parse the integrand, which ends at `place`, where its differential of `width` tokens begins."""
    rest = cursor.tokens[place:]
    cursor.tokens[place:] = [cursor.tokens[-1]]
    body = cursor.relation() if cursor.token.kind != "end" else Node("number", (), 1)
    if cursor.token.kind != "end":
        raise Unreadable("an integrand that cannot be parsed up to its differential")
    cursor.tokens[place:] = rest
    cursor.position = place + width
    variable = Node("symbol", (), name)
    parts = (variable, body) if bounds[0] is None or bounds[1] is None else (variable, *bounds, body)
    return Node("big", parts, "integral")  # type: ignore[arg-type]


def _parse_limit(cursor: Cursor) -> Node:
    cursor.expect("_")
    cursor.expect("{")
    variable = cursor.atom()
    cursor.expect("→")
    target = cursor.expression(RELATION)
    side = ""
    if cursor.accept("^"):
        side = cursor.raw_argument()
    cursor.expect("}")
    if variable.kind != "symbol" or side not in {"", "+", "-"}:
        raise Unreadable("a limit without a variable, or from an unknown side")
    return Node("big", (variable, target, cursor.expression(SUM)), f"limit{side}")
