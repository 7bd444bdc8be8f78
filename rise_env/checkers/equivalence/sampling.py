r"""Chooses the points at which two expressions are compared, from the expressions themselves.

Polynomials, `\exp(x)` and sines count as equal if they are equal at a few points. Other expressions may agree
in one range of values and differ in another, as `3-x` and `|x-3|` do, so they are compared in many ranges: at
and between the breakpoints (`breakpoints.py`), near and far from zero, at positive and negative, integer and
other values. Variables whose position implies integers get many integers in a row, so that both parities and
all residues of small moduli occur. Such variables are exponents of negative numbers and of numbers that
contain i, arguments of factorials, binomial coefficients, gcd, lcm and mod, and bounds of sums and products.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

from rise_env.checkers.equivalence.breakpoints import (
    LOGARITHMS,
    Point,
    constants,
    is_even_root,
    step_values,
    steps,
    switches,
    zeros,
)
from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, symbols

_SMOOTH_POINTS = 8
_SMOOTH_NEEDED = 3
_REGIME_NEEDED = 4
"""Number of points with equal values that is needed if the expressions are not smooth."""
_MAX_VALUES = 90
"""Maximal number of values that are chosen for a real variable without regard to breakpoints."""
_MAX_POINTS = 160
_KINKED = LOGARITHMS | frozenset(
    "abs norm sign max min floor ceil mod gcd lcm arg Re Im conjugate gamma factorial factorial2 binomial "
    "arcsin arccos arctan arcsec arccsc arccot arccosh arctanh arcsinh".split()
)
_COUNTING = frozenset({"factorial", "factorial2", "binomial"})
_WHOLE = frozenset({"mod", "gcd", "lcm"})
_NEAR = tuple(Fraction(over, 4001) for over in (1, 493, 1301, 2711, 3607, 5003, 6997, 9091))
_FAR = tuple(Fraction(over, 997) for over in (7919, 23431, 104729, 1299709, 10**9 + 7))
_ROUND = tuple(Fraction(over, 2) for over in (0, 1, 2, 3, 4, 6, 7, 20, 200))
_NATURALS = (*range(25), 30, 36, 47, 60, 97, 100, 101)
_NEGATIVES = (*range(-1, -9, -1), -11, -24, -35, -100)


class Sample(NamedTuple):
    """Points at which two expressions are to be compared."""

    points: Sequence[Point]
    needed: int
    """Number of points with equal values to reach. If `smooth`, fewer are accepted where the others have no
    value."""
    smooth: bool
    """Whether a few points are enough: the comparison stops after `needed` points with equal values."""
    real: bool
    """Whether only real values count: then an even root of a negative number has no value."""


def sample(left: Node, right: Node, names: Sequence[str], deadline: Deadline) -> Sample:
    """Return the points for two expressions; the same ones for the same expressions.

    Args:
        left: One expression.
        right: The other one.
        names: The variables of both.
        deadline: When the search for breakpoints has to end.
    """
    parts = list(dict.fromkeys([*left.walk(), *right.walk()]))
    real = not any(part.kind == "constant" and part.value == "i" for part in parts)
    integers, naturals = _integer_variables(parts)
    if not integers and not any(map(_has_kink, parts)):
        return Sample(_smooth_points(names), _SMOOTH_NEEDED, True, real)
    whole = {name: _NATURALS if name in naturals else (*_NATURALS, *_NEGATIVES) for name in integers}
    points = _points(parts, names, whole, deadline)
    return Sample(points, _REGIME_NEEDED, False, real)


def _has_kink(part: Node) -> bool:
    """Return whether a node makes an expression count as not smooth."""
    if part.kind == "function":
        return part.value in _KINKED and bool(symbols(part))
    if part.kind in {"root", "power"}:
        return bool(symbols(part)) and (
            part.kind == "root" or is_even_root(part) or bool(symbols(part.parts[1]))
        )
    return part.kind == "big"


def _integer_variables(parts: Sequence[Node]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the variables whose position implies integers, and those of them that are not negative."""
    whole: set[str] = set()
    counting: set[str] = set()
    for part in parts:
        if part.kind == "power" and symbols(part.parts[1]) and _turns(part.parts[0]):
            whole |= symbols(part.parts[1])
        elif part.kind == "function" and part.value in _WHOLE:
            whole |= symbols(part)
        elif part.kind == "function" and part.value in _COUNTING:
            counting |= symbols(part)
        elif part.kind == "big" and part.value in {"sum", "product"}:
            counting |= symbols(Node("list", part.parts[1:3]))
    return frozenset(whole | counting), frozenset(counting)


