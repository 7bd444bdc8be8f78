"""Folders for results: checks that they can be made before the work starts, and makes them."""

import os
from pathlib import Path

from rise_env.errors import ConfigError


def check_output_folder(path: str | Path, *, setting: str = "out") -> None:
    """Check that a folder is there and can be written, or can be made. Nothing is written.

    Args:
        path: The folder.
        setting: The name of its setting, for the message.

    Raises:
        ConfigError: The path, or the part of it that exists, is a file, or may not be written.
    """
    if not str(path):
        raise ConfigError(f"{setting} is empty: name a folder")
    found = Path(path).absolute()
    while not os.path.lexists(found):
        found = found.parent
    if not found.is_dir():
        raise ConfigError(f"{setting} is {str(path)!r}, but {found} is no folder: name another one")
    if not os.access(found, os.W_OK | os.X_OK):
        raise ConfigError(f"{setting} is {str(path)!r}, but {found} may not be written: name another folder")


def make_output_folder(path: str | Path, *, setting: str = "out") -> None:
    """Make a folder and those around it, unless they are there.

    Args:
        path: The folder.
        setting: The name of its setting, for the message.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the folder {path} cannot be made ({error.strerror}): name another one with {setting}"
        ) from error
