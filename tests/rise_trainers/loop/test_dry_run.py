import os
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from rise_agents.client.rate_limit import CHARACTERS_PER_TOKEN
from rise_agents.deliberation.feedback_settings import FeedbackSettings
from rise_agents.rollouts.cost_estimate import prompt_tokens
from rise_agents.types import SamplingConfig
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.utils.config_parser import parse
from rise_trainers.loop.config import (
    BoostConfig,
    ImproveConfig,
    MeasureConfig,
    PolicyConfig,
    ProblemsConfig,
    RunConfig,
    fit_config,
)
from rise_trainers.loop.dry_run import describe
from rise_trainers.loop.estimate import Estimate, disk_bytes, machines
from rise_trainers.loop.inputs import find_inputs, resolve_problems
from rise_trainers.loop.phases import plan_phases

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "examples" / "configs"
ALPHALLM = "alphallm_gsm8k"
MODELS = sorted(path.stem for path in CONFIGS.glob("*.yaml") if path.stem != ALPHALLM)
DATA = sorted(path.stem for path in CONFIGS.glob("data/*.yaml"))
HARDWARE = {"1x80gb": 80, "4x40gb": 40, "2x4x40gb": 40, "1x8x80gb": 80, "2x8x80gb": 80}
"""Machine -> GB per device."""
PARAMETERS = {"llama2": "6,738.4 million", "mistral": "7,241.7 million", "llama3": "8,030.3 million"}


def rows(config: RunConfig, size: int = 100) -> dict[str, Estimate]:
    inputs = find_inputs(config)
    phases = plan_phases(config, inputs.train.size or size, inputs)
    return {phase.name: phase.estimate for phase in phases if phase.estimate is not None}


def read(*files: str, more: tuple[str, ...] = ()) -> RunConfig:
    options = [word for file in files for word in ("--config", str(CONFIGS / f"{file}.yaml"))]
    return parse(RunConfig, [*options, *more], prog="rise run")


def test_every_file_of_the_folder_is_in_its_readme() -> None:
    readme = (CONFIGS / "README.md").read_text()
    files = [path.relative_to(CONFIGS) for path in CONFIGS.rglob("*") if path.suffix == ".yaml"]
    assert len(files) == 13
    assert not [file for file in files if f"`{file}`" not in readme]
    assert set(HARDWARE) == {path.stem for path in CONFIGS.glob("hardware/*.yaml")}


