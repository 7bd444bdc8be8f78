"""Finished episodes on their way into a store.

They are written in the order in which they were begun, so that the first ones of a store are a fair sample
and not the quick ones. An episode that takes very long holds up the others only for a while.
"""

import time
from collections.abc import Callable, Sequence

from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Trajectory

SECONDS = 10.0
"""After which finished episodes are written, however few they are."""

PATIENCE = 60.0
"""Seconds after which they are written though one that was begun before them is not finished."""


class OrderedWriter:
    """Takes finished episodes, and writes many at a time.

    Args:
        store: Where they go.
        order: Indices of the problems, in the order in which their episodes begin; each once.
        size: How many are written at a time.
        written: Called after each writing with what was written.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        store: TrajectoryStore,
        order: Sequence[int],
        size: int,
        written: Callable[[Sequence[Trajectory]], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._order = order
        self._size = size
        self._written = written
        self._clock = clock
        self._next = 0
        """Place in the order up to which everything is written or ready."""
        self._early: dict[int, Trajectory] = {}
        """Finished before one that was begun before them."""
        self._ready: list[Trajectory] = []
        self._done: set[int] = set()
        """Indices that were written ahead of the order."""
        self._last = clock()

    def add(self, index: int, trajectory: Trajectory) -> None:
        """Take the finished episode of a problem.

        Raises:
            StoreError: The store cannot be written; nothing is lost, and it can be tried again.
        """
        self._early[index] = trajectory
        while self._next < len(self._order):
            index = self._order[self._next]
            if index in self._early:
                self._ready.append(self._early.pop(index))
            elif index not in self._done:
                break
            self._next += 1
        waited = self._clock() - self._last
        if len(self._ready) >= self._size or (self._ready and waited > SECONDS):
            self._write()
        elif waited > PATIENCE:
            self.flush()

    def flush(self) -> None:
        """Write everything that is finished.

        Raises:
            StoreError: The store cannot be written; nothing is lost, and it can be tried again.
        """
        self._ready += self._early.values()
        self._done |= self._early.keys()
        self._early.clear()
        self._write()

    def _write(self) -> None:
        if not self._ready:
            return
        self._store.append(self._ready)
        written, self._ready = self._ready, []
        self._last = self._clock()
        self._written(written)
