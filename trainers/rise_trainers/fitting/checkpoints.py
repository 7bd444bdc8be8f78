"""Checkpoints that are whole or not there.

A checkpoint is many files by many ranks. When all of them have written theirs, rank 0 adds a mark; a
checkpoint without it was cut short by a kill, and is removed when the fit is started again.
"""

import shutil
from pathlib import Path
from typing import Any

import torch.distributed
import transformers

MARK = "whole"


class MarkComplete(transformers.TrainerCallback):  # type: ignore[misc]
    """Marks each checkpoint after all ranks have written it."""

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Wait for all ranks, then mark."""
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if state.is_world_process_zero:
            (Path(args.output_dir) / f"checkpoint-{state.global_step}" / MARK).touch()


def last_complete(folder: Path, *, clean: bool = False) -> Path | None:
    """Return the latest whole checkpoint, or None.

    Args:
        folder: Of the fit.
        clean: Remove those that are not whole.
    """
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        if (path / MARK).exists():
            found.append((int(path.name.split("-")[1]), path))
        elif clean:
            shutil.rmtree(path)
    return max(found)[1] if found else None
