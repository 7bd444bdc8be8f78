"""The row of a report: every figure of one policy with its interval, as JSON values. Pure functions.

Estimates are fractions, {"mean", "low", "high"}; a rate of nothing is null. T turns, K draws.

| key                                   | what                                                              |
| ------------------------------------- | ----------------------------------------------------------------- |
| m1@t1, mK@t1, m1@tT, p1@tT            | see `metrics`                                                     |
| accuracy_by_turn                      | of the reply at each turn                                         |
| majority_by_turn, any_by_turn         | over the turns so far: m1@tj and p1@tj, j = 1..T                  |
| majority_by_samples, pass_at_k        | over the first k draws; pass@k from all draws                      |
| wrong_to_right_by_turn, right_to_...  | rates at each step between turns                                  |
| transitions_by_turn                   | shares of all problems, by name                                   |
| break_even_by_turn                    | {"ratio", "needed"}; see `diagnostics.break_even`                 |
| tT - t1, m1@tT - m1@t1, m1@tT - mK@t1 | paired differences                                                |
| distinct_answers ... timeouts         | see `diagnostics`; of the sequential rollouts                     |
| cost                                  | see `costs`                                                       |
| unsolved                              | see `unsolved`; only where there are enough draws                 |
| protocols                             | further ones, by name                                             |
| gain ..., p ..., mcnemar ...          | against the row it is compared with                               |

`gains` compares every two rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics import accuracy, diagnostics
from rise_env.metrics.bootstrap import Estimate, bootstrap, paired_bootstrap
from rise_env.metrics.costs import costs
from rise_env.metrics.policy_results import PolicyResults, over_seeds
from rise_env.metrics.reply_arrays import Replies
from rise_env.metrics.significance import mcnemar

Array = npt.NDArray[np.float64]
COUNTED = {
    "distinct_answers": diagnostics.distinct_answers,
    "repeats": diagnostics.repeats,
    "verbatim_repeats": diagnostics.verbatim_repeats,
    "format_failures": diagnostics.format_failures,
    "timeouts": diagnostics.timeouts,
    "tokens_per_reply": diagnostics.reply_length,
}


def row(name: str, found: PolicyResults, base: PolicyResults | None = None) -> dict[str, Any]:
    """Return one row of the report.

    Args:
        name: Of the row.
        found: Of the policy.
        base: Of the policy it is compared with, problem by problem and seed by seed.

    Raises:
        ConfigError: `base` is of other problems or seeds.
    """
    k, t = found.num_samples, found.turns
    m1_t1, mk_t1, m1_tt, p1_tt = found.m1_t1, found.mk_t1, found.m1_tt, found.p1_tt
    correct = found.correct
    table: dict[str, Any] = {
        "name": name,
        "m1@t1": estimate(m1_t1),
        f"m{k}@t1": estimate(mk_t1),
        f"m1@t{t}": estimate(m1_tt),
        f"p1@t{t}": estimate(p1_tt),
        **_by_turn(found.sequential),
        **_by_draw(found.parallel),
        **_flips(correct),
        f"t{t} - t1": estimate(correct[:, :, -1] - correct[:, :, 0]),
        f"m1@t{t} - m1@t1": estimate(accuracy.lift(m1_tt, m1_t1)),
        f"m1@t{t} - m{k}@t1": estimate(accuracy.lift(m1_tt, mk_t1)),
        **_counted(found.sequential),
        "cost": costs(found),
        "unsolved": unsolved(found),
        "protocols": {name: _protocol(logs) for name, logs in found.others.items()},
    }
    if base is not None:
        table |= _against(name, found, base)
    return table


def estimate(values: Array, of: Array | None = None) -> dict[str, float | None]:
    """Return a bootstrapped mean or ratio of [seeds, problems] as JSON values."""
    return _json(bootstrap(values, of))


def unsolved(found: PolicyResults) -> list[dict[str, Any]]:
    """Return how many of the problems that many draws do not solve are solved by T sequential turns.

    For every k with B = T * k draws at hand: of the problems that none of the first B draws solves, the share
    that one rollout of T turns solves by majority ("m1") and with an oracle ("p1"). Source: the figure
    success_rate_unsolved of the paper, where T = 5.

    Returns:
        Per k: {"k", "draws", "problems" (over all seeds), "m1", "p1"}.
    """
    table = []
    for k in range(1, found.parallel[0].given.shape[1] // found.turns + 1):
        draws = k * found.turns
        left = over_seeds(lambda log, b=draws: 1.0 - log.first(b).correct.any(axis=1), found.parallel)  # type: ignore[misc]
        table.append(
            {
                "k": k,
                "draws": draws,
                "problems": int(left.sum()),
                "m1": estimate(found.m1_tt * left, left),
                "p1": estimate(found.p1_tt * left, left),
            }
        )
    return table


def _by_turn(logs: tuple[Replies, ...]) -> dict[str, Any]:
    turns = range(1, logs[0].given.shape[1] + 1)
    return {
        "accuracy_by_turn": [
            estimate(over_seeds(lambda log, t=t: log.correct[:, t - 1].astype(float), logs))  # type: ignore[misc]
            for t in turns
        ],
        "majority_by_turn": [
            estimate(over_seeds(lambda log, t=t: accuracy.m1_at_tt(log, t), logs))  # type: ignore[misc]
            for t in turns
        ],
        "any_by_turn": [
            estimate(over_seeds(lambda log, t=t: accuracy.p1_at_tt(log, t), logs))  # type: ignore[misc]
            for t in turns
        ],
    }


def _by_draw(logs: tuple[Replies, ...]) -> dict[str, Any]:
    draws = range(1, logs[0].given.shape[1] + 1)
    return {
        "majority_by_samples": [
            estimate(over_seeds(lambda log, k=k: accuracy.mk_at_t1(log, k), logs))  # type: ignore[misc]
            for k in draws
        ],
        "pass_at_k": [
            estimate(over_seeds(lambda log, k=k: accuracy.pass_at_k(log, k), logs))  # type: ignore[misc]
            for k in draws
        ],
    }


def _flips(correct: Array) -> dict[str, Any]:
    fixed, wrong = accuracy.wrong_to_right(correct)
    broken, right = accuracy.right_to_wrong(correct)
    steps = range(fixed.shape[2])
    fix = [estimate(fixed[:, :, i], wrong[:, :, i]) for i in steps]
    spoil = [estimate(broken[:, :, i], right[:, :, i]) for i in steps]
    before = [float(correct[:, :, i].mean()) for i in steps]
    return {
        "wrong_to_right_by_turn": fix,
        "right_to_wrong_by_turn": spoil,
        "transitions_by_turn": {
            name: [estimate(part[:, :, i]) for i in steps]
            for name, part in accuracy.transitions(correct).items()
        },
        "break_even_by_turn": [
            _break_even(f["mean"], s["mean"], a) for f, s, a in zip(fix, spoil, before, strict=True)
        ],
    }


def _break_even(fix: float | None, spoil: float | None, accuracy: float) -> dict[str, float | None]:
    if fix is None or spoil is None:
        return {"ratio": None, "needed": None}
    ratio, needed = diagnostics.break_even(fix, spoil, accuracy)
    return {
        key: round(value, 6) if np.isfinite(value) else None
        for key, value in (("ratio", ratio), ("needed", needed))
    }


def _counted(logs: tuple[Replies, ...]) -> dict[str, Any]:
    return {
        name: estimate(*(over_seeds(lambda log, i=i, f=f: f(log)[i], logs) for i in (0, 1)))  # type: ignore[misc]
        for name, f in COUNTED.items()
    }


def _protocol(logs: tuple[Replies, ...]) -> dict[str, Any]:
    turns = logs[0].given.shape[1]
    tokens, _ = zip(*(diagnostics.reply_length(log) for log in logs), strict=True)
    return {
        f"m1@t{turns}": estimate(over_seeds(lambda log: accuracy.m1_at_tt(log, turns), logs)),
        f"p1@t{turns}": estimate(over_seeds(lambda log: accuracy.p1_at_tt(log, turns), logs)),
        **_by_turn(logs),
        "generated_tokens": estimate(np.stack(tokens)),
    }


def _against(name: str, found: PolicyResults, base: PolicyResults) -> dict[str, Any]:
    if base.problems != found.problems or base.m1_t1.shape != found.m1_t1.shape:
        raise ConfigError(f"{name!r} was evaluated on other problems or seeds than what it is compared with")
    table: dict[str, Any] = {}
    pairs = {"m1@t1": (base.m1_t1, found.m1_t1), f"m1@t{found.turns}": (base.m1_tt, found.m1_tt)}
    for key, (old, new) in pairs.items():
        gain, p = paired_bootstrap(old, new)
        only_old, only_new, exact = mcnemar(old.mean(axis=0), new.mean(axis=0))
        table[f"gain {key}"] = _json(gain)
        table[f"p {key}"] = _short(p)
        table[f"mcnemar {key}"] = {"only_before": only_old, "only_after": only_new, "p": _short(exact)}
    return table


def gains(names: Sequence[str], found: Sequence[PolicyResults]) -> list[dict[str, Any]]:
    """Return by how much m1@tT of each row exceeds that of every earlier row, paired over problems and seeds.

    Args:
        names: Of the rows.
        found: Their outcomes, on the same problems and seeds.

    Returns:
        [{"name", "over", "mean", "low", "high"}].
    """
    return [
        {"name": names[i], "over": names[j], **_json(paired_bootstrap(found[j].m1_tt, found[i].m1_tt)[0])}
        for i in range(len(found))
        for j in range(i)
    ]


def _short(p: float) -> float:
    """Keep three digits that count: a p-value may be very small."""
    return float(f"{p:.3g}")


def _json(value: Estimate) -> dict[str, float | None]:
    """Return an estimate as JSON values; a rate that nothing happened to is null."""
    return {key: None if np.isnan(part) else round(part, 6) for key, part in asdict(value).items()}


def percent(value: Mapping[str, Any]) -> str:
    """Write an estimate in percent with half the width of its interval: "47.3 ± 2.8"."""
    if value["mean"] is None:
        return "–"
    half = (value["high"] - value["low"]) / 2
    return f"{100 * value['mean']:.1f} ± {100 * half:.1f}"
