"""Ends child processes."""

import subprocess


def terminate(process: "subprocess.Popen[bytes]", *, timeout_s: float = 20.0) -> None:
    """End a process and wait for it. Do nothing if it has ended already.

    Args:
        process: The process. It gets SIGTERM first.
        timeout_s: Seconds that the process may take to exit; afterwards it gets SIGKILL.
    """
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
