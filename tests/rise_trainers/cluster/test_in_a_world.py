"""Fits and runs as several processes that torchrun or srun started, on two ranks on the CPU."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from rise_env.trajectories.store import read_trajectories
from rise_trainers.fitting.config import to_json
from rise_trainers.fitting.fit import fit
from rise_trainers.fitting.paths import partial_folder
from tests.rise_trainers import run_kills, small_models
from tests.waiting import PATIENCE_S

RISE = "rise_env.cli.main"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", RISE]
SRUN = [sys.executable, "-m", "tests.rise_trainers.cluster.srun", "2", sys.executable, "-m", RISE]
TWO_NODES = [sys.executable, "-m", "tests.rise_trainers.cluster.srun", "1,1", sys.executable, "-m", RISE]
SMALL = [
    *("--iterations", "1", "--turns", "2", "--sampling.max_new_tokens", "40", "--improve.num_samples", "1"),
    *("--problems.train", "8", "--problems.test", "0"),
]
FIT = '"batch_size": 8, "micro_batch_size": 2, "epochs": 1, "learning_rate": 1e-3, "policy_sequences": 4'


def start(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def settings_file(folder: Path, name: str, **changed: object) -> list[str]:
    """Write the settings of a small fit, and return the arguments of `rise fit`."""
    settings = {"epochs": 1.0, **changed}
    config = small_models.fit_config(folder, output=str(folder / name), **settings)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(to_json(config)))
    return ["fit", "--config", str(folder / f"{name}.yaml")]


def test_a_fit_that_srun_started_twice_ends_with_the_weights_of_the_plain_launcher(tmp_path: Path) -> None:
    fit(small_models.fit_config(tmp_path, output=str(tmp_path / "plain"), epochs=1.0, ranks=2))
    world = start([*SRUN, *settings_file(tmp_path, "world")])
    printed, _ = world.communicate(timeout=PATIENCE_S)
    assert world.returncode == 0, printed
    assert weights(tmp_path / "world") == weights(tmp_path / "plain")
    assert not partial_folder(tmp_path / "world").exists()


def test_a_fit_that_fails_in_a_world_ends_every_process_with_one_reason(tmp_path: Path) -> None:
    world = start([*SRUN, *settings_file(tmp_path, "world", max_length=2)])
    printed, _ = world.communicate(timeout=PATIENCE_S)
    assert world.returncode, printed  # the highest code of the tasks, of which srun ends those that still run
    assert "max_length" in printed


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [TORCHRUN, SRUN], ids=["torchrun", "srun"])
def test_a_run_in_a_world_ends_with_the_weights_of_the_plain_launcher(
    launcher: list[str], tmp_path: Path
) -> None:
    def run(command: list[str], name: str, fitting: str) -> Path:
        done = start([*command, "run", *SMALL, "--out", str(tmp_path / name), "--fit", f"{{{fitting}}}"])
        printed, _ = done.communicate(timeout=PATIENCE_S)
        assert done.returncode == 0, printed
        return tmp_path / name / "seed-0" / "iteration-1" / "model"

    plain = run([sys.executable, "-m", RISE], "plain", f'{FIT}, "ranks": 2')
    assert weights(run(launcher, "world", FIT)) == weights(plain)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [TORCHRUN, SRUN], ids=["torchrun", "srun"])
def test_a_killed_world_leaves_no_process_and_the_same_command_continues_it(
    launcher: list[str], tmp_path: Path
) -> None:
    command = [*launcher, *settings_file(tmp_path, "world", save_every=1, epochs=8.0)]
    fit(small_models.fit_config(tmp_path, output=str(tmp_path / "plain"), epochs=8.0, ranks=2))
    world = start(command)
    deadline = time.monotonic() + PATIENCE_S
    while not any(partial_folder(tmp_path / "world").glob("**/checkpoint-*")):
        assert world.poll() is None, world.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    started = psutil.Process(world.pid).children(recursive=True)
    first = min((child for child in started if child.ppid() == world.pid), key=lambda child: child.pid)
    os.kill(world.pid if launcher is TORCHRUN else first.pid, signal.SIGKILL)
    world.communicate(timeout=PATIENCE_S)
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive, "a process outlived its world"
    again = start(command)
    printed, _ = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, printed
    assert weights(tmp_path / "world") == weights(tmp_path / "plain")


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install '.[ray]'"
)
def test_a_run_on_two_machines_plays_in_a_ray_cluster_of_its_own_and_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(run_kills.MARK, str(tmp_path))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", str(int(PATIENCE_S)))  # a busy machine takes long
    monkeypatch.delenv("RAY_ADDRESS", raising=False)

    def run(command: list[str], name: str, *more: str) -> Path:
        done = start([*command, "run", *SMALL, "--out", str(tmp_path / name), *more])
        printed, _ = done.communicate(timeout=PATIENCE_S)
        assert done.returncode == 0, printed
        return tmp_path / name / "seed-0" / "iteration-1"

    plain = run([sys.executable, "-m", RISE], "plain", "--fit", f'{{{FIT}, "ranks": 2}}')
    world = run(TWO_NODES, "world", "--fit", f"{{{FIT}}}", "--workers", "ray:2")
    assert not run_kills.marked(str(tmp_path)), "a process outlived the run"
    episodes = list(read_trajectories(world / "collect" / "trajectories.jsonl"))
    assert len({episode.problem.id for episode in episodes}) == len(episodes) == 8
    assert weights(world / "model") == weights(plain / "model")
