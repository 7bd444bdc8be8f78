"""The processes of a world other than the first: each runs its ranks of every fit of the command."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rise_env.errors import RiseError, TrainingError
from rise_trainers.cluster import ray_cluster
from rise_trainers.cluster.local_ranks import LocalRanks
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.cluster.world import World, world_of
from rise_trainers.fitting.config import from_json
from rise_trainers.utils.parent_death import die_with_parent
from rise_trainers.utils.processes import terminate

_POLL_INTERVAL_S = 0.2


def follow(variables: Mapping[str, str]) -> bool:
    """Take part in the fits of the command until it ends, unless this process is the first of its world.

    Args:
        variables: Environment variables of this process.

    Returns:
        Whether this process took part. False means that it has to do the work of the command.

    Raises:
        ConfigError: A variable of the world is missing or malformed.
        TrainingError: The first process failed, or it ended without a word.
    """
    world = world_of(variables)
    if world is None or world.rank == 0:
        return False
    if world.hosted:
        die_with_parent()
    rendezvous = Rendezvous(world)
    try:
        code = _take_part(rendezvous, world)
    except RuntimeError as error:  # the store is gone
        raise TrainingError("the first process of the world has ended without a word") from error
    if code:
        raise TrainingError("the first process of the world failed: it says why")
    return True


def member_log(folder: Path, rank: int) -> Path:
    """Return the log of the ranks that a process of the world runs; `folder` is the partial folder."""
    return folder / f"fit.process-{rank}.log"


def _take_part(rendezvous: Rendezvous, world: World) -> int:
    """Run the ranks of this process in one fit after another; return the exit code of the command."""
    number = 1
    node = None
    try:
        while True:
            task = rendezvous.announced(number)
            if task is not None:
                if ray_cluster.TASK in task:
                    node = ray_cluster.join(rendezvous, task)
                    failure = None
                else:
                    failure = _run(rendezvous, world, number, task)
                rendezvous.report(number, failure)
                number += 1
                continue
            code = rendezvous.ended()
            if code is not None:
                return code
            time.sleep(_POLL_INTERVAL_S)
    finally:
        if node is not None:
            terminate(node)


def _run(rendezvous: Rendezvous, world: World, number: int, task: Mapping[str, Any]) -> str | None:
    """Run the ranks of one fit; return why they failed, or None."""
    settings = Path(task["settings"])
    try:
        config = from_json(json.loads(settings.read_text()))
        log_path = member_log(settings.parent, world.rank)
        with open(log_path, "ab") as log:
            ranks = LocalRanks(config, world, settings, (task["address"], task["port"]), log)
            try:
                while (code := ranks.poll()) is None:
                    if rendezvous.stopped(number):
                        return None
                    time.sleep(_POLL_INTERVAL_S)
            finally:
                ranks.end()
    except RiseError as error:
        return str(error)
    except OSError as error:
        return (
            f"process {world.rank} of the world cannot use {settings.parent} ({error}): put it on a disk "
            "that all machines share"
        )
    if code:
        return (
            f"the fit failed in process {world.rank} of the world with exit code {code}; the reason is at "
            f"the end of {log_path}"
        )
    return None
