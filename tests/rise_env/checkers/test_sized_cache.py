"""The cache of trees keeps what is used, and its memory is bounded."""

import tracemalloc
from random import Random

import pytest

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
