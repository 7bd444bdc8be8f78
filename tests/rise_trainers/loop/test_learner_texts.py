from dataclasses import replace

import pytest

from rise_env.errors import ConfigError
from rise_trainers.loop.config import ImproveConfig, RunConfig
from rise_trainers.loop.learner_texts import with_learner
from rise_trainers.loop.phases import plan_phases
from rise_trainers.loop.preflight import machine_checks


def test_the_learner_of_each_iteration_is_searched() -> None:
    improve = ImproveConfig(
        teacher="mcts:{learner}",
        teacher_settings={"critic": "verifier:{learner}", "tokens": 90, "inner": {"dtype": "float32"}},
        num_samples=1,
    )
    collections = [
        phase.settings
        for phase in plan_phases(RunConfig(out="run", iterations=2, turns=1, improve=improve), 10_000)
        if phase.command == "collect"
    ]
    assert [one["teacher"] for one in collections] == [f"mcts:{one['agent']}" for one in collections]
    assert collections[0]["teacher"] != collections[1]["teacher"]
    assert collections[1]["teacher_settings"] == {
        "critic": f"verifier:{collections[1]['agent']}",
        "tokens": 90,
        "inner": {"dtype": "float32"},
    }


def test_only_the_text_learner_is_replaced() -> None:
    assert with_learner(None, "x") is None
    assert with_learner("expert", "x") == "expert"
    assert with_learner({"a": ["{learner}", 1.5, None], "{learner}": True}, "x") == {
        "a": ["x", 1.5, None],
        "{learner}": True,
    }


def test_the_search_over_the_first_model_is_checked_before_a_run() -> None:
    improve = ImproveConfig(teacher="mcts:{learner}", teacher_settings={"tokens": 9}, num_samples=1)
    checks = machine_checks(RunConfig(improve=improve))
    [found] = [check for check in checks if check.what.startswith("teacher mcts:transformers:")]
    assert found.call() == "can be made"
    wrong = RunConfig(improve=replace(improve, teacher_settings={"critic": "verifier:{lerner}"}))
    [refused] = [check for check in machine_checks(wrong) if check.what.startswith("teacher")]
    with pytest.raises(ConfigError, match=r"no agent '\{lerner\}'"):
        refused.call()
