"""Runs a module in a process that the kernel ends when its parent ends (PR_SET_PDEATHSIG of Linux).

    python -m rise_trainers.utils.parent_death MODULE ARGS...

Otherwise a fit would continue after its parent was killed, and the same command would start a second fit in
the same folder.
"""

import contextlib
import ctypes
import os
import runpy
import signal
import sys

PARENT_PID_VARIABLE = "RISE_PARENT_PID"
"""Environment variable with the parent's process id: the parent may end before this process asks for it."""
_PR_SET_PDEATHSIG = 1


def die_with_parent(with_signal: signal.Signals = signal.SIGTERM, parent: int | None = None) -> None:
    """Ask the kernel for `with_signal` when the parent process ends. Does nothing outside Linux.

    Args:
        with_signal: The signal that ends this process.
        parent: The process id of the parent; None is the current parent.
    """
    if parent is None:
        parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the kernel was asked
        os.kill(os.getpid(), with_signal)


if __name__ == "__main__":
    die_with_parent(parent=int(os.environ.pop(PARENT_PID_VARIABLE, os.getppid())))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
