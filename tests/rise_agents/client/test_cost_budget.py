from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from rise_agents.client.cost_budget import CostBudget, billable_usage
from rise_agents.client.rate_limit import Prices
from rise_env.errors import ConfigError
from rise_env.types import Usage

PER_TOKEN = Prices(completion=1e6)


@pytest.mark.parametrize(("cost", "refused"), [(2, False), (6, True)])
def test_a_request_waits_for_reservations_and_is_refused_only_for_spent_money(
    cost: int, refused: bool
) -> None:
    budget = CostBudget(10.0, PER_TOKEN)
    first = Usage(completion_tokens=6)
    budget.reserve(first)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(budget.reserve, Usage(completion_tokens=6))
        assert not wait([second], timeout=0.1).done
        budget.settle(first, Usage(completion_tokens=cost))
        if refused:
            with pytest.raises(ConfigError, match=r"\$6\.0000 spent, and the next request may cost \$6\."):
                second.result()
        else:
            second.result()
            budget.settle(Usage(completion_tokens=6), None)
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


def test_reservations_grow_with_the_highest_observed_ratio() -> None:
    budget = CostBudget(10.0, PER_TOKEN)
    budget.reserve(Usage(completion_tokens=1))
    budget.settle(Usage(completion_tokens=1), Usage(completion_tokens=5))
    with pytest.raises(ConfigError, match=r"\$5\.0000 spent, and the next request may cost \$10\.0000"):
        budget.reserve(Usage(completion_tokens=2))
    budget.reserve(Usage(completion_tokens=1))
    budget.settle(Usage(completion_tokens=1), Usage(completion_tokens=1))
    with pytest.raises(ConfigError, match=r"may cost \$5\.0000"):  # one short reply forgets nothing
        budget.reserve(Usage(completion_tokens=1))


def test_longer_prompts_than_estimated_are_learned_too() -> None:
    budget = CostBudget(10.0, Prices(prompt=1e6, cached=2e6))
    budget.reserve(Usage(prompt_tokens=1))
    budget.settle(Usage(prompt_tokens=1), Usage(prompt_tokens=3))
    with pytest.raises(ConfigError, match=r"may cost \$12\.0000"):  # as if all of it had the higher price
        budget.reserve(Usage(prompt_tokens=2))


def test_what_is_in_flight_is_valued_by_what_was_learned_since() -> None:
    budget = CostBudget(20.0, PER_TOKEN)
    one = Usage(completion_tokens=1)
    budget.reserve(one)
    budget.reserve(one)
    budget.settle(one, Usage(completion_tokens=5))  # so the other one in flight may cost 5 as well
    with ThreadPoolExecutor(1) as pool:
        third = pool.submit(budget.reserve, Usage(completion_tokens=3))
        assert not wait([third], timeout=0.1).done
        budget.settle(one, None)
        third.result()
