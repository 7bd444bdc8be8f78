"""The collecting engine that plays all episodes in this process, with one agent and at most one teacher."""

from collections.abc import Callable, Sequence

from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.collect_config import (
    CollectConfig,
    environment_maker,
    make_plan,
    open_store,
    run_record,
)
from rise_agents.rollouts.progress import Progress
from rise_agents.rollouts.turn_plan import agents_of
from rise_env.errors import ConfigError
from rise_env.utils.plugins import ENGINES, plugins

LOCAL = "local"
"""The name of this engine among the entry points; an empty `workers` selects it."""


def collect_locally(
    config: CollectConfig, indices: Sequence[int], on_progress: Callable[[Progress], None], count: int
) -> Progress:
    """Collect in this process; see `engine_table` for the arguments and the exceptions.

    Raises:
        ConfigError: `count` is not 1.
    """
    if count != 1:
        others = ", ".join(f"{name}:{count}" for name in plugins(ENGINES) if name != LOCAL)
        raise ConfigError(
            f"workers is {config.workers!r}, but the engine {LOCAL!r} has one worker, this process: leave "
            f"workers out, or use another engine ({others or 'none is installed'})"
        )
    make_env = environment_maker(config)
    plan = make_plan(config)
    try:
        with open_store(config, run_record(config, plan, make_env())) as store:
            return collect(
                plan,
                make_env,
                indices,
                store,
                config.sampling,
                seed=config.seed,
                max_concurrent_episodes=config.max_concurrent_episodes,
                drop_degenerate=config.drop_degenerate,
                keep_tokens=config.keep_tokens,
                on_progress=on_progress,
            )
    finally:
        close_all(*agents_of(plan))
