from pathlib import Path

import pytest

from rise_env.errors import ConfigError
from rise_env.utils.settings import build
from rise_trainers.cli.label import LabelConfig
from rise_trainers.critic.config import CriticConfig
from rise_trainers.loop.config import ImproveConfig, ProblemsConfig, RunConfig
from rise_trainers.loop.phases import Phase, plan_phases
from rise_trainers.loop.preflight import check_phases, machine_checks

SEARCH = ImproveConfig(
    teacher="mcts:{learner}",
    teacher_settings={"critic": "verifier:{critic}", "option": "sentence"},
    num_samples=1,
)


def phases(critic: CriticConfig, iterations: int = 2, test: int = 0) -> dict[str, Phase]:
    config = RunConfig(
        out="run", iterations=iterations, critic=critic, improve=SEARCH, problems=ProblemsConfig(test=test)
    )
    check_phases(config, 10_000)
    return {phase.name: phase for phase in plan_phases(config, 10_000)}


def test_a_critic_is_played_for_fitted_and_measured_before_the_first_iteration() -> None:
    found = phases(CriticConfig(train=50, samples=3, fit={"epochs": 2.0}))
    names = [f"seed-0.0-critic-{name}" for name in ("play", "label", "fit", "measure")]
    assert list(found)[:5] == [*names, "seed-0.1-collect"]
    assert not any("critic" in name for name in list(found)[5:])
    play, label, fit, measure = (found[name] for name in names)
    assert (play.settings["limit"], play.settings["draws"], play.settings["turns"]) == (50, 3, 1)
    assert play.settings["env_settings"]["split"] == "train"
    assert label.settings["store"] == list(play.progress_files)
    assert label.settings["examples"]["option"] == "sentence"  # that of the search
    assert fit.settings["data"] == [label.progress_files[0]]
    assert (fit.settings["epochs"], fit.settings["weights"]) == (2.0, "uniform")
    assert measure.settings["store"] == [label.progress_files[1]]
    assert measure.settings["measure"] == f"transformers:{fit.settings['output']}"
    for k in (1, 2):
        of_search = found[f"seed-0.{k}-collect"].settings["teacher_settings"]
        assert of_search["critic"] == f"verifier:{measure.settings['measure']}"
    for one in (label, measure):
        build(LabelConfig, one.settings)


def test_a_critic_is_not_fitted_with_the_signal_and_the_selection_of_the_loop() -> None:
    loop = {"signal": "score", "selection": {"criterion": "successful", "success": 0.9}, "batch_size": 4}
    config = RunConfig(critic=CriticConfig(), improve=SEARCH, fit=loop)
    found = {phase.name: phase.settings for phase in plan_phases(config, 10_000) if phase.command == "fit"}
    critic = found["seed-0.0-critic-fit"]
    assert (critic["signal"], critic["selection"]["criterion"], critic["batch_size"]) == ("reward", "all", 4)
    assert found["seed-0.1-fit"]["signal"] == "score"


def test_a_critic_that_is_fitted_again_learns_from_the_collections_too() -> None:
    found = phases(CriticConfig(again=True), iterations=3)
    names = [name for name in found if "critic" in name]
    assert names[4:] == [f"seed-0.{k}-critic-{name}" for k in (2, 3) for name in ("label", "fit", "measure")]
    label = found["seed-0.3-critic-label"]
    played = found["seed-0.0-critic-play"].progress_files
    collected = [found[f"seed-0.{k}-collect"].progress_files[0] for k in (1, 2)]
    assert label.settings["store"] == [*played, *collected]
    assert label.settings["examples"]["considered"]
    critic = found["seed-0.3-collect"].settings["teacher_settings"]["critic"]
    assert critic == f"verifier:transformers:{Path('run/seed-0/iteration-3/critic/model')}"


def test_evaluations_are_left_out_and_the_critic_still_plays() -> None:
    assert "seed-0.0-evaluate" not in phases(CriticConfig(), test=0)
    assert "seed-0.0-evaluate" in phases(CriticConfig(), test=5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"improve": SEARCH}, "the run fits no critic"),
        ({"critic": CriticConfig()}, "would never be asked"),
        ({"critic": CriticConfig(fit={"epoch": 1}), "improve": SEARCH}, "critic.fit.epoch"),
        ({"critic": CriticConfig(fit={"data": ["x"]}), "improve": SEARCH}, "critic.fit.data is set by"),
    ],
)
def test_a_critic_and_the_texts_that_name_it_belong_together(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": 0}, "critic.train must be at least 1"),
        ({"samples": 1}, "critic.samples must be at least 2"),
        ({"examples": {"seed": 3}}, "critic.examples.seed is set by the loop"),
    ],
)
def test_wrong_settings_of_a_critic_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CriticConfig(**settings)  # type: ignore[arg-type]


def test_unknown_settings_of_examples_are_refused_before_the_run() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'critic\.examples\.kind'"):
        phases(CriticConfig(examples={"kind": ["outcome"]}))


def test_the_fit_and_the_search_of_a_critic_are_checked_on_the_machine() -> None:
    checks = {check.what for check in machine_checks(RunConfig(critic=CriticConfig(), improve=SEARCH))}
    assert "critic fit: model, memory" in checks
    [search] = [what for what in checks if what.startswith("teacher mcts:")]
    assert "{critic}" not in search
