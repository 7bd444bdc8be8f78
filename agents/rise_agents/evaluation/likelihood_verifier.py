r"""A verifier that answers with the probability of \boxed{yes} instead of a sampled answer."""

from collections.abc import Sequence

from rise_agents.evaluation.verifier_questions import NO, YES, likelihood_rating
from rise_agents.types import Agent, Reply, SamplingConfig, ScoringAgent, TokenizingAgent
from rise_env.types import Conversation, Usage


class LikelihoodVerifier:
    r"""Answers each question with \boxed{P(yes) / (P(yes) + P(no))}.

    One reading costs a forward pass and no generated token, and the answer has no noise of sampling.

    Args:
        agent: A `ScoringAgent`. `close` closes it.
    """

    def __init__(self, agent: ScoringAgent) -> None:
        self._agent = agent
        self.name = f"likelihood({agent.name})"

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each question; see `Agent.act`. `sampling` and `seeds` are ignored."""
        found = self._agent.logprobs_of(conversations, [(YES, NO)] * len(conversations))
        read = [0] * len(conversations)
        if isinstance(self._agent, TokenizingAgent):
            read = self._agent.prompt_tokens(conversations)
        return [
            Reply(text=f"\\boxed{{{likelihood_rating(yes, no):.9f}}}", usage=Usage(prompt_tokens=tokens))
            for (yes, no), tokens in zip(found, read, strict=True)
        ]

    def close(self) -> None:
        """Close the agent."""
        self._agent.close()


def as_verifier(agent: Agent) -> Agent:
    """Return an agent as a verifier: by likelihood if the agent can score texts, otherwise as it is."""
    return LikelihoodVerifier(agent) if isinstance(agent, ScoringAgent) else agent
