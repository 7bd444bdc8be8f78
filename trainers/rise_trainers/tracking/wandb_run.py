"""One W&B run of a `rise run`.

Everything is logged as numbered rows. Row n has the same content whenever the run folder is read, and is
W&B's step n. A continued run reads its folder again and logs the rows that W&B does not have yet. Online
those are the last rows. Offline they are all rows: `wandb sync` of a second file would erase the content of
the first one (W&B's issue 5865), so the new file contains everything and the old one is deleted.

`charts` defines the charts and their x axes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.metrics.report_table import COLUMNS, headline, long_rows
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking import charts, phase_metrics
from rise_trainers.tracking.charts import displayed
from rise_trainers.tracking.names import valid_name
from rise_trainers.tracking.rows import Row, Rows
from rise_trainers.tracking.wandb_artifacts import Artifacts

EXAMPLES = 20
"""Number of trajectories in the example table of each collection and evaluation."""


class WandbRun:
    """Logs the phases of one seed, or the report.

    Args:
        run: W&B's run, from `wandb_start.start`.
        artifacts: Logs its artifacts.
    """

    def __init__(self, run: Any, artifacts: Artifacts) -> None:
        self._run = run
        self._artifacts = artifacts
        self._rows = Rows()
        self._rows_before = int(run.step)  # rows that W&B has from earlier processes of this run
        self._next_row = 0
        self._by_turn: list[tuple[str, int, float]] = []  # policy, turn, accuracy
        self._define()

    def finish(self, *, ok: bool) -> None:
        """End the W&B run."""
        self._run.finish(exit_code=0 if ok else 1)

    def log_phase(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> None:
        """Log the lines of a phase that ended, except those that `log_running` has logged.

        Args:
            phase: The next phase in the order of the run.
            lines: Its lines, from `phase_metrics.phase_lines`.
        """
        rows = self._rows.of_ended(phase, lines)
        self._artifacts.log_phase(phase, known=self._next_row + len(rows) <= self._rows_before)
        if phase.command == "evaluate":
            self._by_turn += phase_metrics.accuracy_rows(phase, lines)
        self._log_rows(phase, rows)

    def log_running(self, phase: Phase) -> None:
        """Log the lines that a running fit has written since the last call."""
        self._log_rows(phase, self._rows.of_running(phase))

    def log_report(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Log the rows, tables and figures of the report.

        Args:
            folder: The run folder.
            report: The content of its report.json.
        """
        for values in phase_metrics.report_lines(report):
            self._log(lambda values=values: values)  # type: ignore[misc]
        if self._next_row >= self._rows_before:
            self._artifacts.log_report(folder)
        self._log(lambda: _report_tables(folder, report))

    def _define(self) -> None:
        """Tell W&B the x axis of the charts of each section."""
        for axis in (charts.ITERATION, charts.GLOBAL_STEP):
            self._run.define_metric(axis, hidden=True)
        for section in charts.SECTIONS:
            for prefix in ("", charts.DETAIL):
                self._run.define_metric(f"{prefix}{section.name}/*", step_metric=section.x_axis)

    def _log_rows(self, phase: Phase, rows: Iterable[Row]) -> None:
        for row in rows:
            self._log(lambda row=row: self._values(phase, row))  # type: ignore[misc]

    def _log(self, values: Callable[[], Mapping[str, Any]]) -> None:
        if self._next_row >= self._rows_before:
            self._run.log(dict(values()), step=self._next_row, commit=True)
        self._next_row += 1

    def _values(self, phase: Phase, row: Row) -> dict[str, Any]:
        import wandb

        shown: dict[str, Any] = dict(row.values)
        for name, histogram in charts.HISTOGRAMS.items():
            if value := row.line.get(histogram.metric):
                shown[displayed(name)] = wandb.Histogram(np_histogram=histogram.bins(value))
        if phase.command != "fit":
            # every phase has a key of its own, because a table replaces an earlier one with the same key
            rows = phase_metrics.example_rows(phase.progress_files[0], EXAMPLES)
            columns = list(phase_metrics.EXAMPLE_COLUMNS)
            examples = displayed(f"examples/{valid_name(phase.name)}")
            shown[examples] = wandb.Table(columns=columns, data=rows)
        if phase.command == "evaluate":
            table = wandb.Table(columns=["policy", "turn", "accuracy"], data=self._by_turn)
            shown[charts.ACCURACY_BY_TURN] = wandb.plot.line(
                table, "turn", "accuracy", stroke="policy", title="accuracy by turn"
            )
        return shown


def _report_tables(folder: Path, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables and figures of a report."""
    import wandb

    heads = headline(report)
    wide = [[row["name"], *head.values()] for row, head in zip(report["rows"], heads, strict=True)]
    pictures = {path.stem: wandb.Image(str(path)) for path in sorted(folder.glob("figures/*.png"))}
    return {
        charts.REPORT_TABLE: wandb.Table(columns=["policy", *heads[0]], data=wide),
        displayed("report/all"): wandb.Table(columns=list(COLUMNS), data=long_rows(report)),
        **{displayed(f"report/{valid_name(name)}"): picture for name, picture in pictures.items()},
    }
