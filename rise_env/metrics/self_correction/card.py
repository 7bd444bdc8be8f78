"""The self-correction card of one policy, and its paired differences to another: JSON values, and tables.

A card is {"total": {key: estimate}, "by_turn": {key: [estimate, ...]}}. The entries of a list are those of
the turns from `Measure.first_turn` to T. The keys are those of `measures.MEASURES`; measures whose logs are
missing are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rise_env.metrics.bootstrap import paired_ratio_bootstrap
from rise_env.metrics.policy_results import PolicyResults
from rise_env.metrics.report_values import EstimateJson, estimate, to_json
from rise_env.metrics.self_correction.measures import MEASURES, Counts, Measure, Total, Unit


def card(results: PolicyResults) -> dict[str, Any]:
    """Return the card of a policy.

    Args:
        results: Its results. Edit distances are in the card if `by_turn` computed them.
    """
    by_turn: dict[str, list[EstimateJson]] = {}
    total: dict[str, EstimateJson] = {}
    for measure in MEASURES:
        counts = measure.counts(results)
        if counts is None:
            continue
        happened, of = counts
        if measure.label:
            columns = range(happened.shape[2])
            by_turn[measure.key] = [estimate(happened[..., i], of[..., i]) for i in columns]
        for key, (top, bottom) in _totals(measure, counts, results.turns):
            total.setdefault(key, estimate(top, bottom))
    return {"total": total, "by_turn": by_turn}


def card_gains(base: PolicyResults, results: PolicyResults) -> dict[str, EstimateJson]:
    """Return by how much each total of the card exceeds that of another policy, paired by problem and seed.

    Args:
        base: The results of the policy to compare with.
        results: The results of the policy, on the same problems and seeds.
    """
    gains: dict[str, EstimateJson] = {}
    for measure in MEASURES:
        before, after = measure.counts(base), measure.counts(results)
        if before is None or after is None:
            continue
        pairs = zip(_totals(measure, before, base.turns), _totals(measure, after, results.turns), strict=True)
        for (key, first), (_, second) in pairs:
            gains.setdefault(key, to_json(paired_ratio_bootstrap(first, second)))
    return gains


def _totals(measure: Measure, counts: Counts, turns: int) -> Iterator[tuple[str, Counts]]:
    happened, of = counts
    for total in measure.totals:
        key = total.key.format(t=turns)
        if total.column is None:
            yield key, (happened.sum(axis=2), of.sum(axis=2))
        elif happened.shape[2]:
            yield key, (np.asarray(happened[..., total.column]), np.asarray(of[..., total.column]))


def total_cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return the totals of all cards as texts: a line per measure, a column per row of the report.

    Args:
        report: The content of report.json. The cells of the second row and of later ones end with the paired
            difference to the first row, in brackets.
    """
    rows = report["rows"]
    lines = [["", *(row["name"] for row in rows)]]
    for unit, total in totals(report):
        key = total.key.format(t=report["turns"])
        cells = []
        for row in rows:
            value = row["self_correction"]["total"].get(key)
            gain = row.get("gain self_correction", {}).get(key)
            change = "" if gain is None or gain["mean"] is None else f" ({text(gain, unit, signed=True)})"
            cells.append("–" if value is None else text(value, unit) + change)
        lines.append([total.label.format(t=report["turns"]), *cells])
    return lines


def totals(report: Mapping[str, Any]) -> list[tuple[Unit, Total]]:
    """Return unit and description of each total that the card of at least one row has."""
    t = report["turns"]
    known = {key for row in report["rows"] for key in row["self_correction"]["total"]}
    found: dict[str, tuple[Unit, Total]] = {}
    for measure in MEASURES:
        for total in measure.totals:
            if (key := total.key.format(t=t)) in known:
                found.setdefault(key, (measure.unit, total))
    return list(found.values())


def turn_cells(row: Mapping[str, Any], turns: int) -> list[list[str]]:
    """Return the card of one row of a report by turn as texts; the first line is the head.

    Args:
        row: The row.
        turns: T.
    """
    lines = [["", *(f"turn {turn}" for turn in range(1, turns + 1))]]
    by_turn = row["self_correction"]["by_turn"]
    for measure in MEASURES:
        if measure.key in by_turn:
            values = [text(value, measure.unit) for value in by_turn[measure.key]]
            lines.append([measure.label, *[""] * (turns - len(values)), *values])
    return lines


def text(value: Mapping[str, Any], unit: Unit, *, signed: bool = False) -> str:
    """Write an estimate with half the width of its interval: "47.3 ± 2.8".

    Args:
        value: The estimate.
        unit: "percent" writes fractions in percent, "tokens" writes whole numbers.
        signed: Whether to write a plus before positive numbers.
    """
    if value["mean"] is None:
        return "–"
    scale, digits = {"percent": (100, 1), "tokens": (1, 0), "number": (1, 2)}[unit]
    half = scale * (value["high"] - value["low"]) / 2
    plus = "+" if signed else ""
    return f"{scale * value['mean']:{plus},.{digits}f} ± {half:,.{digits}f}"
