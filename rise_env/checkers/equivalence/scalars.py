"""Decides whether two scalar expressions are equal at every point where both have a value.

Rational expressions are compared by the modular identity test (`rational.py`). All others are evaluated to
50 digits at a few sample points. Where the values agree, they are evaluated again to 110 digits: a rounding
error then shrinks with the precision, and a true difference does not. No tolerance accepts a rounded answer.
"""

from fractions import Fraction
from typing import Any
from zlib import crc32

from rise_env.checkers.equivalence.evaluate import Evaluator, context
from rise_env.checkers.equivalence.rational import PRIMES, evaluate_modulo, rational
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, symbols

DIGITS, CONFIRMATION_DIGITS = 50, 110
"""Precision of the first and of the second evaluation, in decimal digits."""
_POINTS = 8
"""Points at which two expressions are evaluated at most; some may have no value at a point."""
_POINTS_NEEDED = 3
"""Points with equal values after which two expressions count as equal."""
_POINTS_MODULO = 2
"""The same for the modular identity test."""
_BRANCHING = frozenset(
    {"ln", "log", "lg", "log2", "arcsin", "arccos", "arcsec", "arccsc", "arccosh", "arctanh"}
)
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
    compared = 0
    for point in sample_points(left, right, names):
        try:
            if not agree_at(left, right, point, deadline):
                return False
        except Undefined:
            continue
        compared += 1
        if compared == _POINTS_NEEDED:
            break
    if not compared:
        raise NotDecidable("no point where both have a value")
    return True


def sample_points(left: Node, right: Node, names: list[str]) -> list[dict[str, Fraction]]:
    """Return the same pseudo-random points for the same names, as values of the variables.

    All values are positive if roots or logarithms of variables would have branches at others. Variables that
    can only be integers, such as the n of n!, get integers.
    """
    parts = [*left.walk(), *right.walk()]
    absolute = any(part.kind == "function" and part.value == "abs" for part in parts)
    branching = any(
        (part.kind in {"root", "power"} and (part.kind == "root" or not _is_integer(part.parts[1])))
        or (part.kind == "function" and part.value in _BRANCHING)
        for part in parts
        if any(below.kind == "symbol" for below in part.walk())
    )
    integers = _integer_variables(parts)
    signs = [1] * _POINTS if branching and not absolute else [1, -1] * (_POINTS // 2)
    result = []
    for index, sign in enumerate(signs):
        point: dict[str, Fraction] = {}
        for name in names:
            # a hash of name and index, so that the points are the same in every process
            seed = crc32(f"{name} {index}".encode())
            if name in integers:
                point[name] = Fraction(2 + seed % 11)
            else:
                # half of the variables are positive at every other pair of points, so that signs mix
                positive = not crc32(name.encode()) % 2 and index % 4 >= 2
                point[name] = Fraction(1 if positive else sign) * Fraction(1000 + seed % 8999, 4001)
        result.append(point)
    return result


def _is_integer(exponent: Node) -> bool:
    try:
        return rational(exponent).denominator == 1
    except (NotDecidable, Undefined):
        return False


def _integer_variables(parts: list[Node]) -> frozenset[str]:
    """Return the variables that must be integers: exponents of negative numbers, arguments of factorials."""
    found: set[str] = set()
    for part in parts:
        if part.kind == "power" and part.parts[0].kind == "negative":
            found |= symbols(part.parts[1])
        elif part.kind == "function" and part.value in {"factorial", "binomial", "floor", "ceil", "mod"}:
            found |= symbols(part)
        elif part.kind == "function" and part.value in {"sin", "cos", "tan"}:
            has_pi = any(below.kind == "constant" and below.value == "pi" for below in part.walk())
            found |= symbols(part) & {"n", "k", "m"} if has_pi else frozenset()
        elif part.kind == "big":
            found |= symbols(Node("list", part.parts[1:3]))
    return frozenset(found)


def agree_at(left: Node, right: Node, point: dict[str, Fraction], deadline: Deadline) -> bool:
    """Return whether two expressions have the same value at one point.

    The point of constants is empty. A constant without a value equals nothing.

    Raises:
        Undefined: They have variables, and one of them has no value at this point.
    """
    values = [_value(node, point, DIGITS, deadline) for node in (left, right)]
    if values[0] is None or values[1] is None:
        if point:
            raise Undefined
        return False
    difference = abs(values[0] - values[1])
    scale = max(abs(values[0]), abs(values[1]))
    if difference == 0 and scale == 0:
        return True
    # They differ, unless cancellation lost all digits: then both are tiny, and need the second evaluation.
    if (
        difference > scale * context(DIGITS).mpf(10) ** (-DIGITS // 2)
        and scale > context(DIGITS).mpf(10) ** -20
    ):
        return False
    digits = CONFIRMATION_DIGITS + _extra_digits(left, right)
    precise = context(digits)
    again = [_value(node, point, digits, deadline) for node in (left, right)]
    if again[0] is None or again[1] is None:
        return False
    new_difference = abs(again[0] - again[1])
    scale = max(abs(again[0]), abs(again[1]))
    if new_difference <= scale * precise.mpf(10) ** (-digits + 15):
        return True
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


def _value(node: Node, point: dict[str, Fraction], digits: int, deadline: Deadline) -> Any:
    try:
        return Evaluator(digits, point, deadline).value(node)
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
