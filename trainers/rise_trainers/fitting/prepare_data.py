"""Makes training examples from stores of trajectories, and computes statistics of them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from rise_agents.chat.chat import Chat, tokenizer_hash
from rise_agents.chat.model_fingerprint import fingerprint, model_name
from rise_env.errors import ConfigError, StoreError
from rise_env.trajectories.model_formats import stored_formats
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import ModelFormat, Trajectory
from rise_env.utils.suggestions import natural_sort_key
from rise_trainers.data import weights
from rise_trainers.data.chat_format import load_fit_chat
from rise_trainers.data.dataset import Example, make_examples
from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.signals import with_signal
from rise_trainers.data.targets import TrainingTarget, select_targets
from rise_trainers.data.token_cache import load_or_make
from rise_trainers.data.tokenization import Tokenized, tokenize
from rise_trainers.fitting.config import FitConfig, given_chat
from rise_trainers.fitting.paths import model_path
from rise_trainers.policies.policy_sample import SampledSequence, policy_sample

_MAX_REWARDS = 20
"""Number of different rewards that are counted each; more of them are rounded to tenths for the counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The training data of one fit."""

    examples: list[Example]
    notes: tuple[str, ...]
    """Sentences for the log."""
    statistics: dict[str, Any]
    """JSON values, for the first line of the metrics: counts, weights, rewards."""
    chat: Chat
    sample: list[SampledSequence]
    """The sequences on which the policies are compared; see `policy_metrics`."""


def prepare(config: FitConfig) -> Prepared:
    """Select the replies of all stores, weigh and tokenise them.

    Raises:
        ConfigError: No reply is selected, or none can be trained, or a store was played with another
            format of conversations; see `chat_format`.
        DataNotFoundError: The tokenizer of the model cannot be loaded.
    """
    formats = read_formats(config.data)
    chat, notes = load_fit_chat(given_chat(config), formats, first_agent=first_agent(config))
    trajectories = [trajectory for store in config.data for trajectory in _in_order(store)]
    trajectories = with_signal(trajectories, config.signal)
    targets = select_targets(trajectories, config.selection, seed=config.seed)
    if not targets:
        raise ConfigError(
            f"the selection keeps no reply of the {len(trajectories)} trajectories: change selection"
        )
    weight = target_weights(config, targets)
    targets = with_own_ids(targets, formats, chat)
    tokenized = _tokenized(config, chat, targets)
    examples = make_examples(
        tokenized.sequences,
        weight,
        normalize=config.normalize,
        trajectories=[target.trajectory for target in targets],
        kl_penalty=config.kl_penalty,
    )
    sample = policy_sample(
        tokenized.sequences,
        targets,
        first_model=first_agent(config),
        limit=config.policy_sequences,
        seed=config.seed,
    )
    rewards = np.array([target.reward for target in targets])
    if len(np.unique(rewards)) > _MAX_REWARDS:  # scores of a critic
        rewards = np.round(rewards, 1)
    tokens = sum(len(example) for example in examples)
    trained = sum(int(np.count_nonzero(example.coefficients)) for example in examples)
    statistics = {
        "trajectories": len(trajectories),
        "replies": len(targets),
        "sequences": len(examples),
        "tokens": tokens,
        "trained_tokens": trained,
        "shortened": tokenized.shortened,
        "dropped": len(tokenized.dropped),
        **tokenized.counts,
        "weight_min": float(weight.min()),
        "weight_max": float(weight.max()),
        "effective_sample_size": weights.effective_sample_size(weight),
        "weight_share": {str(k): v for k, v in weights.weight_shares(weight, rewards).items()},
        "weight_histogram": weights.histogram(weight),
        "replies_by_reward": {str(r): int((rewards == r).sum()) for r in np.unique(rewards)},
        "replies_by_turn": np.bincount([target.turn for target in targets]).tolist(),
    }
    return Prepared(
        examples=examples, notes=(*tokenized.notes, *notes), statistics=statistics, chat=chat, sample=sample
    )


def _in_order(store: str) -> list[Trajectory]:
    """Return the trajectories of a store, sorted by problem and id.

    The order of the lines in a store depends on interruptions and on the number of workers, and must not
    change the fit.
    """
    return sorted(read_trajectories(store), key=lambda found: (natural_sort_key(found.problem.id), found.id))


def first_agent(config: FitConfig) -> str:
    """Return the name of the agent that plays with the model from which the fit starts."""
    path = model_path(config.model)
    loaded = transformers.AutoConfig.from_pretrained(path, revision=config.revision)
    name = model_name(path, getattr(loaded, "_commit_hash", None))
    return name if config.adapter is None else f"{name}+{fingerprint(Path(config.adapter))}"


def read_formats(stores: Sequence[str]) -> dict[str, tuple[ModelFormat, ...]]:
    """Return agent -> its formats in the stores, for all agents with a local model that played them.

    Raises:
        StoreError: A run record holds something else.
    """
    found: dict[str, tuple[ModelFormat, ...]] = {}
    for store in stores:
        try:
            formats = stored_formats(read_run(store))
        except ValueError as error:
            raise StoreError(f"{store}: {error}") from error
        for agent, played in formats.items():
            known = found.get(agent, ())
            found[agent] = (*known, *(one for one in played if one not in known))
    return found


def with_own_ids(
    targets: Sequence[TrainingTarget], formats: Mapping[str, Sequence[ModelFormat]], chat: Chat
) -> list[TrainingTarget]:
    """Remove token ids and numbers of prompt tokens of agents with another tokenizer, or an unknown one.

    Args:
        targets: The targets of all stores.
        formats: Agent -> its formats.
        chat: How the model of the fit reads conversations.
    """
    mine = tokenizer_hash(chat.tokenizer)
    return [
        target
        if {one.tokenizer for one in formats.get(target.agent, ())} == {mine}
        else dataclasses.replace(target, token_ids=None, logprobs=None, prompt_tokens=0)
        for target in targets
    ]


def _tokenized(config: FitConfig, chat: Chat, targets: list[TrainingTarget]) -> Tokenized:
    encoder = ChatTokenizer(chat, think=config.think)

    def make() -> Tokenized:
        return tokenize(encoder, targets, max_length=config.max_length, layout=config.layout)

    if not config.cache:
        return make()
    settings = [config.max_length, config.layout, config.think]
    return load_or_make(make, targets, beside=Path(config.data[0]), chat=chat, settings=settings)


def target_weights(config: FitConfig, targets: list[TrainingTarget]) -> weights.Array:
    """Return the weight of each target, [number of targets]."""
    result = weights.weigh(
        np.array([target.reward for target in targets]),
        [target.turn for target in targets],
        [target.problem for target in targets],
        weights=config.weights,
        tau=config.tau,
        max_weight=config.max_weight,
        success=config.selection.success,
        negative_weights=config.negative_weights,
        attempts={target.problem: target.problem_rewards for target in targets},
    )
    return weights.scaled(result) if config.mean_weight_one else result
