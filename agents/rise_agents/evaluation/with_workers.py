"""Evaluates one agent with several Ray actors; the stores are those of an evaluation in one process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rise_agents.deliberation.agent_feedback import FeedbackPlan
from rise_agents.engines.engine_table import parse_workers
from rise_agents.engines.episodes import Episodes
from rise_agents.engines.local_engine import LOCAL
from rise_agents.engines.ray_engine import refuse_cost_cap
from rise_agents.engines.ray_pool import RayPool
from rise_agents.evaluation.protocols import MakeEnv
from rise_agents.evaluation.runner import EvaluationSettings, protocol_episodes
from rise_agents.evaluation.told_agents import row_label
from rise_agents.registry import load_agent
from rise_agents.rollouts.progress import CollectProgressBar
from rise_agents.types import Agent
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.store import TrajectoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSource:
    """The episodes of the evaluation of one agent: those of every protocol with every seed."""

    agent: str
    """The agent, as `load_agent` names it."""
    agent_settings: Mapping[str, Any]
    label: str | None
    """Name of the agent in reports; None is the agent's own."""
    told: bool
    """See `row_label`."""
    make_env: MakeEnv
    settings: EvaluationSettings
    seeds: Sequence[int]
    protocols: Sequence[str]
    record: Mapping[str, Any]
    """Entries of the first line of every store."""
    feedback: Callable[[Agent], FeedbackPlan | None]
    """Function agent that plays -> who writes the feedback."""

    def parts(self) -> list[tuple[int, str]]:
        """Return seed and protocol of every store."""
        return [(seed, name) for seed in self.seeds for name in self.protocols]

    def load(self) -> list[Episodes]:
        """See `EpisodeSource`."""
        agent = load_agent(self.agent, **self.agent_settings)
        label = row_label(agent, self.label or agent.name, told=self.told)
        record = {"label": label, "agent": agent.name, **self.record}
        settings = replace(self.settings, feedback=self.feedback(agent))
        return [
            protocol_episodes(
                name, agent, self.make_env, settings, seed=seed, run_record={**record, "seed": seed}
            )
            for seed, name in self.parts()
        ]


def number_of_workers(workers: str) -> int | None:
    """Return the number of Ray actors of an evaluation; None means that it is played in this process.

    Raises:
        ConfigError: `workers` is malformed, or names another engine than ray.
    """
    name, count = parse_workers(workers)
    if name not in (LOCAL, "ray") or (name == LOCAL and count != 1):
        raise ConfigError(f"workers of an evaluation must be ray:N, got {workers!r}")
    return None if name == LOCAL else count


def evaluate_with_workers(
    source: EvaluationSource, count: int, indices: Sequence[int], folder: Callable[[str, int], Path]
) -> tuple[str, list[Path]]:
    """Play all protocols with all seeds. Episodes that the stores already hold are skipped.

    Args:
        source: The episodes.
        count: Number of actors.
        indices: Indices of the problems to play; each once.
        folder: Function (label, seed) -> folder of the stores, <protocol>.jsonl.

    Returns:
        The label of the agent, and the folders of its stores, one per seed.

    Raises:
        ConfigError: The agent has a cost cap, which would count per actor.
        AgentError: See `RayPool`.
        StoreError: A store cannot be written, or belongs to another run.
    """
    refuse_cost_cap(source.agent_settings, count)
    problems = math_env_of(source.make_env({})).problems
    with RayPool(source, count) as pool:
        descriptions = pool.describe()
        for number, (seed, name) in enumerate(source.parts()):
            record = descriptions[number].record
            label = str(record["label"])
            path = folder(label, seed) / f"{name}.jsonl"
            with CollectProgressBar(f"{label}, seed {seed}") as bar, TrajectoryStore(path, record) as store:
                if source.settings.retry_failed:
                    store.set_aside_failed()
                pool.collect(
                    number,
                    descriptions[number],
                    problems,
                    indices,
                    store,
                    max_concurrent_episodes=source.settings.max_concurrent_episodes,
                    on_progress=bar.update,
                )
        label = str(descriptions[0].record["label"])
    return label, [folder(label, seed) for seed in source.seeds]
