"""Compares sets of real numbers: intervals, unions, and inequalities in one variable, in one normal form.

The normal form is a sorted tuple of disjoint intervals (low, whether low is closed, high, whether high is
closed). The endpoints are evaluated to 50 digits.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rise_env.checkers.equivalence.evaluate import Evaluator
from rise_env.checkers.equivalence.scalars import DIGITS
from rise_env.checkers.limits import Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, symbols
from rise_env.checkers.reading.named_values import is_name

Interval = tuple[Any, bool, Any, bool]
ORDER = frozenset({"<", ">", "<=", ">=", "!="})
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "=": "="}
_MAX_INTERVALS = 500
"""Maximal number of intervals of one union."""


class RealSets:
    """Converts trees to sets of real numbers, and keeps the name of the variable that they restrict."""

    def __init__(self, deadline: Deadline) -> None:
        self.evaluator = Evaluator(DIGITS, {}, deadline)
        self.infinity = self.evaluator.context.inf
        self.variable: str | None = None
        self.everything: tuple[Interval, ...] = ((-self.infinity, False, self.infinity, False),)

    def read(self, node: Node) -> tuple[Interval, ...]:
        """Return the set that a tree denotes, in normal form.

        Raises:
            NotDecidable: It denotes no set of real numbers, or one that cannot be converted.
        """
        kind, parts, value = node
        if kind == "reals":
            return self.everything
        if kind == "emptyset":
            return ()
        if kind == "tuple" and len(parts) == 2 and value in {"()", "[]", "(]", "[)"}:
            return self._interval(parts, value)
        if kind == "set":
            ends = [self._endpoint(part) for part in parts]
            return self._union([(end, True, end, True) for end in ends])
        if kind == "union":
            return self._union([interval for part in parts for interval in self.read(part)])
        if kind in {"intersection", "and", "both"}:
            intervals = self.read(parts[0])
            for part in parts[1:]:
                intervals = self._intersection(intervals, self.read(part))
            if kind == "both" and not intervals:  # they cannot hold together, so they are alternatives
                return self.read(node._replace(kind="or"))
            return intervals
        if kind == "or":
            return self._union([interval for part in parts for interval in self.read(part)])
        if kind == "setminus":
            intervals = self.read(parts[0])
            return self._intersection(intervals, self._complement(self.read(parts[1])))
        if kind == "builder":
            element = parts[0]
            if element.kind == "relation" and element.value == ("∈",) and element.parts[1].kind == "reals":
                element = element.parts[0]
            self._bind(element)
            return self.read(parts[1])
        if kind == "relation":
            return self._relation(node)
        raise NotDecidable(f"a {kind} is no set of real numbers")

    def _endpoint(self, node: Node) -> Any:
        sign, inner = (-1, node.parts[0]) if node.kind == "negative" else (1, node)
        if inner == Node("constant", (), "infinity"):
            return sign * self.infinity
        if symbols(node):
            raise NotDecidable("an endpoint with a variable")
        try:
            return self.evaluator.real(node)
        except Undefined:
            raise NotDecidable("an endpoint without a value") from None

    def _bind(self, node: Node) -> None:
        if node.kind != "symbol" or self.variable not in {None, node.value}:
            raise NotDecidable("several variables")
        self.variable = node.value

    def _interval(self, parts: tuple[Node, ...], brackets: str) -> tuple[Interval, ...]:
        low, high = map(self._endpoint, parts)
        if low > high:
            raise NotDecidable("an interval whose lower endpoint is above its upper one")
        closed = brackets[0] == "[" and low != -self.infinity, brackets[1] == "]" and high != self.infinity
        return self._union([(low, closed[0], high, closed[1])])

    # --- relations
    def _relation(self, node: Node) -> tuple[Interval, ...]:
        if node.value == ("∈",) and is_name(node.parts[0]):
            self._bind(node.parts[0])
            return self.read(node.parts[1])
        intervals = self.everything
        for left, sign, right in zip(node.parts, node.value, node.parts[1:], strict=False):
            intervals = self._intersection(intervals, self._inequality(left, sign, right))
        return intervals

    def _inequality(self, left: Node, sign: str, right: Node) -> tuple[Interval, ...]:
        if sign not in _FLIPPED:
            raise NotDecidable(f"the relation {sign}")
        names = symbols(left) | symbols(right)
        if len(names) != 1:
            raise NotDecidable("a relation of no or several variables")
        [name] = names
        self._bind(Node("symbol", (), name))
        if left.kind == "function" and left.value == "abs" and sign in {"<", "<=", ">", ">="}:
            return self._absolute_value(left.parts[0], sign, right)
        if left.kind == "symbol" and not symbols(right):
            return self._half_line(sign, self._endpoint(right))
        if right.kind == "symbol" and not symbols(left):
            return self._half_line(_FLIPPED[sign], self._endpoint(left))
        return self._half_line(*self._solve(left, sign, right, name))

    def _absolute_value(self, inside: Node, sign: str, bound: Node) -> tuple[Interval, ...]:
        if symbols(bound):
            raise NotDecidable("a bound with a variable")
        above = self._inequality(inside, sign, bound)
        below = self._inequality(inside, _FLIPPED[sign], Node("negative", (bound,)))
        return self._intersection(above, below) if "<" in sign else self._union([*above, *below])

    def _solve(self, left: Node, sign: str, right: Node, name: str) -> tuple[str, Any]:
        """Solve a linear relation for its variable; return the sign and the bound."""
        difference = Node("sum", (left, Node("negative", (right,))))
        if any(part.kind in {"function", "root", "big"} and symbols(part) for part in difference.walk()):
            raise NotDecidable("a relation that is not linear")
        values = []
        for at in (0, 1, 2, 5):
            self.evaluator.values[name] = self.evaluator.fraction(Fraction(at))
            try:
                values.append(self.evaluator.real(difference))
            except Undefined:
                raise NotDecidable("a relation that is not linear") from None
        slope = values[1] - values[0]
        error = max(map(abs, values)) * self.evaluator.context.mpf(10) ** (10 - DIGITS)
        if abs(values[2] - values[0] - 2 * slope) > error or abs(values[3] - values[0] - 5 * slope) > error:
            raise NotDecidable("a relation that is not linear")
        if abs(slope) <= error:
            raise NotDecidable("a relation without its variable")
        return (sign if slope > 0 else _FLIPPED[sign]), -values[0] / slope

    def _half_line(self, sign: str, end: Any) -> tuple[Interval, ...]:
        if sign == "=":
            return ((end, True, end, True),)
        if sign == "!=":
            return self._complement(((end, True, end, True),))
        closed = sign in {"<=", ">="} and abs(end) != self.infinity
        if sign in {"<", "<="}:
            return ((-self.infinity, False, end, closed),)
        return ((end, closed, self.infinity, False),)

    # --- set algebra
    def same(self, left: Any, right: Any) -> bool:
        """Return whether two endpoints are equal up to rounding errors."""
        if left == right:
            return True
        if abs(left) == self.infinity or abs(right) == self.infinity:
            return False
        return bool(
            abs(left - right) <= max(abs(left), abs(right)) * self.evaluator.context.mpf(10) ** (8 - DIGITS)
        )

    def _union(self, intervals: list[Interval]) -> tuple[Interval, ...]:
        if len(intervals) > _MAX_INTERVALS:
            raise NotDecidable("a union of too many intervals")
        result: list[Interval] = []
        for interval in sorted(intervals, key=lambda interval: (interval[0], not interval[1])):
            low, low_closed, high, high_closed = interval
            if self.same(low, high) and not (low_closed and high_closed):
                continue
            if result:
                before = result[-1]
                touching = self.same(before[2], low)
                if (touching and (before[3] or low_closed)) or (not touching and low < before[2]):
                    if self.same(before[2], high):
                        end = (before[2], before[3] or high_closed)
                    else:
                        end = (before[2], before[3]) if before[2] > high else (high, high_closed)
                    result[-1] = (before[0], before[1], *end)
                    continue
            result.append(interval)
        return tuple(result)

    def _complement(self, intervals: tuple[Interval, ...]) -> tuple[Interval, ...]:
        result: list[Interval] = []
        low, closed = -self.infinity, False
        for interval in intervals:
            if interval[0] != -self.infinity:
                result.append((low, closed, interval[0], not interval[1]))
            low, closed = interval[2], not interval[3]
        if low != self.infinity:
            result.append((low, closed, self.infinity, False))
        return self._union(result)

    def _intersection(self, left: tuple[Interval, ...], right: tuple[Interval, ...]) -> tuple[Interval, ...]:
        result: list[Interval] = []
        for a in left:
            for b in right:
                low = max((a[0], not a[1]), (b[0], not b[1])) if not self.same(a[0], b[0]) else (
                    a[0], not (a[1] and b[1]))  # fmt: skip
                high = min((a[2], a[3]), (b[2], b[3])) if not self.same(a[2], b[2]) else (a[2], a[3] and b[3])
                if low[0] < high[0] or self.same(low[0], high[0]):
                    result.append((low[0], not low[1], high[0], high[1]))
        return self._union(result)

    def equal(self, left: tuple[Interval, ...], right: tuple[Interval, ...]) -> bool:
        """Return whether two sets in normal form are equal."""
        return len(left) == len(right) and all(
            self.same(a[0], b[0]) and self.same(a[2], b[2]) and (a[1], a[3]) == (b[1], b[3])
            for a, b in zip(left, right, strict=True)
        )


def same_real_set(left: Node, right: Node, deadline: Deadline) -> bool:
    """Return whether two trees denote the same set of real numbers, of one variable if both name one.

    Raises:
        NotDecidable: One of them cannot be converted to a set of real numbers.
    """
    first, second = RealSets(deadline), RealSets(deadline)
    intervals = first.read(left), second.read(right)
    if None not in {first.variable, second.variable} and first.variable != second.variable:
        return False
    return first.equal(*intervals)
