"""A store of trajectories: a file of JSON lines to which lines are only appended.

The first line is the run record, {"kind": "run", "schema": 1, ...}: what was run, with which settings,
versions and seed. Every further line is one trajectory (see `serialization`). `append` returns when its
trajectories are on the disk (fsync). If the process is killed, the last line may be incomplete. The next time
the store is opened for appending, such a line is moved into a file beside the store. If an id occurs in
several lines, the first of them counts. Settings with names from before they were renamed are read with their
new names (see `old_names`).
"""

import contextlib
import gc
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from rise_env.errors import BusyError, DataNotFoundError, StoreError
from rise_env.trajectories.line_files import (
    append_whole,
    chunks,
    move_incomplete_line,
    move_lines,
    numbered_lines,
)
from rise_env.trajectories.model_formats import FORMATS, known_in_both
from rise_env.trajectories.old_names import rename_record
from rise_env.trajectories.serialization import from_line, id_of_line, to_json
from rise_env.types import Trajectory
from rise_env.utils.file_lock import lock

SCHEMA = 1
"""Version of the file format, in the run record."""

VOLATILE = frozenset({"versions", "created", "machine"})
"""Keys of the run record that may differ when a run is continued."""

FAILED = "failed"
"""Suffix of the file for episodes that failed and are played again."""

_START = b'{"kind":"run"'
"""How the first line begins."""
_LONGEST_RECORD = 1 << 26
"""Bytes of the longest run record that is read."""
_CHUNK = {"count": 1024, "size": 1 << 22}
"""At most this many lines, and about this many bytes, are parsed before the first of them is yielded."""


_Value = TypeVar("_Value")


class TrajectoryStore:
    """A file of trajectories, open for appending by one process at a time.

    An existing file is continued when its run record equals `run_record`.

    Args:
        path: The file. It and its folder are created where they are missing.
        run_record: A description of the run as JSON values. When a file is continued, its keys in `VOLATILE`
            may differ from those of the file.

    Raises:
        StoreError: The file is of another run, is damaged, or cannot be created. Then it is left as it was.
        BusyError: Another process has the file open for appending.
    """

    def __init__(self, path: str | Path, run_record: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.run_record = _normal({"kind": "run", "schema": SCHEMA, **run_record})
        self._ids: set[str] = set()
        self._file = self._opened()
        try:
            is_new = self._require_own_file()
            self.incomplete_bytes = move_incomplete_line(self._file, self.path)
            """Length of the incomplete last line that was moved away on opening; 0 if there was none."""
            if is_new:
                self._write(_line(self.run_record))
            self._ids = self._stored_ids()
        except BaseException:
            self._file.close()
            raise

    @property
    def ids(self) -> Set[str]:
        """The ids of all stored trajectories."""
        return self._ids

    def append(self, trajectories: Iterable[Trajectory]) -> int:
        """Write trajectories and return when they are on the disk. Trajectories already stored are skipped.

        Returns:
            The number of trajectories that were written.

        Raises:
            StoreError: The disk is full, or JSON cannot represent a trajectory. In this case none of these
                trajectories is stored, and the file is as it was before the call.
        """
        lines: dict[str, bytes] = {}
        for trajectory in trajectories:
            if trajectory.id not in self._ids and trajectory.id not in lines:
                try:
                    lines[trajectory.id] = _line(to_json(trajectory))
                except (TypeError, ValueError) as error:
                    raise StoreError(f"episode {trajectory.id} cannot be stored: {error}") from error
        if lines:
            self._write(b"".join(lines.values()), lines.keys())
        return len(lines)

    def set_aside_failed(self) -> int:
        """Move the failed episodes into the file PATH.failed, so that the run plays them again.

        Returns:
            The number of episodes that were moved.

        Raises:
            StoreError: The disk is full. The store is then as it was before the call.
        """
        try:
            moved = move_lines(self.path, lambda line: FAILED if from_line(line).error is not None else "")
        except OSError as error:
            raise StoreError(f"cannot write beside {self.path}: {error.strerror or error}") from error
        if moved:
            old, self._file = self._file, self._opened()
            old.close()
            self._ids = self._stored_ids()
        return moved[FAILED]

    def close(self) -> None:
        """Close the file. Further calls have no effect."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self) -> IO[bytes]:
        """Return the file, open for appending and locked."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = open(self.path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise StoreError(
                f"cannot make the store {self.path}: {error.strerror or error}; choose another place"
            ) from error
        try:
            lock(file, self.path)
            if not os.path.samestat(os.fstat(file.fileno()), os.stat(self.path)):
                raise BusyError(f"{self.path} was replaced by another process: start again")
        except BaseException:
            file.close()
            raise
        return file

    def _require_own_file(self) -> bool:
        """Return whether the file has no run record yet; raise StoreError if it is no store of this run."""
        with open(self.path, "rb") as file:
            first = file.readline(_LONGEST_RECORD)
        if first.endswith(b"\n"):
            _require_same_run(_parse_run(first, self.path), self.run_record, self.path)
            return False
        if not first.startswith(_START) and not _START.startswith(first):
            raise _not_a_store(self.path)
        return True

    def _stored_ids(self) -> set[str]:
        lines = numbered_lines(self.path)
        next(lines)
        return {_checked(id_of_line, line, number, self.path) for number, line in lines}

    def _write(self, data: bytes, ids: Set[str] = frozenset()) -> None:
        """Write lines and add their ids to `ids`. After an exception the file and `ids` are unchanged."""
        try:
            self._ids |= ids
            append_whole(self._file, self.path, data)
        except BaseException:  # KeyboardInterrupt as well
            self._ids -= ids
            raise


