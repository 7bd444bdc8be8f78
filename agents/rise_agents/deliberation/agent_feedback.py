"""Feedback that an agent writes: what the agent is asked, and what is recorded of it."""

from dataclasses import dataclass
from typing import Any

from rise_agents.deliberation.script import Ask
from rise_agents.types import Agent, ProblemAwareAgent, Reply, SamplingConfig
from rise_env.envs.prompts import Template
from rise_env.errors import ConfigError
from rise_env.types import AgentFeedback, Conversation, Problem

PROMPT = (
    "Read the solution above step by step. Say to its author what is right in it, what is wrong in it, and "
    "how to do better. Do not solve the problem yourself, and do not state its answer."
)
"""What an agent is asked about a reply."""

TOLD_PROMPT = (
    "The right final answer of the problem is {reference}. Read the solution above step by step. Say to its "
    "author what is right in it, what is wrong in it, and how to do better. Do not state the right answer."
)
"""What an agent that may know the reference answer is asked."""

FIELDS = ("question", "turn")
"""Fields of prompts: the question, and the number of attempts so far. With `told` also {reference}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackPlan:
    """The agent that writes the feedback after a turn, and what it sees.

    It sees the conversation up to the reply and then, as a user message, the prompt. Its reply becomes the
    next user message of the episode. It does not see the reference answer unless `told` is true.

    Raises:
        ConfigError: The prompt has an unknown field, or names the reference without `told`; or the agent must
            know the problems, and `told` is false.
    """

    agent: Agent
    prompt: str | None = None
    """A template with `FIELDS`; None is `PROMPT`, or `TOLD_PROMPT` with `told`."""
    sampling: SamplingConfig | None = None
    """How the feedback is sampled; None uses the sampling of the rollout."""
    told: bool = False
    """Whether the agent may know the reference answer. Records and stores then say so."""

    def __post_init__(self) -> None:
        check_prompt(self.prompt, told=self.told)
        if isinstance(self.agent, ProblemAwareAgent) and not self.told:
            raise ConfigError(
                f"{self.agent.name} is told the reference answer, so its feedback may reveal it: set told to "
                "true if later replies may depend on it"
            )

    def ask(
        self, conversation: Conversation, problem: Problem, turn: int, seed: int, sampling: SamplingConfig
    ) -> Ask:
        """Return the request for the feedback to a reply.

        Args:
            conversation: The conversation up to the reply, with it.
            problem: The problem of the episode.
            turn: The turn of the reply, counted from 0.
            seed: Seed of the request.
            sampling: The sampling of the rollout.
        """
        template = check_prompt(self.prompt, told=self.told)
        reference = problem.reference if self.told else ""
        text = template.fill(problem.question, turn=turn + 1, reference=reference)
        return Ask(
            self.agent,
            (*conversation, {"role": "user", "content": text}),
            seed,
            self.sampling or sampling,
            problem,
        )

    def feedback(self, reply: Reply) -> AgentFeedback:
        """Return what is stored of a reply to `ask`, which did not fail."""
        return AgentFeedback(
            agent=self.agent.name,
            text="" if reply.finish == "content_filter" else reply.text,
            finish=reply.finish,
            usage=reply.usage,
            reasoning=reply.reasoning,
            told=self.told,
        )

    def record(self, sampling: SamplingConfig) -> dict[str, Any]:
        """Return a JSON value of everything that decides the feedback, for records and ids.

        Args:
            sampling: The sampling of the rollout.
        """
        own = self.sampling or sampling
        return {
            "agent": self.agent.name,
            "prompt": check_prompt(self.prompt, told=self.told).text,
            "sampling": [own.temperature, own.top_p, own.max_new_tokens],
            "told": self.told,
        }


def check_prompt(prompt: str | None, *, told: bool) -> Template:
    """Return the template of a prompt for feedback.

    Raises:
        ConfigError: It has an unknown field, or names the reference although the agent is not told it.
    """
    if prompt is None:
        prompt = TOLD_PROMPT if told else PROMPT
    template = Template(prompt, known=(*FIELDS, "reference"), what="prompt for feedback")
    if "reference" in template.fields and not told:
        raise ConfigError("the prompt for feedback has the field {reference}: set told to true as well")
    return template
