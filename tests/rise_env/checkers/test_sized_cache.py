"""The caches keep what is used, and their memory is bounded."""

import copy
import pickle
import tracemalloc
from random import Random

import pytest

from rise_env.checkers import numeric
from rise_env.checkers.reading import read_answer
from rise_env.checkers.sized_cache import SizedCache


def test_values_stay_until_the_size_is_used_up() -> None:
    cache: SizedCache[int, str] = SizedCache(100)
    for key in range(50):
        cache.put(key, str(key), 10)
        assert cache.get(key) == str(key)
        assert len(cache) <= 10
    assert cache.get(0) is None


def test_a_value_that_is_used_stays() -> None:
    cache: SizedCache[str, int] = SizedCache(100)
    cache.put("used", 1, 10)
    for key in range(50):
        cache.put(str(key), key, 10)
        assert cache.get("used") == 1


def test_a_value_that_would_fill_the_cache_is_not_kept() -> None:
    cache: SizedCache[str, int] = SizedCache(100)
    cache.put("large", 1, 26)
    assert cache.get("large") is None


def test_trees_of_long_tuples_fill_no_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(0)
    bound = 2 << 20
    monkeypatch.setattr(read_answer, "_answers", SizedCache(bound))
    tracemalloc.start()
    try:
        for _ in range(80):  # without a bound these trees have 4 MB
            read_answer.read("(" + ",".join(str(random.randint(0, 9)) for _ in range(250)) + ")")
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert size < bound


def test_results_of_the_numeric_checker_fill_no_more_than_their_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bound = 1 << 19
    monkeypatch.setattr(numeric, "_CACHE_BYTES", bound)
    checker = numeric.NumericChecker()
    checker.check("#### 1", "1")
    tracemalloc.start()
    try:
        for value in range(4000):  # without a bound the results and references have 2 MB
            checker.check(f"#### {value}", str(value + 1))
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert size < 2 * bound


def test_a_pickled_or_copied_cache_has_the_same_size_and_no_values() -> None:
    cache: SizedCache[str, int] = SizedCache(1000)
    cache.put("a", 1, 10)
    pickled = pickle.loads(pickle.dumps(cache))  # noqa: S301
    for other in (pickled, copy.deepcopy(cache)):
        assert (other.max_bytes, len(other), other.get("a")) == (1000, 0, None)
        other.put("b", 2, 10)
        assert cache.get("b") is None
