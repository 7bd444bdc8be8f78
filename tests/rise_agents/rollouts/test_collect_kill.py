"""A collection that is killed at random points ends with the same store as an undisturbed one."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from rise_env.trajectories.store import read_trajectories
from rise_env.types import Trajectory

ROOT = Path(__file__).parents[3]


KINDS = ["make_agent", "make_streamer"]


def start(out: Path, episodes: int, kind: str = "make_agent") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rise_env.cli.main", "collect", "RISE-Arithmetic-v0"]
    command += [
        "--agent",
        f"tests.rise_agents.slow_agents:{kind}",
        "--agent_settings.seconds",
        "0.001",
    ]
    command += ["--turns", "2", "--limit", str(episodes), "--max_concurrent_episodes", "4", "--out", str(out)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def rows(out: Path) -> list[Trajectory]:
    return list(read_trajectories(out / "trajectories.jsonl"))


def wait_for_store(process: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until the process has the store open, or is done."""
    while process.poll() is None and not (out / "config.yaml").exists():
        time.sleep(0.01)


def disturbed(tmp_path: Path, kills: int, episodes: int, how: signal.Signals, kind: str) -> tuple[Path, int]:
    draws = random.Random(kills)
    out = tmp_path / "disturbed"
    hit = 0
    while hit < kills:
        process = start(out, episodes, kind)
        wait_for_store(process, out)
        time.sleep(draws.uniform(0.0, 0.1) + (0.3 if hit else 0.0))
        if process.poll() is not None:
            break
        process.send_signal(how)
        process.wait()
        hit += 1
    assert start(out, episodes, kind).wait() == 0
    return out, hit


def check(tmp_path: Path, out: Path, episodes: int) -> None:
    undisturbed = tmp_path / "undisturbed"
    assert start(undisturbed, episodes).wait() == 0
    assert set(Counter(trajectory.id for trajectory in rows(out)).values()) == {1}
    assert sorted(rows(out), key=lambda t: t.id) == sorted(rows(undisturbed), key=lambda t: t.id)
    assert len(rows(undisturbed)) == episodes


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_collection_continues_and_ends_with_the_same_episodes(tmp_path: Path, kind: str) -> None:
    out, hit = disturbed(tmp_path, kills=2, episodes=200, how=signal.SIGKILL, kind=kind)
    assert hit >= 1
    check(tmp_path, out, 200)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_collection_exits_with_130_and_continues(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "disturbed"
    process = start(out, 200, kind)
    wait_for_store(process, out)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert start(out, 200, kind).wait() == 0
    check(tmp_path, out, 200)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_thirty_kills_at_random_points_lose_nothing_and_store_nothing_twice(
    tmp_path: Path, kind: str
) -> None:
    out, hit = disturbed(tmp_path, kills=30, episodes=4000, how=signal.SIGKILL, kind=kind)
    assert hit == 30
    check(tmp_path, out, 4000)
