"""The TensorBoard runs of a `rise run`: one folder of events per seed, with the names of `charts`."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.utils.extras import missing_library
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking import charts, phase_metrics
from rise_trainers.tracking.rows import Row, Rows

FOLDER = "tensorboard"
"""Folder in the run folder with the events."""


class TensorBoardRuns:
    """Logs each seed to its own TensorBoard run, RUN/tensorboard/seed-S, and the report to another one.

    A continued run removes the events of earlier processes and writes all of them again.

    Args:
        folder: The run folder.
        settings: See `tracker.tracked_settings`; they become a text.

    Raises:
        MissingDependencyError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise missing_library("tensorboard", "track") from error
        self._writer = SummaryWriter
        self._folder = folder / FOLDER
        self._settings = settings
        self._seeds: dict[int, tuple[Any, Rows]] = {}
        shutil.rmtree(self._folder, ignore_errors=True)

    def log_running(self, phase: Phase) -> None:
        """Log the lines that a running fit has written since the last call."""
        writer, rows = self._of(phase.seed)
        _log_rows(writer, rows.of_running(phase))

    def log_phase(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> None:
        """Log the lines of a phase that ended, except those that `log_running` has logged."""
        writer, rows = self._of(phase.seed)
        _log_rows(writer, rows.of_ended(phase, lines))

    def log_report(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Log the rows and the table of the report."""
        with self._writer(str(self._folder / "report")) as writer:
            _log_rows(writer, [Row({}, values) for values in phase_metrics.report_lines(report)])
            writer.add_text(charts.REPORT_TABLE, (folder / "report.md").read_text())

    def finish(self, *, ok: bool) -> None:
        """Close the files."""
        for writer, _ in self._seeds.values():
            writer.close()

    def _of(self, seed: int) -> tuple[Any, Rows]:
        if seed not in self._seeds:
            writer = self._writer(str(self._folder / f"seed-{seed}"))
            settings = json.dumps({**self._settings, "seed": seed}, indent=2)
            writer.add_text("config", "\n".join(f"    {line}" for line in settings.splitlines()))
            lines = {"accuracy by turn": ["Multiline", [rf"{charts.DETAIL}eval/acc_t\d+"]]}
            writer.add_custom_scalars({"eval": lines})
            self._seeds[seed] = (writer, Rows())
        return self._seeds[seed]


def _log_rows(writer: Any, rows: Iterable[Row]) -> None:
    """Log every number against its x axis."""
    axes = {section.name: section.x_axis for section in charts.SECTIONS}
    for row in rows:
        for name, value in row.values.items():
            section = name.removeprefix(charts.DETAIL).partition("/")[0]
            if section in axes and name != charts.GLOBAL_STEP:
                step = row.values.get(axes[section], row.values[charts.ITERATION])
                writer.add_scalar(name, value, global_step=int(step))
    writer.flush()
