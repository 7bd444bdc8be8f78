"""Computes the scores of a checker on labelled cases, and writes them as Markdown."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rise_benchmarks.checkers.cases import Case, Outcome

Rows = Sequence[tuple[Case, Outcome]]


def score(rows: Rows) -> dict[str, Any]:
    """Return accuracy, false accepts, false rejects, and times in milliseconds."""
    accepts = sum(outcome.accepted and not case.expected for case, outcome in rows)
    rejects = sum(case.expected and not outcome.accepted for case, outcome in rows)
    times = sorted(1000 * outcome.seconds for _, outcome in rows)
    return {
        "cases": len(rows),
        "accuracy": 1 - (accepts + rejects) / len(rows) if rows else None,
        "false_accepts": accepts,
        "wrong": sum(not case.expected for case, _ in rows),
        "false_rejects": rejects,
        "right": sum(case.expected for case, _ in rows),
        "median_ms": statistics.median(times) if times else None,
        "p99_ms": times[min(len(times) - 1, round(0.99 * (len(times) - 1)))] if times else None,
        "max_ms": times[-1] if times else None,
        "over_5_s": sum(time > 5000 for time in times),
        "raised": sum(bool(outcome.error) and outcome.error != "killed" for _, outcome in rows),
        "killed": sum(outcome.error == "killed" for _, outcome in rows),
        "code_ran": sum(outcome.files > 0 for _, outcome in rows),
    }


def report(rows: Rows) -> dict[str, Any]:
    """Return the scores on all undisputed cases and on subsets, and the ids of the mistakes."""
    counted = [row for row in rows if not row[0].disputed]
    kinds: dict[str, list[tuple[Case, Outcome]]] = defaultdict(list)
    for row in counted:
        kinds[row[0].kind].append(row)
    return {
        "all": score(counted),
        "curated": score([row for row in counted if row[0].curated]),
        "real": score([row for row in counted if not row[0].curated]),
        "boxed": score([row for row in counted if row[0].boxed]),
        "disputed": score([row for row in rows if row[0].disputed]),
        "kinds": {kind: score(kinds[kind]) for kind in sorted(kinds)},
        "mistakes": [
            {
                "id": case.id,
                "kind": case.kind,
                "mistake": "false accept" if outcome.accepted else "false reject",
                "boxed": case.boxed,
            }
            for case, outcome in counted
            if outcome.accepted != case.expected
        ],
    }


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def markdown(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Return tables that compare several checkers."""
    lines = [
        "| checker | all | curated | real | boxed | false accepts (curated / real) "
        "| false rejects (curated / real) | median / p99 / max ms | > 5 s | killed | code ran | 8 threads |",
        "| " + " | ".join(["---"] * 12) + " |",
    ]
    for name, found in reports.items():
        total, curated, real = found["all"], found["curated"], found["real"]
        cells = [
            name,
            *(_percent(found[part]["accuracy"]) for part in ("all", "curated", "real", "boxed")),
            f"{curated['false_accepts']} / {real['false_accepts']}",
            f"{curated['false_rejects']} / {real['false_rejects']}",
            f"{_number(total['median_ms'])} / {_number(total['p99_ms'])} / {_number(total['max_ms'])}",
            str(total["over_5_s"]),
            str(total["killed"]),
            str(total["code_ran"]),
            found.get("threads", "-"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    names = list(reports)
    lines += ["", f"| kind | cases (wrong / right) | {' | '.join(names)} |"]
    lines.append("| " + " | ".join(["---"] * (len(names) + 2)) + " |")
    for kind, first in next(iter(reports.values()))["kinds"].items():
        mistakes = [
            f"{found['kinds'][kind]['false_accepts']} / {found['kinds'][kind]['false_rejects']}"
            for found in reports.values()
        ]
        size = f"{first['cases']} ({first['wrong']} / {first['right']})"
        lines.append(f"| {kind} | {size} | {' | '.join(mistakes)} |")
    lines += ["", "By kind: false accepts / false rejects."]
    return "\n".join(lines)
