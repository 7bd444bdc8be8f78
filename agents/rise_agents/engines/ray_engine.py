"""The collecting engine that runs several agents as Ray actors; see `ray_pool`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rise_agents.engines.episodes import Episodes
from rise_agents.engines.ray_pool import RayPool
from rise_agents.rollouts.collect_config import (
    CollectConfig,
    environment_maker,
    make_plan,
    open_store,
    run_record,
    turn_configs,
)
from rise_agents.rollouts.progress import Progress
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError


@dataclass(frozen=True, slots=True)
class CollectSource:
    """The episodes of a collection."""

    config: CollectConfig

    def load(self) -> list[Episodes]:
        """See `EpisodeSource`."""
        config = self.config
        plan, make_env = make_plan(config), environment_maker(config)
        return [
            Episodes(
                plan=plan,
                make_env=make_env,
                record=run_record(config, plan, make_env()),
                sampling=config.sampling,
                seed=config.seed,
                drop_degenerate=config.drop_degenerate,
                keep_tokens=config.keep_tokens,
            )
        ]


def collect_on_ray(
    config: CollectConfig, indices: Sequence[int], on_progress: Callable[[Progress], None], count: int
) -> Progress:
    """Collect with `count` Ray actors; see `engine_table` for the arguments and the exceptions.

    Raises:
        ConfigError: An agent has a cost cap, which would count per actor.
        MissingDependencyError: Ray is not installed.
        AgentError: Ray did not start, an agent no longer answers any request, or too many actors died while
            they played the same chunk.
    """
    for settings in (config.feedback_settings.agent_settings, *(t.settings for t in turn_configs(config))):
        refuse_cost_cap(settings, count)
    with RayPool(CollectSource(config), count) as pool:
        [description] = pool.describe()
        with open_store(config, description.record) as store:
            return pool.collect(
                0,
                description,
                math_env_of(environment_maker(config)()).problems,
                indices,
                store,
                max_concurrent_episodes=config.max_concurrent_episodes,
                on_progress=on_progress,
            )


def refuse_cost_cap(settings: Mapping[str, Any], count: int) -> None:
    """Check that several workers share no cost cap, which each would count for itself.

    Args:
        settings: Settings of an agent.
        count: Number of workers.

    Raises:
        ConfigError: The agent has the setting max_usd, and there are several workers.
    """
    if count > 1 and settings.get("max_usd") is not None:
        raise ConfigError(
            f"max_usd is {settings['max_usd']}, but each of {count} workers would spend as much: leave "
            "workers out for agents with a cost cap"
        )
