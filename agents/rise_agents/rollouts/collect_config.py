"""The settings of `rise collect`, and the environment, plan and store that are made from them."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium
import yaml

import rise_env
from rise_agents.deliberation.feedback_settings import (
    FeedbackSettings,
    check_feedback_settings,
    feedback_agent,
)
from rise_agents.registry import check_agent, load_agent
from rise_agents.rollouts.rollout import PATH_SETTINGS, format_record, prompt_record
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import FailureLimits
from rise_env.trajectories.store import TrajectoryStore
from rise_env.utils.settings import Changeable, build, deciding_settings
from rise_env.utils.versions import installed

STORE = "trajectories.jsonl"
"""File name of the store in the output folder."""
_REPLACED_BY_TURN = ("agent", "teacher", "turns", "num_samples", "last_turn_sampling")
"""Settings of a collection that its setting `turn` replaces."""
_SET_BY_COLLECTION = {"max_turns": "turns", "stop_when_correct": "stop_when_correct"}
"""Arguments of the environment -> the setting of the collection that decides them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnConfig:
    """The agent of one turn, and how it samples.

    Raises:
        ConfigError: `num_samples` is below 1.
    """

    agent: str
    """The agent, as in `CollectConfig.agent`."""
    num_samples: int = 1
    """Maximal number of replies sampled at the turn, until one is correct."""
    sampling: SamplingConfig | None = None
    """How the replies are sampled; None uses the sampling of the collection."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the agent. Turns with the same agent and settings share one instance of it."""

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise ConfigError(f"num_samples of a turn must be at least 1, got {self.num_samples}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectConfig:
    """Settings of a collection.

    Raises:
        ConfigError: A value is missing, out of range, or contradicts another one.
    """

    env: str
    """Environment id, for example RISE-Arithmetic-v0; the first argument on the command line."""
    agent: str | None = None
    """The agent: tiny, transformers:PATH, vllm:PATH, openai:MODEL@URL, expert, module:factory, ..."""
    out: Changeable[str]
    """Folder for the store and the resolved settings."""
    limit: Changeable[int | None] = None
    """Number of problems; None plays all of the split."""
    start: Changeable[int] = 0
    """Index of the first problem; with --order permutation, its position in the permutation."""
    order: Changeable[Literal["sequential", "permutation"]] = "sequential"
    """Order in which the problems are played. With permutation, which depends on the seed, --limit N plays N
    problems from all over the split."""
    turns: int = 5
    """Maximal number of turns per episode."""
    teacher: str | None = None
    """Agent that plays the last turn instead of `agent`."""
    num_samples: int = 1
    """Maximal number of replies sampled at the last turn, until one is correct (self-distillation: 16)."""
    last_turn_sampling: SamplingConfig | None = None
    """How the replies at the last turn are sampled; null uses `sampling`."""
    turn: tuple[str | Mapping[str, Any], ...] = ()
    """The agent of each turn, in place of agent, teacher, turns and num_samples; repeat the option once per
    turn. AGENT, AGENT*N for up to N samples, or a mapping with agent, num_samples, sampling and settings."""
    stop_when_correct: bool = True
    """End an episode after a correct reply. False continues it with further replies."""
    drop_degenerate: bool = False
    """Sample repetitive replies again, as the released RISE code does."""
    keep_tokens: Changeable[bool] = True
    """Store the token ids and log-probabilities of replies, where the agent returns them."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    seed: int = 0
    """Seed of all random numbers; the same seed gives the same episodes."""
    max_concurrent_episodes: Changeable[int | None] = None
    """Number of episodes played at a time; None is the number that the agents can use, but at least 256."""
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the environment: split, data_dir, feedback, rewards (gsm8k, paper, math, ...)"""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the agent: dtype, max_concurrent_requests, ..."""
    teacher_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the teacher. With any, it is loaded separately, even if `agent` has the same name."""
    feedback: str | None = None
    """agent:AGENT lets an agent write the feedback after each turn but the last one. Other feedback is an
    argument of the environment: env_settings.feedback."""
    feedback_settings: FeedbackSettings = field(default_factory=FeedbackSettings)
    """What the agent of `feedback` is asked, and its arguments."""
    workers: Changeable[str] = ""
    """Collecting engine and number of workers, ENGINE:N, for example ray:4; empty plays in this process.
    Engines are the entry points of the group rise.engines; the error for an unknown name suggests or lists
    them."""
    resume: Changeable[bool] = True
    """Continue the store in the folder; false refuses a folder that holds one."""
    retry_failed: Changeable[bool] = False
    """Play the failed episodes of the store again. They are moved into a file beside it, STORE.failed."""
    failures: Changeable[FailureLimits] = field(default_factory=FailureLimits)
    """From which share on failed episodes and cut, refused or unread replies are warned about."""
    dry_run: Changeable[bool] = False
    """Print how many calls and tokens are needed at most and what they cost, and play nothing."""

    def __post_init__(self) -> None:
        if self.agent is None and not self.turn:
            raise ConfigError("agent is missing: set it in a file or with --agent, or give a --turn per turn")
        if self.turn:
            for name in _REPLACED_BY_TURN:
                default = self.__dataclass_fields__[name].default
                if getattr(self, name) != default:
                    raise ConfigError(
                        f"turn names the agent of every turn, but {name} is {getattr(self, name)!r}: give "
                        f"either turn or {name}"
                    )
            for name in ("agent_settings", "teacher_settings"):
                if getattr(self, name):
                    raise ConfigError(f"turn is set, so {name} has no effect: write settings into the turn")
        for name, least in (("turns", 1), ("num_samples", 1), ("start", 0), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name, value in (("limit", self.limit), ("max_concurrent_episodes", self.max_concurrent_episodes)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if self.teacher_settings and self.teacher is None:
            raise ConfigError("teacher_settings need a teacher: set teacher, or use agent_settings for agent")
        check_feedback_settings(self.feedback, self.feedback_settings, self.env_settings)
        turn_configs(self)  # refuses malformed entries of turn
        for name in self.env_settings:
            own = _SET_BY_COLLECTION.get(name.replace("-", "_"))
            if own is not None:
                raise ConfigError(f"{name} is no setting of env_settings in a collection: use {own}")


def environment_maker(config: CollectConfig) -> Callable[[], gymnasium.Env[Any, str]]:
    """Return a function that makes the environment of a collection."""
    settings = {
        "max_turns": len(turn_configs(config)),
        "stop_when_correct": config.stop_when_correct,
        **{key.replace("-", "_"): value for key, value in config.env_settings.items()},
        **({} if config.feedback is None else {"feedback": "agent"}),
    }
    return partial(rise_env.make, config.env, **settings)


def turn_configs(config: CollectConfig) -> list[TurnConfig]:
    """Return the agent of each turn, from the setting `turn` or from `agent`, `teacher` and their like.

    Raises:
        ConfigError: An entry of `turn` has an unknown or malformed setting.
    """
    if config.turn:
        return [_parsed_turn(entry, f"turn[{place}].") for place, entry in enumerate(config.turn)]
    first = TurnConfig(agent=config.agent or "", settings=config.agent_settings)
    last = first
    # a teacher with the agent's name and without settings of its own is the agent
    if config.teacher is not None and (config.teacher != config.agent or config.teacher_settings):
        last = TurnConfig(agent=config.teacher, settings=config.teacher_settings)
    last = replace(last, num_samples=config.num_samples, sampling=config.last_turn_sampling)
    return [first] * (config.turns - 1) + [last]


def check_agents(config: CollectConfig, *, here: bool = True) -> None:
    """Check the agents of turns and feedback without making them; see `registry.check_agent`."""
    checked: list[TurnConfig] = []
    for turn in turn_configs(config):
        if not any((turn.agent, turn.settings) == (other.agent, other.settings) for other in checked):
            check_agent(turn.agent, turn.settings, here=here)
            checked.append(turn)
    if config.feedback is not None:
        check_agent(feedback_agent(config.feedback), config.feedback_settings.agent_settings, here=here)


def _parsed_turn(entry: str | Mapping[str, Any], where: str) -> TurnConfig:
    if not isinstance(entry, str):
        return build(TurnConfig, entry, where=where)
    agent, star, count = entry.rpartition("*")
    if star and count.isdecimal():
        return TurnConfig(agent=agent, num_samples=int(count))
    return TurnConfig(agent=entry)


def make_plan(config: CollectConfig) -> list[TurnPlan]:
    """Load the agents, and return which one plays which turn. The caller closes them."""
    loaded: list[tuple[str, Mapping[str, Any], Agent]] = []

    def shared(spec: str, settings: Mapping[str, Any]) -> Agent:
        same = [agent for of, given, agent in loaded if (of, given) == (spec, settings)]
        if not same:
            loaded.append((spec, settings, load_agent(spec, **settings)))
        return same[0] if same else loaded[-1][2]

    plan = []
    for turn in turn_configs(config):
        sampling = None if turn.sampling == config.sampling else turn.sampling
        agent = shared(turn.agent, turn.settings)
        plan.append(TurnPlan(agent, num_samples=turn.num_samples, sampling=sampling))
    if config.feedback is None:
        return plan
    agent = shared(feedback_agent(config.feedback), config.feedback_settings.agent_settings)
    feedback = config.feedback_settings.plan(agent)
    return [replace(turn, feedback=feedback) for turn in plan]


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
    recorded_otherwise = {
        "agent",
        "teacher",
        "agent_settings",
        "teacher_settings",
        "turn",
        "last_turn_sampling",
        "feedback",
        "feedback_settings",
    }
    settings = {
        key: value
        for key, value in deciding_settings(CollectConfig, asdict(config)).items()
        if key not in recorded_otherwise
    }
    settings["env_settings"] = {k: v for k, v in config.env_settings.items() if k not in PATH_SETTINGS}
    settings |= {"turns": len(plan), "num_samples": plan[-1].num_samples}
    writer = plan[0].feedback
    own = [None if turn.sampling is None else asdict(turn.sampling) for turn in plan]
    return {
        "env": config.env,
        "agents": [[turn.agent.name, turn.num_samples] for turn in plan],
        **({"turn_sampling": own} if any(own) else {}),
        **({} if writer is None else {"feedback": writer.record(config.sampling)}),
        "settings": settings,
        "seed": config.seed,
        **format_record(turn.agent for turn in plan),
        # of a mixture, the source of its first problem says too little
        "data": {"source": getattr(problems, "source", "") or first.source, "split": first.split},
        "versions": installed(),
        "machine": platform.platform(),
        **prompt_record({key.replace("-", "_"): value for key, value in config.env_settings.items()}),
    }


def open_store(config: CollectConfig, record: Mapping[str, Any]) -> TrajectoryStore:
    """Open the store in the output folder, and write config.yaml next to it.

    With `retry_failed`, failed episodes are moved out of the store.

    Raises:
        StoreError: The folder holds the store of another run, or cannot be made.
    """
    store = TrajectoryStore(Path(config.out) / STORE, record)
    if config.retry_failed:
        store.set_aside_failed()
    text = yaml.safe_dump(asdict(config), sort_keys=False)
    (Path(config.out) / "config.yaml").write_text(text)
    return store
