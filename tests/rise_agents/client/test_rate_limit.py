from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from rise_agents.client.rate_limit import CostBudget, Prices, RateLimiter, billable_usage, read_prices
from rise_env.errors import ConfigError
from rise_env.types import Usage

PER_TOKEN = Prices(completion=1e6)


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


@pytest.mark.parametrize(("cost", "refused"), [(2, False), (6, True)])
def test_a_request_waits_for_reservations_and_is_refused_only_for_spent_money(
    cost: int, refused: bool
) -> None:
    budget = CostBudget(10.0, PER_TOKEN)
    first = budget.reserve(Usage(completion_tokens=6))
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(budget.reserve, Usage(completion_tokens=6))
        assert not wait([second], timeout=0.1).done
        budget.settle(first, Usage(completion_tokens=cost))
        if refused:
            with pytest.raises(ConfigError, match=r"\$6\.0000 spent, and the next request may cost \$6\."):
                second.result()
        else:
            budget.settle(second.result(), None)
    assert budget.spent == cost


def test_a_request_that_alone_exceeds_the_cap_is_refused_at_once() -> None:
    budget = CostBudget(10.0, PER_TOKEN)
    budget.reserve(Usage(completion_tokens=6))
    with pytest.raises(ConfigError, match=r"the cap of \$10 is reached"):
        budget.reserve(Usage(completion_tokens=11))


def test_replies_that_were_paid_for_earlier_count() -> None:
    budget = CostBudget(10.0, PER_TOKEN, [Usage(completion_tokens=3), Usage(completion_tokens=4)])
    assert budget.spent == 7.0
    with pytest.raises(ConfigError, match=r"\$7\.0000 spent"):
        budget.reserve(Usage(completion_tokens=4))


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        pytest.param((10, 4, 6), (10, 4, 6), id="all"),
        pytest.param((0, 0, 0), (100, 50, 0), id="nothing"),
        pytest.param((10, 0, 0), (10, 50, 0), id="only the prompt"),
    ],
)
def test_tokens_that_a_server_does_not_report_are_billed_at_the_maximum(
    reported: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    assert billable_usage(usage(*reported), usage(100, 50, 0)) == usage(*expected)


def usage(prompt: int, completion: int, cached: int) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)


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
