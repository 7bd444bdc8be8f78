"""The W&B run of a `rise run`.

Everything is logged as numbered rows. Row n has the same content whenever the run folder is read, and is
W&B's step n. A continued run reads its folder again and logs the rows that W&B does not have yet. Online
those are the last rows. Offline they are all rows: `wandb sync` of a second file would erase the content of
the first one (W&B's issue 5865), so the new file contains everything and the old one is deleted.

`charts` defines the charts and their x axes. With several seeds, the keys of each seed start with "seed-S/".
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError
from rise_env.metrics.report_table import COLUMNS, headline, long_rows
from rise_env.utils.extras import missing_library
from rise_trainers.fitting.paths import metrics_path
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking import charts, phase_metrics
from rise_trainers.tracking.wandb_artifacts import Artifacts

ID = "wandb-id"
"""File in the run folder with the id of the W&B run."""
EXAMPLES = 20
"""Number of trajectories in the example table of each collection and evaluation."""
READ_INTERVAL_S = 2.0
"""Seconds between two reads of the metrics of a running fit."""


class WandbRun:
    """Logs a run to W&B.

    Args:
        folder: The run folder; W&B writes its files to the subfolder wandb/.
        settings: The settings of the run, for W&B's config.

    Raises:
        MissingDependencyError: W&B is not installed.
        ConfigError: W&B does not start, because nobody is logged in or there is no network.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._run = _start(folder, settings)
        self._rows_before = int(self._run.step)  # rows that W&B has from earlier processes of this run
        self._next_row = 0
        self._rows_of_phase = 0  # rows of the current phase that are logged
        self._updates: dict[str, int] = {}  # key prefix -> optimizer steps of the fits that ended
        self._read_at = 0.0
        self._phase_began: tuple[str, float] = ("", 0.0)
        self._prefixes = len(settings.get("seeds", ())) > 1
        upload = os.environ.get("WANDB_LOG_MODEL", "false").lower() in ("true", "1", "end", "checkpoint")
        self._artifacts = Artifacts(self._run, upload_models=upload)
        self._define([f"seed-{seed}/" for seed in settings["seeds"]] if self._prefixes else [""])

    def finish(self, *, ok: bool) -> None:
        """End the W&B run."""
        self._run.finish(exit_code=0 if ok else 1)

    def log_phase(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> None:
        """Log the lines of a phase that ended, except those that `log_running` has logged.

        Args:
            phase: The next phase in the order of the run.
            lines: Its lines, from `phase_metrics.phase_lines`.
        """
        last = self._next_row - self._rows_of_phase + len(lines) - 1
        self._artifacts.log_phase(phase, known=last < self._rows_before)
        self._log_lines(phase, lines)
        self._rows_of_phase = 0
        if phase.command == "fit":
            prefix = self._prefix(phase)
            steps = max((line.get("train/step", 0) for line in lines), default=0)
            self._updates[prefix] = self._updates.get(prefix, 0) + steps

    def log_running(self, phase: Phase) -> None:
        """Log the lines that a running fit has written since the last call."""
        now = time.monotonic()
        if phase.command != "fit" or now - self._read_at < READ_INTERVAL_S:
            return
        self._read_at = now
        if self._phase_began[0] != phase.name:
            self._phase_began = (phase.name, time.time())
        with contextlib.suppress(OSError):
            path = metrics_path(phase.progress_files[0])
            if path.stat().st_mtime > self._phase_began[1]:  # else it is from an attempt that was killed
                self._log_lines(phase, phase_metrics.fit_lines(path.read_text()))

    def log_report(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Log the rows, tables and figures of the report.

        Args:
            folder: The run folder.
            report: The content of its report.json.
        """
        import wandb

        heads = headline(report)
        for values, head in zip(report["rows"], heads, strict=True):
            iteration = _iteration(str(values["name"]))
            if iteration is not None:
                shown = {f"report/{key}": value for key, value in head.items() if value is not None}
                self._log(lambda shown=shown, at=iteration: {**shown, "iteration": at})  # type: ignore[misc]

        def tables() -> dict[str, Any]:
            names = [str(values["name"]) for values in report["rows"]]
            wide = [[name, *head.values()] for name, head in zip(names, heads, strict=True)]
            pictures = {path.stem: wandb.Image(str(path)) for path in sorted(folder.glob("figures/*.png"))}
            return {
                "report/table": wandb.Table(columns=["policy", *heads[0]], data=wide),
                "report/all": wandb.Table(columns=list(COLUMNS), data=long_rows(report)),
                **{f"report/{name}": picture for name, picture in pictures.items()},
            }

        if self._next_row >= self._rows_before:
            self._artifacts.log_report(folder)
        self._log(tables)

    def _define(self, prefixes: Sequence[str]) -> None:
        """Tell W&B the x axis of the charts of each section."""
        self._run.define_metric("iteration")
        for prefix in prefixes:
            self._run.define_metric(f"{prefix}train/update")
        for section in charts.SECTIONS:
            for prefix in prefixes if section.per_seed else [""]:
                x_axis = section.x_axis if section.x_axis == "iteration" else prefix + section.x_axis
                self._run.define_metric(f"{prefix}{section.name}/*", step_metric=x_axis)

    def _log_lines(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> None:
        for line in lines[self._rows_of_phase :]:
            self._log(lambda line=line: self._values(phase, line))  # type: ignore[misc]
            self._rows_of_phase += 1

    def _log(self, values: Callable[[], Mapping[str, Any]]) -> None:
        if self._next_row >= self._rows_before:
            self._run.log(dict(values()), step=self._next_row, commit=True)
        self._next_row += 1

    def _values(self, phase: Phase, line: Mapping[str, Any]) -> dict[str, Any]:
        import wandb

        prefix = self._prefix(phase)
        shown: dict[str, Any] = phase_metrics.flat(
            {key: value for key, value in line.items() if key not in charts.HISTOGRAMS}
        )
        for key, histogram in charts.HISTOGRAMS.items():
            if value := line.get(histogram.metric):
                shown[key] = wandb.Histogram(np_histogram=histogram.bins(value))
        if "train/step" in line:
            shown["train/update"] = self._updates.get(prefix, 0) + line["train/step"]
        shown = {prefix + key: value for key, value in shown.items()}
        if phase.command != "fit":
            # every phase has a key of its own, because a table replaces an earlier one with the same key
            rows = phase_metrics.example_rows(phase.progress_files[0], EXAMPLES)
            columns = list(phase_metrics.EXAMPLE_COLUMNS)
            shown[f"examples/{phase.name}"] = wandb.Table(columns=columns, data=rows)
        return {**shown, "iteration": phase.iteration}

    def _prefix(self, phase: Phase) -> str:
        return f"seed-{phase.seed}/" if self._prefixes else ""


def start(folder: Path, settings: Mapping[str, Any]) -> WandbRun | None:
    """Return the W&B run of a run folder, or None where WANDB_MODE is "disabled"."""
    run = WandbRun(folder, settings)
    return None if run._run.disabled else run


def _start(folder: Path, settings: Mapping[str, Any]) -> Any:
    try:
        import wandb
    except ImportError as error:
        raise missing_library("wandb", "track") from error
    own = wandb.setup().settings  # from W&B's environment variables and files
    kept = folder / ID
    name = kept.read_text().strip() if kept.exists() else own.run_id or secrets.token_hex(4)
    try:
        run = wandb.init(
            id=name,
            resume="allow",
            dir=str(folder),
            project=own.project or "rise",
            name=own.run_name or folder.name,
        )
    except wandb.errors.Error as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"W&B does not start ({reason}): run `wandb login`, or set WANDB_MODE=offline to log into "
            f"{folder}/wandb"
        ) from error
    if not run.disabled:
        kept.write_text(name + "\n")
        run.config.update(dict(settings), allow_val_change=True)
        for old in folder.glob(f"wandb/offline-run-*-{name}"):
            if old.resolve() != Path(run.settings.sync_dir).resolve():
                shutil.rmtree(old)
    return run


def _iteration(row: str) -> int | None:
    """Return the iteration of a row of the report: 0 for the base, None for a row of another stage."""
    number = "0" if row == "base" else row.removeprefix("iteration ")
    return int(number) if number.isdigit() else None
