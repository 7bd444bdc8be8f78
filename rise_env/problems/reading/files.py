"""Reads files of rows by their ending: JSON lines, JSON, CSV and Parquet, also compressed with gzip."""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.errors import DataNotFoundError, ProblemError
from rise_env.problems.reading.row_set import Row, Rows
from rise_env.utils.extras import missing_library
from rise_env.utils.suggestions import natural_sort_key

_COMPRESSED = ".gz"
_MAX_FIELD = 2**31 - 1
"""Maximal length of a field of a CSV file; the csv module's default of 131,072 is too small for solutions."""


def ending_of(path: Path) -> str:
    """Return the ending that names a file's format, in lower case and without ".gz".

    >>> ending_of(Path("A.JSONL.gz"))
    '.jsonl'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == _COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def is_data_file(path: Path) -> bool:
    """Return whether a file's name has an ending that `read_file` knows."""
    return ending_of(path) in _READERS


def find_split(folder: Path, split: str) -> list[Path]:
    """Return the files of a split in a folder.

    Args:
        folder: Holds `<split>.jsonl` or the like, or shards such as `<split>-00000-of-00002.parquet`, in
            itself or in its folder `data`.
        split: Name of the split.

    Raises:
        DataNotFoundError: There is no such file; the message names the files that exist.
    """
    found = [path for place in (folder, folder / "data") if place.is_dir() for path in place.iterdir()]
    files = sorted((path for path in found if path.is_file() and is_data_file(path)), key=_order)
    for path in files:
        if path.name.partition(".")[0] == split:
            return [path]
    shards = [path for path in files if path.name.startswith(f"{split}-")]
    if not shards:
        there = ", ".join(path.name for path in files) or "no data file"
        raise DataNotFoundError(
            f"no file {split}.jsonl in {str(folder)!r} (nor .json, .csv, .parquet): {there}"
        )
    return shards


def _order(path: Path) -> tuple[int, list[tuple[int, str]]]:
    return list(_READERS).index(ending_of(path)), natural_sort_key(path.name)


def read_files(paths: Sequence[Path]) -> Rows:
    """Read one file, or several files as one; see `read_file`."""
    if len(paths) == 1:
        return read_file(paths[0])
    parts = [read_file(path) for path in paths]
    digest = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    return Rows([row for part in parts for row in part.rows], digest)


def read_file(path: Path) -> Rows:
    """Read a file by its ending, in upper or lower case.

    Args:
        path: .jsonl (one object per line), .json (a list of objects), .csv (with a header), .parquet, or one
            of these with .gz.

    Raises:
        DataNotFoundError: There is no such file.
        ProblemError: The file or a row of it cannot be read; the message names it.
        MissingDependencyError: The file is .parquet and pyarrow is not installed.
    """
    if not path.is_file():
        raise DataNotFoundError(f"no file {str(path)!r}")
    ending = ending_of(path)
    if ending not in _READERS:
        raise ProblemError(
            f"{path} ends in {path.suffix!r}: a data file is {', '.join(_READERS)}, or one of these with .gz"
        )
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() == _COMPRESSED:
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ProblemError(f"{path} is not compressed with gzip: {error}") from None
    rows, lines = _READERS[ending](content, path)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            place = Rows(rows, digest, lines=lines).place(index, str(path))
            raise ProblemError(f"{place} is a {type(row).__name__}, not an object")
    return Rows(rows, digest, lines=lines)


_Read = tuple[list[Row], list[int]]
"""Rows, and the numbers of their lines if rows are lines."""


def _read_json_lines(content: bytes, path: Path) -> _Read:
    lines = [
        (number, line) for number, line in enumerate(_text(content, path).split("\n"), 1) if line.strip()
    ]
    return [_parse(line, f"{path}:{number}") for number, line in lines], [number for number, _ in lines]


def _read_json(content: bytes, path: Path) -> _Read:
    text = _text(content, path)
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # JSON lines in a file that is called .json
            return _read_json_lines(content, path)
        raise _not_json(str(path), error) from None
    if not isinstance(rows, list):
        raise ProblemError(f"{path} is not a list of objects")
    return rows, []


def _read_csv(content: bytes, path: Path) -> _Read:
    limit = csv.field_size_limit(_MAX_FIELD)
    try:
        reader = csv.DictReader(io.StringIO(_text(content, path), newline=""), strict=True)
        rows: list[Row] = []
        for row in reader:
            if None in row:
                extra = f"row {len(rows)} of {path} (line {reader.line_num}) has more fields than the header"
                raise ProblemError(f"{extra}: {row[None]!r}")
            rows.append(row)
    except csv.Error as error:
        raise ProblemError(f"row {len(rows)} of {path} is not CSV: {error}") from None
    finally:
        csv.field_size_limit(limit)
    return rows, []


def _read_parquet(content: bytes, path: Path) -> _Read:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise missing_library("pyarrow", f"reading {path.name}") from None
    try:
        return parquet.read_table(pyarrow.BufferReader(content)).to_pylist(), []
    except pyarrow.ArrowException as error:
        raise ProblemError(f"{path} is not a Parquet file: {str(error).splitlines()[0]}") from None


_READERS: Mapping[str, Callable[[bytes, Path], _Read]] = {
    ".jsonl": _read_json_lines,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
"""Ending -> function that reads the content of such a file."""


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(where, error) from None


def _not_json(where: str, error: json.JSONDecodeError) -> ProblemError:
    return ProblemError(f"{where} is not JSON: {error.msg} at column {error.colno}")
