from itertools import product

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_env.metrics.significance import mcnemar


def test_mcnemar_worked_out_by_hand() -> None:
    first = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 5)
    second = np.array([0.0] * 8 + [1.0] * 2 + [1.0] * 5)
    # 8 against 2: 2 * (1 + 10 + 45) / 1024
    assert mcnemar(first, second) == (8, 2, pytest.approx(0.109375))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_p_value_is_the_share_of_coin_tosses_as_lopsided(n: int) -> None:
    tosses = [sum(toss) for toss in product((0, 1), repeat=n)]
    for heads in range(n + 1):
        first = np.array([1.0] * heads + [0.0] * (n - heads))
        extreme = sum(abs(2 * t - n) >= abs(2 * heads - n) for t in tosses) / len(tosses)
        assert mcnemar(first, 1 - first)[2] == pytest.approx(min(1.0, extreme))


def test_no_difference_is_no_evidence() -> None:
    assert mcnemar(np.ones(4), np.ones(4)) == (0, 0, 1.0)


def test_many_problems_do_not_overflow() -> None:
    first = np.array([1.0] * 60_000 + [0.0] * 40_000)
    assert mcnemar(first, 1 - first)[2] < 1e-100
    even = np.array([1.0, 0.0] * 50_000)
    assert mcnemar(even, 1 - even)[2] == pytest.approx(1.0, abs=0.01)


def test_pairs_are_needed() -> None:
    with pytest.raises(ConfigError, match="arrays of one shape"):
        mcnemar(np.ones(3), np.ones(4))
