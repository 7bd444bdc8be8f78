"""Compares two trees by their types. The reference leads: it says what kind of thing the answer must be."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from rise_env.checkers.equivalence import equations, matrices, multiple_values, real_sets, unit_match
from rise_env.checkers.equivalence.scalars import is_scalar, same_rounded, same_value
from rise_env.checkers.limits import Deadline, NotDecidable
from rise_env.checkers.parsing.tree import Node, symbols
from rise_env.checkers.policy import Policy
from rise_env.checkers.reading.named_values import (
    as_imaginary,
    definition,
    is_name,
    same_function,
    without_approximation,
    without_point_name,
)

WorkOut = Callable[[Node, Node, Deadline], bool]
"""Decides whether two expressions are equal that need symbolic work."""

_STATEMENTS = frozenset({"and", "or", "both", "union", "intersection", "setminus", "reals", "builder"})
_ORDER = real_sets.ORDER


class Comparison:
    """One comparison under a policy, until a deadline.

    Args:
        policy: What counts as the same.
        deadline: When it has to be over.
        work_out: Decides two scalars that need symbolic work; raises `NotDecidable` where it cannot.
    """

    def __init__(
        self,
        policy: Policy,
        deadline: Deadline,
        work_out: Callable[[Node, Node, Deadline], bool] | None = None,
    ) -> None:
        self.policy = policy
        self.deadline = deadline
        self.work_out = work_out

    def same(self, gold: Node, answer: Node) -> bool:
        """Return whether `answer` is the same mathematical object as `gold`.

        Raises:
            NotDecidable: Nothing here can decide it.
            DeadlineExceeded: The time is over.
        """
        self.deadline.check()
        if gold == answer:
            return True
        gold, answer = without_approximation(gold), without_approximation(answer)
        gold, answer = without_point_name(gold), without_point_name(answer)
        gold, answer = multiple_values.strip_first_name(gold), multiple_values.strip_first_name(answer)
        if gold.kind == "modulo" or answer.kind == "modulo":
            return self._modulo(gold, answer)
        if gold.kind == "relation" or answer.kind == "relation":
            return self._relations(gold, answer)
        if _is_statement(gold) or _is_statement(answer):
            return self._statements(gold, answer)
        return self._objects(gold, answer)

    # --- relations and statements
    def _modulo(self, gold: Node, answer: Node) -> bool:
        if gold.kind == answer.kind:
            return all(self.same(a, b) for a, b in zip(gold.parts, answer.parts, strict=True))
        bare = [node.parts[0] if node.kind == "modulo" else node for node in (gold, answer)]
        return self.same(bare[0], bare[1])

    def _relations(self, gold: Node, answer: Node) -> bool:
        if _has_order(gold) or _has_order(answer):
            return self._statements(gold, answer)
        if gold.kind == answer.kind == "relation":
            return self._two_relations(gold, answer)
        relation, other = (gold, answer) if gold.kind == "relation" else (answer, gold)
        if set(relation.value) == {"∈"} and len(relation.parts) == 2 and is_name(relation.parts[0]):
            inner = relation.parts[1]
            return self.same(inner, other) if relation is gold else self.same(other, inner)
        if not self.policy.equation_as_value:
            return False
        value = self._value_said(relation)
        if value is None:
            return False
        return self.same(value, other) if relation is gold else self.same(other, value)

    def _value_said(self, relation: Node) -> Node | None:
        """Return what an equation says a name is: the end of `x = 2y = 5`."""
        if set(relation.value) != {"="}:
            return None
        constants = [side for side in relation.parts if is_scalar(side) and not symbols(side)]
        for first, second in pairwise(constants):
            if not self.same(first, second):
                return None
        if len(relation.parts) == 2:
            defined = definition(relation)
            if defined is not None:
                return defined[1]
        if all(side.kind == "number" for side in relation.parts):
            return None  # 5 = 5 says nothing
        if is_name(relation.parts[0]) or len(constants) == len(relation.parts):
            return relation.parts[-1]
        return None

    def _two_relations(self, gold: Node, answer: Node) -> bool:
        if _has_order(gold) or _has_order(answer):
            return self._statements(gold, answer)
        defined = definition(gold), definition(answer)
        if defined[0] and defined[1]:
            if defined[0][0] == defined[1][0]:
                return self.same(defined[0][1], defined[1][1])
            if same_function(defined[0], defined[1]):
                return self.same(defined[0][1], defined[1][1])
            if not symbols(defined[0][1]) and not symbols(defined[1][1]):
                return False
        if gold.value == answer.value == ("=",) and all(map(is_scalar, (*gold.parts, *answer.parts))):
            return equations.same_equation(_pair(gold), _pair(answer), self.deadline)
        if len(gold.parts) != len(answer.parts) or set(gold.value) | set(answer.value) == {"="}:
            values = self._value_said(gold), self._value_said(answer)
            same_name = gold.parts[0] == answer.parts[0]
            if values[0] is not None and values[1] is not None and (same_name or len(answer.parts) > 2):
                return self.same(values[0], values[1])
            return False
        return gold.value == answer.value and self._pairwise(gold.parts, answer.parts)

    def _statements(self, gold: Node, answer: Node) -> bool:
        """Compare inequalities, unions and the like, as sets of real numbers where they are."""
        gold, answer = _joined(gold), _joined(answer)
        try:
            return real_sets.same_real_set(gold, answer, self.deadline)
        except NotDecidable:
            pass
        pairs = _inequalities(gold), _inequalities(answer)
        if pairs[0] and pairs[1] and (gold.kind == "or") == (answer.kind == "or"):
            if len(pairs[0]) != len(pairs[1]):
                return False
            return self._match_inequalities(pairs[0], pairs[1])
        if gold.kind == answer.kind in {"union", "intersection"}:
            return multiple_values.matches(gold.parts, answer.parts, self.same)
        if gold.kind == answer.kind in {"setminus", "builder"}:
            return self._pairwise(gold.parts, answer.parts)
        if gold.kind == "relation" and gold.value == ("∈",) and answer.kind != "relation":
            return self.same(gold.parts[1], answer)
        if answer.kind == "relation" and answer.value == ("∈",) and gold.kind != "relation":
            return self.same(gold, answer.parts[1])
        return False

    def _match_inequalities(
        self, gold: list[tuple[Node, str, Node]], answer: list[tuple[Node, str, Node]]
    ) -> bool:
        waiting = list(answer)
        for pair in gold:
            for place, other in enumerate(waiting):
                if equations.same_inequality(pair, other, self.deadline):
                    del waiting[place]
                    break
            else:
                return False
        return True

    # --- objects
    def _objects(self, gold: Node, answer: Node) -> bool:
        gold, answer = multiple_values.expand_tuples(gold), multiple_values.expand_tuples(answer)
        if gold.kind == "ratio" or answer.kind == "ratio":
            return self._ratios(gold, answer)
        if matrices.is_matrix(gold) or matrices.is_matrix(answer):
            return self._matrices(gold, answer)
        if gold.kind == "tuple" or answer.kind == "tuple":
            return self._tuples(gold, answer)
        left, right = multiple_values.values_of(gold), multiple_values.values_of(answer)
        if left is not None or right is not None:
            if left is None or right is None:
                return False
            return self._collections(gold, left, answer, right)
        if is_scalar(gold) and is_scalar(answer):
            return self._scalars(gold, answer)
        same_shape = (gold.kind, gold.value, len(gold.parts)) == (
            answer.kind,
            answer.value,
            len(answer.parts),
        )
        return same_shape and bool(gold.parts) and self._pairwise(gold.parts, answer.parts)

    def _pairwise(self, gold: tuple[Node, ...], answer: tuple[Node, ...]) -> bool:
        return len(gold) == len(answer) and all(self.same(a, b) for a, b in zip(gold, answer, strict=True))

    def _ratios(self, gold: Node, answer: Node) -> bool:
        if gold.kind == answer.kind:
            if len(gold.parts) != len(answer.parts):
                return False
            if self._pairwise(gold.parts, answer.parts):
                return True
            first, last = gold.parts[0], answer.parts[0]
            return all(map(is_scalar, (*gold.parts, *answer.parts))) and all(
                self.same(Node("product", (a, last)), Node("product", (b, first)))
                for a, b in zip(gold.parts, answer.parts, strict=True)
            )
        quotients = [
            Node("quotient", node.parts) if node.kind == "ratio" else node for node in (gold, answer)
        ]
        return all(map(is_scalar, quotients)) and len(quotients[0].parts) <= 2 and self.same(*quotients)

    def _matrices(self, gold: Node, answer: Node) -> bool:
        if matrices.is_matrix(gold) and matrices.is_matrix(answer):
            left, right = matrices.rows(gold), matrices.rows(answer)
            if left is None or right is None:
                return False
            return len(left) == len(right) and all(
                self._pairwise(tuple(a), tuple(b)) for a, b in zip(left, right, strict=True)
            )
        matrix, other = (gold, answer) if matrices.is_matrix(gold) else (answer, gold)
        column = matrices.as_vector(matrix)
        if column is None or other.kind != "tuple" or other.value not in {"()", "<>"}:
            return False
        return self._pairwise(column, other.parts) if matrix is gold else self._pairwise(other.parts, column)

    def _tuples(self, gold: Node, answer: Node) -> bool:
        if gold.kind == answer.kind:
            if not _same_brackets(gold, answer):
                return False
            if self.policy.tuple_order or gold.value not in {"()", "<>"}:
                return self._pairwise(gold.parts, answer.parts)
            return multiple_values.matches(gold.parts, answer.parts, self.same)
        inner, other = (gold, answer) if gold.kind == "tuple" else (answer, gold)
        definitions = multiple_values.read_definitions(other)
        if definitions is not None and inner.value in {"()", "<>"}:
            plain = definitions.plain()
            if plain.kind == "tuple" or definitions.width == len(definitions.names):
                pair = (inner.parts, plain.parts) if inner is gold else (plain.parts, inner.parts)
                return self._pairwise(*pair)
            return False
        if other.kind == "set" and inner is answer and inner.value == "[]" and len(inner.parts) > 2:
            return self.same(gold, Node("set", inner.parts))
        if other.kind != "list":
            return False
        if inner is gold:  # parentheses left out
            return inner.value in {"()", "<>"} and self._pairwise(gold.parts, answer.parts)
        if len(inner.parts) < 3 or inner.value not in {
            "()",
            "[]",
        }:  # two numbers in brackets may be an interval
            return False
        return multiple_values.matches(gold.parts, answer.parts, self.same)

    def _collections(self, gold: Node, left: tuple[Node, ...], answer: Node, right: tuple[Node, ...]) -> bool:
        first, second = multiple_values.read_definitions(gold), multiple_values.read_definitions(answer)
        if first is not None and second is not None:
            return multiple_values.same_definitions(first, second, self.same)
        if first is not None or second is not None:
            plain = [
                node if found is None else found.plain() for node, found in ((gold, first), (answer, second))
            ]
            if "tuple" in {plain[0].kind, plain[1].kind}:
                if "set" in {gold.kind, answer.kind}:
                    return False
                return self._pairwise(plain[0].parts, plain[1].parts)
            left, right = multiple_values.values_of(plain[0]) or (), multiple_values.values_of(plain[1]) or ()
        if self.policy.list_order and gold.kind == answer.kind:
            return self._pairwise(left, right)
        if "set" in {gold.kind, answer.kind}:
            return multiple_values.matches(
                multiple_values.distinct(left, self.same),
                multiple_values.distinct(right, self.same),
                self.same,
            )
        # a value said twice is no further value, unless the reference counts it twice
        once = multiple_values.distinct(right, self.same) if len(right) > len(left) else right
        return multiple_values.matches(left, once, self.same)

    # --- scalars
    def _scalars(self, gold: Node, answer: Node) -> bool:
        if gold.kind == "based" or answer.kind == "based":
            return _same_based(gold, answer)
        if unit_match.split_unit(gold)[1] is not None or unit_match.split_unit(answer)[1] is not None:
            return unit_match.same_quantity(gold, answer, self._bare, self.policy)
        return self._bare(gold, answer)

    def _bare(self, gold: Node, answer: Node) -> bool:
        answer = as_imaginary(gold, answer)
        infinities = _infinity(gold), _infinity(answer)
        if infinities != (0, 0):
            return infinities[0] == infinities[1]
        if equations.is_antiderivative(gold):
            return equations.same_antiderivative(gold, answer, self.deadline)
        if self.policy.digits is not None and not symbols(gold) | symbols(answer):
            return same_rounded(gold, answer, self.policy.digits, self.deadline)
        try:
            return same_value(gold, answer, self.deadline)
        except NotDecidable:
            if self.work_out is None or not any(
                part.kind == "big" for part in (*gold.walk(), *answer.walk())
            ):
                raise
            return self.work_out(
                unit_match.without_units(gold), unit_match.without_units(answer), self.deadline
            )


def _joined(node: Node) -> Node:
    """Read a list of intervals as their union."""
    intervals = node.kind == "list" and all(
        part.kind == "union" or (part.kind == "tuple" and len(part.parts) == 2) for part in node.parts
    )
    return node._replace(kind="union", value=None) if intervals else node


def _pair(relation: Node) -> tuple[Node, Node]:
    return relation.parts[0], relation.parts[1]


def _has_order(node: Node) -> bool:
    return node.kind == "relation" and bool(_ORDER.intersection(node.value))


def _is_statement(node: Node) -> bool:
    return node.kind in _STATEMENTS or _has_order(node)


def _inequalities(node: Node) -> list[tuple[Node, str, Node]]:
    """Return the single inequalities that a chain or a conjunction consists of."""
    if node.kind in {"and", "or", "both"}:
        return [pair for part in node.parts for pair in _inequalities(part)]
    if node.kind != "relation" or not all(map(is_scalar, node.parts)):
        return []
    return list(zip(node.parts, node.value, node.parts[1:], strict=False))


def _same_brackets(gold: Node, answer: Node) -> bool:
    if gold.value == answer.value:
        return True
    round_ones = {"()", "<>"}
    if {gold.value, answer.value} <= round_ones:
        return True
    return len(gold.parts) != 2 and {gold.value, answer.value} <= {*round_ones, "[]"}


def _same_based(gold: Node, answer: Node) -> bool:
    """Compare digits in a base; base ten and a missing base may be left out, bases must not differ."""
    digits: list[str] = []
    bases: list[int] = []
    for node in (gold, answer):
        if node.kind == "based":
            if any(int(digit, 36) >= node.value[1] for digit in node.value[0]):
                return False  # no digit of this base
            digits.append(str(node.value[0]).upper().lstrip("0"))
            bases.append(node.value[1])
        elif node.kind == "number" and node.value.denominator == 1:
            digits.append(str(node.value))
            bases.append(0)
        else:
            return False
    return digits[0] == digits[1] and (bases[0] == bases[1] or 0 in bases)


def _infinity(node: Node) -> int:
    """Return the sign of an infinite value, 0 for all else."""
    if node.kind == "negative":
        return -_infinity(node.parts[0])
    return int(node == Node("constant", (), "infinity"))
