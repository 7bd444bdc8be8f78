"""Shows only the last few turns, as RISE does where there are more turns than it was trained on."""

from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper

from rise_env.errors import ConfigError
from rise_env.types import Conversation


def recent_turns(conversation: Conversation, opening: int, turns: int) -> Conversation:
    """Return the opening of a conversation and its last few turns.

    Source: Qu et al. 2024 (arXiv:2407.18219), the sliding window of the caption of Figure 3.

    Args:
        conversation: Opening, then replies and feedback in turn; at the end of an episode a lone reply.
        opening: How many messages the opening has: up to the problem's, which is always kept.
        turns: How many (reply, feedback) pairs to keep.
    """
    said = len(conversation) - opening
    keep = max(0, 2 * turns - said % 2)
    return conversation if said <= keep else conversation[:opening] + conversation[len(conversation) - keep :]


class ContextWindow(gymnasium.Wrapper[Conversation, Any, Conversation, Any], RecordConstructorArgs):
    """Keeps the opening and the last `history_turns` turns of every observation.

    Args:
        env: Whose observations are conversations.
        history_turns: At least 0; 0 shows the problem alone every time.
    """

    def __init__(self, env: gymnasium.Env[Conversation, Any], history_turns: int) -> None:
        RecordConstructorArgs.__init__(self, history_turns=history_turns)
        gymnasium.Wrapper.__init__(self, env)
        self._turns = _at_least_zero(history_turns)
        self._opening = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Reset; the observation is the opening and stays as it is."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._opening = len(observation)
        return observation, info

    def step(self, action: Any) -> tuple[Conversation, Any, bool, bool, dict[str, Any]]:
        """Step, and cut the observation."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return recent_turns(observation, self._opening, self._turns), reward, terminated, truncated, info


class VectorContextWindow(VectorWrapper):
    """The same for a batch of episodes whose openings have the same number of messages.

    Args:
        env: Whose single observations are conversations.
        history_turns: At least 0.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], history_turns: int) -> None:
        super().__init__(env)
        self._turns = _at_least_zero(history_turns)
        self._opening = 0

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[tuple[Conversation, ...], dict[str, Any]]:
        """Reset; openings stay as they are."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self._opening = min(len(observation) for observation in observations)
        return self._cut(observations), infos

    def step(self, actions: Any) -> tuple[tuple[Conversation, ...], Any, Any, Any, dict[str, Any]]:
        """Step, and cut the observations, the final ones in `infos` too."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        for i, final in enumerate(infos.get("final_obs", ())):
            if final is not None:
                infos["final_obs"][i] = recent_turns(final, self._opening, self._turns)
        return self._cut(observations), rewards, terminated, truncated, infos

    def _cut(self, observations: tuple[Conversation, ...]) -> tuple[Conversation, ...]:
        return tuple(recent_turns(observation, self._opening, self._turns) for observation in observations)


def _at_least_zero(turns: int) -> int:
    if turns < 0:
        raise ConfigError(f"history_turns must be at least 0, got {turns}")
    return turns
