import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import rise_env
from rise_agents.backends.sage_agent import SageAgent, SageSettings
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.evaluation.runner import EvaluationSettings, evaluate
from rise_agents.learning.examples import obedient
from rise_agents.memory.events import read_memory
from rise_agents.memory.settings import MemorySettings
from rise_agents.types import Agent
from rise_env.errors import ConfigError
from rise_env.trajectories.store import read_trajectories
from tests.rise_agents.learning.folder_copies import copies_after_every_write

RECORD = {"label": "a", "order": 0, "env": "RISE-Conventions-v0", "env_settings": {}, "seed": 0}


def make_env(settings: Any) -> Any:
    return rise_env.make("RISE-Conventions-v0", split="test", **settings)


def evolve(folder: Path, agent: Agent | None = None, count: int = 24, generation: int = 8) -> dict[str, Any]:
    agent = agent or SageAgent(obedient(), settings=SageSettings(checks=0))
    settings = EvaluationSettings(memory=MemorySettings(told_verdict=False, generation=generation))
    evaluate(
        agent,
        make_env,
        range(count),
        folder,
        settings,
        seed=0,
        run_record=RECORD,
        protocols=["evolving"],
    )
    result: dict[str, Any] = json.loads((folder / "evolving" / "result.json").read_text())
    return result


def test_an_agent_that_remembers_becomes_better_and_all_episodes_are_in_one_store(tmp_path: Path) -> None:
    result = evolve(tmp_path, count=48)
    assert result["by generation"][0] < 0.3 < 0.6 < result["last fifth"]
    episodes = list(read_trajectories(tmp_path / "evolving.jsonl"))
    assert len(episodes) == 48
    right = sum(episode.turns[0].action.check.correct for episode in episodes)
    assert right / 48 == pytest.approx(result["m1@t1"])


def test_the_memory_of_the_agent_is_the_first_one_and_stays_as_it_is(tmp_path: Path) -> None:
    evolve(tmp_path / "first")
    memory, _ = read_memory(tmp_path / "first" / "evolving" / "memory.jsonl")
    agent = SageAgent(obedient(), memory, settings=SageSettings(checks=0))
    assert evolve(tmp_path / "second", agent)["by generation"][0] > 0.6
    assert agent.memory == memory


def test_an_evaluation_killed_after_any_write_ends_with_equal_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    with copies_after_every_write(out, tmp_path / "copies", monkeypatch) as copies:
        expected = evolve(out, count=9, generation=3)
    memory = (out / "evolving" / "memory.jsonl").read_bytes()
    assert len(copies) > 6
    for copy in copies:
        shutil.rmtree(out)
        shutil.copytree(copy, out)
        assert evolve(out, count=9, generation=3) == expected, copy.name
        assert (out / "evolving" / "memory.jsonl").read_bytes() == memory


def test_an_agent_without_a_memory_is_refused_before_anything_is_played(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs an agent with a memory"):
        evolve(tmp_path / "r", obedient())
    assert not (tmp_path / "r").exists()


def test_a_reflector_that_is_told_the_verdicts_of_test_problems_needs_told() -> None:
    with pytest.raises(ConfigError, match="set told to true as well"):
        EvaluateConfig(memory=MemorySettings(told_verdict=True))
    EvaluateConfig(memory=MemorySettings(told_verdict=True), told=True)


def test_evolving_is_played_in_one_process() -> None:
    with pytest.raises(ConfigError, match="evolving is played in one process"):
        EvaluateConfig(protocols=("evolving",), workers="ray:2")
