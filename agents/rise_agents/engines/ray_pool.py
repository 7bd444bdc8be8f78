"""Several Ray actors that play episodes, on one machine or a cluster.

The problems are divided into chunks. Each task of an actor plays the problems of one chunk, and only the
calling process writes stores. The seeds of replies do not depend on the actor, so repeated episodes are the
same. If an actor dies, its chunk is played again by the next free actor. Ray restarts the dead one where the
cluster has room; it gets chunks again when it answers. So a lost machine costs the chunks that it played.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from rise_agents.engines.episodes import EpisodeSource
from rise_agents.engines.ray_worker import Description, RolloutWorker, this_place
from rise_agents.rollouts.collect import MIN_CONCURRENT_EPISODES, indices_to_play
from rise_agents.rollouts.progress import Progress, add_episodes
from rise_env.errors import AgentError, RiseError
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Problem, Trajectory
from rise_env.utils.extras import missing_library

MAX_DEATHS = 3
"""If more actors than this die while they play the same chunk, the collection fails."""

RESTART_TIMEOUT_S = 600.0
"""Seconds to wait for a restarted actor when no other actor is left."""


class RayPool:
    """A context manager with Ray actors that play the episodes of a source.

    The actors run in the cluster that the environment variable RAY_ADDRESS names, else on this machine.

    Args:
        source: The episodes.
        count: Number of actors. They share the GPUs of the cluster evenly.

    Raises:
        MissingDependencyError: Ray is not installed.
        AgentError: Ray did not start, or its cluster cannot be reached.
    """

    def __init__(self, source: EpisodeSource, count: int) -> None:
        self._ray = import_ray()
        self._source = source
        self._count = count
        self._workers: list[Any] = []
        self._restarting: dict[Any, Any] = {}
        """Call of `ready` -> the actor that has died and not answered since."""

    def __enter__(self) -> Self:
        try:
            self._ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False)
        except Exception as error:  # Ray raises a bare Exception
            raise AgentError(f"Ray did not start: {str(error).splitlines()[0]}") from error
        gpus = self._ray.cluster_resources().get("GPU", 0) / self._count
        # SPREAD takes every machine of a cluster; by default, Ray fills one machine after another
        options = {"max_restarts": -1, "scheduling_strategy": "SPREAD"}
        actor = self._ray.remote(num_gpus=int(gpus) if gpus >= 1 else gpus, **options)(RolloutWorker)
        place = this_place()
        self._workers = [actor.remote(self._source, place) for _ in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()

    def describe(self) -> list[Description]:
        """Return the description of the episodes of every store; an actor loads its agents for it.

        Raises:
            RiseError: The agents cannot be loaded.
            AgentError: Actors died while they loaded their agents.
        """
        for attempt in range(MAX_DEATHS + 1):
            worker = self._workers[attempt % self._count]
            try:
                descriptions: list[Description] = self._result(worker.describe.remote())
            except self._ray.exceptions.RayActorError as error:
                death = error
                continue
            return descriptions
        raise AgentError(f"workers died {MAX_DEATHS + 1} times while they loaded their agents") from death

    def collect(
        self,
        number: int,
        description: Description,
        problems: Sequence[Problem],
        indices: Sequence[int],
        store: TrajectoryStore,
        *,
        max_concurrent_episodes: int | None,
        on_progress: Callable[[Progress], None],
    ) -> Progress:
        """Play the episodes of one store, except those that it holds.

        Args:
            number: Number of the episodes in the source.
            description: Their description.
            problems: Problems of the environment.
            indices: Indices of the problems to play; each once.
            store: The store.
            max_concurrent_episodes: Number of episodes that one actor plays at a time; None is the number
                that its agents can use.
            on_progress: Called before the first episode and after each write to the store.

        Raises:
            AgentError: An agent no longer answers any request, too many actors died while they played the
                same chunk, or no actor is left.
            StoreError: The store cannot be written.
        """
        began = time.perf_counter()
        todo = list(indices_to_play(problems, indices, description.plan, description.seed, store))
        size = max_concurrent_episodes or chunk_size(len(todo), self._count, description.concurrent_requests)
        progress = Progress(done=len(indices) - len(todo), total=len(indices))
        on_progress(progress)

        def write(episodes: Sequence[Trajectory]) -> None:
            nonlocal progress
            store.append(episodes)
            progress = add_episodes(progress, episodes, time.perf_counter() - began)
            on_progress(progress)

        self._play_chunks(number, [todo[i : i + size] for i in range(0, len(todo), size)], write)
        return progress

    def _play_chunks(
        self, number: int, chunks: Sequence[list[int]], write: Callable[[Sequence[Trajectory]], None]
    ) -> None:
        """Play all chunks. Chunks of dead actors are played again."""
        waiting = deque(chunks)
        absent = set(self._restarting.values())
        idle = deque(worker for worker in self._workers if worker not in absent)
        running: dict[Any, tuple[Any, list[int]]] = {}
        deaths: Counter[int] = Counter()
        while waiting or running:
            while waiting and idle:
                worker, chunk = idle.popleft(), waiting.popleft()
                running[worker.play.remote(number, chunk)] = (worker, chunk)
            # with no chunk left to play, an actor that answers again is of no use
            ready = list(self._restarting) if waiting else []
            timeout = None if running else RESTART_TIMEOUT_S
            done, _ = self._ray.wait([*running, *ready], num_returns=1, timeout=timeout)
            if not done:
                raise AgentError(
                    f"no worker is left: all {self._count} died, and Ray has no room to restart one; add "
                    "machines to the cluster, or give fewer workers"
                )
            if done[0] in self._restarting:
                idle += self._answering(done[0])
                continue
            worker, chunk = running.pop(done[0])
            try:
                episodes = self._result(done[0])
            except self._ray.exceptions.RayActorError as error:
                self._restarting[worker.ready.remote()] = worker
                deaths[chunk[0]] += 1
                if deaths[chunk[0]] > MAX_DEATHS:
                    raise AgentError(
                        f"workers died {deaths[chunk[0]]} times while they played problems {chunk[0]} to "
                        f"{chunk[-1]}; if they ran out of memory, lower max_concurrent_episodes"
                    ) from error
                waiting.appendleft(chunk)
                continue
            idle.append(worker)
            write(episodes)

    def _answering(self, call: Any) -> list[Any]:
        """Return the actor that has answered `ready`; if it has died again, ask again."""
        worker = self._restarting.pop(call)
        try:
            self._result(call)
        except self._ray.exceptions.RayActorError:
            self._restarting[worker.ready.remote()] = worker
            return []
        return [worker]

    def _result(self, reference: Any) -> Any:
        """Return the result of a remote call, or raise the error that an actor raised."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, RiseError):
                raise error.cause from None
            raise AgentError(f"a worker failed: {error.cause!r}") from error


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


def import_ray() -> Any:
    """Import Ray.

    Raises:
        MissingDependencyError: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # by default, Ray sends usage statistics
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError as error:
        raise missing_library("ray") from error
    return ray
