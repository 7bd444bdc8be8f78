import logging
from collections.abc import Callable

import pytest

from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.types import Conversation
from tests.rise_agents.fake_agents import SeededAgent, envs

Answer = Callable[[Conversation, int], str]


def warnings(
    caplog: pytest.LogCaptureFixture, answer: Answer, temperature: float, num_samples: int
) -> list[str]:
    """Play 12 episodes with several draws, and return the warnings."""
    agent = SeededAgent(answer)
    plan = [TurnPlan(agent, num_samples, until_correct=False)]
    with caplog.at_level(logging.WARNING):
        rollout(plan, envs(12), range(12), SamplingConfig(temperature=temperature), seed=0)
    return [record.message for record in caplog.records if "all draws" in record.message]


def same(conversation: Conversation, seed: int) -> str:
    return f"The answer to {conversation[0]['content'][:12]} is -1."


def test_draws_that_are_all_the_same_are_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    [said] = warnings(caplog, same, 1.0, 5)
    assert "all draws of seeded are the same at temperature 1 (3 turns with 15 draws)" in said


@pytest.mark.parametrize(
    ("answer", "temperature", "num_samples"),
    [
        pytest.param(same, 0.0, 5, id="greedy"),
        pytest.param(same, 1.0, 1, id="one draw"),
        pytest.param(lambda c, seed: same(c, 0) + " " * (seed % 7), 1.0, 5, id="different draws"),
        pytest.param(lambda c, seed: "-1", 1.0, 5, id="short replies"),
    ],
)
def test_other_draws_are_not_warned_of(
    caplog: pytest.LogCaptureFixture, answer: Answer, temperature: float, num_samples: int
) -> None:
    assert warnings(caplog, answer, temperature, num_samples) == []
