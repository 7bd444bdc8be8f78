import base64
import hashlib
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import wandb

from rise_env.errors import ConfigError
from rise_trainers.loop.config import RunConfig
from rise_trainers.tracking import rows, wandb_runs
from rise_trainers.tracking.tracker import Tracker, tracked_settings
from tests.rise_trainers.loop.run_folders import STEPS, phases
from tests.rise_trainers.tracking import wandb_file

SETTINGS = tracked_settings(RunConfig(fit={"tau": 0.4}))


class RunElsewhere:
    """A W&B run that has `step` rows already."""

    def __init__(self, step: int = 0) -> None:
        self.step, self.id, self.disabled = step, "abc", False
        self.rows: dict[int, dict[str, Any]] = {}
        self.artifacts: list[str] = []
        self.axes: dict[str, str | None] = {}

    def log(self, values: dict[str, Any], *, step: int, commit: bool) -> None:
        assert commit
        assert step not in self.rows
        self.rows[step] = values

    def define_metric(self, name: str, step_metric: str | None = None, hidden: bool = False) -> None:
        self.axes[name] = step_metric

    def _log_artifact(self, artifact: Any, *, aliases: list[str], **_: Any) -> None:
        self.artifacts.append(f"{artifact.name}:{aliases[0]}")

    def finish(self, exit_code: int) -> None:
        self.code = exit_code


def log_all(folder: Path, settings: dict[str, Any] = SETTINGS) -> None:
    with Tracker(folder, "wandb", settings) as tracker:
        tracker.drop_unfinished([phase.name for phase in phases(folder)])
        for phase in phases(folder):
            tracker.log_phase(phase)
        tracker.log_report(folder)


def log_elsewhere(folder: Path, run: RunElsewhere, monkeypatch: pytest.MonkeyPatch) -> RunElsewhere:
    monkeypatch.setattr(wandb_runs, "start", lambda *_, **__: run)
    log_all(folder)
    return run


@pytest.mark.usefixtures("offline")
def test_the_offline_file_of_a_run_holds_every_metric_table_and_figure(folder: Path) -> None:
    log_all(folder)
    wandb.teardown()  # its service writes the rest of the file
    path = wandb_file.only(folder)
    assert wandb_file.column(path, "train/loss") == [0.5, 0.25]
    assert wandb_file.column(path, "train/global_step") == [1, 2]
    assert wandb_file.column(path, "detail/fit/tokens_per_s") == [9.0]
    assert wandb_file.column(path, "detail/data/weight_share/reward_1") == [0.9]
    assert wandb_file.column(path, "detail/collect/reward_histogram._type") == ["histogram"]
    assert wandb_file.column(path, "detail/eval/acc_t5") == [0.0]
    assert wandb_file.column(path, "detail/eval/transitions_by_turn/wrong_to_wrong/t4") == [1.0]
    assert wandb_file.column(path, "detail/report/m1_t5") == [0.0]
    assert [line["_step"] for line in wandb_file.history(path)] == list(range(8))

    tables = wandb_file.tables(path)
    for phase in ("collect", "evaluate"):
        table = tables[f"detail/examples/seed_0_1_{phase}"]
        assert len(table["data"]) == 20
        assert table["columns"][:3] == ["problem", "turn", "question"]
    report = json.loads((folder / "report.json").read_text())
    assert tables["report/table"]["data"][0][:2] == ["base", report["rows"][0]["m1@t1"]["mean"]]
    assert ["base", "m1@t5", None, 0.0, 0.0, 0.0] in tables["detail/report/all"]["data"]
    drawn = {f"detail/report/{picture.stem}" for picture in folder.glob("figures/*.png")}
    pictures = wandb_file.pictures(path)
    assert pictures.keys() == drawn
    assert pictures["detail/report/accuracy_by_turn"].stat().st_size > 5000

    config = wandb_file.config(path)
    assert config["fit"] == SETTINGS["fit"]
    assert wandb_file.step_metrics(path)["eval/*"] == "iteration"
    assert wandb_file.step_metrics(path)["detail/eval/*"] == "iteration"
    assert wandb_file.step_metrics(path)["detail/train/*"] == "train/global_step"


@pytest.mark.usefixtures("offline")
def test_artifacts_say_what_they_were_made_from(folder: Path) -> None:
    (folder / "model" / "model.safetensors").write_bytes(b"weights")
    log_all(folder)
    wandb.teardown()
    path = wandb_file.only(folder)
    [name] = wandb_file.run_ids(path)
    found = wandb_file.artifacts(path)
    base, stored, model = (
        "base-someone-model:latest",
        f"trajectories-{name}:seed-0.1",
        f"model-{name}:seed-0.1",
    )
    measured = f"evaluation-{name}:seed-0.1"
    assert found.keys() == {base, stored, model, measured, f"report-{name}:latest"}
    assert all(artifact["used"] for artifact in found.values())
    assert [name for name, artifact in found.items() if not artifact["made_here"]] == [base]
    assert found[stored]["metadata"]["made_from"] == [base]
    assert found[model]["metadata"]["made_from"] == [base, stored]
    assert found[measured]["metadata"]["made_from"] == [model]
    assert found[stored]["uploads"] == {"sequential.jsonl"}
    # weights stay here unless asked for: path and digest only
    assert not found[model]["uploads"]
    assert found[model]["references"] == {"metrics.jsonl", "model.safetensors"}
    assert base64.b64encode(hashlib.md5(b"weights").digest()).decode() in found[model]["digests"]


