"""Takes rows from objects in memory: lists, frames of pandas and polars, tables, data sets, iterators.

No library is imported: an object is recognised by its methods.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rise_env.errors import ConfigError
from rise_env.problems.reading.row_set import Row


def rows_of(dataset: Any, split: str) -> list[Row]:
    """Return the rows of an object in memory as dicts.

    Args:
        dataset: Rows (mappings), a pandas or polars frame, a pyarrow table, a `Dataset` or `IterableDataset`
            of the `datasets` library, or a mapping from splits to these, such as a `DatasetDict`.
        split: The entry to take if `dataset` is a mapping.

    Raises:
        ConfigError: It is none of these, has no such split, or is an exhausted iterator.
    """
    if isinstance(dataset, Mapping):
        if split not in dataset:
            known = ", ".join(map(str, dataset))
            raise ConfigError(
                f"a mapping as dataset holds one data set per split; it has no {split!r}, it has: {known}"
            )
        dataset = dataset[split]
    items = _items(dataset)
    if not isinstance(items, Iterable) or isinstance(items, str | bytes):
        raise ConfigError(f"{_WANTED}, got a {type(items).__name__}")
    rows = []
    for item in items:
        if not isinstance(item, Mapping):
            raise ConfigError(f"{_WANTED}, got a {type(item).__name__} in it")
        rows.append(dict(item))
    if not rows and isinstance(items, Iterator):
        raise ConfigError(
            "the iterator given as dataset has no rows left: it can be read once, by one environment; make a "
            "list of it first, rows = list(...), and give the list to every environment"
        )
    return rows


_WANTED = "a dataset is a file, a hub id, a frame, or a list of problems or of rows (dicts)"


def _items(dataset: Any) -> Any:
    if hasattr(dataset, "collect") and not hasattr(dataset, "to_dicts"):
        dataset = dataset.collect()  # a lazy frame of polars
    for method in ("to_dicts", "to_pylist"):  # a frame of polars, a table of pyarrow
        if hasattr(dataset, method):
            return getattr(dataset, method)()
    if hasattr(dataset, "to_dict") and hasattr(dataset, "columns"):  # a frame of pandas
        return dataset.to_dict(orient="records")
    return dataset
