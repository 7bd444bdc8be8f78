"""Asking an agent so that one conversation it cannot answer costs no other its reply."""

from collections.abc import Sequence

from rise_agents.base import Agent, Reply, SamplingConfig
from rise_env.errors import AgentError, ConfigError, DataNotFoundError, MissingDependencyError
from rise_env.types import Conversation

SETUP_ERRORS = (ConfigError, DataNotFoundError, MissingDependencyError)
"""What no smaller batch can mend."""


def ask(
    agent: Agent,
    conversations: Sequence[Conversation],
    sampling: SamplingConfig,
    seeds: Sequence[int],
) -> list[Reply]:
    """Return one reply per conversation, in order.

    When the agent raises or returns too few replies, the batch is halved until the culprits stand alone;
    each gets a reply with finish "error" whose text is the reason.

    Raises:
        AgentError: It could answer nothing at all (two or more conversations): the agent is at fault and
            not a conversation. A setup error is passed on as it is.
    """
    culprits = _Culprits(limit=2 * len(conversations).bit_length() + 4)
    replies = _ask(agent, conversations, sampling, seeds, culprits)
    failed = [reply for reply in replies if reply.finish == "error"]
    if len(failed) == len(replies) > 1:
        raise AgentError(f"{agent.name} answered none of {len(replies)} conversations: {failed[0].text}")
    return replies


class _Culprits:
    """Counts failures since the last success, so that a dead agent is given up soon."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.failures = 0
        self.answered = False


def _ask(
    agent: Agent,
    conversations: Sequence[Conversation],
    sampling: SamplingConfig,
    seeds: Sequence[int],
    culprits: _Culprits,
) -> list[Reply]:
    try:
        replies = agent.act(conversations, sampling, seeds)
        if len(replies) != len(conversations):
            raise AgentError(
                f"{agent.name} returned {len(replies)} replies to {len(conversations)} conversations"
            )
    except SETUP_ERRORS:
        raise
    except Exception as error:  # whatever an agent raises is its episodes' failure, not the run's
        culprits.failures += 1
        if not culprits.answered and culprits.failures >= culprits.limit:
            raise AgentError(f"{agent.name} failed {culprits.failures} times in a row: {error}") from error
        if len(conversations) == 1:
            return [Reply(text=f"{type(error).__name__}: {error}", finish="error")]
        half = len(conversations) // 2
        return [
            *_ask(agent, conversations[:half], sampling, seeds[:half], culprits),
            *_ask(agent, conversations[half:], sampling, seeds[half:], culprits),
        ]
    culprits.answered = True
    return replies
