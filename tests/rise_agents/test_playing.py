"""Streaming and lock step play the same episodes."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from rise_agents.base import Agent, Reply, SamplingConfig, StreamingAgent
from rise_agents.environments import make_environment
from rise_agents.expert_agent import ExpertAgent
from rise_agents.rollout import TurnPlan, rollout
from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation, Trajectory


class Guesser:
    """Its replies depend on conversation and seed alone; in lock step."""

    name = "guesser"

    def __init__(self) -> None:
        self.batches: list[int] = []

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        self.batches.append(len(conversations))
        assert seeds is not None
        return [self.reply(c, s) for c, s in zip(conversations, seeds, strict=True)]

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        return Reply(text=f"\\boxed{{{(seed + len(conversation)) % 30}}}")

    def close(self) -> None:
        pass


class Streamer(Guesser):
    """Answers the latest request first; breaks off after `patience` replies."""

    streams = True

    def __init__(self, patience: int = 10**9, error: Exception | None = None) -> None:
        super().__init__()
        self.patience = patience
        self.error = error
        self.streamed = 0

    def stream(
        self,
        requests: Mapping[int, tuple[Conversation, int]],
        sampling: SamplingConfig,
        hear: Callable[[int, Reply], tuple[Conversation, int] | None],
    ) -> None:
        stack = list(requests.items())
        while stack:
            if self.streamed == self.patience:
                if self.error is not None:
                    raise self.error
                return
            self.streamed += 1
            key, (conversation, seed) = stack.pop()
            following = hear(key, self.reply(conversation, seed))
            if following is not None:
                stack.append((key, following))


def played(*plan: TurnPlan, count: int = 12) -> list[Trajectory]:
    settings = {"split": "test", "max_turns": len(plan), "difficulty": {"max_steps": 2, "largest": 40}}
    envs = [make_environment("RISE-Arithmetic-v0", **settings) for _ in range(count)]
    return rollout(plan, envs, range(count), SamplingConfig(), seed=3)


def plans(agent: Agent) -> list[list[TurnPlan]]:
    return [
        [TurnPlan(agent)] * 4,
        [TurnPlan(agent), TurnPlan(agent, samples=16)],
        [TurnPlan(agent, samples=5, until_correct=False)],
        [TurnPlan(agent), TurnPlan(ExpertAgent()), TurnPlan(agent)],
    ]


@pytest.mark.parametrize("number", range(4))
def test_streamed_episodes_are_those_of_lock_step(number: int) -> None:
    streamer = Streamer()
    assert isinstance(streamer, StreamingAgent)
    expected = played(*plans(Guesser())[number])
    assert played(*plans(streamer)[number]) == expected
    assert streamer.batches == []
    assert streamer.streamed == sum(
        a.agent == "guesser" for e in expected for t in e.turns for a in t.attempts
    )


@pytest.mark.parametrize("error", [RuntimeError("engine lost"), None])
def test_what_a_stream_leaves_unanswered_is_asked_in_the_usual_way(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    streamer = Streamer(patience=7, error=error)
    assert played(*[TurnPlan(streamer)] * 4) == played(*[TurnPlan(Guesser())] * 4)
    assert streamer.streamed == 7
    assert sum(streamer.batches) > 20
    assert ("engine lost" in caplog.text) == (error is not None)


def test_a_setup_error_of_a_stream_is_passed_on() -> None:
    with pytest.raises(ConfigError, match="no such setting"):
        played(TurnPlan(Streamer(patience=0, error=ConfigError("no such setting"))))


def test_a_streaming_agent_that_answers_nothing_is_given_up() -> None:
    class Dead(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            raise RuntimeError("dead")

    with pytest.raises(AgentError, match="dead"):
        played(TurnPlan(Dead()))


def test_an_agent_that_was_made_not_to_stream_is_asked_in_lock_step() -> None:
    streamer = Streamer()
    streamer.streams = False
    played(*[TurnPlan(streamer)] * 2)
    assert streamer.streamed == 0
    assert streamer.batches[0] == 12
