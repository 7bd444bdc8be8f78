"""Reads how good the critics of a run are, and says it in sentences."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.metrics.critics.calibration import MIN_AUC

_FILES = ("seed-*/critic/quality.json", "seed-*/iteration-*/critic/quality.json")


def critics(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the measures of all critics of some run folders.

    Args:
        folders: Run folders; those without a critic are left out.

    Returns:
        [{"name", "kinds": {kind of example: measure -> value}}], in the order of the paths.
    """
    found = []
    for folder in folders:
        prefix = f"{folder.name}: " if len(folders) > 1 else ""
        for path in sorted(path for pattern in _FILES for path in folder.glob(pattern)):
            where = path.parent.parent.relative_to(folder).as_posix().replace("/", ", ").replace("-", " ")
            found.append({"name": f"{prefix}critic, {where}", "kinds": json.loads(path.read_text())})
    return found


def sentences(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence per critic with its AUC within problems, which decides whether it can choose."""
    return [
        f"{one['name']}: AUC within problems "
        + ", ".join(
            f"{_number(measures['auc_within'])} (pooled {_number(measures['auc'])}) of {kind}"
            for kind, measures in one["kinds"].items()
        )
        for one in found
        if one["kinds"]
    ]


def warnings(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a warning per critic that ranks replies to one problem hardly better than chance."""
    return [
        f"{one['name']}: it ranks replies to one problem hardly better than chance ({kind}: AUC "
        f"{measures['auc_within']:.2f} within problems): its scores say little about which reply is right"
        for one in found
        for kind, measures in one["kinds"].items()
        if measures["auc_within"] is not None and measures["auc_within"] < MIN_AUC
    ]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
