"""Compares two trees by their types: relations, statements, matrices, tuples, lists, scalars.

The reference decides of what type the answer has to be, so the comparison is not symmetric: the answer `1, 2`
counts for the reference `(1, 2)`, and the answer `(1, 2)` does not count for the reference `1, 2`.
"""

from __future__ import annotations

from collections.abc import Callable

from rise_env.checkers.equivalence import (
    equations,
    matrices,
    multiple_values,
    real_sets,
    unit_match,
)
from rise_env.checkers.equivalence.chains import stated_value
from rise_env.checkers.equivalence.scalars import is_scalar, same_rounded, same_value
from rise_env.checkers.limits import Deadline, NotDecidable
from rise_env.checkers.parsing.tree import Node, symbols
from rise_env.checkers.policy import Policy
from rise_env.checkers.reading import conditions
from rise_env.checkers.reading.named_values import (
    definition,
    is_name,
    same_function,
    with_imaginary_unit,
    without_approximation,
    without_point_label,
)

SymbolicEquality = Callable[[Node, Node, Deadline], bool]
"""Decides with sympy whether two expressions are equal."""

_STATEMENTS = frozenset({"and", "or", "both", "union", "intersection", "setminus", "reals", "builder"})
_ORDER = real_sets.ORDER
_MAX_DECIMALS = 30
"""Decimal places of a number without a base that is compared with one in a base."""


