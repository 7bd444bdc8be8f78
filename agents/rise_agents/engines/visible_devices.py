"""Reads CUDA_VISIBLE_DEVICES. This module does not import torch."""

from collections.abc import Mapping

VARIABLE = "CUDA_VISIBLE_DEVICES"
HIDDEN = "-1"
"""A value of the variable, or an entry of its list, that shows no device."""


def visible_devices(variables: Mapping[str, str]) -> list[str] | None:
    """Return the devices that CUDA_VISIBLE_DEVICES names, in its order.

    CUDA ignores a list with a repeated device, and everything after the first entry that is of another kind
    than the first one. Source: `torch.cuda._parse_visible_devices`.

    >>> visible_devices({"CUDA_VISIBLE_DEVICES": "6, 7"}), visible_devices({"CUDA_VISIBLE_DEVICES": "0,-1,2"})
    (['6', '7'], ['0'])

    Args:
        variables: Environment variables.

    Returns:
        Numbers, or names such as "GPU-8a3f..." and "MIG-1c2d...". An empty list means that no device is
        visible. None means that the variable is not set, so that all devices of the machine are visible.
    """
    text = variables.get(VARIABLE)
    if text is None:
        return None
    devices: list[str] = []
    for entry in text.split(","):
        name = entry.strip()
        if _kind(name) is None or (devices and _kind(name) != _kind(devices[0])):
            break
        devices.append(name)
    return devices if len(set(devices)) == len(devices) else []


def devices_of_one_process(devices: list[str]) -> list[str]:
    """Return those of some devices that one process can use: of several MIG devices, CUDA shows the first."""
    return devices[:1] if devices and _kind(devices[0]) == "MIG" else devices


def _kind(name: str) -> str | None:
    """Return "number", "GPU" or "MIG", or None for an entry that names no device."""
    if name.isdecimal():
        return "number"
    prefix, dash, rest = name.partition("-")
    return prefix if dash and rest and prefix in ("GPU", "MIG") else None
