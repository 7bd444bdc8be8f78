"""Decides whether two expressions have the same value, at every point where they have one.

Rational expressions are compared exactly (`residues.py`); everything else is evaluated to 50 digits at
a few points, and where the values agree once more to 110 digits, so that a true difference shows however
small it is and a mere rounding error shrinks. No tolerance accepts a rounded answer.
"""

from fractions import Fraction
from typing import Any
from zlib import crc32

from rise_env.checkers.equivalence.evaluate import Evaluator, context
from rise_env.checkers.equivalence.rational import PRIMES, rational, residue
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, symbols

DIGITS, MORE_DIGITS = 50, 110
_POINTS = 8
_ENOUGH = 3
_BRANCHING = frozenset(
    {"ln", "log", "lg", "log2", "arcsin", "arccos", "arcsec", "arccsc", "arccosh", "arctanh"}
)
SCALARS = frozenset(
    "number symbol constant sum product negative quotient power root function apply big based "
    "quantity".split()
)


def is_scalar(node: Node) -> bool:
    """Return whether a tree denotes one number, as far as its kinds tell."""
    return all(part.kind in SCALARS for part in node.walk())


def same_value(left: Node, right: Node, deadline: Deadline) -> bool:
    """Return whether two scalar expressions are equal.

    Raises:
        NotDecidable: They hold something that has to be worked out symbolically, or is too large.
        DeadlineExceeded: The time is over.
    """
    if left == right:
        return True
    names = symbols(left) | symbols(right)
    if not names:
        return _same_constant(left, right, deadline)
    try:
        return _same_residues(left, right)
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
        residues = [(residue(left, prime, 0), residue(right, prime, 0)) for prime in PRIMES]
    except (NotDecidable, Undefined):
        return agree(left, right, {}, deadline)
    # two rational numbers that are too large to write out: equal modulo primes, and in their leading digits
    return all(a == b for a, b in residues) and agree(left, right, {}, deadline)


def _same_residues(left: Node, right: Node) -> bool:
    compared = 0
    for point in range(_POINTS):
        prime = PRIMES[point % 2]
        try:
            values = residue(left, prime, point), residue(right, prime, point)
        except Undefined:
            continue
        if values[0] != values[1]:
            return False
        compared += 1
        if compared == 2:
            return True
    raise Undefined


def _same_at_points(left: Node, right: Node, names: list[str], deadline: Deadline) -> bool:
    compared = 0
    for point in points(left, right, names):
        try:
            if not agree(left, right, point, deadline):
                return False
        except Undefined:
            continue
        compared += 1
        if compared == _ENOUGH:
            break
    if not compared:
        raise NotDecidable("no point where both have a value")
    return True


def points(left: Node, right: Node, names: list[str]) -> list[dict[str, Fraction]]:
    """Return points to evaluate at; positive ones only where roots and logarithms branch."""
    parts = [*left.walk(), *right.walk()]
    absolute = any(part.kind == "function" and part.value == "abs" for part in parts)
    branching = any(
        (part.kind in {"root", "power"} and (part.kind == "root" or not _whole(part.parts[1])))
        or (part.kind == "function" and part.value in _BRANCHING)
        for part in parts
        if any(below.kind == "symbol" for below in part.walk())
    )
    whole = _indices(parts)
    signs = [1] * _POINTS if branching and not absolute else [1, -1] * (_POINTS // 2)
    result = []
    for index, sign in enumerate(signs):
        point: dict[str, Fraction] = {}
        for name in names:
            seed = crc32(f"{name} {index}".encode())
            if name in whole:
                point[name] = Fraction(2 + seed % 11)
            else:
                point[name] = Fraction(sign if crc32(name.encode()) % 2 or index % 4 < 2 else 1) * Fraction(
                    1000 + seed % 8999, 4001
                )
        result.append(point)
    return result


def _whole(exponent: Node) -> bool:
    try:
        return rational(exponent).denominator == 1
    except (NotDecidable, Undefined):
        return False


def _indices(parts: list[Node]) -> frozenset[str]:
    """Return variables that stand for integers: exponents of negative numbers, arguments of factorials."""
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


def agree(left: Node, right: Node, point: dict[str, Fraction], deadline: Deadline) -> bool:
    """Return whether two expressions have the same value at one point.

    Raises:
        Undefined: Both have no value there.
    """
    values = [_value(node, point, DIGITS, deadline) for node in (left, right)]
    if values[0] is None and values[1] is None:
        if point:
            raise Undefined
        return False
    if values[0] is None or values[1] is None:
        if point:
            raise Undefined
        return False
    difference = abs(values[0] - values[1])
    scale = max(abs(values[0]), abs(values[1]))
    if difference == 0 and scale == 0:
        return True
    # far apart, unless all digits were lost: then both are tiny beside the numbers they came from
    if (
        difference > scale * context(DIGITS).mpf(10) ** (-DIGITS // 2)
        and scale > context(DIGITS).mpf(10) ** -20
    ):
        return False
    digits = MORE_DIGITS + _smallness(left, right)
    exact = [_value(node, point, digits, deadline) for node in (left, right)]
    if exact[0] is None or exact[1] is None:
        return False
    finer = context(digits)
    closer = abs(exact[0] - exact[1])
    scale = max(abs(exact[0]), abs(exact[1]))
    if closer <= scale * finer.mpf(10) ** (-digits + 15):
        return True
    return bool(closer <= finer.mpf(difference) * finer.mpf(10) ** -40) and difference != 0


def _smallness(*nodes: Node) -> int:
    """Return how many digits behind the point the constants of trees have, in steps that share arithmetic."""
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
    """Return whether two constants are equal once both are rounded, half up, to so many decimals."""
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
