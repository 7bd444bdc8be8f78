"""A run of two seeds in W&B, offline: what was logged is read back from W&B's files."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import wandb

from rise_env.metrics.report_table import headline
from rise_trainers.loop.config import ImproveConfig, RunConfig
from rise_trainers.loop.phases import Phase
from rise_trainers.tracking.tracker import Tracker, tracked_settings
from rise_trainers.tracking.wandb_start import tags
from tests.rise_trainers.loop.run_folders import phases
from tests.rise_trainers.tracking import wandb_file
from tests.rise_trainers.tracking.test_names import RULE

CONFIG = RunConfig(seeds=(0, 1), fit={"tau": 0.4})


def of_two_seeds(folder: Path) -> list[Phase]:
    first = phases(folder)
    return first + [replace(p, seed=1, name=p.name.replace("seed-0", "seed-1")) for p in first]


def log_all(folder: Path, done: Sequence[Phase]) -> None:
    with Tracker(folder, "wandb", tracked_settings(CONFIG)) as tracker:
        tracker.drop_unfinished([phase.name for phase in done])
        for phase in done:
            tracker.log_phase(phase)
        if len(done) == 6:
            tracker.log_report(folder)
    wandb.teardown()  # its service writes the rest of the files


def paths(folder: Path) -> list[Path]:
    """The files of seed 0, of seed 1 and of the report."""
    found = {path.stem.rpartition("-")[2]: path for path in folder.glob("wandb/offline-run-*/*.wandb")}
    return [found[name] for name in ("0", "1", "report")]


@pytest.mark.usefixtures("offline")
def test_every_seed_is_one_w_and_b_run_of_a_group_and_the_report_is_another(folder: Path) -> None:
    log_all(folder, of_two_seeds(folder))
    found = [wandb_file.run(path) for path in paths(folder)]
    name = (folder / "wandb-id").read_text().strip()
    assert [run.run_id for run in found] == [f"{name}-seed-0", f"{name}-seed-1", f"{name}-report"]
    assert [run.display_name for run in found] == ["run-seed-0", "run-seed-1", "run-report"]
    assert {run.run_group for run in found} == {f"run-{name}"}
    assert [run.job_type for run in found] == ["train", "train", "report"]
    assert {tuple(run.tags) for run in found} == {
        ("RISE-Arithmetic-v0", "self-distillation", "tiny", "weights-exp")
    }

    for path, seed in zip(paths(folder), (0, 1, None), strict=True):
        config = wandb_file.config(path)
        assert config.get("seed") == seed
        assert config["problems"]["train"] == CONFIG.problems.train
        assert config["fit"]["tau"] == 0.4
        keys = wandb_file.keys(path)
        assert not [key for key in keys if not RULE.fullmatch(key)]
        assert len([key for key in keys if not key.startswith("detail/")]) <= 10

    first, second, of_report = (wandb_file.keys(path) for path in paths(folder))
    assert {key for key in first if not key.startswith("detail/")} == {
        *("iteration", "train/global_step", "train/loss", "collect/reward_mean"),
        *("eval/m1_t1", "eval/m5_t1", "eval/m1_t5", "eval/accuracy_by_turn_table"),
    }  # and fit/kl_to_first, where replies have log-probabilities; with one seed, report/table
    assert {key.replace("seed_0", "seed_1") for key in first} == second
    assert {key for key in of_report if not key.startswith("detail/")} == {"iteration", "report/table"}
    last = headline(json.loads((folder / "report.json").read_text()))[-1]
    assert wandb_file.column(paths(folder)[2], "detail/report/m1_t5")[-1] == last["m1@t5"]


@pytest.mark.usefixtures("offline")
def test_accuracy_by_turn_is_a_line_chart_with_a_line_per_model(folder: Path) -> None:
    log_all(folder, of_two_seeds(folder))
    for path in paths(folder)[:2]:
        table = wandb_file.tables(path)["eval/accuracy_by_turn_table"]
        assert table["columns"] == ["policy", "turn", "accuracy"]
        assert table["data"] == [["iteration 1", turn, 0.0] for turn in (1, 2, 3, 4, 5)]
        chart = wandb_file.panels(path)["eval/accuracy_by_turn"]
        assert chart["panelDefId"] == "wandb/line/v0"
        assert chart["fieldSettings"] == {"x": "turn", "y": "accuracy", "stroke": "policy"}


@pytest.mark.usefixtures("offline")
def test_a_continued_run_of_two_seeds_leaves_one_file_per_w_and_b_run(folder: Path) -> None:
    log_all(folder, of_two_seeds(folder)[:4])
    log_all(folder, of_two_seeds(folder))
    assert len(list(folder.glob("wandb/offline-run-*"))) == 3
    for path in paths(folder)[:2]:
        assert [line["_step"] for line in wandb_file.history(path)] == list(range(6))
        assert wandb_file.column(path, "train/global_step") == [1, 2]


@pytest.mark.usefixtures("offline")
def test_names_of_the_users_variables_come_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NAME", "mine"), ("RUN_GROUP", "sweep"), ("JOB_TYPE", "pilot"), ("TAGS", "a,b")):
        monkeypatch.setenv(f"WANDB_{name}", value)
    wandb.teardown()
    log_all(folder, of_two_seeds(folder))
    run = wandb_file.run(paths(folder)[1])
    assert (run.display_name, run.run_group, run.job_type) == ("mine-seed-1", "sweep", "pilot")
    assert {"a", "b", "tiny"} <= set(run.tags)


@pytest.mark.usefixtures("offline")
def test_training_goes_on_offline_where_w_and_b_cannot_start_a_later_seed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = wandb.init

    def init(**arguments: object) -> object:
        if arguments["name"] == "run-seed-1" and arguments.get("mode") != "offline":
            raise wandb.errors.CommError("no network")
        return original(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(wandb, "init", init)
    log_all(folder, of_two_seeds(folder))
    assert "no network" in caplog.text
    assert "seed-1 is logged offline" in caplog.text
    assert len(wandb_file.history(paths(folder)[1])) == 6


def test_tags_say_how_the_model_learns() -> None:
    improve = ImproveConfig(teacher="expert", num_samples=1)
    settings = tracked_settings(RunConfig(env="RISE-GSM8K-v0", improve=improve, fit={"weights": "uniform"}))
    assert tags(settings) == ["RISE-GSM8K-v0", "tiny", "weights-uniform", "distillation"]
