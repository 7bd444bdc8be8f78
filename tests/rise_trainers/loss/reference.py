"""The weighted loss and its gradient in float64, one turn at a time: what fast paths are compared with."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.targets import TrainingTarget


def reference_gradient(
    model: Any,
    chat: ChatTokenizer,
    targets: Sequence[TrainingTarget],
    weights: Sequence[float],
    normalize: str = "token",
) -> tuple[float, dict[str, Tensor]]:
    """Return loss and gradient of `sum weight * nll / number of trained tokens (or replies)`."""
    model = model.double()
    loss, count = torch.zeros((), dtype=torch.float64), 0
    for target, weight in zip(targets, weights, strict=True):
        encoded = chat.encode(target)
        ids, first = encoded.ids, encoded.start
        row = torch.tensor([ids])
        logprobs = torch.log_softmax(model(row).logits[0, first - 1 : -1], dim=-1)
        nll = -logprobs[torch.arange(len(ids) - first), row[0, first:]]
        loss = loss + weight * (nll.sum() if normalize == "token" else nll.mean())
        count += len(ids) - first if normalize == "token" else 1
    loss = loss / count
    model.zero_grad()
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters()}


def relative_error(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Return the norm of the difference over the norm of what was expected, over all parameters."""
    difference = sum(((found[name].double() - expected[name]) ** 2).sum() for name in expected)
    size = sum((tensor**2).sum() for tensor in expected.values())
    return float(torch.sqrt(torch.as_tensor(difference) / size))
