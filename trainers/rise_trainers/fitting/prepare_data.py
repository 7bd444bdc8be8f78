"""Makes training examples from stores of trajectories, and computes statistics of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rise_env.errors import ConfigError
from rise_env.trajectories.store import read_trajectories
from rise_env.types import Trajectory
from rise_env.utils.suggestions import natural_sort_key
from rise_trainers.data import weights
from rise_trainers.data.dataset import Example, make_examples
from rise_trainers.data.targets import TrainingTarget, select_targets
from rise_trainers.data.token_cache import load_or_make
from rise_trainers.data.tokenization import ChatTokenizer, Tokenized, tokenize
from rise_trainers.fitting.config import FitConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The training data of one fit."""

    examples: list[Example]
    notes: tuple[str, ...]
    """Sentences for the log."""
    statistics: dict[str, Any]
    """JSON values, for the first line of the metrics: counts, weights, rewards."""
    chat: ChatTokenizer


def prepare(config: FitConfig, tokenizer: Any) -> Prepared:
    """Select the replies of all stores, weigh and tokenise them.

    Raises:
        ConfigError: No reply is selected, or none can be trained.
    """
    trajectories = [trajectory for store in config.data for trajectory in _in_order(store)]
    targets = select_targets(trajectories, config.selection, seed=config.seed)
    if not targets:
        raise ConfigError(
            f"the selection keeps no reply of the {len(trajectories)} trajectories: change selection"
        )
    weight = target_weights(config, targets)
    chat = ChatTokenizer(tokenizer, think=config.think, template_options=config.template_options)
    tokenized = _tokenized(config, chat, targets, tokenizer)
    examples = make_examples(tokenized.sequences, weight, normalize=config.normalize)
    rewards = np.array([target.reward for target in targets])
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
        "weight_min": float(weight.min()),
        "weight_max": float(weight.max()),
        "effective_sample_size": weights.effective_sample_size(weight),
        "weight_share": {str(k): v for k, v in weights.weight_shares(weight, rewards).items()},
        "weight_histogram": weights.histogram(weight),
        "replies_by_reward": {str(r): int((rewards == r).sum()) for r in np.unique(rewards)},
        "replies_by_turn": np.bincount([target.turn for target in targets]).tolist(),
    }
    return Prepared(examples=examples, notes=tokenized.notes, statistics=statistics, chat=chat)


def _in_order(store: str) -> list[Trajectory]:
    """Return the trajectories of a store, sorted by problem and id.

    The order of the lines in a store depends on interruptions and on the number of workers, and must not
    change the fit.
    """
    return sorted(read_trajectories(store), key=lambda found: (natural_sort_key(found.problem.id), found.id))


def _tokenized(
    config: FitConfig, chat: ChatTokenizer, targets: list[TrainingTarget], tokenizer: Any
) -> Tokenized:
    def make() -> Tokenized:
        return tokenize(chat, targets, max_length=config.max_length, layout=config.layout)

    if not config.cache:
        return make()
    settings = [config.max_length, config.layout, config.think, dict(config.template_options)]
    return load_or_make(make, targets, beside=Path(config.data[0]), tokenizer=tokenizer, settings=settings)


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
