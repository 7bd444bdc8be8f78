import json
from dataclasses import replace
from pathlib import Path

import pytest

import rise_env
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.learning.examples import obedient
from rise_agents.memory.settings import MemorySettings
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_benchmarks.bench import BenchConfig, run
from rise_benchmarks.learning import streams
from rise_benchmarks.learning.ceiling import measure
from rise_benchmarks.learning.given import examples, write_told_memory
from rise_benchmarks.learning.rows import LearnedRow, measurements
from rise_benchmarks.suites import SUITES, Suite
from rise_env.errors import ConfigError
from rise_env.problems.conventions.generator import ConventionProblems

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
    [entry] = json.loads((out / "result.json").read_text())["learned"]
    assert (entry["row"], entry["seed"]) == (kept[-1], 0)
    assert entry["spent"]["reflector"]["calls"] > 0
    assert f"| {kept[-1]} | 0 | {entry['conventions']['stated']} of " in text


def test_a_suite_of_learning_takes_one_agent() -> None:
    with pytest.raises(ConfigError, match="lets one agent learn"):
        BenchConfig(suite="conventions")


def test_the_best_of_several_books_is_measured(tmp_path: Path) -> None:
    common = EvaluateConfig(env="RISE-Conventions-v0", agent=(OBEDIENT,), seeds=(3,), out=str(tmp_path / "e"))
    learn = {"train": 8, "validate": 8, "rules": {"accept": "always", "step_validate": 0, "calls": 12}}
    row = LearnedRow(wraps="instructed", method="rules", best_of=2, learn=learn)
    [found] = measurements(common, {"best": row}, tmp_path / "l")
    scores = {}
    for place in (0, 1):
        folder = tmp_path / "l" / "best" / "seed-3" / str(place)
        result = json.loads((folder / "result.json").read_text())
        scores[str(folder / "rules.json")] = result["validation"].get("rules", 0.0)
    assert scores[found.agent_settings["rules"]] == max(scores.values())


def test_a_memory_that_is_told_holds_every_convention(tmp_path: Path) -> None:
    env_settings = {"families": 20, "law": "zipf", "largest": 10}
    write_told_memory(tmp_path / "m", "RISE-Conventions-v0", env_settings)
    agent = load_agent(f"sage:{OBEDIENT}", memory=str(tmp_path / "m"), checks=0)
    envs = [rise_env.make("RISE-Conventions-v0", max_turns=1, **env_settings) for _ in range(40)]
    episodes = rollout([TurnPlan(agent)], envs, range(40), SamplingConfig(), seed=0)
    assert all(episode.turns[0].action.check.correct for episode in episodes)


def test_examples_are_training_problems_with_solutions_and_others_for_each_seed() -> None:
    found = {seed: examples({"largest": 10}, seed, 3) for seed in range(3)}
    assert len({pair for pairs in found.values() for pair in pairs}) == 9
    problems = ConventionProblems(split="train", largest=10)
    assert found[1][0] == (problems[3].question, problems[3].solution)
