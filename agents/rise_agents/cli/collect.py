"""The command `rise collect`: plays many problems with an agent and stores the trajectories in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from rise_agents.client.rate_limit import read_prices
from rise_agents.engines.engine_table import parse_workers, run_engine
from rise_agents.engines.local_engine import LOCAL
from rise_agents.registry import calls_per_reply
from rise_agents.rollouts.collect_config import (
    STORE,
    CollectConfig,
    check_agents,
    environment_maker,
    turn_configs,
)
from rise_agents.rollouts.cost_estimate import Estimate, estimate_episodes
from rise_agents.rollouts.progress import CollectProgressBar, Progress, played
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import counted, end_with, failure, summary, warnings
from rise_env.trajectories.output_folder import check_output_folder
from rise_env.trajectories.store import read_trajectories
from rise_env.utils.config_parser import parse
from rise_env.utils.permutation import permute
from rise_env.utils.seeding import derive


def run(config: CollectConfig, *, show: bool = True) -> Progress:
    """Collect with the settings of `config`. A store with the same settings in the folder is continued.

    Args:
        config: The settings.
        show: Whether to show a progress bar.

    Returns:
        The final progress; with `dry_run`, only its total is set.

    Raises:
        ConfigError: A setting is unknown or contradicts another one.
        DataNotFoundError, MissingDependencyError: An agent needs what is not on this machine.
        StoreError: The folder holds the store of another run.
    """
    engine, _ = parse_workers(config.workers)
    env = environment_maker(config)()
    indices = _indices(config, len(math_env_of(env).problems))
    if config.dry_run:
        print(estimate(config, env, indices))
        return Progress(total=len(indices))
    if not config.resume and (Path(config.out) / STORE).exists():
        raise ConfigError(
            f"{config.out} holds a store already: continue it with --resume true, or name another folder "
            "with --out"
        )
    check_output_folder(config.out)
    check_agents(config, here=engine == LOCAL)
    split = math_env_of(env).problems[indices[0]].split
    note = played(config.env, split, len(indices))
    with CollectProgressBar(f"{config.env} x {turn_configs(config)[0].agent}", show=show, note=note) as bar:
        return run_engine(config, indices, bar.update)


def main(argv: Sequence[str]) -> int:
    """Run `rise collect` with these arguments; return the exit code."""
    config = parse(CollectConfig, argv, prog="rise collect", positional="env")
    done = run(config)
    if not config.dry_run:
        return _close(config, done)
    return 0


def _close(config: CollectConfig, done: Progress) -> int:
    """Print what is in the store and what failed; return the exit code."""
    store = Path(config.out) / STORE
    outcomes = counted(read_trajectories(store))
    for line in warnings(outcomes, config.failures):
        print(line)
    print(f"{done.done} of {done.total} episodes in {store}")
    for line in summary(outcomes):
        print(f"  {line}")
    if done.outgrown:
        print(f"  {done.outgrown} outgrew the model's context")
    if outcomes.failed:
        print("  the same command with --retry-failed plays the failed episodes again")
    return end_with(failure(outcomes, config.failures), prog="rise collect")


def estimate(config: CollectConfig, env: gymnasium.Env[Any, str], indices: Sequence[int]) -> Estimate:
    """Return an estimate of the calls, tokens and cost of a collection, without loading its agents.

    Args:
        config: The settings.
        env: One environment of the collection.
        indices: Indices of the problems to play.

    Raises:
        ConfigError: There is no such agent, or the prices are malformed.
    """
    turns = turn_configs(config)
    check_agents(config, here=False)
    settings = config.feedback_settings
    feedback_tokens = 0
    if config.feedback is not None:
        feedback_tokens = (settings.sampling or config.sampling).max_new_tokens
    return estimate_episodes(
        env,
        indices,
        num_samples=[turn.num_samples for turn in turns],
        max_new_tokens=[(turn.sampling or config.sampling).max_new_tokens for turn in turns],
        prices=[read_prices(turn.settings.get("prices")) for turn in turns],
        drop_degenerate=config.drop_degenerate,
        feedback_tokens=feedback_tokens,
        feedback_prices=read_prices(settings.agent_settings.get("prices")),
        calls_per_reply=[calls_per_reply(turn.agent, turn.settings) for turn in turns],
    )


def _indices(config: CollectConfig, size: int) -> Sequence[int]:
    if config.start >= size:
        raise ConfigError(f"start must be below the number of problems, {size}, got {config.start}")
    if config.limit is None and size > 1_000_000:
        raise ConfigError(f"{config.env} has {size} problems: set how many to play with --limit")
    end = size if config.limit is None else min(size, config.start + config.limit)
    indices = range(config.start, end)
    if config.order == "sequential":
        return indices
    places = np.arange(config.start, end, dtype=np.uint64)
    order: list[int] = permute(places, size, derive(config.seed, size)).tolist()
    return order
