"""`rise evaluate`: one or more agents, the same held-out problems, the protocols of the RISE paper.

    rise evaluate RISE-Arithmetic-v0 --agent tiny --limit 300 --out runs/base
    rise evaluate RISE-GSM8K-v0 --agent A --agent B --protocols '[sequential, parallel, oracle]' --out runs/ab

By default every agent plays, per seed, one rollout of T turns per problem without an oracle (m1@t1, m1@tT,
p1@tT, accuracy by turn) and draws K independent first replies (mK@t1, pass@k); `protocols` lists the others.
The logs are stores under OUT/<label>/seed-<seed>/; `rise report OUT` sums them up. Source:
arXiv:2407.18219, section 5.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.client.rate_limit import read_prices
from rise_agents.evaluation.protocols import NAMES, PROTOCOLS, make_for
from rise_agents.evaluation.runner import EvaluationSettings, evaluate, judge
from rise_agents.registry import check_agent, load_agent
from rise_agents.rollout.cleanup import close
from rise_agents.rollout.cost_estimate import Estimate, estimate_episodes
from rise_agents.rollout.progress import ProgressLine
from rise_agents.rollout.rollout import WHERE
from rise_agents.types import Agent, SamplingConfig
from rise_env.cli.config_parser import parse
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.utils.suggestions import validate_choice
from rise_env.utils.versions import installed


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """What to measure, on which problems, with whom."""

    env: str = "RISE-Arithmetic-v0"
    agent: tuple[str, ...] = ("tiny",)
    """Agents as `load_agent` names them; give the option again for another one."""
    label: tuple[str, ...] = ()
    """Names of their rows, one per agent; by default the agents' own."""
    out: str = "runs/evaluate"
    limit: int = 300
    """Problems, the first ones of the split."""
    seeds: tuple[int, ...] = (0,)
    """Of the draws; one rollout and K samples per problem and seed."""
    protocols: tuple[str, ...] = ("sequential", "parallel")
    """Of sequential, parallel, oracle, window, self_refine, best_of_n. A report needs the first two."""
    turns: int = 5
    num_samples: int = 5
    """K of mK@t1, and N of best-of-N."""
    draws: int | None = None
    """First replies drawn, K or more: pass@k and the hard problems need many. None draws K."""
    history_turns: int = 2
    """Former attempts that the protocol "window" shows beside the problem."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    """Of protocols whose temperature is not that of `sampling`, for example {"parallel": 0.7}."""
    verifier: str | None = None
    """Agent that picks in best_of_n; None lets every agent judge its own replies."""
    verifier_votes: int = 1
    """How often it is asked about each reply."""
    env_settings: Mapping[str, Any] = field(default_factory=lambda: {"split": "test"})
    """Arguments of the environment; feedback, limit of turns and stop are set by the protocols."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    verifier_settings: Mapping[str, Any] = field(default_factory=dict)
    max_concurrent_episodes: int | None = None
    """Episodes played at a time; None is as many as the agents can use, and 256 at least."""
    resume: bool = True
    """Continue what is in the folder; false refuses a folder with logs."""
    dry_run: bool = False
    """Say what would be asked for and what it may cost at most, and play nothing."""

    def __post_init__(self) -> None:
        if min(self.limit, self.turns, self.num_samples) < 1 or not self.seeds or not self.agent:
            raise ConfigError(
                "limit, turns and samples must be at least 1, with at least one seed and agent; got "
                f"{self.limit}, {self.turns}, {self.num_samples}, {list(self.seeds)} and {list(self.agent)}"
            )
        if self.label and len(self.label) != len(self.agent):
            raise ConfigError(f"one label per agent: got {len(self.label)} and {len(self.agent)}")
        if self.draws is not None and self.draws < self.num_samples:
            raise ConfigError(f"draws must be at least samples ({self.num_samples}), got {self.draws}")
        taken = {"feedback", "max_turns", "stop_when_correct"} & set(self.env_settings)
        if taken:
            raise ConfigError(f"{sorted(taken)[0]} is set by the protocols; leave it out of env_settings")
        for name in (*self.protocols, *self.temperatures):
            validate_choice(name, NAMES, "protocol")
        if not self.protocols:
            raise ConfigError(f"name at least one protocol of {', '.join(NAMES)}")
        if "best_of_n" in self.protocols and "parallel" not in self.protocols:
            raise ConfigError("best_of_n picks among the replies of parallel: name that protocol as well")


def folder_name(label: str) -> str:
    """Return a label as a folder name."""
    return re.sub(r"[^\w.@+-]+", "-", label).strip("-") or "agent"


