"""Counts generations and tokens of each score, to compare scores at equal generations or equal tokens."""

from typing import Any

import numpy as np

from rise_env.metrics import diagnostics
from rise_env.metrics.accuracy import Array
from rise_env.metrics.policy_results import PolicyResults, over_seeds
from rise_env.metrics.reply_arrays import Replies


def costs(results: PolicyResults) -> dict[str, Any]:
    """Return generations and tokens per problem, and tokens per solved problem, as JSON values.

    Returns:
        "sequential" and "parallel" are {"generations", "generated", "read"}. Each is a list with the means
        over problems and seeds after 1..T turns or 1..K draws. "generated" are tokens of replies and "read"
        tokens of prompts, as the agent counts them; prompt tokens from a cache are included.
        "tokens_per_solved" has the generated tokens per solved problem for each score, null if no problem is
        solved.
    """
    t, k = results.turns, results.num_samples
    # if K is 1, "m1@t1" is that of the first turn, as in the other columns of the report
    scores = {
        f"m{k}@t1": (results.parallel, k, results.mk_t1),
        "m1@t1": (results.sequential, 1, results.m1_t1),
        f"m1@t{t}": (results.sequential, t, results.m1_tt),
    }
    per_solved = {}
    for name, (logs, count, score) in scores.items():
        tokens = np.stack([diagnostics.reply_length(log.first(count))[0] for log in logs])
        per_solved[name] = _ratio(tokens, score)
    oracle = over_seeds(_tokens_until_right, results.sequential)
    per_solved[f"p1@t{t}"] = _ratio(oracle, results.p1_tt)
    return {
        "sequential": _cumulative_means(results.sequential),
        "parallel": _cumulative_means(results.parallel),
        "tokens_per_solved": per_solved,
    }


def _ratio(tokens: Array, solved: Array) -> float | None:
    total = float(solved.sum())
    return round(float(tokens.sum()) / total, 2) if total else None


def _cumulative_means(logs: tuple[Replies, ...]) -> dict[str, list[float]]:
    parts: dict[str, list[Any]] = {
        "generations": [log.given for log in logs],
        "generated": [log.tokens for log in logs],
        "read": [log.prompt_tokens for log in logs],
    }
    return {
        name: [round(float(value), 2) for value in np.mean([p.mean(axis=0) for p in part], axis=0).cumsum()]
        for name, part in parts.items()
    }


def _tokens_until_right(log: Replies) -> Array:
    """Return the tokens up to and including the first right turn, or of all turns if none is right."""
    before: Any = np.cumsum(log.correct, axis=1) - log.correct
    return np.asarray((log.tokens * (before == 0)).sum(axis=1), dtype=float)
