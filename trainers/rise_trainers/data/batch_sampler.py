"""Which sequences go into which forward pass: the order of the data, known in advance on every rank.

An optimizer step takes `batch_size` sequences. Which ones depends on seed and epoch alone. How they are dealt
out to ranks and forward passes changes speed and memory, never the sum of the gradients.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from rise_env.errors import ConfigError

FILLER = -1
"""The index of a sequence that trains nothing."""


class RankBatches:
    """The micro batches of one rank, as a `torch.utils.data` batch sampler.

    Sequences of a step are sorted by length before they are dealt out, so that those that are padded
    together are about as long, and ranks have about as much to do at the same time.

    Args:
        lengths: Of all sequences, in tokens.
        batch_size: Sequences per optimizer step, over all ranks.
        micro_batch_size: Sequences per forward pass.
        rank: Of this process.
        ranks: How many processes there are.
        seed: Of the order; epoch e is shuffled with `SeedSequence((seed, e))`.

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
        """Forward passes of one rank per optimizer step."""
        return self._batch_size // (self._micro * self._ranks)

    @property
    def steps(self) -> int:
        """Optimizer steps per epoch; the last one may have fewer sequences."""
        return -(-len(self._lengths) // self._batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration plays."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self.steps * self.accumulation

    def __iter__(self) -> Iterator[list[int]]:
        rng = np.random.default_rng(np.random.SeedSequence((self._seed, self._epoch)))
        order = rng.permutation(len(self._lengths))
        for step in range(self.steps):
            chosen = order[step * self._batch_size : (step + 1) * self._batch_size]
            for micro in self._deal(chosen):
                yield micro[self._rank]

    def _deal(self, chosen: np.ndarray) -> list[list[list[int]]]:
        """Return for each forward pass what each rank gets."""
        ordered = chosen[np.argsort(-self._lengths[chosen], kind="stable")]
        places = self.accumulation * self._ranks
        groups = [part.tolist() or [FILLER] for part in np.array_split(ordered, places)]
        return [groups[at : at + self._ranks] for at in range(0, places, self._ranks)]
