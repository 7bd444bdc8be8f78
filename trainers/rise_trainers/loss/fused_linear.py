"""The weighted loss of a linear output layer; the forward pass computes the gradient as well.

The logits of one chunk of tokens are in memory at a time. They are computed once: the forward pass turns
them into the gradient with respect to hidden states and weights as soon as it has the loss of the chunk.

Source: fused linear cross entropy, Hsu et al. 2024, arXiv:2410.10989.

Shapes: n trained tokens, V tokens in the vocabulary, H width of the hidden states.
"""

from typing import Any

import torch
from torch import Tensor

from rise_trainers.loss.checks import check_linear, check_tokens
from rise_trainers.loss.kl_penalty import KLPenalty
from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK


def linear_weighted_nll(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    coefficients: Tensor,
    *,
    normalizer: Tensor | float,
    penalty: KLPenalty | None = None,
    logits_per_chunk: int = LOGITS_PER_CHUNK,
) -> Tensor:
    """Return `weighted_nll` of `hidden @ weight.T + bias`, a scalar that can be differentiated once.

    Args:
        hidden: [n, H], the states that predict `targets`.
        weight: [V, H].
        bias: [V] or None.
        targets: [n], token ids (int64).
        coefficients: [n], floating point: how much each token counts.
        normalizer: See `weighted_nll`.
        penalty: See `weighted_nll`.
        logits_per_chunk: The largest number of logits in memory at once.

    Raises:
        ConfigError: An argument has another shape or type.
    """
    check_tokens(hidden, targets, coefficients, normalizer, name="hidden")
    check_linear(hidden, weight, bias)
    rows = max(1, logits_per_chunk // len(weight))
    scaled = coefficients / normalizer
    if penalty is not None:
        penalty = KLPenalty(penalty.reference, penalty.weights / normalizer)
    arguments = (hidden, weight, bias, targets, scaled, penalty, rows)
    loss: Tensor = _LinearNLL.apply(*arguments)  # type: ignore[no-untyped-call]
    return loss


class _LinearNLL(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        scaled: Tensor,
        penalty: KLPenalty | None,
        rows: int,
    ) -> Tensor:
        precise = torch.float64 if hidden.dtype == torch.float64 else torch.float32
        total = torch.zeros((), dtype=precise, device=hidden.device)
        needs_hidden, needs_weight, needs_bias = ctx.needs_input_grad[:3]
        hidden_grad = torch.zeros_like(hidden) if needs_hidden else None
        weight_grad = torch.zeros_like(weight, dtype=precise) if needs_weight else None
        bias_grad = torch.zeros_like(bias, dtype=precise) if bias is not None and needs_bias else None
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            logits = torch.nn.functional.linear(hidden[part], weight, bias).to(precise)
            target, coefficient = targets[part, None], scaled[part, None].to(precise)
            logits -= logits.amax(dim=1, keepdim=True)
            chosen = logits.gather(1, target)
            logits.exp_()
            sums = logits.sum(dim=1, keepdim=True)
            nll = sums.log() - chosen
            total += (nll * coefficient).sum()
            if penalty is not None:
                found = penalty.part(part)
                total += found.of(nll[:, 0]).sum()
                coefficient = coefficient + found.slope(nll[:, 0])[:, None]
            if not any(ctx.needs_input_grad[:3]):
                continue
            # the buffer of the logits becomes their gradient: (softmax - one_hot(target)) * coefficient
            logits *= coefficient / sums
            logits.scatter_add_(1, target, -coefficient)
            grad = logits.to(weight.dtype)
            if hidden_grad is not None:
                torch.mm(grad, weight, out=hidden_grad[part])
            if weight_grad is not None:
                _add_product(weight_grad, grad, hidden[part])
            if bias_grad is not None:
                bias_grad += logits.sum(dim=0)
        ctx.gradients = (
            hidden_grad,
            weight_grad if weight_grad is None else weight_grad.to(weight.dtype),
            bias_grad if bias is None or bias_grad is None else bias_grad.to(bias.dtype),
        )
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        gradients = [None if part is None else part.mul_(grad.to(part.dtype)) for part in ctx.gradients]
        ctx.gradients = (None, None, None)
        return (*gradients, None, None, None, None)


def _add_product(total: Tensor, grad: Tensor, states: Tensor) -> None:
    """Add `grad.T @ states` to `total`, in the precision of `total`."""
    if total.dtype == grad.dtype:
        total.addmm_(grad.T, states)
    else:
        total += grad.T @ states
