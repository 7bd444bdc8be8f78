"""Runs a module in a process that ends with its parent.

    python -m rise_trainers.utils.parent_death MODULE ARGS...

Without it a fit whose parent was killed goes on alone, and the same command given again would start a second
one beside it.
"""

import contextlib
import ctypes
import os
import runpy
import signal
import sys

PARENT = "RISE_PARENT"
"""Environment variable with the process id of who started the lifeline: it may end before Python is up."""
_PR_SET_PDEATHSIG = 1


def die_with_parent(with_signal: signal.Signals = signal.SIGTERM, parent: int | None = None) -> None:
    """Ask the kernel for `with_signal` when the parent process ends. Does nothing outside Linux.

    Args:
        with_signal: What ends this process.
        parent: Who started it; None is whoever the parent is now.
    """
    if parent is None:
        parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os.kill(os.getpid(), with_signal)


if __name__ == "__main__":
    die_with_parent(parent=int(os.environ.pop(PARENT, os.getppid())))
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
