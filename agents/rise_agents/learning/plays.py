"""Plays the problems of `rise learn`: each play is a store, which is continued after a kill."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium

from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Problem, Trajectory
from rise_env.utils.seeding import derive


@dataclass(frozen=True, slots=True)
class Part:
    """Problems of one split."""

    make_env: Callable[[], gymnasium.Env[Any, str]]
    indices: tuple[int, ...]

    def at(self, places: Sequence[int]) -> "Part":
        """Return the problems at some places of `indices`."""
        return replace(self, indices=tuple(self.indices[place] for place in places))

    def problems(self) -> list[Problem]:
        """Return the problems."""
        problems = math_env_of(self.make_env()).problems
        return [problems[index] for index in self.indices]


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """How the problems of a run are played."""

    folder: Path
    """Folder of the stores."""
    record: Mapping[str, Any]
    """First line of every store."""
    turns: int
    sampling: SamplingConfig
    max_concurrent_episodes: int | None = None

    def play(
        self, name: str, agent: Agent, parts: Sequence[Part], *, seed: int, draws: int = 1
    ) -> list[list[Trajectory]]:
        """Play problems, or read their episodes where the store holds them.

        Args:
            name: Name of the store.
            agent: The agent.
            parts: The problems.
            seed: Seed of the play. Plays of two agents with one seed have the same seeds, reply by reply.
            draws: Number of episodes per problem.

        Returns:
            The episodes of each problem, in the order of the parts and of the draws.

        Raises:
            AgentError: The agent no longer answers any request.
        """
        path = self.folder / f"{name}.jsonl"
        plan = [TurnPlan(agent)] * self.turns
        wanted = []
        with TrajectoryStore(path, {**self.record, "agent": agent.name}) as store:
            for place, part in enumerate(parts):
                seeds = [derive(seed, place, draw) for draw in range(draws)]
                wanted += [[(problem.id, one) for one in seeds] for problem in part.problems()]
                for one in seeds:
                    collect(
                        plan,
                        part.make_env,
                        part.indices,
                        store,
                        self.sampling,
                        seed=one,
                        max_concurrent_episodes=self.max_concurrent_episodes,
                    )
        found = {(episode.problem.id, episode.seed): episode for episode in read_trajectories(path)}
        return [[found[key] for key in keys] for keys in wanted]


def spent(draws: Sequence[Sequence[Trajectory]]) -> dict[str, int]:
    """Return the calls and tokens of some episodes."""
    usages = [a.usage for episodes in draws for e in episodes for turn in e.turns for a in turn.attempts]
    return {
        "calls": sum(max(1, usage.calls) for usage in usages),
        "prompt_tokens": sum(usage.prompt_tokens for usage in usages),
        "generated_tokens": sum(usage.completion_tokens for usage in usages),
    }


def added(*counts: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of counts with the same names."""
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names}
