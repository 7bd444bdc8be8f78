"""Parquet files, and folders that `datasets.load_from_disk` reads, written in batches of rows."""

import importlib.util
import json
import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from rise_env.utils.extras import missing_library

Rows = Callable[[], Iterator[dict[str, Any]]]

_BATCH = 1000
"""Rows per batch; it is written as one row group."""


class _OtherTypeError(Exception):
    """A batch has columns or types that the schema of the batches before it does not have."""

    def __init__(self, schema: Any) -> None:
        super().__init__()
        self.schema = schema


def write_parquet(rows: Rows, path: Path) -> int:
    """Write rows to a Parquet file, and return their number."""
    _require_libraries()
    import pyarrow.parquet

    return _write_with_schema(rows, lambda schema: pyarrow.parquet.ParquetWriter(path, schema))


def write_folder(rows: Rows, path: Path) -> int:
    """Write rows to a folder that `datasets.load_from_disk` reads, and return their number.

    A data set of the first row gives the folder its description, and all rows then replace its file.
    """
    _require_libraries()
    import pyarrow as pa

    path.mkdir()
    data = path / "data.arrow"
    schemas: list[Any] = []

    def writer(schema: Any) -> Any:
        schemas.append(schema)
        return pa.ipc.new_stream(data, schema)

    count = _write_with_schema(rows, writer)
    if count:
        import datasets

        features = datasets.Features.from_arrow_schema(schemas[-1])
        first = datasets.Dataset.from_list([next(rows())], features=features)
        first.save_to_disk(str(path), num_shards=1)
        state = json.loads((path / "state.json").read_text())
        data.rename(path / state["_data_files"][0]["filename"])
        state["_fingerprint"] = uuid.uuid4().hex[:16]  # caches of `datasets` tell data sets apart by it
        (path / "state.json").write_text(json.dumps(state, indent=2, sort_keys=True))
    return count


def _write_with_schema(rows: Rows, writer: Callable[[Any], Any]) -> int:
    """Write rows with a schema that holds them all, and return their number.

    The schema is that of the first batch. If a later batch needs another one, writing starts again with both
    together, for example because a column was null in all rows before.

    Args:
        rows: Returns a new iterator over the rows.
        writer: Opens the file with a schema; called again when the schema changes.
    """
    schema = None
    while True:
        try:
            return _write_batches(rows(), schema, writer)
        except _OtherTypeError as other:
            schema = other.schema


def _write_batches(rows: Iterator[dict[str, Any]], schema: Any, writer: Callable[[Any], Any]) -> int:
    import pyarrow as pa

    count = 0
    file = None
    try:
        while batch := list(islice(rows, _BATCH)):
            table = _table(batch)
            both = table.schema if schema is None else _unified(schema, table.schema)
            if schema is not None and both != schema:
                raise _OtherTypeError(both)
            schema = both
            if table.schema != schema:
                table = pa.Table.from_pylist(batch, schema=schema)
            file = file or writer(schema)
            file.write_table(table)
            count += len(batch)
    finally:
        if file is not None:
            file.close()
    return count


def _unified(schema: Any, other: Any) -> Any:
    import pyarrow as pa

    return pa.unify_schemas([schema, other], promote_options="permissive")


def _table(batch: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    try:
        return pa.Table.from_pylist(batch)
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot hold
        text = json.dumps(batch, ensure_ascii=False).encode("utf-8", "replace")
        batch[:] = json.loads(text)
        return pa.Table.from_pylist(batch)


def _require_libraries() -> None:
    """Raise MissingDependencyError if `datasets`, which installs pyarrow as well, is not there.

    It is imported only where it is used: the import takes more memory than writing the rows.
    """
    if not all(importlib.util.find_spec(name) for name in ("datasets", "pyarrow")):
        raise missing_library("datasets", "this export format")
