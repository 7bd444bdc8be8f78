"""The metrics of a report row: one table that says how each is computed and how it is shown.

To add a metric, write a function of arrays (in `accuracy`, `diagnostics` or a new module) and add one entry
to `METRICS`. It is then in report.json and report.csv. With `table="scores"` the terminal, report.md and
report.html show it as well. With `table="turns"` report.md shows it as well, if the report has at least
three rows.

Estimates are fractions, {"mean", "low", "high"}; a rate whose denominator is 0 is null. T is the number of
turns of the sequential rollouts, K the number of independent first replies that vote.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rise_env.metrics import accuracy, diagnostics
from rise_env.metrics.costs import costs
from rise_env.metrics.policy_results import PolicyResults, over_seeds
from rise_env.metrics.reply_arrays import Replies
from rise_env.metrics.report_values import EstimateJson, estimate, mean_percent, percent, percents
from rise_env.metrics.self_correction.card import card
from rise_env.metrics.self_verification import verification_counts, verifications

Array = npt.NDArray[np.float64]
Table = Literal["scores", "turns"]
"""The main table, and the table about later turns, which only report.md shows, with three or more rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of a report row. In `key` and `heading`, {t} stands for T and {k} for K."""

    key: str
    """Its key in the row."""
    compute: Callable[[PolicyResults], Any]
    """Returns the value in the row, a JSON value, from the replies of one policy."""
    table: Table | None = None
    """The table that shows it; None leaves it to report.json and report.csv."""
    heading: str = ""
    """The heading of its column; empty takes the key."""
    show: Callable[[Any], str] = percent
    """Returns the text in the table from the value in the row."""


def _for_each_count(
    function: Callable[[Replies, int], Array], logs: tuple[Replies, ...]
) -> list[EstimateJson]:
    """Return the estimates of function(log, n) for n = 1, 2, ... up to the replies of an episode.

    Args:
        function: Returns one number per episode, shape [problems], from a log and n.
        logs: One per seed.
    """
    counts = range(1, logs[0].given.shape[1] + 1)
    return [estimate(np.stack([function(log, n) for log in logs])) for n in counts]


def _over_turns(function: Callable[[Replies, int], Array]) -> Callable[[PolicyResults], list[EstimateJson]]:
    return lambda results: _for_each_count(function, results.sequential)


def _over_draws(function: Callable[[Replies, int], Array]) -> Callable[[PolicyResults], list[EstimateJson]]:
    return lambda results: _for_each_count(function, results.parallel)


def _rate(function: Callable[[Replies], tuple[Array, Array]]) -> Callable[[PolicyResults], EstimateJson]:
    """Return a function that computes a rate over the sequential rollouts from the counts of `function`."""

    def compute(results: PolicyResults) -> EstimateJson:
        happened, of = zip(*(function(log) for log in results.sequential), strict=True)
        return estimate(np.stack(happened), np.stack(of))

    return compute


def _flips(function: Callable[[Array], tuple[Array, Array]]) -> Callable[[PolicyResults], list[EstimateJson]]:
    """Return a function that computes a rate at each step from one turn to the next."""

    def compute(results: PolicyResults) -> list[EstimateJson]:
        happened, of = function(results.correct)
        return [estimate(happened[:, :, i], of[:, :, i]) for i in range(happened.shape[2])]

    return compute


def _transitions(results: PolicyResults) -> dict[str, list[EstimateJson]]:
    """Return transition -> share of problems with it, for each step from one turn to the next."""
    return {
        name: [estimate(part[:, :, i]) for i in range(part.shape[2])]
        for name, part in accuracy.transitions(results.correct).items()
    }


def _break_even(results: PolicyResults) -> list[dict[str, float | None]]:
    """Return {"ratio", "needed"} for each step from one turn to the next; see `diagnostics.break_even`."""
    correct = results.correct
    fixed, broken = accuracy.wrong_to_right(correct), accuracy.right_to_wrong(correct)
    found: list[dict[str, float | None]] = []
    for step in range(correct.shape[2] - 1):
        fix_rate, break_rate = (_ratio(top[:, :, step], of[:, :, step]) for top, of in (fixed, broken))
        if fix_rate is None or break_rate is None:
            found.append({"ratio": None, "needed": None})
            continue
        values = diagnostics.break_even(fix_rate, break_rate, float(correct[:, :, step].mean()))
        rounded = (round(value, 6) if np.isfinite(value) else None for value in values)
        found.append(dict(zip(("ratio", "needed"), rounded, strict=True)))
    return found


def _ratio(top: Array, of: Array) -> float | None:
    total = float(of.sum())
    return round(float(top.sum()) / total, 6) if total else None


def unsolved(results: PolicyResults) -> list[dict[str, Any]]:
    """Return the share of the problems unsolved by many draws that T sequential turns solve.

    For every k for which there are B = T * k draws, this takes the problems that none of the first B draws
    solves. It returns the shares of them that one rollout of T turns solves by majority ("m1") and with an
    oracle ("p1"). Source: the figure success_rate_unsolved of the RISE paper (arXiv:2407.18219), where T = 5.

    Returns:
        Per k: {"k", "draws", "problems" (over all seeds), "m1", "p1"}.
    """
    found = []
    for k in range(1, results.parallel[0].given.shape[1] // results.turns + 1):
        draws = k * results.turns
        solved = np.stack([log.first(draws).correct.any(axis=1) for log in results.parallel])
        left = 1.0 - solved.astype(np.float64)
        found.append(
            {
                "k": k,
                "draws": draws,
                "problems": int(left.sum()),
                "m1": estimate(results.m1_tt * left, left),
                "p1": estimate(results.p1_tt * left, left),
            }
        )
    return found


BY_TURN: Mapping[str, Callable[[Replies, int], Array]] = {
    "accuracy_by_turn": accuracy.accuracy_at_turn,
    "majority_by_turn": accuracy.m1_at_tt,
    "any_by_turn": accuracy.p1_at_tt,
}
"""Key -> accuracy of the reply at turn j, m1@tj and p1@tj, for j = 1..T."""


def _protocols(results: PolicyResults) -> dict[str, Any]:
    return {
        name: _self_verification(logs) if name == "self_verify" else _protocol(logs)
        for name, logs in results.others.items()
    }


def _self_verification(logs: tuple[Replies, ...]) -> dict[str, Any]:
    """Return the metrics of the protocol "self_verify"."""
    answers = tuple(verifications(log).answers for log in logs)
    counts = verification_counts(logs)
    return {**_protocol(answers), **{key: estimate(values, of) for key, (values, of) in counts.items()}}


def _protocol(logs: tuple[Replies, ...]) -> dict[str, Any]:
    """Return the metrics of a further protocol (oracle, self_refine, ...)."""
    turns = logs[0].given.shape[1]
    curves = {key: _for_each_count(function, logs) for key, function in BY_TURN.items()}
    return {
        f"m1@t{turns}": curves["majority_by_turn"][-1],
        f"p1@t{turns}": curves["any_by_turn"][-1],
        **curves,
        "generated_tokens": estimate(over_seeds(lambda log: diagnostics.reply_length(log)[0], logs)),
    }


METRICS: tuple[Metric, ...] = (
    # scores; see `accuracy`
    Metric(key="m1@t1", compute=lambda r: estimate(r.m1_t1), table="scores"),
    Metric(key="m{k}@t1", compute=lambda r: estimate(r.mk_t1), table="scores"),
    Metric(key="m1@t{t}", compute=lambda r: estimate(r.m1_tt), table="scores"),
    Metric(key="p1@t{t}", compute=lambda r: estimate(r.p1_tt), table="scores"),
    Metric(
        key="accuracy_by_turn",
        compute=_over_turns(BY_TURN["accuracy_by_turn"]),
        table="scores",
        heading="accuracy by turn 1..{t}",
        show=percents,
    ),
    Metric(key="majority_by_turn", compute=_over_turns(BY_TURN["majority_by_turn"])),
    Metric(key="any_by_turn", compute=_over_turns(BY_TURN["any_by_turn"])),
    # over the first k draws, k = 1, 2, ...; pass@k uses all draws for each k
    Metric(key="majority_by_samples", compute=_over_draws(accuracy.mk_at_t1)),
    Metric(key="pass_at_k", compute=_over_draws(accuracy.pass_at_k)),
    # paired differences
    Metric(
        key="t{t} - t1",
        compute=lambda r: estimate(r.correct[:, :, -1] - r.correct[:, :, 0]),
        table="turns",
        heading="turn {t} - turn 1",
    ),
    Metric(key="m1@t{t} - m1@t1", compute=lambda r: estimate(accuracy.lift(r.m1_tt, r.m1_t1)), table="turns"),
    Metric(
        key="m1@t{t} - m{k}@t1", compute=lambda r: estimate(accuracy.lift(r.m1_tt, r.mk_t1)), table="turns"
    ),
    # what happens at each step from one turn to the next
    Metric(
        key="wrong_to_right_by_turn",
        compute=_flips(accuracy.wrong_to_right),
        table="turns",
        heading="wrong to right per turn",
        show=mean_percent,
    ),
    Metric(
        key="right_to_wrong_by_turn",
        compute=_flips(accuracy.right_to_wrong),
        table="turns",
        heading="right to wrong per turn",
        show=mean_percent,
    ),
    Metric(key="transitions_by_turn", compute=_transitions),
    Metric(key="break_even_by_turn", compute=_break_even),
    # of the sequential rollouts; see `diagnostics`
    Metric(key="distinct_answers", compute=_rate(diagnostics.distinct_answers)),
    Metric(key="repeats", compute=_rate(diagnostics.repeats)),
    Metric(key="verbatim_repeats", compute=_rate(diagnostics.verbatim_repeats)),
    Metric(key="format_failures", compute=_rate(diagnostics.format_failures)),
    Metric(key="timeouts", compute=_rate(diagnostics.timeouts)),
    Metric(key="withheld", compute=_rate(diagnostics.withheld)),
    Metric(key="tokens_per_reply", compute=_rate(diagnostics.reply_length)),
    Metric(key="self_correction", compute=card),
    Metric(key="cost", compute=costs),
    Metric(key="unsolved", compute=unsolved),
    # of further protocols
    Metric(key="protocols", compute=_protocols),
)
"""The metrics in the order of keys and columns. If two keys become the same text, because K or T is 1, the
value of the earlier one is kept: "m1@t1" is always the accuracy of the first turn of the rollouts."""
