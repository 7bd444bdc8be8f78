"""What an agent fails to do costs its own episodes, and a dead agent costs none."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from rise_agents.rollout.rollout import TurnPlan
from rise_agents.types import OnReply, Reply, Requests, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import AgentError, ConfigError, DataNotFoundError, StoreError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Conversation, Usage
from rise_env.utils.seeding import derive
from tests.rise_agents.rollout.streaming_agents import Guesser, Streamer, Unlucky, collected, make, played


def test_failures_in_a_stream_end_their_own_episodes_alone(tmp_path: Path) -> None:
    def seldom(conversation: Conversation, seed: int) -> bool:
        return seed % 7 == 0

    plain = Unlucky(seldom)
    plain.max_concurrent_requests = 0
    expected = played(*[TurnPlan(plain)] * 4)
    failed = [episode.error is not None for episode in expected]
    assert any(failed)
    assert not all(failed)
    streamer = Unlucky(seldom)
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
def test_conversations_that_nobody_can_answer_fail_alone_whatever_is_played_beside_them(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int
) -> None:
    problems = math_env_of(make(1)).problems
    bad = [problems[index].question for index in (0, 7, 10, 11)]
    agent = Unlucky(too_long(bad))
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
def test_the_last_open_episodes_may_be_those_that_nobody_can_answer(
    tmp_path: Path, max_concurrent_requests: int
) -> None:
    problems = math_env_of(make(1)).problems
    agent = Unlucky(too_long([problems[index].question for index in (10, 11)]))
    collected(tmp_path / "s.jsonl", *[TurnPlan(Guesser())] * 4, max_concurrent_episodes=12, count=10)
    agent.max_concurrent_requests = max_concurrent_requests
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=12)
    assert [episode.error is None for episode in episodes] == [True] * 10 + [False] * 2


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("max_concurrent_episodes", [1, 4])
@pytest.mark.parametrize("dies", [0, 1, 18, 46])
def test_a_dead_agent_fails_no_episode(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int, dies: int
) -> None:
    replies = 0

    def dead(conversation: Conversation, seed: int) -> bool:
        nonlocal replies
        replies += 1
        return replies > dies

    agent = Unlucky(dead)
    agent.max_concurrent_requests = max_concurrent_requests
    with pytest.raises(AgentError, match="answers nothing any more"):
        collected(
            tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, max_concurrent_episodes=max_concurrent_episodes
        )
    assert all(episode.error is None for episode in read_trajectories(tmp_path / "s.jsonl"))
    again = collected(
        tmp_path / "s.jsonl", *[TurnPlan(Guesser())] * 4, max_concurrent_episodes=max_concurrent_episodes
    )
    assert sorted(again, key=str) == sorted(played(*[TurnPlan(Guesser())] * 4), key=str)


def test_a_failure_is_not_believed_for_an_answer_to_an_earlier_request(tmp_path: Path) -> None:
    class Dying(Streamer):
        """Answers the last request first, and dies: what was in flight before it still arrives."""

        def stream(
            self,
            requests: Requests,
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
def test_a_stream_that_answers_what_is_not_open_changes_no_episode(tmp_path: Path, which: str) -> None:
    class Confused(Streamer):
        def stream(
            self,
            requests: Requests,
            sampling: SamplingConfig,
            on_reply: OnReply,
        ) -> None:
            key = next(iter(requests))
            reply = self.reply(*requests[key])
            on_reply(key, reply)
            on_reply(key if which == "twice" else 10**9, reply)

    streamed = collected(tmp_path / "s.jsonl", *[TurnPlan(Confused())] * 4, max_concurrent_episodes=5)
    assert streamed == played(*[TurnPlan(Guesser())] * 4)


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
def test_what_is_no_reply_is_named(tmp_path: Path, max_concurrent_requests: int) -> None:
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
        ({"finish": "eos"}, "finish is stop, length or error, got 'eos'"),
        ({"text": None}, "text must be a text, got None"),
        ({"usage": None}, "usage must be a Usage"),
        (
            {"usage": Usage(completion_tokens=cast(Any, 5.5))},
            "usage.completion_tokens must be an int, got 5.5",
        ),
    ],
)
def test_a_reply_that_no_store_could_hold_cannot_be_made(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentError, match=message):
        Reply(**{"text": "x", **settings})


@pytest.mark.parametrize("max_concurrent_requests", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("max_concurrent_episodes", [1, 16])
def test_an_agent_that_raises_now_and_then_is_not_taken_for_dead(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int
) -> None:
    class Moody(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            if seed % 10 == 0:
                raise ConnectionError("try again")
            return super().reply(conversation, seed)

    agent = Moody()
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
def test_who_cannot_be_asked_whether_it_lives_is_believed(
    tmp_path: Path, max_concurrent_requests: int, error: Exception
) -> None:
    known: set[int] = {derive(3, i, turn, 0) for i in range(12) for turn in range(4)}

    class Recorded(Unlucky):
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


def test_an_agent_that_dies_in_a_stream_costs_no_episode(tmp_path: Path) -> None:
    streamer = Unlucky(lambda *_: streamer.streamed > 20)
    with pytest.raises(AgentError, match="answers nothing any more: no answer"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, max_concurrent_episodes=4)
    assert streamer.batches == [3, 1], "a dead agent was asked everything again"
    stored = list(read_trajectories(tmp_path / "s.jsonl"))
    assert stored
    assert all(episode.error is None for episode in stored)
    expected = played(
        *[
            TurnPlan(
                Guesser(),
            )
        ]
        * 4
    )
    with_names = collected(tmp_path / "s.jsonl", *[TurnPlan(Streamer())] * 4, max_concurrent_episodes=4)
    assert sorted(t.id for t in with_names) == sorted(t.id for t in expected)


def test_what_the_store_raises_in_a_stream_is_not_taken_for_the_agents_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise StoreError("no space left")

    monkeypatch.setattr(TrajectoryStore, "append", full)
    with pytest.raises(StoreError, match="no space left"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(Streamer())] * 4, max_concurrent_episodes=4)
    assert not caplog.text


def test_what_is_finished_is_stored_when_the_agent_gives_up(tmp_path: Path) -> None:
    streamer = Streamer(patience=20, error=ConfigError("the cap is reached"))
    with pytest.raises(ConfigError, match="cap"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, max_concurrent_episodes=12)
    assert 20 // 4 <= len(list(read_trajectories(tmp_path / "s.jsonl"))) < 12
