"""report.html: one file with the table, figures, settings and episodes, which opens without a network.

Its content security policy allows only its own script and style, and no requests. `episode_data` packs
the episodes, and `sections` writes everything else.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from rise_benchmarks.report.evaluation_logs import Measured
from rise_benchmarks.report.page.episode_data import Packed, pack
from rise_benchmarks.report.page.sections import figures, scores, section, self_correction, settings
from rise_benchmarks.report.tables import csv_text, title

SECTIONS = {
    "table": "Scores",
    "self-correction": "Self-correction",
    "figures": "Figures",
    "settings": "Settings",
    "episodes": "Episodes",
}
"""Id of a section -> text of the link to it."""
FILTERS = {"row": "policy", "protocol": "protocol", "seed": "seed", "verdict": "verdict", "flip": "flip",
           "turn": "at turn"}  # fmt: skip


def write_page(
    path: Path, report: Mapping[str, Any], found: Sequence[Measured], drawn: Mapping[str, Path]
) -> None:
    """Write the page.

    Args:
        path: Path of the HTML file.
        report: The content of report.json.
        found: The policies whose episodes the page shows.
        drawn: Name of a figure -> SVG file.
    """
    path.write_text(page_text(report, found, drawn), encoding="utf-8")


def page_text(report: Mapping[str, Any], found: Sequence[Measured], drawn: Mapping[str, Path]) -> str:
    """Return the page; see `write_page`."""
    assets = files("rise_benchmarks.report.page") / "assets"
    style = (assets / "page.css").read_text(encoding="utf-8")
    scripts = sorted(
        (file for file in assets.iterdir() if file.name.endswith(".js")), key=lambda file: file.name
    )
    script = "\n".join(file.read_text(encoding="utf-8") for file in scripts)
    packed = pack(found)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = escape(title(report))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>RISE: {head}</title><style>{style}</style></head><body>",
            f"<header><h1>{head}</h1>{_navigation(report)}</header><main>",
            scores(report),
            self_correction(report) if report["turns"] > 1 else "",
            figures(drawn),
            settings(found),
            section("episodes", "Episodes", _browser(packed)),
            f"</main><script>{script}</script>",
            "</body></html>\n",
        ]
    )


def _navigation(report: Mapping[str, Any]) -> str:
    """Return the links to the sections, and one that saves report.csv, which the page contains."""
    data = base64.b64encode(csv_text(report).encode()).decode()
    shown = [name for name in SECTIONS if name != "self-correction" or report["turns"] > 1]
    links = "".join(f'<a href="#{name}">{SECTIONS[name]}</a>' for name in shown)
    csv = f'<a download="report.csv" href="data:text/csv;base64,{data}">All values (CSV)</a>'
    return f'<nav aria-label="Sections">{links}{csv}</nav>'


def _browser(packed: Packed) -> str:
    choices = "".join(
        f'<label>{label}<select id="by-{name}"><option value="">any</option></select></label>'
        for name, label in FILTERS.items()
    )
    data = "".join(
        f'<script type="application/octet-stream" id="block-{number}">{block}</script>'
        for number, block in enumerate(packed.blocks)
    )
    return (
        f'<div id="filters" role="group" aria-label="Filters">{choices}'
        '<label>text<input id="by-text" type="search" placeholder="in problems, replies, feedback"></label>'
        '<span id="count" role="status">unpacking …</span></div>'
        '<p class="hint">The arrow keys, Page Up, Page Down, Home and End choose an episode in the list. The '
        "signs are the verdicts of its turns: ✓ correct, ✗ wrong, – no answer, ? unreadable, T timeout, "
        "∅ withheld.</p>"
        '<div id="browser"><div id="list" role="listbox" tabindex="0" aria-label="Episodes"></div>'
        '<div id="detail" role="region" tabindex="0" aria-label="Episode"></div></div>'
        f'<script type="application/octet-stream" id="index">{packed.index}</script>{data}'
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
