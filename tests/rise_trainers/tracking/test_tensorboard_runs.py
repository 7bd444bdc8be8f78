import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import MissingDependencyError
from rise_trainers.loop.config import RunConfig
from rise_trainers.tracking import rows
from rise_trainers.tracking.tracker import Tracker, tracked_settings
from tests.rise_trainers.loop.run_folders import phases
from tests.rise_trainers.tracking.test_names import RULE

SETTINGS = tracked_settings(RunConfig(seeds=(0, 1)))


def events(folder: Path) -> Any:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    [path] = folder.iterdir()  # the events of earlier processes are gone
    found = reader.EventAccumulator(str(path))
    found.Reload()
    return found


def log_all(folder: Path) -> None:
    with Tracker(folder, "tensorboard", SETTINGS) as tracker:
        for seed in (0, 1):
            for phase in phases(folder):
                tracker.log_phase(replace(phase, seed=seed, name=f"{phase.name}-{seed}"))
        tracker.log_report(folder)


def test_tensorboard_has_a_run_per_seed_with_the_names_of_w_and_b(folder: Path) -> None:
    log_all(folder)
    log_all(folder)  # a continued run writes everything again, once
    for name in ("seed-0", "seed-1"):
        found = events(folder / "tensorboard" / name)
        losses = [(point.step, point.value) for point in found.Scalars("train/loss")]
        assert losses == [(1, 0.5), (2, 0.25)]
        assert [point.step for point in found.Scalars("eval/m1_t5")] == [1]
        scalars = found.Tags()["scalars"]
        assert "detail/eval/transitions_by_turn/wrong_to_wrong/t4" in scalars
        assert not [key for key in scalars if not RULE.fullmatch(key)]
        assert len([key for key in scalars if not key.startswith("detail/")]) <= 10
    report = events(folder / "tensorboard" / "report")
    assert [point.value for point in report.Scalars("detail/report/m1_t5")] == [0.0]
    assert "report/table/text_summary" in report.Tags()["tensors"]


def test_tensorboard_shows_a_fit_while_it_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "READ_INTERVAL_S", 0.0)
    fitted = phases(folder)[1]
    metrics = folder / "model" / "metrics.jsonl"
    text = metrics.read_text()
    with Tracker(folder, "tensorboard", SETTINGS) as tracker:
        metrics.write_text("".join(text.splitlines(keepends=True)[:2]))
        os.utime(metrics, (2e9, 2e9))
        tracker.log_running(fitted)
        assert [point.value for point in events(folder / "tensorboard" / "seed-0").Scalars("train/loss")] == [
            0.5
        ]
        metrics.write_text(text)
        tracker.log_phase(fitted)
    assert len(events(folder / "tensorboard" / "seed-0").Scalars("train/loss")) == 2


def test_a_run_without_tensorboard_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(MissingDependencyError, match=r"track needs tensorboard"):
        Tracker(folder, "tensorboard", SETTINGS)
