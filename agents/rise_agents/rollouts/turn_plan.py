"""The plan of an episode: which agent plays each turn.

A plan is a sequence of `TurnPlan`, one per turn:

| purpose           | plan                                                     |
| ----------------- | -------------------------------------------------------- |
| evaluation        | `[TurnPlan(agent)] * 5`                                  |
| distillation      | `[TurnPlan(student), TurnPlan(teacher)]`                 |
| self-distillation | `[TurnPlan(student), TurnPlan(student, num_samples=16)]` |
| parallel sampling | `[TurnPlan(agent, num_samples=5)]`                       |

For correct-to-correct pairs, let the environment continue after a correct reply (`stop_when_correct=False`).
Source: Qu et al. 2024, "Recursive Introspection", arXiv:2407.18219, and its released `workflow_gen.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rise_agents.types import Agent, SamplingConfig, StreamingAgent
from rise_env.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """Which agent plays a turn, how many replies it may sample, and how it samples them.

    Raises:
        ConfigError: `num_samples` is below 1, or the agent's name is not a string.
    """

    agent: Agent
    num_samples: int = 1
    """Maximal number of replies. The attempt with the highest reward becomes the action."""
    until_correct: bool = True
    """Stop sampling at the first correct reply; False samples all, for example for a majority vote."""
    sampling: SamplingConfig | None = None
    """How the replies of this turn are sampled; None uses the sampling of the rollout."""

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise ConfigError(f"num_samples must be at least 1, got {self.num_samples}")
        if not isinstance(self.agent.name, str):
            raise ConfigError(f"an agent's name must be a text, got {self.agent.name!r}")


def check_plan(plan: Sequence[TurnPlan], seed: int) -> None:
    """Raise ConfigError if a plan is empty or a rollout's seed is negative."""
    if not plan:
        raise ConfigError("a plan needs at least one turn")
    if seed < 0:
        raise ConfigError(f"seed must be at least 0, got {seed}")


def concurrent_requests_of(plan: Sequence[TurnPlan]) -> int:
    """Return how many concurrent requests the agents of a plan can use; 0 if none streams."""
    agents = [turn.agent for turn in plan]
    return max(
        (agent.max_concurrent_requests for agent in agents if isinstance(agent, StreamingAgent)), default=0
    )
