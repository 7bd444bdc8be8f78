"""Kill -9 during a fit, the same command again: the result is that of an uninterrupted fit."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rise_trainers.fitting import checkpoints
from rise_trainers.fitting.config import FitConfig, from_json, to_json
from rise_trainers.fitting.fit import fit
from rise_trainers.fitting.paths import metrics_path, partial_folder
from tests.rise_trainers import small_models
from tests.waiting import PATIENCE_S

LAUNCH = """
import json, sys
from rise_trainers import fit
from rise_trainers.fitting.config import from_json
fit(from_json(json.loads(sys.argv[1])))
"""


def start(config: FitConfig) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", LAUNCH, json.dumps(to_json(config))])


def steps(config: FitConfig) -> list[dict[str, Any]]:
    path = metrics_path(config.output)
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return [line for line in lines if line["kind"] == "step"]


def kill_after(config: FitConfig, step: int) -> None:
    process = start(config)
    deadline = time.monotonic() + PATIENCE_S
    while not any(line["step"] >= step for line in steps(config)):
        assert process.poll() is None, (partial_folder(config.output) / "fit.log").read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def weights_of(folder: str) -> bytes:
    return (Path(folder) / "model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "stage", "dtype"), [(1, 1, "float32"), (2, 3, "float32"), (2, 1, "bfloat16")]
)
def test_a_killed_fit_continues_as_if_nothing_had_happened(
    ranks: int, stage: int, dtype: str, tmp_path: Path
) -> None:
    config = small_models.fit_config(
        tmp_path, ranks=ranks, zero_stage=stage, dtype=dtype, epochs=8.0, save_every=3, learning_rate=3e-3
    )
    whole = from_json({**to_json(config), "output": str(tmp_path / "whole")})
    fit(whole)
    kill_after(config, 4)
    reached = len(steps(config))
    time.sleep(3)
    assert len(steps(config)) <= reached + 1, "the ranks went on alone"
    assert not Path(config.output).exists()
    fit(config)
    assert [line["step"] for line in steps(config)] == list(range(1, 17))
    assert [line["loss"] for line in steps(config)] == [line["loss"] for line in steps(whole)]
    assert weights_of(config.output) == weights_of(whole.output)


def test_only_complete_checkpoints_are_continued_from(tmp_path: Path) -> None:
    for step, whole in ((3, True), (6, True), (9, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if whole:
            (folder / checkpoints.COMPLETE_MARKER).touch()
    assert checkpoints.last_complete(tmp_path) == tmp_path / "checkpoint-6"
    assert (tmp_path / "checkpoint-9").exists()
    checkpoints.last_complete(tmp_path, clean=True)
    assert not (tmp_path / "checkpoint-9").exists()


def test_no_checkpoint_is_no_place_to_continue_from(tmp_path: Path) -> None:
    assert checkpoints.last_complete(tmp_path) is None
