"""Units, percent and degrees: tags of a value that may be left out but not changed."""

from collections.abc import Callable

from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.limits import NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.units import COUNTED, DEGREE, PERCENT, PERMILLE, Unit, read_unit
from rise_env.checkers.policy import Policy

_CELSIUS = frozenset({"celsius", "fahrenheit"})


def split_unit(node: Node) -> tuple[Node, Unit | None]:
    """Return a value and the unit that belongs to the whole of it."""
    kind, parts, value = node
    if kind == "quantity":
        inner, below = split_unit(parts[0])
        return (parts[0], value) if below is None else (inner, value if below == COUNTED else below)
    if kind == "negative":
        inner, unit = split_unit(parts[0])
        return (node, None) if unit is None else (Node("negative", (inner,)), unit)
    if kind in {"product", "sum", "plusminus"}:
        inner, unit = split_unit(parts[-1])
        if unit is None or (kind != "product" and unit in {PERCENT, PERMILLE}):
            return node, None
        if kind != "product":
            parts = tuple(split_unit(part)[0] for part in parts)
        return Node(kind, (*parts[:-1], inner), value), unit
    return node, None


def without_units(node: Node) -> Node:
    """Return a tree with percent and degrees worked in, and other units left out."""
    parts = tuple(without_units(part) for part in node.parts)
    if node.kind != "quantity":
        return node._replace(parts=parts)
    if node.value == DEGREE:
        return _in_radians(parts[0])
    return _scaled(parts[0], node.value) if node.value in {PERCENT, PERMILLE} else parts[0]


def _in_radians(node: Node) -> Node:
    return Node("quotient", (Node("product", (node, Node("constant", (), "pi"))), number(180)))


def _mentions_pi(node: Node) -> bool:
    return any(part.kind == "constant" and part.value == "pi" for part in node.walk())


def _unit_letter(node: Node, unit: Unit) -> Node | None:
    """Return `12 m` without its last letter where that letter is the unit in question."""
    if node.kind != "product" or node.parts[-1].kind != "symbol" or len(node.parts) < 2:
        return None
    if read_unit(node.parts[-1].value) != unit:
        return None
    return node.parts[0] if len(node.parts) == 2 else Node("product", node.parts[:-1])


def same_quantity(gold: Node, answer: Node, same: Callable[[Node, Node], bool], policy: Policy) -> bool:
    """Compare two values of which at least one has a unit; `same` compares bare values."""
    left, unit = split_unit(gold)
    right, other = split_unit(answer)
    unit = None if unit == COUNTED else unit
    other = None if other == COUNTED else other
    if unit == other:
        return same(left, right)
    if PERCENT in {unit, other} or PERMILLE in {unit, other}:
        return _same_percentage(left, unit, right, other, same, policy)
    if policy.units == "ignored":
        return same(left, right)
    if unit is None or other is None:
        return _same_with_one_unit(left, unit, right, other, same, policy)
    if unit.dimension == other.dimension:
        return same(_scaled(left, unit), _scaled(right, other))
    names = {name for name, _ in (*unit.dimension, *other.dimension)}
    return "degree" in names and bool(names & _CELSIUS) and same(left, right)


def _scaled(node: Node, unit: Unit) -> Node:
    return Node("product", (node, number(unit.factor)))


def _below_one(node: Node) -> bool:
    try:
        return 0 < abs(rational(node)) < 1
    except (NotDecidable, Undefined):
        return False


def _same_percentage(
    left: Node,
    unit: Unit | None,
    right: Node,
    other: Unit | None,
    same: Callable[[Node, Node], bool],
    policy: Policy,
) -> bool:
    if unit is not None and other is not None and not {unit, other} <= {PERCENT, PERMILLE}:
        return False
    # a reference below 1 without a sign is a share, and no percentage of that figure
    added = unit is None and _below_one(left)
    bare = PERCENT in {unit, other} and None in {unit, other} and policy.percent == "either" and not added
    if bare and same(left, right):
        return True
    return same(_scaled(left, unit) if unit else left, _scaled(right, other) if other else right)


def _same_with_one_unit(
    left: Node,
    unit: Unit | None,
    right: Node,
    other: Unit | None,
    same: Callable[[Node, Node], bool],
    policy: Policy,
) -> bool:
    bare, value, tag = (right, left, unit) if other is None else (left, right, other)
    assert tag is not None
    named = _unit_letter(bare, tag)
    if named is not None:
        return same(value, named)
    if policy.units == "required":
        return False
    if same(left, right):
        return True
    return tag == DEGREE and _mentions_pi(bare) and same(_in_radians(value), bare)
