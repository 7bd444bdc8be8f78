import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import ConfigError
from rise_trainers.data.weights import (
    centred,
    effective_sample_size,
    exponential_weights,
    histogram,
    weigh,
    weight_shares,
)

REWARDS = np.array([-1.0, 0.0, 1.0, 1.0])
TURNS = [0, 0, 1, 1]
PROBLEMS = ["a", "b", "a", "b"]


def weights(scheme: str, **settings: float) -> list[float]:
    return list(weigh(REWARDS, TURNS, PROBLEMS, weights=scheme, **settings))  # type: ignore[arg-type]


def test_raw_weights_are_those_of_the_released_code() -> None:
    assert weights("exp") == pytest.approx([0.0820850, 1.0, 12.1824940, 12.1824940])


def test_centring_per_turn_compares_replies_with_others_of_their_turn() -> None:
    # turn means are -0.5 and 1
    assert weights("exp_per_turn") == pytest.approx([math.exp(-1.25), math.exp(1.25), 1.0, 1.0])


def test_centring_per_problem_compares_replies_with_others_of_their_problem() -> None:
    # problem means are 0 and 0.5
    expected = [math.exp(-2.5), math.exp(-1.25), math.exp(2.5), math.exp(1.25)]
    assert weights("exp_per_problem") == pytest.approx(expected)


def test_binary_weights_keep_successes_only() -> None:
    assert weights("binary") == [0.0, 0.0, 1.0, 1.0]
    assert weights("binary", success=0.0) == [0.0, 1.0, 1.0, 1.0]


def test_uniform_weights_are_one() -> None:
    assert weights("uniform") == [1.0] * 4


def test_weights_are_capped() -> None:
    assert max(weights("exp", max_weight=5.0)) == pytest.approx(5.0)
    assert min(weights("exp", max_weight=5.0)) == pytest.approx(0.0820850)


def test_tiny_taus_do_not_overflow() -> None:
    assert np.isfinite(exponential_weights(REWARDS, tau=1e-300)).all()


@pytest.mark.parametrize("settings", [{"tau": 0.0}, {"tau": float("nan")}, {"max_weight": 0.0}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        weights("exp", **settings)


def test_unknown_schemes_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="exp_per_turn"):
        weights("softmax")


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_centred_scores_of_each_group_sum_to_zero(pairs: list[tuple[float, int]]) -> None:
    groups = [group for _, group in pairs]
    scores = centred(np.array([score for score, _ in pairs]), groups)
    for group in set(groups):
        assert sum(s for s, g in zip(scores, groups, strict=True) if g == group) == pytest.approx(0, abs=1e-9)


def test_effective_sample_size_counts_equal_weights_fully_and_one_large_weight_as_one() -> None:
    assert effective_sample_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_sample_size(np.array([1e9, 1.0, 1.0])) == pytest.approx(1)
    assert effective_sample_size(np.zeros(3)) == 0


def test_shares_say_how_much_weight_each_reward_holds() -> None:
    assert weight_shares(np.array([1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0])) == {0.0: 0.5, 1.0: 0.5}


def test_the_histogram_counts_every_weight() -> None:
    found = histogram(np.array([0.0, 1.0, 1.0]), bins=2)
    assert found == {"edges": [0.0, 0.5, 1.0], "counts": [1.0, 2.0]}
