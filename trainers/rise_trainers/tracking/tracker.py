"""Logs the metrics of a run as JSON lines, and to W&B or TensorBoard if the settings ask for it.

RUN/metrics.jsonl gets one line per optimizer step, per collection and per evaluation, each with the name of
its phase; see `phase_metrics`. W&B gets the same metrics, tables and artifacts; see `wandb_run`. TensorBoard
gets the same metrics; see `tensorboard_runs`. All of it is computed from the files of the phases in the run
folder, so that every line is logged exactly once, even if the run was killed and continued.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from rise_env.utils.versions import installed
from rise_trainers.fitting.config import to_json as fit_to_json
from rise_trainers.loop.config import SET_BY_LOOP, RunConfig, fit_config, to_json
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking.phase_metrics import phase_lines
from rise_trainers.tracking.tensorboard_runs import TensorBoardRuns
from rise_trainers.tracking.wandb_runs import WandbRuns

METRICS = "metrics.jsonl"


class Charts(Protocol):
    """Draws the metrics of a run."""

    def log_running(self, phase: Phase) -> None:
        """Log the lines that a running fit has written since the last call."""

    def log_phase(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> None:
        """Log the lines of the next phase that ended, except those that `log_running` has logged."""

    def log_report(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Log the report of the run in `folder`."""

    def finish(self, *, ok: bool) -> None:
        """End what is open; `ok` says whether the run succeeded."""


CHARTS: Mapping[str, Callable[[Path, Mapping[str, Any]], Charts]] = {
    "wandb": WandbRuns,
    "tensorboard": TensorBoardRuns,
}
"""Value of the setting `track` -> what draws the metrics, from the run folder and the tracked settings."""


class Tracker:
    """Logs a run; a context manager.

    Args:
        folder: The run folder.
        kind: Where to log in addition to metrics.jsonl.
        settings: The settings of the run, to show beside the charts; see `tracked_settings`.

    Raises:
        MissingDependencyError: W&B or TensorBoard is asked for and not installed.
        ConfigError: W&B does not start.
    """

    def __init__(
        self, folder: Path, kind: Literal["none", "wandb", "tensorboard"], settings: Mapping[str, Any]
    ) -> None:
        self.path = folder / METRICS
        self._charts = None if kind == "none" else CHARTS[kind](folder, settings)
        self._logged: dict[str, list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._charts is not None:
            self._charts.finish(ok=error is None)

    def drop_unfinished(self, done: Sequence[str]) -> None:
        """Remove the lines of phases that did not end from metrics.jsonl; they will be logged again.

        Args:
            done: The names of the phases that ended.
        """
        if not self.path.exists():
            return
        lines = [line for line in self.path.read_text().splitlines() if line.endswith("}")]
        kept: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in map(json.loads, lines):
            if line["phase"] in done:
                kept[line["phase"]].append(line)
        new = self.path.with_suffix(".new")
        new.write_text("".join(json.dumps(line) + "\n" for part in kept.values() for line in part))
        new.replace(self.path)
        self._logged = dict(kept)

    def log_running(self, phase: Phase) -> None:
        """Draw the metrics that a running fit has written so far."""
        if self._charts is not None:
            self._charts.log_running(phase)

    def log_phase(self, phase: Phase) -> None:
        """Log a phase that has ended, in this process or in an earlier one.

        Call it for every phase, in the order of the run.
        """
        lines = self._logged.get(phase.name)
        if lines is None:
            common = {"phase": phase.name, "iteration": phase.iteration, "seed": phase.seed}
            lines = [{**common, **line} for line in phase_lines(phase)]
            _append(self.path, "".join(json.dumps(line) + "\n" for line in lines).encode())
        if self._charts is not None:
            common_keys = ("phase", "iteration", "seed")
            self._charts.log_phase(
                phase, [{key: v for key, v in line.items() if key not in common_keys} for line in lines]
            )

    def log_report(self, folder: Path) -> None:
        """Draw the report of the run in `folder`."""
        if self._charts is not None:
            self._charts.log_report(folder, json.loads((folder / "report.json").read_text()))


def _append(path: Path, data: bytes) -> None:
    """Append all of the data, or nothing if the disk is full.

    A phase with only some of its lines would count as logged.
    """
    with open(path, "ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
        except OSError:
            file.truncate(size)
            raise


def tracked_settings(config: RunConfig) -> dict[str, Any]:
    """Return the settings of a run, those of its fits with all defaults, and the versions of libraries."""
    fit = fit_to_json(fit_config(config, data=("store",), model="model", output="output", seed=0))
    kept = {name: value for name, value in fit.items() if name not in SET_BY_LOOP}
    return {**to_json(config), "fit": kept, "versions": installed()}
