"""The metrics of one phase of a run, computed from the files that the phase wrote."""

import json
import re
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
from rise_trainers.tracking.charts import ITERATION, REPORT_COLUMNS, displayed
from rise_trainers.tracking.names import scalars

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

    `acc@tN` is the accuracy at turn N among the episodes that reached it. Every number is a chart in W&B and
    TensorBoard.
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
        "reward_mean": round(sum(a.reward for a in attempts) / len(attempts), 6) if attempts else None,
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


def accuracy_rows(phase: Phase, lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, float]]:
    """Return the accuracy at each turn of an evaluation as rows (policy, turn, accuracy).

    Args:
        phase: An evaluation.
        lines: Its lines, from `phase_lines`.
    """
    [policy] = phase.settings["label"]
    key = re.compile(r"eval/acc@t(\d+)")
    found = [(key.fullmatch(name), value) for line in lines for name, value in line.items()]
    return [(policy, int(match[1]), value) for match, value in found if match and value is not None]


def report_lines(report: Mapping[str, Any]) -> list[dict[str, float]]:
    """Return the numbers of the rows of a report that belong to an iteration, by their names in the charts.

    Args:
        report: The content of report.json.
    """
    lines = []
    for policy, head in zip(report["rows"], headline(report), strict=True):
        iteration = _iteration(str(policy["name"]))
        if iteration is not None:
            values = scalars({f"report/{key}": value for key, value in head.items()})
            lines.append({**{displayed(name): value for name, value in values.items()}, ITERATION: iteration})
    return lines


def _iteration(row: str) -> int | None:
    """Return the iteration of a row of the report: 0 for the base, None for a row of another stage."""
    number = "0" if row == "base" else row.removeprefix("iteration ")
    return int(number) if number.isdigit() else None


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
