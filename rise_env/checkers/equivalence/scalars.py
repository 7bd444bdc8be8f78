"""Decides whether two scalar expressions are equal at every point where both have a value.

Rational expressions are compared by the modular identity test (`rational.py`). All others are evaluated
to 50 digits at sample points (`sampling.py`). Where the values agree, they are evaluated again to 110 digits:
a rounding error then shrinks with the precision, and a true difference does not. No tolerance accepts a
rounded answer.
"""

from fractions import Fraction
from typing import Any

from rise_env.checkers.equivalence.evaluate import Evaluator, context
from rise_env.checkers.equivalence.rational import PRIMES, evaluate_modulo, rational
from rise_env.checkers.equivalence.sampling import Sample, sample
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, symbols

DIGITS, CONFIRMATION_DIGITS = 50, 110
"""Precision of the first and of the second evaluation, in decimal digits."""
_POINTS = 8
"""Points at which rational expressions are evaluated at most; some may have no value at a point."""
_POINTS_MODULO = 2
"""Points with equal residues after which rational expressions count as equal."""
SCALARS = frozenset(
    "number symbol constant sum product negative quotient power root function apply big based "
    "quantity".split()
)


def is_scalar(node: Node) -> bool:
    """Return whether a tree has only nodes of kinds that denote one number."""
    return all(part.kind in SCALARS for part in node.walk())


def same_value(left: Node, right: Node, deadline: Deadline) -> bool:
    """Return whether two scalar expressions are equal.

    Raises:
        NotDecidable: They have a part that sympy has to evaluate, or that is too large.
        DeadlineExceeded: The time is over.
    """
    if left == right:
        return True
    names = symbols(left) | symbols(right)
    if not names:
        return _same_constant(left, right, deadline)
    try:
        return _same_rational_functions(left, right)
    except (NotDecidable, Undefined):
        return _same_at_points(left, right, sorted(names), deadline)


def _same_constant(left: Node, right: Node, deadline: Deadline) -> bool:
    try:
        return rational(left) == rational(right)
    except Undefined:
        return False
    except NotDecidable:
        pass
    try:
        residues = [(evaluate_modulo(left, prime, 0), evaluate_modulo(right, prime, 0)) for prime in PRIMES]
    except (NotDecidable, Undefined):
        return agree_at(left, right, {}, deadline)
    # two rational numbers of too many digits: they must agree modulo both primes, and in their leading digits
    return all(a == b for a, b in residues) and agree_at(left, right, {}, deadline)


def _same_rational_functions(left: Node, right: Node) -> bool:
    compared = 0
    for point in range(_POINTS):
        prime = PRIMES[point % 2]
        try:
            values = evaluate_modulo(left, prime, point), evaluate_modulo(right, prime, point)
        except Undefined:
            continue
        if values[0] != values[1]:
            return False
        compared += 1
        if compared == _POINTS_MODULO:
            return True
    raise Undefined


def _same_at_points(left: Node, right: Node, names: list[str], deadline: Deadline) -> bool:
    chosen = sample(left, right, names, deadline)
    compared = _compare_at(left, right, chosen, deadline)
    if compared is not None and compared < chosen.needed and chosen.real:  # no common real domain
        compared = _compare_at(left, right, chosen._replace(real=False), deadline)
    if compared is None:
        return False
    if compared < (1 if chosen.smooth else chosen.needed):
        raise NotDecidable("too few points where both have a value")
    return True


def _compare_at(left: Node, right: Node, chosen: Sample, deadline: Deadline) -> int | None:
    """Return at how many points two expressions are equal; None if they differ at one."""
    compared = 0
    undecided: NotDecidable | None = None
    for point in chosen.points:
        try:
            if not agree_at(left, right, point, deadline, real=chosen.real, near=chosen.smooth):
                return None
        except Undefined:
            continue
        except NotDecidable as error:
            if chosen.smooth:
                raise
            undecided = error
            continue
        compared += 1
        if chosen.smooth and compared == chosen.needed:
            return compared
    if undecided is not None and compared < chosen.needed:
        raise undecided
    return compared


def agree_at(
    left: Node,
    right: Node,
    point: dict[str, Fraction],
    deadline: Deadline,
    *,
    real: bool = False,
    near: bool = True,
) -> bool:
    """Return whether two expressions have the same value at one point.

    The point of constants is empty. A constant without a value equals nothing.

    Args:
        left: One expression.
        right: The other one.
        point: The values of the variables.
        deadline: When the evaluation has to end.
        real: Whether only real values count.
        near: Whether the point is near zero, where cancellation does not lose half of the digits.

    Raises:
        Undefined: They have variables, and one of them has no value at this point, or none that is accurate.
    """
    values = [_value(node, point, DIGITS, deadline, real) for node in (left, right)]
    if values[0] is None or values[1] is None:
        if point:
            raise Undefined
        return False
    difference = abs(values[0] - values[1])
    scale = max(abs(values[0]), abs(values[1]))
    if difference == 0 and (scale == 0 or not near):
        return True
    # They differ, unless cancellation lost all digits: then both are tiny, and need the second evaluation.
    different = (
        difference > scale * context(DIGITS).mpf(10) ** (-DIGITS // 2)
        and scale > context(DIGITS).mpf(10) ** -20
    )
    if different and near:
        return False
    digits = CONFIRMATION_DIGITS + _extra_digits(left, right)
    precise = context(digits)
    again = [_value(node, point, digits, deadline, real) for node in (left, right)]
    if again[0] is None or again[1] is None:
        return False
    new_difference = abs(again[0] - again[1])
    scale = max(abs(again[0]), abs(again[1]))
    if new_difference <= scale * precise.mpf(10) ** (-digits + 15):
        return True
    if different and not near:
        for before, value in zip(values, again, strict=True):
            if abs(before - value) > abs(value) * precise.mpf(10) ** (-DIGITS // 2):
                raise Undefined  # far from zero, cancellation has lost the digits
        return False
    # Both values may be rounding errors of an expression that is 0: then their difference has shrunk by about
    # as many digits as the precision has grown.
    return bool(new_difference <= precise.mpf(difference) * precise.mpf(10) ** -40) and difference != 0


def _extra_digits(*nodes: Node) -> int:
    """Return how many more digits small constants need, rounded up so that few contexts are needed."""
    bits = 0
    for node in nodes:
        for part in node.walk():
            if part.kind in {"number", "power", "quotient"}:
                try:
                    bits = max(bits, rational(part).denominator.bit_length())
                except (NotDecidable, Undefined):
                    continue
    return 0 if bits < 150 else 500 * (1 + bits // 1600)


def _value(
    node: Node, point: dict[str, Fraction], digits: int, deadline: Deadline, real: bool = False
) -> Any:
    try:
        return Evaluator(digits, point, deadline, real=real).value(node)
    except Undefined:
        return None


def same_rounded(left: Node, right: Node, digits: int, deadline: Deadline) -> bool:
    """Return whether two constants are equal after both are rounded, half up, to `digits` decimal places."""
    try:
        values = [Evaluator(DIGITS, {}, deadline).real(node) for node in (left, right)]
    except Undefined:
        return False
    scaled = [abs(value) * 10**digits for value in values]
    if max(scaled) > 10 ** (DIGITS - 10):
        raise NotDecidable("a number that is too large to round")
    floor = context(DIGITS).floor
    rounded = [floor(number + context(DIGITS).mpf(0.5)) * (-1 if value < 0 else 1)
               for number, value in zip(scaled, values, strict=True)]  # fmt: skip
    return bool(rounded[0] == rounded[1])
