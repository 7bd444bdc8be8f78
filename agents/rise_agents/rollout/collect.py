"""Many problems into a store: `rise collect`. Killed at any point, the same call goes on where it was."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gymnasium

from rise_agents.rollout.cleanup import close
from rise_agents.rollout.episode_runner import EpisodeRunner
from rise_agents.rollout.ordered_writer import OrderedWriter
from rise_agents.rollout.rollout import plan_record
from rise_agents.rollout.scheduler import TurnPlan, run_episodes
from rise_agents.types import SamplingConfig, StreamingAgent
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, StoreError
from rise_env.trajectories.old_names import episode_ids
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Problem, Trajectory

CHUNK = 256
"""Episodes that are played at a time, where no agent can use more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a collection is. Counts are of this process, but `done`, which counts the store."""

    done: int = 0
    """Episodes in the store, of those wanted."""
    total: int = 0
    played: int = 0
    correct: int = 0
    """Of those played: last reply correct."""
    failed: int = 0
    tokens: int = 0
    """Generated."""
    seconds: float = 0.0


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
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Play one episode per index, and store each; those that the store has are not played again.

    Args:
        plan: Who plays which turn; see `rollout`.
        make_env: Called once per episode that is played at a time; the environments are used again.
        indices: Of problems, each once.
        store: Where trajectories go, in the order of `indices` unless one takes very long.
        sampling: How replies are drawn.
        seed: Of the run.
        max_concurrent_episodes: Episodes played at a time; None is as many as the agents can use, and at
            least 256. It changes speed and memory, never a trajectory.
        drop_degenerate: See `rollout`.
        progress: Called before the first episode and whenever some were stored.

    Raises:
        AgentError, ConfigError: See `rollout`.
        StoreError: The store cannot be written.
    """
    if max_concurrent_episodes is None:
        max_concurrent_episodes = max(CHUNK, max_concurrent_requests(plan))
    if max_concurrent_episodes < 1:
        raise ConfigError(f"max_concurrent_episodes must be at least 1, got {max_concurrent_episodes}")
    if not plan:
        raise ConfigError("a plan needs at least one turn")
    if seed < 0:
        raise ConfigError(f"seed must be at least 0, got {seed}")
    if len(set(indices)) != len(indices):
        raise ConfigError("an index is asked for twice: the episode would be the same")
    began = time.perf_counter()
    if not indices:
        return Progress()
    free = [make_env()]
    busy: list[gymnasium.Env[Any, str]] = []
    try:
        record = plan_record(plan, free[0], sampling, drop_degenerate=drop_degenerate)
        problems = math_env_of(free[0]).problems
        todo = list(missing(problems, indices, record, seed, store))
        state = Progress(done=len(indices) - len(todo), total=len(indices))

        def tell(written: Sequence[Trajectory]) -> None:
            nonlocal state
            state = advance(state, written, time.perf_counter() - began)
            if progress:
                progress(state)

        def begin(index: int) -> EpisodeRunner:
            busy.append(free.pop() if free else make_env())
            return EpisodeRunner(busy[-1], index, record, seed)

        def ended(episode: EpisodeRunner) -> None:
            busy.remove(episode.env)
            if episode.env_failed:
                close(episode.env)
            else:
                free.append(episode.env)
            writer.add(episode.index, episode.to_trajectory())

        if progress:
            progress(state)
        writer = OrderedWriter(store, todo, min(max_concurrent_episodes, CHUNK), tell)
        try:
            run_episodes(
                map(begin, todo),
                plan,
                sampling,
                seed,
                max_concurrent_episodes=min(max_concurrent_episodes, len(todo)),
                drop_degenerate=drop_degenerate,
                ended=ended,
            )
        except BaseException:
            with suppress(StoreError):  # it may be the very reason
                writer.flush()
            raise
        writer.flush()
    finally:
        close(*free, *busy)
    return state


def max_concurrent_requests(plan: Sequence[TurnPlan]) -> int:
    """Return how many episodes the agents of a plan can use at a time; 0 if none streams."""
    agents = [step.agent for step in plan]
    return max(
        (agent.max_concurrent_requests for agent in agents if isinstance(agent, StreamingAgent)), default=0
    )


def missing(
    problems: Sequence[Problem], indices: Sequence[int], record: Any, seed: int, store: TrajectoryStore
) -> Iterator[int]:
    """Yield the indices whose episodes a store does not hold yet.

    Args:
        problems: The environment's.
        indices: The wanted ones.
        record: Of the plan; see `plan_record`.
        seed: Of the run.
        store: Where they may be.
    """
    for index in indices:
        if not 0 <= index < len(problems):
            raise ConfigError(f"there is no problem {index}: the set has {len(problems)}")
        if not store.ids or store.ids.isdisjoint(episode_ids(problems[index], record, seed)):
            yield index


def advance(state: Progress, played: Sequence[Trajectory], seconds: float) -> Progress:
    """Return the progress after these episodes were stored, `seconds` after the start."""
    healthy = [trajectory for trajectory in played if trajectory.error is None]
    attempts = [a for trajectory in played for turn in trajectory.turns for a in turn.attempts]
    return Progress(
        done=state.done + len(played),
        total=state.total,
        played=state.played + len(played),
        correct=state.correct + sum(t.turns[-1].action.check.correct for t in healthy),
        failed=state.failed + len(played) - len(healthy),
        tokens=state.tokens + sum(attempt.usage.completion_tokens for attempt in attempts),
        seconds=seconds,
    )
