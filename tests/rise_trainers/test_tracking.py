import json
from pathlib import Path

import pytest
import wandb

from rise_agents.base import SamplingConfig
from rise_agents.collect import collect
from rise_agents.environments import make_environment
from rise_agents.rollout import TurnPlan
from rise_agents.scripted_agent import ScriptedAgent
from rise_benchmarks.report import write_report
from rise_env.store import TrajectoryStore, read_trajectories
from rise_trainers.phases import Phase
from rise_trainers.tracking import Tracker, statistics
from tests.rise_trainers import wandb_file

STEPS = [
    {"kind": "data", "total": 2, "notes": [], "trajectories": 4, "weight_share": {"0.0": 0.1, "1.0": 0.9}},
    {"kind": "step", "step": 1, "total": 2, "loss": 0.5, "grad_norm": 1.0},
    {"kind": "step", "step": 2, "total": 2, "loss": 0.25, "grad_norm": 0.5},
]


def answer(conversation: object) -> str:
    """Wrong at first, right for every second problem from turn 2 on."""
    text = str(conversation)
    return "\\boxed{-1}" if text.count("boxed") < 2 else "I do not know."


def play(path: Path, turns: int, samples: int, record: dict[str, object]) -> None:
    agent = ScriptedAgent(answer)
    plan = [TurnPlan(agent, samples=samples, until_correct=False)] * turns
    with TrajectoryStore(path, record) as store:
        collect(
            plan,
            lambda: make_environment(
                "RISE-Arithmetic-v0", split="test", max_turns=turns, stop_when_correct=False
            ),
            range(4),
            store,
            SamplingConfig(),
            seed=0,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record = {"label": "base", "env": "RISE-Arithmetic-v0", "env_settings": {}, "turns": 5, "samples": 5}
    log = tmp_path / "evaluate" / "base" / "seed-0"
    play(log / "sequential.jsonl", 5, 1, {**record, "seed": 0})
    play(log / "parallel.jsonl", 1, 5, {**record, "seed": 0})
    model = tmp_path / "model"
    model.mkdir()
    (model / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in STEPS))
    write_report(tmp_path)
    return tmp_path


def phases(folder: Path) -> list[Phase]:
    log = str(folder / "evaluate" / "base" / "seed-0" / "sequential.jsonl")
    common = {"title": "", "settings": {}, "units": 1, "cost": 1.0, "iteration": 1}
    return [
        Phase(name="seed-0.1-collect", command="collect", watch=(log,), **common),  # type: ignore[arg-type]
        Phase(name="seed-0.1-fit", command="fit", watch=(str(folder / "model"),), **common),  # type: ignore[arg-type]
        Phase(name="seed-0.1-evaluate", command="evaluate", watch=(log,), **common),  # type: ignore[arg-type]
    ]


def test_json_lines_hold_every_phase(folder: Path) -> None:
    with Tracker(folder, "none", {}) as tracker:
        for phase in phases(folder):
            tracker.log_phase(phase)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["train/loss"] for line in lines if "train/loss" in line] == [0.5, 0.25]
    assert lines[0]["collect/episodes"] == 4
    assert lines[-1]["eval/accuracy_by_turn"] == [0.0] * 5


def test_lines_of_a_phase_that_did_not_end_are_dropped(folder: Path) -> None:
    with Tracker(folder, "none", {}) as tracker:
        for phase in phases(folder):
            tracker.log_phase(phase)
        with open(tracker.path, "a") as file:
            file.write('{"phase": "torn')
        tracker.keep(["seed-0.1-collect"])
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == ["seed-0.1-collect"]


def test_the_offline_wandb_file_holds_every_metric(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with Tracker(folder, "wandb", {"fit": {"tau": 0.4}, "env": "RISE-Arithmetic-v0"}) as tracker:
        for phase in phases(folder):
            tracker.log_phase(phase)
        tracker.log_report(folder)
    wandb.teardown()  # its service writes the rest of the file
    [path] = folder.glob("wandb/offline-run-*/*.wandb")
    logged = wandb_file.history(path)
    assert [line["train/loss"] for line in logged if "train/loss" in line] == [0.5, 0.25]
    assert any(line.get("data/weight_share/1.0") == 0.9 for line in logged)
    assert any(line.get("collect/rewards/0.0", 0) > 0 for line in logged)
    assert any(line.get("report/m1@t5") == 0.0 for line in logged)
    assert any(line.get("eval/accuracy_by_turn/5") == 0.0 for line in logged)
    tables = {key.removesuffix(".nrows"): value for line in logged for key, value in line.items()}
    assert tables["collect_examples/seed-0.1-collect"] == 20
    assert tables["eval_examples/seed-0.1-evaluate"] == 20
    assert tables["report/table"] == 9
    assert wandb_file.config(path)["fit"] == {"tau": 0.4}


def test_a_continued_run_is_the_same_wandb_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with Tracker(folder, "wandb", {}):
        first = (folder / "wandb-id").read_text()
    with Tracker(folder, "wandb", {}):
        assert (folder / "wandb-id").read_text() == first


def test_statistics_count_verdicts_and_rewards(folder: Path) -> None:
    log = folder / "evaluate" / "base" / "seed-0" / "sequential.jsonl"
    found = statistics(list(read_trajectories(log)))
    assert found["episodes"] == 4
    assert found["replies"] == 20
    assert sum(found["verdicts"].values()) == 20
    assert set(found["verdicts"]) == {"wrong", "no_answer"}
    assert found["rewards"] == {"-1.0": found["verdicts"]["no_answer"], "0.0": found["verdicts"]["wrong"]}
