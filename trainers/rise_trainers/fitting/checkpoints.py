"""Marks complete checkpoints and finds the latest one.

A checkpoint consists of files of all ranks. When all ranks have written their files, rank 0 adds a marker
file. A checkpoint without a marker file is incomplete, because the fit was killed while it was written. It is
removed when the fit is started again.

The marker file holds the layout of the optimizer's state. A fit with another layout, for example with other
ranks, cannot read the state. It removes the checkpoints and begins again.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch.distributed
import transformers

from rise_env.utils.settings import differences
from rise_trainers.fitting.config import FitConfig

COMPLETE_MARKER = "whole"
"""The name of the marker file."""
Layout = Mapping[str, Any]
"""Setting -> its value as JSON, of the settings that decide which parts a checkpoint has."""


def layout(config: FitConfig, deepspeed: Mapping[str, Any], ranks: int, device: str) -> dict[str, Any]:
    """Return the layout of the checkpoints of a fit.

    Args:
        config: Its settings.
        deepspeed: Its DeepSpeed configuration.
        ranks: The number of its processes on all machines.
        device: The type of the devices, "cpu" or "cuda".
    """
    zero = deepspeed.get("zero_optimization", {})
    offloaded = [zero.get(f"offload_{kind}", {}).get("device", "none") for kind in ("optimizer", "param")]
    return {
        "ranks": ranks,
        "zero_stage": zero.get("stage", 0),
        "offload": [where for where in offloaded if where != "none"],
        "device": device,
        # what is measured before the first step is kept per sequence
        "layout": config.layout,
        "policy_sequences": config.policy_sequences,
    }


class MarkComplete(transformers.TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint after all ranks have written it.

    Args:
        layout: The layout of the checkpoints.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Wait for all ranks, then write the marker file."""
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            marker = Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE_MARKER
            new = marker.with_suffix(".new")
            new.write_text(json.dumps(self._layout))
            new.replace(marker)


def complete(folder: Path, *, clean: bool = False) -> dict[Path, Layout]:
    """Return the complete checkpoints with their layouts, the latest one last.

    Args:
        folder: The folder of the fit.
        clean: Whether to remove incomplete checkpoints.
    """
    found = {}
    for path in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])):
        try:
            found[path] = json.loads((path / COMPLETE_MARKER).read_text())
        except (FileNotFoundError, ValueError):
            if clean:
                shutil.rmtree(path)
    return found


def remove(checkpoint: Path) -> None:
    """Remove a checkpoint. Its marker is removed first, so that it is never taken for a complete one."""
    (checkpoint / COMPLETE_MARKER).unlink()
    shutil.rmtree(checkpoint)


def place_to_continue(folder: Path, layout: Layout, *, clean: bool = False) -> tuple[Path | None, str]:
    """Return the checkpoint to continue from, and a sentence if the fit begins again; see `layout`.

    Args:
        folder: The folder of the fit.
        layout: The layout of the fit that continues.
        clean: Whether to remove the checkpoints that cannot be continued; true on rank 0.

    Returns:
        The latest complete checkpoint with this layout, or None. The sentence is empty unless there are
        complete checkpoints, all with other layouts.
    """
    found = complete(folder, clean=clean)
    same = [path for path, its in found.items() if its == layout]
    others = [path for path in found if path not in same]
    sentence = ""
    if others and not same:
        before = found[others[-1]]
        changed = ", ".join(
            f"{name} was {before.get(name)!r} and is {layout[name]!r}"
            for name in differences(before, layout)
            if name in layout
        )
        sentence = f"the fit begins again from its data, as its checkpoints have another layout: {changed}"
    if clean:
        for path in others:
            remove(path)
    return (same[-1] if same else None), sentence
