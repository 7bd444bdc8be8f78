"""Compares the rows of several tables of one experiment, as the paper's claims are stated.

Tables may differ in the number of parallel draws, so that baselines can be measured with fewer replies; their
problems, turns and seeds must be the same. All differences are paired over problems and seeds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_benchmarks.report.evaluation_logs import find_logs, load
from rise_env.errors import ConfigError
from rise_env.metrics.bootstrap import paired_bootstrap
from rise_env.metrics.policy_results import Array, PolicyResults
from rise_env.metrics.report_row import gains
from rise_env.metrics.report_values import percent, to_json


def compare(folders: Sequence[Path]) -> dict[str, Any]:
    """Return the comparison of all rows in some folders of logs with the first row.

    Returns:
        "turns"; "gains" as in a report; "rows": one entry per row with m1@tT less m1@t1 ("improvement"), how
        far that is above the one of the first row ("above base"), m1@tT less mK@t1 where K is T ("against
        parallel"), and m1@t1 less that of the first row ("first turn").

    Raises:
        ConfigError: The logs are of different problems, turns or seeds.
    """
    rows = {log.name: load(log) for folder in folders for log in find_logs([folder])}
    base = next(iter(rows.values()))
    for name, results in rows.items():
        if results.problems != base.problems or results.correct.shape != base.correct.shape:
            raise ConfigError(
                f"{name!r} was measured on other problems, turns or seeds: compare it separately"
            )
    return {
        "turns": base.turns,
        "rows": [_row(name, results, base) for name, results in rows.items()],
        "gains": gains(list(rows), list(rows.values())),
    }


def comparison_text(compared: Mapping[str, Any]) -> str:
    """Return a comparison as Markdown, in percentage points with intervals of 95 %."""
    turns, rows = compared["turns"], compared["rows"]
    base = rows[0]["name"]
    lines = [
        f"**Comparison with {base}, paired over problems and seeds, 95 % intervals**",
        "",
        f"|  | m1@t{turns} - m1@t1 | the same, less that of {base} | m1@t{turns} - m{turns}@t1 "
        f"| m1@t1 less that of {base} |",
        "| --- | --- | --- | --- | --- |",
    ]
    keys = ("improvement", "above base", "against parallel", "first turn")
    lines += ["| " + " | ".join([row["name"], *(_cell(row.get(key)) for key in keys)]) + " |" for row in rows]
    lines += [
        "",
        f"m1@t{turns} of the first less that of the second:",
        "",
        *(f"- {gain['name']} - {gain['over']}: {percent(gain)}" for gain in compared["gains"]),
    ]
    return "\n".join(lines)


def _row(name: str, results: PolicyResults, base: PolicyResults) -> dict[str, Any]:
    own, of_base = results.m1_tt - results.m1_t1, base.m1_tt - base.m1_t1
    row = {
        "name": name,
        "improvement": _difference(results.m1_t1, results.m1_tt),
        "above base": None if results is base else _difference(of_base, own),
        "first turn": None if results is base else _difference(base.m1_t1, results.m1_t1),
    }
    if results.num_samples == results.turns:
        row["against parallel"] = _difference(results.mk_t1, results.m1_tt)
    return row


def _difference(first: Array, second: Array) -> dict[str, float | None]:
    return to_json(paired_bootstrap(first, second)[0])


def _cell(value: Mapping[str, Any] | None) -> str:
    return "–" if value is None else percent(value)
