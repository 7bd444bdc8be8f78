"""Generated tokens per CPU second of many searches, compared with the same requests asked at once.

    python -m rise_benchmarks.search.tree_speed --trees 64 --output benchmarks/results/search_speed.json

The limit asks all requests of the searches in one call, with the same seeds, so that it generates the same
tokens. A search cannot reach it on a device that is fast at large batches, because a request depends on the
values of those before it. Searches and limit alternate, so that other programs on the machine disturb both.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rise_agents.backends.mcts_agent import MCTSAgent
from rise_agents.mcts.presets import search_settings
from rise_agents.registry import load_agent
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.search.rows import EMBEDDED_SEARCH
from rise_benchmarks.speed.machine import machine
from rise_benchmarks.speed.timing import forget
from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation

SAMPLING = SamplingConfig(max_new_tokens=96)


class RecordingAgent:
    """Passes requests on to an agent and remembers them.

    Args:
        agent: Any local agent that continues replies and knows their tokens.
    """

    continues = True

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.name = str(agent.name)
        self.requests: list[tuple[Conversation, int]] = []

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`."""
        self.requests += zip(conversations, seeds or (), strict=True)
        replies: list[Reply] = self._agent.act(conversations, sampling, seeds)
        return replies

    def prompt_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        """See `TokenizingAgent.prompt_tokens`."""
        return list(self._agent.prompt_tokens(conversations))

    def tokens_before(self, reply: Reply, characters: int) -> int:
        """See `TokenizingAgent.tokens_before`."""
        return int(self._agent.tokens_before(reply, characters))

    def close(self) -> None:
        """Close the agent."""
        self._agent.close()


def measure(spec: str, trees: int, repeats: int) -> dict[str, Any]:
    """Return the speeds of searches and of their requests asked at once.

    Args:
        spec: The agent, as `load_agent` reads it.
        trees: Number of searches at a time.
        repeats: Measurements of each kind.
    """
    agent: Agent = load_agent(spec)
    problems = ArithmeticProblems(split="test")
    asked: list[Conversation] = [
        ({"role": "user", "content": prompts.FIRST.format(question=problems[number].question)},)
        for number in range(trees)
    ]
    settings = search_settings(**EMBEDDED_SEARCH["search, confidence"].settings)
    searches, limits, tokens, calls = [], [], 0, 0
    MCTSAgent(agent, settings).act(asked[:4], SAMPLING, list(range(len(asked[:4]))))  # warm
    for _ in range(repeats):
        recording = RecordingAgent(agent)
        forget(agent)
        began = time.process_time()
        replies = MCTSAgent(recording, settings).act(asked, SAMPLING, list(range(trees)))
        searches.append(time.process_time() - began)
        tokens = sum(reply.usage.completion_tokens for reply in replies)
        calls = len(recording.requests)
        conversations = [conversation for conversation, _ in recording.requests]
        forget(agent)
        began = time.process_time()
        at_once = agent.act(conversations, SAMPLING, [seed for _, seed in recording.requests])
        limits.append(time.process_time() - began)
        assert sum(reply.usage.completion_tokens for reply in at_once) == tokens
    agent.close()
    return {
        "command": "python -m rise_benchmarks.search.tree_speed " + " ".join(sys.argv[1:]),
        "machine": machine("torch", "transformers"),
        "agent": spec,
        "trees": trees,
        "requests": calls,
        "generated_tokens": tokens,
        "search_tokens_per_cpu_second": [tokens / seconds for seconds in searches],
        "limit_tokens_per_cpu_second": [tokens / seconds for seconds in limits],
        "search_over_limit": [limit / search for search, limit in zip(searches, limits, strict=True)],
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agent", default="tiny", help="agent to search (default: %(default)s)")
    parser.add_argument("--trees", type=int, default=64, help="searches at a time (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="measurements (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    arguments = parser.parse_args(argv)
    result = measure(arguments.agent, arguments.trees, arguments.repeats)
    print(json.dumps(result, indent=2))
    if arguments.output:
        write_result(arguments.output, result)


if __name__ == "__main__":
    main()
