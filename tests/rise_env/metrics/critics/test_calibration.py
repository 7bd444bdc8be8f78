import math

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_env.metrics.critics.calibration import auc, auc_within, calibration_error, critic_quality

SCORES = np.array([0.9, 0.8, 0.2, 0.1])
RIGHT = np.array([True, True, False, False])


def test_auc_is_the_share_of_pairs_that_are_ranked_right() -> None:
    assert auc(SCORES, RIGHT) == 1
    assert auc(1 - SCORES, RIGHT) == 0
    assert auc(np.full(4, 0.5), RIGHT) == 0.5
    assert auc(np.array([0.9, 0.2, 0.8, 0.2]), RIGHT) == (1 + 1 + 0 + 0.5) / 4
    assert math.isnan(auc(SCORES, np.ones(4, dtype=bool)))


def test_a_critic_that_knows_only_the_problems_has_no_auc_within_them() -> None:
    # problem 0 is easy (3 of 4 right) and problem 1 hard (1 of 4); the critic rates problems
    problems = np.repeat([0, 1], 4)
    right = np.array([1, 1, 1, 0, 1, 0, 0, 0], dtype=bool)
    scores = np.repeat([0.9, 0.1], 4)
    assert auc(scores, right) == 0.75
    assert auc_within(scores, right, problems) == 0.5
    scores[3] = scores[5] = 0.0
    # problem 0: three won pairs; problem 1: one won pair and two ties
    assert auc_within(scores, right, problems) == (3 + 2) / 6


def test_the_calibration_error_is_the_mean_distance_in_ten_bins() -> None:
    assert calibration_error(np.array([0.25, 0.25, 0.95]), np.array([True, False, True])) == pytest.approx(
        (2 * 0.25 + 1 * 0.05) / 3
    )
    assert calibration_error(np.array([1.0]), np.array([True])) == 0
    assert math.isnan(calibration_error(np.array([]), np.array([], dtype=bool)))


def test_precision_and_recall_count_scores_above_one_half() -> None:
    quality = critic_quality(
        np.array([0.9, 0.6, 0.5, 0.1]), np.array([True, False, True, True]), np.zeros(4, int)
    )
    assert (quality.precision, quality.recall, quality.replies) == (0.5, 1 / 3, 4)


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="one length"):
        critic_quality(SCORES, RIGHT, np.zeros(3, int))
