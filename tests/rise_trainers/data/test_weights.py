import math
import typing
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import ConfigError
from rise_trainers.data.weights import (
    WEIGHTINGS,
    centred,
    effective_sample_size,
    exponential_weights,
    histogram,
    scaled,
    weigh,
    weight_shares,
)
from rise_trainers.fitting.config import FitConfig

REWARDS = np.array([-1.0, 0.0, 1.0, 1.0])
TURNS = [0, 0, 1, 1]
PROBLEMS = ["a", "b", "a", "b"]


def weights(name: str, **settings: Any) -> list[float]:
    return list(weigh(REWARDS, TURNS, PROBLEMS, weights=name, **settings))


def test_raw_weights_are_those_of_the_released_code() -> None:
    assert weights("exp") == pytest.approx([0.0820850, 1.0, 12.1824940, 12.1824940])


def test_centring_per_turn_compares_replies_with_others_of_their_turn() -> None:
    # turn means are -0.5 and 1
    assert weights("exp_per_turn") == pytest.approx([math.exp(-1.25), math.exp(1.25), 1.0, 1.0])


def test_centring_per_problem_compares_replies_with_others_of_their_problem() -> None:
    # problem means are 0 and 0.5
    expected = [math.exp(-2.5), math.exp(-1.25), math.exp(2.5), math.exp(1.25)]
    assert weights("exp_per_problem") == pytest.approx(expected)


def test_the_mean_of_a_problem_is_that_of_all_its_attempts_also_of_those_that_are_not_trained() -> None:
    attempts = {"a": [0.0, 0.0, 0.0, 1.0], "b": [1.0]}
    found = weigh(np.array([1.0, 1.0]), [1, 0], ["a", "b"], weights="exp_per_problem", attempts=attempts)
    assert found == pytest.approx([math.exp(0.75 / 0.4), 1.0])
    with pytest.raises(ConfigError, match="no reward of the problem 'b'"):
        weigh(np.array([1.0, 1.0]), [1, 0], ["a", "b"], attempts={"a": [1.0], "b": []})


def test_centred_exp_subtracts_the_mean_of_the_exponentials_and_cuts_what_is_negative() -> None:
    # exp(r / tau) is 0.0820850, 1 and 12.1824940; the means of the problems are 6.1322895 and 6.5912470
    assert weights("centred_exp") == pytest.approx([0.0, 0.0, 6.0502045, 5.5912470])
    signed = weights("centred_exp", negative_weights=True)
    assert signed == pytest.approx([-6.0502045, -5.5912470, 6.0502045, 5.5912470])


def test_centring_after_the_exponential_gives_nothing_to_a_problem_whose_attempts_are_all_alike() -> None:
    found = {
        name: weigh(np.ones(3), [0, 1, 0], ["a", "a", "b"], weights=name).tolist()
        for name in ("exp_per_problem", "centred_exp")
    }
    assert found == {"exp_per_problem": [1.0, 1.0, 1.0], "centred_exp": [0.0, 0.0, 0.0]}


def test_advantages_are_signed_and_sum_to_zero_over_the_attempts_of_a_problem() -> None:
    assert weights("advantage") == [-1.0, -0.5, 1.0, 0.5]
    found = weigh(np.array([1.0]), [1], ["a"], weights="advantage", attempts={"a": [0.0, 0.0, 0.0, 1.0]})
    assert found.tolist() == [0.75]


@pytest.mark.parametrize("name", ["advantage", "centred_exp"])
def test_equal_rewards_have_the_weight_zero_and_not_a_rounding_error(name: str) -> None:
    assert weigh(np.full(6, 0.1), [0] * 6, ["a"] * 6, weights=name).tolist() == [0.0] * 6


def test_scaled_weights_have_the_mean_magnitude_one_also_when_their_mean_is_zero() -> None:
    assert scaled(np.array([-3.0, 0.0, 3.0])).tolist() == [-1.0, 0.0, 1.0]
    assert scaled(np.array([1.0, 3.0])).tolist() == [0.5, 1.5]
    assert scaled(np.zeros(2)).tolist() == [0.0, 0.0]


def test_statistics_of_signed_weights_use_magnitudes() -> None:
    assert effective_sample_size(np.array([-2.0, 2.0])) == pytest.approx(2)
    assert weight_shares(np.array([-1.0, 3.0]), np.array([0.0, 1.0])) == {0.0: 0.25, 1.0: 0.75}
    assert histogram(np.array([-1.0, 1.0]), bins=2)["edges"] == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", [name for name in WEIGHTINGS if name != "centred_exp"])
def test_only_centred_exp_has_negative_weights_to_keep(name: str) -> None:
    with pytest.raises(ConfigError, match="negative_weights is a setting of the weights centred_exp"):
        FitConfig(data=("s",), model="tiny", output="o", weights=name, negative_weights=True)
    with pytest.raises(ConfigError, match=f"got weights '{name}'"):
        weights(name, negative_weights=True)


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


def test_unknown_weightings_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="exp_per_turn"):
        weights("softmax")


@pytest.mark.parametrize(
    ("rewards", "turns", "problems", "message"),
    [
        (np.zeros((4, 1)), [0] * 4, ["a"] * 4, r"\[4, 1\], 4 turns and 4 problems"),
        (np.zeros(4), [0] * 3, ["a"] * 4, "3 turns"),
        (np.zeros(4), [0] * 4, ["a"], "1 problems"),
        (np.array(["1.0"] * 4), [0] * 4, ["a"] * 4, "real numbers, got <U3"),
        (np.zeros(4, dtype=complex), [0] * 4, ["a"] * 4, "complex128"),
    ],
)
@pytest.mark.parametrize("name", WEIGHTINGS)
def test_replies_that_do_not_fit_each_other_are_refused_with_their_shapes(
    name: str, rewards: np.ndarray, turns: list[int], problems: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        weigh(rewards, turns, problems, weights=name)


def test_scores_groups_and_shares_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[3\] and 2 groups"):
        centred(np.zeros(3), [0, 1])
    with pytest.raises(ConfigError, match=r"\[3, 1\] and 3 groups"):
        centred(np.zeros((3, 1)), [0, 1, 2])
    with pytest.raises(ConfigError, match=r"\[2\] and \[1\]"):
        weight_shares(np.ones(2), np.zeros(1))
    with pytest.raises(ConfigError, match="real numbers"):
        exponential_weights(np.array([None]), tau=1.0)


def test_every_weighting_of_the_table_can_be_set_and_no_other() -> None:
    hints = typing.get_type_hints(FitConfig)
    assert typing.get_args(hints["weights"]) == tuple(WEIGHTINGS)
    for name in WEIGHTINGS:
        assert FitConfig(data=("s",), model="tiny", output="o", weights=name).weights == name
    with pytest.raises(ConfigError, match="did you mean 'binary'"):
        FitConfig(data=("s",), model="tiny", output="o", weights="binarry")


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
