"""The parts of generated problems: random draws, and the steps of a chain of quantities."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Step:
    """One calculation: a quantity computed from earlier ones."""

    relation: str
    """A key of `wording.RELATIONS`."""
    of: int
    """Index of the earlier quantity."""
    number: int
    """The number in the sentence; for "sum" the index of the second quantity."""
    expression: str
    """The calculation as the worked solution writes it, for example "12+5"."""
    value: int
    """The quantity that the step gives."""


class Draws:
    """Draws small integers from blocks of random words, which is much faster than one generator call each.

    Args:
        entropy: Non-negative integers that seed the draws.
    """

    def __init__(self, entropy: tuple[int, ...]) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy))
        self._words: list[int] = []

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound)."""
        if not self._words:
            self._words = self._bits.random_raw(64).tolist()
        return (self._words.pop() >> 32) * bound >> 32

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        return low + self.below(high - low + 1)
