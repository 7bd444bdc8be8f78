"""Writes rows to files, a few at a time, so that the memory does not grow with their number.

To add a file type, write a function of (rows, path) and add one entry to `WRITERS`. `rows` makes a new
iterator at each call. The path does not exist yet; it is renamed when the function has returned.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError, StoreError
from rise_env.trajectories.export.arrow_files import write_folder, write_parquet

Row = dict[str, Any]
Rows = Callable[[], Iterator[Row]]


def _write_json_lines(rows: Rows, path: Path) -> int:
    count = 0
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        for row in rows():
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_json(rows: Rows, path: Path) -> int:
    count = 0
    with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
        for row in rows():
            file.write(",\n" if count else "[\n")
            file.write(json.dumps(row, ensure_ascii=False))
            count += 1
        file.write("\n]\n")
    return count


WRITERS: dict[str, Callable[[Rows, Path], int]] = {
    ".jsonl": _write_json_lines,
    ".json": _write_json,
    ".parquet": write_parquet,
    "": write_folder,
}
"""Suffix of the path -> the function that writes the rows and returns their number. A path without a suffix
becomes a folder that `datasets.load_from_disk` reads."""


def write_rows(rows: Rows, path: Path) -> int:
    """Write rows to a file in the format of its suffix (see `WRITERS`), and return the number of rows.

    Args:
        rows: Returns a new iterator over the rows. It is called again if a column of a Parquet file or folder
            turns out to need another type than its first rows.
        path: A new file or folder. It appears when it is complete.

    Raises:
        StoreError: `path` exists already, there are no rows, or the file cannot be written.
        ConfigError: The suffix is unknown.
        MissingDependencyError: `datasets` is not installed, and this suffix needs it.
    """
    if path.suffix not in WRITERS:
        known = ", ".join(suffix for suffix in WRITERS if suffix)
        raise ConfigError(
            f"cannot write {path.suffix!r} files: end --out in {known}, or in nothing for a folder"
        )
    if path.exists():
        raise StoreError(f"{path} exists already; choose another name")
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove(partial)
        count = WRITERS[path.suffix](rows, partial)
        if not count:
            raise StoreError("there is nothing to export: every episode of the store failed, or it is empty")
        partial.rename(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        _remove(partial)
    return count


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
