r"""Finds where expressions change their regime: at the breakpoints of `|x-3|` or `\lfloor x/2 \rfloor`.

The **switches** of an expression are expressions whose sign decides which formula applies: the argument of an
absolute value or sign, the difference of two arguments of a maximum, the radicand of an even root, the
argument of a logarithm. Its **steps** are the arguments of floors and ceilings.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations

from rise_env.checkers.equivalence.evaluate import Evaluator
from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, number, symbols

Point = dict[str, Fraction]

LOGARITHMS = frozenset({"ln", "log", "lg", "log2"})
_SWITCHING = frozenset({"abs", "norm", "sign"}) | LOGARITHMS
_GRID_DIGITS = 15
_GRID = tuple(
    Fraction(sign * mantissa * 10**(power + 3), 10**3)
    for power in range(-2, 4) for mantissa in (1, 2, 3, 5, 7) for sign in (1, -1)
)  # fmt: skip
"""Values between which a switch is searched for changes of its sign."""
_BISECTIONS = 40
_MAX_SWITCHES = 12
_STEP_VALUES = (
    Fraction(-3),
    Fraction(-1),
    Fraction(0),
    Fraction(1),
    Fraction(2),
    Fraction(7),
    Fraction(1000),
)
_OFFSETS = (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(7, 8))


def is_rounding(node: Node) -> bool:
    """Return whether a node is a floor or a ceiling."""
    return node.kind == "function" and node.value in {"floor", "ceil"}


def is_even_root(node: Node) -> bool:
    """Return whether a node is a root, or power with a fixed exponent, that has no value below zero."""
    try:
        if node.kind == "root":
            degree = rational(node.parts[1])
            return degree.denominator != 1 or degree.numerator % 2 == 0
        return node.kind == "power" and rational(node.parts[1]).denominator != 1
    except (NotDecidable, Undefined):
        return node.kind == "root"


def switches(parts: Iterable[Node]) -> list[Node]:
    """Return the different switches of trees whose nodes are `parts`."""
    found: dict[Node, None] = {}
    for part in parts:
        if part.kind == "function" and part.value in _SWITCHING:
            found[part.parts[0]] = None
        elif part.kind == "function" and part.value in {"max", "min"}:
            for first, second in combinations(part.parts, 2):
                found[Node("sum", (first, Node("negative", (second,))))] = None
        elif is_even_root(part):
            found[part.parts[0]] = None
    return [node for node in found if symbols(node)][:_MAX_SWITCHES]


def steps(parts: Iterable[Node]) -> list[Node]:
    """Return the different steps of trees whose nodes are `parts`."""
    found = dict.fromkeys(part.parts[0] for part in parts if is_rounding(part))
    return [node for node in found if symbols(node)][:_MAX_SWITCHES]


def substitute(node: Node, point: Point) -> Node:
    """Return a tree with numbers for some of its variables."""
    if node.kind == "symbol" and node.value in point:
        return number(point[node.value])
    if not node.parts:
        return node
    return node._replace(parts=tuple(substitute(part, point) for part in node.parts))


def _exactly(node: Node, point: Point) -> Fraction | None:
    try:
        return rational(substitute(node, point))
    except (NotDecidable, Undefined):
        return None


def _affine(node: Node, name: str, point: Point) -> tuple[Fraction, Fraction] | None:
    """Return slope and intercept of an expression that is affine in `name`, exactly; None for others."""
    values = [_exactly(node, {**point, name: Fraction(at)}) for at in (0, 1, -2, 5)]
    if any(value is None for value in values):
        return None
    start, one, below, above = (value for value in values if value is not None)
    slope = one - start
    if slope == 0 or below != start - 2 * slope or above != start + 5 * slope:
        return None
    return slope, start


def zeros(node: Node, name: str, point: Point, deadline: Deadline) -> Iterator[Fraction]:
    """Yield values of `name` at which a switch changes its sign; the other variables are those of `point`."""
    if name not in symbols(node):
        return
    affine = _affine(node, name, point)
    if affine is not None:
        yield -affine[1] / affine[0]
        return
    before: tuple[Fraction, bool] | None = None
    for at in sorted({*_GRID, *constants((node,))}):
        sign = _is_positive(node, {**point, name: at}, deadline)
        if sign is None:
            before = None
            continue
        if before is not None and before[1] != sign:
            yield _bisect(node, name, point, before[0], at, deadline)
        before = at, sign


def _bisect(
    node: Node, name: str, point: Point, low: Fraction, high: Fraction, deadline: Deadline
) -> Fraction:
    below = _is_positive(node, {**point, name: low}, deadline)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _is_positive(node, {**point, name: middle}, deadline) == below:
            low = middle
        else:
            high = middle
    return ((low + high) / 2).limit_denominator(10**6)


def _is_positive(node: Node, point: Point, deadline: Deadline) -> bool | None:
    try:
        return bool(Evaluator(_GRID_DIGITS, point, deadline, real=True).real(node) > 0)
    except (NotDecidable, Undefined):
        return None


def step_values(node: Node, name: str, point: Point) -> Iterator[Fraction]:
    """Yield values of `name` at which a step is an integer, and between integers."""
    affine = _affine(node, name, point) if name in symbols(node) else None
    if affine is not None:
        slope, start = affine
        for value in _STEP_VALUES:
            yield from ((value + offset - start) / slope for offset in _OFFSETS)


def constants(parts: Iterable[Node]) -> list[Fraction]:
    """Return the numbers in trees whose nodes are `parts`, with both signs; a few of them."""
    values = {part.value for part in parts if part.kind == "number" and abs(part.value) < 10**6}
    return sorted({sign * value for value in sorted(values)[:8] for sign in (1, -1)})
