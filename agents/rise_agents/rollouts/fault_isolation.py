"""Asks an agent for a batch of replies; a request that it cannot answer does not fail the others.

If an agent does not answer, either the agent has failed for good, or some conversations cannot be answered
(they are too long, or refused). Two techniques distinguish these cases. Bisection splits a failed batch in
halves until each failing conversation is a batch of its own. A health probe asks the agent again to answer a
conversation that it has answered before.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rise_agents.deliberation.message_copies import copy_for_agent
from rise_agents.types import Agent, ProblemAwareAgent, Reply, SamplingConfig
from rise_env.errors import (
    AgentError,
    ConfigError,
    DataNotFoundError,
    DeadAgentError,
    MissingDependencyError,
    StoreError,
)
from rise_env.types import Conversation

SETUP_ERRORS = (ConfigError, DataNotFoundError, DeadAgentError, MissingDependencyError, StoreError)
"""Errors that would occur with any batch. They end the run and are never turned into failed replies."""

_PROBE: Conversation = ({"role": "user", "content": "What is 1 + 1?"},)
"""Health probe for agents that have not answered anything yet."""

_PROBE_TOKENS = 16
"""Maximal length of the reply to a health probe."""

_MAX_PROBES = 6
"""How often an agent that raises is probed again before it counts as dead."""


class FaultIsolator:
    """Asks agents for replies, isolates failures, and remembers one answered conversation per agent.

    `run_episodes` and `best_of_n` use one instance per call.
    """

    def __init__(self) -> None:
        self._answered: dict[int, Conversation] = {}

    def ask(
        self,
        agent: Agent,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int],
    ) -> list[Reply]:
        """Return one reply per conversation, in order.

        If the agent raises, or does not return one `Reply` per conversation, the batch is bisected. A
        conversation that fails alone gets a reply with finish "error" and the reason as its text.

        Args:
            agent: The agent to ask.
            conversations: See `Agent.act`.
            sampling: See `Agent.act`.
            seeds: One per conversation.

        Raises:
            DeadAgentError: The agent does not answer a health probe.
            ConfigError, DataNotFoundError, MissingDependencyError, StoreError: The agent raised it.
        """
        failures = _FailureCounter(
            2 * len(conversations).bit_length() + 4, lambda: self.responds(agent, sampling)
        )
        replies = _ask(agent, conversations, sampling, seeds, failures)
        self.check_alive(agent, conversations, replies, sampling)
        return replies

    def note_answered(self, agent: Agent, conversation: Conversation) -> None:
        """Remember a conversation that an agent has answered, for its next health probe."""
        self._answered[id(agent)] = conversation

    def check_alive(
        self,
        agent: Agent,
        conversations: Sequence[Conversation],
        replies: Sequence[Reply],
        sampling: SamplingConfig,
    ) -> None:
        """Raise an error if the last reply failed and the agent does not answer a health probe.

        Args:
            agent: The agent.
            conversations: The conversations, in the order in which they were answered.
            replies: One per conversation.
            sampling: How the replies were sampled.

        Raises:
            DeadAgentError: The agent does not answer the health probe.
        """
        failed = [reply for reply in replies if reply.finish == "error"]
        if len(failed) < len(replies):
            first = next(place for place, reply in enumerate(replies) if reply.finish != "error")
            self.note_answered(agent, conversations[first])
        if failed and replies[-1].finish == "error" and not self.responds(agent, sampling):
            raise DeadAgentError(f"{agent.name} no longer answers any request: {failed[0].text}")

    def responds(self, agent: Agent, sampling: SamplingConfig) -> bool:
        """Return whether an agent answers a health probe with a short reply.

        The probe is repeated, because some agents fail now and then. It uses new seeds, because a reply log
        would answer a repeated request without asking the agent.
        """
        if isinstance(agent, ProblemAwareAgent):  # it can only answer about the problems of the last batch
            return True
        probe = self._answered.get(id(agent), _PROBE)
        short = replace(sampling, max_new_tokens=min(_PROBE_TOKENS, sampling.max_new_tokens))
        failures = 0
        for repeats in (3, *[1] * _MAX_PROBES):
            seeds = np.random.default_rng().integers(2**63, size=repeats).tolist()
            try:
                replies = _act(agent, [probe] * repeats, short, seeds)
                if any(reply.finish != "error" for reply in replies):
                    return True
                failures += 1
            except DeadAgentError:
                return False
            except SETUP_ERRORS:
                # a reply log without this probe, or a cost cap, refuses it; the agent may still answer others
                return True
            except Exception:  # one failing request makes the whole call raise, so try again
                continue
            if failures == 2:  # an agent that returns failed replies has retried each request itself
                return False
        return False


def _act(
    agent: Agent, conversations: Sequence[Conversation], sampling: SamplingConfig, seeds: Sequence[int]
) -> list[Reply]:
    """Ask an agent once. It gets copies of the messages, and must return a list of one `Reply` each.

    Raises:
        AgentError: It returned something else.
    """
    replies: Any = agent.act(list(map(copy_for_agent, conversations)), sampling, seeds)
    if not isinstance(replies, list | tuple):
        raise AgentError(f"{agent.name} must return a list of replies, got a {type(replies).__name__}")
    if len(replies) != len(conversations):
        raise AgentError(
            f"{agent.name} returned {len(replies)} replies to {len(conversations)} conversations"
        )
    for reply in replies:
        if not isinstance(reply, Reply):
            raise AgentError(f"{agent.name} answered with a {type(reply).__name__} and not with a Reply")
    return list(replies)


class _FailureCounter:
    """Counts consecutive failures to detect a dead agent before a large batch is fully bisected."""

    def __init__(self, limit: int, responds: Callable[[], bool]) -> None:
        self._limit = limit
        self._responds = responds
        self._failures = 0

    def is_dead_after_failure(self) -> bool:
        """Count one failure; at the limit, probe the agent and return whether it does not respond."""
        self._failures += 1
        if self._failures < self._limit:
            return False
        self._failures = 0
        return not self._responds()

    def reset(self) -> None:
        """Start again from 0 after a success."""
        self._failures = 0


def _ask(
    agent: Agent,
    conversations: Sequence[Conversation],
    sampling: SamplingConfig,
    seeds: Sequence[int],
    failures: _FailureCounter,
) -> list[Reply]:
    try:
        replies = _act(agent, conversations, sampling, seeds)
    except SETUP_ERRORS:
        raise
    except Exception as error:  # an agent may raise anything; it fails its episodes and not the run
        if failures.is_dead_after_failure():
            raise DeadAgentError(f"{agent.name} no longer answers any request: {error}") from error
        if len(conversations) == 1:
            return [Reply(text=f"{type(error).__name__}: {error}", finish="error")]
        half = len(conversations) // 2
        return [
            *_ask(agent, conversations[:half], sampling, seeds[:half], failures),
            *_ask(agent, conversations[half:], sampling, seeds[half:], failures),
        ]
    failures.reset()
    return replies
