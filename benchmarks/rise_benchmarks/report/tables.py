"""The tables of a report as text: for the terminal, as Markdown and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from rise_benchmarks.report import critics
from rise_benchmarks.report.equal_budget import UNITS, too_few_draws
from rise_benchmarks.report.equal_budget import cells as equal_cells
from rise_env.metrics.budgets.search_quality import cells as search_cells
from rise_env.metrics.glossary.definitions import definitions
from rise_env.metrics.report_table import COLUMNS, cells, long_rows
from rise_env.metrics.report_values import mean_percent, percent
from rise_env.metrics.self_correction.card import total_cells
from rise_env.trajectories.outcomes import FailureLimits, Outcomes, summary, warnings

FITS = (
    "Policies in the fits: difference of log-probabilities between sampler and trainer per token, divergence "
    "of the fitted from the first model, and entropy per token before and after the fit"
)
"""What the table of `fit_cells` shows."""

SEARCHES = (
    "Searches, at the first turn: share of problems with a right reply among those found, and means per "
    "reply; depth is the mean number of options from the root to a leaf"
)
"""What the table of searches shows."""


def plain(report: Mapping[str, Any]) -> str:
    """Return the main table as aligned text, with the comparisons and the self-correction card below it."""
    parts = [title(report), *alarms(report), *aligned(cells(report)), "", *comparisons(report)]
    if report["turns"] > 1:
        parts += ["", f"{card_title(report)}:", *aligned(total_cells(report))]
    if "equal" in report:
        parts += ["", *(" | ".join(line) for line in equal_cells(report)), *too_few_draws(report)]
    if "searches" in report:
        parts += ["", f"{SEARCHES}:", *aligned(search_cells(report["searches"]))]
    return "\n".join(parts)


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines of text, with columns of equal width."""
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) for line in table)
    return [line.rstrip() for line in lines]


def legend(report: Mapping[str, Any]) -> list[str]:
    """Return what each column of the tables and each line of the card means, one line of text each."""
    return [f"{name}: {sentence}" for name, sentence in legend_entries(report).items()]


