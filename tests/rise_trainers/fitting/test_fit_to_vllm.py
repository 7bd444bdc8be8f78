"""From stored trajectories to vLLM: what `rise fit` leaves is served as transformers plays it.

Needs the real vLLM, on a CPU where there is no GPU; skipped where it is not installed.
"""

import contextlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.torch import load_file

from rise_agents.backends.transformers_agent import TransformersAgent
from rise_agents.registry import load_agent
from rise_agents.types import Agent, SamplingConfig
from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation
from rise_trainers.fitting.config import LoraSettings
from rise_trainers.fitting.fit import fit
from rise_trainers.fitting.models import merge_adapters
from rise_trainers.fitting.paths import metrics_path, model_path, partial_folder
from tests.rise_trainers import small_models
from tests.waiting import PATIENCE_S

MISSING = [name for name in ("vllm", "deepspeed", "peft") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (see CONTRIBUTING.md)"),
]
GREEDY = SamplingConfig(temperature=0.0, max_new_tokens=48)
TINY = model_path("tiny")
PROBLEMS = ArithmeticProblems(split="test")


def replies(agent: Agent, count: int = 50) -> list[tuple[int, ...] | None]:
    asked: list[Conversation] = [
        ({"role": "user", "content": prompts.FIRST.format(question=PROBLEMS[i].question)},)
        for i in range(count)
    ]
    try:
        return [reply.token_ids for reply in agent.act(asked, GREEDY)]
    finally:
        agent.close()


def served(model: str, **settings: Any) -> list[tuple[int, ...] | None]:
    return replies(load_agent(f"vllm:{model}", dtype="float32", eager=True, memory=1, **settings))


def steps(output: str) -> list[dict[str, Any]]:
    path = metrics_path(output)
    text = path.read_text() if path.exists() else ""
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in lines if line["kind"] == "step"]


def start_fit(store: Path, output: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "rise_env.cli.main", "fit", "--data", str(store), "--output", output]
    command += (
        "--model tiny --ranks 2 --zero_stage 3 --device cpu --batch_size 8 --micro_batch_size 2".split()
    )
    command += "--epochs 6 --learning_rate 1e-3 --save_every 2".split()
    return subprocess.Popen(command)


def kill_at(step: int, fitting: "subprocess.Popen[bytes]", output: str) -> None:
    """Kill every process of a fit, at once, when a step is done."""
    try:
        while len(steps(output)) < step:
            assert fitting.poll() is None, (partial_folder(output) / "fit.log").read_text()[-2000:]
            time.sleep(0.01)
    finally:
        tree = [*psutil.Process(fitting.pid).children(recursive=True), psutil.Process(fitting.pid)]
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(tree, timeout=PATIENCE_S)
        fitting.wait()


def test_two_ranks_of_zero_3_killed_and_resumed_are_served_by_vllm(tmp_path: Path) -> None:
    store = small_models.save_store(tmp_path / "store.jsonl", small_models.trajectories(24))
    whole, killed = str(tmp_path / "whole"), str(tmp_path / "killed")
    assert start_fit(store, whole).wait() == 0
    step = random.SystemRandom().randint(1, 17)
    print(f"killed after step {step} of 18")
    kill_at(step, start_fit(store, killed), killed)
    assert not os.path.exists(killed)
    assert start_fit(store, killed).wait() == 0
    assert [line["step"] for line in steps(killed)] == list(range(1, 19))
    assert [line["loss"] for line in steps(killed)] == [line["loss"] for line in steps(whole)]
    weights = Path(killed, "model.safetensors")
    assert weights.read_bytes() == Path(whole, "model.safetensors").read_bytes()

    plain = load_file(Path(TINY, "model.safetensors"))
    made = load_file(weights)
    assert {k: (v.shape, v.dtype) for k, v in made.items()} == {
        k: (v.shape, v.dtype) for k, v in plain.items()
    }
    expected = replies(TransformersAgent(killed, dtype="float32", device="cpu"))
    assert expected != replies(load_agent("tiny", dtype="float32", device="cpu"))
    assert served(killed) == expected


def test_adapters_are_served_by_vllm_as_the_merged_model_plays(tmp_path: Path) -> None:
    small_models.save_store(tmp_path / "store.jsonl", small_models.trajectories(16))
    lora = LoraSettings(rank=4, merge=False)
    config = small_models.fit_config(tmp_path, model=TINY, zero_stage=2, epochs=4.0, lora=lora)
    fit(config)
    merge_adapters(config, Path(config.output), tmp_path / "merged")
    load_agent("tiny").chat.tokenizer.save_pretrained(tmp_path / "merged")
    expected = replies(TransformersAgent(str(tmp_path / "merged"), dtype="float32", device="cpu"))
    assert expected != replies(load_agent("tiny", dtype="float32", device="cpu"))
    assert served(TINY, adapter=config.output) == expected
