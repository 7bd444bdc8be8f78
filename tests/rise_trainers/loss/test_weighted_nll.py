import pytest
import torch

from rise_trainers.loss.weighted_nll import chunked_weighted_nll, weighted_nll


def test_the_loss_is_the_weighted_sum_over_the_normalizer() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    loss = weighted_nll(logits, torch.tensor([0, 2]), torch.tensor([3.0, 1.0]), normalizer=2.0)
    expected = (3 * -torch.log(torch.tensor(0.5)) - torch.log(torch.tensor(0.8))) / 2
    torch.testing.assert_close(loss, expected)


def test_half_precision_logits_are_summed_in_float32() -> None:
    logits = torch.randn(1000, 8, generator=torch.Generator().manual_seed(0)).bfloat16()
    loss = weighted_nll(logits, torch.zeros(1000, dtype=torch.long), torch.ones(1000), normalizer=1.0)
    assert loss.dtype == torch.float32


@pytest.mark.parametrize("per_chunk", [50, 55, 1000])
def test_chunks_change_neither_loss_nor_gradient(per_chunk: int) -> None:
    generator = torch.Generator().manual_seed(0)
    head = torch.nn.Linear(6, 50, bias=False).double()
    hidden = torch.randn(17, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, 50, (17,), generator=generator)
    coefficients = torch.rand(17, generator=generator)
    whole = weighted_nll(head(hidden), targets, coefficients, normalizer=9.0)
    expected = torch.autograd.grad(whole, [hidden, head.weight])
    loss = chunked_weighted_nll(
        head, hidden, targets, coefficients, normalizer=9.0, vocabulary=50, logits_per_chunk=per_chunk
    )
    torch.testing.assert_close(loss, whole, check_dtype=False)
    torch.testing.assert_close(torch.autograd.grad(loss, [hidden, head.weight]), expected)


def test_a_part_without_trained_tokens_has_loss_zero_and_a_gradient() -> None:
    head = torch.nn.Linear(6, 50)
    hidden = torch.zeros(0, 6, requires_grad=True)
    nothing = torch.zeros(0, dtype=torch.long)
    loss = chunked_weighted_nll(head, hidden, nothing, torch.zeros(0), normalizer=3.0, vocabulary=50)
    loss.backward()
    assert loss.item() == 0
    assert head.weight.grad is not None
    assert not head.weight.grad.any()


@pytest.mark.slow
def test_the_loss_of_a_large_vocabulary_needs_a_quarter_of_its_logits() -> None:
    from rise_benchmarks.speed.fit_memory import measure

    assert measure("chunks", 4096, 128_256)["of_full_logits"] < 0.25
