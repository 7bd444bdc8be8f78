import signal
import subprocess
import sys

from rise_trainers.utils.processes import terminate

DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
"""A program that ignores SIGTERM and writes a line as soon as it does."""


def start(code: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as output:
        output.readline()
    return process


def test_a_process_gets_the_signal_that_it_can_handle() -> None:
    process = start("import time; print(flush=True); time.sleep(600)")
    terminate(process)
    assert process.returncode == -signal.SIGTERM


def test_a_process_that_ignores_the_signal_is_killed() -> None:
    process = start(DEAF)
    terminate(process, timeout_s=0.05)
    assert process.returncode == -signal.SIGKILL


def test_a_process_that_has_ended_keeps_its_exit_code() -> None:
    process = start("print(flush=True); raise SystemExit(3)")
    process.wait()
    terminate(process)
    assert process.returncode == 3
