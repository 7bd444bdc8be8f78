"""A process that plays evaluations and collections one after another, and loads their model once.

    python -m rise_trainers.loop.player RESULTS

reads jobs from its standard input, one JSON line each: {"command", "settings", "log"}. After each job it
writes the exit code of the command as a line to the file descriptor RESULTS. It ends with its input.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rise_trainers.utils.processes import terminate

_CLOSE_TIMEOUT_S = 60.0
"""Seconds that the process may take to free the model."""


class Player:
    """The process, seen from the one that starts it.

    Args:
        agent: What all jobs have in common; see `agent_of`.
        log: File for what the process prints before its first job.
        environment: Its environment variables.
    """

    def __init__(self, agent: str, log: Path, environment: Mapping[str, str]) -> None:
        self.agent = agent
        self._results, results = os.pipe()
        os.set_blocking(self._results, False)
        module = ["-m", "rise_trainers.utils.parent_death", "rise_trainers.loop.player", str(results)]
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, *module],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[results],
            )
        os.close(results)

    def begin(self, command: str, settings: Path, log: Path) -> None:
        """Begin a job; the one before must have ended.

        Args:
            command: The command of `rise`.
            settings: The settings of the command, which gets them as a --config file.
            log: File to which what the command prints is appended.
        """
        job = {"command": command, "settings": str(settings), "log": str(log.resolve())}
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the process has ended, which `poll` finds
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()

    def poll(self) -> int | None:
        """Return the exit code of the job, or None while it runs."""
        try:
            if found := os.read(self._results, 64):
                return int(found)
        except BlockingIOError:
            # a process that it had started may hold the pipe open after its end
            if self._process.poll() is None:
                return None
        return self._process.wait() or 1

    def close(self) -> None:
        """End the process after its job, and wait until it has freed the model."""
        self._close_pipes()
        try:
            self._process.wait(_CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            terminate(self._process)

    def terminate(self) -> None:
        """End the process at once."""
        terminate(self._process)
        self._close_pipes()

    def _close_pipes(self) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        os.close(self._results)


def agent_of(command: str, settings: Mapping[str, Any]) -> str | None:
    """Return a text that is equal for phases that play with the same loaded agent; None for other commands.

    Args:
        command: The command of a phase.
        settings: Its settings.
    """
    if command not in ("evaluate", "collect"):
        return None
    agents = settings["agent"] if command == "evaluate" else [settings["agent"]]
    return json.dumps([agents, settings["agent_settings"]], sort_keys=True)


def main(results: int) -> None:
    """Run the jobs; see the docstring of this module."""
    from rise_agents.kept_agents import keep_agents
    from rise_env.cli import log_filters
    from rise_env.cli.main import main as run_command

    log_filters.quiet()
    sys.path.append(str(Path.cwd()))  # for module:factory in the user's folder, as in `rise`
    jobs = os.fdopen(os.dup(0))
    with open(os.devnull, "rb") as nothing:  # commands must not read the jobs
        os.dup2(nothing.fileno(), 0)
    with keep_agents():
        for line in jobs:
            job = json.loads(line)
            with open(job["log"], "ab") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            code = run_command([job["command"], "--config", job["settings"]])
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(results, f"{code}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
