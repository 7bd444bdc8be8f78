"""The rows that W&B and TensorBoard get for the phases of one seed."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rise_trainers.fitting.paths import metrics_path
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking.charts import GLOBAL_STEP, HISTOGRAMS, ITERATION, displayed
from rise_trainers.tracking.names import scalars
from rise_trainers.tracking.phase_metrics import fit_lines

READ_INTERVAL_S = 2.0
"""Seconds between two reads of the metrics of a running fit."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is logged at once."""

    line: Mapping[str, Any]
    """The line of metrics.jsonl without "phase", "iteration" and "seed"."""
    values: dict[str, float]
    """Its numbers by their names in the charts, with the values of both x axes where they are known."""


class Rows:
    """Makes the rows of one seed in the order of the run, each of them once."""

    def __init__(self) -> None:
        self._made = 0  # rows of the current phase that were returned
        self._steps = 0  # optimizer steps of the fits that ended
        self._read_at = 0.0
        self._phase_began: tuple[str, float] = ("", 0.0)

    def of_ended(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> list[Row]:
        """Return the rows of a phase that ended, except those that `of_running` has returned.

        Args:
            phase: The next phase in the order of the run.
            lines: Its lines, from `phase_metrics.phase_lines`.
        """
        rows = self._new(phase, lines)
        self._made = 0
        if phase.command == "fit":
            self._steps += max((line.get("train/step", 0) for line in lines), default=0)
        return rows

    def of_running(self, phase: Phase) -> list[Row]:
        """Return the rows that a running fit has written since the last call."""
        now = time.monotonic()
        if phase.command != "fit" or now - self._read_at < READ_INTERVAL_S:
            return []
        self._read_at = now
        if self._phase_began[0] != phase.name:
            self._phase_began = (phase.name, time.time())
        with contextlib.suppress(OSError):
            path = metrics_path(phase.progress_files[0])
            if path.stat().st_mtime > self._phase_began[1]:  # else it is from an attempt that was killed
                return self._new(phase, fit_lines(path.read_text()))
        return []

    def _new(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> list[Row]:
        new = lines[self._made :]
        self._made += len(new)
        return [self._row(phase, line) for line in new]

    def _row(self, phase: Phase, line: Mapping[str, Any]) -> Row:
        single = {key: value for key, value in line.items() if key not in HISTOGRAMS}
        values = {displayed(name): value for name, value in scalars(single).items()}
        if "train/step" in line:
            values[GLOBAL_STEP] = self._steps + line["train/step"]
        return Row(line, {**values, ITERATION: phase.iteration})
