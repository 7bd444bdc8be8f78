"""What worker processes play: a description of episodes that can be sent to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium

from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """The episodes of one store, with loaded agents. The fields are arguments of `collect`."""

    plan: Sequence[TurnPlan]
    make_env: Callable[[], gymnasium.Env[Any, str]]
    record: Mapping[str, Any]
    """The first line of the store."""
    sampling: SamplingConfig
    seed: int
    drop_degenerate: bool = False
    keep_tokens: bool = True


class EpisodeSource(Protocol):
    """Loads the agents of some episodes. It is pickled and sent to every worker."""

    def load(self) -> Sequence[Episodes]:
        """Load the agents, and return the episodes of every store that they play."""
        ...
