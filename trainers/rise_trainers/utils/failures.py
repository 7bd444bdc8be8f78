"""Says in one sentence why the processes of a fit failed, and what to do."""

import errno
import re

OUT_OF_MEMORY = (
    "the fit ran out of memory ({why}): give the same command with a smaller micro_batch_size, or with "
    "gradient_checkpointing true, offload true or a higher zero_stage; none of them changes the result"
)
DISK_FULL = "the disk is full ({why}): free some space and give the same command, which goes on"
_ERROR_LINE = re.compile(r"^(?:\[rank\d+\]:\s*)?((?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception))(?::\s*(.*))?$")
_NO_MEMORY = ("out of memory", "can't allocate memory", "outofmemoryerror")
_NO_SPACE = ("No space left on device", "Disk quota exceeded", "file write failed")
_LAUNCHER = ("subprocess.CalledProcessError", "CalledProcessError")


def explained(error: BaseException) -> str | None:
    """Return the sentence for an error of memory or disk, or None for another error.

    Args:
        error: What a rank raised. torch and safetensors raise classes of their own, which are known by their
            names and texts, so that this module does not import them.
    """
    text = _short(str(error)) or type(error).__name__
    if isinstance(error, MemoryError):
        return OUT_OF_MEMORY.format(why=text)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL.format(why=text)
    return _explained(text)


def reason_in_log(text: str) -> str:
    """Return the reason of a failure from the log of a fit: its last error, or "" if it names none.

    Args:
        text: The log.
    """
    lines = text.splitlines()
    for line in reversed(lines):
        found = _ERROR_LINE.match(line.strip())
        if found and found[1] not in _LAUNCHER:
            reason = _short(f"{found[1]}: {found[2]}" if found[2] else found[1])
            return _explained(reason) or reason
    if any("return code = -9" in line for line in lines):
        return OUT_OF_MEMORY.format(why="the system ended a process with SIGKILL")
    return ""


def _explained(text: str) -> str | None:
    """Return the sentence for a text about memory or disk."""
    if any(words in text.lower() for words in _NO_MEMORY):
        return OUT_OF_MEMORY.format(why=text)
    if any(words in text for words in _NO_SPACE):
        return DISK_FULL.format(why=text)
    return None


def _short(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:300] + "..."
