"""An agent that takes its time and is never right, for tests that kill it."""

import time

from rise_agents.scripted_agent import ScriptedAgent
from rise_env.types import Conversation


def make_agent(seconds: float = 0.002) -> ScriptedAgent:
    """Make it; it sleeps `seconds` per reply."""

    def answer(conversation: Conversation) -> str:
        time.sleep(seconds)
        return f"After {len(conversation)} messages: \\boxed{{-{len(conversation)}}}"

    return ScriptedAgent(answer, name="slow")
