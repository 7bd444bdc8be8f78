import pytest
import torch

from rise_trainers.loss.token_statistics import token_statistics
from tests.rise_trainers import small_models


@pytest.mark.parametrize("chunk", [1, 1 << 25])
@pytest.mark.parametrize("cap", [None, 5.0])
def test_statistics_are_those_of_the_whole_distribution_at_every_selected_token(
    chunk: int, cap: float | None
) -> None:
    model = small_models.tiny_llama(60).eval()
    if cap is not None:  # as Gemma does; the statistics then read the logits that the model returns
        model.config.final_logit_softcapping = cap
    ids = torch.randint(60, (3, 9), generator=torch.Generator().manual_seed(0))
    coefficients = torch.zeros(3, 9)
    coefficients[0, 4:6] = coefficients[1, 1] = coefficients[2, 8] = -2.0
    batch = {"input_ids": ids, "coefficients": coefficients, "attention_mask": torch.ones_like(ids)}
    logprobs, entropies = token_statistics(model, batch, logits_per_chunk=chunk)
    with torch.no_grad():
        whole = model(input_ids=ids).logits.log_softmax(-1)
    for number, (row, place) in enumerate([(0, 4), (0, 5), (1, 1), (2, 8)]):
        predicted = whole[row, place - 1]
        assert logprobs[number].item() == pytest.approx(predicted[ids[row, place]].item(), abs=1e-5)
        assert entropies[number].item() == pytest.approx(
            -(predicted.exp() * predicted).sum().item(), abs=1e-4
        )
    assert len(logprobs) == len(entropies) == 4
    assert not logprobs.requires_grad


def test_an_entropy_is_a_number_where_a_token_is_impossible() -> None:
    from rise_trainers.loss.token_statistics import _of_logits

    _, [entropy] = _of_logits(torch.tensor([[0.0, 0.0, float("-inf")]]), torch.tensor([0]))
    assert entropy.item() == pytest.approx(0.6931, abs=1e-3)
