"""Problems that are computed on access instead of stored in a list."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload

from rise_env.errors import ConfigError
from rise_env.types import Problem
from rise_env.utils.suggestions import validate_choice

SPLITS = ("train", "validation", "test")


class GeneratedProblems(Sequence[Problem], ABC):
    """A sequence whose problem `i` is a pure function of the split, the seed and `i`. Nothing is stored.

    To add a generated set: write a subclass with a method `make`, and add an entry to `SETS` in `loading.py`.

    Args:
        split: One of `SPLITS`.
        seed: At least 0. Another seed gives other problems.
        size: Number of problems, at least 1.

    Raises:
        ConfigError: The split is unknown, or seed or size is out of range.
    """

    def __init__(self, *, split: str, seed: int, size: int) -> None:
        validate_choice(split, SPLITS, "split")
        if seed < 0 or size < 1:
            raise ConfigError(f"seed must be at least 0 and size at least 1, got {seed} and {size}")
        self.split = split
        self.seed = seed
        self._size = size

    @abstractmethod
    def make(self, index: int) -> Problem:
        """Return problem `index`, in [0, len(self))."""

    def entropy(self, index: int) -> tuple[int, int, int]:
        """Return what seeds the draws of problem `index`: different for every seed, split and index."""
        return self.seed, SPLITS.index(self.split), index

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> list[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | list[Problem]:
        if isinstance(index, slice):
            return [self.make(i) for i in range(*index.indices(self._size))]
        if not -self._size <= index < self._size:
            raise IndexError(f"problem {index} of {self._size}")
        return self.make(index % self._size)

    def __iter__(self) -> Iterator[Problem]:
        return (self.make(index) for index in range(self._size))
