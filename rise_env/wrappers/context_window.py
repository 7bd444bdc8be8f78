"""Shows only the last few turns, as RISE does for episodes longer than those that it trained on."""

from typing import Any

import gymnasium
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper

from rise_env.errors import ConfigError
from rise_env.types import Conversation
from rise_env.utils.signatures import convert_value


def recent_turns(conversation: Conversation, initial: int, turns: int) -> Conversation:
    """Return the initial messages of a conversation and its last few turns.

    Source: Qu et al. 2024 (arXiv:2407.18219), the sliding window of the caption of Figure 3.

    Args:
        conversation: The initial messages, then replies and feedback alternately. The last reply of an
            episode has no feedback; it counts as a turn.
        initial: Number of messages up to the problem, which is the last of them. They are always kept.
        turns: Number of (reply, feedback) pairs to keep.
    """
    later = len(conversation) - initial
    keep = max(0, 2 * turns - later % 2)
    if later <= keep:
        return conversation
    return conversation[:initial] + conversation[len(conversation) - keep :]


class ContextWindow(gymnasium.Wrapper[Conversation, Any, Conversation, Any], RecordConstructorArgs):
    """Shows the initial messages and the last `history_turns` turns of every conversation.

    Args:
        env: An environment whose observations are conversations.
        history_turns: Number of turns, at least 0; 0 shows the problem alone every time.

    Raises:
        ConfigError: `history_turns` is negative.
    """

    def __init__(self, env: gymnasium.Env[Conversation, Any], history_turns: int) -> None:
        RecordConstructorArgs.__init__(self, history_turns=history_turns)
        gymnasium.Wrapper.__init__(self, env)
        self._turns = _at_least_zero(history_turns)
        self._initial = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Reset the environment. The observation is not cut, because it has no turns."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._initial = len(observation)
        return observation, info

    def step(self, action: Any) -> tuple[Conversation, Any, bool, bool, dict[str, Any]]:
        """Take a step. The observation is cut."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return recent_turns(observation, self._initial, self._turns), reward, terminated, truncated, info


class VectorContextWindow(VectorWrapper):
    """`ContextWindow` for a batch of episodes with the same number of initial messages.

    Args:
        env: A vector environment whose single observations are conversations.
        history_turns: Number of turns, at least 0.

    Raises:
        ConfigError: `history_turns` is negative.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], history_turns: int) -> None:
        super().__init__(env)
        self._turns = _at_least_zero(history_turns)
        self._initial = 0

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[tuple[Conversation, ...], dict[str, Any]]:
        """Reset all or some episodes. The observations of the others are cut."""
        observations, infos = self.env.reset(seed=seed, options=options)
        self._initial = min(len(observation) for observation in observations)
        return self._cut(observations), infos

    def step(self, actions: Any) -> tuple[tuple[Conversation, ...], Any, Any, Any, dict[str, Any]]:
        """Take a step. The observations are cut, also those in `infos["final_obs"]`."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        for i, final in enumerate(infos.get("final_obs", ())):
            if final is not None:
                infos["final_obs"][i] = recent_turns(final, self._initial, self._turns)
        return self._cut(observations), rewards, terminated, truncated, infos

    def _cut(self, observations: tuple[Conversation, ...]) -> tuple[Conversation, ...]:
        return tuple(recent_turns(observation, self._initial, self._turns) for observation in observations)


def _at_least_zero(turns: int) -> int:
    turns = convert_value(turns, int, what="history_turns")
    if turns < 0:
        raise ConfigError(f"history_turns must be at least 0, got {turns}")
    return int(turns)
