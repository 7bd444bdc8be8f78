"""Compares equations and inequalities up to a factor, and antiderivatives up to a constant."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rise_env.checkers.equivalence.breakpoints import substitute
from rise_env.checkers.equivalence.evaluate import Evaluator, context
from rise_env.checkers.equivalence.rational import PRIMES, evaluate_modulo
from rise_env.checkers.equivalence.sampling import sample
from rise_env.checkers.equivalence.scalars import CONFIRMATION_DIGITS, DIGITS, same_value
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import ZERO, Node, symbols

_POINTS_NEEDED = 4
"""Points at which a quotient must have the same value to count as constant."""
_INTEGRATION_CONSTANTS = ("C", "c", "K", "k", "C_1", "C_0", "c_1", "A", "D", "const")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def difference(left: Node, right: Node) -> Node:
    """Return left - right."""
    return left if right == ZERO else Node("sum", (left, Node("negative", (right,))))


def _is_constant_multiple(left: Node, right: Node) -> bool:
    """Return whether `left / right` is constant, by the modular identity test; both must be rational."""
    for prime in PRIMES:
        ratio, compared = None, 0
        for point in range(2 * _POINTS_NEEDED):
            try:
                above, below = evaluate_modulo(left, prime, point), evaluate_modulo(right, prime, point)
            except Undefined:
                continue
            if below == 0 or above == 0:
                return False
            if ratio is None:
                ratio = above * pow(below, -1, prime) % prime
            elif above != ratio * below % prime:
                return False
            compared += 1
            if compared == _POINTS_NEEDED:
                break
        if compared < 2:
            raise NotDecidable("no point at which both equations have a value")
    return True


def _ratios(left: Node, right: Node, deadline: Deadline) -> Iterator[Any]:
    names = sorted(symbols(left) | symbols(right))
    chosen = sample(left, right, names, deadline)
    digits = DIGITS if chosen.smooth else CONFIRMATION_DIGITS  # far from zero, cancellation loses digits
    for point in chosen.points:
        try:
            above = Evaluator(digits, point, deadline, real=chosen.real).value(left)
            below = Evaluator(digits, point, deadline, real=chosen.real).value(right)
        except Undefined:
            continue
        if below == above == 0:
            continue
        if below == 0 or above == 0:
            yield None
        else:
            yield above / below


def _constant_ratio(left: Node, right: Node, deadline: Deadline) -> Any:
    """Return the constant left / right, or None where it is not constant."""
    ratios = list(_ratios(left, right, deadline))
    if len(ratios) < _POINTS_NEEDED or None in ratios:
        return None
    tolerance = abs(ratios[0]) * context(DIGITS).mpf(10) ** (15 - DIGITS)
    return ratios[0] if all(abs(ratio - ratios[0]) <= tolerance for ratio in ratios) else None


def same_equation(left: tuple[Node, Node], right: tuple[Node, Node], deadline: Deadline) -> bool:
    """Return whether two equations, each a pair of sides, are the same up to a nonzero factor."""
    first, second = difference(*left), difference(*right)
    if symbols(first) != symbols(second):
        return False
    if not symbols(first):
        return same_value(left[0], right[0], deadline) and same_value(left[1], right[1], deadline)
    try:
        return _is_constant_multiple(first, second)
    except NotDecidable:
        return _constant_ratio(first, second, deadline) is not None


def same_inequality(left: tuple[Node, str, Node], right: tuple[Node, str, Node], deadline: Deadline) -> bool:
    """Return whether two inequalities are the same up to a positive factor, or with their sides exchanged."""
    first, second = difference(left[0], left[2]), difference(right[0], right[2])
    if symbols(first) != symbols(second) or not symbols(first):
        return False
    ratio = _constant_ratio(first, second, deadline)
    if ratio is None or isinstance(ratio, context(DIGITS).mpc):
        return False
    sign = right[1] if ratio > 0 else _FLIPPED.get(right[1], right[1])
    return left[1] == sign


def _integration_constant(node: Node) -> str | None:
    """Return the name of the constant of integration of an antiderivative; None if there is none."""
    names = symbols(node)
    if len(names) < 2 or node.kind not in {"sum", "quotient"}:
        return None
    terms = node.parts if node.kind == "sum" else node.parts[0].parts
    added = {part.value for part in terms if part.kind == "symbol"}
    return next((name for name in _INTEGRATION_CONSTANTS if name in added), None)


def is_antiderivative(node: Node) -> bool:
    """Return whether a tree is an expression plus a constant of integration."""
    return _integration_constant(node) is not None


def same_antiderivative(reference: Node, answer: Node, deadline: Deadline) -> bool:
    """Return whether two antiderivatives differ by a constant; both must have a constant of integration."""
    names = _integration_constant(reference), _integration_constant(answer)
    if names[0] is None or names[1] is None:
        return False
    # the name of the constant of one side must not be a variable of the other
    if names[0] != names[1] and (names[0] in symbols(answer) or names[1] in symbols(reference)):
        return False
    bare = substitute(reference, {names[0]: Fraction(0)}), substitute(answer, {names[1]: Fraction(0)})
    if symbols(bare[0]) != symbols(bare[1]):
        return False
    gap = difference(*bare)
    variables = sorted(symbols(gap))
    values = []
    chosen = sample(*bare, variables, deadline)
    digits = DIGITS if chosen.smooth else CONFIRMATION_DIGITS
    for point in chosen.points:
        try:
            values.append(Evaluator(digits, point, deadline, real=chosen.real).value(gap))
        except Undefined:
            continue
    if not values:
        raise NotDecidable("no point where both have a value")
    tolerance = context(DIGITS).mpf(10) ** (20 - DIGITS)
    return all(abs(value - values[0]) <= tolerance * max(1, abs(values[0])) for value in values)
