import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rise_env.cli.log_filters import CHATTY, quiet
from rise_env.cli.main import main


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TQDM_DELAY", "")  # so that what the test sets is undone
    monkeypatch.delenv("TQDM_DELAY")
    yield
    for name in CHATTY:
        logging.getLogger(name).filters.clear()


@pytest.mark.usefixtures("unheard")
def test_warnings_of_libraries_are_hidden_and_errors_shown(caplog: pytest.LogCaptureFixture) -> None:
    quiet()
    for name in (*CHATTY, "mine"):
        logging.getLogger(name).warning("a warning of %s", name)
        logging.getLogger(name).error("an error of %s", name)
    assert "an error of DeepSpeed" in caplog.text
    assert "a warning of mine" in caplog.text
    assert "a warning of DeepSpeed" not in caplog.text


@pytest.mark.usefixtures("unheard")
def test_who_imports_rise_hears_everything() -> None:
    assert main(["--help"]) == 0
    assert "TQDM_DELAY" not in os.environ
    assert not logging.getLogger("DeepSpeed").filters


@pytest.mark.usefixtures("unheard")
def test_the_program_shows_bars_of_libraries_only_when_they_take_long() -> None:
    pytest.importorskip("tqdm")
    code = """
import sys
from rise_env.cli.main import main
sys.argv = ["rise"]
main()
from tqdm.auto import tqdm
for _ in tqdm(range(3), desc="Loading weights"):
    pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "usage: rise" in done.stdout
    assert "Loading weights" not in done.stderr
    loud = code.replace("main()\nfrom", "from")
    done = subprocess.run([sys.executable, "-c", loud], capture_output=True, text=True, check=True)
    assert "Loading weights" in done.stderr