@pytest.mark.parametrize(("model", "data", "machine"), list(product(MODELS, DATA, HARDWARE)))
def test_every_config_resolves_and_fits_its_machine(
    model: str,
    data: str,
    machine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)  # the hostfile is named from here
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    files = (model, f"data/{data}", f"hardware/{machine}")
    out = tmp_path / "run"
    options = [word for file in files for word in ("--config", str(CONFIGS / f"{file}.yaml"))]
    assert main(["run", *options, "--out", str(out), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert not out.exists()
    assert PARAMETERS[model.partition("_")[0]] in said
    assert "?" not in said
    assert ("7,473 of 7,473" if data == "gsm8k" else "7,500 of 7,500") in said

    config = read(*files, more=("--out", str(out)))
    phases = rows(config)
    assert ("seed-0.0-boost-fit" in phases) == (model == "llama2_distill")
    assert config.iterations == (2 if model == "llama2_distill" else 1)
    assert (config.improve.num_samples, config.improve.teacher is None) == (
        (16, True) if "self" in model else (1, False)
    )
    settings = fit_config(config, data=("s",), model="m", output="o", seed=0)
    assert (settings.learning_rate, settings.batch_size, settings.warmup) == (1e-5, 64, 0.04)
    assert machines(settings) == (2 if machine == "2x4x40gb" else 1)
    check_memory_of_machine(phases, machine)


def check_memory_of_machine(phases: dict[str, Estimate], machine: str) -> None:
    """Fail if a phase needs more memory than the devices or the host of the machine have."""
    room = 0.9 * HARDWARE[machine] * 1e9 / 2**30
    for row in phases.values():
        assert (row.memory.device if row.memory else row.weights_gib or 0.0) <= room
        assert row.memory is None or row.memory.host <= 256


@pytest.mark.parametrize("machine", HARDWARE)
def test_the_config_of_alphallm_resolves_and_fits_its_machine(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    files = (ALPHALLM, "data/gsm8k", f"hardware/{machine}")
    options = [word for file in files for word in ("--config", str(CONFIGS / f"{file}.yaml"))]
    assert main(["run", *options, "--out", str(tmp_path / "run"), "--dry-run"]) == 0
    assert PARAMETERS["llama3"] in capsys.readouterr().out
    config = read(*files)
    assert (config.iterations, config.turns, config.fit["signal"]) == (2, 1, "score")
    check_memory_of_machine(rows(config), machine)


def test_prompts_and_trained_tokens_are_counted_by_their_draws() -> None:
    config = RunConfig(
        problems=ProblemsConfig(train=100, test=10),
        iterations=1,
        improve=ImproveConfig(num_samples=4),
        measure=MeasureConfig(turns=3, num_samples=5),
        fit={"epochs": 1.5, "max_length": 10_000},
    )
    found = rows(config)

    def prompts(split: str, count: int, turns: int) -> list[float]:
        env = resolve_problems(config, split).env
        return prompt_tokens(env, range(count), turns=turns, max_new_tokens=1000)

    first, second = prompts("train", 100, 2)
    assert found["seed-0.1-collect"].prompt_tokens == round(100 * (first + 4 * second))
    assert found["seed-0.1-fit"].tokens == round(1.5 * 100 * (second + 1000))
    measured = prompts(config.problems.test_split, 10, 3)
    assert found["seed-0.0-evaluate"].prompt_tokens == round(10 * (sum(measured) + 5 * measured[0]))


def test_a_tensor_parallel_agent_holds_its_share_of_the_weights() -> None:
    whole, half = (
        rows(RunConfig(agent=PolicyConfig(settings={"tensor_parallel_size": size})))[
            "seed-0.0-evaluate"
        ].weights_gib
        for size in (1, 2)
    )
    assert whole is not None
    assert half == whole / 2


def test_replies_tokens_and_steps_are_those_of_the_settings() -> None:
    config = RunConfig(
        problems=ProblemsConfig(train=100, test=10),
        iterations=2,
        improve=ImproveConfig(teacher="expert", num_samples=1),
        boost=BoostConfig(train=50, turns=3),
        measure=MeasureConfig(turns=4, num_samples=3),
        fit={"batch_size": 8, "micro_batch_size": 2, "epochs": 1.5},
    )
    found = rows(config)
    assert found["seed-0.0-evaluate"].replies == 10 * (4 + 3)
    assert found["seed-0.0-evaluate"].tokens == 10 * (4 + 3) * 1000
    boost = found["seed-0.0-boost-collect"]
    assert (boost.replies, boost.by_teacher) == (150, 150)
    assert (found["seed-0.1-collect"].replies, found["seed-0.1-collect"].by_teacher) == (200, 100)
    assert (found["seed-0.2-collect"].replies, found["seed-0.2-collect"].by_teacher) == (300, 100)
    assert found["seed-0.0-boost-fit"].steps == 38  # 1.5 epochs of 25, 2 trajectories of 3 replies in 8
    assert found["seed-0.1-fit"].steps == 38  # 1.5 epochs of 25, 4 trajectories of 2 replies in 8
    assert found["seed-0.2-fit"].steps == 113  # 1.5 epochs of 75, 100 of each
    assert found["seed-0.2-fit"].tokens <= 200 * 1.5 * 2048


def test_self_distillation_draws_the_last_turn_many_times() -> None:
    config = RunConfig(problems=ProblemsConfig(train=10, test=10), iterations=1)
    found = rows(config)["seed-0.1-collect"]
    assert (found.replies, found.by_teacher) == (10 * 17, 0)


def test_the_feedback_of_an_agent_and_the_calls_of_a_search_are_counted() -> None:
    config = RunConfig(
        problems=ProblemsConfig(train=100, test=10),
        iterations=2,
        improve=ImproveConfig(
            num_samples=4, teacher="mcts:{learner}", teacher_settings={"simulations": 8, "rollouts": 2}
        ),
        measure=MeasureConfig(turns=3, num_samples=2),
        feedback="agent:openai:m@http://host/v1",
        feedback_settings=FeedbackSettings(sampling=SamplingConfig(max_new_tokens=50)),
    )
    found = rows(config)
    evaluation = found["seed-0.0-evaluate"]
    assert evaluation.replies == 10 * (3 + 3 + 2)  # with and without the agent's feedback, and two first ones
    assert evaluation.calls == evaluation.replies + 10 * 2
    assert (evaluation.tokens, evaluation.tokens_of_others) == (80 * 1000 + 20 * 50, 20 * 50)
    collection = found["seed-0.2-collect"]
    assert (collection.replies, collection.by_teacher) == (100 * (2 + 4), 100 * 4)
    assert collection.calls == 100 * (2 + 4 * 16 + 2)
    assert collection.tokens == 100 * ((2 + 4 * 16) * 1000 + 2 * 50)
    assert collection.tokens_of_others == 100 * (4 * 16 * 1000 + 2 * 50)
    assert f"{collection.calls:,}" in describe(config)


def test_the_calls_of_a_search_that_tokens_alone_limit_are_unknown() -> None:
    teacher = ImproveConfig(teacher="mcts:{learner}", teacher_settings={"tokens": 500})
    config = RunConfig(problems=ProblemsConfig(train=10, test=10), iterations=1, improve=teacher)
    assert rows(config)["seed-0.1-collect"].calls is None
    assert rows(config)["seed-0.0-evaluate"].calls == 10 * (5 + 5)
    line = next(line for line in describe(config).splitlines() if line.startswith("seed-0.1-collect"))
    assert line.split()[1:4] == ["170", "160", "?"]


def test_prompts_grow_with_the_turns(tmp_path: Path) -> None:
    data = tmp_path / "mine.jsonl"
    data.write_text('{"question": "' + "y" * 300 + '", "answer": "1"}\n')
    config = RunConfig(
        env="RISE-Custom-v0",
        problems=ProblemsConfig(train=1, test=1, settings={"dataset": str(data)}),
        iterations=1,
        measure=MeasureConfig(turns=2, num_samples=1),
    )
    prompts = rows(config)["seed-0.0-evaluate"].prompt_tokens
    assert 2 * 300 / CHARACTERS_PER_TOKEN + 300 / CHARACTERS_PER_TOKEN + 1000 < prompts < 2000


def test_a_data_set_that_is_not_here_has_its_published_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    config = RunConfig(env="RISE-GSM8K-v0", problems=ProblemsConfig(train=9999, test=1319))
    assert "7,473 of 7,473 of train (not here" in describe(config)
    with pytest.raises(ConfigError, match="has 1319 problems"):
        describe(RunConfig(env="RISE-GSM8K-v0", problems=ProblemsConfig(test=1320)))


def test_a_data_set_that_is_here_is_counted(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / "gsm8k").mkdir(exist_ok=True)
        (tmp_path / "gsm8k" / f"{split}.jsonl").write_text('{"question": "1+1?", "answer": "#### 2"}\n' * 3)
    config = RunConfig(env="RISE-GSM8K-v0", problems=ProblemsConfig(data_dir=str(tmp_path), test=3))
    assert "3 of 3 of train (here); 3 of 3 of test (here)" in describe(config)


def test_a_data_set_that_nobody_knows_is_said_to_be_unknown() -> None:
    problems = ProblemsConfig(train=70, test=30, settings={"dataset": "someone/something"})
    said = describe(RunConfig(env="RISE-Custom-v0", problems=problems))
    assert "70 of an unknown number of train (not fetched: someone/something)" in said
    assert "1,190" in said  # 70 * (1 + 16) replies


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "agent.shape is not set"),
        ({"shape": {"model_type": "no-such-model"}}, "agent.shape is no configuration of a model"),
        ({"shape": {"hidden_size": 64}}, "agent.shape is no configuration of a model"),
    ],
)
def test_a_model_that_nobody_knows_is_said_and_its_memory_left_open(
    settings: dict[str, Any], said: str
) -> None:
    text = describe(RunConfig(agent=PolicyConfig(model="nobody/nothing", **settings)))
    assert said in text
    assert "?" in text


