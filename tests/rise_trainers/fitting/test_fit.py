import json
import os
from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import BusyError, ConfigError, DataNotFoundError
from rise_env.utils.file_lock import exclusive
from rise_trainers.cluster.environment import rank_environment
from rise_trainers.data.targets import Selection
from rise_trainers.fitting import launcher
from rise_trainers.fitting.config import FitConfig, from_json, to_json
from rise_trainers.fitting.fit import fit
from rise_trainers.fitting.paths import SETTINGS, metrics_path, partial_folder
from tests.rise_trainers import small_models


@pytest.fixture
def config(tmp_path: Path) -> FitConfig:
    return small_models.fit_config(tmp_path)


def changed(config: FitConfig, **settings: Any) -> FitConfig:
    return from_json({**to_json(config), **settings})


def test_settings_survive_json(config: FitConfig) -> None:
    config = changed(config, selection=to_json(config)["selection"] | {"criterion": "best", "history": 2})
    assert config.selection == Selection(criterion="best", history=2)
    assert from_json(json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 0},
        {"micro_batch_size": 0},
        {"tau": 0.0},
        {"epochs": -1.0},
        {"warmup": 1.0},
        {"keep_checkpoints": 1},
        {"weights": "softmax"},
        {"data": ()},
        {"lora": {"bits": 4}, "zero_stage": 3},
        {"dtype": "bfloat16", "zero_stage": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(config: FitConfig, settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        changed(config, **settings)


@pytest.mark.parametrize("name", ["data", "model", "deepspeed", "hostfile"])
def test_inputs_that_are_missing_are_named(config: FitConfig, name: str) -> None:
    missing = "/nowhere/at/all"
    with pytest.raises(DataNotFoundError, match=missing):
        fit(changed(config, **{name: [missing] if name == "data" else missing}))
    assert not partial_folder(config.output).exists()


def test_the_folder_of_something_else_is_never_overwritten(config: FitConfig) -> None:
    Path(config.output).mkdir()
    (Path(config.output) / "precious").touch()
    with pytest.raises(ConfigError, match="choose another output"):
        fit(config)
    assert (Path(config.output) / "precious").exists()


def test_a_fit_that_another_process_makes_is_left_to_it(config: FitConfig) -> None:
    partial_folder(config.output).mkdir()
    with exclusive(partial_folder(config.output)), pytest.raises(BusyError, match="another process"):
        fit(config)


def test_the_partial_folder_of_another_fit_is_never_continued(config: FitConfig) -> None:
    partial = partial_folder(config.output)
    partial.mkdir()
    (partial / SETTINGS).write_text(json.dumps(to_json(changed(config, tau=1.0, log_every=7))))
    with pytest.raises(ConfigError, match=r"other settings \(tau\)"):
        fit(config)


def test_a_complete_fit_is_not_done_again(config: FitConfig) -> None:
    Path(config.output).mkdir()
    (Path(config.output) / SETTINGS).write_text(json.dumps(to_json(config)))
    fit(config)
    assert not partial_folder(config.output).exists()


def test_ranks_share_the_cores(config: FitConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    cores = len(os.sched_getaffinity(0))
    two = changed(config, ranks=2)
    assert rank_environment(two)["OMP_NUM_THREADS"] == str(max(1, cores // 2))
    assert rank_environment(changed(config, threads=3))["OMP_NUM_THREADS"] == "3"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert rank_environment(config)["OMP_NUM_THREADS"] == "1"


def test_several_machines_are_reached_by_the_deepspeed_runner(config: FitConfig, tmp_path: Path) -> None:
    several = launcher.command(changed(config, hostfile="hosts", ranks=8), tmp_path)
    assert several[several.index("--hostfile") + 1] == "hosts"
    assert several[several.index("--num_gpus") + 1] == "8"
    assert "deepspeed.launcher.launch" in launcher.command(config, tmp_path)


def test_a_fit_leaves_a_model_that_transformers_loads_and_every_metric(config: FitConfig) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    seen: list[dict[str, Any]] = []
    fit(config, progress=seen.append)
    assert not partial_folder(config.output).exists()
    lines = [json.loads(line) for line in metrics_path(config.output).read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["data", "policy"] + ["step"] * 4 + ["end", "policy"]
    assert seen == lines
    assert lines[0]["replies"] == sum(lines[0]["replies_by_turn"])
    assert sum(lines[0]["weight_share"].values()) == pytest.approx(1)
    taken = [line for line in lines if line["kind"] == "step"]
    assert taken[-1]["step"] == taken[-1]["total"] == 4
    assert taken[-1]["loss"] < taken[0]["loss"]
    assert {"grad_norm", "learning_rate", "tokens_per_s", "seconds_left"} <= taken[0].keys()
    before = AutoModelForCausalLM.from_pretrained(config.model)
    after = AutoModelForCausalLM.from_pretrained(config.output)
    assert not torch.equal(before.lm_head.weight, after.lm_head.weight)
    tokenizer = AutoTokenizer.from_pretrained(config.output)
    assert tokenizer.chat_template == AutoTokenizer.from_pretrained(config.model).chat_template
    fit(config, progress=lambda line: pytest.fail("done again"))


@pytest.mark.slow
def test_what_a_rank_finds_wrong_is_raised_by_the_launching_process(config: FitConfig) -> None:
    with pytest.raises(ConfigError, match="max_length 3"):
        fit(changed(config, max_length=3))
