"""The measures of the self-correction card: pure functions from the results of a policy to counts.

Counts are two arrays of shape [seeds, problems, columns], numerators and denominators. A value of the card is
the ratio of their sums. T is the number of turns of the sequential rollouts, which no oracle steers or stops.
What each measure means is said in `rise_env.metrics.glossary`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rise_env.metrics import accuracy, diagnostics
from rise_env.metrics.policy_results import PolicyResults
from rise_env.metrics.reply_arrays import Replies
from rise_env.metrics.self_verification import verification_counts

Array = npt.NDArray[np.float64]
Counts = tuple[Array, Array]
Unit = Literal["percent", "tokens", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """One value of a measure for the whole rollouts."""

    key: str
    """Its key in the card; {t} stands for T."""
    label: str
    """Its label in tables; {t} stands for T."""
    column: int | None = None
    """The column that it shows; None takes the sums over all columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of the card."""

    key: str
    """Its key in the card."""
    counts: Callable[[PolicyResults], Counts | None]
    """Returns the counts; None if the logs do not have what it is computed from."""
    totals: tuple[Total, ...]
    label: str = ""
    """Its label in the table by turn; empty for a measure that has no columns of turns."""
    first_turn: int = 1
    """The turn of the first column: 1, or 2 for a comparison with an earlier turn."""
    unit: Unit = "percent"


def accuracies(results: PolicyResults) -> Counts:
    """Count right replies at each turn."""
    return results.correct, np.ones_like(results.correct)


def delta(results: PolicyResults) -> Counts:
    """Return how much more often the reply at turn t is right than the first one, t = 2..T."""
    return _of_all(results.correct[..., 1:] - results.correct[..., :1])


def incorrect_to_correct(results: PolicyResults) -> Counts:
    """Count problems whose first reply is wrong and whose reply at turn t is right, t = 2..T."""
    return _of_all((1 - results.correct[..., :1]) * results.correct[..., 1:])


def correct_to_incorrect(results: PolicyResults) -> Counts:
    """Count problems whose first reply is right and whose reply at turn t is wrong, t = 2..T."""
    return _of_all(results.correct[..., :1] * (1 - results.correct[..., 1:]))


def turns_to_success(results: PolicyResults) -> Counts:
    """Return the number of the first right turn of each solved problem; the unsolved ones do not count."""
    solved = results.correct.any(axis=2, keepdims=True).astype(float)
    first = results.correct.argmax(axis=2, keepdims=True) + 1.0
    return first * solved, solved


def edit_distances(results: PolicyResults) -> Counts | None:
    """Return the edit distances of each reply to the one before it; None if they were not computed."""
    edits = np.stack([log.edits[:, 1:] for log in results.sequential])
    known = ~np.isnan(edits)
    return (np.where(known, edits, 0.0), known.astype(float)) if known.any() else None


def cut(results: PolicyResults) -> Counts:
    """Count replies that were cut at the limit of tokens, at each turn."""
    return _at_each_turn(results, lambda log: (log.cut.sum(axis=1), log.given.sum(axis=1)))


def tokens(results: PolicyResults) -> Counts:
    """Return the generated tokens up to each turn."""
    generated = np.stack([log.tokens for log in results.sequential])
    return _of_all(generated.cumsum(axis=2).astype(float))


def entropy(results: PolicyResults) -> Counts | None:
    """Return the negative log-probabilities of the sampled tokens; None if no log-probability is stored."""
    surprisal = np.stack([log.surprisal for log in results.sequential])
    scored = np.stack([log.scored_tokens for log in results.sequential]).astype(float)
    return (surprisal, scored) if scored.any() else None


def _of_all(values: Array) -> Counts:
    return values, np.ones_like(values)


def _at_each_turn(results: PolicyResults, count: Callable[[Replies], tuple[Array, Array]]) -> Counts:
    """Return the counts of a function for each turn alone."""
    return _over_windows(results, count, 1)


def _at_each_step(results: PolicyResults, count: Callable[[Replies], tuple[Array, Array]]) -> Counts:
    """Return the counts of a function for each two turns that follow each other."""
    return _over_windows(results, count, 2)


def _over_windows(
    results: PolicyResults, count: Callable[[Replies], tuple[Array, Array]], width: int
) -> Counts:
    starts = range(1, results.turns - width + 2)
    if not starts:
        nothing = np.zeros((*results.m1_t1.shape, 0))
        return nothing, nothing
    parts = [[count(log.between(start, start + width - 1)) for start in starts] for log in results.sequential]
    happened, of = (
        np.stack([np.stack([np.asarray(part[side], dtype=float) for part in own], axis=1) for own in parts])
        for side in (0, 1)
    )
    return happened, of


def _verified(key: str) -> Callable[[PolicyResults], Counts | None]:
    """Return a function that counts a metric of the protocol "self_verify", if it was played."""

    def counts(results: PolicyResults) -> Counts | None:
        logs = results.others.get("self_verify")
        if logs is None:
            return None
        values, of = verification_counts(logs)[key]
        return values[..., None], (np.ones_like(values) if of is None else of)[..., None]

    return counts


MEASURES: tuple[Measure, ...] = (
    Measure(
        key="accuracy",
        label="accuracy",
        counts=accuracies,
        totals=(
            Total(key="accuracy_t1", label="accuracy at turn 1", column=0),
            Total(key="accuracy_t{t}", label="accuracy at turn {t}", column=-1),
        ),
    ),
    Measure(
        key="delta",
        label="Δ(t1,t)",
        counts=delta,
        first_turn=2,
        totals=(
            Total(key="delta_t1_t2", label="Δ(t1,t2)", column=0),
            Total(key="delta_t1_t{t}", label="Δ(t1,t{t})", column=-1),
        ),
    ),
    Measure(
        key="delta_ic",
        label="Δ i→c(t1,t)",
        counts=incorrect_to_correct,
        first_turn=2,
        totals=(
            Total(key="delta_ic_t1_t2", label="Δ i→c(t1,t2)", column=0),
            Total(key="delta_ic_t1_t{t}", label="Δ i→c(t1,t{t})", column=-1),
        ),
    ),
    Measure(
        key="delta_ci",
        label="Δ c→i(t1,t)",
        counts=correct_to_incorrect,
        first_turn=2,
        totals=(
            Total(key="delta_ci_t1_t2", label="Δ c→i(t1,t2)", column=0),
            Total(key="delta_ci_t1_t{t}", label="Δ c→i(t1,t{t})", column=-1),
        ),
    ),
    Measure(
        key="recovered",
        label="recovered",
        counts=lambda r: _of_all(accuracy.transitions(r.correct)["wrong to right"]),
        first_turn=2,
        totals=(),
    ),
    Measure(
        key="lost",
        label="lost",
        counts=lambda r: _of_all(accuracy.transitions(r.correct)["right to wrong"]),
        first_turn=2,
        totals=(),
    ),
    Measure(
        key="ecr",
        label="ECR",
        counts=lambda r: accuracy.wrong_to_right(r.correct),
        first_turn=2,
        totals=(Total(key="ecr", label="ECR"),),
    ),
    Measure(
        key="eir",
        label="EIR",
        counts=lambda r: accuracy.right_to_wrong(r.correct),
        first_turn=2,
        totals=(Total(key="eir", label="EIR"),),
    ),
    Measure(
        key="repeated",
        label="wrong answers repeated",
        counts=lambda r: _at_each_step(r, diagnostics.repeats),
        first_turn=2,
        totals=(Total(key="repeated", label="wrong answers repeated"),),
    ),
    Measure(
        key="edit_distance",
        label="edit distance",
        counts=edit_distances,
        first_turn=2,
        unit="number",
        totals=(Total(key="edit_distance", label="edit distance"),),
    ),
    Measure(
        key="turns_to_success",
        counts=turns_to_success,
        unit="number",
        totals=(Total(key="turns_to_success", label="turns to success"),),
    ),
    Measure(key="cut", label="cut replies", counts=cut, totals=(Total(key="cut", label="cut replies"),)),
    Measure(
        key="unreadable",
        label="unreadable replies",
        counts=lambda r: _at_each_turn(r, diagnostics.format_failures),
        totals=(Total(key="unreadable", label="unreadable replies"),),
    ),
    Measure(
        key="tokens",
        label="tokens so far",
        counts=tokens,
        unit="tokens",
        totals=(Total(key="tokens", label="tokens per problem", column=-1),),
    ),
    Measure(
        key="entropy",
        label="entropy at this turn",
        counts=entropy,
        unit="number",
        totals=(Total(key="entropy", label="entropy, nats per token"),),
    ),
    *(
        Measure(
            key=f"self_verify_{key}",
            counts=_verified(key),
            totals=(Total(key=f"self_verify_{key}", label=label),),
        )
        for key, label in (
            ("stopped", "stops by itself"),
            ("accuracy_at_stop", "accuracy at its stop"),
            ("precision", "precision of its yes"),
            ("recall", "recall of its yes"),
        )
    ),
)
"""The measures in the order of the card."""
