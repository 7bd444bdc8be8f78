"""What a check of `rise doctor` found, and Python code that it runs in a process of its own."""

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "no", "--"]
"""Works, must be repaired, or not there and needed by some commands only."""
_ERROR = re.compile(r"(?:\w+\.)*\w*(?:Error|NotFound): ")
TIMEOUT_S = 600.0
"""Seconds after which a process counts as stuck."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the command's output."""

    state: State
    what: str
    said: str
    """What was found; for "no", what to do as well."""

    def __str__(self) -> str:
        return f"{self.state:<4}{self.what:<20} {self.said}".rstrip()


def run_python(*arguments: str) -> tuple[bool, str]:
    """Run this Python in a process of its own, because a broken library may end its process.

    Args:
        *arguments: The arguments of Python, for example "-c" and a program.

    Returns:
        Whether it succeeded, and the last line of its output; if it failed, its last error.
    """
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {TIMEOUT_S:.0f} s"
    lines = (done.stderr if done.returncode else done.stdout).strip().splitlines()
    errors = [line for line in lines if _ERROR.match(line)] if done.returncode else []
    last = (errors or lines or [""])[-1].strip()
    return done.returncode == 0, last or (f"exit code {done.returncode}" if done.returncode else "")
