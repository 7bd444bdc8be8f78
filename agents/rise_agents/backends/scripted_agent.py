"""An agent without a model, for tests, examples and baselines: a Python function writes the replies."""

from collections.abc import Callable, Sequence

from rise_agents.types import Reply, SamplingConfig
from rise_env.types import Conversation, Usage


class ScriptedAgent:
    r"""Answers with a plain function of the conversation.

    >>> agent = ScriptedAgent(lambda conversation: r"\boxed{7}")
    >>> agent.act([()], SamplingConfig())[0].text
    '\\boxed{7}'

    Args:
        answer: Conversation -> text of the reply. It should be deterministic.
        name: Identifier that trajectories record.
    """

    def __init__(self, answer: Callable[[Conversation], str], *, name: str = "scripted") -> None:
        self.name = name
        self._answer = answer

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`. `sampling` and `seeds` are ignored.

        The usage counts words as tokens.
        """
        replies = []
        for conversation in conversations:
            text = self._answer(conversation)
            words = sum(message["content"].count(" ") + 1 for message in conversation)
            usage = Usage(prompt_tokens=words, completion_tokens=text.count(" ") + 1)
            replies.append(Reply(text=text, usage=usage))
        return replies

    def close(self) -> None:
        """Do nothing: the agent holds no resources."""
