import pytest
import torch

from rise_agents.generation.gumbel_sampling import SeededSampling, nucleus, request_keys
from rise_agents.types import SamplingConfig

ROWS = 20_000
PROBABILITIES = torch.tensor([0.6, 0.3, 0.08, 0.02])


def frequencies(sampling: SamplingConfig) -> torch.Tensor:
    sample = SeededSampling(sampling, request_keys(list(range(ROWS))), start=3)
    ids = torch.zeros((ROWS, 3), dtype=torch.long)
    drawn = sample(ids, PROBABILITIES.log().expand(ROWS, 4)).argmax(dim=1)
    return torch.bincount(drawn, minlength=4) / ROWS


def test_temperature_one_draws_from_the_model() -> None:
    torch.testing.assert_close(frequencies(SamplingConfig()), PROBABILITIES, atol=0.012, rtol=0)


def test_a_low_temperature_sharpens() -> None:
    sharp = PROBABILITIES**2 / (PROBABILITIES**2).sum()
    torch.testing.assert_close(frequencies(SamplingConfig(temperature=0.5)), sharp, atol=0.012, rtol=0)


def test_temperature_zero_is_greedy() -> None:
    assert frequencies(SamplingConfig(temperature=0.0)).tolist() == [1, 0, 0, 0]


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    torch.testing.assert_close(
        frequencies(SamplingConfig(top_p=0.85)), torch.tensor([2 / 3, 1 / 3, 0, 0]), atol=0.012, rtol=0
    )


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [
        pytest.param(0.5, [1, 0, 0, 0], id="always one"),
        pytest.param(0.61, [1, 1, 0, 0], id="just above one"),
        pytest.param(1.0, [1, 1, 1, 1], id="all"),
    ],
)
def test_the_nucleus_of_four_tokens(top_p: float, kept: list[int]) -> None:
    shuffled = PROBABILITIES.log()[None, [2, 0, 3, 1]]
    assert nucleus(shuffled, top_p).isfinite()[0, [1, 3, 0, 2]].int().tolist() == kept


def test_log_probabilities_are_the_models_own() -> None:
    sample = SeededSampling(
        SamplingConfig(temperature=0.5, top_p=0.9), request_keys([1, 2]), start=1, logprobs=True
    )
    scores = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    taken = sample(torch.zeros((2, 1), dtype=torch.long), scores).argmax(dim=1)
    assert sample.logprobs is not None
    expected = scores.log_softmax(dim=1)[[0, 1], taken]
    torch.testing.assert_close(sample.logprobs[0], expected)
