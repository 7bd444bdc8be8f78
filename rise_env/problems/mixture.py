"""Mixtures of problem sets: problems of several sets in fixed proportions, in one reproducible order."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np

from rise_env.errors import ConfigError
from rise_env.types import Problem


def is_mixture(dataset: Any) -> bool:
    """Return whether a dataset is a list of (source, weight) pairs."""
    return (
        isinstance(dataset, list | tuple)
        and len(dataset) > 0
        and all(isinstance(part, list | tuple) and len(part) == 2 for part in dataset)
    )


def check_weights(weights: Sequence[Any]) -> list[float]:
    """Return weights that sum to 1.

    Raises:
        ConfigError: One is not a positive number; the message has its position and value.
    """
    for position, weight in enumerate(weights):
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not math.isfinite(weight) or weight <= 0:
            raise ConfigError(
                f"the weight of part {position} of the mixture must be positive, got {weight!r}"
            )
    return [weight / sum(weights) for weight in weights]


class MixedProblems(Sequence[Problem]):
    """Problems of several sets, interleaved in the proportions of their weights.

    Every problem occurs at most once. The mixture ends when one part has no problem left: parts of 7473 and
    7500 problems with weights 0.7 and 0.3 give 7473 + 3202 problems. Any section of it has nearly the
    proportions of the whole: the k-th problem of a part with weight w stands at position (k + 1/2) / w.
    The seed decides which problems of a part are taken, and in which order.

    Args:
        parts: The sets.
        weights: One positive number per part.
        seed: At least 0.
        names: One per part, for `source`.

    Raises:
        ConfigError: A weight is not positive, a part has no problems, or the seed is negative.
    """

    def __init__(
        self, parts: Sequence[Sequence[Problem]], weights: Sequence[float], *, seed: int, names: Sequence[str]
    ) -> None:
        if seed < 0:
            raise ConfigError(f"seed must be at least 0, got {seed}")
        shares = check_weights(weights)
        for name, part in zip(names, parts, strict=True):
            if not len(part):
                raise ConfigError(f"the part {name} of the mixture has no problems")
        length = min(len(part) / share for part, share in zip(parts, shares, strict=True))
        # 1e-9: 7 / 0.7 is a little less than 10
        counts = [
            min(len(part), max(1, math.floor(share * length + 1e-9)))
            for part, share in zip(parts, shares, strict=True)
        ]
        positions = np.concatenate(
            [(np.arange(count) + 0.5) / share for count, share in zip(counts, shares, strict=True)]
        )
        part_of = np.repeat(np.arange(len(parts)), counts)
        taken = [
            np.random.default_rng(np.random.SeedSequence((seed, i))).permutation(len(part))[:count]
            for i, (part, count) in enumerate(zip(parts, counts, strict=True))
        ]
        order = np.lexsort((part_of, positions))
        self.parts = tuple(parts)
        self._part_of = part_of[order]
        self._index_of = np.concatenate(taken)[order]
        self.source = " + ".join(
            f"{share:.6g} {name} ({part[0].source})"
            for share, name, part in zip(shares, names, parts, strict=True)
        )
        self.source += f", seed {seed}"
        heads = [part[0].id.rpartition("/")[0] for part in parts]
        self._renamed = [heads.count(head) > 1 for head in heads]

    def __len__(self) -> int:
        return len(self._part_of)

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | Sequence[Problem]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        part = int(self._part_of[index])
        problem = self.parts[part][int(self._index_of[index])]
        return replace(problem, id=f"part{part}/{problem.id}") if self._renamed[part] else problem

    def __iter__(self) -> Iterator[Problem]:
        return (self[index] for index in range(len(self)))

    def __copy__(self) -> "MixedProblems":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "MixedProblems":
        return self
