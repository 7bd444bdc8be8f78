"""`rise run --track wandb` as users run it, offline: what was logged is read back from W&B's file."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from rise_env.metrics.report_table import headline
from rise_trainers.tracking.charts import displayed
from rise_trainers.tracking.names import valid_name
from tests.rise_trainers.tracking import wandb_file
from tests.rise_trainers.tracking.test_names import RULE
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]
SMALL = [
    *("--iterations", "2", "--max_concurrent_episodes", "8", "--sampling.max_new_tokens", "60"),
    *("--problems.train", "16", "--problems.test", "8", "--improve.num_samples", "2"),
    *("--measure.turns", "2", "--measure.num_samples", "2", "--track", "wandb"),
    *("--fit", '{"epochs": 3, "batch_size": 4, "micro_batch_size": 4, "save_every": 3, "tau": 0.5}'),
]
PHASES = ["0-evaluate", "1-collect", "1-fit", "1-evaluate", "2-collect", "2-fit", "2-evaluate"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    folders = {"WANDB_DATA_DIR": str(tmp_path / "staged"), "WANDB_CACHE_DIR": str(tmp_path / "cache")}
    return {**kept, **folders, "WANDB_MODE": "offline"}


def kill_in_fit(command: list[str], out: Path, environment: dict[str, str]) -> None:
    """Start the run, and end it with SIGKILL when the first fit has a checkpoint."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        partial = out / "seed-0" / "iteration-1" / "model.partial"
        while not any(partial.glob("checkpoint-*/whole")):
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.01)
        started = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert not alive, "something outlived the run"


@pytest.mark.slow
def test_a_killed_and_continued_run_is_one_w_and_b_run_with_everything_once(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "rise_env.cli.main", "run", *SMALL, "--out", str(out)]
    kill_in_fit(command, out, environment)
    before = wandb_file.only(out)
    [name] = wandb_file.run_ids(before)
    assert len(wandb_file.history(before)) >= 2  # what was done before the fit
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    path = wandb_file.only(out)  # the file of the first try is gone: this one has everything
    assert path != before
    assert wandb_file.run_ids(path) == {name}
    history = wandb_file.history(path)
    assert [line["_step"] for line in history] == list(range(len(history)))

    # W&B accepts every name, and few are outside "detail"
    logged = wandb_file.keys(path)
    assert not [key for key in logged if not RULE.fullmatch(key)]
    assert {key for key in logged if not key.startswith("detail/")} == {
        *("iteration", "train/global_step", "train/loss", "collect/reward_mean", "fit/kl_to_first"),
        *("eval/m1_t1", "eval/m2_t1", "eval/m1_t2", "eval/accuracy_by_turn_table", "report/table"),
    }

    # every number of metrics.jsonl, in order, once
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    keys = {key for line in metrics for key, value in line.items() if isinstance(value, int | float)}
    assert {"train/loss", "train/grad_norm", "train/tokens_per_s", "data/effective_sample_size"} <= keys
    assert {"eval/acc@t1", "eval/acc@t2", "eval/m1@t2", "collect/solved"} <= keys
    for key in keys - {"iteration", "seed"}:
        assert wandb_file.column(path, displayed(valid_name(key))) == [
            line[key] for line in metrics if line.get(key) is not None
        ]
    shares = [line["data/weight_share"] for line in metrics if "data/weight_share" in line]
    for reward in ("-1.0", "0.0", "1.0"):
        column = "reward_" + reward.removesuffix(".0").replace("-", "minus_")
        logged_shares = wandb_file.column(path, f"detail/data/weight_share/{column}")
        assert logged_shares == [share[reward] for share in shares if reward in share]
    steps = wandb_file.column(path, "train/global_step")
    assert steps == list(range(1, len(steps) + 1))
    assert len(wandb_file.column(path, "detail/collect/reward_histogram._type")) == 2
    for flip in ("right_to_right", "right_to_wrong", "wrong_to_right", "wrong_to_wrong"):
        assert len(wandb_file.column(path, f"detail/eval/transitions_by_turn/{flip}/t1")) == 3

    # the tables of every iteration, and the report
    tables = wandb_file.tables(path)
    played = {
        f"detail/examples/seed_0_{phase.replace('-', '_')}" for phase in PHASES if not phase.endswith("fit")
    }
    assert tables.keys() == played | {"report/table", "detail/report/all", "eval/accuracy_by_turn_table"}
    assert all(tables[key]["data"] for key in tables)
    report = json.loads((out / "report.json").read_text())
    assert wandb_file.column(path, "detail/report/m1_t2") == [row["m1@t2"] for row in headline(report)]
    drawn = {f"detail/report/{file.stem}" for file in out.glob("figures/*.png")}
    assert wandb_file.pictures(path).keys() == drawn

    assert wandb_file.config(path)["fit"]["tau"] == 0.5
    assert wandb_file.config(path)["problems"]["train"] == 16
    found = wandb_file.artifacts(path)
    stored = [f"trajectories-{name}:seed-0.{k}" for k in (1, 2)]
    [base] = [artifact for artifact in found if not found[artifact]["made_here"]]
    made_from = {artifact: found[artifact]["metadata"].get("made_from") for artifact in found}
    assert made_from[stored[0]] == [base]
    assert made_from[stored[1]] == [f"model-{name}:seed-0.1"]
    assert made_from[f"model-{name}:seed-0.2"] == [base, *stored]
    assert made_from[f"evaluation-{name}:seed-0.2"] == [f"model-{name}:seed-0.2"]
    assert found[f"model-{name}:seed-0.2"]["references"] >= {"model.safetensors", "config.json"}
    assert not found[f"model-{name}:seed-0.2"]["uploads"]

    # what libraries say for themselves is not in the logs of our commands
    for log in (out / "phases").glob("*.log"):
        assert "Loading weights" not in log.read_text()
        assert "WARNING" not in log.read_text()


@pytest.mark.slow
def test_the_training_script_for_starters_runs_and_logs(tmp_path: Path, environment: dict[str, str]) -> None:
    del environment["WANDB_MODE"]  # not logged in: offline by itself
    environment["NETRC"] = str(tmp_path / "netrc")
    script = [sys.executable, str(ROOT / "examples" / "train_with_wandb.py"), "--iterations", "1"]
    small = ["--train", "8", "--test", "8", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [*script, *small], env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    path = wandb_file.only(tmp_path / "run")
    assert len(wandb_file.column(path, "eval/m1_t5")) == 2
    assert "iteration 1" in done.stdout
