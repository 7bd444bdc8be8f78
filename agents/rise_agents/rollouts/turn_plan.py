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

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium

from rise_agents.deliberation.agent_feedback import FeedbackPlan
from rise_agents.types import Agent, SamplingConfig, StreamingAgent
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError

_log = logging.getLogger(__name__)


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
    feedback: FeedbackPlan | None = None
    """The agent that writes the feedback after this turn; None leaves it to the environment. The last turn of
    a plan needs none."""

    verifies: bool = False
    """Whether the replies of this turn say whether the reply before is right: they are graded by whether they
    say so rightly, and a "yes" ends the episode. See `read_rating` for what is a yes."""

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


def check_feedback(plan: Sequence[TurnPlan], env: gymnasium.Env[Any, str]) -> None:
    """Check that feedback is written by agents either in the plan and in the environment, or in neither.

    Raises:
        ConfigError: One of the two is missing.
    """
    written = math_env_of(env).rules.feedback_is_written
    for turn in plan[:-1]:
        if written and turn.feedback is None:
            raise ConfigError('feedback="agent" needs an agent: set TurnPlan.feedback to a FeedbackPlan')
        if turn.feedback is not None and not written:
            raise ConfigError(
                f"{turn.feedback.agent.name} is to write the feedback, but the environment writes it itself: "
                'make it with feedback="agent"'
            )


def warn_of_other_problems(plan: Sequence[TurnPlan], env: gymnasium.Env[Any, str]) -> None:
    """Warn if an agent of a plan has rules or a memory that were learned in another environment."""
    here = env.spec.id if env.spec is not None else None
    for agent in agents_of(plan):
        learned_in = getattr(agent, "learned_in", None)
        if here and learned_in and learned_in != here:
            _log.warning("%s plays %s with what was learned in %s", agent.name, here, learned_in)


def agents_of(plan: Sequence[TurnPlan]) -> list[Agent]:
    """Return the agents of a plan, each once: those that play, and those that write feedback."""
    writers = [turn.feedback.agent for turn in plan if turn.feedback is not None]
    return list({id(agent): agent for agent in [*(turn.agent for turn in plan), *writers]}.values())


def concurrent_requests_of(plan: Sequence[TurnPlan]) -> int:
    """Return how many concurrent requests the agents of a plan can use; 0 if none streams."""
    streaming = (agent for agent in agents_of(plan) if isinstance(agent, StreamingAgent))
    return max((agent.max_concurrent_requests for agent in streaming), default=0)
