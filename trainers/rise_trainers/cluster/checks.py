"""Checks that a fit can run on the devices and machines that it is given."""

from collections.abc import Mapping

from rise_env.errors import ConfigError
from rise_trainers.cluster.devices import rank_devices
from rise_trainers.cluster.hostfile import check_hosts
from rise_trainers.cluster.local_ranks import local_devices
from rise_trainers.cluster.world import world_of
from rise_trainers.fitting.config import FitConfig


def check_devices(config: FitConfig, variables: Mapping[str, str]) -> None:
    """Check that the ranks of a fit have the devices that they need; no device is asked.

    Args:
        config: The settings of the fit. The hostfile, if there is one, must exist.
        variables: Environment variables of this process.

    Raises:
        ConfigError: Too few devices are visible, the hostfile is malformed, or it is given in a world.
    """
    world = world_of(variables)
    if config.hostfile is not None:
        if world is not None:
            raise ConfigError(
                f"hostfile is {config.hostfile!r}, but this command was started as {world.size} processes by "
                "torchrun or srun, which have the machines already: leave hostfile out, or start one process"
            )
        check_hosts(config, config.hostfile, variables)
    elif world is not None:
        local_devices(config, world, variables)
    else:
        rank_devices(config, variables)
