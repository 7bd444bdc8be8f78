"""The settings of `rise run`."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from rise_env.utils.settings import build, check_names, merged
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.paths import model_path

SET_BY_LOOP = ("data", "model", "output", "seed")
"""Settings of a fit that the loop sets itself."""
BOOST_FIT = {"weights": "uniform", "selection": {"solved_only": True}}
"""Settings of the fit of the boost stage that differ from those of the loop; `boost.fit` overrides them."""


@dataclass(frozen=True, kw_only=True)
class ProblemsConfig:
    """The problems for training and for evaluation."""

    data_dir: str | None = None
    """Folder of the data sets; None uses RISE_DATA_DIR or the hub. Embedded problems need none."""
    train_split: str = "train"
    """Split that the model learns from."""
    test_split: str = "test"
    """Split that every iteration is measured on."""
    train: int = 2000
    """Problems per iteration. Every iteration takes the next ones; after the last one comes the first."""
    test: int = 300
    """Problems of every evaluation, the first ones of their split; 0 runs no evaluation and no report."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the environment, for example {"difficulty": {"max_steps": 3}}."""


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """The model that is trained."""

    model: str = "tiny"
    """"tiny" (embedded), a model folder, or a hub id."""
    backend: Literal["transformers", "vllm"] = "transformers"
    """The agent with which the model plays episodes."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the agent: dtype, max_concurrent_requests, ..."""
    shape: dict[str, Any] = field(default_factory=dict)
    """The size of the model as in its config.json; --dry-run uses it where that file cannot be read."""


@dataclass(frozen=True, kw_only=True)
class BoostConfig:
    """Supervised fine-tuning on a teacher's multi-turn rollouts, before the first iteration.

    For models too weak to learn from their own replies. Source: arXiv:2407.18219, "Boost".
    """

    teacher: str = "expert"
    """The agent that plays all turns: expert, openai:MODEL@URL, vllm:PATH, module:factory, ..."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the teacher."""
    train: int = 1000
    """Problems that the teacher plays, from the end of the split; iterations take theirs from the start."""
    turns: int = 2
    """The number of turns of a rollout."""
    sampling: SamplingConfig | None = None
    """How the teacher's replies are sampled; None is as in the loop."""
    fit: dict[str, Any] = field(default_factory=dict)
    """Settings of this fit over those of the loop's; by default {"weights": "uniform", "selection":
    {"solved_only": true}}: every reply of the rollouts that succeed counts the same."""


