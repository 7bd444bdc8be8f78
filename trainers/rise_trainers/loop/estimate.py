"""Upper bounds of what one phase of a run needs: replies, tokens, optimizer steps and memory.

They assume that no problem is solved before the last turn, that every reply has the maximal length and that
every trajectory is trained. The functions take plain numbers; `inputs` finds these numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rise_agents.rollouts.cost_estimate import FEEDBACK_PROMPT
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
    calls: int | None = 0
    """Calls of models: replies, the feedback of an agent, and what searches ask; None if it is unknown."""
    prompt_tokens: int = 0
    tokens: int = 0
    """Generated tokens; for a fit, the tokens of all sequences over all epochs, prompts included."""
    tokens_of_others: int = 0
    """Those of the generated tokens that teachers and the agent of the feedback generate."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """How many calls of models one text takes at most; None where a search is limited by tokens alone."""

    reply: int | None = 1
    """Calls per reply before the last turn, and in evaluations."""
    last: int | None = 1
    """Calls per reply at the last turn of a collection."""
    feedback: int | None = 1
    """Calls per feedback of an agent."""
    feedback_tokens: int = 0
    """Maximal length of the feedback of an agent, in tokens; 0 if the environment writes it."""


@dataclass(slots=True)
class _Sum:
    """Adds up calls and tokens. Texts with an unknown number of calls count as one call in the tokens."""

    calls: int | None = 0
    prompt_tokens: float = 0.0
    tokens: int = 0

    def add(self, texts: int, per_text: int | None, prompt_tokens: float, length: int) -> int:
        """Add texts; return the number of generated tokens.

        Args:
            texts: Number of texts.
            per_text: Calls per text.
            prompt_tokens: Tokens of the prompt of one call.
            length: Maximal length of a text, in tokens.
        """
        calls = texts * (per_text or 1)
        if texts and per_text is None:
            self.calls = None
        elif self.calls is not None:
            self.calls += calls
        self.prompt_tokens += calls * prompt_tokens
        self.tokens += calls * length
        return calls * length

    def add_feedback(self, texts: int, lengths: Sequence[float], reply: int, counts: CallCounts) -> int:
        """Add the feedback after each turn but the last one; return the number of generated tokens.

        Args:
            texts: Number of episodes.
            lengths: Length of the prompt at every turn, in tokens.
            reply: Maximal length of a reply, in tokens.
            counts: Without feedback of an agent, nothing is added.
        """
        if not counts.feedback_tokens:
            return 0
        return sum(
            self.add(texts, counts.feedback, length + reply + FEEDBACK_PROMPT, counts.feedback_tokens)
            for length in lengths[:-1]
        )


def estimate_collection(
    lengths: Sequence[float],
    *,
    episodes: int,
    num_samples: int,
    max_new_tokens: int,
    last_max_new_tokens: int,
    by_teacher: int,
    weights_gib: float | None,
    counts: CallCounts,
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
        counts: Calls of models per reply and feedback.
    """
    before, last = episodes * (len(lengths) - 1), episodes * num_samples
    found = _Sum()
    own = sum(found.add(episodes, counts.reply, length, max_new_tokens) for length in lengths[:-1])
    at_last = found.add(last, counts.last, lengths[-1], last_max_new_tokens)
    feedback = found.add_feedback(episodes, lengths, max_new_tokens, counts)
    stored = BYTES_PER_TOKEN * (
        before * (max_new_tokens + counts.feedback_tokens) + last * last_max_new_tokens
    )
    of_teacher = 0 if not by_teacher else at_last if by_teacher == last else own + at_last
    return Estimate(
        disk=stored,
        kept=stored,
        replies=before + last,
        by_teacher=by_teacher,
        calls=found.calls,
        prompt_tokens=round(found.prompt_tokens),
        tokens=found.tokens,
        tokens_of_others=of_teacher + feedback,
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
    counts: CallCounts,
    lengths_with_feedback: Sequence[float] = (),
) -> Estimate:
    """Return the estimate of an evaluation: one rollout per problem, and `num_samples` first replies.

    Args:
        lengths: Length of the prompt at every turn, in tokens.
        episodes: Number of problems.
        num_samples: Number of independent first replies per problem.
        history_turns: Number of earlier attempts that a second rollout per problem shows; None plays none.
        max_new_tokens: Length of a reply, in tokens.
        weights_gib: GiB per device for the weights of the model that plays.
        counts: Calls of models per reply and feedback.
        lengths_with_feedback: As `lengths`, in one more rollout per problem, in which an agent writes the
            feedback; empty plays none.
    """
    window = [] if history_turns is None else [lengths[min(t, history_turns)] for t in range(len(lengths))]
    prompts = [*lengths, *window, *lengths_with_feedback, *[lengths[0]] * num_samples]
    found = _Sum()
    for length in prompts:
        found.add(episodes, counts.reply, length, max_new_tokens)
    feedback = found.add_feedback(episodes, lengths_with_feedback, max_new_tokens, counts)
    replies = episodes * len(prompts)
    written = episodes * max(0, len(lengths_with_feedback) - 1) * counts.feedback_tokens
    stored = BYTES_PER_TOKEN * (replies * max_new_tokens + written)
    return Estimate(
        disk=stored,
        kept=stored,
        replies=replies,
        calls=found.calls,
        prompt_tokens=round(found.prompt_tokens),
        tokens=found.tokens,
        tokens_of_others=feedback,
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
