import pytest

from rise_agents.client.rate_limit import Prices
from rise_agents.rollout.cost_estimate import Estimate, estimate_episodes
from tests.rise_agents.fake_agents import sums


def test_the_most_that_can_be_asked_for_is_counted_by_hand() -> None:
    # "What is 0 + 0?" and the first prompt around it; with no reply, each turn adds the feedback
    env = sums(feedback=lambda problem, check, turn: "xxx")
    env.reset(options={"index": 0})
    first = len(env.reset(options={"index": 0})[0][0]["content"]) / 3 + 8
    found = estimate_episodes(env, [0] * 10, num_samples=[1, 1, 4], max_new_tokens=50)
    second = first + 8 + (1 + 8) + 50
    third = second + 8 + (1 + 8) + 50
    assert found.calls == 10 * (2 + 4)
    assert found.completion_tokens == 60 * 50
    assert found.prompt_tokens == pytest.approx(10 * (first + second + 4 * third), abs=1)
    assert found.usd is None


def test_prices_make_it_dollars() -> None:
    found = estimate_episodes(
        sums(), range(5), num_samples=[1], max_new_tokens=1000, teacher_prices=Prices(completion=2.0)
    )
    assert found.usd == pytest.approx(0.01)
    assert "$0.01" in str(found)


def test_each_turn_costs_what_its_agent_costs() -> None:
    found = estimate_episodes(
        sums(),
        range(5),
        num_samples=[1, 1, 4],
        max_new_tokens=1000,
        prices=Prices(completion=10.0),
        teacher_prices=Prices(completion=1.0),
    )
    assert found.usd == pytest.approx(5 * (2 * 0.01 + 4 * 0.001))
    assert found.unpriced == 0


def test_what_has_no_price_is_said() -> None:
    found = estimate_episodes(
        sums(), range(5), num_samples=[1, 1, 4], max_new_tokens=1000, teacher_prices=Prices(completion=1.0)
    ).times(2)
    assert found.usd == pytest.approx(2 * 5 * 4 * 0.001)
    assert str(found).endswith("$0.04 for 40 calls; the other 20 have no price")
    assert "price" not in str(Estimate(episodes=1, calls=1, prompt_tokens=1, completion_tokens=1, usd=None))
