"""An agent's failure to answer fails only the episode concerned, and a dead agent fails no episode."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.envs.math_env import math_env_of
from rise_env.errors import AgentError, ConfigError, DataNotFoundError, StoreError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Conversation, Usage
from rise_env.utils.seeding import derive
from tests.rise_agents.rollouts.streaming_agents import FailsWhere, Guesser, Streamer, collected, make, played


def test_failures_in_a_stream_end_their_own_episodes_alone(tmp_path: Path) -> None:
    def every_seventh(conversation: Conversation, seed: int) -> bool:
        return seed % 7 == 0

    plain = FailsWhere(every_seventh)
    plain.max_concurrent_requests = 0
    expected = played(*[TurnPlan(plain)] * 4)
    failed = [episode.error is not None for episode in expected]
    assert any(failed)
    assert not all(failed)
    streamer = FailsWhere(every_seventh)
    assert collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, max_concurrent_episodes=5) == expected
    assert max(streamer.open) <= 5


def too_long(questions: Sequence[str]) -> Callable[[Conversation, int], bool]:
    """Fails at the second turn of these, and where it is asked about something else."""
    return lambda conversation, _: (
        "1 + 1" in str(conversation)
        or (len(conversation) > 1 and any(question in conversation[0]["content"] for question in questions))
    )


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("max_concurrent_episodes", [1, 2, 3, 12])
def test_conversations_that_cannot_be_answered_fail_alone(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int
) -> None:
    problems = math_env_of(make(1)).problems
    bad = [problems[index].question for index in (0, 7, 10, 11)]
    agent = FailsWhere(too_long(bad))
    agent.max_concurrent_requests = max_concurrent_requests
    episodes = collected(
        tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=max_concurrent_episodes
    )
    assert [episode.problem.question for episode in episodes if episode.error] == bad
    assert len(episodes) == 12


def test_many_conversations_that_make_an_agent_raise_fail_alone() -> None:
    class Raises(Guesser):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            if len(conversation) > 1:
                raise MemoryError("too long")
            return super().reply(conversation, seed)

    episodes = played(*[TurnPlan(Raises())] * 2, count=40)
    assert sum(episode.error is not None for episode in episodes) > 30
    assert all(len(episode.turns) == 1 for episode in episodes)


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
def test_the_last_open_episodes_may_be_the_failing_ones(tmp_path: Path, max_concurrent_requests: int) -> None:
    problems = math_env_of(make(1)).problems
    agent = FailsWhere(too_long([problems[index].question for index in (10, 11)]))
    collected(tmp_path / "s.jsonl", *[TurnPlan(Guesser())] * 4, max_concurrent_episodes=12, count=10)
    agent.max_concurrent_requests = max_concurrent_requests
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=12)
    assert [episode.error is None for episode in episodes] == [True] * 10 + [False] * 2


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("max_concurrent_episodes", [1, 4])
@pytest.mark.parametrize("replies_before_death", [0, 1, 18, 46])
def test_a_dead_agent_fails_no_episode(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int, replies_before_death: int
) -> None:
    replies = 0

    def dead(conversation: Conversation, seed: int) -> bool:
        nonlocal replies
        replies += 1
        return replies > replies_before_death

    agent = FailsWhere(dead)
    agent.max_concurrent_requests = max_concurrent_requests
    with pytest.raises(AgentError, match="no longer answers any request"):
        collected(
            tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=max_concurrent_episodes
        )
    assert all(episode.error is None for episode in read_trajectories(tmp_path / "s.jsonl"))
    again = collected(
        tmp_path / "s.jsonl", *[TurnPlan(Guesser())] * 4, max_concurrent_episodes=max_concurrent_episodes
    )
    assert sorted(again, key=str) == sorted(played(*[TurnPlan(Guesser())] * 4), key=str)


def test_an_answer_to_an_earlier_request_does_not_confirm_a_failure(tmp_path: Path) -> None:
    class Dying(Streamer):
        """Fails the latest request, and answers the earlier ones before it replies_before_death."""

        def stream(
            self,
            requests: StreamRequests,
            sampling: SamplingConfig,
            on_reply: OnReply,
        ) -> None:
            *early, late = requests
            on_reply(late, Reply(text="gone", finish="error"))
            for key in early:
                on_reply(key, self.reply(*requests[key]))

        def act(self, *_: Any) -> list[Reply]:
            raise RuntimeError("gone")

    with pytest.raises(AgentError):
        collected(tmp_path / "s.jsonl", *[TurnPlan(Dying())] * 4, max_concurrent_episodes=4)
    assert all(episode.error is None for episode in read_trajectories(tmp_path / "s.jsonl"))


@pytest.mark.parametrize("which", ["twice", "unknown"])
def test_a_reply_to_a_request_that_is_not_open_changes_no_episode(tmp_path: Path, which: str) -> None:
    class AnswersClosedRequest(Streamer):
        def stream(
            self,
            requests: StreamRequests,
            sampling: SamplingConfig,
            on_reply: OnReply,
        ) -> None:
            key = next(iter(requests))
            reply = self.reply(*requests[key])
            on_reply(key, reply)
            on_reply(key if which == "twice" else 10**9, reply)

    streamed = collected(
        tmp_path / "s.jsonl", *[TurnPlan(AnswersClosedRequest())] * 4, max_concurrent_episodes=5
    )
    assert streamed == played(*[TurnPlan(Guesser())] * 4)


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
def test_an_answer_that_is_not_a_reply_is_an_agent_error(
    tmp_path: Path, max_concurrent_requests: int
) -> None:
    class Texts(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Any:
            return "7"

    agent = Texts()
    agent.max_concurrent_requests = max_concurrent_requests
    with pytest.raises(AgentError, match="answered with a str and not with a Reply"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"finish": "eos"}, "finish must be stop, length, .*; got 'eos'"),
        ({"text": None}, "text must be a str, got None"),
        ({"usage": None}, "usage must be a Usage"),
        (
            {"usage": Usage(completion_tokens=cast(Any, 5.5))},
            "usage.completion_tokens must be an int, got 5.5",
        ),
    ],
)
def test_a_reply_with_fields_of_wrong_types_cannot_be_made(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentError, match=message):
        Reply(**{"text": "x", **settings})


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("max_concurrent_episodes", [1, 16])
def test_an_agent_that_raises_occasionally_does_not_count_as_dead(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int
) -> None:
    class RaisesOften(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            if seed % 10 == 0:
                raise ConnectionError("try again")
            return super().reply(conversation, seed)

    agent = RaisesOften()
    agent.max_concurrent_requests = max_concurrent_requests
    episodes = collected(
        tmp_path / "s.jsonl",
        *[TurnPlan(agent)] * 3,
        max_concurrent_episodes=max_concurrent_episodes,
        count=40,
    )
    assert len(episodes) == 40
    assert 0 < sum(episode.error is not None for episode in episodes) < 30


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("error", [DataNotFoundError("not recorded"), ConfigError("the cap is reached")])
def test_an_agent_that_refuses_health_probes_does_not_count_as_dead(
    tmp_path: Path, max_concurrent_requests: int, error: Exception
) -> None:
    known: set[int] = {derive(3, i, turn, 0) for i in range(12) for turn in range(4)}

    class Recorded(FailsWhere):
        def act(
            self,
            conversations: Sequence[Conversation],
            sampling: SamplingConfig,
            seeds: Sequence[int] | None = None,
        ) -> list[Reply]:
            if not known.issuperset(seeds or ()):
                raise error
            return super().act(conversations, sampling, seeds)

    agent = Recorded(lambda conversation, seed: seed == derive(3, 11, 1, 0))
    agent.max_concurrent_requests = max_concurrent_requests
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=12)
    assert [episode.error is None for episode in episodes] == [True] * 11 + [False]


def test_an_agents_name_is_a_text() -> None:
    agent = Guesser()
    agent.name = None  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="name must be a text, got None"):
        TurnPlan(agent)


def test_an_agent_that_dies_in_a_stream_fails_no_episode(tmp_path: Path) -> None:
    streamer = FailsWhere(lambda *_: streamer.streamed > 20)
    with pytest.raises(AgentError, match="no longer answers any request: no answer"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, max_concurrent_episodes=4)
    assert streamer.batches == [3, 1], "open requests were asked again although the agent is dead"
    stored = list(read_trajectories(tmp_path / "s.jsonl"))
    assert stored
    assert all(episode.error is None for episode in stored)
    expected = played(*[TurnPlan(Guesser())] * 4)
    with_names = collected(tmp_path / "s.jsonl", *[TurnPlan(Streamer())] * 4, max_concurrent_episodes=4)
    assert sorted(t.id for t in with_names) == sorted(t.id for t in expected)


def test_an_error_of_the_store_in_a_stream_is_raised_and_not_attributed_to_the_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise StoreError("no space left")

    monkeypatch.setattr(TrajectoryStore, "append", full)
    with pytest.raises(StoreError, match="no space left"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(Streamer())] * 4, max_concurrent_episodes=4)
    assert not caplog.text


def test_finished_episodes_are_stored_before_an_agents_error_is_raised(tmp_path: Path) -> None:
    streamer = Streamer(max_replies=20, error=ConfigError("the cap is reached"))
    with pytest.raises(ConfigError, match="cap"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, max_concurrent_episodes=12)
    assert 20 // 4 <= len(list(read_trajectories(tmp_path / "s.jsonl"))) < 12
