"""The W&B runs of a `rise run`: one per seed, in a group, and one for a report over several seeds."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_trainers.loop.phases import Phase
from rise_trainers.tracking.wandb_artifacts import Artifacts
from rise_trainers.tracking.wandb_run import WandbRun
from rise_trainers.tracking.wandb_start import start


class WandbRuns:
    """Logs each seed to its own W&B run; one of them is open at a time.

    The phases of a seed follow each other, so that the W&B run of a seed ends where the next seed begins.

    Args:
        folder: The run folder.
        settings: See `tracker.tracked_settings`.

    Raises:
        MissingDependencyError: W&B is not installed.
        ConfigError: W&B does not start.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self._settings = settings
        self._artifacts: dict[str, str] = {}  # path or hub id -> name of its artifact, over all runs
        self._seed: int | None = settings["seeds"][0]
        self._run = self._start(self._seed, first=True)

    def log_running(self, phase: Phase) -> None:
        """Log the lines that a running fit has written since the last call."""
        if run := self._of(phase.seed):
            run.log_running(phase)

    def log_phase(self, phase: Phase, lines: Sequence[Mapping[str, Any]]) -> None:
        """Log the lines of a phase that ended, except those that `log_running` has logged."""
        if run := self._of(phase.seed):
            run.log_phase(phase, lines)

    def log_report(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Log the report: to the W&B run of the seed, or to one of its own if there are several seeds."""
        if run := self._of(None if len(self._settings["seeds"]) > 1 else self._seed):
            run.log_report(folder, report)

    def finish(self, *, ok: bool) -> None:
        """End the W&B run that is open."""
        if self._run is not None:
            self._run.finish(ok=ok)

    def _of(self, seed: int | None) -> WandbRun | None:
        """Return the W&B run of a seed, or of the report; None where WANDB_MODE is "disabled"."""
        if self._run is not None and seed != self._seed:
            self._run.finish(ok=True)
            self._seed = seed
            self._run = self._start(seed, first=False)
        return self._run

    def _start(self, seed: int | None, *, first: bool) -> WandbRun | None:
        run = start(self._folder, self._settings, seed=seed, first=first)
        if run.disabled:
            return None
        upload = os.environ.get("WANDB_LOG_MODEL", "false").lower() in ("true", "1", "end", "checkpoint")
        return WandbRun(run, Artifacts(run, known=self._artifacts, upload_models=upload))
