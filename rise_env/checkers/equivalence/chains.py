"""Finds the value that a chain of equals signs states: 293 for `m + n = 256 + 37 = 293`."""

from collections.abc import Callable
from itertools import pairwise

from rise_env.checkers.equivalence.scalars import is_scalar
from rise_env.checkers.parsing.tree import Node, symbols
from rise_env.checkers.reading.named_values import definition, is_combination, is_name

Same = Callable[[Node, Node], bool]


def stated_value(relation: Node, same: Same, *, combinations: bool = False) -> Node | None:
    """Return the value that an equation gives to a name, such as 5 for `x = 2y = 5`; None if it gives none.

    All sides without variables must be equal, so `x = 2 + 3 = 6` has no value.

    Args:
        relation: A tree of the kind "relation".
        same: Compares two sides without variables.
        combinations: Whether a sum of names counts as a name, as in `m + n = 5`. Set it only if the reference
            is a number; if the reference is an equation, `m + n = 5` is compared as an equation.
    """
    if set(relation.value) != {"="}:
        return None
    constants = [side for side in relation.parts if is_scalar(side) and not symbols(side)]
    if not all(same(first, second) for first, second in pairwise(constants)):
        return None
    if len(relation.parts) == 2:
        defined = definition(relation)
        if defined is not None:
            return defined[1]
    if all(side.kind == "number" for side in relation.parts):
        return None  # 5 = 5 gives no value
    first = relation.parts[0]
    if is_name(first) or len(constants) == len(relation.parts):
        return relation.parts[-1]
    if combinations and is_combination(first) and not symbols(relation.parts[-1]):
        return relation.parts[-1]
    return None
