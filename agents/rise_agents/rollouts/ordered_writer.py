"""Writes finished episodes to a store in the order in which they started.

Episodes finish out of order. Without this order, the first episodes of an unfinished store would be the short
ones, and not a fair sample. An episode that takes very long delays the later ones only for a limited time.
"""

import time
from collections.abc import Callable, Sequence

from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Trajectory

WRITE_AFTER_S = 10.0
"""Seconds after which the episodes that are next in the order are written, even if they are few."""

FLUSH_AFTER_S = 60.0
"""If no episode that is next in the order could be written for this long, all finished ones are written."""


class OrderedWriter:
    """Buffers finished episodes and writes several at a time. `collect` uses one.

    Args:
        store: The store to which the episodes are written.
        order: Problem indices in the order in which their episodes start; each once.
        batch_size: Number of episodes that are written together.
        on_write: Called after each write with the written episodes.
        clock: A monotonic clock that returns the time in seconds.
    """

    def __init__(
        self,
        store: TrajectoryStore,
        order: Sequence[int],
        batch_size: int,
        on_write: Callable[[Sequence[Trajectory]], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._order = order
        self._batch_size = batch_size
        self._on_write = on_write
        self._clock = clock
        self._next = 0
        """Position in the order; all episodes before it are written or ready."""
        self._early: dict[int, Trajectory] = {}
        """Index -> a finished episode that an unfinished one precedes."""
        self._ready: list[Trajectory] = []
        """The next episodes to write, in order."""
        self._flushed: set[int] = set()
        """Indices of episodes that were written out of order."""
        self._last_write = clock()

    def add(self, index: int, trajectory: Trajectory) -> None:
        """Add a finished episode, and write if enough are ready or the last write was long ago.

        Args:
            index: Index of the problem of the episode; an element of `order`.
            trajectory: The episode.

        Raises:
            StoreError: The store cannot be written. The episodes stay in the buffer; `flush` tries again.
        """
        self._early[index] = trajectory
        while self._next < len(self._order):
            index = self._order[self._next]
            if index in self._early:
                self._ready.append(self._early.pop(index))
            elif index not in self._flushed:
                break
            self._next += 1
        waited = self._clock() - self._last_write
        if len(self._ready) >= self._batch_size or (self._ready and waited > WRITE_AFTER_S):
            self._write()
        elif waited > FLUSH_AFTER_S:
            self.flush()

    def flush(self) -> None:
        """Write all finished episodes.

        Raises:
            StoreError: The store cannot be written. The episodes stay in the buffer; call it again to retry.
        """
        self._ready += self._early.values()
        self._flushed |= self._early.keys()
        self._early.clear()
        self._write()

    def _write(self) -> None:
        if not self._ready:
            return
        self._store.append(self._ready)
        written, self._ready = self._ready, []
        self._last_write = self._clock()
        self._on_write(written)