@dataclass(frozen=True, kw_only=True)
class ImproveConfig:
    """Where the improved reply at the end of each rollout comes from."""

    num_samples: int = 16
    """Replies sampled at the last turn until one is correct; the first with the best reward is kept."""
    teacher: str | None = None
    """Another agent for the last turn (distillation), for example "expert"; None is self-distillation."""
    teacher_settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the teacher."""
    after_success: bool = False
    """Continue after a correct reply, so that the data contain correct-to-correct pairs."""

    def __post_init__(self) -> None:
        if self.teacher_settings and self.teacher is None:
            raise ConfigError(
                f"improve.teacher_settings is {self.teacher_settings}, but there is no improve.teacher"
            )


@dataclass(frozen=True, kw_only=True)
class MeasureConfig:
    """How the model is evaluated after every iteration."""

    turns: int = 5
    """T of m1@tT: turns of a measured rollout."""
    num_samples: int = 5
    """K of mK@t1: independent first replies per problem."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The loop of RISE: collect, improve the last turn, fit by reward-weighted regression, evaluate."""

    env: str = "RISE-Arithmetic-v0"
    """Environment id of the problems."""
    out: str = "runs/rise"
    """The run folder: settings, logs, models and report. The same command continues the run in it."""
    iterations: int = 2
    """Iterations of playing, fitting and measuring."""
    seeds: tuple[int, ...] = (0,)
    """Each seed is a run of its own, with other problems, samples and order of the data."""
    restart: bool = True
    """Every fit starts from the first model and trains on all data so far; False continues from the last
    model. The first model is `agent.model`, or that of the boost stage where there is one."""
    on_policy: bool = True
    """Iteration k is played by the model of iteration k - 1; False lets the first model play them all."""
    turns: int | None = None
    """Turns of a collection; None is k turns and the improved one in iteration k."""
    problems: ProblemsConfig = field(default_factory=ProblemsConfig)
    agent: PolicyConfig = field(default_factory=PolicyConfig)
    boost: BoostConfig | None = None
    """The stage before the first iteration; None leaves it out."""
    improve: ImproveConfig = field(default_factory=ImproveConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    drop_degenerate: bool = False
    """Sample repetitive replies again when collecting, as the released code does."""
    fit: dict[str, Any] = field(default_factory=dict)
    """Settings of the fits; see `rise fit --help`."""
    measure: MeasureConfig = field(default_factory=MeasureConfig)
    max_concurrent_episodes: int | None = None
    """Episodes that run at the same time; None is as many as the agents can use, at least 256. Changes no
    result."""
    track: Literal["none", "wandb"] = "none"
    """Where to log in addition to metrics.jsonl. W&B's variables (WANDB_MODE, WANDB_PROJECT, ...) apply."""
    dry_run: bool = False
    """Print what the run would do and take; load no weights and write nothing."""

    def __post_init__(self) -> None:
        counts = {
            "iterations": self.iterations,
            "problems.train": self.problems.train,
            "improve.num_samples": self.improve.num_samples,
            "measure.turns": self.measure.turns,
            "measure.num_samples": self.measure.num_samples,
            "turns": 1 if self.turns is None else self.turns,
            "max_concurrent_episodes": 1
            if self.max_concurrent_episodes is None
            else self.max_concurrent_episodes,
        }
        if self.boost is not None:
            counts |= {"boost.train": self.boost.train, "boost.turns": self.boost.turns}
        for name, value in counts.items():
            if value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if self.problems.test < 0:
            raise ConfigError(f"problems.test must be at least 0, got {self.problems.test}")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ConfigError(f"seeds must be different numbers of at least 0, got {list(self.seeds)}")
        if self.improve.teacher and self.improve.num_samples > 1 and self.improve.teacher == "expert":
            raise ConfigError("the expert needs one draw only: set improve.num_samples to 1")
        for boost in (False, True):
            fit_config(self, data=("store",), model="model", output="output", seed=0, boost=boost)


def fit_config(
    config: RunConfig, *, data: tuple[str, ...], model: str, output: str, seed: int, boost: bool = False
) -> FitConfig:
    """Return the settings of one fit: of an iteration, or of the boost stage where there is one.

    Raises:
        ConfigError: A setting is unknown, is one that the loop sets itself, or has a wrong value.
    """
    given = _checked("fit.", config.fit)
    if boost and config.boost is not None:
        given = merged(merged(given, BOOST_FIT), _checked("boost.fit.", config.boost.fit))
    own = {"data": data, "model": model, "output": output, "seed": seed}
    return build(FitConfig, {**given, **own}, where="fit.")


def _checked(where: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a fit with underscores in their names, after a check of these names.

    Args:
        where: Put before the names in error messages.
        settings: Of a fit.

    Raises:
        ConfigError: A fit has no such setting, or the loop sets it.
    """
    given = {name.replace("-", "_"): value for name, value in settings.items()}
    for name in given:
        if name in SET_BY_LOOP:
            raise ConfigError(f"{where}{name} is set by the loop; leave it out")
    check_names(FitConfig, given, where=where)
    return given


def first_model(config: RunConfig) -> str:
    """Return the model that a run starts from, as a folder or hub id."""
    return model_path(config.agent.model)


def environment_settings(config: RunConfig, split: str) -> dict[str, Any]:
    """Return the arguments of the environment with the problems of a split."""
    settings = {**config.problems.settings, "split": split}
    if config.problems.data_dir is not None:
        settings["data_dir"] = config.problems.data_dir
    return settings


def to_json(config: RunConfig) -> dict[str, Any]:
    """Return the settings as plain values, as they are written into the run folder."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    del values["dry_run"]  # a run that writes its settings is no dry run
    return values
