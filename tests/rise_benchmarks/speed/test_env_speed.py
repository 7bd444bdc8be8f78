import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from rise_benchmarks.speed import env as bench
from rise_benchmarks.speed.timing import measure
from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.problems.loading import load_problems

MOST_CALLS = 40
"""Python functions that one step may call (23 were counted): unlike time, the same everywhere."""


def calls(step: Callable[[], object]) -> int:
    """Count the Python functions that one call runs, after a first one that fills the caches."""
    step()
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        step()
    finally:
        sys.setprofile(before)
    return counted


def test_a_step_of_an_environment_runs_few_python_functions() -> None:
    problems = list(load_problems("Arithmetic", split="test", size=10))
    env = MathEnv(problems, NumericChecker())
    env.reset(seed=0)
    assert calls(lambda: env.step(bench.WRONG)) < MOST_CALLS


def test_a_step_of_a_batch_runs_few_python_functions_per_episode() -> None:
    problems = list(load_problems("Arithmetic", split="test", size=100))
    envs = MathVectorEnv(problems, NumericChecker(), 64, autoreset_mode="SameStep")
    envs.reset(seed=0)
    assert calls(lambda: envs.step([bench.WRONG] * 64)) < MOST_CALLS * 64


def test_a_report_is_written_whether_peers_are_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    monkeypatch.setattr(bench, "measure", lambda name, run: measure(name, run, seconds=0.001, repeats=1))
    monkeypatch.setattr(bench, "wrappers", partial(bench.wrappers, 1))
    monkeypatch.setattr(bench, "peers", lambda *_: [{"system": "GEM", "error": "not installed"}])
    path = tmp_path / "speed.json"
    page = tmp_path / "profile.md"
    page.write_text(f"Before.\n{bench.BEGIN}\nold\n{bench.END}\nAfter.\n")
    command = ["--peers", sys.executable, "--output", str(path), "--profile", str(page)]
    assert bench.main(command) == 0
    before, *tables, after = page.read_text().splitlines()
    assert (before, after, "old" in tables) == ("Before.", "After.", False)
    assert sum(line.startswith(("| extraction", "| info", "| MathVectorEnv, 64")) for line in tables) == 3
    record = json.loads(path.read_text())
    assert record["problems"] == "Arithmetic test"
    assert record["rates"][0]["per_second"] > 0
    assert record["rates"][-1]["error"] == "not installed"
    assert record["wrappers"]["ratios"] == [record["wrappers"]["ratio"]]
    assert "| GEM | not measured: not installed" in capsys.readouterr().out


def test_peers_that_are_not_installed_are_told() -> None:
    problems = list(load_problems("Arithmetic", split="test", size=3))
    found = bench.peers(sys.executable, None, problems)
    assert {row["system"] for row in found} == {"GEM", "skyrl-gym", "verifiers 0.3"}
    assert all("No module named" in row["error"] for row in found)
