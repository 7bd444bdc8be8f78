"""`rise report DIR`: the table, the figure and report.json of a run or of an evaluation folder.

Reads the logs that `rise run` and `rise evaluate` leave under <label>/seed-<seed>/ and writes beside them
report.json (fractions, every figure with its interval), report.md and accuracy_by_turn.png.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rise_benchmarks.tables import markdown, plain
from rise_env.command_line import parse
from rise_env.errors import DataNotFoundError
from rise_env.store import read_run, read_trajectories
from rise_env.summary import Outcomes, outcomes, row
from rise_env.types import Trajectory

LOGS = "evaluate"
"""Where `rise run` keeps the logs of its evaluations, in the run folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """What to sum up."""

    run: str
    """A run folder of `rise run`, or the output folder of `rise evaluate`."""


def main(argv: Sequence[str]) -> int:
    """Run `rise report`."""
    config = parse(ReportConfig, argv, prog="rise report", positional="run")
    report = write_report(Path(config.run))
    print(plain(report))
    print(f"\nreport files: {config.run}/report.json, report.md, accuracy_by_turn.png")
    return 0


def write_report(folder: Path) -> dict[str, Any]:
    """Write the report files of a folder and return the report.

    Raises:
        DataNotFoundError: There are no complete evaluation logs.
        ConfigError: The logs are of different problems.
    """
    from rise_benchmarks.plots import accuracy_by_turn

    report = make_report(folder)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / "report.md").write_text(markdown(report) + "\n")
    accuracy_by_turn(report, folder / "accuracy_by_turn.png")
    return report


def make_report(folder: Path) -> dict[str, Any]:
    """Sum up the logs of a folder; see `write_report`."""
    root = folder / LOGS if (folder / LOGS).is_dir() else folder
    found = sorted((p.parent.parent for p in root.glob("*/seed-*/parallel.jsonl")), key=_position)
    labels = list(dict.fromkeys(found))
    if not labels:
        raise DataNotFoundError(f"no evaluation logs in {folder}: make them with rise evaluate or rise run")
    rows: list[dict[str, Any]] = []
    base: Outcomes | None = None
    record: Mapping[str, Any] = {}
    seeds: list[int] = []
    for label in labels:
        logs = sorted(label.glob("seed-*"), key=_natural)
        record = read_run(logs[0] / "sequential.jsonl")
        seeds = [int(read_run(log / "sequential.jsonl")["seed"]) for log in logs]
        this = outcomes(
            [_load(log / "sequential.jsonl") for log in logs],
            [_load(log / "parallel.jsonl") for log in logs],
            turns=record["turns"],
            samples=record["samples"],
        )
        rows.append(row(str(record["label"]), this, base))
        base = base or this
    return {
        "env": record["env"],
        "problems": len(base.problems) if base else 0,
        "split": record["env_settings"].get("split"),
        "seeds": seeds,
        "turns": record["turns"],
        "samples": record["samples"],
        "rows": rows,
    }


def _load(path: Path) -> list[Trajectory]:
    return list(read_trajectories(path))


def _position(label: Path) -> tuple[int, list[tuple[int, str]]]:
    first = min(label.glob("seed-*"), key=_natural)
    return int(read_run(first / "sequential.jsonl").get("order", 0)), _natural(label)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sort iteration-10 after iteration-9."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
