"""The row of a report: every metric of one policy with its interval, as JSON values. Pure functions.

A row has the keys of `report_metrics.METRICS`. A row that is compared with another policy also has, for m1@t1
and m1@tT, "gain ..." (the paired difference), "p ..." (its bootstrap p-value) and "mcnemar ...", and the
paired differences of its self-correction card, "gain self_correction".
"""

from collections.abc import Sequence
from typing import Any

from rise_env.errors import ConfigError
from rise_env.metrics.bootstrap import paired_bootstrap
from rise_env.metrics.policy_results import PolicyResults
from rise_env.metrics.report_metrics import METRICS
from rise_env.metrics.report_values import to_json
from rise_env.metrics.self_correction.card import card_gains
from rise_env.metrics.significance import mcnemar


def row(name: str, results: PolicyResults, base: PolicyResults | None = None) -> dict[str, Any]:
    """Return one row of the report.

    Args:
        name: The name of the row.
        results: The results of the policy.
        base: The results of the policy to compare with, problem by problem and seed by seed.

    Raises:
        ConfigError: `base` has other problems or seeds.
    """
    values: dict[str, Any] = {"name": name}
    for metric in METRICS:
        key = metric.key.format(t=results.turns, k=results.num_samples)
        if key not in values:
            values[key] = metric.compute(results)
    return values if base is None else values | _against(name, results, base)


def gains(names: Sequence[str], results: Sequence[PolicyResults]) -> list[dict[str, Any]]:
    """Return by how much m1@tT of each row exceeds that of every earlier row, paired over problems and seeds.

    Args:
        names: The names of the rows.
        results: The results of their policies, on the same problems and seeds.

    Returns:
        [{"name", "over", "mean", "low", "high"}].
    """
    return [
        {"name": names[i], "over": names[j], **to_json(paired_bootstrap(results[j].m1_tt, later.m1_tt)[0])}
        for i, later in enumerate(results)
        for j in range(i)
    ]


def _against(name: str, results: PolicyResults, base: PolicyResults) -> dict[str, Any]:
    if base.problems != results.problems or base.m1_t1.shape != results.m1_t1.shape:
        raise ConfigError(f"{name!r} was evaluated on other problems or seeds than what it is compared with")
    values: dict[str, Any] = {}
    pairs = {"m1@t1": (base.m1_t1, results.m1_t1), f"m1@t{results.turns}": (base.m1_tt, results.m1_tt)}
    for key, (before, after) in pairs.items():
        gain, p = paired_bootstrap(before, after)
        only_before, only_after, exact = mcnemar(before.mean(axis=0), after.mean(axis=0))
        values[f"gain {key}"] = to_json(gain)
        values[f"p {key}"] = _three_digits(p)
        values[f"mcnemar {key}"] = {
            "only_before": only_before,
            "only_after": only_after,
            "p": _three_digits(exact),
        }
    values["gain self_correction"] = card_gains(base, results)
    return values


def _three_digits(p: float) -> float:
    """Round to three significant digits, because a p-value may be very small."""
    return float(f"{p:.3g}")
