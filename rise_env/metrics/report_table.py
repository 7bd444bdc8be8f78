"""A report as one long table: what CSV files and W&B are given. Pure functions of report.json."""

from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = ("row", "figure", "at", "mean", "low", "high")
"""`at` is the turn, the step after that turn, or the number of draws; None for figures with no such thing."""


def long_rows(report: Mapping[str, Any]) -> list[tuple[str, str, int | None, float | None, Any, Any]]:
    """Return every estimate of a report as a row with `COLUMNS`; fractions."""
    return [
        (row["name"], name, at, value["mean"], value["low"], value["high"])
        for row in report["rows"]
        for name, at, value in _estimates(row)
    ]


def headline(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return per row the means that a training run is followed by: "m1@t1", ..., "acc@t1", ..."""
    t, k = report["turns"], report["num_samples"]
    names = ("m1@t1", f"m{k}@t1", f"m1@t{t}", f"p1@t{t}", f"m1@t{t} - m{k}@t1")
    return [
        {name: row[name]["mean"] for name in names}
        | {f"acc@t{at}": value["mean"] for at, value in enumerate(row["accuracy_by_turn"], start=1)}
        for row in report["rows"]
    ]


def _estimates(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, int | None, Any]]:
    for key, value in values.items():
        name = prefix + key
        if _is_estimate(value):
            yield name, None, value
        elif isinstance(value, list):
            for at, part in enumerate(value, start=1):
                if _is_estimate(part):
                    yield name, at, part
        elif isinstance(value, Mapping):
            yield from _estimates(value, name + "/")


def _is_estimate(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"mean", "low", "high"}
