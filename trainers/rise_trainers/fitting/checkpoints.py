"""Marks complete checkpoints and finds the latest one.

A checkpoint consists of files of all ranks. When all ranks have written their files, rank 0 adds a marker
file. A checkpoint without a marker file is incomplete, because the fit was killed while it was written. It is
removed when the fit is started again.
"""

import shutil
from pathlib import Path
from typing import Any

import torch.distributed
import transformers

COMPLETE_MARKER = "whole"
"""The name of the marker file."""


class MarkComplete(transformers.TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint after all ranks have written it."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Wait for all ranks, then write the marker file."""
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE_MARKER).touch()


def last_complete(folder: Path, *, clean: bool = False) -> Path | None:
    """Return the latest complete checkpoint, or None.

    Args:
        folder: The folder of the fit.
        clean: Whether to remove incomplete checkpoints.
    """
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE_MARKER).exists():
            found.append((int(path.name.split("-")[1]), path))
        elif clean:
            shutil.rmtree(path)
    return max(found)[1] if found else None
