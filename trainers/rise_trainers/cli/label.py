r"""`rise label STORE`: makes examples for a critic from played episodes, or measures a critic with them.

    rise label runs/played/trajectories.jsonl --out runs/critic
    rise fit --data runs/critic/examples.jsonl --weights uniform --model PATH --output runs/critic/model
    rise label runs/critic/held_out.jsonl --measure vllm:runs/critic/model

The first command writes the questions with their right answers as episodes of one turn: nine tenths of the
problems to examples.jsonl, the others to held_out.jsonl. The last one lets an agent answer the questions of
held_out.jsonl and prints how well it ranks and rates replies; with --out, also into quality.json.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from rise_agents.evaluation.likelihood_verifier import as_verifier
from rise_agents.evaluation.verifier_questions import mean_rating
from rise_agents.registry import check_agent, load_agent
from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Agent, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.metrics.critics.calibration import MIN_AUC, CriticQuality, critic_quality
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Trajectory
from rise_env.utils.config_parser import parse
from rise_trainers.data.critic_data import (
    EXAMPLES,
    HELD_OUT,
    KINDS,
    QUALITY,
    LabelSettings,
    critic_examples,
    is_held_out,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class LabelConfig:
    """The settings of `rise label`."""

    store: tuple[str, ...]
    """Stores of played episodes; with `measure`, stores of examples."""
    out: str | None = None
    """Folder for examples.jsonl and held_out.jsonl, or with `measure` for quality.json."""
    examples: LabelSettings = field(default_factory=LabelSettings)
    """Which examples are made."""
    measure: str | None = None
    """Measure this agent as a critic with the examples; without `out`, nothing is written."""
    measure_settings: dict[str, Any] = field(default_factory=dict)
    """Its settings."""
    votes: int = 1
    """Answers per question of an agent that does not know how likely yes and no are."""

    def __post_init__(self) -> None:
        if self.out is None and self.measure is None:
            raise ConfigError("give --out FOLDER, to make examples, or --measure AGENT, to use them")
        if not self.store or self.votes < 1:
            raise ConfigError("name at least one store, and at least 1 vote")


def main(argv: Sequence[str]) -> int:
    """Run `rise label`."""
    config = parse(LabelConfig, argv, prog="rise label", positional="store")
    if config.measure is not None:
        return _measure(config, config.measure)
    assert config.out is not None
    counts = write_examples(config.store, Path(config.out), config.examples)
    for name, count in counts.items():
        print(f"{count} examples in {Path(config.out) / name}")
    return 0


def _measure(config: LabelConfig, critic: str) -> int:
    check_agent(critic, config.measure_settings)
    episodes = [episode for store in config.store for episode in read_trajectories(store)]
    found: dict[str, CriticQuality] = {}
    if episodes:
        agent = as_verifier(load_agent(critic, **config.measure_settings))
        try:
            found = measure_critic(agent, episodes, votes=config.votes)
        finally:
            close_all(agent)
    else:
        print(f"{', '.join(config.store)} has no examples: the critic is not measured")
    for kind, quality in found.items():
        print(_sentence(kind, quality))
    if config.out is not None:
        write_quality(Path(config.out) / QUALITY, found)
    return 0


def write_quality(path: Path, found: Mapping[str, CriticQuality]) -> None:
    """Write the measures of a critic as JSON: kind of example -> measure -> value, null if undefined."""
    values = {
        kind: {name: None if math.isnan(value) else value for name, value in asdict(quality).items()}
        for kind, quality in found.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(values, indent=1) + "\n")
    new.replace(path)


def write_examples(stores: Sequence[str], out: Path, settings: LabelSettings) -> dict[str, int]:
    """Write examples.jsonl and held_out.jsonl, and return the number of examples in each.

    Raises:
        ConfigError: There is no example for the fit: no problem has right and wrong replies.
        StoreError: A store cannot be read or written, or one of the files holds another run.
    """
    played = chain.from_iterable(read_trajectories(store) for store in stores)
    record = {"command": "label", "labels_of": [str(store) for store in stores], **asdict(settings)}
    counts = dict.fromkeys((EXAMPLES, HELD_OUT), 0)
    made: dict[str, list[Trajectory]] = {name: [] for name in counts}
    for example in critic_examples(played, settings):
        made[HELD_OUT if is_held_out(example.problem.id) else EXAMPLES].append(example)
    if not made[EXAMPLES]:
        raise ConfigError(
            "there is no example: examples.balance needs problems with right and wrong replies; play several "
            "replies per problem, or set --examples.balance false"
        )
    with ExitStack() as stack:
        for name, examples in made.items():
            store = stack.enter_context(TrajectoryStore(out / name, record))
            store.append(example for example in examples if example.id not in store.ids)
            counts[name] = len(examples)
    return counts


def measure_critic(
    agent: Agent, examples: Sequence[Trajectory], *, votes: int = 1, seed: int = 0
) -> dict[str, CriticQuality]:
    """Return kind of example -> how good an agent's answers are.

    Args:
        agent: The critic.
        examples: Episodes of `critic_examples`.
        votes: Answers per question.
        seed: Seed of the answers.

    Raises:
        AgentError: The agent no longer answers any request.
    """
    asked = [episode.turns[0].observation for episode in examples for _ in range(votes)]
    seeds = np.random.default_rng(seed).integers(2**63, size=len(asked)).tolist()
    replies = FaultIsolator().ask(agent, asked, SamplingConfig(), seeds)
    texts = ["" if reply.finish == "error" else reply.text for reply in replies]
    scores = np.array([mean_rating(texts[at : at + votes]) for at in range(0, len(texts), votes)])
    right = np.array([episode.problem.reference == "yes" for episode in examples], dtype=bool)
    _, problems = np.unique([episode.problem.id for episode in examples], return_inverse=True)
    kinds = np.array([str(episode.problem.meta.get("kind")) for episode in examples])
    found = {}
    for kind in KINDS:
        own = kinds == kind
        if own.any():
            found[kind] = critic_quality(scores[own], right[own], problems[own].astype(np.int64))
            if found[kind].auc_within < MIN_AUC:
                _log.warning(
                    "the critic %s ranks replies to one problem hardly better than chance (AUC %.2f): a vote "
                    "weighted by its scores is safer than the reply with the best score",
                    agent.name,
                    found[kind].auc_within,
                )
    return found


def _sentence(kind: str, quality: CriticQuality) -> str:
    return (
        f"{kind}: {quality.replies} examples, AUC within problems {quality.auc_within:.3f}, "
        f"pooled {quality.auc:.3f}; calibration error {quality.calibration_error:.3f}; "
        f"precision {quality.precision:.3f}, recall {quality.recall:.3f}"
    )
