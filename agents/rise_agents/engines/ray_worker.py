"""One Ray actor: it has its own agents and environments, and plays the problems that it is given."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gymnasium

from rise_agents.engines.episodes import Episodes, EpisodeSource
from rise_agents.rollouts.collect import MIN_CONCURRENT_EPISODES
from rise_agents.rollouts.rollout import plan_record, rollout
from rise_agents.rollouts.turn_plan import concurrent_requests_of
from rise_env.types import Trajectory

_PASSED_ON = (
    *("HF_", "HUGGING_FACE_", "TRANSFORMERS_", "TOKENIZERS_", "PYTORCH_", "VLLM_", "OPENAI_"),
    "RISE_DATA_DIR",
)
"""Prefixes of the environment variables that workers get from the process that started them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What only a process with loaded agents knows about episodes."""

    record: Mapping[str, Any]
    """The first line of their store."""
    plan: Mapping[str, Any]
    """See `plan_record`."""
    seed: int
    concurrent_requests: int
    """How many concurrent requests the agents of one worker can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the process that started the workers runs: its folder, and variables that the workers need."""

    folder: str
    variables: Mapping[str, str]


def this_place() -> Place:
    """Return the place of this process."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    return Place(folder=os.getcwd(), variables=kept)


class RolloutWorker:
    """A Ray actor.

    Args:
        source: What it plays. The agents are loaded on the first call, because Ray reports an exception in
            `__init__` as a death.
        place: The process that started it. Relative paths, for example of models, start from its folder.
    """

    def __init__(self, source: EpisodeSource, place: Place) -> None:
        os.environ.update(place.variables)
        if Path(place.folder).is_dir():
            os.chdir(place.folder)
        self._source = source
        self._envs: dict[int, list[gymnasium.Env[Any, str]]] = {}

    @cached_property
    def _episodes(self) -> Sequence[Episodes]:
        return self._source.load()

    def describe(self) -> list[Description]:
        """Return the description of the episodes of every store."""
        return [
            Description(
                record=dict(part.record),
                plan=plan_record(
                    part.plan,
                    self._environments(number, 1)[0],
                    part.sampling,
                    drop_degenerate=part.drop_degenerate,
                ),
                seed=part.seed,
                concurrent_requests=concurrent_requests_of(part.plan),
            )
            for number, part in enumerate(self._episodes)
        ]

    def play(self, number: int, indices: Sequence[int]) -> list[Trajectory]:
        """Play one episode per problem index, for the store with this number."""
        part = self._episodes[number]
        return rollout(
            part.plan,
            self._environments(number, len(indices)),
            indices,
            part.sampling,
            seed=part.seed,
            drop_degenerate=part.drop_degenerate,
            keep_tokens=part.keep_tokens,
            max_concurrent_episodes=max(MIN_CONCURRENT_EPISODES, concurrent_requests_of(part.plan)),
        )

    def ready(self) -> None:
        """Return when the worker can be called."""

    def _environments(self, number: int, count: int) -> list[gymnasium.Env[Any, str]]:
        envs = self._envs.setdefault(number, [])
        envs += [self._episodes[number].make_env() for _ in range(count - len(envs))]
        return envs[:count]
