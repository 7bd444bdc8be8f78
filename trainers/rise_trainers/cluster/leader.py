"""The first process of a world: it announces fits, and runs its own ranks of them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rise_trainers.cluster.environment import free_port
from rise_trainers.cluster.local_ranks import LocalRanks
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.cluster.world import PHASE_VARIABLE, world_of
from rise_trainers.fitting.config import FitConfig
from rise_trainers.utils.parent_death import die_with_parent

_GRACE_S = 5.0
"""Seconds after the failure of another process in which the own ranks may end and say what was wrong."""


@contextmanager
def leading(variables: Mapping[str, str]) -> Iterator[Rendezvous | None]:
    """Lead the world of this process, and tell the others when the command ends.

    Args:
        variables: Environment variables of this process, the first of its world.

    Yields:
        The rendezvous; None if this process was started alone.

    Raises:
        ConfigError: A variable of the world is missing or malformed.
        TrainingError: The processes cannot meet.
    """
    world = world_of(variables)
    if world is None:
        yield None
        return
    if PHASE_VARIABLE in variables:  # the run that started this process leads the world
        yield Rendezvous(world)
        return
    if world.hosted:
        die_with_parent()
    rendezvous = Rendezvous(world, host=not world.hosted)
    code = 2
    try:
        yield rendezvous
        code = 0
    finally:
        rendezvous.end(code)


class WorldRanks:
    """The ranks of one fit in all processes of a world.

    Args:
        rendezvous: The rendezvous of the first process.
        config: The settings of the fit.
        settings: Path of the settings file of the fit.
        log: File for what the ranks of this process print.
    """

    def __init__(self, rendezvous: Rendezvous, config: FitConfig, settings: Path, log: BinaryIO) -> None:
        self._rendezvous = rendezvous
        world = rendezvous.world
        address = config.master_addr or world.master_addr
        port = config.master_port or free_port()
        self._own = LocalRanks(config, world, settings, (address, port), log)
        self._number = rendezvous.announce({"settings": str(settings), "address": address, "port": port})
        self._failed_at: float | None = None
        self.failure: str | None = None
        """Why another process failed."""

    def poll(self) -> int | None:
        """Return 0 when all ranks have ended without an error, the exit code of one that failed, or None."""
        own = self._own.poll()
        if own:
            return own
        self.failure = self._rendezvous.failure(self._number)
        if self.failure is not None:
            self._failed_at = self._failed_at or time.monotonic()
            return 1 if time.monotonic() - self._failed_at > _GRACE_S else None
        return own if own is not None and self._rendezvous.all_ended(self._number) else None

    def end(self) -> None:
        """End the ranks that still run, in all processes."""
        self._rendezvous.stop(self._number)
        self._own.end()
