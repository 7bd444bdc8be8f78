import dataclasses
from pathlib import Path
from typing import Any

import pytest

from rise_agents.deliberation.feedback_settings import FeedbackSettings
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.rollouts.collect_config import CollectConfig, turn_configs
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import FailureLimits
from rise_env.utils.settings import build
from rise_trainers.loop.config import (
    BoostConfig,
    ImproveConfig,
    MeasureConfig,
    ProblemsConfig,
    RunConfig,
    fit_config,
)
from rise_trainers.loop.phases import plan_phases


def names(config: RunConfig, size: int = 10_000) -> list[str]:
    return [phase.name for phase in plan_phases(config, size)]


def test_phases_come_in_the_order_of_the_algorithm() -> None:
    assert names(RunConfig(iterations=2, seeds=(0, 7))) == [
        f"seed-{seed}.{step}"
        for seed in (0, 7)
        for step in ("0-evaluate", "1-collect", "1-fit", "1-evaluate", "2-collect", "2-fit", "2-evaluate")
    ]


def test_iteration_k_plays_k_turns_and_the_improved_one() -> None:
    collects = [p for p in plan_phases(RunConfig(iterations=3), 10_000) if p.command == "collect"]
    assert [p.settings["turns"] for p in collects] == [2, 3, 4]
    assert {p.settings["num_samples"] for p in collects} == {16}


def test_the_improved_reply_may_be_sampled_in_its_own_way() -> None:
    released = SamplingConfig(temperature=0.7, max_new_tokens=512)
    config = RunConfig(iterations=2, improve=ImproveConfig(sampling=released))
    for phase in plan_phases(config, 10_000):
        if phase.command == "collect":
            assert phase.settings["last_turn_sampling"] == dataclasses.asdict(released)
            assert phase.settings["sampling"] == dataclasses.asdict(SamplingConfig())
            built = build(CollectConfig, phase.settings)
            assert [turn.sampling for turn in turn_configs(built)][-2:] == [None, released]
    assert not any("last_turn_sampling" in phase.settings for phase in plan_phases(RunConfig(), 10_000))


def test_all_phases_of_play_have_the_limits_of_failures_of_the_run_but_replies_may_be_cut() -> None:
    config = RunConfig(boost=BoostConfig(), failures=FailureLimits(max_failed=0.1, max_cut=0.2))
    for phase in plan_phases(config, 10_000):
        if phase.command != "fit":
            command: type[Any] = CollectConfig if phase.command == "collect" else EvaluateConfig
            built = build(command, phase.settings)
            assert built.failures == FailureLimits(max_failed=0.1, max_cut=1.0)


@pytest.mark.parametrize(("setting", "shown"), [("iteration", [1, 1, 1, 2]), (3, [3, 3, 3, 3])])
def test_a_run_may_measure_with_a_window_that_shows_the_last_attempts(setting: Any, shown: list[int]) -> None:
    config = RunConfig(
        iterations=2,
        boost=BoostConfig(),
        measure=MeasureConfig(history_turns=setting),
        problems=ProblemsConfig(test=10),
    )
    measured = [p for p in plan_phases(config, 10_000) if p.command == "evaluate"]
    assert [p.settings["history_turns"] for p in measured] == shown
    for phase in measured:
        evaluation = build(EvaluateConfig, phase.settings)
        assert evaluation.protocols == ("sequential", "parallel", "window")
        assert phase.progress_files[2].endswith("window.jsonl")
        assert phase.units == 30


