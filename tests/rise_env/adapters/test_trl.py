"""TRL's environments and reward functions."""

import inspect
from pathlib import Path

import pytest

from rise_env.adapters.trl import OVER, dataset_rows, environment_factory, reward_function
from rise_env.errors import ConfigError
from tests.rise_env.adapters.conftest import ID, RIGHT, SETTINGS, WRONG
from tests.rise_env.conftest import SUMS


def test_an_environment_poses_the_problem_of_its_row_and_sums_the_rewards() -> None:
    env = environment_factory(ID, **SETTINGS)()
    row = dataset_rows(SUMS, instruction="Solve it with the tool.\n\n")[3]
    assert SUMS[3].question in env.reset(**row)
    assert env.get_reward() == -1.0
    assert env.submit_answer(WRONG).startswith("That is not right.")
    assert (env.submit_answer(RIGHT), env.submit_answer(RIGHT)) == (OVER, OVER)
    assert env.get_reward() == 1.0
    env.reset(**row)
    assert [env.submit_answer("hm") for _ in range(4)][2:] == [OVER, OVER]
    assert env.get_reward() == -3.0


def test_a_reward_function_scores_texts_and_messages() -> None:
    reward = reward_function("numeric", (1, 0, -1))
    rows = dataset_rows(SUMS)
    columns = {key: [row[key] for row in rows[3:6]] for key in ("answer", "question", "index")}
    assert reward(completions=[RIGHT, WRONG, "hm"], **columns) == [1.0, 0.0, -1.0]
    messages = [[{"role": "assistant", "content": text}] for text in (RIGHT, WRONG, "hm")]
    assert reward(prompts=[], completions=messages, answer=columns["answer"]) == [1.0, 0.0, -1.0]
    with pytest.raises(ConfigError, match="no checker 'numerical'"):
        reward_function("numerical")


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_of_trl_finds_one_tool_with_a_schema() -> None:
    trl = pytest.importorskip("trl", reason="pip install '.[trl]'")
    from transformers.utils import get_json_schema

    env = environment_factory(ID, **SETTINGS)()
    # as GRPOTrainer finds the tools of an environment
    members = inspect.getmembers(type(env), predicate=inspect.isfunction)
    tools = [name for name, _ in members if name not in ("reset", "get_reward") and not name.startswith("_")]
    assert tools == ["submit_answer"]
    schema = get_json_schema(env.submit_answer)["function"]
    assert schema["parameters"]["required"] == ["answer"]
    assert trl.GRPOTrainer


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_of_trl_trains_a_step_with_the_reward_function(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl", reason="pip install '.[trl]'")
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer

    import rise_agents.tiny

    tiny = Path(rise_agents.tiny.__file__).parent
    trainer = trl.GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny),
        processing_class=AutoTokenizer.from_pretrained(tiny),
        reward_funcs=reward_function("numeric", "math"),
        train_dataset=Dataset.from_list(dataset_rows(SUMS)),
        args=trl.GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=2,
            num_generations=2,
            max_completion_length=8,
            report_to="none",
            use_cpu=True,
        ),
    )
    trainer.train()
    assert trainer.state.log_history[0]["rewards/rise_reward/mean"] >= 0.0
