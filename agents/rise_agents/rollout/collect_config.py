"""What a collection is: its settings, and the environment, the agents and the store they stand for."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import yaml

import rise_env
from rise_agents.registry import load_agent
from rise_agents.rollout.rollout import WHERE, TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.store import TrajectoryStore
from rise_env.utils.versions import installed

STORE = "trajectories.jsonl"
"""Name of the store in the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """What to play, who plays, and where it goes."""

    env: str
    """Environment id, for example RISE-Arithmetic-v0; on the command line the first argument."""
    agent: str
    """Who plays: tiny, transformers:PATH, vllm:PATH, openai:MODEL@URL, expert, module:factory, ..."""
    out: str
    """Folder for the trajectories and the resolved settings."""
    limit: int | None = None
    """How many problems; None plays all of the split."""
    start: int = 0
    """Index of the first problem."""
    turns: int = 5
    teacher: str | None = None
    """Who plays the last turn instead: a teacher."""
    num_samples: int = 1
    """Draws at the last turn, until one is correct; the first best counts (self-distillation: 16)."""
    stop_when_correct: bool = True
    """False goes on after a success: correct-to-correct pairs."""
    drop_degenerate: bool = False
    """Drop replies that got stuck, as the released RISE code does."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    seed: int = 0
    max_concurrent_episodes: int | None = None
    """Episodes played at a time; None is as many as the agents can use, and 256 at least."""
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of the environment: split, data_dir, feedback, rewards, ..."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the agent: dtype, max_concurrent_requests, ..."""
    teacher_settings: Mapping[str, Any] = field(default_factory=dict)
    """Those of teacher; with them it is another agent, even where both have one name."""
    workers: str = ""
    """ray:N plays with N agents, each in a process of its own with its share of the GPUs."""
    resume: bool = True
    """Continue what is in the folder; false refuses a folder with a store."""
    dry_run: bool = False
    """Say what would be played and what it may cost at most, and play nothing."""

    def __post_init__(self) -> None:
        for name, least in (("turns", 1), ("num_samples", 1), ("start", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name, value in (("limit", self.limit), ("max_concurrent_episodes", self.max_concurrent_episodes)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if self.teacher_settings and self.teacher is None:
            raise ConfigError("teacher_settings need a teacher; those of agent are agent_settings")


def environment_maker(config: CollectConfig) -> Callable[[], gymnasium.Env[Any, str]]:
    """Return what makes the environment."""
    settings = {
        "max_turns": config.turns,
        "stop_when_correct": config.stop_when_correct,
        **{key.replace("-", "_"): value for key, value in config.env_settings.items()},
    }
    return partial(rise_env.make, config.env, **settings)


def has_teacher(config: CollectConfig) -> bool:
    """Whether the last turn is another agent's, by its name or its settings."""
    if config.teacher is None:
        return False
    return config.teacher != config.agent or bool(config.teacher_settings)


def make_plan(config: CollectConfig) -> list[TurnPlan]:
    """Load the agents and return who plays which turn."""
    agent = load_agent(config.agent, **config.agent_settings)
    last = agent
    if config.teacher is not None and has_teacher(config):
        last = load_agent(config.teacher, **config.teacher_settings)
    return [TurnPlan(agent)] * (config.turns - 1) + [TurnPlan(last, num_samples=config.num_samples)]


def run_record(
    config: CollectConfig, plan: Sequence[TurnPlan], env: gymnasium.Env[Any, str]
) -> dict[str, Any]:
    """Return the store's first line: settings that decide the episodes, the data and the versions."""
    first = math_env_of(env).problems[0]
    # not where things lie: agents are known by their names, problems by their source
    ignored = {
        "out",
        "limit",
        "start",
        "max_concurrent_episodes",
        "workers",
        "resume",
        "dry_run",
        "agent",
        "teacher",
    }
    ignored |= {"agent_settings", "teacher_settings"}
    settings = {key: value for key, value in asdict(config).items() if key not in ignored}
    settings["env_settings"] = {k: v for k, v in config.env_settings.items() if k not in WHERE}
    return {
        "env": config.env,
        "agents": [[step.agent.name, step.num_samples] for step in plan],
        "settings": settings,
        "seed": config.seed,
        "data": {"source": first.source, "split": first.split},
        "versions": installed(),
        "machine": platform.platform(),
    }


def open_store(config: CollectConfig, record: Mapping[str, Any]) -> TrajectoryStore:
    """Open the folder's store, and write the settings beside it."""
    store = TrajectoryStore(Path(config.out) / STORE, record)
    text = yaml.safe_dump(asdict(config), sort_keys=False)
    (Path(config.out) / "config.yaml").write_text(text)
    return store
