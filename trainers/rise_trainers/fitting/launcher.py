"""Runs the DeepSpeed launcher as a process, and reads the metrics that its ranks write."""

import base64
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import rise_env.errors
from rise_env.errors import RiseError, TrainingError
from rise_env.utils.extras import missing_library
from rise_trainers.cluster.devices import rank_devices
from rise_trainers.cluster.environment import free_port, rank_environment
from rise_trainers.cluster.hostfile import host_arguments
from rise_trainers.cluster.leader import WorldRanks
from rise_trainers.cluster.passed_on import delete_environment, write_environment
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.paths import METRICS, SETTINGS
from rise_trainers.utils.failures import DISK_FULL, reason_in_log
from rise_trainers.utils.processes import terminate

ERROR = "error.json"
"""File that a rank writes when its input is wrong: the class and the message of the error."""
LOG = "fit.log"
"""File with everything that the launcher and the ranks print."""
_FULL_DISK = 1 << 20
"""Free bytes below which a disk counts as full."""


def command(config: FitConfig, partial: Path) -> list[str]:
    """Return the launch command of a fit.

    On one machine this is DeepSpeed's node launcher, which ends its ranks when it is terminated. On several
    machines it is DeepSpeed's runner, which connects to the machines of the hostfile by ssh; the partial
    folder must then be on a disk that all machines share.
    """
    work = ["--module", "--no_local_rank", "rise_trainers.fitting.rank", str(partial.resolve() / SETTINGS)]
    port = f"--master_port={config.master_port or free_port()}"
    start = [sys.executable, "-m", "rise_trainers.utils.parent_death"]
    if config.hostfile is not None:
        hosts = host_arguments(config, config.hostfile, os.environ)
        return [*start, "deepspeed.launcher.runner", *hosts, port, *work]
    devices = {"localhost": rank_devices(config, os.environ)}
    world = base64.urlsafe_b64encode(json.dumps(devices).encode()).decode()
    here = [f"--world_info={world}", "--master_addr=127.0.0.1", port]
    return [*start, "deepspeed.launcher.launch", *here, *work]


def run_launcher(
    config: FitConfig,
    partial: Path,
    rendezvous: Rendezvous | None = None,
    *,
    progress: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Run the ranks and wait until they end.

    Args:
        config: The settings of the fit.
        partial: The partial folder, which must hold the settings file.
        rendezvous: Where the processes of the world meet that run the ranks; None starts DeepSpeed's
            launcher.
        progress: Called with each line of the metrics.

    Raises:
        RiseError: A rank found its input wrong; the error is of the class that the rank raised.
        TrainingError: The ranks failed for another reason.
    """
    if importlib.util.find_spec("deepspeed") is None:
        raise missing_library("deepspeed", "rise fit")
    (partial / ERROR).unlink(missing_ok=True)
    reader = _NewLines(partial / METRICS)
    with open(partial / LOG, "ab") as log:
        began = log.tell()
        ranks: _DeepSpeedRanks | WorldRanks
        if rendezvous is None:
            ranks = _DeepSpeedRanks(config, partial, log)
        else:
            ranks = WorldRanks(rendezvous, config, partial.resolve() / SETTINGS, log)
        try:
            while (code := ranks.poll()) is None:
                _report(progress, reader)
                time.sleep(0.1)
        finally:
            ranks.end()
    _report(progress, reader)
    if code:
        raise _failure(partial, code, began, ranks.failure)


class _DeepSpeedRanks:
    """The ranks of a fit that DeepSpeed's launcher starts."""

    failure: str | None = None

    def __init__(self, config: FitConfig, partial: Path, log: BinaryIO) -> None:
        self._partial = partial
        variables = rank_environment(config)
        if config.hostfile is not None:
            write_environment(partial, variables)
        self._process = subprocess.Popen(
            command(config, partial), stdout=log, stderr=subprocess.STDOUT, env=variables
        )

    def poll(self) -> int | None:
        return self._process.poll()

    def end(self) -> None:
        terminate(self._process)
        delete_environment(self._partial)


def _report(progress: Callable[[dict[str, Any]], None] | None, reader: "_NewLines") -> None:
    for line in reader.read():
        if progress is not None:
            progress(line)


def _failure(partial: Path, code: int, began: int, reason: str | None) -> RiseError:
    """Return the error to raise for a fit that failed: of rank 0, or with the reason in the log.

    Args:
        partial: The partial folder.
        code: Exit code of the launcher.
        began: Length of the log when the fit began.
        reason: The reason that another process gave.
    """
    try:
        found = json.loads((partial / ERROR).read_text())
        kind = getattr(rise_env.errors, found["kind"], TrainingError)
        error = kind(found["message"])
        if isinstance(error, RiseError):
            return error
    except (OSError, ValueError, KeyError):
        pass
    log = partial / LOG
    reason = reason or reason_in_log(log.read_bytes()[began:].decode(errors="replace"))
    if shutil.disk_usage(partial).free < _FULL_DISK:
        reason = DISK_FULL.format(why=f"of {partial}")
    if not reason:
        return TrainingError(f"the fit failed with exit code {code}; the reason is at the end of {log}")
    return TrainingError(f"the fit failed: {reason} (the whole log: {log})")


class _NewLines:
    """Reads the JSON lines that are appended to a file; it may be missing, or replaced by a shorter one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def read(self) -> list[dict[str, Any]]:
        """Return the complete lines since the last call."""
        try:
            with open(self._path, "rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:
                    self._offset = 0
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [json.loads(line) for line in complete.splitlines()]
