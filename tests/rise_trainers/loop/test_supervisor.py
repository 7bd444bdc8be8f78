import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from rise_trainers.loop import supervisor as module
from rise_trainers.loop.phases import Phase
from rise_trainers.loop.supervisor import Supervisor

PLAY = """
import pathlib, sys, time
store, seen = map(pathlib.Path, sys.argv[1:])
print("base, seed 0: 20 % done, 2/8, 1,234 tokens/s, 0:01:00 left", flush=True)
store.write_text("{}\\n" * 3)
while not seen.exists():
    time.sleep(0.01)
"""


def test_without_a_terminal_a_phase_prints_lines_with_share_speed_time_left_and_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seen = tmp_path / "store.jsonl", tmp_path / "seen"
    monkeypatch.setattr(module, "LINE_INTERVAL_S", 0.0)
    monkeypatch.setattr(module, "command", lambda *_: [sys.executable, "-c", PLAY, str(store), str(seen)])
    phase = Phase(
        name="base", title="measuring base", command="evaluate", settings={}, cost=1.0,
        progress_files=(str(store),), units=8,
    )  # fmt: skip
    output = io.StringIO()
    log = tmp_path / "phases" / "base.log"

    def on_poll(_: Phase) -> None:
        if "25 % done" in output.getvalue():
            seen.touch()

    with Supervisor(tmp_path / "phases", [phase], Console(file=output, width=80)) as running:
        running.run(phase, on_poll)
    lines = output.getvalue().splitlines()
    assert lines[0] == f"measuring base ... (log: {log})"
    [line] = {line for line in lines if "25 % done" in line}
    assert line.startswith("measuring base: 25 % done, 1,234 tokens/s, 0:00:0")
    assert line.endswith(f" left (log: {log})")
