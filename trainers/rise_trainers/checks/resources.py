"""What a fit needs of memory and disk, compared with what this machine has.

A fit is refused only where it cannot succeed: where its weights, gradients and optimizer states alone exceed
the memory, or its checkpoints the free disk. Estimates that are merely close to the limit are notes.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from rise_env.errors import ConfigError
from rise_trainers.fitting.config import FitConfig
from rise_trainers.loop.memory import GIB, MemoryEstimate

_FULL = 0.9
"""Share of a device's memory above which a fit may run out of it."""
_PINNED = 1.5
"""DeepSpeed's estimate of host memory has this factor for buffers."""
_LESS_MEMORY = "use more ranks, zero_stage 3, offload true or lora"
_LESS_DISK = "free some space, name another folder, or train adapters with lora"


def checkpoint_bytes(fit: FitConfig, parameters: int, trained: int) -> int:
    """Return the size of one checkpoint: weights and optimizer states.

    The weights are there twice, for transformers and for DeepSpeed, which keeps none of its own in stage 3.

    Args:
        fit: The settings of the fit, with the ZeRO stage of its DeepSpeed file if it has one.
        parameters: Number of parameters of the model.
        trained: Number of parameters that are trained.
    """
    weight = 2 if fit.dtype == "bfloat16" else 4
    # two moments in float32, and a copy of the weights in float32 except in stage 0 with float32 weights
    optimizer = 8 if fit.zero_stage == 0 and fit.dtype == "float32" else 12
    saved = trained if fit.lora is not None else parameters
    copies = 1 if fit.zero_stage == 3 else 2
    return copies * weight * saved + optimizer * trained


def model_bytes(fit: FitConfig, parameters: int) -> int:
    """Return the size of the fitted model on disk."""
    return parameters * (2 if fit.dtype == "bfloat16" else 4)


def fit_disk_bytes(fit: FitConfig, parameters: int, trained: int, steps: int | None = None) -> int:
    """Return the largest size of a fit's folder: its checkpoints, and the model that it saves at the end.

    Args:
        fit: See `checkpoint_bytes`.
        parameters: See `checkpoint_bytes`.
        trained: See `checkpoint_bytes`.
        steps: Number of optimizer steps; None assumes as many checkpoints as can be at a time.
    """
    # the last step writes a checkpoint too, and an old one is deleted after a new one is complete
    most = fit.keep_checkpoints + 1
    count = most if steps is None else min(most, steps // fit.save_every + (steps % fit.save_every > 0))
    return count * checkpoint_bytes(fit, parameters, trained) + model_bytes(fit, parameters)


def check_memory(fit: FitConfig, needed: MemoryEstimate, gpus: Sequence[int], ram: int) -> list[str]:
    """Compare the memory that a fit needs with that of this machine, and return notes.

    Args:
        fit: The settings of the fit.
        needed: The estimate for one rank.
        gpus: Memory of each GPU in bytes; empty where the fit trains on the CPU.
        ram: Memory of this machine in bytes.

    Raises:
        ConfigError: The weights, gradients and optimizer states do not fit into the memory.
    """
    if gpus:
        have, what = min(gpus[: fit.ranks]) / GIB, "the GPU"
        states, total = needed.states, needed.device
        if needed.host / _PINNED > ram / GIB:
            raise ConfigError(
                f"the fit needs about {needed.host:.1f} GiB of memory of the host, which has "
                f"{ram / GIB:.1f} GiB: set offload to false, use fewer ranks, or lora"
            )
    else:
        have, what = ram / GIB, "this machine"
        states, total = fit.ranks * needed.states, fit.ranks * needed.device
    if states > have:
        raise ConfigError(
            f"the weights, gradients and optimizer states of the fit need {states:.1f} GiB, and {what} has "
            f"{have:.1f} GiB: {_LESS_MEMORY}"
        )
    if total > _FULL * have:
        return [
            f"the fit may run out of memory: it needs up to {total:.1f} GiB, and {what} has {have:.1f} GiB; "
            "set gradient_checkpointing to true, or a smaller micro_batch_size or max_length"
        ]
    return []


def check_disk(needed: int, folder: str | Path, what: str = "the fit") -> None:
    """Compare the disk space that a command needs with what is free for its folder.

    Args:
        needed: Bytes. What is in the folder already counts as written.
        folder: The folder; it may not exist yet.
        what: What needs the space, for the message.

    Raises:
        ConfigError: Too little is free.
    """
    free = free_bytes(folder)
    written = folder_bytes(Path(folder))
    if needed - written > free:
        raise ConfigError(
            f"{what} needs {(needed - written) / GIB:.1f} GiB of disk in {folder} for its models, "
            f"and {free / GIB:.1f} GiB are free: {_LESS_DISK}"
        )


def free_bytes(folder: str | Path) -> int:
    """Return the free disk space for a folder, in bytes; it may not exist yet."""
    found = Path(folder).absolute()
    while not found.exists():
        found = found.parent
    return shutil.disk_usage(found).free


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder, in bytes; 0 if there is none."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # another process has deleted it
            continue
    return total


def machine_memory() -> int:
    """Return the memory of this machine in bytes, or of its container where that is less."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total
