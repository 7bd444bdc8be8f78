"""A sample of the training data on which a fit compares sampler, first model and fitted model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rise_trainers.data.dataset import Example
from rise_trainers.data.targets import TrainingTarget
from rise_trainers.data.tokenization import Span, TokenSequence


@dataclass(frozen=True, slots=True)
class SampledSequence:
    """One training sequence with what is known about its n reply tokens, in their order."""

    example: Example
    """Its coefficients are 1 for the reply tokens and 0 for all others."""
    turns: NDArray[np.int64]
    """[n], the turn of each token, from 0."""
    logprobs: NDArray[np.float32]
    """[n], natural logarithm of each token's probability when the first model sampled it; nan where
    another model sampled it, or where it is unknown."""


def policy_sample(
    sequences: Sequence[TokenSequence],
    targets: Sequence[TrainingTarget],
    *,
    first_model: str,
    limit: int,
    seed: int,
) -> list[SampledSequence]:
    """Draw sequences at random, those with log-probabilities of the first model before all others.

    Args:
        sequences: All training sequences.
        targets: What their spans refer to.
        first_model: Name of the agent that plays with the model from which the fit starts.
        limit: The largest number of sequences.
        seed: Seed of the draw.
    """
    known = [
        any(
            span.logprobs is not None and targets[span.target].agent == first_model for span in sequence.spans
        )
        for sequence in sequences
    ]
    rng = np.random.default_rng(np.random.SeedSequence((seed, len(sequences))))
    drawn = sorted(rng.permutation(len(sequences)), key=lambda place: not known[place])[:limit]
    return [_sampled(sequences[place], targets, first_model) for place in sorted(drawn)]


def _sampled(sequence: TokenSequence, targets: Sequence[TrainingTarget], first_model: str) -> SampledSequence:
    selected = np.zeros(len(sequence.ids), dtype=np.float32)
    turns = np.zeros(len(sequence.ids), dtype=np.int64)
    logprobs = np.full(len(sequence.ids), np.nan, dtype=np.float32)
    for span in sequence.spans:
        place = slice(span.start, span.stop)
        selected[place] = 1.0
        turns[place] = targets[span.target].turn
        if _is_known(span, targets, first_model):
            logprobs[place] = span.logprobs
    chosen = selected > 0
    example = Example(np.asarray(sequence.ids, dtype=np.int64), selected, float(chosen.sum()))
    return SampledSequence(example, turns[chosen], logprobs[chosen])


def _is_known(span: Span, targets: Sequence[TrainingTarget], first_model: str) -> bool:
    return span.logprobs is not None and targets[span.target].agent == first_model
