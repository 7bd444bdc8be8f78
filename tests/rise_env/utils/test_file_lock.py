import subprocess
import sys
from pathlib import Path

import pytest

from rise_env.errors import BusyError
from rise_env.utils.file_lock import exclusive


def test_a_second_writer_is_refused_until_the_first_one_is_done(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(BusyError, match="written by another process"),
        exclusive(tmp_path),
    ):
        pass
    with exclusive(tmp_path):
        pass


def test_a_killed_writer_locks_nothing(tmp_path: Path) -> None:
    code = "import sys, pathlib, time; from rise_env.utils.file_lock import exclusive\n"
    code += "with exclusive(pathlib.Path(sys.argv[1])): print('locked', flush=True); time.sleep(600)"
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "locked\n"
        with pytest.raises(BusyError, match=str(tmp_path)), exclusive(tmp_path):
            pass
    finally:
        writer.kill()
        writer.communicate()
    with exclusive(tmp_path):
        pass
