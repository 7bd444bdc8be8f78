"""Gets the rows of a data set: from a file (JSON lines, JSON or CSV) or from the hub."""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rise_env.errors import DataNotFoundError, MissingDependencyError, ProblemError

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one split, and what they were read from."""

    rows: Sequence[Row]
    sha256: str
    """Of the file's bytes, or of the rows as JSON lines where they came from the hub or from memory."""
    revision: str = ""


def read_file(path: Path) -> Rows:
    """Read a file by its ending: .jsonl, .json (a list of objects) or .csv (with a header).

    Raises:
        DataNotFoundError: There is no such file.
        ProblemError: A line cannot be read; names it.
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
    """Fetch one split from the hub, at a pinned revision where one is known.

    Raises:
        MissingDependencyError: `datasets` is not installed.
        DataNotFoundError: It could not be fetched; says why.
    """
    try:
        import datasets
    except ImportError:
        raise MissingDependencyError("pip install 'rise-env[hub]' to fetch data from the hub") from None
    try:
        found = datasets.load_dataset(name, config, split=split, revision=revision or "main")
    except Exception as error:  # whatever the hub's client raises: no network, no such set, ...
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
