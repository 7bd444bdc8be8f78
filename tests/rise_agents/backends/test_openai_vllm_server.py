"""`OpenAIAgent` against a real `vllm serve` on loopback; skipped where vLLM is not installed."""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from rise_agents.backends.transformers_agent import TransformersAgent
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation
from tests.rise_agents.fake_agents import envs
from tests.waiting import PATIENCE_S

MISSING = any(importlib.util.find_spec(name) is None for name in ("vllm", "openai"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(MISSING, reason="vLLM or openai is not installed"),
]


@pytest.fixture(scope="module")
def url(random_model: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(random_model)]
    command += ["--served-model-name", "m", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", "float32", "--enforce-eager", "--max-num-seqs", "64"]
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        for _ in range(600):
            if server.poll() is not None:
                pytest.fail(f"vllm serve ended with {server.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=PATIENCE_S)


def test_greedy_replies_are_those_of_the_transformers_agent(url: str, random_model: Path) -> None:
    problems = ArithmeticProblems(split="test")
    asked: list[Conversation] = [
        ({"role": "user", "content": prompts.FIRST.format(question=problems[i].question)},) for i in range(50)
    ]
    sampling = SamplingConfig(temperature=0.0, max_new_tokens=32)
    agent = load_agent(f"openai:m@{url}", max_concurrent_requests=16)
    ours = agent.act(asked, sampling, list(range(50)))
    agent.close()
    theirs = TransformersAgent(str(random_model), dtype="float32").act(asked, sampling)
    # the server leaves out half a character at the end, of which a random model makes many
    ends = "\ufffd "
    assert [reply.text.strip(ends) for reply in ours] == [reply.text.strip(ends) for reply in theirs]
    assert [reply.finish for reply in ours] == [reply.finish for reply in theirs]
    assert [r.usage.prompt_tokens for r in ours] == [r.usage.prompt_tokens for r in theirs]


def test_it_plays_episodes(url: str) -> None:
    # a short prompt is computed in one part, so that vLLM's own seeds work on a CPU
    agent = load_agent(f"openai:m@{url}", send_seeds=False)
    made = rollout([TurnPlan(agent)] * 2, envs(6), range(6), SamplingConfig(max_new_tokens=8), seed=0)
    agent.close()
    assert [trajectory.error for trajectory in made] == [None] * 6
    assert all(len(trajectory.turns) in {1, 2} for trajectory in made)
