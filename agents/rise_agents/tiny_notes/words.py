"""Made-up words for the pretraining corpus of the embedded model that reads notes."""

from rise_env.problems.arithmetic.steps import Draws
from rise_env.problems.conventions.conventions import FAMILIES, SHARED

HIDDEN = frozenset(convention.word for convention in (*SHARED, *FAMILIES))
"""The words of RISE-Conventions-v0. The corpus never uses them."""

_ONSETS = tuple("b br c ch cr d dr f fl g gr h j k kl l m n p pl pr r s sh sk sl st t tr v w z".split())
_VOWELS = tuple("a e i o u ai ea oo".split())
_CODAS = ("", "", "ck", "d", "dge", "g", "k", "l", "ll", "m", "n", "nd", "p", "r", "rk", "sh", "t", "te")


def syllable(draws: Draws) -> str:
    """Return a syllable."""
    return "".join(part[draws.below(len(part))] for part in (_ONSETS, _VOWELS, _CODAS))


def word(draws: Draws, first: str = "") -> str:
    """Return a word that is not hidden, of one or two syllables.

    Args:
        draws: Source of random numbers.
        first: What the word begins with.
    """
    while True:
        least = 0 if len(first) > 2 else 1
        found = first + "".join(syllable(draws) for _ in range(draws.between(least, 2 - bool(first))))
        if len(found) > 2 and found not in HIDDEN:
            return found
