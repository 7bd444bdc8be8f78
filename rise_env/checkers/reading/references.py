"""Reads reference answers. A reference that nobody can read is a fault of its problem, and raises."""

import re

from rise_env.checkers.equivalence.rational import rational
from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.checkers.limits import NotDecidable, Undefined, on_own_stack
from rise_env.checkers.parsing import vocabulary
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.reading.read_answer import ParsedAnswer, answer_size, read
from rise_env.checkers.sized_cache import SizedCache
from rise_env.errors import ProblemError

_VALUELESS = frozenset({"nan", "null", ""})
_TAG = re.compile(r"</?[A-Za-z]\w*>")
_QUOTED = re.compile(r"""^[\[({]\s*['"]|['"]\s*[\])}]$""")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_KNOWN_COMMANDS = frozenset(
    {
        *vocabulary.STYLES,
        *vocabulary.OPERATORS,
        *vocabulary.FUNCTIONS,
        *vocabulary.CONSTANTS,
        *vocabulary.NAMES,
    }
    | {*vocabulary.GREEK, *vocabulary.ACCENTS, *vocabulary.FRACTIONS, *vocabulary.GEOMETRY_SIGNS}
    | set("mathbb sum prod int lim left right quad qquad cdots textdollar underline hline".split())
)
_references: SizedCache[str, ParsedAnswer] = SizedCache(16 << 20)


def read_reference(reference: str) -> ParsedAnswer:
    """Read a reference answer.

    Raises:
        ProblemError: It is empty, has no value, or cannot be read; the message quotes it.
    """
    parsed = _references.get(reference)
    if parsed is None:
        try:
            parsed, problem = on_own_stack(lambda: _read(reference))
        except (RecursionError, MemoryError):
            problem = "it is too large"
        if problem:
            raise ProblemError(f"the reference answer {reference[:80]!r} cannot be read: {problem}")
        assert parsed is not None
        _references.put(reference, parsed, answer_size(reference))
    return parsed


def _read(reference: str) -> tuple[ParsedAnswer, str]:
    parsed = read(_without_marker(reference))
    return parsed, _problem(parsed)


def _without_marker(reference: str) -> str:
    r"""Return a reference without the `\boxed{}` or `####` that some data sets leave in it."""
    if "box" in reference or "####" in reference:
        return final_answer(reference) or ""
    return reference


def _problem(parsed: ParsedAnswer) -> str:
    """Return why no answer can be compared with a reference; an empty string if one can."""
    if parsed.literal is not None or parsed.date_time is not None:
        return ""
    if parsed.text.lower() in _VALUELESS:
        return "it is no answer"
    if parsed.node is not None:
        return _undefined(parsed.node)
    if parsed.problem == "words":
        return _not_words(parsed.text)
    # a text that is too long to be read can still be compared with one that is spelled alike
    return "" if parsed.problem == "too long to read" else parsed.problem


def _not_words(text: str) -> str:
    """Return what makes a text that is no formula unfit for a comparison of words."""
    tag = _TAG.search(text)
    if tag:
        return f"it has the tag {tag.group()}"
    if _QUOTED.search(text):
        return "it is a list of quoted texts: write each answer without quotes"
    unknown = next((name for name in _COMMAND.findall(text) if name not in _KNOWN_COMMANDS), None)
    if unknown is not None:
        return f"the command \\{unknown}"
    return "" if _LETTERS.search(text) else "it has no words"


def _undefined(node: Node) -> str:
    """Return an empty string, or that a part of a tree divides by zero."""
    if not node.parts:
        return ""
    for part in node.walk():
        if part.kind == "power" or (part.kind == "quotient" and part.parts[1].kind != "number"):
            try:
                rational(part)
            except Undefined:
                return "it divides by zero"
            except NotDecidable:
                continue
        elif part.kind == "quotient" and not part.parts[1].value:
            return "it divides by zero"
    return ""
