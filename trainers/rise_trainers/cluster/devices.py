"""The devices that the ranks of a fit use on one machine. This module does not import torch."""

from collections.abc import Mapping

from rise_agents.engines.visible_devices import HIDDEN, VARIABLE, devices_of_one_process, visible_devices
from rise_env.errors import ConfigError
from rise_trainers.fitting.config import FitConfig


def rank_devices(config: FitConfig, variables: Mapping[str, str]) -> list[str]:
    """Return one entry of CUDA_VISIBLE_DEVICES per rank; the local rank is the index of its device.

    Args:
        config: The settings of the fit. With `device` cpu, the entries hide all GPUs.
        variables: Environment variables of this process.

    Raises:
        ConfigError: CUDA_VISIBLE_DEVICES shows fewer devices than the fit has ranks.
    """
    visible = visible_devices(variables)
    if config.device == "cpu":
        return [HIDDEN] * config.ranks
    if visible is None:
        return [str(number) for number in range(config.ranks)]
    if not visible and config.device == "auto":
        return [HIDDEN] * config.ranks
    usable = devices_of_one_process(visible)
    if config.ranks > len(usable):
        note = ", and a process can use only one MIG device" if len(usable) < len(visible) else ""
        raise ConfigError(
            f"ranks is {config.ranks}, but {VARIABLE} is {variables[VARIABLE]!r}{note}: "
            f"set ranks to at most {max(1, len(usable))}, show more devices, or set device to cpu"
        )
    return usable[: config.ranks]
