"""`DeliberatingAgent`: an agent that asks agents is an agent like any other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.deliberation.deliberating_agent import composed_name
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, OnReply, Reply, SamplingConfig, StreamingAgent, StreamRequests
from rise_env.errors import AgentError, ConfigError, StoreError
from rise_env.trajectories.store import read_trajectories
from rise_env.types import Conversation
from tests.rise_agents.deliberation.majority_agent import (
    CountingGuesser,
    CountingStreamer,
    Majority,
    questions,
)
from tests.rise_agents.rollouts.streaming_agents import FailsWhere, Guesser, Streamer, collected, played

SAMPLING = SamplingConfig()


@pytest.mark.parametrize("inner", [Guesser, Streamer, lambda: Majority(Guesser())])
def test_replies_are_the_same_alone_and_among_256(inner: Callable[[], Agent]) -> None:
    agent = Majority(inner())
    seeds = list(range(256))
    together = agent.act(questions(256), SAMPLING, seeds)
    for number in (0, 100, 255):
        assert agent.act([questions(256)[number]], SAMPLING, [number]) == [together[number]]


def test_256_scripts_are_batches_of_the_inner_agent() -> None:
    inner = Guesser()
    Majority(inner).act(questions(256), SAMPLING, [0] * 256)
    assert inner.batches == [3 * 256, 256]


@pytest.mark.parametrize("inner", [CountingGuesser, CountingStreamer])
def test_the_usage_of_a_reply_is_that_of_everything_it_asked(inner: type[CountingGuesser]) -> None:
    counting = inner()
    replies = Majority(Majority(counting)).act(questions(5), SAMPLING, list(range(5)))
    assert sum(reply.usage.calls for reply in replies) == len(counting.asked)
    assert sum(reply.usage.completion_tokens for reply in replies) == 7 * len(counting.asked)
    assert sum(reply.usage.prompt_tokens for reply in replies) == sum(len(c) for c, _ in counting.asked)


@pytest.mark.parametrize("max_concurrent_episodes", [1, 5, 12])
def test_episodes_are_the_same_in_lock_step_and_streamed(
    tmp_path: Path, max_concurrent_episodes: int
) -> None:
    streamer = Majority(Streamer())
    assert isinstance(streamer, StreamingAgent)
    assert Majority(Guesser()).max_concurrent_requests == 0
    expected = played(*[TurnPlan(Majority(CountingGuesser()))] * 3)
    assert len({len(episode.turns) for episode in expected}) > 1
    found = collected(
        tmp_path / "s.jsonl",
        *[TurnPlan(Majority(CountingStreamer()))] * 3,
        max_concurrent_episodes=max_concurrent_episodes,
    )
    assert found == expected
    assert next(iter(read_trajectories(tmp_path / "s.jsonl"))).turns[0].action.usage.calls >= 4


def test_in_a_stream_a_new_episode_starts_as_soon_as_one_ends(tmp_path: Path) -> None:
    inner = Streamer()
    collected(tmp_path / "s.jsonl", TurnPlan(Majority(inner, Streamer())), max_concurrent_episodes=4)
    assert inner.batches == []
    assert max(inner.open) == 12, "4 scripts of 3 requests"


@pytest.mark.parametrize("streams", [False, True], ids=["lock step", "stream"])
def test_a_script_sees_a_failed_request_and_fails_only_if_all_failed(streams: bool) -> None:
    def fails(conversation: Conversation, seed: int) -> bool:
        return seed % 3 == 0 or "What is 2 + 1?" in conversation[-1]["content"]

    inner = FailsWhere(fails)
    inner.max_concurrent_requests *= streams
    replies = Majority(inner).act(questions(5), SAMPLING, list(range(5)))
    assert [reply.finish for reply in replies] == ["stop", "stop", "error", "stop", "stop"]
    assert replies[2].text == "no answer"
    assert replies[2].usage.calls == 3 + 1 + 2


class Dies(Streamer):
    """Answers `left` requests, and then none."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("engine lost")
        return super().reply(conversation, seed)


@pytest.mark.parametrize("streams", [False, True], ids=["lock step", "stream"])
@pytest.mark.parametrize("left", [0, 20, 50])
def test_a_dead_inner_agent_ends_a_collection_and_the_finished_episodes_are_stored(
    tmp_path: Path, streams: bool, left: int
) -> None:
    inner = Dies(left)
    inner.max_concurrent_requests *= streams
    with pytest.raises(AgentError, match="engine lost"):
        collected(tmp_path / "s.jsonl", TurnPlan(Majority(inner)), max_concurrent_episodes=3, count=12)
    kept = list(read_trajectories(tmp_path / "s.jsonl"))
    whole = collected(tmp_path / "w.jsonl", TurnPlan(Majority(Guesser())), max_concurrent_episodes=3)
    assert [episode for episode in whole if episode.id in {k.id for k in kept}] == kept
    assert bool(kept) == (left > 0)


@pytest.mark.parametrize("streams", [False, True], ids=["lock step", "stream"])
def test_replies_that_were_complete_before_the_inner_agent_died_are_kept(streams: bool) -> None:
    inner = Dies(3 * 3 + 3)
    inner.max_concurrent_requests *= streams
    replies = Majority(inner).act(questions(3), SAMPLING, [0, 0, 2] if streams else [0, 1, 2])
    assert {reply.finish for reply in replies} == {"stop", "error"}
    failed = [reply.text for reply in replies if reply.finish == "error"]
    assert all("guesser no longer answers any request" in text for text in failed)


def test_a_setting_that_the_inner_agent_refuses_ends_the_call() -> None:
    class Refuses(Guesser):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            raise StoreError("the reply log has no such request")

    with pytest.raises(StoreError, match="no such request"):
        Majority(Refuses()).act(questions(3), SAMPLING)


def test_requests_that_are_added_to_a_stream_are_answered() -> None:
    answered: dict[int, Reply] = {}
    agent = Majority(Streamer())

    def on_reply(number: int, reply: Reply) -> StreamRequests:
        answered[number] = reply
        return {n: (questions(9)[n], n) for n in range(3 * number + 3, 3 * number + 6)} if number < 2 else {}

    on_reply_typed: OnReply = on_reply
    agent.stream({n: (questions(9)[n], n) for n in range(3)}, SAMPLING, on_reply_typed)
    assert [answered[n] for n in range(9)] == agent.act(questions(9), SAMPLING, range(9))


def test_agents_that_must_know_the_answers_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot ask expert"):
        Majority(ExpertAgent())


def test_close_closes_the_agents_that_are_asked() -> None:
    closed: list[str] = []

    class Closes(Guesser):
        def close(self) -> None:
            closed.append(self.name)

    Majority(Majority(Closes()), Closes()).close()
    assert closed == ["guesser"] * 2


def test_a_long_name_is_shortened_by_a_hash() -> None:
    assert composed_name("mcts", "tiny", "tokens=280") == "mcts(tiny; tokens=280)"
    long = composed_name("mcts", "tiny", "rules=" + "r" * 300)
    assert long.startswith("mcts(sha256 ")
    assert len(long) < 50
    assert long != composed_name("mcts", "tiny", "rules=" + "s" * 300)
