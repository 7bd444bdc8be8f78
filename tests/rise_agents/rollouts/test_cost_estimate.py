import pytest

from rise_agents.client.rate_limit import Prices
from rise_agents.rollouts.cost_estimate import Estimate, estimate_episodes
from tests.rise_agents.fake_agents import sums


def test_upper_bounds_match_a_count_by_hand() -> None:
    # "What is 0 + 0?" and the first prompt around it; with no reply, each turn adds the feedback
    env = sums(feedback=lambda problem, check, turn: "xxx")
    env.reset(options={"index": 0})
    first = len(env.reset(options={"index": 0})[0][0]["content"]) / 3 + 8
    estimate = estimate_episodes(env, [0] * 10, num_samples=[1, 1, 4], max_new_tokens=[50] * 3)
    second = first + 8 + (1 + 8) + 50
    third = second + 8 + (1 + 8) + 50
    assert estimate.calls == 10 * (2 + 4)
    assert estimate.completion_tokens == 60 * 50
    assert estimate.prompt_tokens == pytest.approx(10 * (first + second + 4 * third), abs=1)
    assert estimate.usd is None


def test_prices_give_a_cost_in_dollars() -> None:
    estimate = estimate_episodes(
        sums(), range(5), num_samples=[1], max_new_tokens=[1000], prices=[Prices(completion=2.0)]
    )
    assert estimate.usd == pytest.approx(0.01)
    assert "$0.01" in str(estimate)


def test_each_turn_costs_what_its_agent_costs() -> None:
    estimate = estimate_episodes(
        sums(),
        range(5),
        num_samples=[1, 1, 4],
        max_new_tokens=[1000, 1000, 500],
        prices=[Prices(completion=10.0), Prices(completion=10.0), Prices(completion=1.0)],
    )
    assert estimate.usd == pytest.approx(5 * (2 * 0.01 + 4 * 0.0005))
    assert estimate.completion_tokens == 5 * (2 * 1000 + 4 * 500)
    assert estimate.unpriced == 0


def test_calls_without_a_price_are_reported() -> None:
    estimate = estimate_episodes(
        sums(),
        range(5),
        num_samples=[1, 1, 4],
        max_new_tokens=[1000] * 3,
        prices=[None, None, Prices(completion=1.0)],
    ).times(2)
    assert estimate.usd == pytest.approx(2 * 5 * 4 * 0.001)
    assert str(estimate).endswith("$0.04 for 40 calls; the other 20 have no price")
    assert "price" not in str(Estimate(episodes=1, calls=1, prompt_tokens=1, completion_tokens=1, usd=None))


def test_replies_that_may_be_sampled_again_are_counted_apart() -> None:
    estimate = estimate_episodes(
        sums(), range(5), num_samples=[1, 4], max_new_tokens=[10, 10], drop_degenerate=True
    ).times(2)
    assert estimate.calls == 2 * 5 * (1 + 4)
    assert estimate.redraws == 2 * 5 * 2 * 8
    assert str(estimate).endswith("drop_degenerate may add up to 160 calls, which are not included")
    assert "drop_degenerate" not in str(
        Estimate(episodes=1, calls=1, prompt_tokens=1, completion_tokens=1, usd=None)
    )


def test_the_calls_of_a_search_are_counted_where_they_are_known() -> None:
    def estimate(*per_reply: int | None) -> Estimate:
        return estimate_episodes(
            sums(), range(5), num_samples=[1, 4], max_new_tokens=[10, 10], calls_per_reply=per_reply
        ).times(2)

    assert estimate(1, 16).calls == 2 * 5 * (1 + 4 * 16)
    assert estimate(1, 16).completion_tokens == estimate(1, 16).calls * 10
    assert estimate(1, 1) == estimate()
    assert (estimate(None, 16).calls, estimate(None, 16).searched) == (estimate(1, 16).calls, 2 * 5)
    assert "10 replies of searches that only a number of tokens limits" in str(estimate(None, 16))
