"""Ends child processes."""

import subprocess


def terminate(process: "subprocess.Popen[bytes]", *, timeout_s: float = 20.0) -> None:
    """End a process and wait for it. Does nothing when it has ended already.

    Args:
        process: Gets SIGTERM first.
        timeout_s: Seconds that it may take to exit; it gets SIGKILL afterwards.
    """
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
