"""An agent that thinks, returns tokens, and knows its format."""

from collections.abc import Sequence

from rise_agents.types import Reply, SamplingConfig
from rise_env.types import Conversation, ModelFormat


class ThinkingAgent:
    """Replies with a wrong number, a thought that has another one, and tokens.

    Args:
        stops: Stop tokens of its format.
        knows_format: Whether it has a format.
    """

    name = "thinking"
    max_concurrent_requests = 0

    def __init__(self, stops: Sequence[int] = (2,), knows_format: bool = True) -> None:
        self.asked: list[Conversation] = []
        if knows_format:
            self.format = ModelFormat(
                model="thinking", tokenizer="t", chat_template="c", stop_tokens=tuple(stops)
            )

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation."""
        self.asked += conversations
        return [
            Reply(
                text=f"\\boxed{{{-len(conversation)}}}",
                reasoning=f"thought {len(conversation)} \\boxed{{1}}",
                token_ids=(5, 6),
                logprobs=(-0.5, -1.0),
            )
            for conversation in conversations
        ]

    def close(self) -> None:
        """Nothing to free."""
