import pytest
import torch

from rise_trainers.loss.fused_linear import linear_weighted_nll
from rise_trainers.loss.weighted_nll import weighted_nll


def problem(dtype: torch.dtype = torch.float64, *, bias: bool = True) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(17, 6, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    weight = torch.randn(50, 6, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    row = torch.randn(50, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    targets = torch.randint(0, 50, (17,), generator=generator)
    return (
        hidden,
        weight,
        row if bias else torch.zeros(50, dtype=dtype),
        targets,
        torch.rand(17, generator=generator),
    )


@pytest.mark.parametrize("per_chunk", [50, 170, 10_000])
@pytest.mark.parametrize("bias", [True, False])
def test_loss_and_gradient_are_those_of_the_plain_loss(per_chunk: int, bias: bool) -> None:
    hidden, weight, row, targets, coefficients = problem(bias=bias)
    inputs = [hidden, weight, row] if bias else [hidden, weight]
    whole = weighted_nll(hidden @ weight.T + row, targets, coefficients, normalizer=9.0)
    expected = torch.autograd.grad(3 * whole, inputs)
    loss = linear_weighted_nll(
        hidden,
        weight,
        row if bias else None,
        targets,
        coefficients,
        normalizer=9.0,
        logits_per_chunk=per_chunk,
    )
    torch.testing.assert_close(loss, whole)
    torch.testing.assert_close(torch.autograd.grad(3 * loss, inputs), expected)


def test_large_logits_overflow_nowhere() -> None:
    hidden, weight, _, targets, coefficients = problem(torch.float32)
    loss = linear_weighted_nll(hidden * 1e4, weight, None, targets, coefficients, normalizer=1.0)
    expected = weighted_nll((hidden * 1e4) @ weight.T, targets, coefficients, normalizer=1.0)
    torch.testing.assert_close(loss, expected)
    assert torch.isfinite(torch.autograd.grad(loss, hidden)[0]).all()


def test_half_precision_sums_in_float32() -> None:
    hidden, weight, _, targets, coefficients = problem(torch.bfloat16)
    loss = linear_weighted_nll(
        hidden, weight, None, targets, coefficients, normalizer=9.0, logits_per_chunk=50
    )
    assert loss.dtype == torch.float32
    grads = torch.autograd.grad(loss, [hidden, weight])
    assert [grad.dtype for grad in grads] == [torch.bfloat16] * 2
    precise = [tensor.detach().double().requires_grad_() for tensor in (hidden, weight)]
    exact = weighted_nll(precise[0] @ precise[1].T, targets, coefficients, normalizer=9.0)
    for found, expected in zip(grads, torch.autograd.grad(exact, precise), strict=True):
        assert (found.double() - expected).norm() / expected.norm() < 0.02


def test_a_frozen_layer_gets_no_gradient() -> None:
    hidden, weight, _, targets, coefficients = problem()
    frozen = weight.detach()
    linear_weighted_nll(hidden, frozen, None, targets, coefficients, normalizer=1.0).backward()
    assert hidden.grad is not None
    assert frozen.grad is None


def test_no_trained_token_is_loss_zero_with_a_gradient_of_zeros() -> None:
    weight = torch.ones(50, 6, requires_grad=True)
    hidden = torch.zeros(0, 6, requires_grad=True)
    nothing = torch.zeros(0, dtype=torch.long)
    loss = linear_weighted_nll(hidden, weight, None, nothing, torch.zeros(0), normalizer=3.0)
    loss.backward()
    assert loss.item() == 0
    assert weight.grad is not None
    assert not weight.grad.any()
