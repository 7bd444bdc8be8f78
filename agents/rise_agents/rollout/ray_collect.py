"""Collecting with several agents at once, each a Ray actor: on one machine or over a cluster.

The actors play chunks of problems; this process alone writes the store. When an actor dies, Ray starts
it anew and its chunk is played again: the same episodes, by their seeds.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from rise_agents.rollout.collect import CHUNK, Progress, advance, max_concurrent_requests, missing
from rise_agents.rollout.collect_config import (
    CollectConfig,
    environment_maker,
    make_plan,
    open_store,
    run_record,
)
from rise_agents.rollout.rollout import TurnPlan, plan_record, rollout
from rise_env.envs.math_env import math_env_of
from rise_env.errors import AgentError, ConfigError, MissingDependencyError, RiseError
from rise_env.types import Trajectory

MAX_DEATHS = 3
"""Of actors over the same chunk; then it is the chunk's fault."""


class Player:
    """Plays chunks; lives in a process of its own."""

    def __init__(self, config: CollectConfig) -> None:
        self._config = config
        self._make_env = environment_maker(config)
        self._envs = [self._make_env()]

    @cached_property
    def _plan(self) -> list[TurnPlan]:
        """Made by the first call: what goes wrong in `__init__`, Ray tells as the actor's death."""
        return make_plan(self._config)

    def describe(self) -> tuple[dict[str, Any], dict[str, Any], int]:
        """Return the run record and the plan's record, and how much the agents can use: only they know."""
        config, env = self._config, self._envs[0]
        plan = plan_record(self._plan, env, config.sampling, drop_degenerate=config.drop_degenerate)
        return run_record(config, self._plan, env), plan, max_concurrent_requests(self._plan)

    def play(self, indices: Sequence[int]) -> list[Trajectory]:
        """Play one chunk."""
        config = self._config
        self._envs += [self._make_env() for _ in range(len(indices) - len(self._envs))]
        return rollout(
            self._plan,
            self._envs[: len(indices)],
            indices,
            config.sampling,
            seed=config.seed,
            drop_degenerate=config.drop_degenerate,
            max_concurrent_episodes=max(CHUNK, max_concurrent_requests(self._plan)),
        )


def collect_on_ray(
    config: CollectConfig, indices: Sequence[int], progress: Callable[[Progress], None]
) -> Progress:
    """Collect with as many actors as `config.workers` says.

    Raises:
        ConfigError: `workers` is not ray:N.
        MissingDependencyError: Ray is not installed.
        AgentError: An agent answers nothing, or actors die over the same chunk again and again, or Ray did
            not start.
    """
    count = _count(config.workers)
    ray = _ray()
    began = time.perf_counter()
    try:
        ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
    except Exception as error:  # Ray raises a bare Exception
        raise AgentError(f"Ray did not start: {str(error).splitlines()[0]}") from error
    try:
        share = ray.cluster_resources().get("GPU", 0) / count
        actor = ray.remote(num_gpus=int(share) if share >= 1 else share, max_restarts=-1)(Player)
        players = [actor.remote(config) for _ in range(count)]
        record, plan, usable = _result(ray, players[0].describe.remote())
        problems = math_env_of(environment_maker(config)()).problems
        with open_store(config, record) as store:
            todo = list(missing(problems, indices, plan, config.seed, store))
            size = config.max_concurrent_episodes or chunk_size(len(todo), count, usable)
            chunks = deque(todo[i : i + size] for i in range(0, len(todo), size))
            state = Progress(done=len(indices) - len(todo), total=len(indices))
            progress(state)
            idle = deque(players)
            running: dict[Any, tuple[Any, list[int]]] = {}
            deaths: Counter[int] = Counter()
            while chunks or running:
                while chunks and idle:
                    player, chunk = idle.popleft(), chunks.popleft()
                    running[player.play.remote(chunk)] = (player, chunk)
                [done], _ = ray.wait(list(running), num_returns=1)
                player, chunk = running.pop(done)
                idle.append(player)
                try:
                    played = _result(ray, done)
                except ray.exceptions.RayActorError as error:
                    deaths[chunk[0]] += 1
                    if deaths[chunk[0]] > MAX_DEATHS:
                        raise AgentError(
                            f"workers died {deaths[chunk[0]]} times over problems {chunk[0]} to {chunk[-1]}"
                        ) from error
                    chunks.appendleft(chunk)
                    continue
                store.append(played)
                state = advance(state, played, time.perf_counter() - began)
                progress(state)
        return state
    finally:
        ray.shutdown()


def chunk_size(todo: int, workers: int, usable: int) -> int:
    """Return how many episodes an actor is given at a time.

    Every actor gets some. One that streams gets several times as many as it can use at a time, as at the end
    of a chunk it has ever less to do.
    """
    return max(1, min(-(-todo // workers), max(CHUNK, 4 * usable)))


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, RiseError):
            raise error.cause from None
        raise AgentError(f"a worker failed: {error.cause!r}") from error


def _count(workers: str) -> int:
    kind, _, number = workers.partition(":")
    if kind != "ray" or not number.isdigit() or int(number) < 1:
        raise ConfigError(f"workers is ray:N, with N at least 1; got {workers!r}")
    return int(number)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports home unless told not to
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as error:
        raise MissingDependencyError("ray is not installed: pip install 'rise-env[ray]'") from error
    return ray
