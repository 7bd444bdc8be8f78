"""One writer at a time: a file that a second process cannot lock as long as the first one lives."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rise_env.errors import BusyError


def lock(file: IO[bytes], what: str | Path) -> None:
    """Lock an open file until it is closed or the process ends, however it ends.

    Args:
        file: Open for writing.
        what: What is being written, for the message.

    Raises:
        BusyError: Another process has locked it.
    """
    try:
        import fcntl
    except ImportError:  # not a Unix: two processes stay the user's care
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(f"{what} is being written by another process") from None
    except OSError:  # a network file system without locks
        return


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Be the only process that writes into `folder`, which must exist.

    Raises:
        BusyError: There is another one.
    """
    with open(folder / "lock", "ab") as file:
        lock(file, folder)
        yield
