"""What the scores of a policy cost, so that they can be compared at equal generations and at equal tokens."""

from typing import Any

import numpy as np

from rise_env.metrics import diagnostics
from rise_env.metrics.accuracy import Array
from rise_env.metrics.policy_results import PolicyResults, over_seeds
from rise_env.metrics.reply_arrays import Replies


def costs(found: PolicyResults) -> dict[str, Any]:
    """Return generations and tokens per problem, and tokens per solved problem, as JSON values.

    Returns:
        "sequential" and "parallel": {"generations", "generated", "read"}, each a list: per problem, after
        1..T turns or 1..K draws, means over problems and seeds. "generated" counts tokens of replies, "read"
        those of prompts, as the agent counts them, without regard to a cache. "tokens_per_solved": generated
        tokens per solved problem for each score, null where none is solved.
    """
    t, k = found.turns, found.num_samples
    scores = {
        "m1@t1": (found.sequential, 1, found.m1_t1),
        f"m{k}@t1": (found.parallel, k, found.mk_t1),
        f"m1@t{t}": (found.sequential, t, found.m1_tt),
    }
    per_solved = {}
    for name, (logs, count, score) in scores.items():
        tokens = over_seeds(lambda log, n=count: diagnostics.reply_length(log.first(n))[0], logs)  # type: ignore[misc]
        per_solved[name] = _ratio(tokens, score)
    oracle = over_seeds(_tokens_to_the_first_right, found.sequential)
    per_solved[f"p1@t{t}"] = _ratio(oracle, found.p1_tt)
    return {
        "sequential": _running(found.sequential),
        "parallel": _running(found.parallel),
        "tokens_per_solved": per_solved,
    }


def _ratio(tokens: Array, solved: Array) -> float | None:
    total = float(solved.sum())
    return round(float(tokens.sum()) / total, 2) if total else None


def _running(logs: tuple[Replies, ...]) -> dict[str, list[float]]:
    parts: dict[str, list[Any]] = {
        "generations": [log.given for log in logs],
        "generated": [log.tokens for log in logs],
        "read": [log.prompt_tokens for log in logs],
    }
    return {
        name: [round(float(value), 2) for value in np.mean([p.mean(axis=0) for p in part], axis=0).cumsum()]
        for name, part in parts.items()
    }


def _tokens_to_the_first_right(log: Replies) -> Array:
    """Tokens until an oracle would stop: through the first right turn, or all of them."""
    before: Any = np.cumsum(log.correct, axis=1) - log.correct
    return np.asarray((log.tokens * (before == 0)).sum(axis=1), dtype=float)
