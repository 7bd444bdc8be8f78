from itertools import groupby
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.progress import OpenEpisodes, Progress
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env import MathEnv, NumericChecker
from rise_env.errors import ConfigError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Conversation, Problem
from tests.rise_agents.fake_agents import PROBLEMS, SeededAgent, luck, sums, wrong
from tests.rise_env.problem_factories import trajectory

SAMPLING = SamplingConfig()


def play(
    path: Path, indices: range, *, max_concurrent_episodes: int = 7, seed: int = 0
) -> tuple[Progress, SeededAgent]:
    agent = SeededAgent(luck)
    with TrajectoryStore(path, {}) as store:
        done = collect(
            [TurnPlan(agent)] * 3,
            sums,
            indices,
            store,
            SAMPLING,
            seed=seed,
            max_concurrent_episodes=max_concurrent_episodes,
        )
    return done, agent


def test_every_problem_is_played_once_and_stored_in_order(tmp_path: Path) -> None:
    done, _ = play(tmp_path / "s.jsonl", range(20))
    stored = list(read_trajectories(tmp_path / "s.jsonl"))
    assert [trajectory.problem for trajectory in stored] == PROBLEMS[:20]
    assert (done.done, done.total, done.played, done.failed) == (20, 20, 20, 0)
    assert done.correct == sum(trajectory.terminated for trajectory in stored) > 0
    assert done.tokens == 3 * sum(len(trajectory.turns) for trajectory in stored)


def test_stored_episodes_are_not_played_again(tmp_path: Path) -> None:
    play(tmp_path / "s.jsonl", range(10))
    done, agent = play(tmp_path / "s.jsonl", range(12))
    assert agent.batches[0] == 2
    assert (done.done, done.played) == (12, 2)
    assert len(list(read_trajectories(tmp_path / "s.jsonl"))) == 12


def test_the_number_of_concurrent_episodes_changes_no_trajectory(tmp_path: Path) -> None:
    play(tmp_path / "a.jsonl", range(20), max_concurrent_episodes=3)
    play(tmp_path / "b.jsonl", range(20), max_concurrent_episodes=100)
    assert list(read_trajectories(tmp_path / "a.jsonl")) == list(read_trajectories(tmp_path / "b.jsonl"))


class RaisesWhenClosed(MathEnv):
    """Raises at every third problem, and whenever it is closed."""

    closed = 0

    def step(self, action: str) -> tuple[Conversation, float, bool, bool, dict[str, Any]]:
        if int(self.problem.id.partition("/")[2]) % 3 == 0:
            raise RuntimeError("broken")
        return super().step(action)

    def close(self) -> None:
        type(self).closed += 1
        raise OSError("not now")


def test_broken_environments_are_closed_immediately_even_if_closing_raises(tmp_path: Path) -> None:
    open_at_once = []

    def make() -> MathEnv:
        made.append(RaisesWhenClosed(PROBLEMS, NumericChecker()))
        open_at_once.append(len(made) - RaisesWhenClosed.closed)
        return made[-1]

    made: list[RaisesWhenClosed] = []
    RaisesWhenClosed.closed = 0
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        done = collect(
            [TurnPlan(ScriptedAgent(wrong))],
            make,
            range(30),
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=3,
        )
    assert (done.played, done.failed) == (30, 10)
    assert max(open_at_once) <= 4
    assert RaisesWhenClosed.closed == len(made)


def test_an_environment_is_reused_after_its_agent_failed(tmp_path: Path) -> None:
    made = []

    def make() -> MathEnv:
        made.append(sums())
        return made[-1]

    def fails_at_3(conversation: Conversation) -> str:
        if "3 +" in conversation[0]["content"]:
            raise RuntimeError("no")
        return wrong(conversation)

    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        done = collect(
            [TurnPlan(ScriptedAgent(fails_at_3))],
            make,
            range(20),
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=4,
        )
    assert (done.failed, len(made)) == (2, 4)


@pytest.mark.parametrize("lost", ["step", "conversation"])
def test_a_wrapper_that_drops_the_step_or_the_conversation_fails_its_episodes(
    tmp_path: Path, lost: str
) -> None:
    class Loses(gymnasium.Wrapper):  # type: ignore[type-arg]
        def step(self, action: str) -> Any:
            if lost == "step":
                return (), 0.0, False, False, {}
            return ("text", *self.env.step(action)[1:])

    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        plan = [TurnPlan(ScriptedAgent(wrong))]
        done = collect(plan, lambda: Loses(sums()), range(3), store, SAMPLING, seed=0)
    assert done.failed == 3
    assert "step must check the reply" in str(next(read_trajectories(tmp_path / "s.jsonl")).error)


def test_environments_are_reused(tmp_path: Path) -> None:
    made = []

    def make() -> MathEnv:
        made.append(sums())
        return made[-1]

    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        collect(
            [TurnPlan(ScriptedAgent(wrong))],
            make,
            range(20),
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=3,
        )
    assert len(made) == 3


