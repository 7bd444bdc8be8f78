"""The environment variables of the ranks of a fit, and a free port for their communication."""

import os
import socket

from rise_trainers.cluster.world import World, without_world
from rise_trainers.fitting.config import FitConfig
from rise_trainers.utils import parent_death


def rank_environment(config: FitConfig, world: World | None = None) -> dict[str, str]:
    """Return the environment variables of the ranks; each rank gets its share of the cores.

    With more threads than cores in total, the ranks wait for each other: on two cores, a fit was five times
    slower.

    Args:
        config: The settings of the fit.
        world: The world of this process; None if it was started alone.
    """
    variables = without_world(os.environ)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    members = 1 if world is None else world.local_size
    share = max(1, cores // (config.ranks * members))
    wanted = config.threads or min(share, int(variables.get("OMP_NUM_THREADS", share)))
    variables["OMP_NUM_THREADS"] = str(wanted)
    variables.setdefault("TOKENIZERS_PARALLELISM", "false")
    variables[parent_death.PARENT_PID_VARIABLE] = str(os.getpid())
    return variables


def free_port() -> int:
    """Return a TCP port that is not in use."""
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])
