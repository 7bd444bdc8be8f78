"""Asks a reflector, and keeps every reply in a journal, so that a run that continues asks nothing twice."""

from collections.abc import Sequence
from pathlib import Path

from rise_agents.backends.replay_agent import ReplayAgent
from rise_agents.deliberation.script import summed_usage
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.types import Conversation
from rise_env.utils.seeding import derive


class Reflector:
    """An agent that writes reflections and edits.

    Args:
        agent: The agent; whoever made it closes it.
        journal: File of its replies.
        sampling: How they are sampled.
        seed: Seed of the run.
    """

    def __init__(self, agent: Agent, journal: Path, sampling: SamplingConfig, seed: int) -> None:
        self._agent = ReplayAgent(str(journal), record=agent)
        self._sampling = sampling
        self._seed = seed
        self._isolator = FaultIsolator()
        self._replies: list[Reply] = []

    def ask(self, conversations: Sequence[Conversation], *path: int) -> list[str]:
        """Return one text per conversation; empty where the request failed.

        Args:
            conversations: What is asked, in one batch.
            path: Numbers that identify the batch in the run: they decide the seeds.

        Raises:
            AgentError: The agent no longer answers any request.
        """
        if not conversations:
            return []
        seeds = [derive(self._seed, *path, place) for place in range(len(conversations))]
        replies = self._isolator.ask(self._agent, conversations, self._sampling, seeds)
        self._replies += replies
        return ["" if reply.finish == "error" else reply.text for reply in replies]

    def take_spent(self) -> dict[str, int]:
        """Return the calls and tokens since the last time this was asked."""
        usage = summed_usage([reply.usage for reply in self._replies])
        calls = len(self._replies)
        self._replies = []
        return {
            "calls": calls,
            "prompt_tokens": usage.prompt_tokens,
            "generated_tokens": usage.completion_tokens,
        }
