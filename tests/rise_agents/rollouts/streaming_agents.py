"""Agents with and without streaming, and helpers that play with them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Conversation, Trajectory


class Guesser:
    """Replies depend only on conversation and seed; does not stream. Records its batches."""

    name = "guesser"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.lengths: list[set[int]] = []
        self.sampled: set[tuple[int, float]] = set()
        """(Number of earlier attempts, temperature) of the requests."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        self.batches.append(len(conversations))
        self.lengths.append({len(conversation) for conversation in conversations})
        assert seeds is not None
        self.note(conversations, sampling)
        return [self.reply(c, s) for c, s in zip(conversations, seeds, strict=True)]

    def note(self, conversations: Sequence[Conversation], sampling: SamplingConfig) -> None:
        attempts = (sum(m["role"] == "assistant" for m in conversation) for conversation in conversations)
        self.sampled |= {(count, sampling.temperature) for count in attempts}

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        return Reply(text=f"\\boxed{{{(seed + len(conversation)) % 30}}}")

    def close(self) -> None:
        pass


class Streamer(Guesser):
    """Answers the latest request first; its stream ends, or raises `error`, after `max_replies`."""

    max_concurrent_requests = 12

    def __init__(self, max_replies: int = 10**9, error: Exception | None = None) -> None:
        super().__init__()
        self.max_replies = max_replies
        self.error = error
        self.streamed = 0
        self.open: list[int] = []
        """Number of open requests before each reply."""

    def stream(
        self,
        requests: StreamRequests,
        sampling: SamplingConfig,
        on_reply: OnReply,
    ) -> None:
        stack = list(requests.items())
        while stack:
            self.open.append(len(stack))
            if self.streamed == self.max_replies:
                if self.error is not None:
                    raise self.error
                return
            self.streamed += 1
            key, (conversation, seed) = stack.pop()
            self.note([conversation], sampling)
            stack += on_reply(key, self.reply(conversation, seed)).items()


def make(turns: int) -> gymnasium.Env[Any, str]:
    settings = {"split": "test", "max_turns": turns, "difficulty": {"max_steps": 2, "largest": 40}}
    return rise_env.make("RISE-Arithmetic-v0", **settings)


def played(*plan: TurnPlan, count: int = 12) -> list[Trajectory]:
    return rollout(plan, [make(len(plan)) for _ in range(count)], range(count), SamplingConfig(), seed=3)


def collected(path: Path, *plan: TurnPlan, max_concurrent_episodes: int, count: int = 12) -> list[Trajectory]:
    """The same episodes, played with `collect`."""
    with TrajectoryStore(path, {}) as store:
        collect(
            plan,
            lambda: make(len(plan)),
            range(count),
            store,
            SamplingConfig(),
            seed=3,
            max_concurrent_episodes=max_concurrent_episodes,
        )
    return list(read_trajectories(path))


def plans(agent: Agent) -> list[list[TurnPlan]]:
    return [
        [TurnPlan(agent)] * 4,
        [TurnPlan(agent), TurnPlan(agent, num_samples=16)],
        [TurnPlan(agent, num_samples=5, until_correct=False)],
        [TurnPlan(agent), TurnPlan(ExpertAgent()), TurnPlan(agent)],
    ]


class FailsWhere(Streamer):
    """Fails the requests for which `fails` returns True."""

    def __init__(self, fails: Callable[[Conversation, int], bool]) -> None:
        super().__init__()
        self.fails = fails

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        if self.fails(conversation, seed):
            return Reply(text="no answer", finish="error")
        return super().reply(conversation, seed)