class Comparison:
    """One comparison under a policy, until a deadline.

    Args:
        policy: Which answers count as the same.
        deadline: When the comparison has to end.
        equal_symbolically: Decides about scalars that only sympy can evaluate; raises `NotDecidable` if it
            cannot. Without it, such scalars are not decidable.
    """

    def __init__(
        self,
        policy: Policy,
        deadline: Deadline,
        equal_symbolically: SymbolicEquality | None = None,
    ) -> None:
        self.policy = policy
        self.deadline = deadline
        self.equal_symbolically = equal_symbolically

    def same(self, reference: Node, answer: Node) -> bool:
        """Return whether `answer` is the same mathematical object as `reference`.

        Raises:
            NotDecidable: It cannot be decided.
            DeadlineExceeded: The time is over.
        """
        self.deadline.check()
        if reference == answer:
            return True
        if "approximate" in {reference.kind, answer.kind}:
            if self.policy.digits is None:
                return False
            return self.same(_exact(reference), _exact(answer))
        reference, answer = without_approximation(reference), without_approximation(answer)
        reference, answer = without_point_label(reference), without_point_label(answer)
        reference, answer = (
            multiple_values.without_first_name(reference),
            multiple_values.without_first_name(answer),
        )
        bare = conditions.without_implied_conditions(reference, answer)
        if bare is not None:
            opposite = conditions.with_opposite_parameter(reference, bare[1])
            return self.same(*bare) or (opposite is not None and self.same(bare[0], opposite))
        if reference.kind == "modulo" or answer.kind == "modulo":
            return self._modulo(reference, answer)
        if reference.kind == "relation" or answer.kind == "relation":
            return self._relations(reference, answer)
        if _is_statement(reference) or _is_statement(answer):
            return self._statements(reference, answer)
        return self._objects(reference, answer)

    # --- relations and statements
    def _modulo(self, reference: Node, answer: Node) -> bool:
        if reference.kind == answer.kind:
            return all(self.same(a, b) for a, b in zip(reference.parts, answer.parts, strict=True))
        bare = [node.parts[0] if node.kind == "modulo" else node for node in (reference, answer)]
        return self.same(bare[0], bare[1])

    def _relations(self, reference: Node, answer: Node) -> bool:
        if _has_order(reference) or _has_order(answer):
            return self._statements(reference, answer)
        if reference.kind == answer.kind == "relation":
            return self._two_relations(reference, answer)
        relation, other = (reference, answer) if reference.kind == "relation" else (answer, reference)
        if set(relation.value) == {"∈"} and len(relation.parts) == 2 and is_name(relation.parts[0]):
            inner = relation.parts[1]
            return self.same(inner, other) if relation is reference else self.same(other, inner)
        if not self.policy.equation_as_value:
            return False
        is_number = relation is answer and is_scalar(reference) and not symbols(reference)
        value = stated_value(relation, self.same, combinations=is_number)
        if value is None:
            return False
        return self.same(value, other) if relation is reference else self.same(other, value)

    def _two_relations(self, reference: Node, answer: Node) -> bool:
        if _has_order(reference) or _has_order(answer):
            return self._statements(reference, answer)
        defined = definition(reference), definition(answer)
        if defined[0] and defined[1]:
            if defined[0][0] == defined[1][0]:
                return self.same(defined[0][1], defined[1][1])
            if same_function(defined[0], defined[1]):
                return self.same(defined[0][1], defined[1][1])
            if not symbols(defined[0][1]) and not symbols(defined[1][1]):
                return False
        if reference.value == answer.value == ("=",) and all(
            map(is_scalar, (*reference.parts, *answer.parts))
        ):
            return equations.same_equation(_pair(reference), _pair(answer), self.deadline)
        if len(reference.parts) != len(answer.parts) or set(reference.value) | set(answer.value) == {"="}:
            values = stated_value(reference, self.same), stated_value(answer, self.same)
            if values[0] is not None and values[1] is not None and reference.parts[0] in answer.parts:
                return self.same(values[0], values[1])
            return False
        return reference.value == answer.value and self._pairwise(reference.parts, answer.parts)

    def _statements(self, reference: Node, answer: Node) -> bool:
        """Compare inequalities, unions and similar trees: as sets of real numbers if both are such sets."""
        reference, answer = _as_union(reference), _as_union(answer)
        try:
            return real_sets.same_real_set(reference, answer, self.deadline)
        except NotDecidable:
            pass
        pairs = _inequalities(reference), _inequalities(answer)
        if pairs[0] and pairs[1] and (reference.kind == "or") == (answer.kind == "or"):
            if len(pairs[0]) != len(pairs[1]):
                return False
            return self._match_inequalities(pairs[0], pairs[1])
        if reference.kind == answer.kind in {"union", "intersection"}:
            return multiple_values.same_multiset(reference.parts, answer.parts, self.same)
        if reference.kind == answer.kind in {"setminus", "builder"}:
            return self._pairwise(reference.parts, answer.parts)
        if reference.kind == "relation" and reference.value == ("∈",) and answer.kind != "relation":
            return self.same(reference.parts[1], answer)
        if answer.kind == "relation" and answer.value == ("∈",) and reference.kind != "relation":
            return self.same(reference, answer.parts[1])
        return False

    def _match_inequalities(
        self, reference: list[tuple[Node, str, Node]], answer: list[tuple[Node, str, Node]]
    ) -> bool:
        remaining = list(answer)
        for pair in reference:
            for place, other in enumerate(remaining):
                if equations.same_inequality(pair, other, self.deadline):
                    del remaining[place]
                    break
            else:
                return False
        return True

    # --- objects
    def _objects(self, reference: Node, answer: Node) -> bool:
        reference, answer = multiple_values.expand_tuples(reference), multiple_values.expand_tuples(answer)
        if reference.kind == "ratio" or answer.kind == "ratio":
            return self._ratios(reference, answer)
        if matrices.is_matrix(reference) or matrices.is_matrix(answer):
            return self._matrices(reference, answer)
        if reference.kind == "tuple" or answer.kind == "tuple":
            return self._tuples(reference, answer)
        left, right = multiple_values.values_of(reference), multiple_values.values_of(answer)
        if left is not None or right is not None:
            if left is None or right is None:
                return False
            return self._collections(reference, left, answer, right)
        if is_scalar(reference) and is_scalar(answer):
            return self._scalars(reference, answer)
        same_shape = (reference.kind, reference.value, len(reference.parts)) == (
            answer.kind,
            answer.value,
            len(answer.parts),
        )
        return same_shape and bool(reference.parts) and self._pairwise(reference.parts, answer.parts)

    def _pairwise(self, reference: tuple[Node, ...], answer: tuple[Node, ...]) -> bool:
        return len(reference) == len(answer) and all(
            self.same(a, b) for a, b in zip(reference, answer, strict=True)
        )

    def _ratios(self, reference: Node, answer: Node) -> bool:
        if reference.kind == answer.kind:
            if len(reference.parts) != len(answer.parts):
                return False
            if self._pairwise(reference.parts, answer.parts):
                return True
            first, last = reference.parts[0], answer.parts[0]
            return all(map(is_scalar, (*reference.parts, *answer.parts))) and all(
                self.same(Node("product", (a, last)), Node("product", (b, first)))
                for a, b in zip(reference.parts, answer.parts, strict=True)
            )
        quotients = [
            Node("quotient", node.parts) if node.kind == "ratio" else node for node in (reference, answer)
        ]
        return all(map(is_scalar, quotients)) and len(quotients[0].parts) <= 2 and self.same(*quotients)

    def _matrices(self, reference: Node, answer: Node) -> bool:
        if matrices.is_matrix(reference) and matrices.is_matrix(answer):
            left, right = matrices.rows(reference), matrices.rows(answer)
            if left is None or right is None:
                return False
            return len(left) == len(right) and all(
                self._pairwise(tuple(a), tuple(b)) for a, b in zip(left, right, strict=True)
            )
        matrix, other = (reference, answer) if matrices.is_matrix(reference) else (answer, reference)
        column = matrices.as_vector(matrix)
        if column is None or other.kind != "tuple" or other.value not in {"()", "<>"}:
            return False
        return (
            self._pairwise(column, other.parts)
            if matrix is reference
            else self._pairwise(other.parts, column)
        )

    def _tuples(self, reference: Node, answer: Node) -> bool:
        if reference.kind == answer.kind:
            if not _same_brackets(reference, answer):
                return False
            if self.policy.tuple_order or reference.value not in {"()", "<>"}:
                return self._pairwise(reference.parts, answer.parts)
            return multiple_values.same_multiset(reference.parts, answer.parts, self.same)
        inner, other = (reference, answer) if reference.kind == "tuple" else (answer, reference)
        definitions = multiple_values.read_definitions(other)
        if definitions is not None and inner.value in {"()", "<>"}:
            plain = definitions.without_names()
            if plain.kind == "tuple" or definitions.num_names == len(definitions.names):
                pair = (inner.parts, plain.parts) if inner is reference else (plain.parts, inner.parts)
                return self._pairwise(*pair)
            return False
        if other.kind == "set" and inner is answer and inner.value == "[]" and len(inner.parts) > 2:
            return self.same(reference, Node("set", inner.parts))
        if other.kind != "list":
            return False
        if inner is reference:  # the answer omits the parentheses
            return inner.value in {"()", "<>"} and self._pairwise(reference.parts, answer.parts)
        if len(inner.parts) < 3 or inner.value not in {
            "()",
            "[]",
        }:  # two numbers in brackets may be an interval
            return False
        return multiple_values.same_multiset(reference.parts, answer.parts, self.same)

    def _collections(
        self, reference: Node, left: tuple[Node, ...], answer: Node, right: tuple[Node, ...]
    ) -> bool:
        first, second = multiple_values.read_definitions(reference), multiple_values.read_definitions(answer)
        if first is not None and second is not None:
            return multiple_values.same_definitions(first, second, self.same)
        if first is not None or second is not None:
            plain = [
                node if found is None else found.without_names()
                for node, found in ((reference, first), (answer, second))
            ]
            if "tuple" in {plain[0].kind, plain[1].kind}:
                if "set" in {reference.kind, answer.kind}:
                    return False
                return self._pairwise(plain[0].parts, plain[1].parts)
            left, right = multiple_values.values_of(plain[0]) or (), multiple_values.values_of(plain[1]) or ()
        if self.policy.list_order and reference.kind == answer.kind:
            return self._pairwise(left, right)
        if "set" in {reference.kind, answer.kind}:
            return multiple_values.same_multiset(
                multiple_values.distinct(left, self.same),
                multiple_values.distinct(right, self.same),
                self.same,
            )
        # an answer may repeat a value; a reference that repeats one asks for it twice
        once = multiple_values.distinct(right, self.same) if len(right) > len(left) else right
        return multiple_values.same_multiset(left, once, self.same)

    # --- scalars
    def _scalars(self, reference: Node, answer: Node) -> bool:
        if reference.kind == "based" or answer.kind == "based":
            return _same_based(reference, answer)
        if unit_match.split_unit(reference)[1] is not None or unit_match.split_unit(answer)[1] is not None:
            return unit_match.same_quantity(reference, answer, self._bare, self.policy)
        return self._bare(reference, answer)

    def _bare(self, reference: Node, answer: Node) -> bool:
        answer = with_imaginary_unit(reference, answer)
        infinities = _infinity(reference), _infinity(answer)
        if infinities != (0, 0):
            return infinities[0] == infinities[1]
        if equations.is_antiderivative(reference):
            return equations.same_antiderivative(reference, answer, self.deadline)
        if self.policy.digits is not None and not symbols(reference) | symbols(answer):
            return same_rounded(reference, answer, self.policy.digits, self.deadline)
        try:
            return same_value(reference, answer, self.deadline)
        except NotDecidable:
            if self.equal_symbolically is None or not any(
                part.kind == "big" for part in (*reference.walk(), *answer.walk())
            ):
                raise
            return self.equal_symbolically(
                unit_match.without_units(reference), unit_match.without_units(answer), self.deadline
            )


