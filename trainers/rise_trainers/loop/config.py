"""The settings of `rise run`."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_agents.deliberation.agent_feedback import check_prompt
from rise_agents.deliberation.feedback_settings import FeedbackSettings, check_feedback_settings
from rise_agents.registry import agent_names
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import FailureLimits
from rise_env.utils.settings import ByContent, Changeable, build, check_names, merged
from rise_env.utils.suggestions import validate_choice
from rise_trainers.critic.config import CRITIC_FIT, CriticConfig
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.paths import model_path
from rise_trainers.loop.model_texts import check_critic_texts

SET_BY_LOOP = ("data", "model", "output", "seed")
"""Settings of a fit that the loop sets itself."""
FitOf = Literal["loop", "boost", "critic"]
"""What a fit belongs to: an iteration, the boost stage, or the critic."""
FIT_NAMES: dict[FitOf, str] = {"loop": "fit", "boost": "boost.fit", "critic": "critic.fit"}
"""The names of their settings."""
BOOST_FIT = {"weights": "uniform", "negative_weights": False, "selection": {"solved_only": True}}
"""Settings of the fit of the boost stage that differ from those of the loop; `boost.fit` overrides them."""


@dataclass(frozen=True, kw_only=True)
class ProblemsConfig:
    """The problems for training and for evaluation."""

    data_dir: ByContent[str | None] = None
    """Folder of the data sets; None uses RISE_DATA_DIR or the hub. Embedded problems need none."""
    train_split: str = "train"
    """Split that the model learns from."""
    test_split: str = "test"
    """Split that every iteration is measured on."""
    train: int = 2000
    """Problems per iteration. Every iteration takes the next ones; after the end, the first ones again."""
    test: int = 300
    """Problems per evaluation, from the start of the split; 0 runs no evaluation and makes no report."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the environment, for example {"rewards": "paper"} (1 right, 0 otherwise)."""


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """The model that is trained."""

    model: ByContent[str] = "tiny"
    """"tiny" or "tiny-notes" (embedded), a model folder, or a hub id."""
    backend: str = "transformers"
    """The agent with which the model plays episodes: transformers, vllm, or the name of another agent whose
    argument is a model."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the agent: dtype, max_concurrent_requests, ..."""
    shape: Changeable[dict[str, Any]] = field(default_factory=dict)
    """Size of the model, with the names of its config.json; --dry_run uses it if that file is
    not on this machine, and then does not ask the hub."""

    def __post_init__(self) -> None:
        validate_choice(self.backend, agent_names(), "agent")


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
    """How the teacher's replies are sampled; None uses the sampling of the loop."""
    fit: dict[str, Any] = field(default_factory=dict)
    """Settings of this fit, which override those of the loop's fits. The default is {"weights": "uniform",
    "selection": {"solved_only": true}}: all replies of successful rollouts have the same weight."""


