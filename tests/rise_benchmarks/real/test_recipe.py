from pathlib import Path
from typing import Any

import pytest
import yaml

from rise_benchmarks.real.dry_run import describe
from rise_benchmarks.real.plan import ModelOverride, Plan, RealConfig
from rise_benchmarks.real.recipe import RECIPES, Recipe, read_recipe
from rise_env.cli.main import main
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.utils.settings import build

SMALL: dict[str, Any] = {
    "shared": {
        "agent": {"settings": {"max_concurrent_requests": 8}},
        "problems": {"train": 4},
        "sampling": {"max_new_tokens": 60},
        "fit": {"device": "cpu", "policy_sequences": 0},
    },
    "trainings": {
        "rise": {"settings": {"boost": {"train": 4}, "iterations": 1, "improve": {"num_samples": 2}}},
        "sft": {"start": "rise/boost", "settings": {"iterations": 1, "turns": 1}},
        "unweighted": {
            "start": "rise/boost",
            "rollouts_of": "rise",
            "settings": {"iterations": 1, "improve": {"num_samples": 2}, "fit": {"weights": "uniform"}},
        },
    },
    "tables": {
        "test": {
            "env": "RISE-Arithmetic-v0",
            "limit": 3,
            "turns": 2,
            "num_samples": 2,
            "rows": {"base": "base", "boosted": "rise/boost", "RISE 1": "rise/1", "SFT": "sft/1"},
        }
    },
}


def plan(out: Path, recipe: Recipe | None = None, **config: Any) -> Plan:
    return Plan(recipe or build(Recipe, SMALL), RealConfig(recipe="small", out=str(out), **config))


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the small recipe with another value at a dotted path."""
    recipe: dict[str, Any] = yaml.safe_load(yaml.safe_dump(SMALL, sort_keys=False))
    *parents, last = path.split(".")
    place = recipe
    for name in parents:
        place = place[name]
    place[last] = value
    return recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_packaged_recipe_has_settings_that_its_trainings_and_tables_take(
    path: Path, tmp_path: Path
) -> None:
    plan(tmp_path, read_recipe(path.stem)).check()


def test_a_training_starts_from_the_model_of_another_with_the_same_seed(tmp_path: Path) -> None:
    both = plan(tmp_path, seeds=(0, 5))
    for seed in (0, 5):
        boosted = str(tmp_path / f"training/rise-seed-{seed}/seed-{seed}/boost/model")
        assert both.training("sft", seed).agent.model == boosted
        assert both.training("sft", seed).seeds == (seed,)
        assert both.training("sft", seed).problems.test == 0  # the tables measure
        measured = both.measurement("test", seed, both.recipe.tables["test"].rows)
        assert measured.agent[1] == f"transformers:{boosted}"
        assert measured.label == ("base", "boosted", "RISE 1", "SFT")


def test_the_command_line_replaces_the_model_and_records_its_revision(tmp_path: Path) -> None:
    agent = ModelOverride(model="some/model", settings={"revision": "abc", "dtype": "float32"})
    other = plan(tmp_path, agent=agent, data_dir="data")
    run = other.training("rise", 0)
    assert run.agent.model == "some/model"
    assert run.agent.settings == {"max_concurrent_requests": 8, "revision": "abc", "dtype": "float32"}
    assert run.fit["revision"] == "abc"
    assert run.problems.data_dir == "data"
    measured = other.measurement("test", 0, {"base": "base"})
    assert measured.agent == ("transformers:some/model",)
    assert measured.agent_settings["revision"] == "abc"
    assert measured.env_settings["data_dir"] == "data"


def test_a_limit_makes_every_stage_and_table_small(tmp_path: Path) -> None:
    small = plan(tmp_path, limit=2)
    assert small.training("rise", 0).problems.train == 2
    boost = small.training("rise", 0).boost
    assert boost is not None
    assert boost.train == 2
    assert small.measurement("test", 0, {"base": "base"}).limit == 2
    assert plan(tmp_path, limit=100).measurement("test", 0, {"base": "base"}).limit == 3


def test_a_dry_run_counts_the_replies_and_steps_of_every_phase(tmp_path: Path) -> None:
    text = describe(plan(tmp_path / "out", seeds=(0, 1)))
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines() if line}
    # 3 problems, 4 rows: two turns each, two first replies each
    assert lines["test: seed-0.sequential, 4 rows"][-3] == "24"
    assert lines["test: seed-1.parallel, 4 rows"][-1] == "1,440"
    assert lines["rise: seed-1.1-collect"][-3] == "12"  # 4 first replies, 2 at most at the second turn
    assert int(lines["all"][-1]) >= 8  # each of four fits, twice, has a step at least
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_measured_dry_run_adds_hours_and_leaves_nothing(tmp_path: Path) -> None:
    text = describe(plan(tmp_path / "out", dry_run=True, measure_speed=True))
    lines = {line.split("  ")[0]: line.split() for line in text.splitlines() if line}
    assert lines["phase"][-1] == "hours"
    assert float(lines["all"][-1]) > 0
    assert "reply tokens/s" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("trainings.sft.start", "rize/boost", "did you mean 'rise'"),
        ("trainings.sft.start", "unweighted/1", "no training in trainings.sft.start 'unweighted'"),
        ("trainings.unweighted.rollouts_of", "ris", "did you mean 'rise'"),
        ("tables.test.rows.SFT", "sft/last", "a model is named base, TRAINING/boost or TRAINING/ITERATION"),
        ("tables.test.rows.SFT", "sft/2", "trainings.sft has 1 iterations"),
        ("tables.test.rows.SFT", "sft/boost", "trainings.sft has no boost stage"),
        ("tables.test.protocols", ["sequental"], "did you mean 'sequential'"),
        ("tables.test.turn", 2, "did you mean 'turns'"),
        ("trainings.sft.setings", {}, "did you mean 'settings'"),
        ("trainings.sft.settings", {"turnz": 1}, "did you mean 'turns'"),
        ("shared.fit.epoch", 1, "did you mean 'epochs'"),
        ("trainings.sft", 3, "a mapping of settings"),
        ("tables", {}, "no tables"),
        ("seeds", [], "no seeds"),
    ],
)
def test_a_wrong_recipe_is_refused_before_anything_starts(
    path: str, value: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(changed(path, value), sort_keys=False))
    out = tmp_path / "out"
    assert main(["bench", "real", "--recipe", str(file), "--out", str(out)]) != 0
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_missing_recipe_lists_the_packaged_ones() -> None:
    with pytest.raises(DataNotFoundError, match="smollm2-asdiv"):
        read_recipe("smolm-asdiv")


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    for text, message in (("- 1\n", "YAML mapping"), ("a: [\n", "is not YAML")):
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_recipe(str(path))