def main(argv: Sequence[str]) -> int:
    """Run `rise evaluate`."""
    config = parse(EvaluateConfig, argv, prog="rise evaluate", positional="env")
    if config.dry_run:
        for name, most in forecast(config).items():
            print(f"{name:<12} {most}")
        return 0
    run(config)
    print(f"logs in {config.out}; rise report {config.out} sums them up")
    return 0


def run(config: EvaluateConfig) -> None:
    """Evaluate every agent with every seed; what is there already is not played again."""
    if not config.resume and any(Path(config.out).glob("*/seed-*/*.jsonl")):
        raise ConfigError(f"{config.out} holds logs already: continue it with --resume, or name another")
    indices = _indices(config)
    _check_agents(config)
    verifier = load_agent(config.verifier, **config.verifier_settings) if config.verifier else None
    try:
        for number, spec in enumerate(config.agent):
            agent = load_agent(spec, **config.agent_settings)
            try:
                label = config.label[number] if config.label else agent.name
                _run_agent(config, agent, verifier or agent, label, number, indices)
            finally:
                close(agent)
    finally:
        if verifier is not None:
            close(verifier)


def _check_agents(config: EvaluateConfig) -> None:
    for spec in config.agent:
        check_agent(spec, config.agent_settings)
    if config.verifier is not None:
        check_agent(config.verifier, config.verifier_settings)


def forecast(config: EvaluateConfig) -> dict[str, Estimate]:
    """Return, per protocol, the most that all agents and seeds together can ask for.

    Raises:
        ConfigError: A text cannot name an agent, or prices are none.
    """
    indices = _indices(config)
    _check_agents(config)
    prices = read_prices(config.agent_settings.get("prices"))
    verifier_prices = read_prices(config.verifier_settings.get("prices"))
    nobody = ScriptedAgent(lambda _: "")
    limit = config.sampling.max_new_tokens
    found = {}
    for name in config.protocols:
        protocol = PROTOCOLS.get(name, PROTOCOLS["parallel"])
        plan = protocol.plan(nobody, config.turns, config.draws or config.num_samples)
        env = make_for(
            protocol,
            lambda settings: _environment(config, settings),
            plays=len(plan),
            history_turns=config.history_turns,
        )
        judged = name == "best_of_n"  # its prompts hold a reply each, and the verifier is asked
        num_samples = (
            [config.num_samples * config.verifier_votes] if judged else [step.num_samples for step in plan]
        )
        paid = verifier_prices if judged and config.verifier else prices
        most = estimate_episodes(
            env,
            indices,
            num_samples=num_samples,
            max_new_tokens=limit,
            prices=paid,
            teacher_prices=paid,
            beside=limit if judged else 0,
        )
        found[name] = most.times(len(config.agent) * len(config.seeds))
    return found


def _indices(config: EvaluateConfig) -> range:
    size = len(math_env_of(_environment(config, {})).problems)
    return range(min(config.limit, size))


def _run_agent(
    config: EvaluateConfig, agent: Agent, verifier: Agent, label: str, number: int, indices: Sequence[int]
) -> None:
    measure = EvaluationSettings(
        turns=config.turns,
        num_samples=config.num_samples,
        draws=config.draws or config.num_samples,
        history_turns=config.history_turns,
        sampling=config.sampling,
        temperatures=config.temperatures,
        max_concurrent_episodes=config.max_concurrent_episodes,
    )
    for seed in config.seeds:
        folder = Path(config.out) / folder_name(label) / f"seed-{seed}"
        record = {"label": label, "order": number, "agent": agent.name, **_settings(config), "seed": seed}
        with ProgressLine(f"{label}, seed {seed}") as line:
            evaluate(
                agent,
                lambda settings: _environment(config, settings),
                indices,
                folder,
                measure,
                seed=seed,
                run_record=record,
                protocols=[name for name in config.protocols if name in PROTOCOLS],
                progress=lambda _, state, line=line: line.update(state),  # type: ignore[misc]
            )
        if "best_of_n" in config.protocols:
            judge(verifier, folder, measure, votes=config.verifier_votes, seed=seed, run_record=record)


def _environment(config: EvaluateConfig, settings: Mapping[str, Any]) -> gymnasium.Env[Any, str]:
    given = {key.replace("-", "_"): value for key, value in config.env_settings.items()}
    return rise_env.make(config.env, **given, **settings)


def _settings(config: EvaluateConfig) -> dict[str, Any]:
    kept = {key.replace("-", "_"): value for key, value in config.env_settings.items()}
    return {
        "env": config.env,
        "limit": config.limit,
        "env_settings": {key: value for key, value in kept.items() if key not in WHERE},
        "versions": installed(),
    }
