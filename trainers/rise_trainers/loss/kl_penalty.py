"""A penalty for moving away from the first model, added to the loss of every trained token.

The penalty is the estimate k3 of KL(fitted || first) on one token (Schulman, "Approximating KL divergence",
2020; used by GRPO, arXiv:2402.03300): `exp(d) - 1 - d` with d = log p_first(token) - log p_fitted(token). It
is never negative, and it is 0 where both models give the token the same probability.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rise_env.errors import ConfigError


@dataclass(frozen=True, slots=True)
class KLPenalty:
    """The penalty of n trained tokens."""

    reference: Tensor
    """[n], floating point: natural logarithm of the probability of each token under the first model."""
    weights: Tensor
    """[n], floating point: the factor of each token's penalty."""

    def __post_init__(self) -> None:
        if self.reference.ndim != 1 or self.reference.shape != self.weights.shape:
            raise ConfigError(
                "reference and weights of a KL penalty must be [n], got shapes "
                f"{list(self.reference.shape)} and {list(self.weights.shape)}"
            )

    def of(self, nll: Tensor) -> Tensor:
        """Return the weighted penalties [n], from the negative log likelihoods [n] under the fitted model."""
        difference = self.reference.to(nll.dtype) + nll
        return (torch.expm1(difference) - difference) * self.weights.to(nll.dtype)

    def slope(self, nll: Tensor) -> Tensor:
        """Return the derivative of `of` with respect to `nll`, [n]."""
        return torch.expm1(self.reference.to(nll.dtype) + nll) * self.weights.to(nll.dtype)

    def part(self, tokens: slice) -> "KLPenalty":
        """Return the penalty of some of the tokens."""
        return KLPenalty(self.reference[tokens], self.weights[tokens])

    def split(self, size: int) -> Iterator["KLPenalty"]:
        """Yield the penalty in parts of at most `size` tokens."""
        for start in range(0, len(self.reference), size):
            yield self.part(slice(start, start + size))


def batch_penalty(batch: dict[str, Tensor], trained: Tensor) -> KLPenalty | None:
    """Return the penalty of the trained tokens of a batch; None if it has none.

    Args:
        batch: "reference" and "penalty" [rows, length], or neither.
        trained: [rows, length - 1], which of the tokens from the second one on are trained.
    """
    if "penalty" not in batch:
        return None
    return KLPenalty(batch["reference"][:, 1:][trained], batch["penalty"][:, 1:][trained])
