"""Shows the conversation as one text, for agents that read a string."""

from collections.abc import Callable, Iterable
from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

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


class VectorTextObservation(VectorWrapper):
    """`TextObservation` for a batch of episodes, in all three autoreset modes.

    The last observations of episodes that a step ended and reset, `infos["final_obs"]`, become texts, too.

    Args:
        env: A vector environment whose single observations are conversations.
        write: As in `TextObservation`.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        write: Callable[[Iterable[Message]], str] = transcript,
    ) -> None:
        super().__init__(env)
        self._write = write
        self.single_observation_space = UnicodeText(2**24)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Reset all or some episodes."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self._texts(observations), infos

    def step(self, actions: Any) -> tuple[tuple[str, ...], Any, Any, Any, dict[str, Any]]:
        """Take a step."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        for i, final in enumerate(infos.get("final_obs", ())):
            if final is not None:
                infos["final_obs"][i] = self._write(final)
        return self._texts(observations), rewards, terminated, truncated, infos

    def _texts(self, observations: Iterable[Conversation]) -> tuple[str, ...]:
        return tuple(self._write(observation) for observation in observations)
