"""Streaming and lock step play the same episodes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import gymnasium
import pytest

from rise_agents.base import Agent, Hear, Reply, Requests, SamplingConfig, StreamingAgent
from rise_agents.collect import collect
from rise_agents.environments import make_environment
from rise_agents.expert_agent import ExpertAgent
from rise_agents.rollout import TurnPlan, request_seed, rollout
from rise_env.errors import AgentError, ConfigError, DataNotFoundError, StoreError
from rise_env.store import TrajectoryStore, read_trajectories
from rise_env.types import Conversation, Trajectory, Usage


class Guesser:
    """Its replies depend on conversation and seed alone; in lock step."""

    name = "guesser"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.lengths: list[set[int]] = []

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        self.batches.append(len(conversations))
        self.lengths.append({len(conversation) for conversation in conversations})
        assert seeds is not None
        return [self.reply(c, s) for c, s in zip(conversations, seeds, strict=True)]

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        return Reply(text=f"\\boxed{{{(seed + len(conversation)) % 30}}}")

    def close(self) -> None:
        pass


class Streamer(Guesser):
    """Answers the latest request first; breaks off after `patience` replies."""

    in_flight = 12

    def __init__(self, patience: int = 10**9, error: Exception | None = None) -> None:
        super().__init__()
        self.patience = patience
        self.error = error
        self.streamed = 0
        self.open: list[int] = []
        """How many requests were open, before each reply."""

    def stream(
        self,
        requests: Requests,
        sampling: SamplingConfig,
        hear: Hear,
    ) -> None:
        stack = list(requests.items())
        while stack:
            self.open.append(len(stack))
            if self.streamed == self.patience:
                if self.error is not None:
                    raise self.error
                return
            self.streamed += 1
            key, (conversation, seed) = stack.pop()
            stack += hear(key, self.reply(conversation, seed)).items()


def make(turns: int) -> gymnasium.Env[Any, str]:
    settings = {"split": "test", "max_turns": turns, "difficulty": {"max_steps": 2, "largest": 40}}
    return make_environment("RISE-Arithmetic-v0", **settings)


def played(*plan: TurnPlan, count: int = 12) -> list[Trajectory]:
    return rollout(plan, [make(len(plan)) for _ in range(count)], range(count), SamplingConfig(), seed=3)


def collected(path: Path, *plan: TurnPlan, chunk: int, count: int = 12) -> list[Trajectory]:
    """The same, a few at a time."""
    with TrajectoryStore(path, {}) as store:
        collect(plan, lambda: make(len(plan)), range(count), store, SamplingConfig(), seed=3, chunk=chunk)
    return list(read_trajectories(path))


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
    streamer.in_flight = 0
    played(*[TurnPlan(streamer)] * 2)
    assert streamer.streamed == 0
    assert streamer.batches[0] == 12


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("chunk", [1, 5])
def test_episodes_that_take_turns_in_few_slots_are_the_same(tmp_path: Path, number: int, chunk: int) -> None:
    expected = played(*plans(Guesser())[number])
    guesser, streamer = Guesser(), Streamer()
    assert collected(tmp_path / "a.jsonl", *plans(guesser)[number], chunk=chunk) == expected
    assert collected(tmp_path / "b.jsonl", *plans(streamer)[number], chunk=chunk) == expected
    assert max(guesser.batches) <= chunk
    assert max(streamer.open) <= chunk
    assert streamer.batches == []


def test_a_rollout_plays_a_few_at_a_time_when_told() -> None:
    guesser = Guesser()
    some = rollout(
        [TurnPlan(guesser)] * 4, [make(4) for _ in range(12)], range(12), SamplingConfig(), seed=3, live=5
    )
    assert some == played(*[TurnPlan(Guesser())] * 4)
    assert max(guesser.batches) == 5


def test_an_episode_that_ends_makes_room_at_once_in_a_stream(tmp_path: Path) -> None:
    streamer = Streamer()
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, chunk=5, count=60)
    assert len({len(episode.turns) for episode in episodes}) > 1
    first = streamer.open.index(4)
    assert set(streamer.open[:first]) == {5}, "room was left while there were episodes to begin"
    assert first > len(streamer.open) - 5 * 4


def test_in_lock_step_all_conversations_of_a_batch_are_of_one_turn(tmp_path: Path) -> None:
    guesser = Guesser()
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(guesser)] * 4, chunk=5, count=60)
    assert len({len(episode.turns) for episode in episodes}) > 1
    assert all(len(lengths) == 1 for lengths in guesser.lengths)


class Unlucky(Streamer):
    """Fails where `fails` says so."""

    def __init__(self, fails: Callable[[Conversation, int], bool]) -> None:
        super().__init__()
        self.fails = fails

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        if self.fails(conversation, seed):
            return Reply(text="no answer", finish="error")
        return super().reply(conversation, seed)


def test_failures_in_a_stream_end_their_own_episodes_alone(tmp_path: Path) -> None:
    def seldom(conversation: Conversation, seed: int) -> bool:
        return seed % 7 == 0

    plain = Unlucky(seldom)
    plain.in_flight = 0
    expected = played(*[TurnPlan(plain)] * 4)
    failed = [episode.error is not None for episode in expected]
    assert any(failed)
    assert not all(failed)
    streamer = Unlucky(seldom)
    assert collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, chunk=5) == expected
    assert max(streamer.open) <= 5


def too_long(questions: Sequence[str]) -> Callable[[Conversation, int], bool]:
    """Fails at the second turn of these, and where it is asked about something else."""
    return lambda conversation, _: (
        "1 + 1" in str(conversation)
        or (len(conversation) > 1 and any(question in conversation[0]["content"] for question in questions))
    )


@pytest.mark.parametrize("in_flight", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("chunk", [1, 2, 3, 12])
def test_conversations_that_nobody_can_answer_fail_alone_whatever_is_played_beside_them(
    tmp_path: Path, in_flight: int, chunk: int
) -> None:
    problems = make(1).unwrapped.problems  # type: ignore[attr-defined]
    bad = [problems[index].question for index in (0, 7, 10, 11)]
    agent = Unlucky(too_long(bad))
    agent.in_flight = in_flight
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, chunk=chunk)
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


@pytest.mark.parametrize("in_flight", [0, 12], ids=["lock step", "stream"])
def test_the_last_open_episodes_may_be_those_that_nobody_can_answer(tmp_path: Path, in_flight: int) -> None:
    problems = make(1).unwrapped.problems  # type: ignore[attr-defined]
    agent = Unlucky(too_long([problems[index].question for index in (10, 11)]))
    collected(tmp_path / "s.jsonl", *[TurnPlan(Guesser())] * 4, chunk=12, count=10)
    agent.in_flight = in_flight
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, chunk=12)
    assert [episode.error is None for episode in episodes] == [True] * 10 + [False] * 2


@pytest.mark.parametrize("in_flight", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("chunk", [1, 4])
@pytest.mark.parametrize("dies", [0, 1, 18, 46])
def test_a_dead_agent_fails_no_episode(tmp_path: Path, in_flight: int, chunk: int, dies: int) -> None:
    replies = 0

    def dead(conversation: Conversation, seed: int) -> bool:
        nonlocal replies
        replies += 1
        return replies > dies

    agent = Unlucky(dead)
    agent.in_flight = in_flight
    with pytest.raises(AgentError, match="answers nothing any more"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, chunk=chunk)
    assert all(episode.error is None for episode in read_trajectories(tmp_path / "s.jsonl"))
    again = collected(tmp_path / "s.jsonl", *[TurnPlan(Guesser())] * 4, chunk=chunk)
    assert sorted(again, key=str) == sorted(played(*[TurnPlan(Guesser())] * 4), key=str)


def test_a_failure_is_not_believed_for_an_answer_to_an_earlier_request(tmp_path: Path) -> None:
    class Dying(Streamer):
        """Answers the last request first, and dies: what was in flight before it still arrives."""

        def stream(
            self,
            requests: Requests,
            sampling: SamplingConfig,
            hear: Hear,
        ) -> None:
            *early, late = requests
            hear(late, Reply(text="gone", finish="error"))
            for key in early:
                hear(key, self.reply(*requests[key]))

        def act(self, *_: Any) -> list[Reply]:
            raise RuntimeError("gone")

    with pytest.raises(AgentError):
        collected(tmp_path / "s.jsonl", *[TurnPlan(Dying())] * 4, chunk=4)
    assert all(episode.error is None for episode in read_trajectories(tmp_path / "s.jsonl"))


@pytest.mark.parametrize("which", ["twice", "unknown"])
def test_a_stream_that_answers_what_is_not_open_changes_no_episode(tmp_path: Path, which: str) -> None:
    class Confused(Streamer):
        def stream(
            self,
            requests: Requests,
            sampling: SamplingConfig,
            hear: Hear,
        ) -> None:
            key = next(iter(requests))
            reply = self.reply(*requests[key])
            hear(key, reply)
            hear(key if which == "twice" else 10**9, reply)

    streamed = collected(tmp_path / "s.jsonl", *[TurnPlan(Confused())] * 4, chunk=5)
    assert streamed == played(*[TurnPlan(Guesser())] * 4)


@pytest.mark.parametrize("in_flight", [0, 12], ids=["lock step", "stream"])
def test_what_is_no_reply_is_named(tmp_path: Path, in_flight: int) -> None:
    class Texts(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Any:
            return "7"

    agent = Texts()
    agent.in_flight = in_flight
    with pytest.raises(AgentError, match="answered with a str and not with a Reply"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, chunk=5)


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


@pytest.mark.parametrize("in_flight", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("chunk", [1, 16])
def test_an_agent_that_raises_now_and_then_is_not_taken_for_dead(
    tmp_path: Path, in_flight: int, chunk: int
) -> None:
    class Moody(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            if seed % 10 == 0:
                raise ConnectionError("try again")
            return super().reply(conversation, seed)

    agent = Moody()
    agent.in_flight = in_flight
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 3, chunk=chunk, count=40)
    assert len(episodes) == 40
    assert 0 < sum(episode.error is not None for episode in episodes) < 30


@pytest.mark.parametrize("in_flight", [0, 12], ids=["lock step", "stream"])
@pytest.mark.parametrize("error", [DataNotFoundError("not recorded"), ConfigError("the cap is reached")])
def test_who_cannot_be_asked_whether_it_lives_is_believed(
    tmp_path: Path, in_flight: int, error: Exception
) -> None:
    known: set[int] = {request_seed(3, i, turn, 0) for i in range(12) for turn in range(4)}

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

    agent = Recorded(lambda conversation, seed: seed == request_seed(3, 11, 1, 0))
    agent.in_flight = in_flight
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(agent)] * 4, chunk=12)
    assert [episode.error is None for episode in episodes] == [True] * 11 + [False]


def test_an_agents_name_is_a_text() -> None:
    agent = Guesser()
    agent.name = None  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="name must be a text, got None"):
        TurnPlan(agent)


def test_an_agent_that_dies_in_a_stream_costs_no_episode(tmp_path: Path) -> None:
    streamer = Unlucky(lambda *_: streamer.streamed > 20)
    with pytest.raises(AgentError, match="answers nothing any more: no answer"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, chunk=4)
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
    with_names = collected(tmp_path / "s.jsonl", *[TurnPlan(Streamer())] * 4, chunk=4)
    assert sorted(t.id for t in with_names) == sorted(t.id for t in expected)


def test_what_the_store_raises_in_a_stream_is_not_taken_for_the_agents_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise StoreError("no space left")

    monkeypatch.setattr(TrajectoryStore, "append", full)
    with pytest.raises(StoreError, match="no space left"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(Streamer())] * 4, chunk=4)
    assert not caplog.text


def test_what_is_finished_is_stored_when_the_agent_gives_up(tmp_path: Path) -> None:
    streamer = Streamer(patience=20, error=ConfigError("the cap is reached"))
    with pytest.raises(ConfigError, match="cap"):
        collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, chunk=12)
    assert 20 // 4 <= len(list(read_trajectories(tmp_path / "s.jsonl"))) < 12
