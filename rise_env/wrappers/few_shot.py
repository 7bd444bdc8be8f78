"""Shows worked examples before the problem."""

from collections.abc import Sequence
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from rise_env.envs.initial_prompt import make_initial_prompt
from rise_env.types import Conversation


class FewShot(gymnasium.ObservationWrapper[Conversation, Any, Conversation], RecordConstructorArgs):
    """Puts worked examples in front of the conversation, behind its system message.

    `MathEnv(few_shot=...)` does the same; this is for other environments and for examples that change.

    Args:
        env: Whose observations are conversations.
        examples: How many of our own, or (question, answer) pairs.
    """

    def __init__(
        self, env: gymnasium.Env[Conversation, Any], examples: int | Sequence[tuple[str, str]]
    ) -> None:
        RecordConstructorArgs.__init__(self, examples=examples)
        gymnasium.ObservationWrapper.__init__(self, env)
        self._head = make_initial_prompt(few_shot=examples).head

    def observation(self, observation: Conversation) -> Conversation:
        """Return the conversation with the examples, in new dicts."""
        head = tuple(message.copy() for message in self._head)
        system = 1 if observation and observation[0]["role"] == "system" else 0
        return observation[:system] + head + observation[system:]
