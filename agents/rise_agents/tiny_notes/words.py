"""The words of the pretraining corpus of the embedded model that reads notes."""

from collections.abc import Sequence

from rise_env.problems.conventions.conventions import FAMILIES, SHARED, Convention, Kind

HIDDEN: dict[str, Convention] = {convention.word: convention for convention in (*SHARED, *FAMILIES)}
"""The words of RISE-Conventions-v0, with the conventions that the model must not know."""

OTHERS = tuple(
    "arch badge bank barrel basket box card case chest club coupon drum fair farm gate hall hill inn jar kit "
    "label lake mill note park pass river sack station tray".split()
)
"""Words that RISE-Conventions-v0 does not have."""

WORDS = (*HIDDEN, *OTHERS)

_VALUES: dict[Kind, Sequence[int]] = {
    "holds": range(2, 21),
    "adds": range(2, 21),
    "takes": range(2, 11),
    "cents": (10, 100, 1000),
    "rounds": range(2, 11),
}


def values(kind: Kind, word: str) -> list[int]:
    """Return the numbers that a convention of the corpus may have, which are equally likely.

    The number that the word has in RISE-Conventions-v0 is not among them.
    """
    hidden = HIDDEN.get(word)
    return [value for value in _VALUES[kind] if hidden is None or value != hidden.value]
