"""Compares sampler, first model and fitted model of a fit on a sample of its replies.

    {"kind": "policy", "step": 0, "sampled_tokens": .., "sampler_gap_mean": .., "sampler_gap_p99": ..,
     "entropy_first@t1": .., ...}
    {"kind": "policy", "step": 90, "kl_to_first": .., "entropy@t1": .., ...}

`sampler_gap` is the absolute difference between the log-probability of a token when the first model sampled
it and the one that the trainer computes for it before the first step. It should be as small as rounding
errors: a larger one means that the trainer reads the replies in another way than the sampler. `kl_to_first`
is the divergence KL(first || fitted) per token, estimated on the same tokens with the estimator k3 of
Schulman ("Approximating KL divergence", 2020). It supposes that they were sampled at temperature 1. `entropy`
is the mean entropy of the predictions at turn t, in nats. Numbers without a token to compute them from are
left out.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from rise_trainers.data.dataset import EMPTY_EXAMPLE
from rise_trainers.loss.token_statistics import token_statistics
from rise_trainers.policies.policy_sample import SampledSequence

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
        result["kl_to_first"] = float(np.mean(np.expm1(ratio) - ratio))
    return result | _by_turn("entropy", after["entropy"], after["turn"])


class PolicyMetrics(transformers.TrainerCallback):  # type: ignore[misc]
    """Measures the sample before the first step and after the last one; every rank measures a part of it.

    What was measured before the first step is kept in the folder, for a fit that is continued.

    Args:
        folder: The partial folder of the fit.
        sample: The sequences, the same on every rank.
        collate: Makes a batch of examples.
        micro_batch_size: The largest number of sequences per forward pass.
        log: Writes a line of metrics; called on rank 0.
    """

    def __init__(
        self,
        folder: Path,
        sample: Sequence[SampledSequence],
        *,
        collate: Callable[..., Any],
        micro_batch_size: int,
        log: Callable[[dict[str, Any]], None],
    ) -> None:
        self.trainer: Any = None
        """The trainer, set after it was made."""
        self._folder = folder
        self._sample = sample
        self._collate = collate
        self._micro = micro_batch_size
        self._log = log
        self._before: Statistics = {}

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure the first model, or read what was measured before the fit was interrupted."""
        if not self._sample:
            return
        kept = self._folder / f"policy-{args.process_index}.npz"
        if state.global_step and kept.exists():
            with np.load(kept, allow_pickle=False) as file:
                self._before = {name: file[name] for name in file.files}
        elif state.global_step == 0:
            self._before = self._measure(args)
            np.savez(kept, **dict(self._before))  # type: ignore[arg-type]
        else:
            return
        found = _gathered(self._before, args.world_size)
        if state.is_world_process_zero:
            self._log({"kind": "policy", "step": 0, **gap_metrics(found)})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Measure the fitted model."""
        if not self._before:
            return
        after = _gathered(self._measure(args), args.world_size)
        before = _gathered(self._before, args.world_size)
        if state.is_world_process_zero:
            self._log({"kind": "policy", "step": state.global_step, **change_metrics(before, after)})

    def _measure(self, args: Any) -> Statistics:
        model = self.trainer.model_wrapped
        mine = list(self._sample[args.process_index :: args.world_size])
        passes = -(-len(self._sample) // (self._micro * args.world_size))
        parts = []
        training = model.training
        model.eval()
        for number in range(passes):
            chosen = mine[number * self._micro : (number + 1) * self._micro]
            batch = self._collate([found.example for found in chosen] or [EMPTY_EXAMPLE])
            tensors = {name: value.to(args.device) for name, value in batch.items() if name != "count"}
            parts.append([part.cpu().numpy() for part in token_statistics(model, tensors)])
        model.train(training)
        return {
            "logprob": np.concatenate([logprobs for logprobs, _ in parts]),
            "entropy": np.concatenate([entropies for _, entropies in parts]),
            "sampled": np.array([value for found in mine for value in found.logprobs], dtype=np.float32),
            "turn": np.array([turn for found in mine for turn in found.turns], dtype=np.float32),
        }


def _gathered(found: Statistics, ranks: int) -> Statistics:
    """Return the statistics of all ranks together."""
    if ranks == 1:
        return found
    parts: list[Any] = [None] * ranks
    torch.distributed.all_gather_object(parts, found)
    return {name: np.concatenate([part[name] for part in parts]) for name in found}


def _by_turn(name: str, values: NDArray[np.float32], turns: NDArray[np.float32]) -> dict[str, float]:
    return {f"{name}@t{int(turn) + 1}": float(values[turns == turn].mean()) for turn in np.unique(turns)}
