"""The weighted loss, as pure functions of tensors.

Shapes:

n  trained tokens, V  vocabulary, H  width of the model
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

LOGITS_PER_CHUNK = 1 << 25
"""Largest number of logits made at once, 128 MiB in float32."""


def weighted_nll(
    logits: Tensor, targets: Tensor, coefficients: Tensor, *, normalizer: Tensor | float
) -> Tensor:
    """Return `sum_i coefficient_i * -log p(target_i) / normalizer`, a scalar.

    Args:
        logits: [n, V], of any float type; the softmax is taken in float32 or better.
        targets: [n], token ids.
        coefficients: [n], the weight of each token.
        normalizer: One for the whole global batch: over all micro batches and all ranks.
    """
    precise = logits if logits.dtype == torch.float64 else logits.float()
    nll = torch.nn.functional.cross_entropy(precise, targets, reduction="none")
    return (nll * coefficients.to(nll.dtype)).sum() / normalizer


def chunked_weighted_nll(
    head: Callable[[Tensor], Tensor],
    hidden: Tensor,
    targets: Tensor,
    coefficients: Tensor,
    *,
    normalizer: Tensor | float,
    vocabulary: int,
    logits_per_chunk: int = LOGITS_PER_CHUNK,
) -> Tensor:
    """Return `weighted_nll` of `head(hidden)` without ever holding all logits.

    The logits of a chunk are made again in the backward pass, so the peak is one chunk's.

    Args:
        head: [m, H] to logits [m, V].
        hidden: [n, H], the states that predict `targets`.
        targets: [n].
        coefficients: [n].
        normalizer: As in `weighted_nll`.
        vocabulary: V.
        logits_per_chunk: Most logits held at once.
    """

    def part(states: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
        return weighted_nll(head(states), wanted, weights, normalizer=normalizer)

    rows = max(1, logits_per_chunk // vocabulary)
    if len(targets) <= rows:
        return part(hidden, targets, coefficients)
    split = torch.split
    chunks = zip(split(hidden, rows), split(targets, rows), split(coefficients, rows), strict=True)
    total: Tensor = hidden.new_zeros((), dtype=torch.float32)
    for states, wanted, weights in chunks:
        total = total + checkpoint(part, states, wanted, weights, use_reentrant=False)
    return total
