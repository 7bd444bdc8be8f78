import io
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from rise_trainers.fitting.paths import metrics_path
from rise_trainers.loop import supervisor as module
from rise_trainers.loop.phases import Phase
from rise_trainers.loop.supervisor import Supervisor

FIT = """
import pathlib, sys, time
metrics, go, seen = map(pathlib.Path, sys.argv[1:])
while not go.exists():
    time.sleep(0.01)
print("fit: 25 % done, 2/8, 1,234 tokens/s, loss 1.5, 0:01:00 left", flush=True)
metrics.write_text('{"step": 2, "total": 8}')
while not seen.exists():
    time.sleep(0.01)
"""


def test_without_a_terminal_a_phase_prints_lines_with_share_speed_time_left_and_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, go, seen = (tmp_path / name for name in ("model", "go", "seen"))
    metrics = metrics_path(output)
    metrics.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(module, "LINE_INTERVAL_S", 0.0)
    script = [sys.executable, "-c", FIT, str(metrics), str(go), str(seen)]
    monkeypatch.setattr(module, "command", lambda *_: script)
    phase = Phase(
        name="fit", title="fitting", command="fit", settings={}, cost=1.0, progress_files=(str(output),)
    )
    printed = io.StringIO()
    log = tmp_path / "phases" / "fit.log"

    def on_poll(_: Phase) -> None:
        go.touch()
        if "25 % done" in printed.getvalue():
            seen.touch()

    with Supervisor(tmp_path / "phases", [phase], Console(file=printed, width=80)) as running:
        running.run(phase, on_poll)
    lines = printed.getvalue().splitlines()
    assert lines[0] == f"fitting ... (log: {log})"
    line = next(line for line in lines if "25 % done" in line)
    said = rf"fitting: 25 % done, 1,234 tokens/s, \d+:\d\d:\d\d left \(log: {re.escape(str(log))}\)"
    assert re.fullmatch(said, line)
