from pathlib import Path

import pytest

from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from rise_trainers.loop.config import BoostConfig, ImproveConfig, ProblemsConfig, RunConfig
from rise_trainers.loop.dry_run import describe
from rise_trainers.loop.estimate import Estimate
from rise_trainers.loop.phases import Phase
from rise_trainers.loop.speed import Speed

SPEED = Speed(reply_tokens_per_s=10.0, fit_tokens_per_s=100.0, load_s=20.0, fit_load_s=60.0)


def phase(command: str, **numbers: int) -> Phase:
    return Phase(
        name="p",
        title="",
        command=command,
        settings={},
        progress_files=(),
        cost=1.0,
        estimate=Estimate(**numbers),
    )


def test_hours_are_the_time_to_load_and_that_of_the_tokens() -> None:
    assert SPEED.hours(phase("evaluate", replies=10, tokens=35_800)) == pytest.approx(1.0)
    assert SPEED.hours(phase("fit", tokens=354_000)) == pytest.approx(1.0)
    assert SPEED.hours(phase("collect", replies=10, tokens_of_others=100, tokens=100)) == 0
    assert SPEED.hours(phase("collect", replies=10, tokens_of_others=35_800, tokens=71_600)) == pytest.approx(
        1.0
    )


def test_measuring_needs_a_dry_run() -> None:
    with pytest.raises(ConfigError, match="measure_speed needs dry_run"):
        RunConfig(measure_speed=True)


def test_a_measured_dry_run_prints_hours_and_leaves_nothing(tmp_path: Path) -> None:
    config = RunConfig(
        out=str(tmp_path / "run"),
        iterations=1,
        boost=BoostConfig(train=8, turns=1),
        problems=ProblemsConfig(train=8, test=8),
        improve=ImproveConfig(num_samples=2),
        sampling=SamplingConfig(max_new_tokens=20),
        fit={"batch_size": 8, "epochs": 1},
        dry_run=True,
        measure_speed=True,
    )
    text = describe(config)
    head = next(line for line in text.splitlines() if line.startswith("phase"))
    assert head.endswith("hours")
    assert "reply tokens/s" in text
    assert list(tmp_path.iterdir()) == []
