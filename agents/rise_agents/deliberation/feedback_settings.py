"""The settings `feedback` and `feedback_settings` of commands: which agent writes the feedback, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rise_agents.deliberation.agent_feedback import FeedbackPlan, check_prompt
from rise_agents.types import Agent, SamplingConfig
from rise_env.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSettings:
    """How an agent writes the feedback."""

    prompt: str | None = None
    """What the agent is asked after it has read the conversation, with {question}, {turn} and, with told,
    {reference}; null is a text of RISE."""
    sampling: SamplingConfig | None = None
    """How the feedback is sampled; null uses `sampling`."""
    told: bool = False
    """Whether the agent may know the reference answer. Stores and reports are marked."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the agent. With the same name and arguments as an agent that plays, it is this agent."""

    def plan(self, agent: Agent) -> FeedbackPlan:
        """Return the plan with which a rollout asks an agent for feedback."""
        return FeedbackPlan(agent=agent, prompt=self.prompt, sampling=self.sampling, told=self.told)


def feedback_agent(feedback: str) -> str:
    """Return the agent of the setting `feedback`, which is "agent:AGENT".

    Raises:
        ConfigError: It has another form.
    """
    prefix, _, agent = feedback.partition(":")
    if prefix != "agent" or not agent:
        raise ConfigError(
            f"feedback is {feedback!r}: write agent:AGENT, for example agent:openai:MODEL@URL; other "
            "feedback is an argument of the environment, for example --env_settings.feedback oracle"
        )
    return agent


def check_feedback_settings(
    feedback: str | None, settings: FeedbackSettings, env_settings: Mapping[str, Any]
) -> None:
    """Check the settings of the agent that writes the feedback.

    Raises:
        ConfigError: `feedback` is not agent:AGENT, is missing or contradicts the environment's arguments, or
            the prompt is wrong.
    """
    if feedback is None:
        if settings != FeedbackSettings():
            raise ConfigError("feedback_settings need an agent: set feedback to agent:AGENT")
        return
    feedback_agent(feedback)
    check_prompt(settings.prompt, told=settings.told)
    if "feedback" in env_settings:
        raise ConfigError(
            f"feedback is {feedback!r} and env_settings.feedback is {env_settings['feedback']!r}: give one"
        )