def legend_entries(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the definitions of the metrics that the tables of a report show, by name."""
    known = definitions(report["turns"], report["num_samples"])
    tables = (cells(report)[0], cells(report, "turns")[0], (line[0] for line in total_cells(report)))
    shown = [*(name for names in tables for name in names), "recovered", "lost"]
    return {name: known[name] for name in shown if name}


def card_title(report: Mapping[str, Any]) -> str:
    """Return the heading of the table of the self-correction card."""
    rows = report["rows"]
    gain = f", with the paired difference to {rows[0]['name']} in brackets" if len(rows) > 1 else ""
    return f"Self-correction over {report['turns']} turns without an oracle{gain}; shares in percent"


def markdown(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown, with the table "turns" and all paired gains for three or more rows."""
    parts = [f"**{title(report)}**", *alarms(report), _markdown(cells(report))]
    if len(report["rows"]) > 2:
        t = report["turns"]
        if t > 1:
            parts.append(_markdown(cells(report, "turns")))
        parts += [
            f"m1@t{t} of the row minus m1@t{t} of the column, paired over problems and seeds:",
            _markdown(gain_cells(report)),
        ]
    if "equal" in report:
        unit = UNITS[report["equal"]["by"]]
        parts.append(f"At equal {unit} per problem, with the first turn of each row:")
        parts.append(_markdown(equal_cells(report)))
        parts += too_few_draws(report)
    if "searches" in report:
        parts += [f"{SEARCHES}:", _markdown(search_cells(report["searches"]))]
    if report["turns"] > 1:
        parts += [f"{card_title(report)}:", _markdown(total_cells(report))]
    fits = fit_cells(report)
    if len(fits) > 1:
        parts += [f"{FITS}:", _markdown(fits)]
    return "\n\n".join([*parts, "\n".join(f"- {c}" for c in comparisons(report))])


def fit_cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return a table of the policy metrics, one row per fit that measured them; the first row is a header."""
    fits = [fit for fit in report.get("training", ()) if fit.get("policy")]
    turns = sorted({int(key.partition("@t")[2]) for fit in fits for key in fit["policy"] if "@t" in key})
    head = ["fit", "sampler gap", "sampler gap p99", "KL(first, fitted)"]
    table = [head + [f"{what} t{turn}" for turn in turns for what in ("KL", "entropy")]]
    for fit in fits:
        policy = fit["policy"]
        names = ("sampler_gap_mean", "sampler_gap_p99", "kl_to_first")
        values = [f"{policy[name]:.2g}" if name in policy else "" for name in names]
        for turn in turns:
            moved = policy.get(f"kl_to_first@t{turn}")
            values.append("" if moved is None else f"{moved:.2g}")
            pair = [policy.get(f"{name}@t{turn}") for name in ("entropy_first", "entropy")]
            values.append("" if None in pair else f"{pair[0]:.3f} → {pair[1]:.3f}")
        table.append([fit["name"], *values])
    return table


def csv_text(report: Mapping[str, Any]) -> str:
    """Return all estimates of the report, as fractions, in CSV with one estimate per line."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(long_rows(report))
    return file.getvalue()


def title(report: Mapping[str, Any]) -> str:
    """Return the heading of the table: environment, number of problems and seeds."""
    seeds = len(report["seeds"])
    checked = (
        "" if report.get("checker", "as stored") == "as stored" else f" · checked by {report['checker']}"
    )
    return (
        f"{report['env']} · {report['problems']} held-out problems · "
        f"{seeds} seed{'s' if seeds > 1 else ''} · 95 % intervals{checked}"
    )


def comparisons(report: Mapping[str, Any]) -> list[str]:
    """Return sentences that compare turns, compare the last row with the first, and list the protocols.

    Of one turn, there is nothing to say about turns.
    """
    t, k = report["turns"], report["num_samples"]
    lines = []
    rows = report["rows"]
    compared = rows if len(rows) < 3 else (rows[0], rows[-1])
    for row in compared if t > 1 else ():
        fixed, broken = (
            mean_percent(row[f"{flip}_by_turn"]) for flip in ("wrong_to_right", "right_to_wrong")
        )
        lines.append(
            f"{row['name']}: turn {t} - turn 1 {percent(row[f't{t} - t1'])}; "
            f"m1@t{t} - m1@t1 {percent(row[f'm1@t{t} - m1@t1'])}; "
            + (f"m1@t{t} - m{k}@t1 {percent(row[f'm1@t{t} - m{k}@t1'])}; " if k > 1 else "")
            + f"per turn {fixed} of the wrong become right, {broken} of the right wrong"
        )
    if len(rows) > 1:
        last = rows[-1]
        gains = ", ".join(
            f"{key} {percent(last[f'gain {key}'])}" for key in dict.fromkeys(("m1@t1", f"m1@t{t}"))
        )
        lines.append(f"{last['name']} against {rows[0]['name']}: {gains}")
        lines += _significance(last, f"m1@t{t}", rows[0]["name"])
    for row in rows:
        lines += [
            f"{row['name']}, protocol {name}: {m1} {percent(found[m1])}, {p1} {percent(found[p1])}"
            for name, found in row["protocols"].items()
            for m1, p1 in [_names(found)]
        ]
        if "self_verify" in row["protocols"]:
            found = row["protocols"]["self_verify"]
            lines.append(
                f"{row['name']}, protocol self_verify: stops by itself in {percent(found['stopped'])} of the "
                f"episodes, with accuracy {percent(found['accuracy_at_stop'])}; says yes with precision "
                f"{percent(found['precision'])} and recall {percent(found['recall'])}"
            )
    lines += [f"{row['name']}: {line.strip()}" for row in rows for line in summary(_outcomes(row))]
    return [*lines, *critics.sentences(report.get("critics", []))]


def alarms(report: Mapping[str, Any]) -> list[str]:
    """Return the warnings that stand over the table: shares of failures above the limits of the report."""
    limits = FailureLimits(**report.get("failures", {}))
    lines = [f"{row['name']}: {line}" for row in report["rows"] for line in warnings(_outcomes(row), limits)]
    return [*lines, *critics.warnings(report.get("critics", []))]


def _outcomes(row: Mapping[str, Any]) -> Outcomes:
    """Return the counts of a row; reports of older versions have none."""
    return Outcomes.from_json(row["outcomes"]) if "outcomes" in row else Outcomes()


def _significance(row: Mapping[str, Any], key: str, base: str) -> list[str]:
    """Return a sentence with the tests of one score against the row with which `row` is compared."""
    exact = row[f"mcnemar {key}"]
    return [
        f"{key}, problem by problem: {row['name']} alone solves {exact['only_after']}, {base} alone "
        f"{exact['only_before']}; p = {row[f'p {key}']:.2g} (bootstrap), {exact['p']:.2g} (McNemar)"
    ]


def _names(protocol: Mapping[str, Any]) -> tuple[str, str]:
    turns = len(protocol["accuracy_by_turn"])
    return f"m1@t{turns}", f"p1@t{turns}"


def gain_cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return a table of m1@tT of each row minus that of every earlier row; the first row is the head."""
    names = [row["name"] for row in report["rows"]]
    found = {(gain["name"], gain["over"]): percent(gain) for gain in report["gains"]}
    body = [[name, *(found.get((name, over), "") for over in names[:-1])] for name in names[1:]]
    return [["", *names[:-1]], *body]


def _markdown(table: Sequence[Sequence[str]]) -> str:
    head, *body = table
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body))
