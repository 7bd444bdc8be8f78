"""The settings of `rise collect`, and the environment, plan and store that are made from them."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium
import yaml

import rise_env
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import PATH_SETTINGS, prompt_record
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.store import TrajectoryStore
from rise_env.utils.versions import installed

STORE = "trajectories.jsonl"
"""File name of the store in the output folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """Settings of a collection.

    Raises:
        ConfigError: A value is out of range, or contradicts another one.
    """

    env: str
    """Environment id, for example RISE-Arithmetic-v0; the first argument on the command line."""
    agent: str
    """The agent: tiny, transformers:PATH, vllm:PATH, openai:MODEL@URL, expert, module:factory, ..."""
    out: str
    """Folder for the store and the resolved settings."""
    limit: int | None = None
    """Number of problems; None plays all of the split."""
    start: int = 0
    """Index of the first problem; with --order permutation, its position in the permutation."""
    order: Literal["sequential", "permutation"] = "sequential"
    """Order in which the problems are played. With permutation, which depends on the seed, --limit N plays N
    problems from all over the split."""
    turns: int = 5
    """Maximal number of turns per episode."""
    teacher: str | None = None
    """Agent that plays the last turn instead of `agent`."""
    num_samples: int = 1
    """Maximal number of replies sampled at the last turn, until one is correct (self-distillation: 16)."""
    stop_when_correct: bool = True
    """End an episode after a correct reply. False continues it with further replies."""
    drop_degenerate: bool = False
    """Sample repetitive replies again, as the released RISE code does."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    seed: int = 0
    """Seed of all random numbers; the same seed gives the same episodes."""
    max_concurrent_episodes: int | None = None
    """Number of episodes played at a time; None is the number that the agents can use, but at least 256."""
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the environment: split, data_dir, feedback, rewards, ..."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the agent: dtype, max_concurrent_requests, ..."""
    teacher_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the teacher. With any, it is loaded separately, even if `agent` has the same name."""
    workers: str = ""
    """Collecting engine and number of workers, ENGINE:N, for example ray:4; empty plays in this process.
    Engines are the entry points of the group rise.engines; the error for an unknown name suggests or lists
    them."""
    resume: bool = True
    """Continue the store in the folder; false refuses a folder that holds one."""
    dry_run: bool = False
    """Print how many calls and tokens are needed at most and what they cost, and play nothing."""

    def __post_init__(self) -> None:
        for name, least in (("turns", 1), ("num_samples", 1), ("start", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name, value in (("limit", self.limit), ("max_concurrent_episodes", self.max_concurrent_episodes)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if self.teacher_settings and self.teacher is None:
            raise ConfigError("teacher_settings need a teacher: set teacher, or use agent_settings for agent")


def environment_maker(config: CollectConfig) -> Callable[[], gymnasium.Env[Any, str]]:
    """Return a function that makes the environment of a collection."""
    settings = {
        "max_turns": config.turns,
        "stop_when_correct": config.stop_when_correct,
        **{key.replace("-", "_"): value for key, value in config.env_settings.items()},
    }
    return partial(rise_env.make, config.env, **settings)


def has_teacher(config: CollectConfig) -> bool:
    """Return whether a second agent, with another name or other settings, plays the last turn."""
    if config.teacher is None:
        return False
    return config.teacher != config.agent or bool(config.teacher_settings)


def make_plan(config: CollectConfig) -> list[TurnPlan]:
    """Load the agents, and return which one plays which turn. The caller closes them."""
    agent = load_agent(config.agent, **config.agent_settings)
    last = agent
    if config.teacher is not None and has_teacher(config):
        last = load_agent(config.teacher, **config.teacher_settings)
    return [TurnPlan(agent)] * (config.turns - 1) + [TurnPlan(last, num_samples=config.num_samples)]


def run_record(
    config: CollectConfig, plan: Sequence[TurnPlan], env: gymnasium.Env[Any, str]
) -> dict[str, Any]:
    """Return the first line of the store: the settings that decide the episodes, the data set, and versions.

    Args:
        config: Settings of the collection.
        plan: The plan from `make_plan`.
        env: One environment of the collection.
    """
    problems = math_env_of(env).problems
    first = problems[0]
    # agents are recorded by name and problems by source, so that a run continues after their folders moved
    ignored = {
        "out",
        "limit",
        "start",
        "order",
        "max_concurrent_episodes",
        "workers",
        "resume",
        "dry_run",
        "agent",
        "teacher",
        "agent_settings",
        "teacher_settings",
    }
    settings = {key: value for key, value in asdict(config).items() if key not in ignored}
    settings["env_settings"] = {k: v for k, v in config.env_settings.items() if k not in PATH_SETTINGS}
    return {
        "env": config.env,
        "agents": [[turn.agent.name, turn.num_samples] for turn in plan],
        "settings": settings,
        "seed": config.seed,
        # a mixture has a source of its own, because the source of its first problem does not describe it
        "data": {"source": getattr(problems, "source", "") or first.source, "split": first.split},
        "versions": installed(),
        "machine": platform.platform(),
        **prompt_record({key.replace("-", "_"): value for key, value in config.env_settings.items()}),
    }


def open_store(config: CollectConfig, record: Mapping[str, Any]) -> TrajectoryStore:
    """Open the store in the output folder, and write config.yaml next to it.

    Raises:
        StoreError: The folder holds the store of another run, or cannot be made.
    """
    store = TrajectoryStore(Path(config.out) / STORE, record)
    text = yaml.safe_dump(asdict(config), sort_keys=False)
    (Path(config.out) / "config.yaml").write_text(text)
    return store
