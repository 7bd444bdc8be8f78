from pathlib import Path
from typing import Any

import pytest

from rise_agents.types import SamplingConfig
from rise_benchmarks.report.training_logs import losses
from rise_env.errors import ConfigError
from rise_trainers.loop.config import BoostConfig, ProblemsConfig, RunConfig
from rise_trainers.loop.phases import Phase, plan_phases
from rise_trainers.loop.run_folder import evaluation_folder, model_folder, store_path


def planned(size: int = 10_000, **settings: Any) -> dict[str, Phase]:
    config = RunConfig(**{"out": "run", "boost": BoostConfig(), **settings})
    return {phase.name: phase for phase in plan_phases(config, size)}


def test_the_boost_stage_comes_between_the_base_and_the_first_iteration() -> None:
    assert list(planned(iterations=1)) == [
        "seed-0.0-evaluate",
        *("seed-0.0-boost-collect", "seed-0.0-boost-fit", "seed-0.0-boost-evaluate"),
        *("seed-0.1-collect", "seed-0.1-fit", "seed-0.1-evaluate"),
    ]


def test_a_run_without_it_has_no_such_phases() -> None:
    assert not [name for name in planned(boost=None) if "boost" in name]


def test_the_teacher_plays_all_turns() -> None:
    boost = BoostConfig(teacher="openai:a@http://b/v1", settings={"concurrency": 2}, turns=3, train=50)
    settings = planned(boost=boost)["seed-0.0-boost-collect"].settings
    assert settings["agent"] == "openai:a@http://b/v1"
    assert settings["agent_settings"] == {"concurrency": 2}
    assert (settings["turns"], settings["limit"]) == (3, 50)
    assert "teacher" not in settings


def test_its_replies_may_be_drawn_in_another_way() -> None:
    sampling = SamplingConfig(temperature=0.7, max_new_tokens=512)
    phases = planned(boost=BoostConfig(sampling=sampling))
    assert phases["seed-0.0-boost-collect"].settings["sampling"]["max_new_tokens"] == 512
    assert phases["seed-0.1-collect"].settings["sampling"]["max_new_tokens"] == 1000


def test_its_fit_weighs_all_replies_of_solved_rollouts_alike_and_learns_from_nothing_else() -> None:
    phases = planned(fit={"weights": "exp", "epochs": 3, "selection": {"criterion": "better"}})
    fit = phases["seed-0.0-boost-fit"].settings
    assert fit["weights"] == "uniform"
    assert fit["selection"]["solved_only"]
    assert fit["selection"]["criterion"] == "better"
    assert fit["epochs"] == 3
    assert fit["data"] == [str(store_path(Path("run"), 0, "boost"))]
    assert phases["seed-0.1-fit"].settings["weights"] == "exp"
    assert not phases["seed-0.1-fit"].settings["selection"]["solved_only"]


def test_what_its_fit_learns_from_is_a_switch() -> None:
    boost = BoostConfig(fit={"weights": "exp", "epochs": 1, "selection": {"solved_only": False}})
    fit = planned(boost=boost)["seed-0.0-boost-fit"].settings
    assert (fit["weights"], fit["epochs"], fit["selection"]["solved_only"]) == ("exp", 1, False)


def test_iterations_play_and_start_again_from_the_boosted_model() -> None:
    boosted = str(model_folder(Path("run"), 0, "boost"))
    phases = planned(iterations=2)
    assert phases["seed-0.0-boost-fit"].settings["output"] == boosted
    assert phases["seed-0.1-collect"].settings["agent"] == f"transformers:{boosted}"
    assert [phases[f"seed-0.{k}-fit"].settings["model"] for k in (1, 2)] == [boosted, boosted]
    assert len(phases["seed-0.2-fit"].settings["data"]) == 2
    going_on = planned(iterations=2, restart=False)
    assert going_on["seed-0.1-fit"].settings["model"] == boosted
    assert going_on["seed-0.2-fit"].settings["model"] == going_on["seed-0.1-fit"].settings["output"]


def test_the_boosted_model_is_a_row_of_its_own_that_is_sorted_before_the_iterations() -> None:
    phase = planned()["seed-0.0-boost-evaluate"]
    assert phase.settings["label"] == ["boost"]
    assert phase.progress_files[0].startswith(str(evaluation_folder(Path("run"), 0, "boost")))
    names = [evaluation_folder(Path("run"), 0, stage).parent.name for stage in (0, "boost", 1)]  # type: ignore[arg-type]
    assert names == sorted(names) == ["base", "boost", "iteration-1"]


def test_the_teacher_plays_problems_that_the_loop_does_not_while_there_are_others() -> None:
    loop: dict[str, Any] = {"seeds": (0, 1), "iterations": 1, "problems": ProblemsConfig(train=40)}
    phases = planned(100, **loop, boost=BoostConfig(train=10))
    collects = {name: phase.settings for name, phase in phases.items() if "collect" in name}
    starts = {name: (settings["start"], settings["limit"]) for name, settings in collects.items()}
    assert starts == {
        "seed-0.0-boost-collect": (90, 10),
        "seed-0.1-collect": (0, 40),
        "seed-1.0-boost-collect": (80, 10),
        "seed-1.1-collect": (40, 40),
    }
    small = planned(7, boost=BoostConfig(train=10))["seed-0.0-boost-collect"].settings
    assert (small["start"], small["limit"]) == (0, 7)


@pytest.mark.parametrize(
    ("boost", "message"),
    [
        ({"turns": 0}, "boost.turns must be at least 1, got 0"),
        ({"train": 0}, "boost.train must be at least 1, got 0"),
        ({"fit": {"learning_rat": 1}}, "no setting 'boost.fit.learning_rat'"),
        ({"fit": {"model": "x"}}, "boost.fit.model is set by the loop"),
    ],
)
def test_bad_settings_are_named(boost: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RunConfig(boost=BoostConfig(**boost))


def test_adapters_need_no_more_than_what_is_changed_in_them() -> None:
    fit = planned(fit={"lora": {"rank": 64}})["seed-0.1-fit"].settings
    assert (fit["lora"]["rank"], fit["lora"]["targets"]) == (64, ["all-linear"])


def test_its_loss_is_a_curve_of_its_own(tmp_path: Path) -> None:
    line = '{{"phase": "p", "iteration": {}, "seed": 0, "train/loss": 1.0, "train/epoch": 1.0}}\n'
    (tmp_path / "metrics.jsonl").write_text(line.format(0) + line.format(1))
    assert [curve["name"] for curve in losses([tmp_path])] == ["boost", "iteration 1"]
