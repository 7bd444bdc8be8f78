import math

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_env.intervals import bootstrap


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
    calm = bootstrap(np.full((3, 50), 0.5))
    torn = bootstrap(np.array([[0.2] * 50, [0.5] * 50, [0.8] * 50]))
    assert calm.high - calm.low == 0
    assert torn.high - torn.low > 0.3


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
