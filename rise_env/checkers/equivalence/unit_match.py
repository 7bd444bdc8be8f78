"""Compares quantities: by default a unit, percent or degree sign may be missing, but two units must agree."""

from collections.abc import Callable

from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.limits import NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.units import COUNTED, DEGREE, PERCENT, PERMILLE, Unit, read_unit
from rise_env.checkers.policy import Policy

_UNIT_LETTERS = {"\\mu": "µ", "\\Omega": "Ω"}
_TEMPERATURES = frozenset({"celsius", "fahrenheit"})


def split_unit(node: Node) -> tuple[Node, Unit | None]:
    """Return a number and the unit that applies to the whole of it; None if there is no such unit."""
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
    """Return a tree without units: percentages and degrees are converted to numbers, other units removed."""
    parts = tuple(without_units(part) for part in node.parts)
    if node.kind != "quantity":
        return node._replace(parts=parts)
    if node.value == DEGREE:
        return _to_radians(parts[0])
    return _in_base_units(parts[0], node.value) if node.value in {PERCENT, PERMILLE} else parts[0]


def _to_radians(node: Node) -> Node:
    return Node("quotient", (Node("product", (node, Node("constant", (), "pi"))), number(180)))


def _mentions_pi(node: Node) -> bool:
    return any(part.kind == "constant" and part.value == "pi" for part in node.walk())


def _without_unit_letter(node: Node, unit: Unit) -> Node | None:
    """Return the number of a product such as `12 m` if its last one or two letters are `unit`; else None."""
    if node.kind != "product":
        return None
    for count in (1, 2):
        letters = [_unit_symbol(part) for part in node.parts[-count:]]
        if len(node.parts) <= count or "" in letters:
            return None
        if read_unit("".join(letters)) == unit:
            rest = node.parts[:-count]
            return rest[0] if len(rest) == 1 else Node("product", rest)
    return None


def _unit_symbol(node: Node) -> str:
    """Return how a unit of one letter, or a power of it, is written; "" for other trees."""
    if node.kind == "symbol":
        return _UNIT_LETTERS.get(node.value, str(node.value))
    if node.kind == "power" and node.parts[0].kind == "symbol" and node.parts[1].kind == "number":
        return f"{node.parts[0].value}^{node.parts[1].value}"
    return ""


def same_quantity(reference: Node, answer: Node, same: Callable[[Node, Node], bool], policy: Policy) -> bool:
    """Return whether two quantities are equal; `same` compares their numbers. At least one has a unit."""
    left, unit = split_unit(reference)
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
    if unit.dimension == other.dimension or _without_noun(unit, other) == _without_noun(other, unit):
        return same(_in_base_units(left, unit), _in_base_units(right, other))
    names = {name for name, _ in (*unit.dimension, *other.dimension)}
    return "degree" in names and bool(names & _TEMPERATURES) and same(left, right)


def _without_noun(unit: Unit, other: Unit) -> tuple[tuple[str, int], ...]:
    """Return a compound dimension without nouns if the other one has none."""
    if len(unit.dimension) < 2 or any(name.startswith("#") for name, _ in other.dimension):
        return unit.dimension
    return tuple((name, count) for name, count in unit.dimension if not name.startswith("#"))


def _in_base_units(node: Node, unit: Unit) -> Node:
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
    # a reference below 1 without a sign is a proportion: 0.25 is not 0.25%
    is_proportion = unit is None and _below_one(left)
    may_omit_sign = (
        PERCENT in {unit, other}
        and None in {unit, other}
        and policy.percent == "either"
        and not is_proportion
    )
    if may_omit_sign and same(left, right):
        return True
    return same(
        _in_base_units(left, unit) if unit else left, _in_base_units(right, other) if other else right
    )


def _same_with_one_unit(
    left: Node,
    unit: Unit | None,
    right: Node,
    other: Unit | None,
    same: Callable[[Node, Node], bool],
    policy: Policy,
) -> bool:
    bare, value, known_unit = (right, left, unit) if other is None else (left, right, other)
    assert known_unit is not None
    number_of_bare = _without_unit_letter(bare, known_unit)
    if number_of_bare is not None:
        return same(value, number_of_bare)
    if policy.units == "required":
        return False
    if same(left, right):
        return True
    return known_unit == DEGREE and _mentions_pi(bare) and same(_to_radians(value), bare)
