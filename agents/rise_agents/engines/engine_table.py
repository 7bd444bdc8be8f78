"""The collecting engines by name, and how the setting `workers` selects one.

An engine decides in which processes the agents of a collection run. It is a function
`(config, indices, on_progress, count) -> Progress`. It plays one episode per problem index with `count`
workers, stores the episodes in the folder `config.out`, and calls `on_progress` before the first episode and
after each write. To add an engine, write such a function and register it in the entry-point group
`rise.engines`. The engines of RISE are registered in setup.cfg; any installed package may register more.
"""

from collections.abc import Callable, Sequence

from rise_agents.engines.local_engine import LOCAL
from rise_agents.rollouts.collect_config import CollectConfig
from rise_agents.rollouts.progress import Progress
from rise_env.errors import ConfigError
from rise_env.utils.plugins import ENGINES, find_plugin

Engine = Callable[[CollectConfig, Sequence[int], Callable[[Progress], None], int], Progress]


def run_engine(
    config: CollectConfig, indices: Sequence[int], on_progress: Callable[[Progress], None]
) -> Progress:
    """Collect with the engine that `config.workers` selects. `rise collect` calls this.

    Args:
        config: Settings of the collection.
        indices: Indices of the problems to play; each once.
        on_progress: Called before the first episode and after each write to the store.

    Returns:
        The final progress.

    Raises:
        ConfigError: `workers` is malformed, or a setting is wrong.
        MissingDependencyError: The engine's library is not installed.
        AgentError: An agent no longer answers any request.
        StoreError: The folder holds another collection, or cannot be written.
    """
    name, count = parse_workers(config.workers)
    return load_engine(name)(config, indices, on_progress, count)


def parse_workers(workers: str) -> tuple[str, int]:
    """Split the setting `workers`, ENGINE:N, into the engine's name and the number of workers.

    >>> parse_workers("ray:4"), parse_workers("")
    (('ray', 4), ('local', 1))

    Raises:
        ConfigError: The text has another form, or there is no such engine.
    """
    if not workers:
        return LOCAL, 1
    name, _, count = workers.partition(":")
    find_plugin(ENGINES, name, "collecting engine")
    if not count.isdigit() or int(count) < 1:
        raise ConfigError(f"workers must be {name}:N with N at least 1, got {workers!r}")
    return name, int(count)


def load_engine(name: str) -> Engine:
    """Import the function of an engine.

    Raises:
        ConfigError: There is no such engine. The message lists the engines.
    """
    engine: Engine = find_plugin(ENGINES, name, "collecting engine").load()
    return engine
