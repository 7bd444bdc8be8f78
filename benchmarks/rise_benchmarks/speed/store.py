r"""Trajectories written and read per second, and memory while 100,000 episodes are collected.

    make bench-store

Both wall time and CPU time are measured. On a busy machine, the CPU time is close to the wall time of an idle
machine. For comparison, Python's `json` parses the same lines.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.progress import Progress
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.speed.machine import machine
from rise_env.trajectories.store import TrajectoryStore, load_trajectories
from rise_env.types import Conversation, Trajectory

TURNS = 5
STEPS = "Ava: 12+5=17. Ben: 17*3=51. Ava and Ben: 17+51=68. Carl: 68-9=59. \\boxed{-1}"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--episodes", type=int, default=100_000, help="number of episodes (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "command": "make bench-store",
            "machine": machine(),
            "episodes": arguments.episodes,
            "turns": TURNS,
            "collect": collecting(Path(folder), arguments.episodes),  # first, while nothing is loaded
            **measure(Path(folder), arguments.episodes),
        }
    print(json.dumps(result, indent=2))
    if arguments.output:
        write_result(arguments.output, result)


def measure(folder: Path, episodes: int) -> dict[str, Any]:
    """Append generated episodes, and read them back three times."""
    path = folder / "store.jsonl"
    templates = _templates()
    wall = cpu = 0.0
    with TrajectoryStore(path, {"purpose": "benchmark"}) as store:
        for start in range(0, episodes, 1000):
            batch = [
                _renamed(templates[i % len(templates)], f"{i:024x}")
                for i in range(start, min(episodes, start + 1000))
            ]
            seconds = _timed(lambda batch=batch: store.append(batch))  # type: ignore[misc]
            wall, cpu = wall + seconds[0], cpu + seconds[1]
    loads = [_timed(lambda: load_trajectories(path)) for _ in range(3)]
    limits = [_timed(lambda: _parse_only(path)) for _ in range(3)]
    return {
        "bytes_per_trajectory": path.stat().st_size / episodes,
        "append_per_second": episodes / wall,
        "append_per_cpu_second": episodes / cpu,
        "load_seconds": min(seconds for seconds, _ in loads),
        "load_cpu_seconds": min(seconds for _, seconds in loads),
        "json_loads_alone_cpu_seconds": min(seconds for _, seconds in limits),
    }


def collecting(folder: Path, episodes: int) -> dict[str, Any]:
    """Collect scripted episodes, and record the memory in use at several points."""
    rows: list[dict[str, float]] = []

    def note(progress: Progress) -> None:
        if not rows or progress.done - rows[-1]["episodes"] >= episodes // 5 or progress.done == episodes:
            rows.append({"episodes": progress.done, "resident_mib": _resident() / 2**20})

    agent = ScriptedAgent(_wrong)
    began = time.perf_counter()
    with TrajectoryStore(folder / "collected.jsonl", {"purpose": "benchmark"}) as store:
        collect(
            [TurnPlan(agent)] * TURNS,
            _make_env,
            range(episodes),
            store,
            SamplingConfig(),
            seed=0,
            max_concurrent_episodes=256,
            on_progress=note,
        )
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "episodes_per_second": episodes / seconds,
        "memory": rows,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _templates() -> list[Trajectory]:
    envs = [_make_env() for _ in range(200)]
    return rollout([TurnPlan(ScriptedAgent(_wrong))] * TURNS, envs, range(200), SamplingConfig(), seed=0)


def _make_env() -> gymnasium.Env[Any, str]:
    assert rise_env
    return gymnasium.make("RISE-Arithmetic-v0", disable_env_checker=True)


def _wrong(conversation: Conversation) -> str:
    return STEPS


def _renamed(trajectory: Trajectory, name: str) -> Trajectory:
    return Trajectory(
        id=name,
        problem=trajectory.problem,
        turns=trajectory.turns,
        seed=trajectory.seed,
        truncated=trajectory.truncated,
    )


def _parse_only(path: Path) -> list[Any]:
    with path.open("rb") as file:
        return [json.loads(line) for line in file]


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = run()
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    del made  # deleting the result is not part of the measured call
    return seconds


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
