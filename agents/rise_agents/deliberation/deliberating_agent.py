"""Agents that ask other agents: the base class of searches, critics and other scripts inside one reply."""

import hashlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rise_agents.deliberation.engine import run_scripts
from rise_agents.deliberation.script import Script, summed_usage
from rise_agents.rollouts.cleanup import close_all
from rise_agents.types import (
    Agent,
    OnReply,
    ProblemAwareAgent,
    Reply,
    SamplingConfig,
    StreamingAgent,
    StreamRequests,
)
from rise_env.errors import ConfigError, DeadAgentError
from rise_env.types import Conversation

MAX_NAME = 200
"""Names of agents with more characters than this are shortened by a hash."""


class DeliberatingAgent(ABC):
    """An agent whose reply is the result of a script that asks other agents; subclasses write `script`.

    The scripts of a batch run together: their requests to one agent form one batch, and an agent that streams
    answers the next request of a script at once. A reply's `usage` is the sum over all replies that its
    script received. A script all of whose requests failed gives a failed reply with the first reason.

    If one of the agents no longer answers any request, the scripts that have not ended give failed replies,
    so that the caller keeps the replies of the others and finds out itself that this agent is dead.

    Args:
        name: See `Agent`; `composed_name` makes one.
        agents: The agents that the scripts ask. `close` closes them.

    Raises:
        ConfigError: One of the agents must know the problems. An agent of this class does not know them.
    """

    def __init__(self, name: str, agents: Sequence[Agent]) -> None:
        self.name = name
        self._agents = tuple(agents)
        for agent in self._agents:
            if isinstance(agent, ProblemAwareAgent):
                raise ConfigError(
                    f"{name} cannot ask {agent.name}, which must be told the problem and its reference answer"
                )

    @abstractmethod
    def script(self, conversation: Conversation, sampling: SamplingConfig, seed: int) -> Script[Reply]:
        """Return the script that answers a conversation.

        Args:
            conversation: See `Agent.act`.
            sampling: See `Agent.act`.
            seed: Seed of the script; `ask_seeds` makes the seeds of its requests.
        """

    @property
    def max_concurrent_requests(self) -> int:
        """How many replies can be made at the same time; 0 if none of the agents that are asked streams."""
        streaming = (agent for agent in self._agents if isinstance(agent, StreamingAgent))
        return max((agent.max_concurrent_requests for agent in streaming), default=0)

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`."""
        if seeds is None:
            seeds = np.random.default_rng().integers(2**63, size=len(conversations)).tolist()
        replies: dict[int, Reply] = {}

        def on_reply(number: int, reply: Reply) -> StreamRequests:
            replies[number] = reply
            return {}

        requests = zip(conversations, seeds, strict=True)
        self.stream(dict(enumerate(requests)), sampling, on_reply)
        return [replies[number] for number in range(len(conversations))]

    def stream(self, requests: StreamRequests, sampling: SamplingConfig, on_reply: OnReply) -> None:
        """Answer requests, and those that `on_reply` adds; see `StreamingAgent.stream`."""
        unanswered = dict(requests)
        to_start = deque(unanswered)

        def next_script() -> Script[tuple[int, Reply]] | None:
            if not to_start:
                return None
            number = to_start.popleft()
            conversation, seed = unanswered[number]
            return _numbered(number, _accounted(self.script(conversation, sampling, seed)))

        def on_end(result: tuple[int, Reply]) -> None:
            number, reply = result
            del unanswered[number]
            added = on_reply(number, reply)
            unanswered.update(added)
            to_start.extend(added)

        try:
            run_scripts(next_script, on_end)
        except DeadAgentError as error:
            while unanswered:
                on_end((next(iter(unanswered)), Reply(text=str(error), finish="error")))

    def close(self) -> None:
        """Close the agents that the scripts ask."""
        close_all(*self._agents)


def composed_name(kind: str, *parts: str) -> str:
    """Return the name of an agent that asks others, such as "mcts(tiny; tokens=280)".

    Args:
        kind: The kind of agent.
        parts: Names of the agents that are asked, and the settings that differ from the defaults.
    """
    inside = "; ".join(parts)
    if len(kind) + len(inside) + 2 > MAX_NAME:
        inside = f"sha256 {hashlib.sha256(inside.encode()).hexdigest()[:24]}"
    return f"{kind}({inside})"


def _numbered(number: int, script: Script[Reply]) -> Script[tuple[int, Reply]]:
    return number, (yield from script)


def _accounted(script: Script[Reply]) -> Script[Reply]:
    """Run a script; its reply has the usage of everything it asked, and fails if all of that failed."""
    received: list[Reply] = []
    to_send: list[Reply] | None = None
    while True:
        try:
            asks = next(script) if to_send is None else script.send(to_send)
        except StopIteration as end:
            reply: Reply = end.value
            break
        to_send = yield asks
        received += to_send
    if received and all(one.finish == "error" for one in received):
        reply = Reply(text=received[0].text, finish="error")
    return replace(reply, usage=summed_usage([one.usage for one in received]))
