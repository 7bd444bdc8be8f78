"""Repairs a store whose lines were damaged after they were written, for example by a faulty disk."""

from dataclasses import dataclass
from pathlib import Path

from rise_env.errors import StoreError
from rise_env.trajectories.line_files import move_incomplete_line, move_lines, numbered_lines
from rise_env.trajectories.serialization import from_line
from rise_env.trajectories.store import read_run
from rise_env.utils.file_lock import lock

DAMAGED = "damaged"
"""Suffix of the file for lines that are no trajectories."""
REPEATED = "repeated"
"""Suffix of the file for trajectories whose id an earlier line has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a repair found: numbers of lines."""

    kept: int
    damaged: int
    repeated: int
    incomplete: int
    """1 if the last line had no line end, otherwise 0."""


def repair(path: str | Path) -> Repaired:
    """Move damaged lines and repeated episodes of a store into files beside it; see `line_files`.

    The episodes of damaged lines are missing afterwards, so that the run plays them again when it continues.

    Raises:
        DataNotFoundError: There is no such file.
        StoreError: Its first line is not a run record, or the disk is full. The file is then left as it was.
        BusyError: Another process is writing to the store.
    """
    path = Path(path)
    read_run(path)
    seen: set[str] = set()

    def reason(line: bytes) -> str:
        try:
            identity = from_line(line).id
        except ValueError:
            return DAMAGED
        if identity in seen:
            return REPEATED
        seen.add(identity)
        return ""

    try:
        with open(path, "r+b", buffering=0) as file:
            lock(file, path)
            incomplete = move_incomplete_line(file, path)
            moved = move_lines(path, reason)
    except OSError as error:
        raise StoreError(f"cannot repair {path}: {error.strerror or error}") from error
    kept = sum(1 for _ in numbered_lines(path)) - 1
    return Repaired(
        kept=kept, damaged=moved[DAMAGED], repeated=moved[REPEATED], incomplete=int(incomplete > 0)
    )
