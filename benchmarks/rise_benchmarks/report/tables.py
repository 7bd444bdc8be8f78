"""The table of a report, for a terminal, for Markdown and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from rise_env.metrics.report_row import percent
from rise_env.metrics.report_table import COLUMNS, long_rows


def plain(report: Mapping[str, Any]) -> str:
    """Return the table as aligned text."""
    table = cells(report)
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in table]
    return "\n".join([title(report), *(line.rstrip() for line in lines), "", *comparisons(report)])


def markdown(report: Mapping[str, Any]) -> str:
    """Return the table as Markdown."""
    parts = [f"**{title(report)}**", _markdown(cells(report))]
    if len(report["rows"]) > 2:
        t = report["turns"]
        parts += [
            _markdown(turn_cells(report)),
            f"m1@t{t} of the row less that of the column, paired over problems and seeds:",
            _markdown(gain_cells(report)),
        ]
    return "\n\n".join([*parts, "\n".join(f"- {c}" for c in comparisons(report))])


def csv_text(report: Mapping[str, Any]) -> str:
    """Return every estimate of the report, fractions, one per line."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(long_rows(report))
    return file.getvalue()


def title(report: Mapping[str, Any]) -> str:
    """Return what the table is of."""
    seeds = len(report["seeds"])
    checked = (
        "" if report.get("checker", "as stored") == "as stored" else f" · checked by {report['checker']}"
    )
    return (
        f"{report['env']} · {report['problems']} held-out problems · "
        f"{seeds} seed{'s' if seeds > 1 else ''} · 95 % intervals{checked}"
    )


def comparisons(report: Mapping[str, Any]) -> list[str]:
    """Return, for the first and the last row, what turns add and how often answers flip."""
    t, k = report["turns"], report["num_samples"]
    lines = []
    rows = report["rows"]
    for row in rows if len(rows) < 3 else (rows[0], rows[-1]):
        fixed, broken = (_mean(row[f"{flip}_by_turn"]) for flip in ("wrong_to_right", "right_to_wrong"))
        lines.append(
            f"{row['name']}: turn {t} - turn 1 {percent(row[f't{t} - t1'])}; "
            f"m1@t{t} - m1@t1 {percent(row[f'm1@t{t} - m1@t1'])}; "
            f"m1@t{t} - m{k}@t1 {percent(row[f'm1@t{t} - m{k}@t1'])}; "
            f"per turn {fixed} of the wrong become right, {broken} of the right wrong"
        )
    if len(rows) > 1:
        last = rows[-1]
        lines.append(
            f"{last['name']} against {rows[0]['name']}: m1@t1 {percent(last['gain m1@t1'])}, "
            f"m1@t{t} {percent(last[f'gain m1@t{t}'])}"
        )
        lines += _significance(last, f"m1@t{t}", rows[0]["name"])
    for row in rows:
        lines += [
            f"{row['name']}, protocol {name}: {m1} {percent(found[m1])}, {p1} {percent(found[p1])}"
            for name, found in row["protocols"].items()
            for m1, p1 in [_names(found)]
        ]
    return lines


def _significance(row: Mapping[str, Any], key: str, base: str) -> list[str]:
    """Return the tests of the gain of one score over the row that it is compared with."""
    exact = row[f"mcnemar {key}"]
    return [
        f"{key}, problem by problem: {row['name']} alone solves {exact['only_after']}, {base} alone "
        f"{exact['only_before']}; p = {row[f'p {key}']:.2g} (bootstrap), {exact['p']:.2g} (McNemar)"
    ]


def _names(protocol: Mapping[str, Any]) -> tuple[str, str]:
    turns = len(protocol["accuracy_by_turn"])
    return f"m1@t{turns}", f"p1@t{turns}"


def cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return the table as texts, its head first."""
    t, k = report["turns"], report["num_samples"]
    names = list(dict.fromkeys(["m1@t1", f"m{k}@t1", f"m1@t{t}", f"p1@t{t}"]))
    head = ["", *names, f"accuracy by turn 1..{t}"]
    body = [
        [
            row["name"],
            *(percent(row[name]) for name in names),
            " ".join(f"{100 * turn['mean']:.1f}" for turn in row["accuracy_by_turn"]),
        ]
        for row in report["rows"]
    ]
    return [head, *body]


def turn_cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return what turns add in every row, as texts, the head first."""
    t, k = report["turns"], report["num_samples"]
    keys = (f"t{t} - t1", f"m1@t{t} - m1@t1", f"m1@t{t} - m{k}@t1")
    flips = ("wrong_to_right_by_turn", "right_to_wrong_by_turn")
    head = ["", f"turn {t} - turn 1", *keys[1:], "wrong to right per turn", "right to wrong per turn"]
    body = [
        [row["name"], *(percent(row[key]) for key in keys), *(_mean(row[flip]) for flip in flips)]
        for row in report["rows"]
    ]
    return [head, *body]


def gain_cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return m1@tT of each row less that of every earlier one, as texts, the head first."""
    names = [row["name"] for row in report["rows"]]
    found = {(gain["name"], gain["over"]): percent(gain) for gain in report["gains"]}
    body = [[name, *(found.get((name, over), "") for over in names[:-1])] for name in names[1:]]
    return [["", *names[:-1]], *body]


def _markdown(table: Sequence[Sequence[str]]) -> str:
    head, *body = table
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body))


def _mean(rates: Sequence[Mapping[str, Any]]) -> str:
    """Write the mean over the turns at which there was something to count."""
    known = [rate["mean"] for rate in rates if rate["mean"] is not None]
    return f"{100 * sum(known) / len(known):.0f} %" if known else "–"
