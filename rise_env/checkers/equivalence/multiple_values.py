"""Compares answers of several values: lists, sets, `±`, and lists of definitions such as `x = 1, y = 2`."""

from collections.abc import Callable, Sequence
from itertools import product as combinations

from rise_env.checkers.limits import MAX_ITEMS
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.reading.named_values import definition

Same = Callable[[Node, Node], bool]


def expand_plus_minus(node: Node) -> tuple[Node, ...]:
    """Return the two values of an expression with plus-minus signs: all upper signs, and all lower signs."""
    if not node.has("plusminus"):
        return (node,)
    values = tuple(_with_sign(node, sign) for sign in (1, -1))
    return values if values[0] != values[1] else values[:1]


def _with_sign(node: Node, sign: int) -> Node:
    parts = tuple(_with_sign(part, sign) for part in node.parts)
    if node.kind != "plusminus":
        return node._replace(parts=parts)
    left, right = parts
    plus = (node.value == "±") == (sign == 1)
    return Node("sum", (left, right if plus else Node("negative", (right,))))


def values_of(node: Node) -> tuple[Node, ...] | None:
    """Return the values of a list, a set or an expression with `±`; None for a single value."""
    if node.kind in {"list", "set"}:
        values = [value for part in node.parts for value in expand_plus_minus(part)]
        return tuple(values[:MAX_ITEMS])
    if node.kind == "emptyset":
        return ()
    values = list(expand_plus_minus(node))
    return tuple(values) if len(values) > 1 else None


def same_multiset(left: Sequence[Node], right: Sequence[Node], same: Same) -> bool:
    """Return whether two multisets are equal: the same values, each as often, in any order."""
    if len(left) != len(right):
        return False
    remaining = list(right)
    unmatched = []
    for value in left:  # first those that are equal as trees, which costs little
        if value in remaining:
            remaining.remove(value)
        else:
            unmatched.append(value)
    for value in unmatched:
        for place, other in enumerate(remaining):
            if same(value, other):
                del remaining[place]
                break
        else:
            return False
    return True


def distinct(values: Sequence[Node], same: Same) -> list[Node]:
    """Return the values without repetitions."""
    result: list[Node] = []
    for value in dict.fromkeys(values):
        if not any(same(value, other) for other in result):
            result.append(value)
    return result


class Definitions:
    """A list of definitions: `x = 1, y = 2`, or `p = 5, q = 2; p = 7, q = 2`."""

    def __init__(self, pairs: Sequence[tuple[Node, Node]]) -> None:
        self.names = tuple(name for name, _ in pairs)
        self.values = tuple(value for _, value in pairs)
        distinct_names = list(dict.fromkeys(self.names))
        self.letter = str(self.names[0].value).split("_")[0]
        """The letter of the first name, without its index."""
        self.num_names = len(distinct_names)
        """How many different names there are."""
        rounds, rest = divmod(len(pairs), self.num_names)
        self.is_periodic = not rest and self.names == tuple(distinct_names) * rounds
        """Whether the names come in the same order in every round: p, q; p, q."""

    def is_indexed_family(self) -> bool:
        """Return whether all names are one letter, with or without indices: x_1, x_2."""
        letters = {str(name.value).split("_")[0] for name in self.names}
        return len(letters) == 1 and all(name.kind == "symbol" for name in self.names)

    def without_names(self) -> Node:
        """Return the values in the order of their names: a list, a tuple, or a list of tuples."""
        if self.num_names == 1 or (self.num_names == len(self.names) and self.is_indexed_family()):
            return Node("list", self.values)
        if self.num_names == len(self.names):
            return Node("tuple", self.values, "()")
        rows = [
            self.values[start : start + self.num_names]
            for start in range(0, len(self.values), self.num_names)
        ]
        return Node("list", tuple(Node("tuple", row, "()") for row in rows))


def read_definitions(node: Node) -> Definitions | None:
    """Return the definitions of which a list consists; None if it is no list of definitions."""
    if node.kind != "list":
        return None
    pairs = [definition(part) for part in node.parts]
    known = [pair for pair in pairs if pair is not None]
    if len(known) != len(pairs):
        return None
    definitions = Definitions(known)
    return definitions if definitions.is_periodic else None


def without_first_name(node: Node) -> Node:
    """Return the list 1, 2, 3 for `n = 1, 2, 3`, and every other tree as it is."""
    if node.kind == "list" and node.parts[0].kind == "relation":
        first = definition(node.parts[0])
        if first is not None and all(part.kind != "relation" for part in node.parts[1:]):
            return node._replace(parts=(first[1], *node.parts[1:]))
    return node


def same_definitions(left: Definitions, right: Definitions, same: Same) -> bool:
    """Return whether two lists of definitions give the same values to the same names."""
    if left.is_indexed_family() and right.is_indexed_family() and left.letter == right.letter:
        return same_multiset(left.values, right.values, same)
    if set(left.names) != set(right.names) or len(left.names) != len(right.names):
        return False
    if left.num_names == len(left.names):
        values = dict(zip(right.names, right.values, strict=True))
        return all(same(value, values[name]) for name, value in zip(left.names, left.values, strict=True))
    if left.num_names == 1 or left.names[: left.num_names] == right.names[: right.num_names]:
        rows = left.without_names(), right.without_names()
        return same_multiset(rows[0].parts, rows[1].parts, same)
    return False


def expand_tuples(node: Node) -> Node:
    """Return the list of tuples that a tuple with `±` means, and every other tree as it is."""
    if node.kind != "tuple" or not node.has("plusminus"):
        return node
    choices = [expand_plus_minus(part) for part in node.parts]
    return Node("list", tuple(node._replace(parts=parts) for parts in combinations(*choices)))
