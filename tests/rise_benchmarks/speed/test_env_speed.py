import json
import sys
from functools import partial
from pathlib import Path

import pytest

from rise_benchmarks.speed import env as bench
from rise_benchmarks.speed.timing import measure
from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.problems.loading import load_problems


@pytest.mark.parametrize("turns", [1, 5])
def test_an_environment_does_at_least_fifty_thousand_steps_per_cpu_second(turns: int) -> None:
    problems = list(load_problems("Arithmetic", split="test", size=bench.EPISODES))
    play = bench.episodes(MathEnv(problems, NumericChecker()), problems, turns)
    assert measure("x", play, seconds=0.1, repeats=3).per_cpu_second > 50_000


def test_a_batch_does_at_least_thirty_thousand_steps_per_cpu_second() -> None:
    problems = list(load_problems("Arithmetic", split="test", size=100))
    play = bench.batches(MathVectorEnv(problems, NumericChecker(), 64, autoreset_mode="SameStep"))
    assert measure("x", play, seconds=0.1, repeats=3).per_cpu_second > 30_000


def test_a_report_is_written_whether_peers_are_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    monkeypatch.setattr(bench, "measure", lambda name, run: measure(name, run, seconds=0.001, repeats=1))
    monkeypatch.setattr(bench, "wrappers", partial(bench.wrappers, 1))
    monkeypatch.setattr(bench, "peers", lambda *_: [{"system": "GEM", "error": "not installed"}])
    path = tmp_path / "speed.json"
    assert bench.main(["--peers", sys.executable, "--output", str(path)]) == 0
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
