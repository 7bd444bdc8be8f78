"""What a fit takes as the reward of a reply: that of the environment, or the score of a critic."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from rise_env.errors import ConfigError
from rise_env.types import Attempt, Trajectory

Signal = Literal["reward", "score"]


def with_signal(trajectories: Iterable[Trajectory], signal: Signal) -> list[Trajectory]:
    """Return trajectories in which the reward of each attempt is the signal.

    With "score", no verdict and no reward of the environment is read: the reward is what the agent itself, or
    its critic, said of the reply, and 0 where nobody said anything.

    Args:
        trajectories: The trajectories of all stores.
        signal: What to take.

    Raises:
        ConfigError: The signal is "score", and no attempt has a score.
    """
    found = list(trajectories)
    if signal == "reward":
        return found
    if not any(attempt.score is not None for one in found for turn in one.turns for attempt in turn.attempts):
        raise ConfigError(
            "signal is score, but no reply in the data has one: collect with an agent that scores its "
            "replies, such as mcts:AGENT"
        )
    return [
        replace(one, turns=tuple(replace(turn, attempts=_scored(turn.attempts)) for turn in one.turns))
        for one in found
    ]


def _scored(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    return tuple(replace(attempt, reward=attempt.score or 0.0) for attempt in attempts)
