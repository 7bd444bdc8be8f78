"""Assigns the sequences of each optimizer step to ranks and forward passes.

The assignment changes speed and memory, but not the sum of the gradients. Every rank computes the same one.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from rise_trainers.data.optimizer_steps import StepPlan

EMPTY_INDEX = -1
"""The index of `dataset.EMPTY_EXAMPLE`, which trains nothing."""


class RankBatches:
    """The micro batches of one rank, as a `torch.utils.data` batch sampler.

    The sequences of a step are sorted by length before they are assigned, so that sequences of similar length
    are padded together and all ranks have a similar number of tokens at the same time.

    Args:
        plan: Which sequences each optimizer step trains.
        lengths: The length of every sequence, in tokens.
        passes: The number of forward passes of one rank per optimizer step; see `StepPlan.passes`.
        rank: The rank of this process.
        ranks: The number of processes.
    """

    def __init__(
        self, plan: StepPlan, lengths: Sequence[int], *, passes: int, rank: int = 0, ranks: int = 1
    ) -> None:
        self._plan = plan
        self._lengths = np.asarray(lengths)
        self._passes = passes
        self._rank = rank
        self._ranks = ranks
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration, which decides the order."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._plan.steps_per_epoch * self._passes

    def __iter__(self) -> Iterator[list[int]]:
        for step in self._plan.epochs[self._epoch]:
            for micro in self._assign(np.asarray(step)):
                yield micro[self._rank]

    def _assign(self, chosen: np.ndarray) -> list[list[list[int]]]:
        """Return for each forward pass the indices that each rank gets."""
        ordered = chosen[np.argsort(-self._lengths[chosen], kind="stable")]
        places = self._passes * self._ranks
        groups = [part.tolist() or [EMPTY_INDEX] for part in np.array_split(ordered, places)]
        return [groups[at : at + self._ranks] for at in range(0, places, self._ranks)]
