"""A file of JSON lines to which lines are only appended; each is on the disk when `append` returns."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rise_env.errors import StoreError
from rise_env.trajectories.line_files import append_whole, move_incomplete_line, numbered_lines


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the values of the lines of a file; empty if there is no file. A line without an end is left out.

    Raises:
        StoreError: A line is not a JSON object.
    """
    if not path.exists():
        return []
    found = []
    for number, line in numbered_lines(path):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise StoreError(f"{path}, line {number} is damaged: it is not a JSON object")
        found.append(value)
    return found


class JsonLines:
    """Appends lines to a file. An incomplete last line, after a kill, is moved aside when it is opened.

    Args:
        path: The file; it is created where it is missing.
        keep: Number of lines to keep; the ones after it are cut off. None keeps all.
    """

    def __init__(self, path: Path, keep: int | None = None) -> None:
        self._path = path
        self._file = open(path, "a+b", buffering=0)  # noqa: SIM115
        move_incomplete_line(self._file, path)
        if keep is not None:
            self._file.truncate(sum(len(line) for number, line in numbered_lines(path) if number <= keep))

    def append(self, *values: Mapping[str, Any]) -> None:
        """Write lines and return when they are on the disk.

        Raises:
            StoreError: The disk is full. The file is then as it was before.
        """
        data = b"".join(json.dumps(value, separators=(",", ":")).encode() + b"\n" for value in values)
        append_whole(self._file, self._path, data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
