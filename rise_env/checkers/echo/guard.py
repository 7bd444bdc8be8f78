r"""Decides whether a right answer counts: not if it repeats the question, or leaves the work of it undone.

An answer is a **copy** if its canonical form (`canonical.py`) is that of an expression of the question, or of
a side or an item of one, and it is not the reference itself. It is the reference if both have one canonical
form and the answer leaves no more undone. Where it is a chain of equals, its last value counts, and `x = ...`
counts as the value.

An answer to a **literal** reference (an integer, a decimal, a fraction or a mixed number, with or without a
sign, percent sign or unit) may leave at most one operation **undone**. Operations are: each sign between two
terms or two factors, each power, root, factorial or other function, each sum or product sign, and a fraction
bar over or under another fraction. Writing a number is no operation: signs, `\frac{3}{4}`, `2\frac13`, `3.2
\cdot 10^5`, percent signs and units. So for 391 `17 \cdot 23` counts, unless the question has it, and
`17 \cdot 20 + 17 \cdot 3` does not.
"""

from rise_env.checkers.echo.canonical import canonical, without_unit
from rise_env.checkers.echo.question import expressions, read_formula
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.tree import ONE, ZERO, Node, number
from rise_env.checkers.reading.named_values import definition
from rise_env.checkers.reading.read_answer import ParsedAnswer
from rise_env.checkers.reading.sentences import strip_sentence

MAX_UNDONE = 1
"""Operations that an answer to a literal reference may leave undone."""
_LEAVES = frozenset({"number", "symbol", "constant", "based"})
_TEN = number(10)


def unearned(answer: str, found: ParsedAnswer, reference: str, expected: ParsedAnswer, question: str) -> str:
    """Return why an answer that equals the reference does not count: "echo", "undone", or "" if it counts.

    Args:
        answer: As the reply spells it.
        found: What was read from it.
        reference: The reference as it is spelled.
        expected: What was read from it.
        question: The text of the problem.
    """
    given, wanted = _tree(answer, found), _tree(reference, expected)
    if given is None or wanted is None:
        return ""
    if is_same_expression(given, wanted):
        return ""
    copied = expressions(question)
    if canonical(without_unit(given)) in copied or canonical(_value(given)) in copied:
        return "echo"
    if _is_literal(_value(wanted)) and undone(_value(given)) > MAX_UNDONE:
        return "undone"
    return ""


def is_same_expression(given: Node, wanted: Node) -> bool:
    """Return whether an answer, or a side of it, is the reference itself, with no more operations in it."""
    own = {canonical(node): undone(node) for node in _stated(wanted)}
    return any(undone(node) <= own.get(canonical(node), -1) for node in _stated(given))


def _tree(text: str, read: ParsedAnswer) -> Node | None:
    """Return a tree in which nothing has been worked out."""
    return read_formula(strip_sentence(clean(text))) or read.node


def _value(node: Node) -> Node:
    """Return the value that an answer states: without its name, the last one of a chain, without its unit."""
    if node.kind == "relation":
        defined = definition(node)
        if defined is not None:
            return without_unit(defined[1])
        if len(node.parts) > 2 and set(node.value) == {"="}:
            return without_unit(node.parts[-1])
    return without_unit(node)


def _stated(node: Node) -> list[Node]:
    """Return a tree, its value and, of a chain of equals, its sides: what an answer may be said to state."""
    stated = [without_unit(node), _value(node)]
    if node.kind == "relation" and set(node.value) == {"="} and definition(node) is None:
        stated += [without_unit(part) for part in node.parts if part.kind != "symbol"]
    return stated


def _is_literal(node: Node) -> bool:
    kinds = {part.kind for part in node.walk()}
    return not kinds & {"symbol", "constant"} and undone(node) == 0


def undone(node: Node) -> int:
    r"""Return how many operations an answer leaves undone.

    >>> from rise_env.checkers.parsing.parser import parse
    >>> [undone(parse(text)) for text in ("-3/4", r"2\frac13", r"6\cdot7", "1+2+3", r"\sqrt{16}+1")]
    [0, 0, 1, 2, 2]
    """
    kind, parts, _ = node
    below = sum(map(undone, parts))
    if kind in _LEAVES or kind in {"negative", "quantity"}:
        return below
    if kind in {"quotient", "power"} and parts[1] == ONE:
        return below
    if kind == "quotient":
        nested = any(part.kind == "quotient" or _is_decimal(part) for part in parts)
        return below + nested
    if kind == "sum":
        mixed = len(parts) == 2 and parts[0].kind == "number" and parts[1].kind == "quotient" and not below
        return below if mixed else below + sum(part != ZERO for part in parts[1:])
    if kind == "product":
        if len(parts) == 2 and parts[0].kind == "number" and _is_power_of_ten(parts[1]):
            return 0
        return below + max(0, sum(part != ONE for part in parts) - 1)
    return below + 1


def _is_decimal(node: Node) -> bool:
    return node.kind == "number" and node.value.denominator != 1


def _is_power_of_ten(node: Node) -> bool:
    """Return whether a tree is the power of ten of scientific notation, or a word such as million."""
    if node.kind == "power":
        return node.parts[0] == _TEN and not undone(node.parts[1])
    return node.kind == "number" and node.value >= 10 and str(node.value).rstrip("0") == "1"
