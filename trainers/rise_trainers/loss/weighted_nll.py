"""The weighted negative log likelihood of tokens, as pure functions of tensors.

Shapes: n trained tokens, V tokens in the vocabulary, H width of the hidden states.
"""

from collections.abc import Callable
from itertools import repeat

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rise_trainers.loss.checks import check_tokens
from rise_trainers.loss.kl_penalty import KLPenalty

LOGITS_PER_CHUNK = 1 << 25
"""The largest number of logits in memory at once: 128 MiB in float32."""


def weighted_nll(
    logits: Tensor,
    targets: Tensor,
    coefficients: Tensor,
    *,
    normalizer: Tensor | float,
    penalty: KLPenalty | None = None,
) -> Tensor:
    """Return `sum_i (coefficient_i * -log p(target_i) + penalty_i) / normalizer`, a scalar.

    Args:
        logits: [n, V], of any floating point type; the softmax is computed in float32, or in float64 for
            float64 logits.
        targets: [n], token ids (int64).
        coefficients: [n], floating point: how much each token counts.
        normalizer: One number for the whole global batch, that is for all micro batches of all ranks.
        penalty: Of the n tokens; None adds none.

    Raises:
        ConfigError: An argument has another shape or type.
    """
    check_tokens(logits, targets, coefficients, normalizer, name="logits")
    precise = logits if logits.dtype == torch.float64 else logits.float()
    nll = torch.nn.functional.cross_entropy(precise, targets, reduction="none")
    terms = nll * coefficients.to(nll.dtype)
    if penalty is not None:
        terms = terms + penalty.of(nll)
    return terms.sum() / normalizer


def chunked_weighted_nll(
    head: Callable[[Tensor], Tensor],
    hidden: Tensor,
    targets: Tensor,
    coefficients: Tensor,
    *,
    normalizer: Tensor | float,
    vocabulary: int,
    penalty: KLPenalty | None = None,
    logits_per_chunk: int = LOGITS_PER_CHUNK,
) -> Tensor:
    """Return `weighted_nll` of `head(hidden)` with the logits of one chunk of tokens in memory at a time.

    The backward pass computes the logits of each chunk again.

    Args:
        head: The output layer: hidden states [m, H] to logits [m, V].
        hidden: [n, H], the states that predict `targets`.
        targets: [n], token ids (int64).
        coefficients: [n], floating point: how much each token counts.
        normalizer: See `weighted_nll`.
        vocabulary: V.
        penalty: See `weighted_nll`.
        logits_per_chunk: The largest number of logits in memory at once.

    Raises:
        ConfigError: An argument has another shape or type.
    """
    check_tokens(hidden, targets, coefficients, normalizer, name="hidden")

    def chunk_loss(
        states: Tensor, chunk_targets: Tensor, chunk_coefficients: Tensor, chunk_penalty: KLPenalty | None
    ) -> Tensor:
        logits = head(states)
        return weighted_nll(
            logits, chunk_targets, chunk_coefficients, normalizer=normalizer, penalty=chunk_penalty
        )

    rows = max(1, logits_per_chunk // vocabulary)
    if len(targets) <= rows:
        return chunk_loss(hidden, targets, coefficients, penalty)
    split = torch.split
    penalties = repeat(None) if penalty is None else penalty.split(rows)
    chunks = zip(
        split(hidden, rows), split(targets, rows), split(coefficients, rows), penalties, strict=False
    )
    total: Tensor = hidden.new_zeros((), dtype=torch.float32)
    for chunk in chunks:
        total = total + checkpoint(chunk_loss, *chunk, use_reentrant=False)
    return total
