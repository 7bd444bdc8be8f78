"""Environments and scripted agents for tests of rollouts."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium

from rise_agents.types import Reply, SamplingConfig
from rise_env import MathEnv, NumericChecker, Problem
from rise_env.types import Conversation, Usage

PROBLEMS = [
    Problem(id=f"sums/{i}", question=f"What is {i} + {i}?", reference=str(2 * i), solution=f"{i}+{i}={2 * i}")
    for i in range(100)
]


def sums(**settings: Any) -> MathEnv:
    """An environment over a hundred sums."""
    return MathEnv(PROBLEMS, NumericChecker(), **settings)


def envs(count: int, **settings: Any) -> list[gymnasium.Env[Any, str]]:
    """Several of them."""
    return [sums(**settings) for _ in range(count)]


def number_in(conversation: Conversation) -> int:
    """The number that the sum doubles."""
    found = re.search(r"What is (\d+)", conversation[0]["content"])
    assert found
    return int(found[1])


def attempts_in(conversation: Conversation) -> int:
    """How many replies were given before."""
    return sum(message["role"] == "assistant" for message in conversation)


def right(conversation: Conversation) -> str:
    """The correct reply."""
    return f"\\boxed{{{2 * number_in(conversation)}}}"


def wrong(conversation: Conversation) -> str:
    """A wrong reply."""
    return "\\boxed{-1}"


class SeededAgent:
    """Replies with a function of conversation and seed, and records the size of every batch and the seeds."""

    def __init__(self, answer: Callable[[Conversation, int], str], name: str = "seeded") -> None:
        self.name = name
        self.answer = answer
        self.batches: list[int] = []
        self.seeds: list[int] = []

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation."""
        assert seeds is not None
        self.batches.append(len(conversations))
        self.seeds += seeds
        return [
            Reply(text=self.answer(conversation, seed), usage=Usage(completion_tokens=3))
            for conversation, seed in zip(conversations, seeds, strict=True)
        ]

    def close(self) -> None:
        """Nothing to free."""


def luck(conversation: Conversation, seed: int) -> str:
    """Right one time in four, by the seed."""
    return right(conversation) if seed % 4 == 0 else f"\\boxed{{{-(seed % 7) - 1}}}"
