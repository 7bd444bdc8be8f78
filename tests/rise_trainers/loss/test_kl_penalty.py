import math
from typing import Any

import pytest
import torch

from rise_env.errors import ConfigError
from rise_trainers.loss.fused_linear import linear_weighted_nll
from rise_trainers.loss.kl_penalty import KLPenalty
from rise_trainers.loss.weighted_nll import chunked_weighted_nll, weighted_nll


def tensors(tokens: int = 7, width: int = 5, vocabulary: int = 11) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {
        "hidden": drawn(tokens, width).requires_grad_(),
        "weight": drawn(vocabulary, width).requires_grad_(),
        "targets": torch.randint(vocabulary, (tokens,), generator=generator),
        "coefficients": drawn(tokens),
        "penalty": KLPenalty(drawn(tokens) - 2, drawn(tokens).abs()),
    }


def test_the_penalty_is_the_estimate_of_schulman_and_zero_for_equal_models() -> None:
    logits = torch.log(torch.tensor([[0.25, 0.75]], dtype=torch.float64))
    zero = torch.zeros(1, dtype=torch.float64)

    def loss(first: float, weight: float) -> float:
        penalty = KLPenalty(torch.tensor([math.log(first)]).double(), torch.tensor([weight]).double())
        return weighted_nll(logits, torch.tensor([0]), zero, normalizer=2.0, penalty=penalty).item()

    assert loss(0.25, 3.0) == pytest.approx(0.0)
    assert loss(0.5, 3.0) == pytest.approx(3.0 * (2.0 - 1.0 - math.log(2.0)) / 2.0)
    assert loss(0.125, 3.0) > 0


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_fused_and_chunked_losses_have_the_gradient_of_the_plain_one(rows: int) -> None:
    def gradients(loss_of: Any) -> tuple[float, list[torch.Tensor]]:
        made = tensors()
        loss = loss_of(made)
        loss.backward()
        return loss.item(), [made["hidden"].grad, made["weight"].grad]

    def plain(t: dict[str, Any]) -> torch.Tensor:
        logits = t["hidden"] @ t["weight"].T
        return weighted_nll(logits, t["targets"], t["coefficients"], normalizer=3.0, penalty=t["penalty"])

    def fused(t: dict[str, Any]) -> torch.Tensor:
        return linear_weighted_nll(
            t["hidden"],
            t["weight"],
            None,
            t["targets"],
            t["coefficients"],
            normalizer=3.0,
            penalty=t["penalty"],
            logits_per_chunk=11 * rows,
        )

    def chunked(t: dict[str, Any]) -> torch.Tensor:
        return chunked_weighted_nll(
            lambda states: states @ t["weight"].T,
            t["hidden"],
            t["targets"],
            t["coefficients"],
            normalizer=3.0,
            vocabulary=11,
            penalty=t["penalty"],
            logits_per_chunk=11 * rows,
        )

    expected = gradients(plain)
    for loss_of in (fused, chunked):
        found = gradients(loss_of)
        assert found[0] == pytest.approx(expected[0])
        for one, other in zip(found[1], expected[1], strict=True):
            torch.testing.assert_close(one, other)


def test_the_slope_is_the_derivative() -> None:
    penalty = tensors()["penalty"]
    nll = torch.linspace(0.1, 3.0, 7, dtype=torch.float64).requires_grad_()
    penalty.of(nll).sum().backward()
    torch.testing.assert_close(penalty.slope(nll.detach()), nll.grad)


def test_a_penalty_of_two_lengths_is_refused() -> None:
    with pytest.raises(ConfigError, match="KL penalty must be"):
        KLPenalty(torch.zeros(2), torch.zeros(1))