@pytest.mark.parametrize(
    ("max_concurrent_requests", "max_concurrent_episodes", "batch"),
    [(0, None, 256), (300, None, 300), (300, 7, 7)],
)
def test_by_default_as_many_episodes_are_concurrent_as_the_agent_can_use(
    tmp_path: Path, max_concurrent_requests: int, max_concurrent_episodes: int | None, batch: int
) -> None:
    problems = [Problem(id=str(i), question=f"What is {i} + {i}?", reference="0") for i in range(400)]
    agent = SeededAgent(luck)
    if max_concurrent_requests:
        agent.max_concurrent_requests = max_concurrent_requests  # type: ignore[attr-defined]
        agent.stream = lambda *_: None  # type: ignore[attr-defined]
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        collect(
            [TurnPlan(agent)],
            lambda: MathEnv(problems, NumericChecker()),
            range(400),
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=max_concurrent_episodes,
        )
    assert max(agent.batches) == batch


def test_another_seed_is_another_set_of_episodes(tmp_path: Path) -> None:
    play(tmp_path / "s.jsonl", range(10))
    done, _ = play(tmp_path / "s.jsonl", range(10), seed=1)
    assert done.played == 10


def test_progress_is_reported_before_the_first_episode_and_after_each_write(tmp_path: Path) -> None:
    reported: list[int] = []
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        collect(
            [TurnPlan(ScriptedAgent(wrong))],
            sums,
            range(10),
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=4,
            on_progress=lambda state: reported.append(state.done),
        )
    assert [done for done, _ in groupby(reported)] == [0, 4, 8, 10]


class BreaksForGood(MathEnv):
    """Breaks for good at one problem."""

    broken = False

    def step(self, action: str) -> tuple[Conversation, float, bool, bool, dict[str, Any]]:
        self.broken = self.broken or self.problem.id == "sums/3"
        if self.broken:
            raise RuntimeError("broken")
        return super().step(action)


def test_a_broken_environment_fails_its_episode_and_no_later_one(tmp_path: Path) -> None:
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        done = collect(
            [TurnPlan(ScriptedAgent(wrong))],
            lambda: BreaksForGood(PROBLEMS, NumericChecker()),
            range(20),
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=4,
        )
    errors = [trajectory.error for trajectory in read_trajectories(tmp_path / "s.jsonl")]
    assert errors == [None] * 3 + ["turn 1: RuntimeError: broken"] + [None] * 16
    assert (done.played, done.failed) == (20, 1)


@pytest.mark.parametrize(
    ("indices", "max_concurrent_episodes", "message"),
    [
        pytest.param([1, 1], 4, "must occur once", id="an index twice"),
        pytest.param([100], 4, "there is no problem 100", id="no such problem"),
        pytest.param([1], 0, "max_concurrent_episodes must be", id="no episodes at a time"),
    ],
)
def test_wrong_arguments_are_named(
    tmp_path: Path, indices: list[int], max_concurrent_episodes: int, message: str
) -> None:
    with (
        TrajectoryStore(tmp_path / "s.jsonl", {}) as store,
        pytest.raises(ConfigError, match=message),
    ):
        collect(
            [TurnPlan(ScriptedAgent(wrong))],
            sums,
            indices,
            store,
            SAMPLING,
            seed=0,
            max_concurrent_episodes=max_concurrent_episodes,
        )


def test_in_lock_step_the_progress_counts_turns(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        done = collect(
            [TurnPlan(SeededAgent(luck))] * 4, lambda: sums(stop_when_correct=False), range(10), store,
            SAMPLING, seed=0, on_progress=seen.append,
        )  # fmt: skip
    open_work = [round(40 * progress.open_episodes) for progress in seen if progress.done == 0]
    assert open_work == sorted(open_work)
    assert {10, 20, 30} < set(open_work)  # after one, two and three turns of ten episodes of four
    assert max(progress.open_tokens for progress in seen) == done.tokens
    assert (seen[-1].open_episodes, seen[-1].open_tokens, seen[-1].done) == (0.0, 0, 10)
    assert (done.open_episodes, done.tokens) == (0.0, 3 * 40)


def test_in_lock_step_the_progress_counts_the_samples_of_a_turn(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        collect([TurnPlan(ScriptedAgent(wrong), num_samples=4)], sums, range(10), store, SAMPLING, seed=0,
                on_progress=seen.append)  # fmt: skip
    open_work = [round(4 * progress.open_episodes) for progress in seen if progress.done == 0]
    assert open_work == sorted(open_work)
    assert {10, 20, 30} < set(open_work)  # ten episodes of one turn, after one, two and three samples
    assert seen[-1].open_episodes == 0.0


def test_failed_and_short_episodes_leave_no_open_work() -> None:
    playing = OpenEpisodes([1] * 5)
    short = trajectory(1, turns=2)
    playing.update(3, short.turns[:1], short.turns[1].attempts)
    assert playing.episodes == 0.4
    playing.end(3, short)
    assert playing.episodes == 1.0
    assert playing.tokens == 1
    playing.store([short])
    assert (playing.episodes, playing.tokens) == (0.0, 0)
