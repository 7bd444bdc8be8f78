"""What generated problems are made of: random draws, and the steps of a chain of quantities."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Step:
    """One quantity computed from earlier ones; operands are indices of quantities or plain numbers."""

    relation: str
    of: int
    """Index of the earlier quantity."""
    number: int
    """The number in the sentence; for "sum" the index of the second quantity."""
    expression: str
    """As the worked solution writes it, for example "12+5"."""
    value: int


class Draws:
    """Small integers from one block of random words: far cheaper than one generator call each."""

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
