"""Measures one agent: plays protocols into a folder, one store each, and goes on where it was."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rise_agents.evaluation.best_of_n import best_of_n
from rise_agents.evaluation.best_of_n import record as verifier_record
from rise_agents.evaluation.protocols import NAMES, PROTOCOLS, MakeEnv, make_for
from rise_agents.rollout.collect import CHUNK, Progress, collect
from rise_agents.types import Agent, SamplingConfig
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.utils.seeding import derive


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """How often, how long and how to draw: what the protocols need to know."""

    turns: int = 5
    num_samples: int = 5
    draws: int = 5
    history_turns: int = 2
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    max_concurrent_episodes: int | None = None

    def sampling_for(self, protocol: str) -> SamplingConfig:
        """Return how the replies of a protocol are drawn."""
        temperature = self.temperatures.get(protocol, self.sampling.temperature)
        return replace(self.sampling, temperature=temperature)


def evaluate(
    agent: Agent,
    make_env: MakeEnv,
    indices: Sequence[int],
    folder: Path,
    measure: EvaluationSettings,
    *,
    seed: int,
    run_record: Mapping[str, Any],
    protocols: Sequence[str] = ("sequential", "parallel"),
    progress: Callable[[str, Progress], None] | None = None,
) -> None:
    """Play protocols into `folder`; what its stores hold already is not played again.

    Args:
        agent: Who is measured.
        make_env: From the settings that a protocol sets (feedback, max_turns, stop_when_correct) to an
            environment.
        indices: Of the problems.
        folder: Gets one store per protocol.
        measure: How.
        seed: Of the draws. Every protocol uses a stream of its own.
        run_record: Kept as the first line of the stores.
        protocols: Names of `PROTOCOLS`.
        progress: Called with the protocol's name as episodes are stored.
    """
    for name in protocols:
        protocol = PROTOCOLS[name]
        plan = protocol.plan(agent, measure.turns, measure.draws)
        make = partial(make_for, protocol, make_env, plays=len(plan), history_turns=measure.history_turns)
        record = {**_record(run_record, name, measure), **protocol.record, "turns": measure.turns}
        if name == "self_refine":
            record["turns"] = len(plan)
        if protocol.windowed:
            record["history_turns"] = measure.history_turns
        with TrajectoryStore(folder / f"{name}.jsonl", record) as store:
            collect(
                plan,
                make,
                indices,
                store,
                measure.sampling_for(name),
                seed=derive(seed, NAMES.index(name)),
                max_concurrent_episodes=measure.max_concurrent_episodes,
                progress=None if progress is None else partial(progress, name),
            )


def judge(
    verifier: Agent,
    folder: Path,
    measure: EvaluationSettings,
    *,
    votes: int,
    seed: int,
    run_record: Mapping[str, Any],
) -> None:
    """Let a verifier pick among the draws in `folder`: best_of_n.jsonl and verifier.jsonl."""
    record = {
        **_record(run_record, "best_of_n", measure),
        **verifier_record(verifier, measure.num_samples, votes),
        "turns": 1,
    }
    with ExitStack() as stack:
        picked, said = (
            stack.enter_context(TrajectoryStore(folder / f"{name}.jsonl", {**record, "protocol": name}))
            for name in ("best_of_n", "verifier")
        )
        for episodes, judgements in best_of_n(
            verifier,
            read_trajectories(folder / "parallel.jsonl"),
            measure.sampling_for("best_of_n"),
            num_samples=measure.num_samples,
            votes=votes,
            seed=derive(seed, NAMES.index("best_of_n")),
            max_concurrent_episodes=measure.max_concurrent_episodes or CHUNK,
            done=lambda identity: identity in picked.ids,
        ):
            said.append(judgements)  # first, so that what is picked has been judged on the disk
            picked.append(episodes)


def _record(run_record: Mapping[str, Any], protocol: str, measure: EvaluationSettings) -> dict[str, Any]:
    return {
        **run_record,
        "protocol": protocol,
        "num_samples": measure.num_samples,
        "draws": measure.draws,
        "sampling": asdict(measure.sampling_for(protocol)),
    }
