import math

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_env.metrics.bootstrap import bootstrap, paired_bootstrap, paired_ratio_bootstrap


def test_interval_of_one_seed_is_the_binomial_one() -> None:
    values = np.array([[1.0] * 120 + [0.0] * 180])
    estimate = bootstrap(values)
    half = 1.96 * math.sqrt(0.4 * 0.6 / 300)
    assert estimate.mean == pytest.approx(0.4)
    assert estimate.low == pytest.approx(0.4 - half, abs=0.01)
    assert estimate.high == pytest.approx(0.4 + half, abs=0.01)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        estimate = bootstrap((rng.random((1, 100)) < 0.3).astype(float), draws=400)
        hits += estimate.low <= 0.3 <= estimate.high
    assert 180 <= hits <= 200


def test_pairing_takes_the_spread_of_problems_out_of_a_difference() -> None:
    rng = np.random.default_rng(0)
    ability = rng.random((1, 400))
    estimate = bootstrap((ability + 0.1) - ability)
    assert estimate.low == pytest.approx(0.1)
    assert estimate.high == pytest.approx(0.1)


def test_disagreement_between_seeds_widens_the_interval() -> None:
    agreeing = bootstrap(np.full((3, 50), 0.5))
    differing = bootstrap(np.array([[0.2] * 50, [0.5] * 50, [0.8] * 50]))
    assert agreeing.high - agreeing.low == 0
    assert differing.high - differing.low > 0.3


def test_a_ratio_divides_sums_and_not_problems() -> None:
    estimate = bootstrap(np.array([[1.0, 0.0, 3.0]]), np.array([[1.0, 0.0, 4.0]]))
    assert estimate.mean == pytest.approx(0.8)


def test_nothing_to_divide_by_is_not_a_number() -> None:
    assert math.isnan(bootstrap(np.zeros((1, 3)), np.zeros((1, 3))).mean)


def test_an_empty_table_is_an_error() -> None:
    with pytest.raises(ConfigError, match="seeds, problems"):
        bootstrap(np.zeros((0, 3)))


def test_the_same_table_gives_the_same_interval() -> None:
    values = np.random.default_rng(1).random((2, 30))
    assert bootstrap(values) == bootstrap(values)


def test_drawing_groups_of_equal_problems_is_drawing_problems() -> None:
    values = np.array([[0.0, 1.0, 1.0, 0.0, 0.5, 1.0] * 20, [1.0, 1.0, 0.0, 0.0, 0.5, 1.0] * 20])
    found = bootstrap(values, draws=4000)
    rng = np.random.default_rng(5)
    means = [
        values[rng.integers(0, 2, 2)][:, rng.integers(0, 120, 120)].mean()  # as a textbook draws
        for _ in range(4000)
    ]
    assert found.low == pytest.approx(np.quantile(means, 0.025), abs=0.01)
    assert found.high == pytest.approx(np.quantile(means, 0.975), abs=0.01)


def test_a_hundred_thousand_problems_take_no_more_memory_than_two_kinds() -> None:
    values = (np.random.default_rng(0).random((1, 100_000)) < 0.5).astype(float)
    estimate = bootstrap(values)
    half = 1.96 * math.sqrt(0.25 / 100_000)
    assert (estimate.high - estimate.low) / 2 == pytest.approx(half, rel=0.1)


def test_a_paired_comparison_says_how_sure_it_is() -> None:
    rng = np.random.default_rng(2)
    ability = rng.random((1, 300))
    first, second = ((ability > 0.5).astype(float), (ability > 0.45).astype(float))
    gain, p = paired_bootstrap(first, second)
    assert gain.low > 0
    assert p == 1 / 2000  # no bootstrap mean was at or below 0
    same, even = paired_bootstrap(first, first)
    assert (same.low, same.high, even) == (0.0, 0.0, 1.0)
    back, p_back = paired_bootstrap(second, first)
    assert back.mean == -gain.mean
    assert p_back == p
    with pytest.raises(ConfigError, match="one shape"):
        paired_bootstrap(first, second[:, 1:])


def test_the_p_value_is_about_the_normal_one() -> None:
    difference = np.array([[1.0] * 40 + [-1.0] * 25 + [0.0] * 235])
    _, p = paired_bootstrap(np.zeros_like(difference), difference)
    z = difference.mean() / (difference.std() / math.sqrt(300))
    assert p == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.015)


def test_the_difference_of_two_ratios_is_paired() -> None:
    rng = np.random.default_rng(1)
    of = rng.integers(1, 9, (2, 200)).astype(float)
    happened = np.floor(of * rng.random((2, 200)))
    same = paired_ratio_bootstrap((happened, of), (happened, of))
    assert (same.mean, same.low, same.high) == (0.0, 0.0, 0.0)
    higher = paired_ratio_bootstrap((happened, of), (happened + 0.25 * of, of))
    assert higher.mean == pytest.approx(0.25)
    assert higher.high - higher.low < 1e-9  # each problem differs by the same share


def test_a_difference_of_ratios_of_ones_is_that_of_means() -> None:
    rng = np.random.default_rng(2)
    first, second = ((rng.random((1, 150)) < share).astype(float) for share in (0.3, 0.5))
    ones = np.ones_like(first)
    ratio = paired_ratio_bootstrap((first, ones), (second, ones))
    mean, _ = paired_bootstrap(first, second)
    assert ratio.mean == pytest.approx(mean.mean)
    assert ratio.low == pytest.approx(mean.low, abs=0.02)
    assert ratio.high == pytest.approx(mean.high, abs=0.02)


def test_a_difference_to_a_ratio_of_nothing_is_not_a_number() -> None:
    zeros, ones = np.zeros((1, 3)), np.ones((1, 3))
    assert math.isnan(paired_ratio_bootstrap((zeros, zeros), (ones, ones)).mean)
    with pytest.raises(ConfigError, match="one shape"):
        paired_ratio_bootstrap((zeros, zeros), (np.ones((1, 4)), np.ones((1, 4))))
