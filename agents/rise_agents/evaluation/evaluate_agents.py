"""Evaluates several agents with several seeds: settings, an estimate of the cost, and the evaluation itself.

`rise evaluate` and `rise bench` use it. The logs are stores in OUT/<label>/seed-<seed>/.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_agents.client.rate_limit import read_prices
from rise_agents.deliberation.agent_feedback import FeedbackPlan
from rise_agents.deliberation.feedback_settings import (
    FeedbackSettings,
    check_feedback_settings,
    feedback_agent,
)
from rise_agents.engines.ray_engine import refuse_cost_cap
from rise_agents.evaluation.protocols import NAMES, PROTOCOLS, feedback_protocol, protocol_env
from rise_agents.evaluation.runner import EvaluationSettings, evaluate, evaluate_best_of_n
from rise_agents.evaluation.told_agents import row_label
from rise_agents.evaluation.with_workers import (
    EvaluationSource,
    evaluate_with_workers,
    number_of_workers,
)
from rise_agents.memory.settings import MemorySettings
from rise_agents.registry import calls_per_reply, check_agent, load_agent
from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.cost_estimate import Estimate, estimate_episodes
from rise_agents.rollouts.progress import CollectProgressBar, Progress, played
from rise_agents.rollouts.rollout import PATH_SETTINGS, prompt_record
from rise_agents.types import Agent, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import FailureLimits
from rise_env.trajectories.output_folder import check_output_folder
from rise_env.utils.settings import Changeable
from rise_env.utils.suggestions import validate_choice
from rise_env.utils.versions import installed


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """Settings of an evaluation.

    Raises:
        ConfigError: A value is out of range, or contradicts another one.
    """

    env: str = "RISE-Arithmetic-v0"
    """Environment id; the first argument on the command line."""
    agent: tuple[str, ...] = ("tiny",)
    """Agents as `load_agent` names them. Repeat the option for several."""
    label: tuple[str, ...] = ()
    """Names of the agents in reports and folders, one per agent; empty uses the agents' own names."""
    out: Changeable[str] = "runs/evaluate"
    """Folder for the logs."""
    limit: int = 300
    """Number of problems, from the start of the split."""
    seeds: tuple[int, ...] = (0,)
    """Seeds. All protocols are played once with each."""
    protocols: tuple[str, ...] = ("sequential", "parallel")
    """Any of sequential, parallel, oracle, window, self_refine, self_verify, best_of_n, evolving. A report
    needs the first two."""
    turns: int = 5
    """Number of turns: T in the metric m1@tT."""
    num_samples: int = 5
    """Number of first replies: K in the metric mK@t1, and N of best_of_n."""
    draws: int | None = None
    """Number of replies that "parallel" samples, at least `num_samples`; pass@k needs k or more. None is
    `num_samples`."""
    history_turns: int = 2
    """Number of earlier attempts that the protocol "window" shows in addition to the problem."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    """Protocol -> temperature, if it differs from that of `sampling`, for example {"parallel": 0.7}."""
    verifier: str | None = None
    """Agent that rates the replies in best_of_n; None lets each agent rate its own replies."""
    verifier_votes: int = 1
    """Number of ratings per reply."""
    env_settings: Mapping[str, Any] = field(default_factory=lambda: {"split": "test"})
    """Arguments of the environment, except feedback, max_turns and stop_when_correct, which protocols set."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of every agent."""
    verifier_settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the verifier."""
    workers: Changeable[str] = ""
    """Number of Ray actors that play, ray:N; empty plays in this process. See `rise collect`."""
    told: Changeable[bool] = False
    """Also measure agents that are told the reference answers, in rows whose labels say so."""
    feedback: str | None = None
    """agent:AGENT plays one more protocol, in which this agent writes the feedback: "agent_feedback", or
    "told_feedback" where it may know the reference answer."""
    feedback_settings: FeedbackSettings = field(default_factory=FeedbackSettings)
    """What the agent of `feedback` is asked, and its arguments."""
    memory: MemorySettings = field(default_factory=lambda: MemorySettings(told_verdict=False))
    """How the memory is kept in the protocol "evolving"; its told_verdict needs told."""
    max_concurrent_episodes: Changeable[int | None] = None
    """Number of episodes played at a time; None is the number that the agents can use, but at least 256."""
    resume: Changeable[bool] = True
    """Continue the logs in the folder; false refuses a folder with logs."""
    retry_failed: Changeable[bool] = False
    """Play the failed episodes of the logs again. They are moved into files beside the logs, LOG.failed."""
    failures: Changeable[FailureLimits] = field(default_factory=FailureLimits)
    """From which share on failed episodes and cut, refused or unread replies are warned about."""
    report: Changeable[bool] = True
    """Print the table of `rise report` at the end, if the protocols allow one."""
    dry_run: Changeable[bool] = False
    """Print how many calls and tokens are needed at most and what they cost, and play nothing."""

    def __post_init__(self) -> None:
        if min(self.limit, self.turns, self.num_samples) < 1 or not self.seeds or not self.agent:
            raise ConfigError(
                "limit, turns and num_samples must be at least 1, with at least one seed and agent; got "
                f"{self.limit}, {self.turns}, {self.num_samples}, {list(self.seeds)} and {list(self.agent)}"
            )
        if min(self.seeds) < 0:
            raise ConfigError(f"seeds must be at least 0, got {list(self.seeds)}")
        for name in ("verifier_votes", "max_concurrent_episodes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")
        if self.history_turns < 0:
            raise ConfigError(f"history_turns must be at least 0, got {self.history_turns}")
        for name, temperature in self.temperatures.items():
            if not 0 <= temperature < float("inf"):
                raise ConfigError(f"temperatures.{name} must be finite and at least 0, got {temperature}")
        if self.label and len(self.label) != len(self.agent):
            raise ConfigError(
                f"give one label per agent: got {len(self.label)} labels and {len(self.agent)} agents"
            )
        if self.draws is not None and self.draws < self.num_samples:
            raise ConfigError(f"draws must be at least num_samples ({self.num_samples}), got {self.draws}")
        taken = {"feedback", "max_turns", "stop_when_correct"} & set(self.env_settings)
        if taken:
            raise ConfigError(f"{sorted(taken)[0]} is set by the protocols; leave it out of env_settings")
        for name in (*self.protocols, *self.temperatures):
            validate_choice(name, NAMES, "protocol")
        check_feedback_settings(self.feedback, self.feedback_settings, {})
        for name in ("agent_feedback", "told_feedback"):
            if name in self.protocols and name not in self.played:
                raise ConfigError(
                    f"no agent plays the protocol {name}: leave it out of protocols, and set feedback to "
                    "agent:AGENT, with feedback_settings.told for told_feedback"
                )
        if self.memory.told_verdict and not self.told:
            raise ConfigError("memory.told_verdict tells which replies are right: set told to true as well")
        if not self.protocols:
            raise ConfigError(f"protocols is empty: name at least one protocol of {', '.join(NAMES)}")
        alone = [name for name in self.protocols if name in ("best_of_n", "evolving")]
        if number_of_workers(self.workers) and alone:
            raise ConfigError(
                f"workers is {self.workers!r}: {alone[0]} is played in one process; leave one out"
            )
        if "best_of_n" in self.protocols and "parallel" not in self.protocols:
            raise ConfigError("best_of_n selects among the replies of parallel: add parallel to protocols")

    @property
    def played(self) -> tuple[str, ...]:
        """`protocols`, and the one in which an agent writes the feedback, if there is such an agent."""
        others = [name for name in self.protocols if name not in ("agent_feedback", "told_feedback")]
        if self.feedback is None:
            return tuple(others)
        return (*others, feedback_protocol(told=self.feedback_settings.told))


def folder_name(label: str) -> str:
    """Return a label in which "-" replaces the characters other than letters, digits and `_.@+-`."""
    return re.sub(r"[^\w.@+-]+", "-", label).strip("-") or "agent"


def run(config: EvaluateConfig) -> dict[str, list[Path]]:
    """Evaluate every agent with every seed. Episodes that the logs already hold are skipped.

    Returns:
        Label of an agent -> the folders of its logs, one per seed.

    Raises:
        ConfigError: A setting is wrong, or the folder holds logs and `resume` is false.
        AgentError: An agent no longer answers any request.
        StoreError: A log cannot be written, or belongs to another run.
    """
    if not config.resume and any(Path(config.out).glob("*/seed-*/*.jsonl")):
        raise ConfigError(
            f"{config.out} holds logs already: continue it with --resume true, or name another folder "
            "with --out"
        )
    check_output_folder(config.out)
    indices = _indices(config)
    _check_agents(config, here=True)
    count = number_of_workers(config.workers)
    if count is not None:
        refuse_cost_cap(config.feedback_settings.agent_settings, count)
        sources = [_source(config, number, spec) for number, spec in enumerate(config.agent)]
        return dict(evaluate_with_workers(s, count, indices, partial(_folder, config)) for s in sources)
    verifier = load_agent(config.verifier, **config.verifier_settings) if config.verifier else None
    writers: list[Agent] = []
    logs = {}
    try:
        for number, spec in enumerate(config.agent):
            agent = load_agent(spec, **config.agent_settings)
            try:
                label = config.label[number] if config.label else agent.name
                label = row_label(agent, label, told=config.told)
                feedback = _feedback_plan(config, spec, agent, writers)
                logs[label] = _run_agent(config, agent, verifier or agent, feedback, label, number, indices)
            finally:
                close_all(agent)
    finally:
        close_all(*writers, *([] if verifier is None else [verifier]))
    return logs


def _feedback_plan(
    config: EvaluateConfig, spec: str, agent: Agent, writers: list[Agent]
) -> FeedbackPlan | None:
    """Return who writes the feedback: the agent that plays, or another one, which is loaded once."""
    if config.feedback is None:
        return None
    name, settings = feedback_agent(config.feedback), config.feedback_settings
    if (name, settings.agent_settings) == (spec, config.agent_settings):
        return settings.plan(agent)
    if not writers:
        writers.append(load_agent(name, **settings.agent_settings))
    return settings.plan(writers[0])


def _check_agents(config: EvaluateConfig, *, here: bool) -> None:
    for spec in dict.fromkeys(config.agent):
        check_agent(spec, config.agent_settings, here=here)
    if config.verifier is not None:
        check_agent(config.verifier, config.verifier_settings, here=here)
    if config.feedback is not None:
        check_agent(feedback_agent(config.feedback), config.feedback_settings.agent_settings, here=here)


def forecast(config: EvaluateConfig) -> dict[str, Estimate]:
    """Return an estimate of the calls, tokens and cost of each protocol, without loading the agents.

    Returns:
        Protocol -> the estimate for all agents and seeds together.

    Raises:
        ConfigError: There is no such agent, or the prices are malformed.
    """
    indices = _indices(config)
    _check_agents(config, here=False)
    prices = read_prices(config.agent_settings.get("prices"))
    # without a verifier, each agent rates its own replies
    verifier_prices = read_prices(config.verifier_settings.get("prices")) if config.verifier else prices
    max_new_tokens = config.sampling.max_new_tokens
    estimates = {}
    writer = config.feedback_settings
    of_agents = of_verifier = [calls_per_reply(spec, config.agent_settings) for spec in config.agent]
    if config.verifier:
        of_verifier = [calls_per_reply(config.verifier, config.verifier_settings)]
    for name in config.played:
        by_verifier = name == "best_of_n"
        asked = of_verifier if by_verifier else of_agents
        most = None if None in asked else max(count or 0 for count in asked)
        protocol = PROTOCOLS["parallel" if by_verifier else name]
        num_samples = protocol.num_samples(config.turns, config.draws or config.num_samples)
        if by_verifier:
            num_samples = [config.num_samples * config.verifier_votes]
        make = partial(_environment, config)
        env = protocol_env(protocol, make, turns=len(num_samples), history_turns=config.history_turns)
        estimate = estimate_episodes(
            env,
            indices,
            num_samples=num_samples,
            max_new_tokens=[max_new_tokens] * len(num_samples),
            prices=[verifier_prices if by_verifier else prices] * len(num_samples),
            extra_prompt_tokens=max_new_tokens if by_verifier else 0,  # the reply to rate
            feedback_tokens=(writer.sampling or config.sampling).max_new_tokens if protocol.written else 0,
            feedback_prices=read_prices(writer.agent_settings.get("prices")),
            calls_per_reply=[most] * len(num_samples),
        )
        estimates[name] = estimate.times(len(config.agent) * len(config.seeds))
    return estimates


def _problems_line(config: EvaluateConfig, indices: Sequence[int]) -> str:
    problems = math_env_of(_environment(config, {})).problems
    return played(config.env, problems[indices[0]].split, len(indices))


def _indices(config: EvaluateConfig) -> range:
    size = len(math_env_of(_environment(config, {})).problems)
    return range(min(config.limit, size))


def _bar_metric(protocol: str, settings: EvaluationSettings) -> str:
    """Return the name of the fraction of episodes whose last reply is correct."""
    of_draws = {"parallel": f"pass@{settings.draws}", "oracle": f"p1@t{settings.turns}"}
    return of_draws.get(protocol, "last reply right")


def _run_agent(
    config: EvaluateConfig,
    agent: Agent,
    verifier: Agent,
    feedback: FeedbackPlan | None,
    label: str,
    number: int,
    indices: Sequence[int],
) -> list[Path]:
    """Play the protocols with one agent, and return the folders of its logs."""
    settings = replace(_settings(config), feedback=feedback)
    folders = []
    for seed in config.seeds:
        folder = _folder(config, label, seed)
        record = {"label": label, "order": number, "agent": agent.name, **_run_settings(config), "seed": seed}
        note = _problems_line(config, indices)

        def show(protocol: str, progress: Progress, seed: int = seed) -> None:
            title = f"{label}, seed {seed}, {protocol}"
            bar.update(progress, metric=_bar_metric(protocol, settings), title=title)

        with CollectProgressBar(f"{label}, seed {seed}", note=note) as bar:
            evaluate(
                agent,
                partial(_environment, config),
                indices,
                folder,
                settings,
                seed=seed,
                run_record=record,
                protocols=[name for name in config.played if name in PROTOCOLS],
                on_progress=show,
            )
        if "best_of_n" in config.protocols:
            evaluate_best_of_n(
                verifier, folder, settings, votes=config.verifier_votes, seed=seed, run_record=record
            )
        folders.append(folder)
    return folders


def _source(config: EvaluateConfig, number: int, spec: str) -> EvaluationSource:
    """Return the episodes of one agent for workers; `number` is its place among the agents."""
    return EvaluationSource(
        agent=spec,
        agent_settings=config.agent_settings,
        label=config.label[number] if config.label else None,
        told=config.told,
        make_env=partial(_environment, config),
        settings=_settings(config),
        seeds=config.seeds,
        protocols=config.played,
        feedback=partial(_own_feedback_plan, config, spec),
        record={"order": number, **_run_settings(config)},
    )


def _settings(config: EvaluateConfig) -> EvaluationSettings:
    return EvaluationSettings(
        turns=config.turns,
        num_samples=config.num_samples,
        draws=config.draws or config.num_samples,
        history_turns=config.history_turns,
        sampling=config.sampling,
        temperatures=config.temperatures,
        max_concurrent_episodes=config.max_concurrent_episodes,
        memory=config.memory,
        retry_failed=config.retry_failed,
    )


def _own_feedback_plan(config: EvaluateConfig, spec: str, agent: Agent) -> FeedbackPlan | None:
    return _feedback_plan(config, spec, agent, [])


def _folder(config: EvaluateConfig, label: str, seed: int) -> Path:
    return Path(config.out) / folder_name(label) / f"seed-{seed}"


def _environment(config: EvaluateConfig, settings: Mapping[str, Any]) -> gymnasium.Env[Any, str]:
    given = {key.replace("-", "_"): value for key, value in config.env_settings.items()}
    return rise_env.make(config.env, **given, **settings)


def _run_settings(config: EvaluateConfig) -> dict[str, Any]:
    kept = {key.replace("-", "_"): value for key, value in config.env_settings.items()}
    return {
        "env": config.env,
        "limit": config.limit,
        "env_settings": {key: value for key, value in kept.items() if key not in PATH_SETTINGS},
        "versions": installed(),
        **prompt_record(kept),
    }
