from pathlib import Path

import pytest

from rise_agents.mcts.presets import search_settings
from rise_benchmarks import bench
from rise_benchmarks.bench import BenchConfig
from rise_benchmarks.search.loop_rows import LOOP_SEARCHES, LOOPS, PLAYED, SEARCHED, TOKENS
from rise_benchmarks.search.training_costs import TrainingCosts, markdown
from rise_benchmarks.suites import SUITES
from rise_benchmarks.training import Trained, read_recipe, variant_config
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.phases import plan_phases
from tests.source_tree import ROOT

RECIPE = str(ROOT / "examples" / "quickstart.yaml")


@pytest.fixture
def loops(tmp_path: Path) -> dict[str, RunConfig]:
    recipe = read_recipe(RECIPE)
    own = {"env": "RISE-Arithmetic-v0", "seeds": [0, 1]}
    return {
        name: variant_config(name, variant, recipe, {**own, "out": str(tmp_path / name)})
        for name, variant in LOOPS.items()
    }


def test_all_loops_spend_the_same_tokens_per_problem(loops: dict[str, RunConfig]) -> None:
    for config in loops.values():
        assert config.improve.teacher == "mcts:{learner}"
        assert config.turns == config.improve.num_samples == 1
        assert search_settings(**config.improve.teacher_settings).tokens == TOKENS
    alphallm = loops["alphallm"]
    assert alphallm.critic is not None
    reply = 35  # generated tokens of one reply of the embedded model
    spent = alphallm.critic.train * alphallm.critic.samples * reply + SEARCHED * TOKENS
    assert spent == pytest.approx(PLAYED * TOKENS, rel=0.05)


def test_only_the_loop_with_labels_reads_verdicts_in_its_fit(loops: dict[str, RunConfig]) -> None:
    assert {name: config.fit.get("signal", "reward") for name, config in loops.items()} == {
        "alphallm": "score",
        "confidence": "score",
        "filtered-bc": "reward",
    }
    assert {name for name, config in loops.items() if config.critic is not None} == {"alphallm"}


def test_the_suite_trains_a_critic_and_two_iterations_of_alphallm(loops: dict[str, RunConfig]) -> None:
    plan = plan_phases(loops["alphallm"], train_size=1000)
    iteration = ["collect", "fit"]
    assert [phase.command for phase in plan if phase.seed == 0] == [
        "evaluate", "label", "fit", "label", *iteration, *iteration
    ]  # fmt: skip


def test_the_rows_of_each_seed_have_its_models_and_its_critic(tmp_path: Path) -> None:
    config = BenchConfig(suite="alphallm", recipe=RECIPE, seeds=(0, 1))
    trained = Trained({"loop, x": {0: "transformers:a", 1: "transformers:b"}}, {}, {0: "tiny", 1: "tiny:c"})
    found = bench._measurements(config, SUITES["alphallm"], "RISE-Arithmetic-v0", tmp_path, trained)
    assert [each.seeds for each in found] == [(0,)] * 4 + [(1,)] * 4
    of_second = {each.label[0]: each for each in found if each.seeds == (1,)}
    assert list(of_second) == [*LOOP_SEARCHES, "loop, x"]
    assert of_second["loop, x"].agent == ("transformers:b",)
    assert of_second["search, trained critic"].agent_settings["critic"] == "verifier:tiny:c"
    assert of_second["base, greedy"].sampling.temperature == 0


def test_the_table_of_costs_has_the_tokens_of_the_critic_and_of_the_fits() -> None:
    costs = [{"critic": 2000, "collected": 1000, "trained": 10, "right": 4}]
    assert list(costs[0]) == list(TrainingCosts.__dataclass_fields__)
    assert "| loop, x | 2,000 | 1,000 | 3,000 | 10 | 40 % |" in markdown({"loop, x": costs})
