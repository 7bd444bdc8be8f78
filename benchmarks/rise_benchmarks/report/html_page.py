"""report.html: one file with the table, figures, settings and episodes, which opens without a network.

Its content security policy allows only its own script and style, and no requests. `html_data` packs the
episodes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from rise_benchmarks.report.evaluation_logs import Measured
from rise_benchmarks.report.html_data import Packed, pack
from rise_benchmarks.report.tables import comparisons, title
from rise_env.metrics.report_table import cells
from rise_env.utils.versions import installed

FILTERS = {"row": "policy", "protocol": "protocol", "seed": "seed", "verdict": "verdict", "flip": "flip",
           "turn": "at turn"}  # fmt: skip


def write_page(
    path: Path, report: Mapping[str, Any], found: Sequence[Measured], figures: Mapping[str, Path]
) -> None:
    """Write the page.

    Args:
        path: Path of the HTML file.
        report: The content of report.json.
        found: The policies whose episodes the page shows.
        figures: Name of a figure -> SVG file.
    """
    path.write_text(page_text(report, found, figures), encoding="utf-8")


def page_text(report: Mapping[str, Any], found: Sequence[Measured], figures: Mapping[str, Path]) -> str:
    """Return the page; see `write_page`."""
    assets = files("rise_benchmarks.report") / "page_assets"
    style = (assets / "page.css").read_text(encoding="utf-8")
    script = (assets / "page.js").read_text(encoding="utf-8")
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
            '<meta name="viewport" content="width=device-width">',
            f"<title>RISE: {head}</title><style>{style}</style></head><body>",
            f"<h1>{head}</h1>",
            '<nav><a href="#table">Table</a><a href="#figures">Figures</a><a href="#settings">Settings</a>'
            '<a href="#episodes">Episodes</a></nav>',
            _table(report),
            _figures(figures),
            _settings(found),
            _browser(packed),
            f"<script>{script}</script>",
            "</body></html>\n",
        ]
    )


def _table(report: Mapping[str, Any]) -> str:
    head, *body = cells(report)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in body)
    notes = "".join(f"<li>{escape(note)}</li>" for note in comparisons(report))
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return (
        '<h2 id="table">Table</h2><div class="wide"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>"
        f'<ul class="notes">{notes}</ul>'
    )


def _figures(figures: Mapping[str, Path]) -> str:
    images = []
    for name, path in figures.items():
        data = base64.b64encode(path.read_bytes()).decode()
        alt = escape(name.replace("_", " "))
        images.append(f'<figure><img alt="{alt}" src="data:image/svg+xml;base64,{data}"></figure>')
    return f'<h2 id="figures">Figures</h2><div class="figures">{"".join(images)}</div>'


def _settings(found: Sequence[Measured]) -> str:
    parts = [f"<details><summary>versions of this report</summary><pre>{_json(installed())}</pre></details>"]
    for measured in found:
        kept = {key: value for key, value in measured.record.items() if key not in ("kind", "schema")}
        parts.append(f"<details><summary>{escape(measured.name)}</summary><pre>{_json(kept)}</pre></details>")
    return f'<h2 id="settings">Settings and versions</h2>{"".join(parts)}'


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
        f'<h2 id="episodes">Episodes</h2><div id="filters">{choices}'
        '<label>text<input id="by-text" type="search" placeholder="in problems, replies, feedback"></label>'
        '<span id="count">unpacking …</span></div>'
        '<div id="browser"><div id="list" tabindex="0"></div><div id="detail"></div></div>'
        f'<script type="application/octet-stream" id="index">{packed.index}</script>{data}'
    )


def _json(value: Any) -> str:
    return escape(json.dumps(value, indent=1, ensure_ascii=False))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
