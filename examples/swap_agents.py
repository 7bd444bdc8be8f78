r"""The agent is one argument: play the same episodes with a script, transformers, vLLM and a server.

    python examples/swap_agents.py                      # what is installed here
    python examples/swap_agents.py --url http://HOST:8000/v1 --served NAME

The model is the embedded one, or that of --model. vLLM is used if it is installed. It also serves the model
on this machine for the OpenAI agent, unless --url names a running server. Transformers and vLLM draw the same
replies from the same seeds. A server has its own random numbers.
"""

import argparse
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rise_agents
import rise_env
from rise_agents import SamplingConfig, ScriptedAgent, TurnPlan, load_agent, rollout

TINY = Path(rise_agents.__file__).parent / "tiny"
TURNS = 3


def make_script(text: str = "I do not know. \\boxed{0}") -> ScriptedAgent:
    """Return an agent with one fixed reply."""
    return ScriptedAgent(lambda conversation: text)


@contextmanager
def served(model: str) -> Iterator[str]:
    """Serve a model with `vllm serve` on a free port of this machine; yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model]
    command += ["--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(port), "--enforce-eager"]
    quiet = {**os.environ, "VLLM_LOGGING_LEVEL": "ERROR"}
    quiet.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    server = subprocess.Popen(
        command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while True:
            if server.poll() is not None:
                raise SystemExit(f"vllm serve ended with code {server.returncode}")
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def play(title: str, spec: str, count: int, **settings: Any) -> str:
    """Play `count` problems with the agent that `spec` names; return a row of the table."""
    began = time.perf_counter()
    agent = make_script(**settings) if spec == "script" else load_agent(spec, **settings)
    ready = time.perf_counter()
    try:
        envs = [
            rise_env.make("RISE-Arithmetic-v0", split="test", stop_when_correct=False) for _ in range(count)
        ]
        sampling = SamplingConfig(max_new_tokens=96)
        played = rollout([TurnPlan(agent)] * TURNS, envs, range(count), sampling, seed=0)
    finally:
        agent.close()
    seconds = time.perf_counter() - ready
    replies = [turn.action for trajectory in played for turn in trajectory.turns]
    tokens = sum(reply.usage.completion_tokens for reply in replies)
    prompt = sum(reply.usage.prompt_tokens for reply in replies)
    cached = sum(reply.usage.cached_tokens for reply in replies)
    accuracy = "  ".join(
        f"{sum(t.turns[turn].action.check.correct for t in played) / count:5.1%}" for turn in range(TURNS)
    )
    return (
        f"{title:<22} {accuracy}   {tokens / seconds:>8,.0f} {cached / max(1, prompt):>7.0%} "
        f"{ready - began:>8.1f} {seconds:>8.1f}"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Play with every agent that can run here, and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=str(TINY), help="folder or hub id")
    parser.add_argument("--limit", type=int, default=100, help="problems")
    parser.add_argument("--url", help="an OpenAI-compatible server")
    parser.add_argument("--served", default="tiny", help="name of the model on that server")
    arguments = parser.parse_args(argv)
    header = "  ".join(f"turn {turn + 1}" for turn in range(TURNS))
    print(f"{'agent':<22} {header}   tokens/s  cached  load, s  play, s")
    model, count = arguments.model, arguments.limit
    print(play("script", "script", count), flush=True)
    print(play("tiny, transformers", f"transformers:{model}", count), flush=True)
    vllm = importlib.util.find_spec("vllm") is not None
    if vllm:
        print(play("tiny, vLLM", f"vllm:{model}", count, eager=True), flush=True)
    else:
        print(f"{'tiny, vLLM':<22} not installed")
    if arguments.url:
        print(play("tiny, OpenAI server", f"openai:{arguments.served}@{arguments.url}", count))
    elif vllm:
        with served(model) as url:
            # vLLM's own seeds fail on a CPU where it computes a prompt in parts
            print(play("tiny, OpenAI server", f"openai:tiny@{url}", count, send_seeds=False))
    else:
        print(f"{'tiny, OpenAI server':<22} no --url, and no vLLM to serve one")


if __name__ == "__main__":
    main()
