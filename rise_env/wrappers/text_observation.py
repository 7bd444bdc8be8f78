"""Shows the conversation as one text, for agents that read a string."""

from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from rise_env.envs.rendering import transcript
from rise_env.envs.spaces import UnicodeText
from rise_env.types import Conversation, Message


class TextObservation(gymnasium.ObservationWrapper[str, Any, Conversation], RecordConstructorArgs):
    """Turns each conversation into one string.

    Args:
        env: An environment whose observations are conversations.
        write: Turns messages into a text, for example a tokenizer's chat template; by default one
            paragraph "role: content" per message.
    """

    def __init__(
        self,
        env: gymnasium.Env[Conversation, Any],
        write: Callable[[Iterable[Message]], str] = transcript,
    ) -> None:
        RecordConstructorArgs.__init__(self, write=write)
        gymnasium.ObservationWrapper.__init__(self, env)
        self._write = write
        self.observation_space = UnicodeText(2**24)

    def observation(self, observation: Conversation) -> str:
        """Return the conversation as one text."""
        return self._write(observation)
