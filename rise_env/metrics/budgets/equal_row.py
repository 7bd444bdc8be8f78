"""One row of the table at equal budgets: a policy against draws of the base that cost as much."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rise_env.errors import ConfigError
from rise_env.metrics.accuracy import Array, mk_at_t1
from rise_env.metrics.bootstrap import paired_bootstrap
from rise_env.metrics.budgets.choices import best_of, weighted_vote
from rise_env.metrics.budgets.equal_budget import Budget, at_draws, draws_for, spent, uncached
from rise_env.metrics.policy_results import PolicyResults
from rise_env.metrics.reply_arrays import Replies
from rise_env.metrics.report_values import estimate, to_json

Choice = Callable[[Replies], Array]


@dataclass(frozen=True, eq=False, slots=True)
class ScoredDraws:
    """Independent first replies of the base with scores, one log per seed, and what the scores cost."""

    by: str
    """What gave the scores, for the heading, such as "confidence"."""
    draws: tuple[Replies, ...]
    """The replies with their `score`."""
    ratings: tuple[Replies, ...] | None = None
    """What the scores of the same replies cost; None is nothing."""


def equal_row(
    name: str, results: PolicyResults, base: PolicyResults, budget: Budget, scored: ScoredDraws | None = None
) -> dict[str, Any]:
    """Return what a policy spends at its first turn, and what the base reaches with as much.

    Args:
        name: Name of the row.
        results: The policy; its score is m1@t1.
        base: The policy whose draws are compared, on the same problems and seeds.
        budget: What is held equal.
        scored: The draws of the base with scores; None leaves best of n and the weighted vote out.

    Returns:
        "name", "m1@t1", "generated", "read" (prompt tokens that no cache served) and "calls" per problem.
        "choices" has for "majority", "best of n" and "weighted vote" {"draws", "available", "score"}; the
        score is null if there are too few draws. "gain" is the paired difference of m1@t1 to the better of
        majority and best of n, with "over" and "p"; null if neither has a score.

    Raises:
        ConfigError: The problems or seeds differ.
    """
    if base.problems != results.problems or len(base.parallel) != len(results.sequential):
        raise ConfigError(f"{name!r} was evaluated on other problems or seeds than the draws of the base")
    first = [log.first(1) for log in results.sequential]
    budgets = [float(spent(log, budget).mean()) for log in first]
    found = {
        "majority": _equal(
            base.parallel, None, budget, budgets, lambda log: mk_at_t1(log, log.given.shape[1])
        )
    }
    if scored is not None:
        for key, choice in (("best of n", _best_of), ("weighted vote", _weighted_vote)):
            found[key] = _equal(scored.draws, scored.ratings, budget, budgets, choice)
    return {
        "name": name,
        "m1@t1": estimate(results.m1_t1),
        "generated": _mean([log.tokens.astype(float) for log in first]),
        "read": _mean([uncached(log) for log in first]),
        "calls": _mean([log.calls.astype(float) for log in first]),
        "spent": round(float(np.mean(budgets)), 2),
        "choices": {
            key: _as_json(draws, available, values) for key, (draws, available, values) in found.items()
        },
        "gain": _gain(
            results, {key: values for key, (_, _, values) in found.items() if key != "weighted vote"}
        ),
    }


def _best_of(draws: Replies) -> Array:
    return best_of(draws.answer, draws.score)


def _weighted_vote(draws: Replies) -> Array:
    return weighted_vote(draws.answer, draws.score)


def _equal(
    draws: Sequence[Replies],
    ratings: Sequence[Replies] | None,
    budget: Budget,
    budgets: Sequence[float],
    choice: Choice,
) -> tuple[list[float], int, Array | None]:
    """Return the equal number of draws of each seed, that of available draws, and the scores.

    The scores are [seeds, problems], or None if a seed has too few draws.
    """
    available = draws[0].given.shape[1]
    numbers = []
    for place, log in enumerate(draws):
        cost = spent(log, budget)
        if ratings is not None:
            cost = cost + spent(ratings[place], budget)
        numbers.append(draws_for(np.cumsum(cost.mean(axis=0)), budgets[place]))
    if max(numbers) > available:
        return numbers, available, None

    def of(log: Replies, number: float) -> Array:
        return at_draws(lambda count: choice(log.first(count)), number)

    return numbers, available, np.stack([of(*pair) for pair in zip(draws, numbers, strict=True)])


def _as_json(draws: Sequence[float], available: int, values: Array | None) -> dict[str, Any]:
    return {
        "draws": round(float(np.mean(draws)), 2),
        "available": available,
        "score": None if values is None else estimate(values),
    }


def _gain(results: PolicyResults, rivals: dict[str, Array | None]) -> dict[str, Any] | None:
    known = {key: values for key, values in rivals.items() if values is not None}
    if not known:
        return None
    over = max(known, key=lambda key: float(known[key].mean()))
    gain, p = paired_bootstrap(known[over], results.m1_t1)
    return {"over": over, "p": float(f"{p:.3g}"), **to_json(gain)}


def _mean(parts: Sequence[Array]) -> float:
    return round(float(np.mean(parts)), 2)
