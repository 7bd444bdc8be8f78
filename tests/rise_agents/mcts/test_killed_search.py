"""A collection by search that is killed plays unfinished trees again, and no finished one."""

import subprocess
import sys
import time
from pathlib import Path

from rise_env.trajectories.store import read_trajectories
from rise_env.types import Trajectory
from tests.source_tree import ROOT


def start(out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rise_env.cli.main", "collect", "RISE-Arithmetic-v0"]
    command += [
        "--agent",
        "tests.rise_agents.mcts.slow_search:make_search",
        "--agent_settings.seconds",
        "0.01",
    ]
    command += ["--turns", "1", "--limit", "60", "--max_concurrent_episodes", "4", "--out", str(out)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def stored(out: Path) -> dict[str, Trajectory]:
    return {episode.id: episode for episode in read_trajectories(out / "trajectories.jsonl")}


def test_a_killed_collection_by_search_loses_no_finished_tree(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(killed)
    store = killed / "trajectories.jsonl"
    while process.poll() is None and not (store.exists() and store.read_bytes().count(b"\n") > 5):
        time.sleep(0.005)
    process.kill()
    process.wait()
    finished = stored(killed)
    assert finished
    assert start(killed).wait() == 0
    assert start(whole).wait() == 0
    assert stored(killed) == stored(whole)
    assert len(stored(whole)) == 60
    assert all(stored(whole)[name] == episode for name, episode in finished.items())
    assert all(episode.turns[0].considered for episode in finished.values())
