"""Copies of a folder as a kill would leave it: one after every write that is forced onto the disk."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def copies_after_every_write(folder: Path, copies: Path, patch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Yield a list to which a copy of `folder` is added after every fsync and every rename of a file."""
    taken: list[Path] = []

    def copying(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            result = call(*arguments)
            if folder.exists():
                taken.append(copies / str(len(taken)))
                shutil.copytree(folder, taken[-1])
            return result

        return wrapped

    with patch.context() as patched:
        patched.setattr(os, "fsync", copying(os.fsync))
        patched.setattr(Path, "replace", copying(Path.replace))
        yield taken


def tear_last_line(path: Path) -> bool:
    """Cut the last line of a file in its middle, as a kill during a write does; return whether it has one."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    if lines:
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][: len(lines[-1]) // 2])
    return bool(lines)
