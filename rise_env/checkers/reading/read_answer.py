"""Reads an answer or a reference: as a plain number, a date or time, or the tree of a formula.

A text that cannot be read is no error. `ParsedAnswer.problem` says why, and it can be compared as words.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from rise_env.checkers.limits import MAX_ANSWER_LENGTH, MAX_DEPTH, MAX_DIGITS, PlainText, Unreadable
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.numerals import read_number_words, read_spelled
from rise_env.checkers.parsing.parser import parse
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.units import DEGREE, is_unit_phrase
from rise_env.checkers.reading.dates import DateTime, read_date_time
from rise_env.checkers.reading.phrases import object_of_phrase, plain_words
from rise_env.checkers.reading.sentences import strip_sentence
from rise_env.checkers.sized_cache import SizedCache

_PLAIN_NUMBER = re.compile(
    r"([+-]?)(?:(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d*))?|\.(\d+)|\\frac\{(-?\d+)\}\{(-?\d+)\}|(\d+)/(\d+))"
)
_SPACE = re.compile(r"(?<!\w)\s+|\s+(?!\w)")
_TENS = re.compile(r"\b(twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)-(?=[a-z])", re.IGNORECASE)
_EXCEPT = re.compile(
    r"(?:\\text\{)?\s*all\s+real(?:\s+numbers?|s)(?:\s+\$?x\$?)?\s+except\s+(?:for\s+)?\}?\s*(.+)",
    re.IGNORECASE,
)
_BASED = re.compile(
    r"[({]?(?:\\(?:text|mathrm)\{)?([0-9A-Fa-f]+)\}?\)?\s*"
    r"(?:_\{?(?:(\d{1,2})|\\text\{\s*([a-z]+)\s*\})\}?"
    r"|(?:\\text\{\s*)?\(?\s*base[ -]?\}?\s*(?:(\d{1,2})|([a-z]+))\)?\}?)"
)
_ROUNDED = re.compile(
    r"(?:\\(?:approx|simeq)(?![A-Za-z])|\\text\{\s*(?:approximately|about|roughly|around)\s*\}"
    r"|(?:approximately|about|roughly|around)(?=\s))\s*(?=[-+$\\\d(.])",
    re.IGNORECASE,
)
"""Signs and words before a value that is rounded."""
_ARC = re.compile(
    r"([+-]?\d+)\s*\^\s*\{?\s*\\circ\s*\}?\s*(\d+(?:\.\d+)?)\s*(?:'|\^\s*\{?\s*\\prime\s*\}?)"
    r"(?:\s*(\d+(?:\.\d+)?)\s*(?:''|\"|\^\s*\{?\s*\\prime\s*\\prime\s*\}?))?"
)
"""An angle in degrees, minutes and seconds of arc."""
_RATE = re.compile(r"(?<=[\d}) ])\b([A-Za-z]{1,3}/[A-Za-z]{1,3}(?:\^\{?[23]\}?)?)$")
_BRACKET = re.compile(r"[([{]|[)\]}]")
_DIGIT = re.compile(r"\d")
_WORDY = re.compile(r"[A-Za-z]{3,}")


class ParsedAnswer(NamedTuple):
    """An answer, as far as it could be read."""

    text: str
    """The cleaned text, without white space that has no meaning."""
    literal: Fraction | None = None
    """The value, if the answer is a plain number or fraction."""
    node: Node | None = None
    """The tree, if the answer could be parsed."""
    date_time: DateTime | None = None
    """The clock time or date, if the answer is one."""
    problem: str = ""
    """Why there is no tree: "words", or the message of the parser."""


def read_plain_number(cleaned: str) -> Fraction | None:
    """Return the value of a cleaned text that is a plain number or fraction; None for every other text."""
    match = _PLAIN_NUMBER.fullmatch(cleaned)
    if match is None or len(cleaned) > MAX_DIGITS:
        return None
    sign, whole, decimals, bare, over, under, over_slash, under_slash = match.groups()
    if under or under_slash:
        if int(under or under_slash) == 0:
            return None
        value = Fraction(int(over or over_slash), int(under or under_slash))
    else:
        digits = decimals or bare or ""
        value = Fraction(int((whole or "0").replace(",", "") + digits), 10 ** len(digits))
    return -value if sign == "-" else value


def _too_deep(text: str) -> bool:
    if text.count("(") + text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match.group() in "([{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


CACHE_BYTES = 16 << 20
"""Bytes of the trees that this process keeps."""
_answers: SizedCache[str | tuple[str, bool], ParsedAnswer] = SizedCache(CACHE_BYTES)


def answer_size(answer: str) -> int:
    """Return about how many bytes an answer needs once it is read, mostly for the nodes of its tree."""
    return 600 + 75 * len(answer)


def read(answer: str, groups: bool = True) -> ParsedAnswer:
    """Read an answer that has been extracted from its reply. No text makes this raise.

    Args:
        answer: As it is spelled in the reply.
        groups: Whether `1,234` outside of brackets is one number.
    """
    if len(answer) > MAX_ANSWER_LENGTH:
        return ParsedAnswer(answer.strip(), problem="too long to read")
    key = answer if groups else (answer, groups)
    parsed = _answers.get(key)
    if parsed is None:
        parsed = _read(answer, groups)
        _answers.put(key, parsed, answer_size(answer))
    return parsed


def _read(answer: str, groups: bool) -> ParsedAnswer:
    cleaned = clean(answer)
    if len(cleaned) > 2 * MAX_ANSWER_LENGTH:
        return ParsedAnswer(cleaned, problem="too long to read")
    value = read_plain_number(cleaned)
    text = _SPACE.sub("", cleaned)
    if value is not None and groups:
        return ParsedAnswer(text, value, number(value))
    date_time = read_date_time(cleaned)
    if not cleaned or _too_deep(cleaned):
        return ParsedAnswer(text, problem="nested too deeply" if cleaned else "empty")
    try:
        return ParsedAnswer(text, None, _tree(strip_sentence(cleaned), groups), date_time)
    except PlainText:
        return ParsedAnswer(text, None, None, date_time, "words")
    except Unreadable as error:
        wordy = _WORDY.search(re.sub(r"\\[A-Za-z]+", "", cleaned))
        return ParsedAnswer(text, None, None, date_time, "words" if wordy else str(error))


def _tree(cleaned: str, groups: bool) -> Node:
    value = read_plain_number(cleaned) if groups else None
    if value is not None:
        return number(value)
    if not cleaned:
        raise Unreadable("an introduction or explanation without an answer")
    named = object_of_phrase(cleaned)
    if named is not None:
        return named
    exception = _EXCEPT.fullmatch(cleaned)
    if exception:
        without = parse(clean(exception.group(1)))
        values = without.parts if without.kind in {"list", "set"} else (without,)
        return Node("setminus", (Node("reals"), Node("set", values)))
    rounded = _ROUNDED.match(cleaned)
    if rounded:
        return Node("approximate", (parse(cleaned[rounded.end() :], groups=groups),))
    arc = _ARC.fullmatch(cleaned) if "\\circ" in cleaned else None
    if arc:
        return _angle(*arc.groups())
    if "ty-" in cleaned.lower():
        cleaned = _TENS.sub(r"\1 ", cleaned)
    if (cleaned[-1].isalpha() or cleaned[-1] == "}") and not _DIGIT.search(cleaned):
        spelled = read_spelled(plain_words(cleaned))
        if spelled is not None:
            return number(spelled)
    rate = _RATE.search(cleaned)
    if rate and is_unit_phrase(rate.group(1)):
        cleaned = f"{cleaned[: rate.start()]}\\text{{{rate.group(1)}}}"
    based = _BASED.fullmatch(cleaned)
    if based:
        digits, base, word, base_after, word_after = based.groups()
        count = int(base or base_after or 0) or read_number_words(word or word_after or "")
        if count and 2 <= count <= 36 and not digits.isalpha():
            return Node("based", (), (digits, int(count)))
    return parse(cleaned, groups=groups)


def _angle(degrees: str, minutes: str, seconds: str | None) -> Node:
    """Return the quantity of an angle in degrees, minutes and seconds of arc."""
    parts = Fraction(minutes) / 60 + Fraction(seconds or 0) / 3600
    value = -(-int(degrees) + parts) if degrees.startswith("-") else int(degrees) + parts
    return Node("quantity", (number(value),), DEGREE)
