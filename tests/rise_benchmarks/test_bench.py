import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.types import SamplingConfig
from rise_benchmarks import bench
from rise_benchmarks.bench import BenchConfig
from rise_benchmarks.published import METRICS, table
from rise_benchmarks.real.run import take_rollouts
from rise_benchmarks.suites import SUITES
from rise_benchmarks.training import UNMEASURED, Trained
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.trajectories.store import read_run
from rise_env.utils.settings import merged
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.run_folder import store_path
from tests.source_tree import ROOT


def eighteen() -> ScriptedAgent:
    return ScriptedAgent(lambda _: "\\boxed{18}", name="eighteen")


@pytest.fixture
def gsm8k(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "gsm8k"
    folder.mkdir(parents=True)
    rows = [("18", "Six times three?"), ("1,800", "Hundred times eighteen?"), ("7", "Three and four?")]
    lines = [json.dumps({"question": q, "answer": f"So it is.\n#### {a}"}) for a, q in rows]
    for split in ("train", "test"):
        (folder / f"{split}.jsonl").write_text("".join(line + "\n" for line in lines))
    return tmp_path / "data"


def test_the_papers_table_is_confirmed_where_it_was_confirmed() -> None:
    rows = {row.name: row.cells for row in table("gsm8k")}
    cell = rows["Llama2-7B + RISE iter 2"]["m1@t5"]
    assert cell is not None
    assert (cell.value, cell.status) == (55.0, "confirmed")
    first, last = (rows["Llama2-7B + RISE iter 2"][metric] for metric in ("m1@t1", "m1@t5"))
    assert first is not None
    assert last is not None
    assert first.status == "derived"
    assert last.value - first.value == pytest.approx(17.7)  # the confirmed bracket
    assert rows["Self-Refine GPT-3.5"]["m5@t1"].status == "recalled"  # type: ignore[union-attr]
    assert rows["GLoRe + ORM"]["p1@t5"] is None
    assert len(table("gsm8k")) == 24
    assert len(table("math")) == 20
    assert all(tuple(row.cells) == METRICS for row in [*table("gsm8k"), *table("math")])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_suite_measures_agents_beside_the_published_numbers_and_resumes(
    gsm8k: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    argv = [
        "bench", "paper-gsm8k", "--agent", "tests.rise_benchmarks.test_bench:eighteen",
        "--data-dir", str(gsm8k), "--out", str(out), "--limit", "3", "--seeds", "[0, 1]",
    ]  # fmt: skip
    assert main(argv) == 0
    assert "| Llama2-7B + RISE iter 2 (table 1) | 37.3 (derived) | 51.0 | 55.0 |" in capsys.readouterr().out
    result = json.loads((out / "result.json").read_text())
    [row] = result["reports"]["RISE-GSM8K-v0"]["rows"]
    assert row["m1@t1"]["mean"] == pytest.approx(1 / 3, abs=1e-5)
    assert set(row["protocols"]) == {"self_refine"}
    [released] = result["checked_as_released"]["RISE-GSM8K-v0"]["rows"]
    assert released["m1@t1"]["mean"] == pytest.approx(1 / 3, abs=1e-5)
    logs = {path: path.read_bytes() for path in out.rglob("*.jsonl")}
    assert len(logs) == 6
    assert main(argv) == 0
    assert {path: path.read_bytes() for path in out.rglob("*.jsonl")} == logs


def test_variants_are_settings_that_rise_run_takes(tmp_path: Path) -> None:
    recipe = yaml.safe_load((Path(__file__).parents[2] / "examples" / "quickstart.yaml").read_text())
    for name, variant in SUITES["embedded"].variants.items():
        settings = merged(merged(merged(recipe, UNMEASURED), variant.settings), {"out": str(tmp_path)})
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(settings))
        config = bench.parse(RunConfig, ["--config", str(path)], prog="t")
        assert config.problems.train == recipe["problems"]["train"]  # the recipe's
        assert config.problems.test == 0  # not measured twice
    filtered = SUITES["embedded"].variants["filtered-bc"].settings["fit"]
    assert merged({"fit": {"epochs": 2}}, {"fit": filtered})["fit"]["epochs"] == 2


def test_variants_that_play_alike_take_their_rollouts_from_the_first_one(tmp_path: Path) -> None:
    first = store_path(tmp_path / "rise", 1, 1)
    first.parent.mkdir(parents=True)
    first.write_text("episodes\n")
    for content in ("episodes\n", "episodes and more\n"):  # what is there already is kept
        take_rollouts(tmp_path / "rise", tmp_path / "other", 1)
        taken = store_path(tmp_path / "other", 1, 1)
        assert taken.read_text() == content
        taken.write_text("episodes and more\n")
    names = list(SUITES["ablations"].variants)
    for name, variant in SUITES["ablations"].variants.items():
        assert variant.rollouts_of is None or names.index(variant.rollouts_of) < names.index(name)


def test_a_suite_may_train_some_of_its_variants_and_draws_the_figures_that_they_are_in() -> None:
    names = ("rise", "weights-per-problem", "weights-centred-exp")
    suite = bench.chosen_suite(BenchConfig(suite="ablations", recipe="r.yaml", variant=names))
    assert tuple(suite.variants) == names
    rows = ("RISE 1", "1, exp_per_problem", "1, centred_exp")
    assert suite.figures == {"multi_turn_interaction": rows, "iterative_ablation": ("RISE 1", "RISE 2")}
    assert bench.chosen_suite(BenchConfig(suite="ablations", recipe="r.yaml")) is SUITES["ablations"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": ("weights-per-problm",)}, "did you mean 'weights-per-problem'"),
        ({"variant": ("weights-centred-exp",)}, "rollouts of 'weights-per-problem': name both"),
        (
            {"suite": "paper-gsm8k", "recipe": None, "agent": ("tiny",), "variant": ("rise",)},
            "leave out --variant rise",
        ),
    ],
)
def test_variants_that_cannot_be_trained_alone_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BenchConfig(**{"suite": "ablations", "recipe": "r.yaml", **settings})