def test_a_shape_stands_for_a_model_that_is_not_here() -> None:
    shape = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "vocab_size": 100}
    text = describe(RunConfig(agent=PolicyConfig(model="/no/such/folder", shape=shape)))
    assert "agent.shape; its config.json is not here" in text


def test_the_hub_is_not_asked_for_a_model_whose_shape_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def refuse(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise OSError("no connection")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    shape = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "vocab_size": 100}
    text = describe(RunConfig(agent=PolicyConfig(model="nobody/nothing", shape=shape)))
    assert "agent.shape; its config.json is not here" in text
    assert asked == []


def test_missing_files_of_a_fit_are_named() -> None:
    text = describe(RunConfig(fit={"hostfile": "/no/hosts", "deepspeed": "/no/ds.json"}))
    assert "the hostfile /no/hosts; one machine" in text
    assert "the DeepSpeed file /no/ds.json" in text
    assert re.search(
        "files of the settings +no +there is no file /no/hosts: correct the setting hostfile", text
    )


def test_what_this_machine_lacks_is_said_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    teacher = "openai:gpt@https://api.openai.com/v1"
    text = describe(RunConfig(improve=ImproveConfig(teacher=teacher), fit={"attention": "flash_attention_2"}))
    assert re.search("fit: libraries +no +attention 'flash_attention_2' needs flash-attn", text)
    assert re.search(f"teacher {teacher} +no .*set the environment variable OPENAI_API_KEY", text)
    assert re.search("agent transformers:.* +ok +can be made", text)


