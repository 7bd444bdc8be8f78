"""What rows of the suites conventions and memory learned, and what the learning cost."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_agents.learning.learn import RESULT, SETTINGS

_KEPT = (
    "rules",
    "conventions",
    "validation",
    "proposed",
    "kept",
    "steps",
    "m1@t1",
    "first fifth",
    "last fifth",
    "hit rate",
    "recalled",
    "items",
    "spent",
)


def learned(folder: Path) -> list[dict[str, Any]]:
    """Return one entry per finished run of `rise learn` in the folder of a suite, in the order of the paths.

    Args:
        folder: The folder; its parts are ROW/seed-N, or ROW/seed-N/PLACE where the best of several is taken.
    """
    found = []
    for path in sorted(folder.glob(f"**/{RESULT}")):
        if not (path.parent / SETTINGS).exists():
            continue
        row, seed, *place = path.parent.relative_to(folder).parts
        result = json.loads(path.read_text())
        entry = {"row": row, "seed": int(seed.removeprefix("seed-")), "place": [int(one) for one in place]}
        found.append({**entry, **{name: result[name] for name in _KEPT if name in result}})
    return found


def text(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of entries in Markdown; empty if there are none."""
    of_memory = any("hit rate" in entry for entry in entries)
    names = ["row", "seed", "conventions", *(_MEMORY if of_memory else _RULES), *_COSTS]
    lines = [f"| {' | '.join(names)} |", "|" + " --- |" * len(names)]
    for entry in entries:
        cells = [entry["row"], ".".join(str(one) for one in (entry["seed"], *entry["place"]))]
        conventions = entry.get("conventions", {"stated": 0, "all": 0})
        cells.append(f"{conventions['stated']} of {conventions['all']}")
        if of_memory:
            cells += [f"{entry[name]:.3f}" for name in ("m1@t1", "first fifth", "last fifth", "hit rate")]
            cells.append(str(entry["items"]))
        else:
            scores = entry["validation"]
            cells.append(f"{scores['without']:.3f} -> {scores.get('rules', scores['without']):.3f}")
            cells.append(f"{entry['kept']} of {entry['proposed']}")
        cells += [f"{value:,}" for value in _costs(entry["spent"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) if entries else ""


_RULES = ("validation", "kept of proposed")
_MEMORY = ("right", "first fifth", "last fifth", "hit rate", "items")
_COSTS = ("agent calls", "reflector calls", "tokens read", "tokens written")


def _costs(spent: Mapping[str, Mapping[str, int]]) -> list[int]:
    agent = sum(spent[role]["calls"] for role in spent if role != "reflector")
    read = sum(part["prompt_tokens"] for part in spent.values())
    written = sum(part["generated_tokens"] for part in spent.values())
    return [agent, spent["reflector"]["calls"], read, written]
