"""The ranks of a fit that one process of a world runs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from rise_agents.engines.visible_devices import HIDDEN, VARIABLE, devices_of_one_process, visible_devices
from rise_env.errors import ConfigError
from rise_trainers.cluster.environment import rank_environment
from rise_trainers.cluster.world import World
from rise_trainers.fitting.config import FitConfig
from rise_trainers.utils.processes import terminate


class LocalRanks:
    """Processes that run ranks of a fit.

    Args:
        config: The settings of the fit; `ranks` is the number of processes.
        world: This process of the world.
        settings: Path of the settings file of the fit.
        master: Address and port for the communication between the ranks.
        log: File for what the processes print.
    """

    def __init__(
        self, config: FitConfig, world: World, settings: str | Path, master: tuple[str, int], log: BinaryIO
    ) -> None:
        rank = [sys.executable, "-m", "rise_trainers.utils.parent_death", "rise_trainers.fitting.rank"]
        self._processes: list[subprocess.Popen[bytes]] = []
        for variables in environments(config, world, master):
            process = subprocess.Popen(
                [*rank, str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**rank_environment(config, world), **variables},
            )
            self._processes.append(process)

    def poll(self) -> int | None:
        """Return 0 when all ranks have ended without an error, the exit code of one that failed, or None."""
        codes = [process.poll() for process in self._processes]
        return next((code for code in codes if code), None if None in codes else 0)

    def end(self) -> None:
        """End the ranks that still run."""
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            terminate(process)


def environments(config: FitConfig, world: World, master: tuple[str, int]) -> list[dict[str, str]]:
    """Return the variables that make each process a rank of the fit.

    Args:
        config: The settings of the fit.
        world: This process of the world.
        master: Address and port for the communication between the ranks.

    Raises:
        ConfigError: Too few devices are visible.
    """
    first = world.rank * config.ranks
    address, port = master
    ranks = world.size * config.ranks
    shared = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": address, "MASTER_PORT": str(port)}
    if config.device == "cpu":
        shared[VARIABLE] = HIDDEN
    return [
        {**shared, "RANK": str(first + place), "LOCAL_RANK": str(device)}
        for place, device in enumerate(local_devices(config, world, os.environ))
    ]


def local_devices(config: FitConfig, world: World, variables: Mapping[str, str]) -> list[int]:
    """Return the index of the device of each rank of this process, among its visible devices.

    The processes on one machine either see the same devices, of which each takes its share (torchrun), or
    each sees only its own (srun with bound GPUs).

    Args:
        config: The settings of the fit.
        world: This process of the world.
        variables: Environment variables of this process.

    Raises:
        ConfigError: Too few devices are visible.
    """
    start = world.local_rank * config.ranks
    visible = visible_devices(variables)
    if config.device == "cpu" or visible is None or (not visible and config.device == "auto"):
        return list(range(start, start + config.ranks))
    usable = devices_of_one_process(visible)
    if len(usable) == config.ranks:
        return list(range(config.ranks))
    if len(usable) < start + config.ranks:
        raise ConfigError(
            f"ranks is {config.ranks}, but {VARIABLE} is {variables[VARIABLE]!r} and this is process "
            f"{world.local_rank} of its machine: start fewer processes per machine, or show more devices"
        )
    return list(range(start, start + config.ranks))
