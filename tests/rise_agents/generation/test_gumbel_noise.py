import numpy as np
import torch

from rise_agents.generation.gumbel_sampling import gumbel, request_keys


def noise(seeds: list[int], step: int = 0, tokens: int = 64) -> torch.Tensor:
    return gumbel(request_keys(seeds), np.full(len(seeds), step), tokens, "cpu")


def test_it_has_the_mean_and_variance_of_the_gumbel_distribution() -> None:
    drawn = noise(list(range(5000)))
    assert abs(drawn.mean().item() - 0.5772) < 0.01
    assert abs(drawn.var().item() - np.pi**2 / 6) < 0.03
    assert drawn.isfinite().all()


def test_the_largest_of_logits_with_noise_is_a_draw_from_their_softmax() -> None:
    probabilities = torch.tensor([0.5, 0.25, 0.125, 0.0625, 0.0625])
    drawn = (probabilities.log() + noise(list(range(100_000)), tokens=5)).argmax(dim=1)
    counts = torch.bincount(drawn, minlength=5)
    expected = probabilities * counts.sum()
    chi_square = ((counts - expected) ** 2 / expected).sum().item()
    assert chi_square < 18.5  # 4 degrees of freedom, one in a thousand


def test_a_row_depends_on_its_own_seed_and_step_only() -> None:
    together = noise([5, 7, 2**63 - 1], step=3)
    assert torch.equal(noise([7], step=3)[0], together[1])
    assert torch.equal(noise([2**63 - 1], step=3)[0], together[2])
    assert not torch.equal(noise([7], step=4)[0], together[1])


def test_neighbouring_seeds_steps_and_tokens_are_uncorrelated() -> None:
    seeds = list(range(20_000))
    base = noise(seeds, tokens=8)
    others = {
        "seeds": noise([seed + 1 for seed in seeds], tokens=8),
        "high bits of seeds": noise([seed + (1 << 40) for seed in seeds], tokens=8),
        "steps": noise(seeds, step=1, tokens=8),
        "tokens": base.roll(1, dims=1),
    }
    for name, other in others.items():
        correlation = np.corrcoef(base.flatten(), other.flatten())[0, 1]
        assert abs(correlation) < 0.01, name
