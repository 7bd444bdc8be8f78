"""Runs phases as processes, one after another, and shows the progress and the time left.

Consecutive evaluations and collections with the same model share one process, which loads the model once; see
`player`. The process ends before a fit begins.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rise_env.errors import PhaseError
from rise_env.utils.file_lock import exclusive
from rise_env.utils.progress_line import duration
from rise_trainers.cluster.world import World, phase_variables, without_world
from rise_trainers.fitting.paths import metrics_path
from rise_trainers.loop.phases import Phase
from rise_trainers.loop.player import Player, agent_of
from rise_trainers.utils import parent_death
from rise_trainers.utils.processes import terminate

OnPoll = Callable[[Phase], None]
POLL_INTERVAL_S = 0.25
"""Seconds between two checks of a running phase."""
LINE_INTERVAL_S = 30.0
"""Seconds between two lines about a running phase, where there is no terminal."""


_SPEED = re.compile(r"[\d,]+ tokens/s")
_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}


class Supervisor:
    """Runs phases, and records in RUN/phases which ones are done; a context manager that shows the progress.

    Args:
        folder: RUN/phases.
        phases: All phases of the run; the time left is estimated from their costs.
        console: Where the progress is shown; by default the standard error stream.
        world: The world of the run, whose other processes take part in the fits; None if there is none.
        variables: Further environment variables of evaluations and collections.
    """

    def __init__(
        self,
        folder: Path,
        phases: Sequence[Phase],
        console: Console | None = None,
        *,
        world: World | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._phases = phases
        self._world = world
        self._variables = dict(variables or {})
        self._open = ExitStack()
        self._player: Player | None = None
        """The process that has played the last phase, with its model still loaded."""
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._total = self._bar.add_task("whole run", total=sum(p.cost for p in phases))

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._open.enter_context(exclusive(self.folder))
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        self._end_player()
        self._open.close()

    def is_done(self, phase: Phase) -> bool:
        """Return whether the phase has already ended without an error."""
        return self._done_file(phase).exists()

    def skip(self, phase: Phase) -> None:
        """Advance the progress bar by a phase that is done."""
        self._bar.advance(self._total, phase.cost)

    def run(self, phase: Phase, on_poll: OnPoll | None = None) -> None:
        """Run one phase and wait until it ends.

        Args:
            phase: A phase that is not done.
            on_poll: Called with the phase every `POLL_INTERVAL_S` seconds while it runs.

        Raises:
            PhaseError: The phase failed. The message has the last line and the path of its log.
        """
        settings_path(self.folder, phase).write_text(yaml.safe_dump(phase.settings, sort_keys=False))
        log = self.folder / f"{phase.name}.log"
        began = time.monotonic()
        task = self._bar.add_task(phase.title, total=1.0)
        if not self._console.is_terminal:
            self._console.print(f"{phase.title} ... (log: {log})", **_PLAIN)
        plays = agent_of(phase.command, phase.settings) is not None
        code = (self._play if plays else self._fit)(phase, log, task, on_poll)
        self._bar.remove_task(task)
        if code:
            raise PhaseError(f"{phase.title} failed: {_last_line(log)} (the whole log: {log})")
        seconds = round(time.monotonic() - began, 1)
        self._done_file(phase).write_text(json.dumps({"seconds": seconds}) + "\n")
        self._console.print(f"{phase.title}: done in {seconds:.0f} s", highlight=False)

    def _fit(self, phase: Phase, log: Path, task: TaskID, on_poll: OnPoll | None) -> int:
        """Run a fit in a process of its own; return its exit code."""
        self._end_player()  # it holds the devices
        with open(log, "ab") as output:
            process = subprocess.Popen(
                command(self.folder, phase),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(self._world),
            )
        try:
            return self._wait(process.poll, phase, task, log, on_poll)
        finally:
            terminate(process)

    def _play(self, phase: Phase, log: Path, task: TaskID, on_poll: OnPoll | None) -> int:
        """Run an evaluation or collection; return its exit code.

        It runs in the process of the phase before, if that has loaded the same agent.
        """
        agent = agent_of(phase.command, phase.settings) or ""
        if self._player is not None and self._player.agent != agent:
            self._end_player()
        if self._player is None:
            self._player = Player(agent, log, environment() | self._variables)
        try:
            self._player.begin(phase.command, settings_path(self.folder, phase), log)
            return self._wait(self._player.poll, phase, task, log, on_poll)
        except BaseException:
            self._player.terminate()
            self._player = None
            raise

    def _end_player(self) -> None:
        if self._player is not None:
            player, self._player = self._player, None
            player.close()

    def _wait(
        self,
        poll: Callable[[], int | None],
        phase: Phase,
        task: TaskID,
        log: Path,
        on_poll: OnPoll | None,
    ) -> int:
        """Show the progress until `poll` returns an exit code; return the code."""
        before = self._bar.tasks[self._total].completed
        began = said = time.monotonic()
        first = progress_of(phase)
        while (code := poll()) is None:
            time.sleep(POLL_INTERVAL_S)
            share = min(1.0, progress_of(phase))
            self._bar.update(task, completed=share)
            self._bar.update(self._total, completed=before + share * phase.cost)
            now = time.monotonic()
            if not self._console.is_terminal and now - said >= LINE_INTERVAL_S:
                said = now
                left = (now - began) * (1 - share) / (share - first) if share > first else None
                self._console.print(_line(phase, share, left, log), **_PLAIN)
            if on_poll is not None:
                on_poll(phase)
        self._bar.update(self._total, completed=before + phase.cost)
        return code

    def _done_file(self, phase: Phase) -> Path:
        return self.folder / f"{phase.name}.done"


def settings_path(folder: Path, phase: Phase) -> Path:
    """Return the path of the settings of a phase; `folder` is RUN/phases."""
    return folder / f"{phase.name}.yaml"


def command(folder: Path, phase: Phase) -> list[str]:
    """Return the command line that runs a phase; `folder` is RUN/phases."""
    start = [sys.executable, "-m", "rise_trainers.utils.parent_death", "rise_env.cli.main", phase.command]
    return [*start, "--config", str(settings_path(folder, phase))]


def progress_of(phase: Phase) -> float:
    """Return the fraction of a phase that is done, from 0 to 1, read from its files."""
    if phase.command == "fit":
        return _fit_progress(Path(phase.progress_files[0]))
    done = sum(max(0, _lines(Path(path)) - 1) for path in phase.progress_files)
    return done / phase.units if phase.units else 0.0


def _line(phase: Phase, share: float, left: float | None, log: Path) -> str:
    """Return a line for a log file: the share of the phase, its speed, the time left and its log."""
    speeds = _SPEED.findall(_last_text(log))
    parts = [
        f"{100 * share:.0f} % done",
        *speeds[-1:],
        *([f"{duration(left)} left"] if left is not None else []),
    ]
    return f"{phase.title}: {', '.join(parts)} (log: {log})"


def _last_text(path: Path) -> str:
    """Return the last 4 KiB of a text file."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _fit_progress(output: Path) -> float:
    last = _last_line(metrics_path(output))
    try:
        line = json.loads(last)
        return float(line.get("step", 0)) / float(line["total"])
    except (ValueError, KeyError, ZeroDivisionError):
        return 0.0


def _lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def environment(world: World | None = None) -> dict[str, str]:
    """Return the environment variables of a phase: by default one thread per core and no hub telemetry.

    Args:
        world: The world whose processes take part in the phase; None if this process runs it alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    defaults = {
        "OMP_NUM_THREADS": str(cores),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    inherited = without_world(os.environ) | phase_variables(world)
    return {**defaults, **inherited, parent_death.PARENT_PID_VARIABLE: str(os.getpid())}
