"""The RISE paper's evaluation: sequential and parallel replies to the same held-out problems.

    rise evaluate RISE-Arithmetic-v0 --agent tiny --limit 300 --out runs/base

Every agent plays, per seed, one rollout of T turns per problem without an oracle (blind feedback, no stop:
m1@t1, m1@tT, p1@tT, accuracy by turn) and draws K independent first replies (mK@t1). The logs are stores
under OUT/<label>/seed-<seed>/; `rise report OUT` sums them up. Source: arXiv:2407.18219, section 5.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium

from rise_agents.base import Agent, SamplingConfig
from rise_agents.collect import CHUNK, Progress, collect
from rise_agents.environments import make_environment
from rise_agents.loading import load_agent
from rise_agents.progress import ProgressLine
from rise_agents.rollout import TurnPlan
from rise_env.command_line import parse
from rise_env.errors import ConfigError
from rise_env.seeding import derive
from rise_env.store import TrajectoryStore

PROTOCOLS = ("sequential", "parallel")


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
    turns: int = 5
    samples: int = 5
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    env_settings: Mapping[str, Any] = field(default_factory=lambda: {"split": "test"})
    """Arguments of the environment; feedback, limit of turns and stop are set by the protocols."""
    agent_settings: Mapping[str, Any] = field(default_factory=dict)
    chunk: int = CHUNK
    """Episodes played together, and lost when the process is killed."""

    def __post_init__(self) -> None:
        if min(self.limit, self.turns, self.samples) < 1 or not self.seeds or not self.agent:
            raise ConfigError(
                "limit, turns and samples must be at least 1, with at least one seed and agent; got "
                f"{self.limit}, {self.turns}, {self.samples}, {list(self.seeds)} and {list(self.agent)}"
            )
        if self.label and len(self.label) != len(self.agent):
            raise ConfigError(f"one label per agent: got {len(self.label)} and {len(self.agent)}")
        taken = {"feedback", "max_turns", "stop_when_correct"} & set(self.env_settings)
        if taken:
            raise ConfigError(f"{sorted(taken)[0]} is set by the protocols; leave it out of env_settings")


def evaluate(
    agent: Agent,
    make_env: Callable[[int], gymnasium.Env[Any, str]],
    indices: Sequence[int],
    folder: Path,
    sampling: SamplingConfig,
    *,
    turns: int,
    samples: int,
    seed: int,
    run_record: Mapping[str, Any],
    chunk: int = CHUNK,
    progress: Callable[[str, Progress], None] | None = None,
) -> None:
    """Play both protocols into `folder`; what its stores hold already is not played again.

    Args:
        agent: Who is measured.
        make_env: From a limit on turns to an environment with blind feedback that does not stop.
        indices: Of the problems.
        folder: Gets sequential.jsonl and parallel.jsonl.
        sampling: How replies are drawn.
        turns: T.
        samples: K.
        seed: Of the draws. The two protocols use streams of their own.
        run_record: Kept as the first line of the stores.
        chunk: Episodes played together.
        progress: Called with the protocol's name as episodes are stored.
    """
    plans = {
        "sequential": ([TurnPlan(agent)] * turns, turns),
        "parallel": ([TurnPlan(agent, samples=samples, until_correct=False)], 1),
    }
    for number, (name, (plan, limit)) in enumerate(plans.items()):
        record = {**run_record, "protocol": name, "turns": turns, "samples": samples}
        with TrajectoryStore(folder / f"{name}.jsonl", record) as store:
            collect(
                plan,
                lambda limit=limit: make_env(limit),  # type: ignore[misc]
                indices,
                store,
                sampling,
                seed=derive(seed, number),
                chunk=chunk,
                progress=None if progress is None else lambda p, name=name: progress(name, p),  # type: ignore[misc]
            )


def folder_name(label: str) -> str:
    """Return a label as a folder name."""
    return re.sub(r"[^\w.@+-]+", "-", label).strip("-") or "agent"


def main(argv: Sequence[str]) -> int:
    """Run `rise evaluate`."""
    config = parse(EvaluateConfig, argv, prog="rise evaluate", positional="env", repeated=("agent", "label"))
    run(config)
    print(f"logs in {config.out}; rise report {config.out} sums them up")
    return 0


def run(config: EvaluateConfig) -> None:
    """Evaluate every agent with every seed; what is there already is not played again."""
    size = len(_environment(config, 1).unwrapped.problems)  # type: ignore[attr-defined]
    for number, spec in enumerate(config.agent):
        agent = load_agent(spec, **config.agent_settings)
        label = config.label[number] if config.label else agent.name
        try:
            for seed in config.seeds:
                folder = Path(config.out) / folder_name(label) / f"seed-{seed}"
                record = {"label": label, "order": number, "agent": agent.name, **_settings(config)}
                with ProgressLine(f"{label}, seed {seed}") as line:
                    evaluate(
                        agent,
                        lambda turns: _environment(config, turns),
                        range(min(config.limit, size)),
                        folder,
                        config.sampling,
                        turns=config.turns,
                        samples=config.samples,
                        seed=seed,
                        run_record={**record, "seed": seed},
                        chunk=config.chunk,
                        progress=lambda _, state, line=line: line.update(state),  # type: ignore[misc]
                    )
        finally:
            agent.close()


def _environment(config: EvaluateConfig, turns: int) -> gymnasium.Env[Any, str]:
    settings = {key.replace("-", "_"): value for key, value in config.env_settings.items()}
    return make_environment(
        config.env, **settings, feedback="blind", max_turns=turns, stop_when_correct=False
    )


def _settings(config: EvaluateConfig) -> dict[str, Any]:
    kept = ("env", "limit", "sampling", "env_settings")
    return {key: value for key, value in asdict(config).items() if key in kept}
