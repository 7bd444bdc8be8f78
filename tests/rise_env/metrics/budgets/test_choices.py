import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rise_env.errors import ConfigError
from rise_env.metrics.accuracy import majority
from rise_env.metrics.budgets.choices import best_of, weighted_vote

NAN = float("nan")


@pytest.mark.parametrize(
    ("answer", "score", "best", "vote"),
    [
        ([1, 2, 2], [0.9, 0.2, 0.3], 1, 1),  # one right reply outweighs two wrong ones
        ([1, 2, 2], [0.5, 0.2, 0.4], 1, 0),
        ([2, 1, 1], [0.4, 0.4, 0.1], 0, 1),  # the first of equals is the best
        ([1, 2, 0], [0.5, 0.5, 0.9], 0, 0.5),  # a reply without an answer is chosen but does not vote
        ([2, 1], [NAN, 0.0], 1, 0.5),  # no score above 0: a plain majority
        ([1, 2, 2], [NAN, 0.1, NAN], 0, 0),
        ([0, 0], [0.5, 0.5], 0, 0),
        ([3, 1, 2, 1], [0.3, 0.1, 0.3, 0.2], 0, 1 / 3),
    ],
)
def test_scores_choose_one_answer(answer: list[int], score: list[float], best: float, vote: float) -> None:
    classes, scores = np.array([answer]), np.array([score])
    assert best_of(classes, scores).tolist() == [best]
    assert weighted_vote(classes, scores) == pytest.approx([vote])


@given(answer=arrays(np.int64, (4, 6), elements=st.integers(0, 3)), weight=st.floats(0.01, 1))
def test_a_vote_with_equal_scores_is_the_majority(
    answer: "np.ndarray[tuple[int, int], np.dtype[np.int64]]", weight: float
) -> None:
    np.testing.assert_allclose(weighted_vote(answer, np.full((4, 6), weight)), majority(answer))


def test_arrays_of_different_shapes_are_refused() -> None:
    with pytest.raises(ConfigError, match="one shape"):
        best_of(np.array([[1, 2]]), np.array([[0.5]]))
    with pytest.raises(ConfigError, match="score must be"):
        weighted_vote(np.array([[1, 2]]), np.array([[1, 0]]))