def read_run(path: str | Path) -> dict[str, Any]:
    """Return the run record of a store.

    Raises:
        DataNotFoundError: There is no such file.
        StoreError: Its first line is not a run record.
    """
    with open(_existing(path), "rb") as file:
        first = file.readline(_LONGEST_RECORD)
    if not first:
        raise StoreError(f"{path} is empty: it has no run record")
    return _parse_run(first, Path(path))


def load_trajectories(path: str | Path) -> list[Trajectory]:
    """Return all trajectories of a store as a list, faster than `read_trajectories` yields them.

    Raises:
        DataNotFoundError, StoreError: See `read_trajectories`.
    """
    with _without_garbage_collection():
        return list(read_trajectories(path))


def read_trajectories(path: str | Path) -> Iterator[Trajectory]:
    """Yield the trajectories of a store, one at a time, each id once. An incomplete last line is left out.

    Raises:
        DataNotFoundError: There is no such file.
        StoreError: A line is damaged; the message has its number.
    """
    lines = numbered_lines(_existing(path))
    first = next(lines, None)
    if first is None:
        raise StoreError(f"{path} is empty: it has no run record")
    _parse_run(first[1], Path(path))
    seen: set[str] = set()
    for chunk in chunks(lines, **_CHUNK):
        with _without_garbage_collection():
            parsed = [_checked(from_line, line, number, path) for number, line in chunk]
        for trajectory in parsed:
            if trajectory.id not in seen:
                seen.add(trajectory.id)
                yield trajectory


def _checked(read: Callable[[bytes], _Value], line: bytes, number: int, path: str | Path) -> _Value:
    """Return what a function reads from a line; raise StoreError if the line is damaged."""
    try:
        return read(line)
    except ValueError as error:
        raise StoreError(
            f"{path}, line {number} is not a trajectory: {error}; set damaged lines aside with "
            f"rise store repair {path}"
        ) from error


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Turn the garbage collector off while many records are created.

    None of them is part of a cycle, and the passes of the collector over all records would take two thirds of
    the time of reading a large store.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise DataNotFoundError(f"there is no store {path}: check the path")
    return path


def _line(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate: UTF-8 cannot hold it, an escape can
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _normal(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record as it is read back from JSON: tuples become lists."""
    try:
        value: dict[str, Any] = json.loads(_line(record))
    except (TypeError, ValueError) as error:
        raise StoreError(f"JSON cannot represent the run record: {error}") from error
    return value


def _parse_run(line: bytes, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or record.get("kind") != "run":
        raise _not_a_store(path)
    if record.get("schema") != SCHEMA:
        raise StoreError(
            f"{path} has schema {record.get('schema')!r}, but this version of RISE reads schema {SCHEMA}: "
            "use the version that wrote it"
        )
    return rename_record(record)


def _not_a_store(path: Path) -> StoreError:
    return StoreError(f"{path} is not a store of trajectories: its first line is not a run record")


def _require_same_run(stored: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> None:
    # `stored` is renamed as well: a user's own environment may have a setting whose name is an old name
    wanted = rename_record(wanted)
    for key in sorted((stored.keys() | wanted.keys()) - VOLATILE):
        before, now = stored.get(key), wanted.get(key)
        if key == FORMATS:
            before, now = known_in_both(before, now), known_in_both(now, before)
        if before != now:
            raise StoreError(
                f"{path} is of another run: its {_difference(key, before, now)}; "
                "choose another folder or the same settings"
            )


def _difference(key: str, stored: Any, wanted: Any) -> str:
    """Return a text that names the first setting in which two values differ."""
    if isinstance(stored, dict) and isinstance(wanted, dict):
        for inner in sorted(stored.keys() | wanted.keys()):
            if stored.get(inner) != wanted.get(inner):
                return _difference(f"{key}.{inner}", stored.get(inner), wanted.get(inner))
    return f"{key} is {stored!r}, not {wanted!r}"
