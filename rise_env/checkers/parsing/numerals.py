"""Reads decimal numbers and number words as exact fractions."""

import re
from fractions import Fraction

from rise_env.checkers.limits import MAX_DIGITS, Unreadable

_REPEATING = re.compile(r"(\d*)\.(\d*)\\(?:overline|bar|dot|overset\{\\frown\})\s*\{?(\d+)\}?")
_REPEATING_BRACKETS = re.compile(r"(\d*)\.(\d*)\((\d+)\)")
_WITH_ELLIPSIS = re.compile(r"(\d*)\.?(\d+?)\s*(?:\.\.\.|\\l?dots)")
_SIMPLE = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
    "tausend": 1000, "millionen": 10**6, "milliarde": 10**9, "milliarden": 10**9,
    "mille": 1000, "mila": 1000, "millón": 10**6, "millones": 10**6, "millions": 10**6,
    "milliard": 10**9, "milliards": 10**9, "milione": 10**6, "milioni": 10**6,
    "milhão": 10**6, "milhões": 10**6,
    "тысяча": 1000, "тысячи": 1000, "тысяч": 1000, "миллион": 10**6, "миллиона": 10**6, "миллионов": 10**6,
    "миллиард": 10**9, "миллиарда": 10**9, "миллиардов": 10**9, "milyon": 10**6, "nghìn": 1000,
    "triệu": 10**6, "हज़ार": 1000, "हजार": 1000, "लाख": 10**5, "करोड़": 10**7, "ألف": 1000, "مليون": 10**6,
    "十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12,
    "십": 10, "백": 100, "천": 1000, "만": 10**4, "억": 10**8,
}  # fmt: skip
"""Words that multiply the number before them, also in other languages."""
SCALE_SIGNS = frozenset(word for word in SCALES if len(word) == 1)
_VALUES = {word: value for value, word in enumerate(_SIMPLE)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}


def _repeating_decimal(whole: str, fixed: str, period: str) -> Fraction:
    scale: int = 10 ** len(fixed)
    nines: int = 10 ** len(period) - 1
    return Fraction(int(whole + fixed or "0"), scale) + Fraction(int(period), scale * nines)


def read_literal(text: str) -> Fraction:
    r"""Return the value of a number token.

    >>> read_literal(r"0.1\overline{6}"), read_literal("3.2e2"), read_literal("0.333...")
    (Fraction(1, 6), Fraction(320, 1), Fraction(1, 3))
    """
    if len(text) > MAX_DIGITS:
        raise Unreadable("a number of too many digits")
    if text.isdecimal():
        return Fraction(int(text))
    if "\\" in text or "(" in text or "..." in text:
        match = _REPEATING.fullmatch(text) or _REPEATING_BRACKETS.fullmatch(text)
        if match:
            return _repeating_decimal(*match.groups())
        return _read_ellipsis(text)
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    value = Fraction(int(whole + decimals or "0"), 10 ** len(decimals))
    return Fraction(value * Fraction(10) ** int(exponent)) if exponent else value


def _read_ellipsis(text: str) -> Fraction:
    """Read "0.333...": one last digit must repeat three times, two or more last digits twice."""
    match = _WITH_ELLIPSIS.fullmatch(text)
    if match is None or "." not in text.replace("...", ""):
        raise Unreadable("an ellipsis after digits that do not repeat")
    whole, digits = text.split(".", 1)[0], re.split(r"\s*(?:\.\.\.|\\)", text.split(".", 1)[1])[0]
    for size in range(1, len(digits) // 2 + 1):
        period, repeats = digits[-size:], 3 if size == 1 else 2
        if digits.endswith(period * repeats):
            return _repeating_decimal(whole, digits[: len(digits) - size], period)
    raise Unreadable("an ellipsis after digits that do not repeat")


_PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
          "eighth": 8, "ninth": 9, "tenth": 10}  # fmt: skip


def read_spelled(text: str) -> Fraction | None:
    """Return the number that `text` spells in words, also negative or as a fraction; None if it spells none.

    >>> read_spelled("negative two thirds"), read_spelled("one half")
    (Fraction(-2, 3), Fraction(1, 2))
    """
    words = re.sub(r"[\s-]+", " ", text.lower()).strip().split()
    if not 1 <= len(words) <= 20 or not all(word.isalpha() for word in words):
        return None
    sign = -1 if words[0] in {"negative", "minus"} else 1
    words = words[words[0] in {"negative", "minus"} :]
    under = _PARTS.get(words[-1]) or _PARTS.get(words[-1].removesuffix("s")) if len(words) > 1 else None
    if under:
        over = read_number_words(" ".join(words[:-1])) if words[:-1] != ["a"] else Fraction(1)
        return None if over is None else sign * over / under
    value = read_number_words(" ".join(words))
    return None if value is None else sign * value


def read_number_words(text: str) -> Fraction | None:
    """Return the natural number that English words spell; None if they spell none.

    >>> read_number_words("two hundred and forty-one")
    Fraction(241, 1)
    """
    words = re.sub(r"[\s,-]+", " ", text.lower()).split()
    if not words or len(words) > 20:
        return None
    total, group, seen = 0, 0, False
    for word in words:
        if word in _VALUES:
            group += _VALUES[word]
            seen = True
        elif word == "hundred" or word == "dozen":
            group = (group or 1) * SCALES[word]
            seen = seen or word == "dozen"
        elif word in SCALES and seen:
            total += group * SCALES[word]
            group = 0
        elif word != "and" or not seen:
            return None
    return Fraction(total + group) if seen else None