@pytest.mark.parametrize("name", ["weights-per-problem", "weights-centred-exp"])
def test_the_rows_of_the_papers_centring_have_the_papers_rewards(name: str) -> None:
    recipe = yaml.safe_load((ROOT / "benchmarks" / "recipes" / "ablations.yaml").read_text())
    settings = merged(recipe, SUITES["ablations"].variants[name].settings)
    assert settings["problems"]["settings"] == {"rewards": "paper"}
    assert settings["problems"]["train"] == recipe["problems"]["train"]
    assert settings["fit"]["weights"] in ("exp_per_problem", "centred_exp")


def test_models_are_measured_as_the_recipe_plays(tmp_path: Path) -> None:
    recipe = {"problems": {"settings": {"difficulty": {"max_steps": 2}}}, "sampling": {"temperature": 0.5}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    config = BenchConfig(suite="ablations", recipe=str(tmp_path / "recipe.yaml"), seeds=(0, 1))
    models = {"base": {0: "tiny", 1: "tiny"}, "RISE 1": {0: "transformers:a", 1: "transformers:b"}}
    trained = Trained(models, {}, {})
    found = bench._measurements(config, SUITES["ablations"], "RISE-Arithmetic-v0", tmp_path, trained)
    assert [each.agent for each in found] == [("tiny", "transformers:a"), ("tiny", "transformers:b")]
    assert found[0].env_settings == {"difficulty": {"max_steps": 2}, "split": "validation"}
    assert found[0].sampling == SamplingConfig(temperature=0.5)
    found = bench._measurements(config, SUITES["embedded"], "RISE-Arithmetic-v0", tmp_path, trained)
    assert [(each.agent, each.protocols) for each in found[:2]] == [
        (("tiny", "transformers:a"), ("sequential", "parallel")),
        (("tiny",), ("self_refine",)),
    ]


@pytest.mark.slow
def test_a_suite_trains_its_variants_and_measures_them_on_the_same_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distilled = replace(
        SUITES["embedded"].variants["distillation"], rows={"base": "base", "iteration 1": "taught"}
    )
    small = replace(SUITES["embedded"], draws=5, variants={"distillation": distilled})
    monkeypatch.setattr(bench, "SUITES", {"embedded": small})
    recipe = {
        "problems": {"train": 16},
        "sampling": {"max_new_tokens": 40},
        "fit": {"epochs": 1, "batch_size": 8, "micro_batch_size": 8},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    config = BenchConfig(
        suite="embedded", recipe=str(tmp_path / "recipe.yaml"), out=str(tmp_path / "out"), limit=4,
        seeds=(0, 1), sampling=SamplingConfig(max_new_tokens=40),
    )  # fmt: skip
    out = bench.run(config)
    report = json.loads((out / "result.json").read_text())["reports"]["RISE-Arithmetic-v0"]
    assert [row["name"] for row in report["rows"]] == ["base", "taught"]
    assert report["seeds"] == [0, 1]
    assert report["problems"] == 4
    models = [read_run(path)["agent"] for path in sorted(out.glob("RISE*/taught/*/seq*.jsonl"))]
    assert len(set(models)) == 2  # every seed has a model of its own


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"suite": "paper-gsm8"}, "did you mean 'paper-gsm8k'"),
        ({"suite": "paper-gsm8k"}, "--agent"),
        ({"suite": "embedded"}, "--recipe"),
        ({"suite": "embedded", "recipe": "x", "agent": ("tiny",)}, "leave out --agent tiny"),
    ],
)
def test_what_a_suite_needs_is_said(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BenchConfig(**settings)


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "embedded", "--recipe", str(tmp_path / "none.yaml")]) == 2
    assert "no recipe" in capsys.readouterr().err


def test_every_suite_names_environments_that_exist() -> None:
    import gymnasium

    import rise_env

    assert rise_env
    for suite in SUITES.values():
        for env in suite.envs:
            assert env in gymnasium.registry
