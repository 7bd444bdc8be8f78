"""The collecting engine that runs several agents as Ray actors, on one machine or a cluster.

The problems are divided into chunks. Each task of an actor plays the problems of one chunk, and only the
calling process writes the store. If an actor dies, Ray restarts it and its chunk is played again. The seeds
of replies do not depend on the actor, so the repeated episodes are the same.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from rise_agents.rollouts.collect import MIN_CONCURRENT_EPISODES, indices_to_play
from rise_agents.rollouts.collect_config import (
    CollectConfig,
    environment_maker,
    make_plan,
    open_store,
    run_record,
)
from rise_agents.rollouts.progress import Progress, add_episodes
from rise_agents.rollouts.rollout import plan_record, rollout
from rise_agents.rollouts.turn_plan import TurnPlan, concurrent_requests_of
from rise_env.envs.math_env import math_env_of
from rise_env.errors import AgentError, RiseError
from rise_env.types import Trajectory
from rise_env.utils.extras import missing_library

MAX_DEATHS = 3
"""If more actors than this die while they play the same chunk, the collection fails."""


class RolloutWorker:
    """A Ray actor with its own agents and environments. It plays chunks of problems."""

    def __init__(self, config: CollectConfig) -> None:
        self._config = config
        self._make_env = environment_maker(config)
        self._envs = [self._make_env()]

    @cached_property
    def _plan(self) -> list[TurnPlan]:
        """The plan with its loaded agents, made on first use: Ray reports errors in `__init__` as a death."""
        return make_plan(self._config)

    def describe(self) -> tuple[dict[str, Any], dict[str, Any], int]:
        """Return the run record, the plan record, and how many concurrent requests the agents can use.

        Only an actor can compute them, because they depend on the loaded agents.
        """
        config, env = self._config, self._envs[0]
        plan = plan_record(self._plan, env, config.sampling, drop_degenerate=config.drop_degenerate)
        return run_record(config, self._plan, env), plan, concurrent_requests_of(self._plan)

    def play(self, indices: Sequence[int]) -> list[Trajectory]:
        """Play one episode per problem index."""
        config = self._config
        self._envs += [self._make_env() for _ in range(len(indices) - len(self._envs))]
        return rollout(
            self._plan,
            self._envs[: len(indices)],
            indices,
            config.sampling,
            seed=config.seed,
            drop_degenerate=config.drop_degenerate,
            keep_tokens=config.keep_tokens,
            max_concurrent_episodes=max(MIN_CONCURRENT_EPISODES, concurrent_requests_of(self._plan)),
        )


def collect_on_ray(
    config: CollectConfig, indices: Sequence[int], on_progress: Callable[[Progress], None], count: int
) -> Progress:
    """Collect with `count` Ray actors; see `engine_table` for the arguments and the exceptions.

    Raises:
        MissingDependencyError: Ray is not installed.
        AgentError: Ray did not start, an agent no longer answers any request, or too many actors died while
            they played the same chunk.
    """
    ray = _import_ray()
    began = time.perf_counter()
    try:
        ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
    except Exception as error:  # Ray raises a bare Exception
        raise AgentError(f"Ray did not start: {str(error).splitlines()[0]}") from error
    try:
        workers = _start_workers(ray, config, count)
        record, plan, concurrent_requests = _result(ray, workers[0].describe.remote())
        problems = math_env_of(environment_maker(config)()).problems
        with open_store(config, record) as store:
            todo = list(indices_to_play(problems, indices, plan, config.seed, store))
            size = config.max_concurrent_episodes or chunk_size(len(todo), count, concurrent_requests)
            chunks = [todo[i : i + size] for i in range(0, len(todo), size)]
            progress = Progress(done=len(indices) - len(todo), total=len(indices))
            on_progress(progress)

            def write(episodes: Sequence[Trajectory]) -> None:
                nonlocal progress
                store.append(episodes)
                progress = add_episodes(progress, episodes, time.perf_counter() - began)
                on_progress(progress)

            _play_chunks(ray, workers, chunks, write)
        return progress
    finally:
        ray.shutdown()


def chunk_size(todo: int, workers: int, concurrent_requests: int) -> int:
    """Return the number of episodes in a chunk.

    Every actor gets some of the work. An actor whose agent streams gets several times as many episodes as it
    can play at the same time, because it is not fully used at the end of each chunk.

    Args:
        todo: Number of episodes to play.
        workers: Number of actors.
        concurrent_requests: Number of concurrent requests that the agents of one actor can use; 0 if they do
            not stream.
    """
    return max(1, min(-(-todo // workers), max(MIN_CONCURRENT_EPISODES, 4 * concurrent_requests)))


def _start_workers(ray: Any, config: CollectConfig, count: int) -> list[Any]:
    gpus = ray.cluster_resources().get("GPU", 0) / count
    actor = ray.remote(num_gpus=int(gpus) if gpus >= 1 else gpus, max_restarts=-1)(RolloutWorker)
    return [actor.remote(config) for _ in range(count)]


def _play_chunks(
    ray: Any,
    workers: Sequence[Any],
    chunks: Sequence[list[int]],
    write: Callable[[Sequence[Trajectory]], None],
) -> None:
    """Play all chunks. Chunks of dead actors are played again."""
    waiting = deque(chunks)
    idle = deque(workers)
    running: dict[Any, tuple[Any, list[int]]] = {}
    deaths: Counter[int] = Counter()
    while waiting or running:
        while waiting and idle:
            worker, chunk = idle.popleft(), waiting.popleft()
            running[worker.play.remote(chunk)] = (worker, chunk)
        [done], _ = ray.wait(list(running), num_returns=1)
        worker, chunk = running.pop(done)
        idle.append(worker)
        try:
            episodes = _result(ray, done)
        except ray.exceptions.RayActorError as error:
            deaths[chunk[0]] += 1
            if deaths[chunk[0]] > MAX_DEATHS:
                raise AgentError(
                    f"workers died {deaths[chunk[0]]} times while they played problems {chunk[0]} to "
                    f"{chunk[-1]}; if they ran out of memory, lower max_concurrent_episodes"
                ) from error
            waiting.appendleft(chunk)
            continue
        write(episodes)


def _result(ray: Any, reference: Any) -> Any:
    """Return the result of a remote call, or raise the error that an actor raised."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, RiseError):
            raise error.cause from None
        raise AgentError(f"a worker failed: {error.cause!r}") from error


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # by default, Ray sends usage statistics
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as error:
        raise missing_library("ray") from error
    return ray
