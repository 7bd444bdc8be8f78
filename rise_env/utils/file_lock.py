"""File locks, so that only one process at a time writes to a file or a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rise_env.errors import BusyError


def lock(file: IO[bytes], what: str | Path) -> None:
    """Lock an open file until it is closed or the process ends.

    On systems and file systems without such locks this does nothing.

    Args:
        file: A file that is open for writing.
        what: The file or folder that the lock protects, for the message.

    Raises:
        BusyError: Another process has locked it.
    """
    try:
        import fcntl
    except ImportError:  # not a Unix, so there is no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(
            f"{what} is being written by another process: wait until it ends, or choose another place"
        ) from None
    except OSError:  # a network file system without locks
        return


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Lock an existing folder while the context is open.

    Raises:
        BusyError: Another process has locked it.
    """
    with open(folder / "lock", "ab") as file:
        lock(file, folder)
        yield
