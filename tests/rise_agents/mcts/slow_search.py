"""A search whose policy takes some time per batch, for tests that kill collections."""

import time
from collections.abc import Sequence

from rise_agents.backends.mcts_agent import MCTSAgent
from rise_agents.mcts.presets import search_settings
from rise_agents.types import Reply, SamplingConfig
from rise_env.types import Conversation
from tests.rise_agents.mcts.line_policy import LinePolicy


class SlowLinePolicy(LinePolicy):
    def __init__(self, seconds: float) -> None:
        super().__init__(name="slow lines")
        self._seconds = seconds

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        time.sleep(self._seconds)
        return super().act(conversations, sampling, seeds)


def make_search(seconds: float) -> MCTSAgent:
    return MCTSAgent(SlowLinePolicy(seconds), search_settings(simulations=6, keep=2))