def test_an_agent_writes_the_feedback_of_collections_and_evaluations_and_is_told_only_in_the_first() -> None:
    config = RunConfig(feedback="agent:tiny", feedback_settings=FeedbackSettings(told=True))
    phases = plan_phases(config, 10_000)
    for phase in phases:
        if phase.command == "collect":
            built = build(CollectConfig, phase.settings)
            assert (built.feedback, built.feedback_settings.told) == ("agent:tiny", True)
        elif phase.command == "evaluate":
            evaluation = build(EvaluateConfig, phase.settings)
            assert evaluation.played == ("sequential", "parallel", "agent_feedback")
            assert phase.progress_files[-1].endswith("agent_feedback.jsonl")
    assert {phase.command for phase in phases} > {"collect", "evaluate"}
    assert not any("feedback" in phase.settings for phase in plan_phases(RunConfig(), 10_000))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"feedback": "oracle"}, "write agent:AGENT"),
        ({"feedback": "agent:tiny", "problems": ProblemsConfig(settings={"feedback": "blind"})}, "give one"),
        (
            {
                "feedback": "agent:tiny",
                "feedback_settings": FeedbackSettings(told=True, prompt="It is {reference}."),
            },
            "set told to true",
        ),
    ],
)
def test_a_run_refuses_feedback_settings_that_cannot_work(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig(**settings)


def test_without_a_window_a_run_measures_as_before() -> None:
    [first, *_] = plan_phases(RunConfig(), 10_000)
    assert "protocols" not in first.settings
    assert first.units == 600
    with pytest.raises(ConfigError, match=r"measure\.history_turns must be at least 0, got -1"):
        RunConfig(measure=MeasureConfig(history_turns=-1))


def test_every_fit_starts_from_the_first_model_on_all_data_so_far() -> None:
    fits = [p for p in plan_phases(RunConfig(out="run", iterations=2), 10_000) if p.command == "fit"]
    assert fits[0].settings["model"] == fits[1].settings["model"]
    assert [len(p.settings["data"]) for p in fits] == [1, 2]


def test_continuing_is_a_switch() -> None:
    config = RunConfig(out="run", iterations=2, restart=False)
    fits = [p for p in plan_phases(config, 10_000) if p.command == "fit"]
    assert fits[1].settings["model"] == fits[0].settings["output"]
    assert [len(p.settings["data"]) for p in fits] == [1, 1]


def test_the_policy_that_plays_is_the_last_one_fitted() -> None:
    phases = {p.name: p for p in plan_phases(RunConfig(out="run", iterations=2), 10_000)}
    model = phases["seed-0.1-fit"].settings["output"]
    assert phases["seed-0.2-collect"].settings["agent"] == f"transformers:{model}"
    assert phases["seed-0.1-evaluate"].settings["agent"] == [f"transformers:{model}"]


def test_iterations_and_seeds_take_the_next_problems_and_start_over_at_the_end() -> None:
    config = RunConfig(iterations=2, seeds=(0, 1), problems=ProblemsConfig(train=40))
    starts = [p.settings["start"] for p in plan_phases(config, 100) if p.command == "collect"]
    assert starts == [0, 40, 40, 0]
    starts = [p.settings["start"] for p in plan_phases(config, 1000) if p.command == "collect"]
    assert starts == [0, 40, 480, 520]
    once = RunConfig(iterations=1, seeds=(0, 1), problems=ProblemsConfig(train=40))
    assert [p.settings["start"] for p in plan_phases(once, 1000) if p.command == "collect"] == [0, 480]
    small = [p.settings for p in plan_phases(config, 30) if p.command == "collect"]
    assert {(s["start"], s["limit"]) for s in small} == {(0, 30)}


def test_off_policy_every_iteration_is_played_by_the_first_model() -> None:
    phases = plan_phases(RunConfig(out="run", iterations=3, on_policy=False), 10_000)
    players = [p.settings["agent"] for p in phases if p.command == "collect"]
    assert len(players) == 3
    assert set(players) == {phases[0].settings["agent"][0]}  # the base, which is measured first


def test_a_run_that_measures_nothing_plays_and_fits_alone() -> None:
    phases = plan_phases(RunConfig(iterations=2, problems=ProblemsConfig(test=0)), 10_000)
    assert [p.command for p in phases] == ["collect", "fit", "collect", "fit"]


def test_seeds_of_collections_do_not_repeat() -> None:
    phases = plan_phases(RunConfig(iterations=5, seeds=tuple(range(5))), 10_000)
    seeds = [p.settings["seed"] for p in phases if p.command == "collect"]
    assert len(set(seeds)) == 25


def test_a_teacher_plays_the_last_turn() -> None:
    config = RunConfig(improve=ImproveConfig(teacher="expert", num_samples=1))
    collect = next(p for p in plan_phases(config, 100) if p.command == "collect")
    assert collect.settings["teacher"] == "expert"


def test_settings_of_the_fit_reach_it() -> None:
    config = RunConfig(fit={"tau": 0.7, "selection": {"criterion": "better"}, "batch-size": 32})
    fit = fit_config(config, data=("a",), model="m", output="o", seed=3)
    assert (fit.tau, fit.selection.criterion, fit.batch_size, fit.seed) == (0.7, "better", 32, 3)


def test_a_wrong_selection_is_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError):
        RunConfig(fit={"selection": {"criterium": "better"}})


def test_settings_of_a_teacher_that_there_is_not_are_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match=r"no improve\.teacher"):
        ImproveConfig(teacher_settings={"dtype": "float32"})


def test_nothing_is_written_by_planning(tmp_path: Path) -> None:
    plan_phases(RunConfig(out=str(tmp_path / "run")), 100)
    assert not list(tmp_path.iterdir())
