"""Files of lines to which lines are only appended: reading them, and moving lines out of them.

No line is ever deleted. A line that does not belong into the file any longer is moved into a file beside it,
whose name has a further suffix: PATH.incomplete, PATH.damaged, PATH.repeated or PATH.failed.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import IO

from rise_env.errors import StoreError

INCOMPLETE = "incomplete"
"""Suffix of the file for last lines without a line end."""


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers, from 1. A last line without a line end is left out."""
    with open(path, "rb", buffering=1 << 20) as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):
                yield number, line


def chunks(lines: Iterator[tuple[int, bytes]], *, count: int, size: int) -> Iterator[list[tuple[int, bytes]]]:
    """Yield numbered lines in lists of at most `count` lines, which end after `size` bytes."""
    chunk: list[tuple[int, bytes]] = []
    held = 0
    for numbered in lines:
        chunk.append(numbered)
        held += len(numbered[1])
        if len(chunk) == count or held >= size:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def move_incomplete_line(file: IO[bytes], path: Path) -> int:
    """Move a last line without a line end into the file PATH.incomplete, and return its length."""
    size = file.seek(0, os.SEEK_END)
    start = size
    while start:
        block = min(start, 1 << 16)
        file.seek(start - block)
        newline = file.read(block).rfind(b"\n")
        if newline >= 0:
            start = start - block + newline + 1
            break
        start -= block
    if start < size:
        file.seek(start)
        with open(beside(path, INCOMPLETE), "ab") as aside:
            aside.write(file.read() + b"\n")
        file.truncate(start)
    return size - start


def move_lines(path: Path, reason: Callable[[bytes], str]) -> Counter[str]:
    """Move lines of a file into files beside it, and return how many lines have which reason.

    The file is replaced by a new one that has the other lines. If no line is moved, the file stays the same
    one. If the process is killed, the file is either the old one or the new one; in the first case, the lines
    may be in the files beside it as well.

    Args:
        path: The file. The caller has locked it. A last line without a line end is left out of the new file.
        reason: Called with every line but the first one. Returns the suffix of the file into which the line
            is moved; an empty text keeps the line.
    """
    lines = (line for _, line in numbered_lines(path))
    counts: Counter[str] = Counter()
    partial = beside(path, "partial")
    try:
        with ExitStack() as stack:
            kept = stack.enter_context(open(partial, "wb"))
            asides: dict[str, IO[bytes]] = {}
            for line, why in chain(((next(lines, b""), ""),), ((line, reason(line)) for line in lines)):
                if not why:
                    kept.write(line)
                    continue
                counts[why] += 1
                if why not in asides:
                    asides[why] = stack.enter_context(open(beside(path, why), "ab"))
                asides[why].write(line)
            for file in (*asides.values(), kept):
                file.flush()
                os.fsync(file.fileno())
        if counts:
            shutil.copymode(path, partial)
            partial.replace(path)
    finally:
        with suppress(FileNotFoundError):  # it replaced the file
            partial.unlink()
    return counts


def beside(path: Path, suffix: str) -> Path:
    """Return the path PATH.suffix."""
    return path.with_name(f"{path.name}.{suffix}")


def append_whole(file: IO[bytes], path: Path, data: bytes) -> None:
    """Write data at the end of an unbuffered file, and return when it is on the disk.

    After an exception, KeyboardInterrupt included, the file is as it was before.

    Raises:
        StoreError: The disk is full, or the file cannot be written; the message names `path`.
    """
    size = file.seek(0, os.SEEK_END)
    try:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        os.fsync(file.fileno())
    except BaseException as error:
        with suppress(OSError):
            file.truncate(size)
        if isinstance(error, OSError):
            raise StoreError(f"cannot write to {path}: {error.strerror or error}") from error
        raise
