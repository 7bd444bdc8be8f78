from dataclasses import replace
from pathlib import Path

import pytest

from rise_agents.learning.examples import obedient
from rise_agents.memory.settings import MemorySettings
from rise_benchmarks.bench import BenchConfig, run
from rise_benchmarks.learning import streams
from rise_benchmarks.learning.ceiling import measure
from rise_benchmarks.suites import SUITES, Suite
from rise_env.errors import ConfigError

OBEDIENT = "rise_agents.learning.examples:obedient"


def test_the_ceiling_of_an_agent_that_obeys_rules_is_one() -> None:
    result = measure(obedient(), 30)
    assert result["none"] < 0.2
    assert result["ceiling"] == 1


def test_belady_and_fifo_are_right_on_a_stream_worked_by_hand() -> None:
    families = [1, 2, 1, 3, 2, 1]  # with room for 2, Belady does not keep 3, and hits three times
    assert streams.best_possible(families, 2) == pytest.approx(3 / 6)
    assert streams.hit_rate(families, MemorySettings(policy="fifo", capacity=2)) == pytest.approx(2 / 6)
    assert streams.best_possible(families, 1) == pytest.approx(2 / 6)


@pytest.mark.parametrize("name", ["zipf", "half", "drift"])
def test_no_policy_is_above_the_best_possible_one(name: str) -> None:
    families = streams.stream(name, 1, 300)
    for settings in streams.ROWS.values():
        if settings["policy"] != "all":
            rate = streams.hit_rate(families, MemorySettings(**{**settings, "capacity": 10}))  # type: ignore[arg-type]
            assert rate <= streams.best_possible(families, 10)


@pytest.mark.parametrize(
    ("name", "kept"), [("conventions", ("no rules", "ceiling", "rules")), ("memory", ("no memory", "lru"))]
)
def test_a_suite_lets_an_agent_learn_and_measures_it(
    name: str, kept: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = SUITES[name]
    rows = {label: suite.learned[label] for label in kept}
    small = {
        "rules": {"train": 12, "validate": 12, "rules": {"draws": 1, "step_validate": 12, "calls": 60}},
        "memory": {"train": 24, "memory": {"policy": "lru", "generation": 8}},
    }
    rows = {
        label: replace(row, learn=small[row.method]) if row.method else row for label, row in rows.items()
    }
    fewer: dict[str, Suite] = {name: replace(suite, learned=rows)}
    monkeypatch.setattr("rise_benchmarks.bench.SUITES", fewer)
    out = run(BenchConfig(suite=name, agent=(OBEDIENT,), out=str(tmp_path / "b"), limit=12, seeds=(0,)))
    text = (out / "result.md").read_text()
    assert all(f"| {label} |" in text for label in kept)


def test_a_suite_of_learning_takes_one_agent() -> None:
    with pytest.raises(ConfigError, match="lets one agent learn"):
        BenchConfig(suite="conventions")
