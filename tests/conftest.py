"""Settings of every test run."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Several processes with several threads each wait for one another: far slower than one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A shell that starts tests in the background has them ignore Ctrl-C, and so would all they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The time that one example takes, or takes to draw, depends on what else runs on the machine.
# A failure prints the blob that reproduces it.
settings.register_profile(
    "rise",
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("rise")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of the public problem sets."""
    folder = os.environ.get("RISE_DATA_DIR")
    if not folder:
        pytest.skip("needs the public problem sets: set RISE_DATA_DIR to their folder")
    return Path(folder)
