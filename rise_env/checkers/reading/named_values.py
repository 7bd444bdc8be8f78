"""Definitions, which give a value to a name: `x = 5`, `P(A) = 1/4`, `(x, y) = (1, 2)` or `x in [0, 1)`."""

from rise_env.checkers.parsing.tree import Node

_OF_NAMES = frozenset("abs norm arg det dim deg tr sin cos tan cot sec csc max min Re Im gcd lcm".split())
"""Functions whose application to a name counts as a name: |AB| = 3, cos A = 1/2."""


def is_name(node: Node) -> bool:
    """Return whether a tree is only a name: a variable, a segment, a ratio of segments, f(x) or |AB|."""
    kind, parts, value = node
    if kind == "symbol":
        return True
    if _is_function_value(node):
        return True
    if kind in {"product", "quotient", "ratio", "tuple"}:
        return all(is_name(part) or _is_letter(part) for part in parts) and any(map(is_name, parts))
    if kind == "apply":
        return True
    if kind == "function":
        return value in _OF_NAMES and all(map(is_name, parts))
    return False


def is_combination(node: Node) -> bool:
    """Return whether a tree is a sum of at least two names, perhaps with integer factors: 100m + n."""
    if node.kind != "sum" or not all(map(_is_multiple_of_name, node.parts)):
        return False
    names = {part for part in node.walk() if part.kind in {"symbol", "apply"} or _is_function_value(part)}
    return len(names) > 1


def _is_function_value(node: Node) -> bool:
    """Return whether a tree is P(1), which the parser reads as a product of a capital letter and a number."""
    if node.kind != "product" or len(node.parts) != 2 or node.parts[1].kind != "number":
        return False
    return node.parts[0].kind == "symbol" and node.parts[0].value[:1].isupper()


def _is_multiple_of_name(node: Node) -> bool:
    kind, parts, _ = node
    if kind == "negative":
        return _is_multiple_of_name(parts[0])
    if kind == "product":
        factors = parts[1:] if parts[0].kind == "number" else parts
        return _is_function_value(node._replace(parts=factors)) or all(map(_is_multiple_of_name, factors))
    if kind == "power":
        return is_name(parts[0]) and parts[1].kind == "number"
    return is_name(node)


def _is_letter(node: Node) -> bool:
    return node.kind == "constant" and node.value in {"i", "e"}


def definition(node: Node) -> tuple[Node, Node] | None:
    """Return the name and the value of a definition; None for every other tree."""
    if node.kind == "relation" and len(node.parts) == 2 and node.value[0] in {"=", "∈"}:
        left, right = node.parts
        if is_name(left):
            return left, right
        if is_name(right) and node.value[0] == "=" and not any(part.kind == "symbol" for part in left.walk()):
            return right, left
    return None


def without_approximation(node: Node) -> Node:
    """Return a tree without a rounded value after an exact one: `x = 1/3` for `x = 1/3 ≈ 0.33`."""
    if node.kind != "relation" or "≈" not in node.value:
        return node
    place = node.value.index("≈")
    exact = node.parts[: place + 1]
    if len(exact) == 1 and is_name(exact[0]):
        return Node("relation", node.parts, tuple("=" if sign == "≈" else sign for sign in node.value))
    return exact[0] if len(exact) == 1 else Node("relation", exact, node.value[:place])


def without_point_label(node: Node) -> Node:
    """Return a point without its name: (1, 2) for `A(1, 2)`."""
    if node.kind == "product" and len(node.parts) == 2 and node.parts[1].kind == "tuple":
        name, point = node.parts
        if name.kind == "symbol" and name.value[:1].isupper():
            return point
    return node


def same_function(left: tuple[Node, Node], right: tuple[Node, Node]) -> bool:
    """Return whether one definition is of the form `f(x) = ...` and the other of the form `y = ...`."""
    kinds = {left[0].kind, right[0].kind}
    plain = left[0] if left[0].kind == "symbol" else right[0]
    return kinds == {"apply", "symbol"} and plain.value == "y"


def with_imaginary_unit(reference: Node, answer: Node) -> Node:
    """Return `answer` with the imaginary unit for `I` and `j`, as computer algebra and engineers write it.

    Only if the reference has an imaginary unit and no variable of this name, and the answer has no `i`.
    """
    unit = Node("constant", (), "i")
    if not reference.has("constant"):
        return answer
    nodes = [node for node in reference.walk() if node.kind in {"constant", "symbol"}]
    if unit not in nodes or unit in answer.walk():
        return answer
    letters = {"I", "j"} - {node.value for node in nodes if node.kind == "symbol"}

    def replaced(node: Node) -> Node:
        if node.kind == "symbol" and node.value in letters:
            return unit
        return node._replace(parts=tuple(map(replaced, node.parts)))

    return replaced(answer)
