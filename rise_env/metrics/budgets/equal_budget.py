"""How many independent draws cost as much as another policy spends, and what they score.

A budget is a mean over problems. Between n and n + 1 draws, cost and score are interpolated linearly, so that
the score of each problem at exactly this budget is known and can be compared problem by problem.
"""

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from rise_env.errors import ConfigError
from rise_env.metrics.accuracy import Array
from rise_env.metrics.array_checks import check_array
from rise_env.metrics.reply_arrays import Replies
from rise_env.utils.suggestions import validate_choice

Budget = Literal["generated", "total", "calls"]
"""What is held equal: generated tokens, these and the prompt tokens that no cache served, or calls."""

BUDGETS: tuple[str, ...] = get_args(Budget)


def spent(replies: Replies, budget: Budget) -> Array:
    """Return what each reply cost, shape [episodes, replies].

    Args:
        replies: The replies.
        budget: What is counted.

    Raises:
        ConfigError: There is no such budget.
    """
    validate_choice(budget, BUDGETS, "budget")
    if budget == "calls":
        return replies.calls.astype(float)
    generated = replies.tokens.astype(float)
    return generated if budget == "generated" else generated + uncached(replies)


def uncached(replies: Replies) -> Array:
    """Return the prompt tokens of each reply that no prefix cache served, shape [episodes, replies]."""
    return (replies.prompt_tokens - replies.cached_tokens).astype(float)


def draws_for(costs: Array, budget: float) -> float:
    """Return how many draws cost a budget; a fraction lies between two numbers of draws.

    Args:
        costs: Mean cost of the first n draws together, for n = 1, 2, ..., shape [draws]; they increase.
        budget: The budget.

    Returns:
        At least 1. If the budget exceeds the cost of all draws, the number is extrapolated with their mean
        cost, and is larger than their number.

    Raises:
        ConfigError: There are no costs, or the first draws cost nothing.
    """
    check_array("costs", costs, "float", "draws")
    if not len(costs) or costs[0] <= 0:
        raise ConfigError(f"each draw must have a cost above 0, got the sums {costs.tolist()}")
    if budget >= costs[-1]:
        return float(budget / costs[-1] * len(costs))
    if budget <= costs[0]:
        return 1.0
    low = int(np.searchsorted(costs, budget, side="right"))  # that many draws are within the budget
    return float(low + (budget - costs[low - 1]) / (costs[low] - costs[low - 1]))


def at_draws(score: Callable[[int], Array], draws: float) -> Array:
    """Return scores at a number of draws that need not be whole: interpolated between its neighbours.

    Args:
        score: Number of draws, at least 1 -> the score of each problem, shape [problems].
        draws: The number of draws, at least 1.
    """
    low = math.floor(draws)
    part = draws - low
    return score(low) if not part else (1 - part) * score(low) + part * score(low + 1)
