"""Asking an agent so that one conversation it cannot answer costs no other its reply.

An agent that does not answer may be dead, or the conversation may be one that nobody can answer (too long,
refused). It is asked again what it has answered before: then it is known which.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rise_agents.backends.expert_agent import ProblemAwareAgent
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.errors import AgentError, ConfigError, DataNotFoundError, MissingDependencyError, StoreError
from rise_env.types import Conversation

SETUP_ERRORS = (ConfigError, DataNotFoundError, MissingDependencyError, StoreError)
"""What no smaller batch can mend."""

_PROBE: Conversation = ({"role": "user", "content": "What is 1 + 1?"},)
"""For agents that have answered nothing yet."""

_SHORT = 16
"""Tokens of a reply that only shows that there is one."""

_MAX_PROBES = 6
"""How often an agent that raises is asked whether it lives."""


class FaultIsolator:
    """Asks agents, and remembers of each a conversation that it has answered."""

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

        When the agent raises or returns too few replies, the batch is halved until the culprits stand alone;
        each gets a reply with finish "error" whose text is the reason.

        Raises:
            AgentError: It answers nothing any more. A setup error is passed on as it is.
        """
        culprits = _FailureCounter(
            2 * len(conversations).bit_length() + 4, lambda: self.alive(agent, sampling)
        )
        replies = _ask(agent, conversations, sampling, seeds, culprits)
        self.judge(agent, conversations, replies, sampling)
        return replies

    def answered(self, agent: Agent, conversation: Conversation) -> None:
        """Note a conversation that an agent has answered."""
        self._answered[id(agent)] = conversation

    def judge(
        self,
        agent: Agent,
        conversations: Sequence[Conversation],
        replies: Sequence[Reply],
        sampling: SamplingConfig,
    ) -> None:
        """Raise AgentError where the last ones were not answered because the agent is dead."""
        failed = [reply for reply in replies if reply.finish == "error"]
        if len(failed) < len(replies):
            healthy = next(place for place, reply in enumerate(replies) if reply.finish != "error")
            self.answered(agent, conversations[healthy])
        if failed and replies[-1].finish == "error" and not self.alive(agent, sampling):
            raise AgentError(f"{agent.name} answers nothing any more: {failed[0].text}")

    def alive(self, agent: Agent, sampling: SamplingConfig) -> bool:
        """Ask what was answered before, for a short reply; return whether it is answered again.

        Several times, as some agents fail now and then; with new seeds, as a journal has replies to the old.
        """
        if isinstance(agent, ProblemAwareAgent):  # it knows what it was told last, and nothing else
            return True
        known = self._answered.get(id(agent), _PROBE)
        short = replace(sampling, max_new_tokens=min(_SHORT, sampling.max_new_tokens))
        failures = 0
        for tries in (3, *[1] * _MAX_PROBES):
            seeds = np.random.default_rng().integers(2**63, size=tries).tolist()
            try:
                if any(reply.finish != "error" for reply in agent.act([known] * tries, short, seeds)):
                    return True
                failures += 1
            except SETUP_ERRORS:  # a recording, a cap: it says nothing of what was asked before
                return True
            except Exception:  # quick to find out, and the whole batch's fate is that of its worst
                continue
            if failures == 2:  # a server has tried each again and again
                return False
        return False


class _FailureCounter:
    """Counts failures since the last sign of life, so that a dead agent is given up soon."""

    def __init__(self, limit: int, alive: Callable[[], bool]) -> None:
        self._limit = limit
        self._alive = alive
        self._failures = 0

    def failed(self) -> bool:
        """Count one more; return whether the agent is dead."""
        self._failures += 1
        if self._failures < self._limit:
            return False
        self._failures = 0
        return not self._alive()

    def answered(self) -> None:
        """Begin anew."""
        self._failures = 0


def _ask(
    agent: Agent,
    conversations: Sequence[Conversation],
    sampling: SamplingConfig,
    seeds: Sequence[int],
    culprits: _FailureCounter,
) -> list[Reply]:
    try:
        replies = agent.act(conversations, sampling, seeds)
        if len(replies) != len(conversations):
            raise AgentError(
                f"{agent.name} returned {len(replies)} replies to {len(conversations)} conversations"
            )
        for reply in replies:
            if not isinstance(reply, Reply):
                raise AgentError(f"{agent.name} answered with a {type(reply).__name__} and not with a Reply")
    except SETUP_ERRORS:
        raise
    except Exception as error:  # whatever an agent raises is its episodes' failure, not the run's
        if culprits.failed():
            raise AgentError(f"{agent.name} fails whatever it is asked: {error}") from error
        if len(conversations) == 1:
            return [Reply(text=f"{type(error).__name__}: {error}", finish="error")]
        half = len(conversations) // 2
        return [
            *_ask(agent, conversations[:half], sampling, seeds[:half], culprits),
            *_ask(agent, conversations[half:], sampling, seeds[half:], culprits),
        ]
    culprits.answered()
    return replies
