"""Finds the rows of a data set: in a file, a folder, on the hub, or in memory."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from rise_env.errors import DataNotFoundError, MissingDependencyError
from rise_env.problems.hub import one_try
from rise_env.problems.reading.files import find_split, is_data_file, read_file, read_files
from rise_env.problems.reading.frames import rows_of
from rise_env.problems.reading.row_set import Rows, hash_rows
from rise_env.types import Problem
from rise_env.utils.extras import install_hint

Dataset = str | os.PathLike[str] | Iterable[Mapping[str, Any]] | Mapping[str, Any] | Sequence[Problem]
"""Values of `dataset`: a file, a folder with one file per split, a hub id, problems, rows, or an object with
rows: a frame of pandas or polars, a data set of the `datasets` library, or a mapping from splits to these."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """The content of a user's `dataset`."""

    content: Rows | Sequence[Problem]
    where: str
    """The origin, for `Problem.source` and error messages."""


def read_dataset(
    dataset: Dataset, split: str, revision: str | None = None, hub_config: str | None = None
) -> Found:
    """Return the rows of a user's data set, or its problems if it holds problems.

    Args:
        dataset: See `Dataset`.
        split: Names the file of a folder, the entry of a mapping, or the split of the hub's data set.
        revision: Commit of the hub's data set; by default "main".
        hub_config: Configuration of the hub's data set, if it has several.

    Raises:
        ConfigError: The data set is none of those.
        DataNotFoundError: The file or the hub's data set is not there.
        ProblemError: A file or row cannot be read.
        MissingDependencyError: The file or the hub needs a library that is not installed.
    """
    if isinstance(dataset, str | os.PathLike):
        return _read_named(os.fspath(dataset), split, revision, hub_config)
    if isinstance(dataset, Sequence) and len(dataset) and isinstance(dataset[0], Problem):
        problems = cast(Sequence[Problem], dataset)  # not copied: they may be made on demand
        return Found(problems, "problems of the caller's")
    rows = rows_of(dataset, split)
    return Found(Rows(rows, hash_rows(rows)), "rows of the caller's")


def stamp(dataset: Dataset) -> tuple[int, int] | None:
    """Return (time of the last change in ns, size in bytes) of a data set that is a file, None for others."""
    if isinstance(dataset, str | os.PathLike) and Path(dataset).is_file():
        status = Path(dataset).stat()
        return status.st_mtime_ns, status.st_size
    return None


def _read_named(name: str, split: str, revision: str | None, hub_config: str | None) -> Found:
    path = Path(name)
    if path.is_dir():
        paths = find_split(path, split)
        where = str(paths[0]) if len(paths) == 1 else f"{path} ({len(paths)} files of {split})"
        return Found(read_files(paths), where)
    if path.is_file() or is_data_file(path) or not _HUB_ID.fullmatch(name):
        return Found(read_file(path), name)
    rows = read_hub(name, hub_config, split, revision)
    return Found(rows, f"{name}@{rows.revision}")


@lru_cache(maxsize=16)
def read_hub(name: str, config: str | None, split: str, revision: str | None) -> Rows:
    """Fetch one split from the hub.

    Args:
        name: Id of the data set.
        config: Name of its configuration, if it has several.
        split: The hub's name of the split.
        revision: A commit; None is "main".

    Raises:
        MissingDependencyError: `datasets` is not installed.
        DataNotFoundError: The split could not be fetched; the message says why.
    """
    try:
        import datasets
    except ImportError:
        raise MissingDependencyError(f"{install_hint('hub')}, to fetch data from the hub") from None
    try:
        with one_try():
            found = datasets.load_dataset(name, config, split=split, revision=revision or "main")
    except Exception as error:  # the hub's client raises errors of many classes: no network, no such set, ...
        first_line = (str(error).splitlines() or [""])[0]
        raise DataNotFoundError(
            f"the hub did not give {name!r}: {type(error).__name__}: {first_line}"
        ) from error
    rows = [dict(row) for row in found]
    return Rows(rows, hash_rows(rows), revision or "main")
