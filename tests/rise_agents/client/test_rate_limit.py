import pytest

from rise_agents.client.rate_limit import Prices, RateLimiter, read_prices
from rise_env.errors import ConfigError
from rise_env.types import Usage


class Clock:
    """A clock that advances only in `sleep`."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("requests", "tokens", "expected"),
    [
        pytest.param(60, 0, [0, 1, 2, 3], id="requests"),
        pytest.param(0, 600, [0, 5, 10, 15], id="tokens"),
        pytest.param(6, 600, [0, 10, 20, 30], id="the stricter one"),
        pytest.param(0, 0, [0, 0, 0, 0], id="no limit"),
    ],
)
def test_requests_are_spaced(requests: float, tokens: float, expected: list[float]) -> None:
    clock = Clock()
    limiter = RateLimiter(requests, tokens, clock=clock)
    started = []
    for _ in range(4):
        limiter.wait(50, clock.sleep)
        started.append(clock.now - 100)
    assert started == pytest.approx(expected)


def test_the_cost_of_a_reply_uses_the_price_of_cached_tokens() -> None:
    usage = Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=100)
    assert Prices(prompt=2.0, completion=10.0).cost(usage) == pytest.approx(0.003)
    assert Prices(prompt=2.0, cached=0.5, completion=10.0).cost(usage) == pytest.approx(0.0024)


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"promt": 1}, "prices must have the names prompt, cached, completion; got 'promt'"),
        (5, "US dollars per million tokens.*got 5"),
        ({"prompt": "ten"}, "price prompt must be .*got 'ten'"),
        ({"prompt": -1}, "price prompt must be .*got -1"),
        ({"completion": float("nan")}, "price completion must be .*got nan"),
    ],
)
def test_malformed_prices_are_named(prices: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_prices(prices)


def test_prices_are_read() -> None:
    assert read_prices(None) is None
    assert read_prices({"prompt": 1, "cached": None}) == Prices(prompt=1)
