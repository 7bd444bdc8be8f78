import pytest

from rise_agents.estimating import Estimate, estimate_episodes, read_prices
from rise_agents.pacing import Prices
from rise_env.errors import ConfigError

from .players import sums


def test_the_most_that_can_be_asked_for_is_counted_by_hand() -> None:
    # "What is 0 + 0?" and the first prompt around it; with no reply, each turn adds the feedback
    env = sums(feedback=lambda problem, check, turn: "xxx")
    env.reset(options={"index": 0})
    first = len(env.reset(options={"index": 0})[0][0]["content"]) / 3 + 8
    found = estimate_episodes(env, [0] * 10, samples=[1, 1, 4], max_new_tokens=50)
    second = first + 8 + (1 + 8) + 50
    third = second + 8 + (1 + 8) + 50
    assert found.calls == 10 * (2 + 4)
    assert found.completion_tokens == 60 * 50
    assert found.prompt_tokens == pytest.approx(10 * (first + second + 4 * third), abs=1)
    assert found.usd is None


def test_prices_make_it_dollars() -> None:
    found = estimate_episodes(
        sums(), range(5), samples=[1], max_new_tokens=1000, last_prices=Prices(completion=2.0)
    )
    assert found.usd == pytest.approx(0.01)
    assert "$0.01" in str(found)


def test_each_turn_costs_what_its_agent_costs() -> None:
    found = estimate_episodes(
        sums(),
        range(5),
        samples=[1, 1, 4],
        max_new_tokens=1000,
        prices=Prices(completion=10.0),
        last_prices=Prices(completion=1.0),
    )
    assert found.usd == pytest.approx(5 * (2 * 0.01 + 4 * 0.001))
    assert found.unpriced == 0


def test_what_has_no_price_is_said() -> None:
    found = estimate_episodes(
        sums(), range(5), samples=[1, 1, 4], max_new_tokens=1000, last_prices=Prices(completion=1.0)
    ).times(2)
    assert found.usd == pytest.approx(2 * 5 * 4 * 0.001)
    assert str(found).endswith("$0.04 for 40 calls; the other 20 have no price")
    assert "price" not in str(Estimate(episodes=1, calls=1, prompt_tokens=1, completion_tokens=1, usd=None))


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"promt": 1}, "prices have prompt, cached, completion; got 'promt'"),
        (5, "US dollars per million tokens.*got 5"),
        ({"prompt": "ten"}, "price prompt must be .*got 'ten'"),
        ({"prompt": -1}, "price prompt must be .*got -1"),
        ({"completion": float("nan")}, "price completion must be .*got nan"),
    ],
)
def test_prices_that_cannot_be_are_named(prices: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_prices({"prices": prices})


def test_prices_are_read() -> None:
    assert read_prices({}) is None
    assert read_prices({"prices": {"prompt": 1, "cached": None}}) == Prices(prompt=1)