def test_the_disk_of_a_run_holds_every_model_and_the_checkpoints_of_one_fit() -> None:
    found = rows(RunConfig(problems=ProblemsConfig(train=64, test=0), iterations=2))
    first, second = found["seed-0.1-fit"], found["seed-0.2-fit"]
    assert first.disk is not None
    assert first.kept == 4 * 921_088
    assert first.disk == 20 * 921_088 + first.kept  # two steps: one checkpoint, at the end
    stores = [found[f"seed-0.{k}-collect"].kept for k in (1, 2)]
    assert disk_bytes(list(found.values())) == sum(stores) + first.kept + second.disk  # type: ignore[arg-type, operator]
    assert disk_bytes([Estimate()]) is None


def test_a_deepspeed_file_of_ones_own_decides_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "ds.json"
    path.write_text('{"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}}')
    ours = rows(RunConfig(fit={"zero_stage": 2, "offload": True}))["seed-0.1-fit"].memory
    assert rows(RunConfig(fit={"deepspeed": str(path)}))["seed-0.1-fit"].memory == ours
    assert rows(RunConfig())["seed-0.1-fit"].memory != ours


def test_the_commands_are_those_that_a_run_starts() -> None:
    said = describe(RunConfig(out="runs/x", iterations=1, fit={"ranks": 2}))
    assert "rise_env.cli.main collect --config runs/x/phases/seed-0.1-collect.yaml" in said
    assert "deepspeed.launcher.launch" in said
    assert "seed-0/iteration-1/model.partial/fit.json" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "RISE-GSM9K-v0"], "did you mean 'RISE-GSM8K-v0'"),
        (["--problems.settings", '{"few_shots": 1}'], "few_shot"),
        (["--env", "RISE-GSM8K-v0", "--problems.settings", '{"few_shots": 1}'], "few_shot"),
        (["--env", "RISE-GSM8K-v0", "--problems.train-split", "trian"], "train"),
        (["--boost.teacher", "expret"], "did you mean 'expert'"),
        (["--improve.teacher", "openai"], "write 'openai:TARGET'"),
        (["--agent.backend", "vlm"], "no agent 'vlm'; did you mean 'vllm'?"),
        (["--agent.backend", "replay"], "agent.backend is 'replay', which does not play with a model"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    assert main(["run", "--dry-run", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    describe(RunConfig(out=str(tmp_path / "run")))
    assert os.listdir(tmp_path) == []
