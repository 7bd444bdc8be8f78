"""Assigns sequences to optimizer steps, ranks and forward passes; every rank computes the same assignment.

An optimizer step takes `batch_size` sequences. Which ones these are depends only on seed and epoch. Their
assignment to ranks and forward passes changes speed and memory, but not the sum of the gradients.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from rise_env.errors import ConfigError

EMPTY_INDEX = -1
"""The index of `dataset.EMPTY_EXAMPLE`, which trains nothing."""


class RankBatches:
    """The micro batches of one rank, as a `torch.utils.data` batch sampler.

    The sequences of a step are sorted by length before they are assigned, so that sequences of similar length
    are padded together and all ranks have a similar number of tokens at the same time.

    Args:
        lengths: The length of every sequence, in tokens.
        batch_size: Sequences per optimizer step, over all ranks.
        micro_batch_size: The largest number of sequences per forward pass of one rank.
        rank: The rank of this process.
        ranks: The number of processes.
        seed: Epoch e is shuffled with `SeedSequence((seed, e))`.

    Raises:
        ConfigError: `batch_size` is not a multiple of `micro_batch_size * ranks`.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        batch_size: int,
        micro_batch_size: int,
        rank: int = 0,
        ranks: int = 1,
        seed: int = 0,
    ) -> None:
        if batch_size % (micro_batch_size * ranks):
            raise ConfigError(
                f"batch_size must be a multiple of micro_batch_size * ranks, got {batch_size} and "
                f"{micro_batch_size} * {ranks}"
            )
        self._lengths = np.asarray(lengths)
        self._batch_size = batch_size
        self._micro = micro_batch_size
        self._rank = rank
        self._ranks = ranks
        self._seed = seed
        self._epoch = 0

    @property
    def accumulation(self) -> int:
        """The number of forward passes of one rank per optimizer step."""
        return self._batch_size // (self._micro * self._ranks)

    @property
    def steps(self) -> int:
        """The number of optimizer steps per epoch; the last one may have fewer sequences."""
        return -(-len(self._lengths) // self._batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration, which decides the order."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self.steps * self.accumulation

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng(np.random.SeedSequence((self._seed, self._epoch)))
        order = rng.permutation(len(self._lengths))
        for step in range(self.steps):
            chosen = order[step * self._batch_size : (step + 1) * self._batch_size]
            for micro in self._assign(chosen):
                yield micro[self._rank]

    def _assign(self, chosen: np.ndarray) -> list[list[list[int]]]:
        """Return for each forward pass the indices that each rank gets."""
        ordered = chosen[np.argsort(-self._lengths[chosen], kind="stable")]
        places = self.accumulation * self._ranks
        groups = [part.tolist() or [EMPTY_INDEX] for part in np.array_split(ordered, places)]
        return [groups[at : at + self._ranks] for at in range(0, places, self._ranks)]
