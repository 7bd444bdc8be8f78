from dataclasses import replace

import pytest

from rise_env.errors import ConfigError
from rise_trainers.loop.config import ImproveConfig, RunConfig
from rise_trainers.loop.model_texts import teacher_settings, with_models
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


def test_models_of_the_run_are_searched_with_the_settings_of_its_agent() -> None:
    of_agent = {"memory": 0.4}
    given = {"critic": "verifier:{critic}"}
    settings = teacher_settings("mcts:{learner}", given, of_agent)
    assert settings == {**given, "inner": of_agent, "critic_settings": of_agent}
    own = {**given, "inner": {}, "critic_settings": {"dtype": "float32"}}
    assert teacher_settings("mcts:{learner}", own, of_agent) == own
    assert teacher_settings("mcts:tiny", {"critic": "agreement"}, of_agent) == {"critic": "agreement"}
    assert teacher_settings("expert", {}, of_agent) == {}


def test_only_the_text_learner_is_replaced() -> None:
    assert with_models(None, learner="x") is None
    assert with_models("expert", learner="x") == "expert"
    assert with_models({"a": ["{learner}", 1.5, None], "{learner}": True}, learner="x") == {
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
