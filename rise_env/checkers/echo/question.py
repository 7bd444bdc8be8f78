r"""Finds the expressions of a question: its formulas, their sides and items, and arithmetic in plain text."""

import re
from collections.abc import Iterator

from rise_env.checkers.echo.canonical import canonical, without_unit
from rise_env.checkers.limits import MAX_ANSWER_LENGTH, Unreadable
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.parser import parse
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.reading.named_values import definition
from rise_env.checkers.sized_cache import SizedCache

MAX_QUESTION_LENGTH = 20_000
"""Maximal number of characters of a question that are searched for expressions."""
MAX_FORMULAS = 200
"""Maximal number of formulas of one question that are read."""
_FORMULA = re.compile(
    r"\$\$(.+?)\$\$|(?<!\\)\$((?:[^$\\]|\\.)+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]"
    r"|\\begin\{(?:align|equation|gather|eqnarray|multline)\*?\}(.+?)\\end\{", re.DOTALL
)  # fmt: skip
_PLAIN = re.compile(
    r"(?:(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])|[\d.,+\-*/^()=×÷·−√!|²³ ]|\b(?:sqrt|sin|cos|log|ln)\b)+"
)
_OPERATOR = re.compile(r"[-+*/^×÷·−√!²³]|sqrt|sin|cos|log|ln")
_BREAK = re.compile(
    r"\\\\(?:\[[^\]]*\])?|&|\\(?:begin|end)\{[^{}]*\}(?:\{[^{}]*\})?|\\q?quad(?![A-Za-z])|[=<>?;]|\n"
    r"|\\(?:leq?|geq?|neq?|lt|gt|approx|equiv|Rightarrow|implies|to|rightarrow|iff|mid|in)(?![A-Za-z])"
    r"|\\(?:text|mbox|textrm|mathrm|underline)\{[^{}]*\}|\\ldots|\\c?dots|,(?!\d{3})|\.(?!\d)"
)
_QUESTION_MARK = re.compile(r"\s*(?:=\s*)?(?:\?|\\text\{\s*\?\s*\}|\\underline\{[^{}]*\})[.\s]*$")
_expressions: SizedCache[str, frozenset[str]] = SizedCache(16 << 20)


def read_formula(text: str) -> Node | None:
    """Return the tree of a formula, in which nothing is evaluated; None if the formula cannot be read."""
    if len(text) > MAX_ANSWER_LENGTH:
        return None
    try:
        return parse(clean(text))
    except Unreadable:
        return None


def forms(node: Node) -> Iterator[str]:
    """Yield the canonical forms of an expression and, if it is a relation or collection, of its parts."""
    node = without_unit(node)
    yield canonical(node)
    if node.kind == "relation":
        defined = definition(node)
        for part in node.parts if defined is None else defined[1:]:
            yield from forms(part)
    elif node.kind in {"list", "set", "and", "or", "both"}:
        for part in node.parts:
            yield from forms(part)


def expressions(question: str) -> frozenset[str]:
    """Return the canonical forms of the expressions of a question. They are cached."""
    found = _expressions.get(question)
    if found is None:
        found = frozenset(_find(question[:MAX_QUESTION_LENGTH]))
        _expressions.put(question, found, 500 + len(question) + sum(100 + len(text) for text in found))
    return found


def _find(question: str) -> Iterator[str]:
    formulas = [next(filter(None, match.groups())) for match in _FORMULA.finditer(question)]
    for formula in formulas[:MAX_FORMULAS]:
        yield from _of_formula(formula)
    rest = _FORMULA.sub(" ; ", question)
    runs = [run.strip(" .,=") for run in _PLAIN.findall(rest)]
    for run in [run for run in runs if _OPERATOR.search(run) and len(run) > 2][:MAX_FORMULAS]:
        yield from _of_formula(run)


def _of_formula(formula: str) -> Iterator[str]:
    formula = _QUESTION_MARK.sub("", formula)
    tree = read_formula(formula)
    if tree is not None:
        yield from forms(tree)
        return
    for piece in _BREAK.split(formula)[:MAX_FORMULAS]:
        part = read_formula(piece) if piece.strip() else None
        if part is not None:
            yield from forms(part)
