"""Episodes for libraries that exchange texts: the problem goes out, a reply comes in, feedback goes out."""

from typing import Any, NamedTuple

from rise_env.envs.math_env import MathEnv, math_env_of
from rise_env.registration import make
from rise_env.types import Conversation


class Outcome(NamedTuple):
    """The result of one reply."""

    feedback: str | None
    """The next user message; None if the episode is over."""
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]

    @property
    def done(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated


class TextEpisode:
    """Plays the episodes of one environment.

    Args:
        env: An environment id, such as RISE-GSM8K-v0.
        **settings: Its arguments, see `rise_env.make`.

    Raises:
        ConfigError: There is no such id or argument, or an argument is out of range.
        DataNotFoundError: The problems are not on this machine.
    """

    def __init__(self, env: str, **settings: Any) -> None:
        self.env = make(env, **settings)

    @property
    def math_env(self) -> MathEnv:
        """The environment inside its wrappers."""
        return math_env_of(self.env)

    def begin(
        self, *, seed: int | None = None, index: int | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Start an episode, and return its first messages and the info.

        Args:
            seed: Seeds the order of the problems.
            index: Which problem to pose; None poses the next one.
        """
        options = None if index is None else {"index": index}
        conversation, info = self.env.reset(seed=seed, options=options)
        return conversation, info

    def reply(self, text: str) -> Outcome:
        """Check a reply, and return the feedback to it."""
        conversation, reward, terminated, truncated, info = self.env.step(text)
        feedback = None if terminated or truncated else conversation[-1]["content"]
        return Outcome(feedback, float(reward), terminated, truncated, info)
