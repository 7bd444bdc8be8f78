"""Shows worked examples before the problem."""

from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs

from rise_env.envs.initial_prompt import FewShotLike, make_initial_prompt
from rise_env.types import Conversation


class FewShot(gymnasium.ObservationWrapper[Conversation, Any, Conversation], RecordConstructorArgs):
    """Puts worked examples before the conversation, after its system message.

    `MathEnv(few_shot=...)` does the same. This wrapper serves other environments whose observations are
    conversations.

    Args:
        env: An environment whose observations are conversations.
        examples: Number of built-in worked examples (0 to 4), or (question, answer) pairs.

    Raises:
        ConfigError: There are not that many worked examples, or an example is not a pair of texts.
    """

    def __init__(self, env: gymnasium.Env[Conversation, Any], examples: FewShotLike) -> None:
        RecordConstructorArgs.__init__(self, examples=examples)
        gymnasium.ObservationWrapper.__init__(self, env)
        self._head = make_initial_prompt(few_shot=examples).head

    def observation(self, observation: Conversation) -> Conversation:
        """Return the conversation with the examples, which are new dicts at every call."""
        head = tuple(message.copy() for message in self._head)
        system = 1 if observation and observation[0]["role"] == "system" else 0
        return observation[:system] + head + observation[system:]
