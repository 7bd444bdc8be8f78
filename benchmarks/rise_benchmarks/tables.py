"""The table of a report, for a terminal and for Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from rise_env.summary import percent


def plain(report: Mapping[str, Any]) -> str:
    """Return the table as aligned text."""
    cells = _cells(report)
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([title(report), *(line.rstrip() for line in lines), "", *comparisons(report)])


def markdown(report: Mapping[str, Any]) -> str:
    """Return the table as Markdown."""
    head, *body = _cells(report)
    lines = [head, ["---"] * len(head), *body]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([f"**{title(report)}**", "", *table, "", *(f"- {c}" for c in comparisons(report))])


def title(report: Mapping[str, Any]) -> str:
    """Return what the table is of."""
    seeds = len(report["seeds"])
    return (
        f"{report['env']} · {report['problems']} held-out problems · "
        f"{seeds} seed{'s' if seeds > 1 else ''} · 95 % intervals"
    )


def comparisons(report: Mapping[str, Any]) -> list[str]:
    """Return, for the first and the last row, what turns add and how often answers flip."""
    t, k = report["turns"], report["samples"]
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
    return lines


def _cells(report: Mapping[str, Any]) -> list[list[str]]:
    t, k = report["turns"], report["samples"]
    names = ["m1@t1", f"m{k}@t1", f"m1@t{t}", f"p1@t{t}"]
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


def _mean(rates: Sequence[Mapping[str, Any]]) -> str:
    """Write the mean over the turns at which there was something to count."""
    known = [rate["mean"] for rate in rates if rate["mean"] is not None]
    return f"{100 * sum(known) / len(known):.0f} %" if known else "–"
