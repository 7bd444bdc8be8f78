"""Many problems into a store: `rise collect`. Killed at any point, the same call goes on where it was."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium

from rise_agents.base import SamplingConfig
from rise_agents.rollout import TurnPlan, plan_record, rollout
from rise_env.errors import ConfigError
from rise_env.serialization import episode_id
from rise_env.store import TrajectoryStore
from rise_env.types import Problem, Trajectory

CHUNK = 256
"""Episodes that are played together, and lost together when the process is killed."""


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
    chunk: int = CHUNK,
    drop_degenerate: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Play one episode per index, and store each; those that the store has are not played again.

    Args:
        plan: Who plays which turn; see `rollout`.
        make_env: Called once per episode of a chunk; the environments are used again.
        indices: Of problems, each once.
        store: Where trajectories go, a chunk at a time.
        sampling: How replies are drawn.
        seed: Of the run.
        chunk: Episodes played together. Changes speed and memory, never a trajectory.
        drop_degenerate: See `rollout`.
        progress: Called before the first and after each chunk.

    Raises:
        AgentError, ConfigError: See `rollout`.
        StoreError: The store cannot be written.
    """
    if chunk < 1:
        raise ConfigError(f"chunk must be at least 1, got {chunk}")
    if len(set(indices)) != len(indices):
        raise ConfigError("an index is asked for twice: the episode would be the same")
    began = time.perf_counter()
    if not indices:
        return Progress()
    envs = [make_env()]
    record = plan_record(plan, envs[0], sampling, drop_degenerate=drop_degenerate)
    problems = envs[0].unwrapped.problems  # type: ignore[attr-defined]
    todo = list(missing(problems, indices, record, seed, store))
    state = Progress(done=len(indices) - len(todo), total=len(indices))
    if progress:
        progress(state)
    envs += [make_env() for _ in range(min(chunk, len(todo)) - 1)]
    for start in range(0, len(todo), chunk):
        part = todo[start : start + chunk]
        played = rollout(plan, envs[: len(part)], part, sampling, seed=seed, drop_degenerate=drop_degenerate)
        store.append(played)
        envs = [
            make_env() if place < len(played) and played[place].error else env  # may be broken
            for place, env in enumerate(envs)
        ]
        state = advance(state, played, time.perf_counter() - began)
        if progress:
            progress(state)
    for env in envs:
        env.close()
    return state


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
        if not store.ids or episode_id(problems[index], record, seed) not in store.ids:
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
