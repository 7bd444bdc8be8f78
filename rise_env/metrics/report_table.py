"""The tables of a report: those for readers, and one long table for CSV files and W&B. Pure functions."""

from collections.abc import Iterator, Mapping
from typing import Any

from rise_env.metrics.report_metrics import METRICS, Metric, Table
from rise_env.metrics.report_values import is_estimate

COLUMNS = ("row", "figure", "at", "mean", "low", "high")
"""Columns of the long table. `at` is a turn, the turn before a step, or a number of draws. It is None for
metrics with one number per row."""


def cells(report: Mapping[str, Any], table: Table = "scores") -> list[list[str]]:
    """Return a table of the report as rows of texts; the first row is the head.

    Args:
        report: The content of report.json.
        table: The table whose metrics are shown; see `report_metrics.METRICS`.
    """
    sizes = {"t": report["turns"], "k": report["num_samples"]}
    columns: dict[str, Metric] = {}
    for metric in METRICS:
        if metric.table == table:
            columns.setdefault(metric.key.format(**sizes), metric)
    head = ["", *((metric.heading or metric.key).format(**sizes) for metric in columns.values())]
    body = [
        [row["name"], *(metric.show(row[key]) for key, metric in columns.items())] for row in report["rows"]
    ]
    return [head, *body]


def long_rows(report: Mapping[str, Any]) -> list[tuple[str, str, int | None, float | None, Any, Any]]:
    """Return every estimate of a report as a row with `COLUMNS`. The values are fractions, not percent."""
    return [
        (row["name"], name, at, value["mean"], value["low"], value["high"])
        for row in report["rows"]
        for name, at, value in _estimates(row)
    ]


def headline(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return, for each row of the report, the means that show the progress of a training run.

    These are the scores of the main table ("m1@t1", ...), the gain of turns over draws ("m1@t5 - m5@t1") and
    the accuracy at each turn ("acc@t1", ...).
    """
    sizes = {"t": report["turns"], "k": report["num_samples"]}
    keys = [metric.key.format(**sizes) for metric in METRICS if metric.table == "scores"]
    keys.append("m1@t{t} - m{k}@t1".format(**sizes))
    return [
        {key: row[key]["mean"] for key in keys if is_estimate(row[key])}
        | {f"acc@t{at}": value["mean"] for at, value in enumerate(row["accuracy_by_turn"], start=1)}
        for row in report["rows"]
    ]


def _estimates(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, int | None, Any]]:
    for key, value in values.items():
        name = prefix + key
        if is_estimate(value):
            yield name, None, value
        elif isinstance(value, list):
            for at, part in enumerate(value, start=1):
                if is_estimate(part):
                    yield name, at, part
        elif isinstance(value, Mapping):
            yield from _estimates(value, name + "/")
