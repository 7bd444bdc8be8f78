import pytest

from rise_agents.pacing import Budget, Pace, Prices
from rise_env.errors import ConfigError
from rise_env.types import Usage


class Clock:
    """Time that passes only while someone sleeps."""

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
    pace = Pace(requests, tokens, clock=clock, sleep=clock.sleep)
    started = []
    for _ in range(4):
        pace.wait(50)
        started.append(clock.now - 100)
    assert started == pytest.approx(expected)


def test_a_price_list_prices_a_reply() -> None:
    usage = Usage(prompt_tokens=1000, cached_tokens=400, completion_tokens=100)
    assert Prices(prompt=2.0, completion=10.0).cost(usage) == pytest.approx(0.003)
    assert Prices(prompt=2.0, cached=0.5, completion=10.0).cost(usage) == pytest.approx(0.0024)


def test_money_set_aside_counts_until_it_is_settled() -> None:
    budget = Budget(10.0, Prices(completion=1e6))
    first = budget.reserve(Usage(completion_tokens=6))
    with pytest.raises(ConfigError, match="may cost"):
        budget.reserve(Usage(completion_tokens=6))
    budget.settle(first, Usage(completion_tokens=2))
    second = budget.reserve(Usage(completion_tokens=6))
    budget.settle(second, None)
    assert budget.spent == 2.0
