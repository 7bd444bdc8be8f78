"""The sections of the report page as HTML: tables with definitions, the self-correction card, and figures.

Every text that is not written here, a name of a policy for example, is escaped.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rise_benchmarks.report import tables
from rise_benchmarks.report.equal_budget import UNITS, too_few_draws
from rise_benchmarks.report.equal_budget import cells as equal_cells
from rise_benchmarks.report.evaluation_logs import Measured
from rise_benchmarks.report.page.captions import caption
from rise_env.metrics.budgets.search_quality import cells as search_cells
from rise_env.metrics.glossary.definitions import definitions
from rise_env.metrics.report_table import cells
from rise_env.metrics.self_correction.card import total_cells, turn_cells
from rise_env.utils.versions import installed

WIDE = 1.9
"""Ratio of width to height above which a figure takes the whole width of the page."""


def scores(report: Mapping[str, Any]) -> str:
    """Return the main table with its definitions, the comparisons, and further tables that the report has."""
    known = _definitions(report)
    head = cells(report)[0]
    parts = [
        *(f'<p class="alarm">{escape(line)}</p>' for line in tables.alarms(report)),
        "<p>Scores are in percent, with half the width of their 95&nbsp;% intervals.</p>",
        table(cells(report), "Scores", known),
        _legend({name: known[name] for name in head if name in known}, "What the columns mean", is_open=True),
        _notes(tables.comparisons(report)),
    ]
    if len(report["rows"]) > 2:
        t = report["turns"]
        turns = cells(report, "turns")
        parts += [
            "<h3>Turns</h3>",
            table(turns, "Turns", known),
            _legend({name: known[name] for name in turns[0] if name in known}, "What the columns mean"),
            f"<h3>m1@t{t} of the row minus m1@t{t} of the column</h3>",
            table(tables.gain_cells(report), "Differences between the rows", known),
        ]
    if "equal" in report:
        parts += [
            f"<h3>At equal {escape(UNITS[report['equal']['by']])} per problem</h3>",
            table(equal_cells(report), "Scores at equal budgets", known),
            _notes(too_few_draws(report)),
        ]
    if "searches" in report:
        parts += ["<h3>Searches</h3>", table(search_cells(report["searches"]), tables.SEARCHES, known)]
    return section("table", "Scores", *parts)


def self_correction(report: Mapping[str, Any]) -> str:
    """Return the self-correction card: the totals of all rows, each row by turn, and the fits of the run."""
    known = _definitions(report)
    totals = total_cells(report)
    labels = [line[0] for line in totals[1:]]
    rows = report["rows"]
    by_turn = [
        f"<details{' open' if len(rows) < 3 else ''}><summary>{escape(row['name'])}, turn by turn</summary>"
        + table(turn_cells(row, report["turns"]), f"{row['name']}, turn by turn", known)
        + "</details>"
        for row in rows
    ]
    parts = [
        f"<p>{escape(tables.card_title(report))}, with half the width of their 95&nbsp;% intervals.</p>",
        table(totals, "Self-correction card", known),
        _legend(
            {name: known[name] for name in [*labels, "recovered", "lost"]}, "What the lines of the card mean"
        ),
        *by_turn,
    ]
    fits = tables.fit_cells(report)
    if len(fits) > 1:
        parts += [f"<h3>Fits</h3><p>{escape(tables.FITS)}.</p>", table(fits, "Fits", known)]
    return section("self-correction", "Self-correction", *parts)


def figures(drawn: Mapping[str, Path]) -> str:
    """Return all figures with their captions; `drawn` has the SVG file of each."""
    found = "".join(_figure(name, path) for name, path in drawn.items())
    return section("figures", "Figures", f'<div class="figures">{found}</div>')


def settings(found: Sequence[Measured]) -> str:
    """Return the settings of each policy's evaluation, and the versions of the libraries, folded away."""
    parts = [_folded("versions of this report", installed())]
    for measured in found:
        kept = {key: value for key, value in measured.record.items() if key not in ("kind", "schema")}
        parts.append(_folded(measured.name, kept))
    return section("settings", "Settings and versions", *parts)


def section(name: str, heading: str, *parts: str) -> str:
    """Return a section of the page with its heading, to which `#name` leads."""
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(heading)}</h2>{"".join(parts)}</section>'
    )


def table(lines: Sequence[Sequence[str]], label: str, known: Mapping[str, str]) -> str:
    """Return a table of texts; its first line is the head.

    Args:
        lines: The texts of all cells.
        label: What the table shows, for screen readers.
        known: Text of a heading -> definition to show while the pointer is on it.
    """
    head, *body = lines
    top = "".join(_heading(cell, "col", known) for cell in head)
    rows = "".join(
        f"<tr>{_heading(first, 'row', known)}{''.join(f'<td>{escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in body
    )
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{escape(label)}"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _heading(cell: str, scope: str, known: Mapping[str, str]) -> str:
    if not cell:
        return "<td></td>"
    text = escape(cell)
    if cell in known:
        text = f'<abbr title="{escape(known[cell])}">{text}</abbr>'
    return f'<th scope="{scope}">{text}</th>'


def _definitions(report: Mapping[str, Any]) -> dict[str, str]:
    return definitions(report["turns"], report["num_samples"])


def _legend(entries: Mapping[str, str], summary: str, *, is_open: bool = False) -> str:
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(sentence)}</dd></div>" for name, sentence in entries.items()
    )
    shown = " open" if is_open else ""
    return f"<details{shown}><summary>{escape(summary)}</summary><dl>{items}</dl></details>"


def _notes(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _figure(name: str, path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    heading, said = caption(name)
    width, height = (re.search(rf'<svg[^>]* {side}="([\d.]+)pt"', text) for side in ("width", "height"))
    wide = width is not None and height is not None and float(width[1]) > WIDE * float(height[1])
    kind = ' class="wide-figure"' if wide else ""
    data = base64.b64encode(text.encode()).decode()
    return (
        f"<figure{kind}><figcaption><h3>{escape(heading)}</h3><p>{escape(said)}</p></figcaption>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(heading)}">'
        f'<img alt="{escape(heading)}: {escape(said)}" src="data:image/svg+xml;base64,{data}"></div></figure>'
    )


def _folded(summary: str, value: Any) -> str:
    text = escape(json.dumps(value, indent=1, ensure_ascii=False))
    return f"<details><summary>{escape(summary)}</summary><pre>{text}</pre></details>"
