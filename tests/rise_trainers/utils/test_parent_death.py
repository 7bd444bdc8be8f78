import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from rise_trainers.cluster.environment import rank_environment
from rise_trainers.loop import supervisor
from rise_trainers.utils.parent_death import PARENT_PID_VARIABLE
from tests.rise_trainers import small_models


def run(parent: int) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "rise_trainers.utils.parent_death", "platform"]
    environment = {**os.environ, PARENT_PID_VARIABLE: str(parent)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_process_whose_parent_ended_while_it_started_does_nothing() -> None:
    done = run(parent=psutil.Process(os.getpid()).ppid())
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == ""


def test_a_process_whose_parent_lives_runs() -> None:
    assert run(parent=os.getpid()).returncode == 0


def test_phases_and_ranks_are_told_who_started_them(tmp_path: Path) -> None:
    assert supervisor.environment()[PARENT_PID_VARIABLE] == str(os.getpid())
    assert rank_environment(small_models.fit_config(tmp_path))[PARENT_PID_VARIABLE] == str(os.getpid())
