"""Plays many episodes and stores them, so that a killed collection continues where it stopped."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gymnasium

from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.episode_runner import EpisodeRunner
from rise_agents.rollouts.ordered_writer import OrderedWriter
from rise_agents.rollouts.progress import OpenEpisodes, Progress, add_episodes
from rise_agents.rollouts.rollout import plan_record
from rise_agents.rollouts.scheduler import run_episodes
from rise_agents.rollouts.turn_plan import TurnPlan, check_feedback, check_plan, concurrent_requests_of
from rise_agents.types import Reply, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, StoreError
from rise_env.trajectories.old_names import episode_ids
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Attempt, Problem, Trajectory, Turn

MIN_CONCURRENT_EPISODES = 256
"""Default number of concurrent episodes, if no agent of the plan can use more."""


class _CountedEpisode(EpisodeRunner):
    """An episode that reports each of its replies and turns."""

    on_change: Callable[[int, Sequence[Turn], Sequence[Attempt]], None]

    def add_reply(self, agent: str, reply: Reply, *, check: bool) -> None:
        """See `EpisodeRunner.add_reply`."""
        super().add_reply(agent, reply, check=check)
        self.on_change(self.index, self._turns, self.attempts)

    def step(self) -> None:
        """See `EpisodeRunner.step`."""
        super().step()
        self.on_change(self.index, self._turns, self.attempts)


def collect(
    plan: Sequence[TurnPlan],
    make_env: Callable[[], gymnasium.Env[Any, str]],
    indices: Sequence[int],
    store: TrajectoryStore,
    sampling: SamplingConfig,
    *,
    seed: int,
    max_concurrent_episodes: int | None = None,
    drop_degenerate: bool = False,
    keep_tokens: bool = True,
    on_progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Play one episode per problem index and store it. Episodes that the store already holds are skipped.

    Args:
        plan: Which agent plays which turn; see `rollout`.
        make_env: Makes an environment. Environments are reused, except those that raised.
        indices: Indices of the problems to play; each once.
        store: The store to which the trajectories are appended, in the order of `indices`. If an episode
            takes more than a minute longer than later ones, the later ones are written first.
        sampling: How replies are sampled at the turns whose plan has no sampling of its own.
        seed: Seed of the collection; see `rollout`.
        max_concurrent_episodes: Number of episodes played at a time; None is the number that the agents can
            use, but at least 256. It changes speed and memory; it changes replies only by rounding errors,
            see `Agent.act`.
        drop_degenerate: See `rollout`.
        keep_tokens: See `rollout`.
        on_progress: Called before the first episode, after each reply, and after each write to the
            store.

    Returns:
        The final progress.

    Raises:
        AgentError, ConfigError: See `rollout`. The finished episodes are stored first.
        StoreError: The store cannot be written.
    """
    if max_concurrent_episodes is None:
        max_concurrent_episodes = max(MIN_CONCURRENT_EPISODES, concurrent_requests_of(plan))
    if max_concurrent_episodes < 1:
        raise ConfigError(f"max_concurrent_episodes must be at least 1, got {max_concurrent_episodes}")
    check_plan(plan, seed)
    if len(set(indices)) != len(indices):
        raise ConfigError(
            "each problem index must occur once (the same index gives the same episode): remove repeats"
        )
    began = time.perf_counter()
    if not indices:
        return Progress()
    free = [make_env()]
    busy: list[gymnasium.Env[Any, str]] = []
    try:
        check_feedback(plan, free[0])
        record = plan_record(plan, free[0], sampling, drop_degenerate=drop_degenerate)
        problems = math_env_of(free[0]).problems
        todo = list(indices_to_play(problems, indices, record, seed, store))
        progress = Progress(done=len(indices) - len(todo), total=len(indices))
        playing = OpenEpisodes([turn.num_samples for turn in plan])

        def show() -> None:
            if on_progress:
                on_progress(
                    replace(
                        progress,
                        seconds=time.perf_counter() - began,
                        open_episodes=playing.episodes,
                        open_tokens=playing.tokens,
                    )
                )

        def report(written: Sequence[Trajectory]) -> None:
            nonlocal progress
            playing.store(written)
            progress = add_episodes(progress, written, time.perf_counter() - began)
            show()

        def on_change(index: int, turns: Sequence[Turn], attempts: Sequence[Attempt]) -> None:
            playing.update(index, turns, attempts)
            show()

        def start(index: int) -> EpisodeRunner:
            busy.append(free.pop() if free else make_env())
            episode = _CountedEpisode(busy[-1], index, record, seed, keep_tokens=keep_tokens)
            episode.on_change = on_change
            return episode

        def on_end(episode: EpisodeRunner) -> None:
            busy.remove(episode.env)
            if episode.env_failed:
                close_all(episode.env)
            else:
                free.append(episode.env)
            trajectory = episode.to_trajectory()
            playing.end(episode.index, trajectory)
            writer.add(episode.index, trajectory)

        show()
        batch_size = min(max_concurrent_episodes, MIN_CONCURRENT_EPISODES)
        writer = OrderedWriter(store, todo, batch_size, report)
        try:
            run_episodes(
                map(start, todo),
                plan,
                sampling,
                seed,
                max_concurrent_episodes=min(max_concurrent_episodes, len(todo)),
                drop_degenerate=drop_degenerate,
                on_end=on_end,
            )
        except BaseException:
            with suppress(StoreError):  # raise the first exception, which the store itself may have raised
                writer.flush()
            raise
        writer.flush()
    finally:
        close_all(*free, *busy)
    return progress


def indices_to_play(
    problems: Sequence[Problem], indices: Sequence[int], record: Any, seed: int, store: TrajectoryStore
) -> Iterator[int]:
    """Yield the indices whose episodes a store does not hold yet.

    Args:
        problems: Problems of the environment.
        indices: Indices of the requested problems.
        record: Record of the plan; see `plan_record`.
        seed: Seed of the collection.
        store: The store.

    Raises:
        ConfigError: There is no problem with an index.
    """
    for index in indices:
        if not 0 <= index < len(problems):
            raise ConfigError(f"there is no problem {index}: indices must be from 0 to {len(problems) - 1}")
        if not store.ids or store.ids.isdisjoint(episode_ids(problems[index], record, seed)):
            yield index
