"""The loop of `rise run` over a tiny random model of each architecture of the paper's runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from rise_env.trajectories.store import read_run, read_trajectories
from rise_trainers.fitting.config import from_json
from rise_trainers.fitting.fit import fit
from rise_trainers.loop.config import (
    BoostConfig,
    ImproveConfig,
    MeasureConfig,
    PolicyConfig,
    ProblemsConfig,
    RunConfig,
    SamplingConfig,
    to_json,
)
from rise_trainers.loop.phases import plan_phases
from rise_trainers.loop.run_folder import model_folder, store_path
from tests.rise_trainers import small_models
from tests.rise_trainers.chat_templates import parts
from tests.waiting import PATIENCE_S

RISE = [sys.executable, "-m", "rise_env.cli.main"]
FIT = {"epochs": 2, "batch_size": 8, "micro_batch_size": 4, "learning_rate": 1e-2, "threads": 1}
FIT |= {"max_length": 1024, "normalize": "reply"}


def save_model(folder: Path, style: str) -> str:
    """Write a random model of this architecture, with a tokenizer and chat template in its style."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

    template, special, end = parts(style)
    kind = "bytes" if style == "llama-3" else "pieces"
    tokenizer = small_models.tokenizer(template, special, kind=kind, end=end)
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4 if style == "llama-2" else 2,  # the others group their queries
        "max_position_embeddings": 2048,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if style == "mistral":
            model: Any = MistralForCausalLM(MistralConfig(**shape, sliding_window=512))
        else:
            model = LlamaForCausalLM(LlamaConfig(**shape))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def run_config(folder: Path, style: str, **settings: Any) -> RunConfig:
    defaults: dict[str, Any] = {
        "out": str(folder / "run"),
        "agent": PolicyConfig(model=save_model(folder / "model", style)),
        "iterations": 1,
        "problems": ProblemsConfig(train=8, test=4),
        "improve": ImproveConfig(num_samples=3),
        "sampling": SamplingConfig(max_new_tokens=8),
        "measure": MeasureConfig(turns=2, num_samples=2),
        "fit": FIT,
    }
    return RunConfig(**{**defaults, **settings})


def start(config: RunConfig) -> "subprocess.Popen[str]":
    path = Path(config.out).with_name("run.yaml")
    path.write_text(yaml.safe_dump(to_json(config)))
    return subprocess.Popen(
        [*RISE, "run", "--config", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def rows(out: Path) -> list[str]:
    return [row["name"] for row in json.loads((out / "report.json").read_text())["rows"]]


def metrics(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    "style",
    [
        "mistral",
        pytest.param("llama-2", marks=pytest.mark.slow),
        pytest.param("llama-3", marks=pytest.mark.slow),
    ],
)
def test_a_model_plays_with_a_teacher_and_is_fitted_on_it(style: str, tmp_path: Path) -> None:
    """The same phases as in a run, those that play in this process."""
    from rise_env.cli.main import main

    config = run_config(tmp_path, style, improve=ImproveConfig(teacher="expert", num_samples=1))
    phases = {phase.name: phase for phase in plan_phases(config, 1_000_000)}
    settings = tmp_path / "collect.yaml"
    settings.write_text(yaml.safe_dump(phases["seed-0.1-collect"].settings))
    assert main(["collect", "--config", str(settings)]) == 0
    played = list(read_trajectories(store_path(Path(config.out), 0, 1)))
    assert [len(t.turns) for t in played] == [2] * 8
    assert all(t.turns[1].action.check.correct for t in played)
    settings_of_fit = from_json(phases["seed-0.1-fit"].settings)
    lines: list[dict[str, Any]] = []
    fit(settings_of_fit, progress=lines.append)
    losses = [line["loss"] for line in lines if line["kind"] == "step"]
    assert len(losses) == 4
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_llama_2_is_boosted_and_improved_twice_though_killed(tmp_path: Path) -> None:
    config = run_config(
        tmp_path,
        "llama-2",
        iterations=2,
        boost=BoostConfig(teacher="expert", train=12, fit={"epochs": 3}),
        improve=ImproveConfig(teacher="expert", num_samples=1),
    )
    out = Path(config.out)
    taught = store_path(out, 0, "boost")
    first = start(config)
    while not (out / "phases" / "seed-0.0-boost-collect.done").exists():
        assert first.poll() is None, first.communicate()[0]
        time.sleep(0.05)
    started = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    psutil.wait_procs(started, timeout=PATIENCE_S)
    before = taught.read_bytes()
    process = start(config)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    assert taught.read_bytes() == before

    assert rows(out) == ["base", "boost", "iteration 1", "iteration 2"]
    assert read_run(taught)["agents"][0][0] == "expert"
    assert all(t.turns[0].action.check.correct for t in read_trajectories(taught))
    logged = metrics(out)
    boost = [line for line in logged if line["phase"] == "seed-0.0-boost-fit"]
    losses = [line["train/loss"] for line in boost if "train/loss" in line]
    assert losses[-1] < losses[0]
    [data] = [line for line in boost if "data/replies" in line]
    assert (data["data/replies"], data["data/weight_min"], data["data/weight_max"]) == (12, 1.0, 1.0)
    assert len(losses) == 6  # 3 epochs of 12 replies, at most 8 in a step
    assert {line["phase"] for line in logged if "eval/episodes" in line} >= {"seed-0.0-boost-evaluate"}

    boosted = model_folder(out, 0, "boost")
    for iteration in (1, 2):
        folder = model_folder(out, 0, iteration)
        assert json.loads((folder / "fit.json").read_text())["model"] == str(boosted)
        assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"
    played = read_run(store_path(out, 0, 1))["agents"]
    assert played[0][0].startswith("model")
    assert played[1][0] == "expert"


@pytest.mark.slow
@pytest.mark.parametrize("style", ["mistral", "llama-3"])
def test_the_others_learn_from_themselves(style: str, tmp_path: Path) -> None:
    config = run_config(tmp_path, style)
    process = start(config)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    out = Path(config.out)
    assert rows(out) == ["base", "iteration 1"]
    shape = json.loads((model_folder(out, 0, 1) / "config.json").read_text())
    assert shape["model_type"] == ("mistral" if style == "mistral" else "llama")
    assert shape["num_key_value_heads"] == 2
