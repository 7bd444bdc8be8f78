"""The machines of a DeepSpeed hostfile, and the arguments that make DeepSpeed start ranks on them."""

import re
from collections.abc import Mapping
from pathlib import Path

from rise_agents.engines.visible_devices import VARIABLE, visible_devices
from rise_env.errors import ConfigError
from rise_trainers.fitting.config import FitConfig

_LINE = re.compile(r"(\S+)\s+slots=(\d+)(\s.*)?")


def read_hostfile(path: str | Path) -> dict[str, int]:
    """Return the machines of a hostfile with their numbers of devices.

    Raises:
        ConfigError: A line is not `NAME slots=NUMBER`, a name occurs twice, or the file names no machine.
    """
    hosts: dict[str, int] = {}
    for number, text in enumerate(Path(path).read_text().splitlines(), start=1):
        line = text.partition("#")[0].strip()
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{path}:{number} must be 'NAME slots=NUMBER', got {line!r}")
        if match[1] in hosts:
            raise ConfigError(f"{path}:{number} names {match[1]!r} again: write one line per machine")
        hosts[match[1]] = int(match[2])
    if not hosts:
        raise ConfigError(f"{path} names no machine: write one line 'NAME slots=NUMBER' per machine")
    return hosts


def check_hosts(config: FitConfig, path: str, variables: Mapping[str, str]) -> None:
    """Check that every machine of the hostfile `path` has the devices that the fit uses.

    Raises:
        ConfigError: The hostfile is malformed, or a machine has too few devices.
    """
    highest = max(map(int, _device_numbers(config, variables) or range(config.ranks)))
    for host, slots in read_hostfile(path).items():
        if highest >= slots:
            raise ConfigError(
                f"{path} gives {host} {slots} slots, but the fit uses device {highest} on every machine: "
                f"correct the slots, lower ranks ({config.ranks}), or change {VARIABLE}"
            )


def host_arguments(config: FitConfig, path: str, variables: Mapping[str, str]) -> list[str]:
    """Return the arguments of DeepSpeed's runner that say where and how the ranks start.

    Args:
        config: The settings of the fit.
        path: The hostfile.
        variables: Environment variables of this process. The device numbers of CUDA_VISIBLE_DEVICES are used
            on every machine.

    Raises:
        ConfigError: CUDA_VISIBLE_DEVICES shows too few devices, or names devices of this machine.
    """
    arguments = ["--hostfile", path, "--launcher", config.launcher]
    devices = _device_numbers(config, variables)
    if devices is None:
        arguments += ["--num_gpus", str(config.ranks)]
    else:
        places = [f"{host}:{','.join(devices)}" for host in read_hostfile(path)]
        arguments += ["--include", "@".join(places)]
    if config.master_addr is not None:
        arguments += ["--master_addr", config.master_addr]
    return arguments


def _device_numbers(config: FitConfig, variables: Mapping[str, str]) -> list[str] | None:
    """Return the numbers of the devices to use on every machine; None is the first ones."""
    visible = visible_devices(variables)
    if not visible or config.device == "cpu":
        return None
    if not visible[0].isdecimal():
        raise ConfigError(
            f"{VARIABLE} is {variables[VARIABLE]!r}, which names devices of this machine, but hostfile "
            f"{config.hostfile} has several: use numbers, which are the same on every machine"
        )
    if config.ranks > len(visible):
        raise ConfigError(
            f"ranks is {config.ranks}, but {VARIABLE} is {variables[VARIABLE]!r}: "
            f"set ranks to at most {len(visible)}, or show more devices"
        )
    return visible[: config.ranks]
