"""Equations up to a nonzero factor, inequalities up to a positive one, antiderivatives up to a constant."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rise_env.checkers.equivalence.evaluate import Evaluator, context
from rise_env.checkers.equivalence.rational import PRIMES, residue
from rise_env.checkers.equivalence.scalars import DIGITS, points, same_value
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import ZERO, Node, number, symbols

_NEEDED = 4
_CONSTANTS = ("C", "c", "K", "k", "C_1", "C_0", "c_1", "A", "D", "const")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def difference(left: Node, right: Node) -> Node:
    """Return left - right."""
    return left if right == ZERO else Node("sum", (left, Node("negative", (right,))))


def _ratio_of_residues(left: Node, right: Node) -> bool:
    """Return whether left is a constant multiple of right, both rational and not zero."""
    for prime in PRIMES:
        ratio, compared = None, 0
        for point in range(2 * _NEEDED):
            try:
                above, below = residue(left, prime, point), residue(right, prime, point)
            except Undefined:
                continue
            if below == 0 or above == 0:
                return False
            if ratio is None:
                ratio = above * pow(below, -1, prime) % prime
            elif above != ratio * below % prime:
                return False
            compared += 1
            if compared == _NEEDED:
                break
        if compared < 2:
            raise NotDecidable("no points to compare equations at")
    return True


def _ratios(left: Node, right: Node, deadline: Deadline) -> Iterator[Any]:
    names = sorted(symbols(left) | symbols(right))
    for point in points(left, right, names):
        try:
            above = Evaluator(DIGITS, point, deadline).value(left)
            below = Evaluator(DIGITS, point, deadline).value(right)
        except Undefined:
            continue
        if below == 0 or above == 0:
            yield None
        else:
            yield above / below


def _constant_ratio(left: Node, right: Node, deadline: Deadline) -> Any:
    """Return the constant left / right, or None where it is not constant."""
    ratios = list(_ratios(left, right, deadline))[:_NEEDED]
    if not ratios or None in ratios:
        return None
    tolerance = abs(ratios[0]) * context(DIGITS).mpf(10) ** (15 - DIGITS)
    return ratios[0] if all(abs(ratio - ratios[0]) <= tolerance for ratio in ratios) else None


def same_equation(left: tuple[Node, Node], right: tuple[Node, Node], deadline: Deadline) -> bool:
    """Return whether two equations, each a pair of sides, are multiples of one another."""
    first, second = difference(*left), difference(*right)
    if symbols(first) != symbols(second):
        return False
    if not symbols(first):
        return same_value(left[0], right[0], deadline) and same_value(left[1], right[1], deadline)
    try:
        return _ratio_of_residues(first, second)
    except NotDecidable:
        return _constant_ratio(first, second, deadline) is not None


def same_inequality(left: tuple[Node, str, Node], right: tuple[Node, str, Node], deadline: Deadline) -> bool:
    """Return whether two inequalities are positive multiples of one another, sides exchanged or not."""
    first, second = difference(left[0], left[2]), difference(right[0], right[2])
    if symbols(first) != symbols(second) or not symbols(first):
        return False
    ratio = _constant_ratio(first, second, deadline)
    if ratio is None or isinstance(ratio, context(DIGITS).mpc):
        return False
    sign = right[1] if ratio > 0 else _FLIPPED.get(right[1], right[1])
    return left[1] == sign


def _free_constant(node: Node) -> str | None:
    """Return the name of the constant that an antiderivative adds."""
    names = symbols(node)
    if len(names) < 2 or node.kind not in {"sum", "quotient"}:
        return None
    terms = node.parts if node.kind == "sum" else node.parts[0].parts
    added = {part.value for part in terms if part.kind == "symbol"}
    return next((name for name in _CONSTANTS if name in added), None)


def _without(node: Node, name: str, value: Fraction) -> Node:
    if node.kind == "symbol" and node.value == name:
        return number(value)
    return node._replace(parts=tuple(_without(part, name, value) for part in node.parts))


def is_antiderivative(node: Node) -> bool:
    """Return whether a tree is an expression plus a free constant."""
    return _free_constant(node) is not None


def same_antiderivative(gold: Node, answer: Node, deadline: Deadline) -> bool:
    """Return whether two antiderivatives differ by a constant; both must add a free one."""
    names = _free_constant(gold), _free_constant(answer)
    if names[0] is None or names[1] is None:
        return False
    # a name that only one side uses freely must not be a variable of the other
    if names[0] != names[1] and (names[0] in symbols(answer) or names[1] in symbols(gold)):
        return False
    bare = _without(gold, names[0], Fraction(0)), _without(answer, names[1], Fraction(0))
    if symbols(bare[0]) != symbols(bare[1]):
        return False
    gap = difference(*bare)
    variables = sorted(symbols(gap))
    values = []
    for point in points(*bare, variables):
        try:
            values.append(Evaluator(DIGITS, point, deadline).value(gap))
        except Undefined:
            continue
    if not values:
        raise NotDecidable("no point where both have a value")
    tolerance = context(DIGITS).mpf(10) ** (20 - DIGITS)
    return all(abs(value - values[0]) <= tolerance * max(1, abs(values[0])) for value in values)
