"""An agent that takes its time and is never right, for tests that kill it."""

import hashlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.types import OnReply, Reply, Requests, SamplingConfig
from rise_env.types import Conversation


def make_agent(seconds: float = 0.002) -> ScriptedAgent:
    """Make it; it sleeps `seconds` per reply."""

    def answer(conversation: Conversation) -> str:
        time.sleep(seconds)
        return f"After {len(conversation)} messages: \\boxed{{-{len(conversation)}}}"

    return ScriptedAgent(answer, name="slow")


class Streamer(ScriptedAgent):
    """Streams; of eight requests in flight the one that comes first is a matter of their conversations."""

    max_concurrent_requests = 8

    def stream(
        self,
        requests: Requests,
        sampling: SamplingConfig,
        on_reply: OnReply,
    ) -> None:
        """Answer what is open, in no particular order."""
        waiting = dict(requests)
        while waiting:
            key = max(list(waiting)[:8], key=lambda key: hashlib.sha1(str(waiting[key]).encode()).digest())
            conversation, _ = waiting.pop(key)
            waiting |= on_reply(key, self.act([conversation], sampling)[0])


def make_streamer(seconds: float = 0.002) -> ScriptedAgent:
    """Make the same that streams."""
    slow = make_agent(seconds)
    return Streamer(slow._answer, name="slow")


def make_deadly(flag: str, calls: int) -> ScriptedAgent:
    """Make one that kills its process at the given call, if no other did so before: see `flag`."""
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