@dataclass(frozen=True, kw_only=True)
class ImproveConfig:
    """Where the improved reply at the end of each rollout comes from."""

    num_samples: int = 16
    """Maximal number of replies at the last turn, until one is correct. The first of the best is kept."""
    teacher: str | None = None
    """Another agent for the last turn (distillation), for example "expert"; None is self-distillation. In
    this text and in those of `teacher_settings`, {learner} stands for the model that plays the iteration:
    "mcts:{learner}" searches its last reply. {critic} stands for the critic of `RunConfig.critic`."""
    teacher_settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the teacher."""
    sampling: SamplingConfig | None = None
    """How the replies at the last turn are sampled; None uses the sampling of the loop. The released code
    samples from GPT with temperature 0.7 and at most 512 tokens, and from the learner with 1.0 and 1000."""
    after_success: bool = False
    """Continue after a correct reply, so that the data contain correct replies that follow correct ones."""

    def __post_init__(self) -> None:
        if self.teacher_settings and self.teacher is None:
            raise ConfigError(
                f"improve.teacher_settings is {self.teacher_settings}, but there is no improve.teacher"
            )


@dataclass(frozen=True, kw_only=True)
class MeasureConfig:
    """How the model is evaluated after every iteration."""

    turns: int = 5
    """Turns of a rollout in the evaluation: T of m1@tT."""
    num_samples: int = 5
    """Independent first replies per problem in the evaluation: K of mK@t1."""
    history_turns: int | Literal["iteration"] | None = None
    """Measure with the protocol "window" as well: the model sees only this many earlier attempts. "iteration"
    is the last-k rule of figure 3 of the paper: k attempts after iteration k; 1 for the first model and the
    boosted one. None leaves the protocol out."""

    def window(self, iteration: int) -> int | None:
        """Return how many earlier attempts the model of an iteration sees; None without the protocol.

        Args:
            iteration: The iteration; 0 for the first model and the boosted one.
        """
        return max(1, iteration) if self.history_turns == "iteration" else self.history_turns


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The loop of RISE: collect, improve the last turn, fit by reward-weighted regression, evaluate."""

    env: str = "RISE-Arithmetic-v0"
    """Environment id of the problems."""
    out: Changeable[str] = "runs/rise"
    """The run folder: settings, logs, models and report. The same command continues the run in it."""
    iterations: Changeable[int] = 2
    """Number of iterations; each collects rollouts, fits a model and evaluates it. A run that has ended goes
    on when the same command asks for more."""
    seeds: tuple[int, ...] = (0,)
    """The loop runs once per seed, each time with other problems, samples and order of the data."""
    restart: bool = True
    """Every fit starts from the first model and trains on all data so far; False continues from the last
    model. The first model is `agent.model`, or that of the boost stage where there is one."""
    on_policy: bool = True
    """Iteration k is played by the model of iteration k - 1; False lets the first model play them all."""
    turns: int | None = None
    """Turns of a collected rollout; None is k + 1 in iteration k: k turns and the improved one."""
    problems: ProblemsConfig = field(default_factory=ProblemsConfig)
    agent: PolicyConfig = field(default_factory=PolicyConfig)
    boost: BoostConfig | None = None
    """The stage before the first iteration; None leaves it out."""
    critic: CriticConfig | None = None
    """A critic that is fitted before the first iteration, for {critic} in `improve.teacher` and its settings,
    such as {"critic": "verifier:{critic}"} of a search; None fits none."""
    improve: ImproveConfig = field(default_factory=ImproveConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    feedback: str | None = None
    """agent:AGENT lets an agent write the feedback of collected rollouts, and of one more protocol in every
    evaluation; see `rise collect` and `rise evaluate`."""
    feedback_settings: FeedbackSettings = field(default_factory=FeedbackSettings)
    """What the agent of `feedback` is asked, and its arguments. Evaluations never tell it the answers."""
    drop_degenerate: bool = False
    """Sample repetitive replies again when collecting, as the released code does."""
    keep_tokens: bool = True
    """Store the token ids and log-probabilities of replies, on which fits train; see `rise collect`."""
    fit: dict[str, Any] = field(default_factory=dict)
    """Settings of the fits; see `rise fit --help`."""
    measure: MeasureConfig = field(default_factory=MeasureConfig)
    workers: Changeable[str] = ""
    """Number of Ray actors that play, ray:N, in collections and evaluations of the model; empty plays in one
    process. They run in the cluster that RAY_ADDRESS names, else on the machines of the run."""
    max_concurrent_episodes: Changeable[int | None] = None
    """Number of episodes played at a time; None is the number that the agents can use, but at least 256."""
    failures: Changeable[FailureLimits] = field(default_factory=FailureLimits)
    """From which share on failed episodes and cut, refused or unread replies are warned about, and the run
    ends with exit code 1. `max_failed` applies to every collection and evaluation. `max_cut` applies to the
    last evaluation only, because training may shorten the replies of the models before."""
    track: Changeable[Literal["none", "wandb", "tensorboard"]] = "none"
    """Where to log in addition to metrics.jsonl. W&B's variables (WANDB_MODE, WANDB_PROJECT, ...) apply."""
    dry_run: Changeable[bool] = False
    """Print what the run would do and what it needs at most; load no weights and write nothing."""
    measure_speed: Changeable[bool] = False
    """With dry_run: play a few episodes, make a short fit, and print the hours of every phase. It loads the
    model, and writes into a temporary folder beside `out`."""

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
        window = self.measure.window(1)
        if window is not None and window < 0:
            raise ConfigError(f"measure.history_turns must be at least 0, got {window}")
        if self.problems.test < 0:
            raise ConfigError(f"problems.test must be at least 0, got {self.problems.test}")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise ConfigError(f"seeds must be different numbers of at least 0, got {list(self.seeds)}")
        if self.improve.teacher and self.improve.num_samples > 1 and self.improve.teacher == "expert":
            raise ConfigError("the expert always gives the same reply: set improve.num_samples to 1")
        check_feedback_settings(self.feedback, self.feedback_settings, self.problems.settings)
        if self.feedback_settings.prompt is not None:
            check_prompt(self.feedback_settings.prompt, told=False)  # evaluations use the same prompt
        if self.measure_speed and not self.dry_run:
            raise ConfigError("measure_speed needs dry_run: add --dry_run")
        check_critic_texts(
            (self.improve.teacher, self.improve.teacher_settings), fitted=self.critic is not None
        )
        for of in fits(self):
            fit_config(self, data=("store",), model="model", output="output", seed=0, of=of)


def fits(config: RunConfig) -> tuple[FitOf, ...]:
    """Return what a run fits: its iterations, and the stages before them."""
    stages: tuple[FitOf, ...] = ("boost",) if config.boost is not None else ()
    return ("loop", *stages, "critic") if config.critic is not None else ("loop", *stages)


def fit_config(
    config: RunConfig, *, data: tuple[str, ...], model: str, output: str, seed: int, of: FitOf = "loop"
) -> FitConfig:
    """Return the settings of one fit: of an iteration, or of a stage before them where there is one.

    Raises:
        ConfigError: A setting is unknown, is one that the loop sets itself, or has a wrong value.
    """
    given = _checked("fit.", config.fit)
    if of == "boost" and config.boost is not None:
        given = merged(merged(given, BOOST_FIT), _checked("boost.fit.", config.boost.fit))
    if of == "critic" and config.critic is not None:
        given = merged(merged(given, CRITIC_FIT), _checked("critic.fit.", config.critic.fit))
    own = {"data": data, "model": model, "output": output, "seed": seed}
    return build(FitConfig, {**given, **own}, where=FIT_NAMES[of] + ".")


def _checked(where: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a fit with underscores in their names, after a check of these names.

    Args:
        where: Text before the names in error messages.
        settings: Settings of a fit.

    Raises:
        ConfigError: A name is no setting of a fit, or the loop sets it.
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


def failure_settings(config: RunConfig) -> dict[str, Any]:
    """Return what all collections and evaluations do about failures.

    A phase that is started again plays its failed episodes again. Replies that are cut do not end a phase:
    training may shorten them.
    """
    limits = dataclasses.replace(config.failures, max_cut=1.0)
    return {"retry_failed": True, "failures": dataclasses.asdict(limits)}


def feedback_of_phase(config: RunConfig, *, told: bool) -> dict[str, Any]:
    """Return the settings of the feedback that an agent writes; empty without such an agent."""
    if config.feedback is None:
        return {}
    settings = dataclasses.asdict(dataclasses.replace(config.feedback_settings, told=told))
    return {"feedback": config.feedback, "feedback_settings": settings}


def to_json(config: RunConfig) -> dict[str, Any]:
    """Return the settings as plain values, as they are written into the run folder."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    del values["dry_run"], values["measure_speed"]  # always false where settings are written
    return values
