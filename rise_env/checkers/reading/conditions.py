r"""Answers with conditions on their variables: `x = \frac\pi4 + k\pi, k \in \mathbb{Z}`, or `2^n, n \ge 1`.

Only one of two answers may have the condition if the name of the variable already implies it: that it is a
real number, or that an index such as n is an integer. The parameter of a family may have another name.
"""

from typing import NamedTuple

from rise_env.checkers.parsing.tree import Node, number, symbols
from rise_env.checkers.reading.named_values import definition

_INDICES = frozenset("k n m l j t p r s q".split())
_INTEGERS = Node("integers")
_DOMAINS = frozenset({"integers", "naturals", "positive_integers", "reals", "rationals", "complexes"})
_REAL_OR_COMPLEX = frozenset({Node("reals"), Node("complexes")})
_LOWER_SIGNS = frozenset({">", ">="})


class Conditional(NamedTuple):
    """An answer, and the conditions on its variables."""

    core: Node
    conditions: tuple[tuple[str, Node], ...]
    """The name of a variable and its condition: a set, or a relation with its name replaced by "#"."""


def split_conditions(node: Node) -> Conditional:
    """Return an answer without the conditions at its end."""
    if node.kind != "list":
        return Conditional(node, ())
    conditions: list[tuple[str, Node]] = []
    parts = node.parts
    while len(parts) > 1 and (found := _condition(parts[-1])) is not None:
        defined = {pair[0] for part in parts[:-1] if (pair := definition(part)) is not None}
        used = any(found[0] in symbols(part) for part in parts[:-1])
        if not used or Node("symbol", (), found[0]) in defined:
            break
        conditions.insert(0, found)
        parts = parts[:-1]
    core = parts[0] if len(parts) == 1 else node._replace(parts=parts)
    return Conditional(core, tuple(conditions))


def _condition(node: Node) -> tuple[str, Node] | None:
    """Return the variable and the condition of `k ∈ ℤ` or `n ≥ 1`; None for other trees."""
    if node.kind != "relation" or len(node.parts) != 2 or node.parts[0].kind != "symbol":
        return None
    name, right = node.parts[0].value, node.parts[1]
    if node.value == ("∈",) and right.kind in _DOMAINS:
        return name, right
    if node.value[0] in _LOWER_SIGNS and right.kind == "number":
        return name, node._replace(parts=(Node("symbol", (), "#"), right))
    return None


def without_implied_conditions(reference: Node, answer: Node) -> tuple[Node, Node] | None:
    """Return two answers without conditions, the parameter of the answer named as that of the reference.

    Returns None if their conditions differ, or if neither has conditions.
    """
    left, right = split_conditions(reference), split_conditions(answer)
    if not left.conditions and not right.conditions:
        return None
    renamed = _with_parameter_of(left, right)
    if left.conditions and renamed.conditions:
        same = dict(left.conditions) == dict(renamed.conditions)
        return (left.core, renamed.core) if same else None
    is_family = any(Node("constant", (), "pi") in core.walk() for core in (left.core, renamed.core))
    if all(_is_implied(*condition, is_family) for condition in (*left.conditions, *renamed.conditions)):
        return left.core, renamed.core
    return None


def _with_parameter_of(reference: Conditional, answer: Conditional) -> Conditional:
    """Return the answer with the integer parameter of the reference, if each has one of another name."""
    own, other = _parameter(answer), _parameter(reference)
    if own is None or other is None or own == other:
        return answer
    if own in symbols(reference.core) or other in symbols(answer.core):
        return answer
    renamed = tuple((other if name == own else name, condition) for name, condition in answer.conditions)
    return Conditional(_rename(answer.core, own, Node("symbol", (), other)), renamed)


def _parameter(answer: Conditional) -> str | None:
    """Return the only integer parameter of an answer: the variable of a condition, or an index letter.

    Without a condition, only `x = ...` and multiples of pi count as families.
    """
    if answer.conditions:
        names = [name for name, _ in answer.conditions]
        return names[0] if len(names) == 1 else None
    core = answer.core
    defined = definition(core)
    if defined is None and Node("constant", (), "pi") not in core.walk():
        return None  # the n of a formula such as 2n may be a variable of the problem
    letters = symbols(core if defined is None else defined[1]) & _INDICES
    return next(iter(letters)) if len(letters) == 1 else None


def _is_implied(name: str, condition: Node, is_family: bool) -> bool:
    """Return whether a condition says nothing new about a variable; a family needs all integers."""
    if condition in _REAL_OR_COMPLEX:
        return True
    if name not in _INDICES:
        return False
    if condition.kind == "relation":
        return not is_family and condition.parts[1].value in {0, 1}
    return condition == _INTEGERS or (condition.kind in {"naturals", "positive_integers"} and not is_family)


def _rename(node: Node, name: str, new: Node) -> Node:
    if node.kind == "symbol" and node.value == name:
        return new
    return node._replace(parts=tuple(_rename(part, name, new) for part in node.parts))


def with_opposite_parameter(reference: Node, answer: Node) -> Node | None:
    """Return the answer with -k for k if the reference is a family with the integer parameter k."""
    conditions = split_conditions(reference).conditions
    if len(conditions) != 1 or conditions[0][1] != _INTEGERS:
        return None
    name = conditions[0][0]
    return _rename(answer, name, Node("product", (number(-1), Node("symbol", (), name))))
