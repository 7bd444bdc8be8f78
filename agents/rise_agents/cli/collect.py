"""`rise collect ID --agent A --limit N --out DIR`: any environment, any agent, into a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium

from rise_agents.client.rate_limit import read_prices
from rise_agents.registry import check_agent
from rise_agents.rollout.cleanup import close
from rise_agents.rollout.collect import Progress, collect
from rise_agents.rollout.collect_config import (
    STORE,
    CollectConfig,
    environment_maker,
    has_teacher,
    make_plan,
    open_store,
    run_record,
)
from rise_agents.rollout.cost_estimate import Estimate, estimate_episodes
from rise_agents.rollout.progress import ProgressLine
from rise_agents.rollout.ray_collect import collect_on_ray
from rise_env.cli.config_parser import parse
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError


def run(config: CollectConfig, *, show: bool = True) -> Progress:
    """Collect as `config` says; an existing folder of the same settings is continued.

    Raises:
        ConfigError: A setting is unknown or contradicts another one.
        StoreError: The folder holds another run.
    """
    make_env = environment_maker(config)
    env = make_env()
    indices = _indices(config, len(math_env_of(env).problems))
    if config.dry_run:
        print(estimate(config, env, indices))
        return Progress(total=len(indices))
    if not config.resume and (Path(config.out) / STORE).exists():
        raise ConfigError(f"{config.out} holds a store already: continue it with --resume, or name another")
    if config.workers:
        with ProgressLine(f"{config.env} x {config.agent}", show=show) as line:
            return collect_on_ray(config, indices, line.update)
    plan = make_plan(config)
    try:
        with (
            open_store(config, run_record(config, plan, env)) as store,
            ProgressLine(f"{config.env} x {plan[0].agent.name}", show=show) as line,
        ):
            return collect(
                plan,
                make_env,
                indices,
                store,
                config.sampling,
                seed=config.seed,
                max_concurrent_episodes=config.max_concurrent_episodes,
                drop_degenerate=config.drop_degenerate,
                progress=line.update,
            )
    finally:
        close(*{id(step.agent): step.agent for step in plan}.values())


def main(argv: Sequence[str]) -> int:
    """Run `rise collect`."""
    config = parse(CollectConfig, argv, prog="rise collect", positional="env")
    done = run(config)
    if not config.dry_run:
        print(f"{done.done} of {done.total} episodes in {Path(config.out) / STORE}; {done.failed} failed now")
    return 0


def estimate(config: CollectConfig, env: gymnasium.Env[Any, str], indices: Sequence[int]) -> Estimate:
    """Say what the collection may ask for at most, and cost, from a sample of its problems.

    Raises:
        ConfigError: A text cannot name an agent, or prices are none.
    """
    check_agent(config.agent, config.agent_settings)
    prices = teacher_prices = read_prices(config.agent_settings.get("prices"))
    if config.teacher is not None and has_teacher(config):
        check_agent(config.teacher, config.teacher_settings)
        teacher_prices = read_prices(config.teacher_settings.get("prices"))
    return estimate_episodes(
        env,
        indices,
        num_samples=[1] * (config.turns - 1) + [config.num_samples],
        max_new_tokens=config.sampling.max_new_tokens,
        prices=prices,
        teacher_prices=teacher_prices,
    )


def _indices(config: CollectConfig, size: int) -> range:
    if config.start >= size:
        raise ConfigError(f"start is {config.start}, and there are {size} problems")
    if config.limit is None and size > 1_000_000:
        raise ConfigError(f"{config.env} has {size} problems: say how many with --limit")
    end = size if config.limit is None else min(size, config.start + config.limit)
    return range(config.start, end)
