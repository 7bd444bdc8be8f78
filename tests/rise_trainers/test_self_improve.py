"""`rise run` as users run it: real processes, real model, real fits."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from rise_env.cli.main import main
from rise_env.trajectories.outcomes import FailureLimits, Outcomes
from rise_env.trajectories.store import read_trajectories
from rise_trainers.self_improve import exit_code
from tests.waiting import PATIENCE_S

RISE = [sys.executable, "-m", "rise_env.cli.main"]
SMALL = [
    *("--iterations", "1", "--max_concurrent_episodes", "16", "--sampling.max_new_tokens", "60"),
    *("--problems.train", "64", "--problems.test", "32", "--improve.num_samples", "2"),
    *(
        "--fit",
        '{"epochs": 3, "batch_size": 8, "micro_batch_size": 8, "learning_rate": 1e-4, "save_every": 3}',
    ),
]


def run(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [*RISE, "run", *SMALL, "--out", str(out), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_when(out: Path, ready: Callable[[], bool]) -> None:
    """Start the run, end it with SIGKILL as soon as `ready`, and wait for what it had started."""
    process = subprocess.Popen(
        [*RISE, "run", *SMALL, "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    started = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert not alive, "a phase outlived the run"


def test_a_run_killed_in_every_phase_ends_with_nothing_lost_or_done_twice(tmp_path: Path) -> None:
    out = tmp_path / "run"
    base = out / "evaluate" / "base" / "seed-0"
    collected = out / "seed-0" / "iteration-1" / "collect" / "trajectories.jsonl"
    fit = out / "seed-0" / "iteration-1" / "model.partial"
    kill_when(out, lambda: lines(base / "sequential.jsonl") > 1)
    kept = (base / "sequential.jsonl").read_bytes()
    kill_when(out, lambda: lines(collected) > 1)
    kept_too = collected.read_bytes()
    kill_when(out, lambda: any(fit.glob("**/checkpoint-*")))
    done = run(out)
    assert done.returncode == 0, done.stderr

    # what was there before a kill is there still, and every episode is there once
    assert (base / "sequential.jsonl").read_bytes().startswith(kept[: kept.rfind(b"\n") + 1])
    assert collected.read_bytes().startswith(kept_too[: kept_too.rfind(b"\n") + 1])
    for store, episodes in ((base / "sequential.jsonl", 32), (base / "parallel.jsonl", 32), (collected, 64)):
        ids = [t.id for t in read_trajectories(store)]
        assert len(ids) == len(set(ids)) == episodes
    metrics = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps = [line["train/step"] for line in metrics if "train/loss" in line]
    assert steps == list(range(1, len(steps) + 1))
    assert Counter(line["phase"] for line in metrics if "eval/episodes" in line) == {
        "seed-0.0-evaluate": 1,
        "seed-0.1-evaluate": 1,
    }

    report = json.loads((out / "report.json").read_text())
    assert [row["name"] for row in report["rows"]] == ["base", "iteration 1"]
    assert report["env"] == "RISE-Arithmetic-v0"
    assert report["seeds"] == [0]
    for row in report["rows"]:
        for figure in ("m1@t1", "m5@t1", "m1@t5", "p1@t5"):
            assert 0 <= row[figure]["low"] <= row[figure]["mean"] <= row[figure]["high"] <= 1
        assert len(row["accuracy_by_turn"]) == 5
        assert row["accuracy_by_turn"][0] == row["m1@t1"]
    assert (out / "accuracy_by_turn.png").stat().st_size > 5000
    assert "iteration 1" in done.stdout

    # the same command again does nothing, and other settings touch nothing
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    refused = run(out, "--problems.train", "65")
    assert refused.returncode == 2
    assert "problems" in refused.stderr
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--env", "RISE-GSM9K-v0"], "did you mean 'RISE-GSM8K-v0'", id="unknown id"),
        pytest.param(["--env", "RISE-GSM8K-v0", "--problems.data-dir", "/none"], "/none", id="no folder"),
        pytest.param(["--agent.model", "/no/such/model"], "/no/such/model", id="no model"),
        pytest.param(["--fit", '{"learning_rat": 1}'], "did you mean 'learning_rate'", id="typo in fit"),
        pytest.param(["--fit", '{"model": "x"}'], "set by the loop", id="what the loop sets"),
        pytest.param(["--fit", '{"batch_size": 0}'], "at least 1", id="a setting of the fit"),
        pytest.param(["--iterations", "0"], "iterations must be at least 1", id="nothing to do"),
        pytest.param(["--problems.test", "100000"], "has 1000 problems", id="too many problems"),
        pytest.param(["--seeds", "[1, 1]"], "seeds must be different", id="a seed twice"),
        pytest.param(["--colour", "red"], "colour", id="unknown option"),
        pytest.param(
            ["--improve.teacher", "expert", "--improve.num_samples", "4"], "same reply", id="expert"
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["run", *arguments, "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["run", "--out", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_half_written_run_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("")
    assert main(["run", "--out", str(tmp_path)]) == 2
    assert "damaged" in capsys.readouterr().err


@pytest.mark.parametrize(("limits", "code"), [(FailureLimits(), 1), (FailureLimits(max_cut=0.7), 0)])
def test_a_run_whose_last_model_is_cut_too_often_ends_with_exit_code_1(
    limits: FailureLimits, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    all_cut, last = Outcomes(replies=10, cut=10).to_json(), Outcomes(replies=10, cut=6).to_json()
    rows = [{"name": "base", "outcomes": all_cut}, {"name": "iteration 1", "outcomes": last}]
    (tmp_path / "report.json").write_text(json.dumps({"rows": rows}))
    assert exit_code(tmp_path, limits) == code
    said = "rise run: iteration 1: 60.0 % of the replies were cut (failures.max_cut is 0.5)\n"
    assert capsys.readouterr().err == (said if code else "")
