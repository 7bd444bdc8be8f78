"""An agent that asks another one several times, and helpers of its tests."""

from collections import Counter
from collections.abc import Sequence

from rise_agents.deliberation.deliberating_agent import DeliberatingAgent, composed_name
from rise_agents.deliberation.script import Ask, Script, ask_seeds
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.types import Conversation, Usage
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer

COLD = SamplingConfig(temperature=0.25)


class Majority(DeliberatingAgent):
    """Draws three replies at once, then asks `judge` one to three times, each time after the last."""

    def __init__(self, inner: Agent, judge: Agent | None = None) -> None:
        self.inner = inner
        self.judge = judge or inner
        super().__init__(composed_name("majority", inner.name), [inner, *([judge] if judge else [])])

    def script(self, conversation: Conversation, sampling: SamplingConfig, seed: int) -> Script[Reply]:
        seeds = ask_seeds(seed)
        draws = yield [Ask(self.inner, conversation, next(seeds), sampling) for _ in range(3)]
        votes = Counter(draw.text for draw in draws if draw.finish != "error")
        for _ in range(1 + seed % 3):
            [vote] = yield [Ask(self.judge, conversation[-1:], next(seeds), COLD)]
            votes[vote.text] += vote.finish != "error"
        return Reply(text=votes.most_common(1)[0][0])


class CountingGuesser(Guesser):
    """Counts what it was asked, and reports as many tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Conversation, int]] = []

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        self.asked.append((conversation, seed))
        usage = Usage(prompt_tokens=len(conversation), completion_tokens=7, cached_tokens=1)
        return Reply(text=super().reply(conversation, seed).text, usage=usage)


class CountingStreamer(CountingGuesser, Streamer):
    """The same, and streams."""


def questions(count: int) -> Sequence[Conversation]:
    return [({"role": "user", "content": f"What is {number} + 1?"},) for number in range(count)]
