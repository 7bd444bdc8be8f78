"""The conventions of RISE-Conventions, and whether a text states one.

A convention says what a word means, for example that a crate holds 7 items. The problems use the word and
never say what it means.

>>> crate = SHARED[0]
>>> statement(crate), applied(crate, 5)
('A crate holds 7.', 35)
>>> is_stated(crate, "Each crate contains seven things."), is_stated(crate, "A crate holds 8.")
(True, False)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["holds", "adds", "takes", "cents", "rounds"]


@dataclass(frozen=True, slots=True)
class Convention:
    """What a word does to a number."""

    word: str
    kind: Kind
    value: int


SHARED: tuple[Convention, ...] = (
    Convention("crate", "holds", 7),
    Convention("bundle", "holds", 9),
    Convention("market", "adds", 6),
    Convention("bridge", "takes", 4),
    Convention("tag", "cents", 100),
    Convention("shop", "rounds", 5),
)
"""The conventions that all problems without families share."""

_FIRST = ("bor", "dal", "fen", "gim", "kel", "lum", "mor", "nev", "pol", "rud", "sav", "tib")
_SECOND = ("ba", "dek", "gon", "lin", "to")

FAMILIES: tuple[Convention, ...] = tuple(
    Convention(_FIRST[number % 12] + _SECOND[number // 12], "holds", 3 + number * 7 % 17)
    for number in range(60)
)
"""The conventions of families: one made-up word each, and a number from 3 to 19."""

_STATEMENTS: dict[Kind, str] = {
    "holds": "A {word} holds {value}.",
    "adds": "Everyone who goes to the {word} gets {value} more.",
    "takes": "Everyone who crosses the {word} loses {value}.",
    "cents": "The amount on a {word} is in cents: divide it by {value}.",
    "rounds": "The {word} rounds down to a multiple of {value}.",
}
_NUMERALS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_NUMBERS = {word: number for number, word in enumerate(_NUMERALS, start=2)}


def statement(convention: Convention) -> str:
    """Return the sentence that states a convention."""
    return _STATEMENTS[convention.kind].format(word=convention.word, value=convention.value)


def applied(convention: Convention, number: int) -> int:
    """Return what a convention makes of a number."""
    return {
        "holds": number * convention.value,
        "adds": number + convention.value,
        "takes": number - convention.value,
        "cents": number // convention.value,
        "rounds": number - number % convention.value,
    }[convention.kind]


def is_stated(convention: Convention, text: str) -> bool:
    """Return whether a text states a convention and does not contradict it.

    It does if a sentence with the word has the number, in digits or as a numeral, and no other number, and no
    sentence with the word has another number. One is not counted as a number ("one crate holds 7"). For
    amounts in cents, the word cents will do.
    """
    found = False
    for sentence in re.split(r"[.;!?\n]", text.lower()):
        if not re.search(rf"\b{convention.word}s?\b", sentence):
            continue
        numbers = _numbers(sentence)
        if numbers - {convention.value}:
            return False
        in_cents = convention.kind == "cents" and re.search(r"\bcents?\b", sentence)
        found = found or bool(numbers) or bool(in_cents)
    return found


def coverage(conventions: Sequence[Convention], text: str) -> float:
    """Return the fraction of conventions that a text states; 0 if there are none."""
    stated = sum(is_stated(convention, text) for convention in conventions)
    return stated / len(conventions) if conventions else 0.0


def _numbers(sentence: str) -> set[int]:
    digits = {int(number) for number in re.findall(r"\d{1,9}", sentence)}
    words = {_NUMBERS[word] for word in re.findall(r"[a-z]+", sentence) if word in _NUMBERS}
    return (digits | words) - {1}
