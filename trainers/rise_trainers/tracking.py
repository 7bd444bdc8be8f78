"""What a run logs: JSON lines always, W&B when asked.

RUN/metrics.jsonl gets one line per optimizer step, per collection and per evaluation, each with the phase
it came from. With W&B the same numbers go to one run with the iterations as steps; its id is kept in the
run folder, so that a continued run stays one run.
"""

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from rise_env.errors import MissingDependencyError
from rise_env.store import read_trajectories
from rise_env.types import Trajectory
from rise_trainers.fit import metrics_path
from rise_trainers.phases import Phase

METRICS = "metrics.jsonl"
EXAMPLE_COLUMNS = ("problem", "turn", "question", "reply", "answer", "verdict", "reward")
EXAMPLES = 20
"""Trajectories shown in a W&B table per iteration."""


class Tracker:
    """Logs a run; a context manager.

    Args:
        folder: The run folder.
        kind: "none" or "wandb".
        settings: Of the run, for W&B's config.

    Raises:
        MissingDependencyError: W&B is asked for and not installed.
    """

    def __init__(self, folder: Path, kind: Literal["none", "wandb"], settings: Mapping[str, Any]) -> None:
        self.path = folder / METRICS
        self._wandb: Any = _start_wandb(folder, settings) if kind == "wandb" else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wandb is not None:
            self._wandb.finish(exit_code=0 if error is None else 1)

    def keep(self, phases: Sequence[str]) -> None:
        """Drop the lines of phases that did not end: they will be logged again."""
        if self.path.exists():
            lines = [line for line in self.path.read_text().splitlines() if line.endswith("}")]
            kept = [line for line in lines if json.loads(line)["phase"] in phases]
            new = self.path.with_suffix(".new")
            new.write_text("".join(line + "\n" for line in kept))
            new.replace(self.path)

    def log_phase(self, phase: Phase) -> None:
        """Log what a phase that just ended did."""
        if phase.command == "fit":
            self._log(phase, list(_fit_lines(Path(phase.watch[0]))))
            return
        played = list(read_trajectories(phase.watch[0]))
        group = "collect" if phase.command == "collect" else "eval"
        self._log(phase, [{f"{group}/{key}": value for key, value in statistics(played).items()}])
        if self._wandb is not None:
            import wandb

            table = wandb.Table(
                columns=["problem", "turn", "question", "reply", "answer", "verdict", "reward"]
            )
            for line in example_rows(played[:EXAMPLES]):
                table.add_data(*line)
            # one key per iteration: a table logged twice under one key keeps only its last state
            self._wandb.log({f"{group}_examples/{phase.name}": table, "iteration": phase.iteration})

    def log_report(self, folder: Path) -> None:
        """Log the rows of the report, and its figure."""
        if self._wandb is None:
            return
        import wandb

        report = json.loads((folder / "report.json").read_text())
        figures = ("m1@t1", f"m{report['samples']}@t1", f"m1@t{report['turns']}", f"p1@t{report['turns']}")
        table = wandb.Table(columns=["row", "figure", "mean", "low", "high"])
        for iteration, row in enumerate(report["rows"]):
            values = {name: row[name] for name in figures}
            values |= {f"acc@t{t}": v for t, v in enumerate(row["accuracy_by_turn"], start=1)}
            for name, value in values.items():
                table.add_data(row["name"], name, value["mean"], value["low"], value["high"])
            means = {f"report/{name}": value["mean"] for name, value in values.items()}
            self._wandb.log({**means, "iteration": iteration})
        image = wandb.Image(str(folder / "accuracy_by_turn.png"))
        self._wandb.log({"report/table": table, "report/accuracy_by_turn": image})

    def _log(self, phase: Phase, lines: Iterable[Mapping[str, Any]]) -> None:
        common = {"phase": phase.name, "iteration": phase.iteration, "seed": phase.seed}
        with open(self.path, "a") as file:
            for line in lines:
                file.write(json.dumps({**common, **line}) + "\n")
                if self._wandb is not None:
                    self._wandb.log({**_for_wandb(line), "iteration": phase.iteration, "seed": phase.seed})


def statistics(played: Sequence[Trajectory]) -> dict[str, Any]:
    """Return what a log of trajectories says of itself: rewards, verdicts, accuracy by turn, tokens."""
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
        "accuracy_by_turn": [round(sum(r) / len(r), 6) if r else None for r in reached],
    }


def example_rows(played: Sequence[Trajectory]) -> list[tuple[Any, ...]]:
    """Return the turns of some trajectories as rows of a table."""
    return [
        (
            t.problem.id,
            number,
            t.problem.question,
            turn.action.reply,
            turn.action.check.answer,
            turn.action.check.verdict.value,
            turn.action.reward,
        )
        for t in played
        for number, turn in enumerate(t.turns, start=1)
    ]


def _fit_lines(model: Path) -> Iterable[dict[str, Any]]:
    for text in metrics_path(model).read_text().splitlines():
        line = json.loads(text)
        kind = line.pop("kind")
        yield {f"{'data' if kind == 'data' else 'train'}/{key}": value for key, value in line.items()}


def _for_wandb(line: Mapping[str, Any]) -> dict[str, Any]:
    """Spread mappings and lists over keys, as W&B plots them."""
    flat: dict[str, Any] = {}
    for key, value in line.items():
        if isinstance(value, Mapping):
            flat |= _for_wandb({f"{key}/{name}": part for name, part in value.items()})
        elif isinstance(value, list):
            flat |= _for_wandb({f"{key}/{number}": part for number, part in enumerate(value, start=1)})
        elif isinstance(value, int | float | str):
            flat[key] = value
    return flat


def _start_wandb(folder: Path, settings: Mapping[str, Any]) -> Any:
    try:
        import wandb
    except ImportError as error:
        raise MissingDependencyError("W&B is not installed: pip install 'rise-env[wandb]'") from error
    kept = folder / "wandb-id"
    if not kept.exists():
        kept.write_text(secrets.token_hex(4))
    run = wandb.init(id=kept.read_text().strip(), resume="allow", dir=str(folder), config=dict(settings))
    run.define_metric("iteration")
    for group in ("collect", "eval", "report"):
        run.define_metric(f"{group}/*", step_metric="iteration")
    return run