def _turns(base: Node) -> bool:
    """Return whether a base is negative or contains i; a variable in its exponent is taken for an integer."""
    if symbols(base):
        return False
    if any(part.kind == "constant" and part.value == "i" for part in base.walk()):
        return True
    try:
        return rational(base) < 0
    except (NotDecidable, Undefined):
        return base.kind == "negative"


def _smooth_points(names: Sequence[str]) -> list[Point]:
    """Return pseudo-random points near zero. Variables whose hashes have the same parity have equal signs."""
    points = []
    for index in range(_SMOOTH_POINTS):
        point: Point = {}
        for name in names:
            # a hash of name and index, so that the points are the same in every process
            seed = crc32(f"{name} {index}".encode())
            # all are positive at even points; variables with an even hash also at points 3 and 7
            positive = index % 2 == 0 or (not crc32(name.encode()) % 2 and index % 4 >= 2)
            point[name] = Fraction(1 if positive else -1) * Fraction(1000 + seed % 8999, 4001)
        points.append(point)
    return points


def _points(
    parts: Sequence[Node], names: Sequence[str], whole: dict[str, tuple[int, ...]], deadline: Deadline
) -> list[Point]:
    """Return points for expressions that are not smooth.

    One variable at a time changes from each starting point. For two or more variables, pseudo-random
    combinations of their values are added.
    """
    signs, roundings, numbers = switches(parts), steps(parts), constants(parts)
    starts = _smooth_points(names)[: 1 if len(names) == 1 else 3]
    for start in starts[1:]:
        for name in names:
            start[name] *= 1 + crc32(name.encode()) % 40
    for start in starts:
        start.update((name, Fraction(crc32(name.encode()) % 7 + 2)) for name in whole)
    values: dict[str, list[Fraction]] = {}
    points: list[Point] = []
    share = _MAX_POINTS // (len(starts) * len(names))
    for name in names:
        if name in whole:
            values[name] = [*map(Fraction, whole[name]), *(n for n in numbers if n.denominator == 1)]
            if name not in whole or whole[name] == _NATURALS:
                values[name] = [value for value in values[name] if value >= 0]
            points += [{**start, name: value} for start in starts for value in values[name][:share]]
            continue
        values[name] = _ordered_values(numbers)
        for start in starts:
            special = [zero for node in signs for zero in zeros(node, name, start, deadline)]
            stepped = [value for node in roundings for value in step_values(node, name, start)]
            own = dict.fromkeys([*_around(special), *stepped, *values[name]])
            points += [{**start, name: value} for value in list(own)[: max(share, 24)]]
    if len(names) > 1:
        for index in range(_MAX_POINTS // 3):
            seeds = {name: crc32(f"{name} {index} combined".encode()) for name in names}
            points.append({name: values[name][seeds[name] % len(values[name])] for name in names})
    return points


def _around(breakpoints: Sequence[Fraction]) -> list[Fraction]:
    """Return the breakpoints, values on both sides of each, and values between them."""
    places = sorted(set(breakpoints))[:24]
    between = [(low + high) / 2 for low, high in pairwise(places)]
    sides = [place + side for place in places for side in (Fraction(-1, 97), Fraction(1, 97), -3, 3)]
    return [*between, *sides, *places]


def _ordered_values(numbers: Sequence[Fraction]) -> list[Fraction]:
    """Return values of a real variable: small fractions, then far values, then values near `numbers`, ..."""
    near = [sign * value for value in _NEAR for sign in (1, -1)]
    far = [sign * value for value in _FAR for sign in (1, -1)]
    plain = [sign * value for value in _ROUND for sign in (1, -1)]
    return list(dict.fromkeys([*near[:8], *far, *_around(numbers), *near[8:], *plain]))[:_MAX_VALUES]
