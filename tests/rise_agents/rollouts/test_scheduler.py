"""`run_episodes`: streaming and lock step play the same episodes."""

from pathlib import Path

import pytest

from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply, SamplingConfig, StreamingAgent
from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer, collected, make, plans, played


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
def test_requests_that_a_stream_leaves_open_are_asked_in_lock_step(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    streamer = Streamer(max_replies=7, error=error)
    assert played(*[TurnPlan(streamer)] * 4) == played(*[TurnPlan(Guesser())] * 4)
    assert streamer.streamed == 7
    assert sum(streamer.batches) > 20
    assert ("engine lost" in caplog.text) == (error is not None)


def test_a_setup_error_in_a_stream_is_raised() -> None:
    with pytest.raises(ConfigError, match="no such setting"):
        played(TurnPlan(Streamer(max_replies=0, error=ConfigError("no such setting"))))


def test_a_streaming_agent_that_answers_nothing_ends_the_rollout() -> None:
    class Dead(Streamer):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            raise RuntimeError("dead")

    with pytest.raises(AgentError, match="dead"):
        played(TurnPlan(Dead()))


def test_an_agent_with_0_concurrent_requests_is_asked_in_lock_step() -> None:
    streamer = Streamer()
    streamer.max_concurrent_requests = 0
    played(*[TurnPlan(streamer)] * 2)
    assert streamer.streamed == 0
    assert streamer.batches[0] == 12


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("max_concurrent_episodes", [1, 5])
def test_the_number_of_slots_changes_no_episode(
    tmp_path: Path, number: int, max_concurrent_episodes: int
) -> None:
    expected = played(*plans(Guesser())[number])
    guesser, streamer = Guesser(), Streamer()
    assert (
        collected(
            tmp_path / "a.jsonl", *plans(guesser)[number], max_concurrent_episodes=max_concurrent_episodes
        )
        == expected
    )
    assert (
        collected(
            tmp_path / "b.jsonl", *plans(streamer)[number], max_concurrent_episodes=max_concurrent_episodes
        )
        == expected
    )
    assert max(guesser.batches) <= max_concurrent_episodes
    assert max(streamer.open) <= max_concurrent_episodes
    assert streamer.batches == []


def test_max_concurrent_episodes_limits_the_batches_of_a_rollout() -> None:
    guesser = Guesser()
    some = rollout(
        [TurnPlan(guesser)] * 4,
        [make(4) for _ in range(12)],
        range(12),
        SamplingConfig(),
        seed=3,
        max_concurrent_episodes=5,
    )
    assert some == played(*[TurnPlan(Guesser())] * 4)
    assert max(guesser.batches) == 5


def test_in_a_stream_a_new_episode_starts_as_soon_as_one_ends(tmp_path: Path) -> None:
    streamer = Streamer()
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(streamer)] * 4, max_concurrent_episodes=5, count=60)
    assert len({len(episode.turns) for episode in episodes}) > 1
    first = streamer.open.index(4)
    assert set(streamer.open[:first]) == {5}, "a slot was free although episodes were waiting"
    assert first > len(streamer.open) - 5 * 4


def test_in_lock_step_all_conversations_of_a_batch_are_of_one_turn(tmp_path: Path) -> None:
    guesser = Guesser()
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(guesser)] * 4, max_concurrent_episodes=5, count=60)
    assert len({len(episode.turns) for episode in episodes}) > 1
    assert all(len(lengths) == 1 for lengths in guesser.lengths)


@pytest.mark.parametrize("agent", [Guesser, Streamer])
def test_a_turn_with_a_sampling_of_its_own_is_sampled_that_way_and_all_others_as_the_rollout(
    agent: type[Guesser],
) -> None:
    player = agent()
    cold = SamplingConfig(temperature=0.5)
    episodes = played(TurnPlan(player), TurnPlan(player, sampling=cold), TurnPlan(player))
    assert player.sampled == {(0, 1.0), (1, 0.5), (2, 1.0)}
    same = played(*[TurnPlan(Guesser())] * 3)
    assert [episode.turns for episode in episodes] == [episode.turns for episode in same]


def test_only_a_sampling_that_differs_from_that_of_the_rollout_changes_the_ids_of_episodes() -> None:
    def ids(sampling: SamplingConfig | None) -> list[str]:
        return [episode.id for episode in played(TurnPlan(Guesser(), sampling=sampling))]

    assert ids(SamplingConfig()) == ids(None)
    assert set(ids(SamplingConfig(temperature=0.5))).isdisjoint(ids(None))
