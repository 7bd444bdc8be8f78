"""The settings of `rise learn`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_agents.deliberation.notes import Place
from rise_agents.memory.settings import MemorySettings
from rise_agents.rules.acceptance import Score, Test
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from rise_env.utils.settings import Changeable

_ARE = {"rules": "are", "memory": "is"}
_COUNTS = ("batch", "step_validate", "draws", "proposals", "retries", "patience", "calls", "limit", "words")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSettings:
    """How rules are learned (`--method rules`).

    Raises:
        ConfigError: A value is out of range.
    """

    batch: int = 8
    """Failed problems per step."""
    step_validate: int = 50
    """Further problems on which each step tests its changes; other ones at the next step."""
    draws: int = 4
    """Episodes per problem in a test."""
    proposals: int = 1
    """Changes of the book that the reflector proposes at a time; the best one that passes is taken."""
    retries: int = 1
    """How often the reflector proposes again after all its changes were refused."""
    patience: int = 4
    """Steps in a row without an accepted change after which the learning ends."""
    calls: int = 5000
    """No step begins after so many calls of the agent and the reflector together."""
    limit: int = 12
    """Most rules in the book; the one with the least support goes."""
    words: int = 200
    """Most words in the book; a longer one is not tested."""
    accept: Test = "bootstrap"
    """Test of a change: bootstrap, mean (no part falls, one rises), strict (the batch rises), or always."""
    confidence: float = 0.9
    """Probability of an improvement that the bootstrap must give."""
    score: Score = "first"
    """What is improved: the first reply (first), the share of right turns (turns), or the discounted turn of
    the first right reply (discounted)."""
    place: Place = "user"
    """Put the rules before the first user message (user) or into the system message (system)."""

    def __post_init__(self) -> None:
        least = {"retries": 0, "step_validate": 0}
        for name in _COUNTS:
            if getattr(self, name) < least.get(name, 1):
                raise ConfigError(
                    f"rules.{name} must be at least {least.get(name, 1)}, got {getattr(self, name)}"
                )
        if not 0.5 < self.confidence < 1:
            raise ConfigError(f"rules.confidence must be above 0.5 and below 1, got {self.confidence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnConfig:
    """Settings of `rise learn`, which learns from training problems without changing weights.

    Raises:
        ConfigError: A value is missing, out of range, or contradicts another one.
    """

    env: str
    """Environment id, for example RISE-Conventions-v0; the first argument on the command line."""
    method: Literal["rules", "memory"]
    """What is learned: rules for the prompt, tested before they are kept (rules), or reflections that are
    recalled and forgotten (memory)."""
    agent: str
    """The agent that plays, as in rise collect."""
    out: Changeable[str]
    """Folder of the run."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the agent."""
    reflector: str | None = None
    """The agent that reflects; null is the agent itself."""
    reflector_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the reflector."""
    reflector_sampling: SamplingConfig | None = None
    """How reflections are sampled; null uses `sampling`."""
    reference: Literal["none", "answer", "solution"] = "answer"
    """What the reflector may see of the reference of a training problem."""
    seed: int = 0
    """Seed of all random numbers."""
    train: int = 200
    """Number of training problems, from the beginning of the split."""
    validate: int = 200
    """Number of other problems on which changes of rules are tested: of the split validation, where the set
    has it, or those after the training problems."""
    turns: int = 1
    """Maximal number of turns per episode."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the environment: split, data_dir, feedback, ..."""
    rules: RulesSettings = field(default_factory=RulesSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    max_concurrent_episodes: Changeable[int | None] = None
    """Number of episodes played at a time; null is the number that the agents can use, but at least 256."""
    dry_run: Changeable[bool] = False
    """Print how many calls and tokens are needed at most and what they cost, and play nothing."""

    def __post_init__(self) -> None:
        for name, least in (("train", 1), ("validate", 1), ("turns", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        split = str(self.env_settings.get("split", "train"))
        if split.startswith("test"):
            raise ConfigError(
                f"env_settings.split is {split!r}: {self.method} {_ARE[self.method]} learned from training "
                "problems; name another split"
            )
        for name in ("max_turns", "stop_when_correct"):
            if name in self.env_settings:
                raise ConfigError(f"{name} is no setting of env_settings in rise learn: use turns")
        if self.method == "memory" and not self.agent.startswith("sage:"):
            raise ConfigError(
                f"agent is {self.agent!r}: method memory needs sage:AGENT, which recalls what is learned"
            )
        if self.reflector is None and self.reflector_settings:
            raise ConfigError("reflector_settings need a reflector: set reflector")
