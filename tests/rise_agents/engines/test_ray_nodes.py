"""Collecting and evaluating on a cluster of two Ray nodes, of which one dies; skipped without Ray."""

import importlib.util
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rise_agents.cli.collect import run as collect
from rise_agents.engines import ray_nodes
from rise_agents.evaluation import evaluate_agents
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.rollouts.collect_config import CollectConfig
from rise_env.trajectories.store import read_run, read_trajectories
from tests.waiting import PATIENCE_S

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install '.[ray]'"
    ),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
SLOW = {"agent_settings": {"seconds": 0.05}, "max_concurrent_episodes": 5}
AGENT = "tests.rise_agents.slow_agents:make_agent"


class Cluster:
    """Two nodes of Ray on this machine, each with room for one worker."""

    def __init__(self) -> None:
        self._nodes: list[subprocess.Popen[bytes]] = []
        port = 20_000 + psutil.Process().pid % 10_000
        self.address = f"127.0.0.1:{port}"
        self._start(ray_nodes.head_command(port))
        ray_nodes.wait_for_nodes(self.address, 1, PATIENCE_S)
        self.add_node()

    def add_node(self) -> None:
        """Start another node, and wait until there are two."""
        self._start(ray_nodes.node_command(self.address))
        ray_nodes.wait_for_nodes(self.address, 2, PATIENCE_S)

    def kill_last_node(self) -> None:
        """End the last node with all its processes, as when its machine fails."""
        node = psutil.Process(self._nodes[-1].pid)
        processes = [*node.children(recursive=True), node]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE_S)

    def end(self) -> None:
        """End all nodes."""
        for node in self._nodes:
            node.terminate()
        for node in self._nodes:
            node.wait()

    def _start(self, command: list[str]) -> None:
        words = [sys.executable, "-m", *command, "--num-cpus", "1"]
        self._nodes.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", str(int(PATIENCE_S)))  # a busy machine takes long
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0" * 64)
    cluster = Cluster()
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    yield cluster
    cluster.end()


def when(ready: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    """Call `then` in a thread as soon as `ready`."""

    def wait() -> None:
        while not ready():
            time.sleep(0.01)
        then()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def by_id(path: Path) -> dict[str, object]:
    stored = list(read_trajectories(path))
    assert set(Counter(trajectory.id for trajectory in stored).values()) == {1}
    return {trajectory.id: trajectory for trajectory in stored}


def test_a_node_that_dies_in_each_phase_costs_only_its_episodes(cluster: Cluster, tmp_path: Path) -> None:
    def collection(name: str, **more: Any) -> Path:
        out = tmp_path / name
        given = {"env": "RISE-Arithmetic-v0", "agent": AGENT, "turns": 2, "limit": 60, **SLOW, **more}
        collect(CollectConfig(out=str(out), **given), show=False)
        return out / "trajectories.jsonl"

    def evaluation(name: str, **more: Any) -> Path:
        out = tmp_path / name
        given = {"agent": (AGENT,), "turns": 2, "num_samples": 2, "limit": 60, **SLOW, **more}
        evaluate_agents.run(EvaluateConfig(out=str(out), **given))
        return out / "slow" / "seed-0"

    store = tmp_path / "workers" / "trajectories.jsonl"
    killed = when(lambda: lines(store) > 1, cluster.kill_last_node)
    collection("workers", workers="ray:2")
    killed.join()
    assert by_id(store) == by_id(collection("single"))

    cluster.add_node()
    logs = tmp_path / "evaluated" / "slow" / "seed-0"
    killed = when(lambda: lines(logs / "sequential.jsonl") > 1, cluster.kill_last_node)
    evaluation("evaluated", workers="ray:2")
    killed.join()
    alone = evaluation("alone")
    for name in ("sequential.jsonl", "parallel.jsonl"):
        assert by_id(logs / name) == by_id(alone / name)
        assert read_run(logs / name) == read_run(alone / name)
