"""Computes the scores of a checker on labelled cases, and writes them as Markdown."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rise_benchmarks.checkers.cases import Case, Outcome

_MAX_SHOWN = 120
"""Maximal number of characters of a reply or a reference that a report shows."""
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
    several = len({case.source for case, _ in counted}) > 1
    for row in counted:
        kinds[f"{row[0].source}: {row[0].kind}" if several else row[0].kind].append(row)
    return {
        "all": score(counted),
        "curated": score([row for row in counted if row[0].curated]),
        "real": score([row for row in counted if not row[0].curated]),
        "boxed": score([row for row in counted if row[0].boxed]),
        "disputed": score([row for row in rows if row[0].disputed]),
        "sources": {
            source: score([row for row in counted if row[0].source == source])
            for source in dict.fromkeys(case.source for case, _ in counted)
        },
        "kinds": {kind: score(kinds[kind]) for kind in sorted(kinds)},
        "mistakes": [
            _mistake(case, outcome) for case, outcome in counted if outcome.accepted != case.expected
        ],
    }


def _mistake(case: Case, outcome: Outcome) -> dict[str, Any]:
    """Return the entry of a mistake in a report; for a false accept, it includes the texts."""
    mistake = {
        "id": case.id,
        "kind": case.kind,
        "mistake": "false accept" if outcome.accepted else "false reject",
        "boxed": case.boxed,
    }
    texts = {"reply": case.reply[-_MAX_SHOWN:], "reference": case.reference[:_MAX_SHOWN]}
    return {**mistake, **texts} if outcome.accepted else mistake


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
    first = next(iter(reports.values()))
    if len(first["sources"]) > 1:
        lines += ["", f"| set | cases (wrong / right) | {' | '.join(names)} |"]
        lines.append("| " + " | ".join(["---"] * (len(names) + 2)) + " |")
        for source, size in first["sources"].items():
            scores = [found["sources"][source] for found in reports.values()]
            cells = [
                f"{_percent(one['accuracy'])}, {one['false_accepts']} / {one['false_rejects']}"
                for one in scores
            ]
            lines.append(f"| {source} | {_size(size)} | {' | '.join(cells)} |")
        lines += ["", "By set: accuracy, false accepts / false rejects."]
    lines += ["", f"| kind | cases (wrong / right) | {' | '.join(names)} |"]
    lines.append("| " + " | ".join(["---"] * (len(names) + 2)) + " |")
    for kind, size in first["kinds"].items():
        mistakes = [
            f"{found['kinds'][kind]['false_accepts']} / {found['kinds'][kind]['false_rejects']}"
            for found in reports.values()
        ]
        lines.append(f"| {kind} | {_size(size)} | {' | '.join(mistakes)} |")
    lines += ["", "By kind: false accepts / false rejects.", "", *_false_accepts(reports)]
    return "\n".join(lines)


def _size(scores: Mapping[str, Any]) -> str:
    return f"{scores['cases']} ({scores['wrong']} / {scores['right']})"


def _false_accepts(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a table of all wrong replies that a checker accepts, and which checkers do."""
    accepted: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for name, found in reports.items():
        for mistake in found["mistakes"]:
            if mistake["mistake"] == "false accept":
                accepted.setdefault(mistake["id"], (mistake, []))[1].append(name)
    lines = ["## Wrong replies that were accepted", "", "| case | kind | reference | reply | accepted by |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for case, (mistake, names) in accepted.items():
        texts = [_as_cell(mistake.get("reference")), _as_cell(mistake.get("reply"))]
        lines.append(f"| {case} | {mistake['kind']} | {' | '.join(texts)} | {', '.join(names)} |")
    return lines


def without_texts(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return reports that name cases by their ids alone, because some labelled cases may not be published."""
    return {
        name: {**found, "mistakes": [_without(mistake) for mistake in found["mistakes"]]}
        for name, found in reports.items()
    }


def _without(mistake: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mistake.items() if key not in ("reply", "reference")}


def _as_cell(text: str | None) -> str:
    if text is None:
        return ""
    plain = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return f"`{plain}`"
