"""Answers of several values: lists, sets, plus-minus, and lists of definitions such as `x = 1, y = 2`."""

from collections.abc import Callable, Sequence
from itertools import product as combinations

from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.reading.named_values import definition

Same = Callable[[Node, Node], bool]
_MAX_VALUES = 256


def expand_signs(node: Node) -> tuple[Node, ...]:
    """Return the values of an expression with plus-minus signs; signs are tied as `±` and `∓` are."""
    if not any(part.kind == "plusminus" for part in node.walk()):
        return (node,)
    values = tuple(_with_signs(node, sign) for sign in (1, -1))
    return values if values[0] != values[1] else values[:1]


def _with_signs(node: Node, sign: int) -> Node:
    parts = tuple(_with_signs(part, sign) for part in node.parts)
    if node.kind != "plusminus":
        return node._replace(parts=parts)
    left, right = parts
    plus = (node.value == "±") == (sign == 1)
    return Node("sum", (left, right if plus else Node("negative", (right,))))


def values_of(node: Node) -> tuple[Node, ...] | None:
    """Return the values that a list, a set or a plus-minus expression holds; None for a single value."""
    if node.kind in {"list", "set"}:
        values = [value for part in node.parts for value in expand_signs(part)]
        return tuple(values[:_MAX_VALUES])
    if node.kind == "emptyset":
        return ()
    values = list(expand_signs(node))
    return tuple(values) if len(values) > 1 else None


def matches(left: Sequence[Node], right: Sequence[Node], same: Same) -> bool:
    """Return whether two collections hold the same values, in any order, equally often."""
    if len(left) != len(right):
        return False
    waiting = list(right)
    unmatched = []
    for value in left:  # the same spelling needs no comparison
        if value in waiting:
            waiting.remove(value)
        else:
            unmatched.append(value)
    for value in unmatched:
        for place, other in enumerate(waiting):
            if same(value, other):
                del waiting[place]
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
        """What a family of names has in common."""
        self.width = len(distinct_names)
        rounds, rest = divmod(len(pairs), self.width)
        self.cyclic = not rest and self.names == tuple(distinct_names) * rounds

    def family(self) -> bool:
        """Return whether all names are one letter with different indices, or one name: x_1, x_2."""
        letters = {str(name.value).split("_")[0] for name in self.names}
        return len(letters) == 1 and all(name.kind == "symbol" for name in self.names)

    def plain(self) -> Node:
        """Return the same answer without names: a list of values, or of tuples in the order of the names."""
        if self.width == 1 or (self.width == len(self.names) and self.family()):
            return Node("list", self.values)
        if self.width == len(self.names):
            return Node("tuple", self.values, "()")
        rows = [self.values[start : start + self.width] for start in range(0, len(self.values), self.width)]
        return Node("list", tuple(Node("tuple", row, "()") for row in rows))


def read_definitions(node: Node) -> Definitions | None:
    """Return the definitions that a list consists of, if it does."""
    if node.kind != "list":
        return None
    pairs = [definition(part) for part in node.parts]
    known = [pair for pair in pairs if pair is not None]
    if len(known) != len(pairs):
        return None
    definitions = Definitions(known)
    return definitions if definitions.cyclic else None


def strip_first_name(node: Node) -> Node:
    """Read `n = 1, 2, 3` as the list 1, 2, 3."""
    if node.kind == "list" and node.parts[0].kind == "relation":
        first = definition(node.parts[0])
        if first is not None and all(part.kind != "relation" for part in node.parts[1:]):
            return node._replace(parts=(first[1], *node.parts[1:]))
    return node


def same_definitions(left: Definitions, right: Definitions, same: Same) -> bool:
    """Return whether two lists give the same names the same values."""
    if left.family() and right.family() and left.letter == right.letter:
        return matches(left.values, right.values, same)
    if set(left.names) != set(right.names) or len(left.names) != len(right.names):
        return False
    if left.width == len(left.names):
        values = dict(zip(right.names, right.values, strict=True))
        return all(same(value, values[name]) for name, value in zip(left.names, left.values, strict=True))
    if left.width == 1 or left.names[: left.width] == right.names[: right.width]:
        rows = left.plain(), right.plain()
        return matches(rows[0].parts, rows[1].parts, same)
    return False


def expand_tuples(node: Node) -> Node:
    """Return the tuples that a tuple with plus-minus signs stands for, and other trees as they are."""
    if node.kind != "tuple" or not any(part.kind == "plusminus" for part in node.walk()):
        return node
    choices = [expand_signs(part) for part in node.parts]
    return Node("list", tuple(node._replace(parts=parts) for parts in combinations(*choices)))
