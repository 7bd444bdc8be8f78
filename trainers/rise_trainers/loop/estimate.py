"""Upper bounds of what one phase of a run needs: replies, tokens, optimizer steps and memory.

They assume that no problem is solved before the last turn, that every reply has the maximal length and that
every trajectory is trained. The functions take plain numbers; `inputs` finds these numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rise_trainers.checks.deepspeed_file import effective
from rise_trainers.checks.resources import fit_disk_bytes, model_bytes
from rise_trainers.cluster.hostfile import read_hostfile
from rise_trainers.data.targets import TURNS
from rise_trainers.fitting.config import FitConfig
from rise_trainers.loop.memory import (
    GIB,
    MemoryEstimate,
    adapter_parameters,
    count_parameters,
    estimate_memory,
)

BYTES_PER_TOKEN = 32
"""Size of one reply token in a store: its text, its id and its log-probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one phase needs at most."""

    replies: int = 0
    by_teacher: int = 0
    """Number of the replies that a teacher gives."""
    prompt_tokens: int = 0
    tokens: int = 0
    """Generated tokens; for a fit, the tokens of all sequences over all epochs, prompts included."""
    steps: int = 0
    """Optimizer steps of a fit."""
    machines: int = 1
    """Number of machines of a fit."""
    memory: MemoryEstimate | None = None
    """Memory of a fit; None if the model's configuration is unknown or DeepSpeed is not installed."""
    weights_gib: float | None = None
    """GiB per device for the weights of the model that plays; None if its configuration is unknown."""
    disk: int | None = None
    """Bytes that the phase has on disk at most at a time; None if the model's configuration is unknown."""
    kept: int | None = None
    """Bytes that the phase leaves on disk: its stores, or the fitted model; None as for `disk`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEstimate:
    """The size of a store of trajectories."""

    trajectories: int
    turns: int
    """Turns per trajectory."""
    length: float
    """Maximal length of a trajectory, in tokens."""


def estimate_collection(
    lengths: Sequence[float],
    *,
    episodes: int,
    num_samples: int,
    max_new_tokens: int,
    last_max_new_tokens: int,
    by_teacher: int,
    weights_gib: float | None,
) -> Estimate:
    """Return the estimate of a collection.

    Args:
        lengths: Length of the prompt at every turn, in tokens.
        episodes: Number of trajectories.
        num_samples: Number of replies at the last turn; there is one at every other turn.
        max_new_tokens: Length of a reply before the last turn, in tokens.
        last_max_new_tokens: Length of a reply at the last turn, in tokens.
        by_teacher: Number of the replies that a teacher gives.
        weights_gib: GiB per device for the weights of the model that plays.
    """
    before, last = episodes * (len(lengths) - 1), episodes * num_samples
    stored = BYTES_PER_TOKEN * (before * max_new_tokens + last * last_max_new_tokens)
    return Estimate(
        disk=stored,
        kept=stored,
        replies=before + last,
        by_teacher=by_teacher,
        prompt_tokens=round(episodes * (sum(lengths) + (num_samples - 1) * lengths[-1])),
        tokens=before * max_new_tokens + last * last_max_new_tokens,
        weights_gib=weights_gib,
    )


def estimate_evaluation(
    lengths: Sequence[float],
    *,
    episodes: int,
    num_samples: int,
    history_turns: int | None,
    max_new_tokens: int,
    weights_gib: float | None,
) -> Estimate:
    """Return the estimate of an evaluation: one rollout per problem, and `num_samples` first replies.

    Args:
        lengths: Length of the prompt at every turn, in tokens.
        episodes: Number of problems.
        num_samples: Number of independent first replies per problem.
        history_turns: Number of earlier attempts that a second rollout per problem shows; None plays none.
        max_new_tokens: Length of a reply, in tokens.
        weights_gib: GiB per device for the weights of the model that plays.
    """
    window = [] if history_turns is None else [lengths[min(t, history_turns)] for t in range(len(lengths))]
    replies = episodes * (len(lengths) + len(window) + num_samples)
    stored = BYTES_PER_TOKEN * replies * max_new_tokens
    return Estimate(
        disk=stored,
        kept=stored,
        replies=replies,
        prompt_tokens=round(episodes * (sum(lengths) + sum(window) + num_samples * lengths[0])),
        tokens=replies * max_new_tokens,
        weights_gib=weights_gib,
    )


def estimate_fit(fit: FitConfig, stores: Sequence[StoreEstimate], model_config: Any) -> Estimate:
    """Return the estimate of a fit.

    Args:
        fit: Settings of the fit.
        stores: The stores that it trains on.
        model_config: The transformers configuration of the model; None if unknown: memory is not estimated.
    """
    tokens_per_epoch = sum(store.trajectories * min(float(fit.max_length), store.length) for store in stores)
    steps = _steps(fit, stores)
    disk, kept = _disk(fit, model_config, steps)
    return Estimate(
        disk=disk,
        kept=kept,
        tokens=round(tokens_per_epoch * fit.epochs),
        steps=steps,
        machines=machines(fit),
        memory=_memory(fit, model_config),
    )


def weights_gib(parameters: int | None, agent_settings: Mapping[str, Any]) -> float | None:
    """Return the GiB per device that the weights of a model take while it plays.

    Args:
        parameters: Number of parameters of the model; None if unknown, for which None is returned.
        agent_settings: Settings of the agent, of which "dtype" and "tensor_parallel_size" are used.
    """
    if parameters is None:
        return None
    bytes_per_weight = 4 if agent_settings.get("dtype") == "float32" else 2
    devices = agent_settings.get("tensor_parallel_size", 1)
    return float(parameters * bytes_per_weight / devices / GIB)


def machines(fit: FitConfig) -> int:
    """Return the number of machines of a fit: the lines of its hostfile, or 1 where that file is missing."""
    if fit.hostfile is None or not Path(fit.hostfile).is_file():
        return 1
    return len(read_hostfile(fit.hostfile))


def _steps(fit: FitConfig, stores: Sequence[StoreEstimate]) -> int:
    """Return the optimizer steps: each has room for `batch_size` replies, that is for whole trajectories."""
    most = TURNS[fit.selection.turns].most
    steps = 0.0
    for store in stores:
        replies = store.turns if most is None else min(most, store.turns)
        steps += store.trajectories / max(1, fit.batch_size // replies)
    return math.ceil(fit.epochs * math.ceil(steps))


def disk_bytes(estimates: Sequence[Estimate]) -> int | None:
    """Return the largest size of a run folder while its phases run one after another; None if unknown."""
    most = left = 0
    for estimate in estimates:
        if estimate.disk is None or estimate.kept is None:
            return None
        most = max(most, left + estimate.disk)
        left += estimate.kept
    return most


def _disk(fit: FitConfig, model_config: Any, steps: int) -> tuple[int | None, int | None]:
    """Return the largest size of a fit's folder and the size of its model, in bytes; None where unknown."""
    if model_config is None:
        return None, None
    parameters, _ = count_parameters(model_config)
    trained = parameters if fit.lora is None else adapter_parameters(fit, model_config.get_text_config())
    return fit_disk_bytes(effective(fit), parameters, trained, steps), model_bytes(fit, parameters)


def _memory(fit: FitConfig, model_config: Any) -> MemoryEstimate | None:
    if model_config is None:
        return None
    try:
        return estimate_memory(effective(fit), model_config, machines=machines(fit))
    except ImportError:  # the estimate uses functions of DeepSpeed
        return None
