"""Runs a module in this process, and asks Linux to end the process when its parent process ends.

    python -m rise_trainers.utils.parent_death MODULE ARGS...

Linux does this for a process that calls prctl with PR_SET_PDEATHSIG. Without this call, a fit would continue
after its parent was killed, and the same command would start a second fit in the same folder.
"""

import contextlib
import ctypes
import os
import runpy
import signal
import sys

PARENT_PID_VARIABLE = "RISE_PARENT_PID"
"""Environment variable with the process id of the parent; `os.getppid` differs if the parent has ended."""
_PR_SET_PDEATHSIG = 1


def die_with_parent(with_signal: signal.Signals = signal.SIGTERM, parent: int | None = None) -> None:
    """Ask the kernel to send `with_signal` to this process when its parent ends.

    If the parent has ended already, the signal is sent at once. Outside Linux, only this is done.

    Args:
        with_signal: The signal that ends this process.
        parent: The process id of the parent when it started this process; None is that of the current parent.
    """
    if parent is None:
        parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before prctl was called
        os.kill(os.getpid(), with_signal)


if __name__ == "__main__":
    die_with_parent(parent=int(os.environ.pop(PARENT_PID_VARIABLE, os.getppid())))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