@pytest.mark.usefixtures("offline")
def test_weights_are_uploaded_when_w_and_b_is_told_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_LOG_MODEL", "end")
    log_all(folder)
    wandb.teardown()
    found = wandb_file.artifacts(wandb_file.only(folder))
    [model] = [artifact for name, artifact in found.items() if name.startswith("model-")]
    assert model["uploads"] == {"metrics.jsonl"}


@pytest.mark.usefixtures("offline")
def test_a_continued_run_offline_leaves_one_file_of_one_run_with_everything_once(folder: Path) -> None:
    with Tracker(folder, "wandb", SETTINGS) as tracker:
        tracker.log_phase(phases(folder)[0])
    wandb.teardown()
    before = wandb_file.only(folder)
    [first] = wandb_file.run_ids(before)
    time.sleep(1.1)  # W&B names its folders by the second
    log_all(folder)
    wandb.teardown()
    path = wandb_file.only(folder)
    assert path != before
    assert wandb_file.run_ids(path) == {first}
    assert [line["_step"] for line in wandb_file.history(path)] == list(range(8))
    assert len(wandb_file.column(path, "detail/collect/episodes")) == 1


def test_a_continued_run_online_logs_what_w_and_b_does_not_have(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = log_elsewhere(folder, RunElsewhere(), monkeypatch)
    for have in range(1, 8):
        rest = log_elsewhere(folder, RunElsewhere(step=have), monkeypatch)
        assert rest.rows.keys() == set(range(have, 8))
        for step, row in rest.rows.items():
            assert row.keys() == whole.rows[step].keys()
    nothing_new = log_elsewhere(folder, RunElsewhere(step=8), monkeypatch)
    assert not nothing_new.rows
    assert not nothing_new.artifacts


def test_a_running_fit_is_logged_and_nothing_is_logged_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunElsewhere()
    monkeypatch.setattr(wandb_runs, "start", lambda *_, **__: run)
    monkeypatch.setattr(rows, "READ_INTERVAL_S", 0.0)
    collected, fitted, _ = phases(folder)
    done, partial = folder / "model" / "metrics.jsonl", folder / "model.partial" / "metrics.jsonl"
    partial.parent.mkdir()
    done.rename(partial)
    text = partial.read_text()
    os.utime(partial, (0, 0))
    with Tracker(folder, "wandb", SETTINGS) as tracker:
        tracker.log_phase(collected)
        tracker.log_running(fitted)
        assert len(run.rows) == 1, "lines of an attempt that was killed are not shown"
        later = time.time() + 5
        partial.write_text("".join(text.splitlines(keepends=True)[:2]) + '{"kind": "st')
        os.utime(partial, (later, later))
        tracker.log_running(fitted)
        assert run.rows[2]["train/loss"] == 0.5
        assert len(run.rows) == 3
        partial.write_text(text)
        partial.rename(done)
        tracker.log_phase(fitted)
    assert len(run.rows) == 1 + len(STEPS)
    assert [row["train/loss"] for row in run.rows.values() if "train/loss" in row] == [0.5, 0.25]


def test_steps_go_on_counting_over_the_fits_of_a_seed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunElsewhere()
    monkeypatch.setattr(wandb_runs, "start", lambda *_, **__: run)
    fitted = phases(folder)[1]
    with Tracker(folder, "wandb", SETTINGS) as tracker:
        for name in ("a", "b"):
            tracker.log_phase(replace(fitted, name=name))
    losses = [row for row in run.rows.values() if "train/loss" in row]
    assert [row["train/global_step"] for row in losses] == [1, 2, 3, 4]
    assert run.axes["train/*"] == "train/global_step"


def test_a_run_that_fails_is_marked_as_failed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunElsewhere()
    monkeypatch.setattr(wandb_runs, "start", lambda *_, **__: run)
    with pytest.raises(ValueError, match="no"), Tracker(folder, "wandb", SETTINGS):
        raise ValueError("no")
    assert run.code == 1


@pytest.mark.usefixtures("offline")
def test_disabled_writes_nothing_of_w_and_b(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    wandb.teardown()
    log_all(folder)
    assert not (folder / "wandb").exists()
    assert not (folder / "wandb-id").exists()
    assert (folder / "metrics.jsonl").exists()


@pytest.mark.usefixtures("offline")
def test_a_run_that_w_and_b_refuses_says_why_and_what_to_do(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    wandb.teardown()
    with pytest.raises(ConfigError, match=r"WANDB_MODE=offline") as error:
        Tracker(folder, "wandb", SETTINGS)
    assert "\n" not in str(error.value)
