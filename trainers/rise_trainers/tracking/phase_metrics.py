"""The metrics of one phase of a run, computed from the files that the phase wrote."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rise_env.metrics.policy_results import policy_results
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.metrics.report_row import row
from rise_env.metrics.report_table import headline
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Trajectory
from rise_trainers.data.critic_data import QUALITY
from rise_trainers.fitting.paths import metrics_path
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking.charts import REPORT_COLUMNS

FIT_GROUPS = {"data": "data", "policy": "fit", "step": "train", "end": "fit"}
"""Kind of a line in the metrics of a fit -> the part of its keys before the slash."""
EXAMPLE_COLUMNS = ("problem", "turn", "question", "reference", "reply", "answer", "verdict", "reward")


def phase_lines(phase: Phase) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl for a phase that ended; a fit has one per line of its metrics."""
    if phase.command == "fit":
        return fit_lines(metrics_path(phase.progress_files[0]).read_text())
    if phase.command == "label":
        return critic_lines(phase)
    measured = phase.command == "evaluate" and phase.measures
    group = "eval" if measured else "collect"
    found = statistics(list(read_trajectories(phase.progress_files[0])))
    if measured:
        found |= evaluation_metrics(Path(phase.progress_files[0]), Path(phase.progress_files[1]))
    return [{f"{group}/{key}": value for key, value in found.items()}]


def critic_lines(phase: Phase) -> list[dict[str, Any]]:
    """Return the measures of a critic, or the number of examples that were made for it."""
    first, last = map(Path, phase.progress_files)
    if last.name == QUALITY:
        return [{f"critic/{kind}": measures for kind, measures in json.loads(last.read_text()).items()}]
    return [{"critic/examples": sum(1 for _ in read_trajectories(first))}]


def fit_lines(text: str) -> list[dict[str, Any]]:
    """Return the complete lines that a fit has written, with the keys of metrics.jsonl."""
    lines = []
    for part in text[: text.rfind("\n") + 1].splitlines():
        line = json.loads(part)
        group = FIT_GROUPS[line.pop("kind")]
        lines.append({f"{group}/{key}": value for key, value in line.items()})
    return lines


def statistics(played: Sequence[Trajectory]) -> dict[str, Any]:
    """Return the metrics of a collection or an evaluation, name -> value.

    `acc@tN` is the accuracy at turn N among the episodes that reached it. Every number is a chart in W&B.
    """
    healthy = [t for t in played if t.error is None]
    attempts = [a for t in played for turn in t.turns for a in turn.attempts]
    turns = max((len(t.turns) for t in played), default=0)
    reached = [[t.turns[i].action.check.correct for t in healthy if len(t.turns) > i] for i in range(turns)]
    return {
        "episodes": len(played),
        "failed": len(played) - len(healthy),
        "solved": sum(any(turn.action.check.correct for turn in t.turns) for t in healthy),
        "replies": len(attempts),
        "completion_tokens": sum(a.usage.completion_tokens for a in attempts),
        "rewards": {str(r): n for r, n in sorted(Counter(a.reward for a in attempts).items())},
        "verdicts": dict(sorted(Counter(a.check.verdict.value for a in attempts).items())),
        **{f"acc@t{t}": round(sum(r) / len(r), 6) if r else None for t, r in enumerate(reached, start=1)},
    }


def evaluation_metrics(sequential: Path, parallel: Path) -> dict[str, Any]:
    """Return the same figures of one evaluation as the report, without confidence intervals.

    Args:
        sequential: The store of rollouts.
        parallel: The store of independent first replies.
    """
    record = read_run(sequential)
    found = policy_results(
        [by_turn(read_trajectories(sequential), record["turns"])],
        [by_draw(read_trajectories(parallel), record.get("draws", record["num_samples"]))],
        num_samples=record["num_samples"],
    )
    values = row(str(record["label"]), found)
    [head] = headline({"turns": record["turns"], "num_samples": record["num_samples"], "rows": [values]})
    columns = [name.format(t=record["turns"], k=record["num_samples"]) for name in REPORT_COLUMNS]
    return head | {name: _means(values[name]) for name in columns}


def example_rows(store: str | Path, count: int) -> list[tuple[Any, ...]]:
    """Return the turns of the first trajectories of a store as rows with `EXAMPLE_COLUMNS`."""
    return [
        (
            t.problem.id,
            number,
            _printable(t.problem.question),
            t.problem.reference,
            _printable(turn.action.reply),
            turn.action.check.answer and _printable(turn.action.check.answer),
            turn.action.check.verdict.value,
            turn.action.reward,
        )
        for t in islice(read_trajectories(store), count)
        for number, turn in enumerate(t.turns, start=1)
    ]


def flat(line: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a line. Those in mappings and lists get their own keys: "a/b", "a/1", "a/2"."""
    found: dict[str, float] = {}
    for key, value in line.items():
        if isinstance(value, Mapping):
            found |= flat({f"{key}/{name}": part for name, part in value.items()})
        elif isinstance(value, list):
            found |= flat({f"{key}/{number}": part for number, part in enumerate(value, start=1)})
        elif isinstance(value, int | float):
            found[key] = value
    return found


def _means(value: Any) -> Any:
    """Replace every estimate {"mean", "low", "high"} in a value by its mean."""
    if isinstance(value, Mapping):
        if value.keys() == {"mean", "low", "high"}:
            return value["mean"]
        return {key: _means(part) for key, part in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_means(part) for part in value]
    return value


def _printable(text: str) -> str:
    """Replace lone surrogates: a reply may contain them, and UTF-8 cannot encode them."""
    return text.encode("utf-8", "replace").decode()
