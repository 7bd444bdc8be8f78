"""Which commit a result was made at. Every benchmark command writes its result with `write_result`."""

import datetime
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rise_env

CHANGED = " with changes"
"""What follows the hash if files were changed that are not committed."""
_CODE = ("rise_env", "agents", "trainers", "benchmarks/rise_benchmarks")


def write_result(path: Path, result: Mapping[str, Any], *, indent: int = 2) -> None:
    """Write a result as JSON, with the commit of the code and the date.

    Args:
        path: The file.
        result: The result; keys "commit" and "date" are added.
        indent: Spaces per level.
    """
    made = {**result, "commit": commit(), "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
    path.write_text(json.dumps(made, indent=indent) + "\n", encoding="utf-8")


def commit() -> str | None:
    """Return the commit of the code that runs; None if it does not run from a clone."""
    root = Path(rise_env.__file__).parents[1]
    try:
        if Path(git("rev-parse", "--show-toplevel", at=root)).resolve() != root.resolve():
            return None  # installed inside the clone of something else
        changed = git("status", "--porcelain", "--", *_CODE, at=root)
        return git("rev-parse", "HEAD", at=root) + (CHANGED if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def git(*words: str, at: Path) -> str:
    """Return the output of a git command in a folder.

    Raises:
        OSError: git is not installed.
        subprocess.CalledProcessError: The command failed.
    """
    done = subprocess.run(["git", *words], cwd=at, capture_output=True, text=True, check=True)
    return done.stdout.strip()
