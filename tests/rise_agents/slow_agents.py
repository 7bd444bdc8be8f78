"""Slow agents that are never right, for tests that kill their process."""

import hashlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.types import OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.types import Conversation


def make_agent(seconds: float = 0.002) -> ScriptedAgent:
    """An agent that sleeps `seconds` per reply."""

    def answer(conversation: Conversation) -> str:
        time.sleep(seconds)
        return f"After {len(conversation)} messages: \\boxed{{-{len(conversation)}}}"

    return ScriptedAgent(answer, name="slow")


class Streamer(ScriptedAgent):
    """Streams. Which of eight concurrent requests is answered first depends on their conversations."""

    max_concurrent_requests = 8

    def stream(
        self,
        requests: StreamRequests,
        sampling: SamplingConfig,
        on_reply: OnReply,
    ) -> None:
        """Answer the requests in the order of hashes of their conversations."""
        waiting = dict(requests)
        while waiting:
            key = max(list(waiting)[:8], key=lambda key: hashlib.sha1(str(waiting[key]).encode()).digest())
            conversation, _ = waiting.pop(key)
            waiting |= on_reply(key, self.act([conversation], sampling)[0])


def make_streamer(seconds: float = 0.002) -> ScriptedAgent:
    """The same agent with streaming."""
    slow = make_agent(seconds)
    return Streamer(slow._answer, name="slow")


def make_deadly(flag: str, calls: int) -> ScriptedAgent:
    """An agent that kills its process at the given call, unless the file `flag` exists, which it makes."""
    agent = make_agent(0.001)
    act = agent.act
    made = 0

    def deadly(*arguments: Any) -> list[Reply]:
        nonlocal made
        made += 1
        if made == calls and not os.path.exists(flag):
            Path(flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments)

    agent.act = deadly  # type: ignore[method-assign]
    return agent
