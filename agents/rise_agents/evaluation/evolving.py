"""The protocol "evolving": an agent with a memory plays the problems in order and learns from them.

The episodes are in evolving.jsonl. The folder evolving beside it has the events of the memory, the journal of
the reflector, and result.json with accuracy by generation and hit rates. By default, the reflector is told
neither the reference nor whether a reply is right.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rise_agents.backends.sage_agent import SageAgent
from rise_agents.engines.episodes import Episodes
from rise_agents.learning.plays import Part
from rise_agents.learning.reflector import Reflector
from rise_agents.memory.learner import MEMORY, MemoryLearner
from rise_agents.memory.settings import MemorySettings
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.progress import Progress
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Trajectory


def require_memory(agent: Agent) -> SageAgent:
    """Return an agent that remembers.

    Raises:
        ConfigError: It does not.
    """
    if not isinstance(agent, SageAgent):
        raise ConfigError(
            f"the protocol evolving needs an agent with a memory, sage:AGENT, and not {agent.name}"
        )
    return agent


def play_evolving(
    agent: SageAgent,
    episodes: Episodes,
    indices: Sequence[int],
    folder: Path,
    store: TrajectoryStore,
    memory: MemorySettings,
    *,
    max_concurrent_episodes: int | None,
    on_progress: Callable[[Progress], None] | None,
) -> dict[str, Any]:
    """Play the problems in generations, and write the files of the protocol.

    Args:
        agent: The agent. Its memory is the first one; it is not changed.
        episodes: The environment, sampling and seed of the protocol.
        indices: Indices of the problems, in order.
        folder: Folder of the memory, the journal and result.json.
        store: Store of the episodes.
        memory: How the memory is kept.
        max_concurrent_episodes: See `collect`.
        on_progress: See `collect`.

    Returns:
        What is in result.json.
    """

    def play(_: int, remembering: SageAgent, part: Part) -> list[Trajectory]:
        collect(
            [TurnPlan(remembering)],
            part.make_env,
            part.indices,
            store,
            episodes.sampling,
            seed=episodes.seed,
            max_concurrent_episodes=max_concurrent_episodes,
            on_progress=on_progress,
        )
        problems = math_env_of(part.make_env()).problems
        found = {episode.problem.id: episode for episode in read_trajectories(store.path)}
        return [found[problems[index].id] for index in part.indices]

    folder.mkdir(parents=True, exist_ok=True)
    asker = Reflector(agent.agent, folder / "reflector.journal", episodes.sampling, episodes.seed)
    result = MemoryLearner(
        folder / MEMORY,
        agent,
        asker,
        Part(episodes.make_env, tuple(indices)),
        play,
        memory,
        env=str(episodes.record.get("env", "")),
        reference="none",
    ).run()
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    return result
