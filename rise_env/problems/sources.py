"""Reads the rows of a data set: from a file (JSON lines, JSON or CSV), from the hub, or from memory."""

import csv
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from rise_env.errors import ConfigError, DataNotFoundError, MissingDependencyError, ProblemError
from rise_env.types import Problem

Row = dict[str, Any]

Dataset = str | os.PathLike[str] | Iterable[Mapping[str, Any]] | Sequence[Problem]
"""What `dataset` takes: a file, a folder with one file per split, a hub id, rows, or problems."""

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_ENDINGS = (".jsonl", ".json", ".csv")


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one split, with hash and revision."""

    rows: Sequence[Row]
    sha256: str
    """Hash of the file's bytes, or of the rows as JSON lines where they came from the hub or from memory."""
    revision: str = ""
    """Commit of the hub's data set; empty for others."""


@dataclass(frozen=True, slots=True)
class Found:
    """The content of a user's `dataset`."""

    content: Rows | Sequence[Problem]
    where: str
    """The origin, for `Problem.source` and error messages."""


def read_dataset(dataset: Dataset, split: str, revision: str | None = None) -> Found:
    """Return the rows of a user's data set, or its problems where it holds problems.

    Args:
        dataset: See `Dataset`. A data set of the `datasets` library is rows.
        split: Names the file of a folder or the split of the hub's data set.
        revision: Commit of the hub's data set; by default "main".

    Raises:
        ConfigError: The data set is neither text, rows nor problems.
        DataNotFoundError: The file or the hub's data set is not there.
        ProblemError: A file or row cannot be read.
    """
    if isinstance(dataset, str | os.PathLike):
        return _read_named(os.fspath(dataset), split, revision)
    if isinstance(dataset, Sequence) and len(dataset) and isinstance(dataset[0], Problem):
        problems = cast(Sequence[Problem], dataset)  # not copied: they may be made on demand
        return Found(problems, "problems of the caller's")
    rows = []
    for item in dataset:
        if not isinstance(item, Mapping):
            raise ConfigError(
                "a dataset is a file, a hub id, or a list of problems or of rows (dicts), "
                f"got a {type(item).__name__} in it"
            )
        rows.append(dict(item))
    return Found(Rows(rows, hash_rows(rows)), "rows of the caller's")


def stamp(dataset: Dataset) -> tuple[int, int] | None:
    """Return (time of the last change in ns, size in bytes) of a data set that is a file, None for others."""
    if isinstance(dataset, str | os.PathLike) and Path(dataset).is_file():
        status = Path(dataset).stat()
        return status.st_mtime_ns, status.st_size
    return None


def _read_named(name: str, split: str, revision: str | None) -> Found:
    path = Path(name)
    if path.is_dir():
        files = [path / (split + ending) for ending in _ENDINGS]
        path = next((file for file in files if file.is_file()), files[0])
        return Found(read_file(path), str(path))
    if path.is_file() or path.suffix in _ENDINGS or not _HUB_ID.fullmatch(name):
        return Found(read_file(path), name)
    rows = read_hub(name, None, split, revision)
    return Found(rows, f"{name}@{rows.revision}")


def read_file(path: Path) -> Rows:
    """Read a file by its ending: .jsonl, .json (a list of objects) or .csv (with a header).

    Raises:
        DataNotFoundError: There is no such file.
        ProblemError: The file or a line of it cannot be read; names it.
    """
    if not path.is_file():
        raise DataNotFoundError(f"no file {str(path)!r}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    if path.suffix == ".csv":
        rows: list[Row] = list(csv.DictReader(io.StringIO(text, newline="")))
    elif path.suffix == ".json":
        rows = _parse(text, str(path))
        if not isinstance(rows, list):
            raise ProblemError(f"{path} is not a list of objects")
    elif path.suffix == ".jsonl":
        lines = enumerate(text.split("\n"), 1)
        rows = [_parse(line, f"{path}:{number}") for number, line in lines if line.strip()]
    else:
        raise ProblemError(f"{path} ends in {path.suffix!r}: a data file is .jsonl, .json or .csv")
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ProblemError(f"row {index} of {path} is a {type(row).__name__}, not an object")
    return Rows(rows, digest)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ProblemError(f"{where} is not JSON: {error.msg} at column {error.colno}") from None


@lru_cache(maxsize=16)
def read_hub(name: str, config: str | None, split: str, revision: str | None) -> Rows:
    """Fetch one split from the hub.

    Args:
        name: Id of the data set.
        config: Name of its configuration, where it has several.
        split: The hub's name of the split.
        revision: A commit; None is "main".

    Raises:
        MissingDependencyError: `datasets` is not installed.
        DataNotFoundError: The split could not be fetched; says why.
    """
    try:
        import datasets
    except ImportError:
        raise MissingDependencyError("pip install 'rise-env[hub]' to fetch data from the hub") from None
    try:
        found = datasets.load_dataset(name, config, split=split, revision=revision or "main")
    except Exception as error:  # the hub's client raises errors of many classes: no network, no such set, ...
        first_line = (str(error).splitlines() or [""])[0]
        raise DataNotFoundError(
            f"the hub did not give {name!r}: {type(error).__name__}: {first_line}"
        ) from error
    rows = [dict(row) for row in found]
    return Rows(rows, hash_rows(rows), revision or "main")


def hash_rows(rows: Iterable[Row]) -> str:
    """Return the SHA-256 of rows written as JSON lines with sorted keys."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
    return digest.hexdigest()
