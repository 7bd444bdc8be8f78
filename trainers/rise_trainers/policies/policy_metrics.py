"""Compares sampler, first model and fitted model of a fit on a sample of its replies.

    {"kind": "policy", "step": 0, "sampled_tokens": .., "sampler_gap_mean": .., "sampler_gap_p99": ..,
     "entropy_first@t1": .., ...}
    {"kind": "policy", "step": 90, "kl_to_first": .., "kl_to_first@t1": .., "entropy@t1": .., ...}

`sampler_gap` is the absolute difference between the log-probability of a token when the first model sampled
it and the one that the trainer computes for it before the first step. It should be as small as rounding
errors: a larger one means that the trainer reads the replies in another way than the sampler. `kl_to_first`
is the divergence KL(first || fitted) per token, estimated on the same tokens with the estimator k3 of
Schulman ("Approximating KL divergence", 2020), over all turns and at turn t. It supposes that they were
sampled at temperature 1. `entropy` is the mean entropy of the predictions at turn t, in nats. Numbers without
a token to compute them from are left out.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import transformers
from numpy.typing import NDArray

from rise_trainers.policies.forward_passes import ForwardPasses
from rise_trainers.policies.policy_sample import SampledSequence

FILE = "policy-before.npz"

Statistics = Mapping[str, NDArray[np.float32]]
"""Of the tokens of a sample, [n] each: "logprob", "entropy", and the sampler's "sampled" and "turn"."""


def gap_metrics(before: Statistics) -> dict[str, float]:
    """Return how far trainer and sampler are apart before the first step."""
    gap = np.abs(before["logprob"] - before["sampled"])
    gap = gap[~np.isnan(gap)]
    result: dict[str, float] = {"sampled_tokens": len(gap)}
    if len(gap):
        result |= {"sampler_gap_mean": float(gap.mean()), "sampler_gap_p99": float(np.quantile(gap, 0.99))}
    return result | _by_turn("entropy_first", before["entropy"], before["turn"])


def change_metrics(before: Statistics, after: Statistics) -> dict[str, float]:
    """Return how far the fit has moved the model."""
    own = ~np.isnan(before["sampled"])
    result = {}
    if own.any():
        ratio = (after["logprob"] - before["logprob"])[own].astype(np.float64)
        divergence = np.expm1(ratio) - ratio
        result["kl_to_first"] = float(divergence.mean())
        result |= _by_turn("kl_to_first", divergence, after["turn"][own])
    return result | _by_turn("entropy", after["entropy"], after["turn"])


class PolicyMetrics(transformers.TrainerCallback):  # type: ignore[misc]
    """Measures the sample before the first step and after the last one.

    What was measured before the first step is kept in the folder, for a fit that is continued.

    Args:
        folder: The partial folder of the fit.
        sample: The sequences, the same on every rank.
        passes: Computes statistics of tokens.
        log: Writes a line of metrics; called on rank 0.
    """

    def __init__(
        self,
        folder: Path,
        sample: Sequence[SampledSequence],
        passes: ForwardPasses,
        *,
        log: Callable[[dict[str, Any]], None],
    ) -> None:
        self.trainer: Any = None
        """The trainer, set after it was made."""
        self._path = folder / FILE
        self._sample = sample
        self._passes = passes
        self._log = log
        self._before: Statistics = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure the first model, or read what was measured before the fit was interrupted."""
        if not self._sample:
            return
        if state.global_step:
            with np.load(self._path, allow_pickle=False) as file:
                self._before = {name: file[name] for name in file.files}
        else:
            self._before = self._measure()
            if state.is_world_process_zero:
                np.savez(self._path, **dict(self._before))  # type: ignore[arg-type]
        if state.is_world_process_zero:
            self._log({"kind": "policy", "step": 0, **gap_metrics(self._before)})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure the fitted model."""
        if not self._sample:
            return
        after = self._measure()
        if state.is_world_process_zero:
            self._log({"kind": "policy", "step": state.global_step, **change_metrics(self._before, after)})

    def _measure(self) -> Statistics:
        found = self._passes(self.trainer, [sequence.example for sequence in self._sample])
        return {
            "logprob": np.concatenate([logprobs for logprobs, _ in found]),
            "entropy": np.concatenate([entropies for _, entropies in found]),
            "sampled": np.concatenate([sequence.logprobs for sequence in self._sample]),
            "turn": np.concatenate([sequence.turns for sequence in self._sample]).astype(np.float32),
        }


def _by_turn(name: str, values: NDArray[Any], turns: NDArray[np.float32]) -> dict[str, float]:
    return {f"{name}@t{int(turn) + 1}": float(values[turns == turn].mean()) for turn in np.unique(turns)}
