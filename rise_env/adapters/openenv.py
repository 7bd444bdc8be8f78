"""OpenEnv: our environments as an `Environment` of its servers."""

from typing import Any
from uuid import uuid4

from rise_env.adapters.text_episode import TextEpisode
from rise_env.types import Conversation
from rise_env.utils.extras import missing_library

try:
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, Observation, State
except ImportError:
    raise missing_library("openenv", "rise_env.adapters.openenv") from None


class ReplyAction(Action):  # type: ignore[misc]
    """A reply."""

    reply: str


class ConversationObservation(Observation):  # type: ignore[misc]
    """The conversation so far. `reward` and `done` are fields of the base class."""

    messages: list[dict[str, str]]
    truncated: bool = False
    """Whether the limit on turns ended the episode; `done` alone does not say this."""


class OpenEnvEnvironment(Environment):  # type: ignore[misc]
    """A RISE environment with OpenEnv's interface, for `create_app(lambda: OpenEnvEnvironment(ID), ...)`.

    Observations never contain the reference answer.

    Args:
        env: An environment id, such as RISE-GSM8K-v0.
        **settings: Its arguments.
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, env: str, **settings: Any) -> None:
        super().__init__()
        self._episode = TextEpisode(env, **settings)
        self._state = State(episode_id=str(uuid4()), step_count=0)

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, index: int | None = None, **kwargs: Any
    ) -> ConversationObservation:
        """Start an episode.

        Args:
            seed: Seeds the order of the problems.
            episode_id: A name for the episode; None makes one.
            index: Which problem to pose; None poses the next one.
            **kwargs: Not used.
        """
        conversation, info = self._episode.begin(seed=seed, index=index)
        self._state = State(episode_id=episode_id or str(uuid4()), step_count=0)
        return _observation(conversation, metadata=dict(info))

    def step(
        self, action: ReplyAction, timeout_s: float | None = None, **kwargs: Any
    ) -> ConversationObservation:
        """Check a reply and add the feedback."""
        conversation, reward, terminated, truncated, info = self._episode.env.step(action.reply)
        self._state.step_count += 1
        return _observation(
            conversation,
            reward=float(reward),
            done=terminated or truncated,
            truncated=truncated,
            metadata=dict(info),
        )

    @property
    def state(self) -> State:
        """The episode's name and its number of steps."""
        return self._state


def _observation(conversation: Conversation, **fields: Any) -> ConversationObservation:
    return ConversationObservation(messages=[dict(message) for message in conversation], **fields)