def _exact(node: Node) -> Node:
    return node.parts[0] if node.kind == "approximate" else node


def _as_union(node: Node) -> Node:
    """Return the union of the intervals for a list of intervals, and every other tree as it is."""
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
    """Return the single inequalities of a chain or of joined relations; an empty list for other trees."""
    if node.kind in {"and", "or", "both"}:
        return [pair for part in node.parts for pair in _inequalities(part)]
    if node.kind != "relation" or not all(map(is_scalar, node.parts)):
        return []
    return list(zip(node.parts, node.value, node.parts[1:], strict=False))


def _same_brackets(reference: Node, answer: Node) -> bool:
    if reference.value == answer.value:
        return True
    round_ones = {"()", "<>"}
    if {reference.value, answer.value} <= round_ones:
        return True
    return len(reference.parts) != 2 and {reference.value, answer.value} <= {*round_ones, "[]"}


def _same_based(reference: Node, answer: Node) -> bool:
    """Compare numbers in a base by their digits. One side may omit its base; two bases must be equal."""
    digits: list[str] = []
    bases: list[int] = []
    for node in (reference, answer):
        if node.kind == "based":
            if any(int(digit, 36) >= node.value[1] for digit in node.value[0].replace(".", "")):
                return False  # not a digit of this base
            digits.append(_without_zeros(node.value[0]))
            bases.append(node.value[1])
        elif node.kind == "number" and 10**_MAX_DECIMALS % node.value.denominator == 0:
            shifted = str(node.value * 10**_MAX_DECIMALS).rjust(_MAX_DECIMALS, "0")
            digits.append(_without_zeros(f"{shifted[:-_MAX_DECIMALS]}.{shifted[-_MAX_DECIMALS:]}"))
            bases.append(0)
        else:
            return False
    return digits[0] == digits[1] and (bases[0] == bases[1] or 0 in bases)


def _without_zeros(digits: str) -> str:
    """Return the digits of a number without zeros that mean nothing."""
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits).upper().lstrip("0")


def _infinity(node: Node) -> int:
    """Return the sign of an infinite value, and 0 for every other tree."""
    if node.kind == "negative":
        return -_infinity(node.parts[0])
    return int(node == Node("constant", (), "infinity"))
