"""Evaluates one agent: plays each protocol and writes its episodes to its own store. Stores are continued."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rise_agents.deliberation.agent_feedback import FeedbackPlan
from rise_agents.engines.episodes import Episodes
from rise_agents.evaluation.best_of_n import best_of_n, verifier_record
from rise_agents.evaluation.evolving import play_evolving, require_memory
from rise_agents.evaluation.protocols import NAMES, PROTOCOLS, MakeEnv, protocol_env, protocol_plan
from rise_agents.memory.settings import MemorySettings
from rise_agents.rollouts.collect import MIN_CONCURRENT_EPISODES, collect
from rise_agents.rollouts.progress import Progress
from rise_agents.rollouts.rollout import format_record
from rise_agents.types import Agent, SamplingConfig
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.utils.seeding import derive
from rise_env.utils.settings import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """Settings that the protocols share."""

    turns: int = 5
    """Number of turns: T in the metric m1@tT; see `rise_env/metrics/accuracy.py`."""
    num_samples: int = 5
    """Number of first replies: K in the metric mK@t1, and N of best_of_n."""
    draws: int = 5
    """Number of replies that "parallel" samples, at least `num_samples`."""
    history_turns: int = 2
    """See `protocol_env`."""
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    temperatures: Mapping[str, float] = field(default_factory=dict)
    """Protocol -> its temperature, if it differs from that of `sampling`."""
    max_concurrent_episodes: int | None = None
    """See `collect`."""
    feedback: FeedbackPlan | None = None
    """Who writes the feedback in the protocols "agent_feedback" and "told_feedback"."""
    memory: MemorySettings = field(default_factory=lambda: MemorySettings(told_verdict=False))
    """How the memory is kept in the protocol "evolving"."""
    retry_failed: bool = False
    """Play the failed episodes of the stores again; see `TrajectoryStore.set_aside_failed`."""

    def sampling_for(self, protocol: str) -> SamplingConfig:
        """Return how the replies of a protocol are sampled."""
        temperature = self.temperatures.get(protocol, self.sampling.temperature)
        return replace(self.sampling, temperature=temperature)


def evaluate(
    agent: Agent,
    make_env: MakeEnv,
    indices: Sequence[int],
    folder: Path,
    settings: EvaluationSettings,
    *,
    seed: int,
    run_record: Mapping[str, Any],
    protocols: Sequence[str] = ("sequential", "parallel"),
    on_progress: Callable[[str, Progress], None] | None = None,
) -> None:
    """Play protocols and write each one's episodes to its store. Episodes that a store holds are skipped.

    Args:
        agent: The agent to evaluate.
        make_env: Called with the environment arguments that a protocol sets (feedback, max_turns,
            stop_when_correct).
        indices: Indices of the problems to play; each once.
        folder: Folder for one store per protocol, <protocol>.jsonl.
        settings: Settings of the protocols.
        seed: Each protocol derives its own seed from it.
        run_record: Content of the first line of each store; the settings of the protocol are added.
        protocols: Names of `PROTOCOLS`.
        on_progress: Called with the protocol's name and progress before its first episode and after each
            write to its store.

    Raises:
        AgentError: The agent no longer answers any request.
        ConfigError: The protocol "evolving" is asked for, and the agent has no memory.
        StoreError: A store cannot be written, or holds another run.
    """
    if any(PROTOCOLS[name].evolving for name in protocols):
        require_memory(agent)
    for name in protocols:
        episodes = protocol_episodes(name, agent, make_env, settings, seed=seed, run_record=run_record)
        with TrajectoryStore(folder / f"{name}.jsonl", episodes.record) as store:
            if settings.retry_failed:
                store.set_aside_failed()
            report = None if on_progress is None else partial(on_progress, name)
            if PROTOCOLS[name].evolving:
                play_evolving(
                    require_memory(agent),
                    episodes,
                    indices,
                    folder / name,
                    store,
                    settings.memory,
                    max_concurrent_episodes=settings.max_concurrent_episodes,
                    on_progress=report,
                )
                continue
            collect(
                episodes.plan,
                episodes.make_env,
                indices,
                store,
                episodes.sampling,
                seed=episodes.seed,
                max_concurrent_episodes=settings.max_concurrent_episodes,
                on_progress=report,
            )


def protocol_episodes(
    name: str,
    agent: Agent,
    make_env: MakeEnv,
    settings: EvaluationSettings,
    *,
    seed: int,
    run_record: Mapping[str, Any],
) -> Episodes:
    """Return the episodes of one protocol; see `evaluate` for the arguments."""
    protocol = PROTOCOLS[name]
    plan = protocol_plan(
        protocol, agent, turns=settings.turns, draws=settings.draws, feedback=settings.feedback
    )
    record = {**_record(run_record, name, settings), **protocol.record, "turns": settings.turns}
    record |= format_record([agent])
    if name in ("self_refine", "self_verify"):
        record["turns"] = len(plan)
    if protocol.written and settings.feedback is not None:
        record["feedback"] = settings.feedback.record(settings.sampling_for(name))
    if protocol.evolving:
        record |= {"turns": 1, "memory": plain(settings.memory)}
    if protocol.windowed:
        record["history_turns"] = settings.history_turns
    return Episodes(
        plan=plan,
        make_env=partial(
            protocol_env, protocol, make_env, turns=len(plan), history_turns=settings.history_turns
        ),
        record=record,
        sampling=settings.sampling_for(name),
        seed=derive(seed, NAMES.index(name)),
    )


def evaluate_best_of_n(
    verifier: Agent,
    folder: Path,
    settings: EvaluationSettings,
    *,
    votes: int,
    seed: int,
    run_record: Mapping[str, Any],
) -> None:
    """Let a verifier select among the parallel replies that `evaluate` stored.

    Args:
        verifier: Rates the replies; see `best_of_n`.
        folder: Folder that holds parallel.jsonl, and in which best_of_n.jsonl and verifier.jsonl are written.
        settings: Settings of the protocols.
        votes: Number of ratings per reply.
        seed: See `evaluate`.
        run_record: See `evaluate`.

    Raises:
        AgentError: The verifier no longer answers any request.
        StoreError: A store cannot be written, or holds another run.
    """
    record = {
        **_record(run_record, "best_of_n", settings),
        **verifier_record(verifier, settings.num_samples, votes),
        "turns": 1,
        **format_record([verifier]),
    }
    with ExitStack() as stack:
        selected_store, verifier_store = (
            stack.enter_context(TrajectoryStore(folder / f"{name}.jsonl", {**record, "protocol": name}))
            for name in ("best_of_n", "verifier")
        )
        for selected, ratings in best_of_n(
            verifier,
            read_trajectories(folder / "parallel.jsonl"),
            settings.sampling_for("best_of_n"),
            num_samples=settings.num_samples,
            votes=votes,
            seed=derive(seed, NAMES.index("best_of_n")),
            max_concurrent_episodes=settings.max_concurrent_episodes or MIN_CONCURRENT_EPISODES,
            is_done=lambda episode_id: episode_id in selected_store.ids,
        ):
            # in this order, so that after a kill every selected episode has its ratings
            verifier_store.append(ratings)
            selected_store.append(selected)


def _record(run_record: Mapping[str, Any], protocol: str, settings: EvaluationSettings) -> dict[str, Any]:
    return {
        **run_record,
        "protocol": protocol,
        "num_samples": settings.num_samples,
        "draws": settings.draws,
        "sampling": asdict(settings.sampling_for(protocol)),
    }
