"""What searches inside a turn found, and how their trees grew.

A search leaves one message of the role "search" in `Attempt.messages`:
{"role": "search", "rounds", "simulations", "draws", "merged", "depth"}. "draws" counts the completions that
were drawn for new nodes, "merged" those that added none, and "depth" is the mean number of options from the
root to a leaf.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np

from rise_env.metrics.report_values import estimate, percent
from rise_env.types import Attempt, Trajectory

SEARCH_ROLE = "search"
"""The role of the message."""

_LOOKED_AT = 20
"""Episodes of a log that are looked at for a search; a longer log without one is not read to its end."""

HEAD = ("", "p@considered", "simulations", "rounds", "merged draws", "depth", "tokens per simulation")
"""The columns of the table."""


def search_quality(
    name: str, logs: Sequence[Iterable[Trajectory]], problems: Sequence[str]
) -> dict[str, Any] | None:
    """Return what the searches of a row found at the first turn.

    Args:
        name: The name of the row.
        logs: The episodes of each seed.
        problems: The ids of their problems.

    Returns:
        "name"; "p@considered", the share of problems of which the given reply or one that was considered is
        right; and means per reply of "simulations", "rounds", "merged" (share of the draws), "depth" and
        "tokens" (generated, per simulation), null where no search was recorded. None if the first episodes
        have no reply that was searched.
    """
    tables = [_table(log) for log in logs]
    if not all(tables):
        return None
    found = np.array([[table[problem].found for problem in problems] for table in tables], dtype=float)
    known = [(one.record, one.tokens) for table in tables for one in table.values() if one.record is not None]
    simulations, draws, rounds, merged, depth = (
        sum(record[key] for record, _ in known)
        for key in ("simulations", "draws", "rounds", "merged", "depth")
    )
    return {
        "name": name,
        "p@considered": estimate(found),
        "simulations": _ratio(simulations, len(known)),
        "rounds": _ratio(rounds, len(known)),
        "merged": _ratio(merged, draws),
        "depth": _ratio(depth, len(known)),
        "tokens": _ratio(sum(tokens for _, tokens in known), simulations),
    }


def cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the rows of `search_quality` as a table of texts; the first row is the head."""
    table = [list(HEAD)]
    for row in rows:
        means = [_number(row[key]) for key in ("simulations", "rounds")]
        merged = "–" if row["merged"] is None else f"{100 * row['merged']:.0f} %"
        further = [_number(row[key]) for key in ("depth", "tokens")]
        table.append([row["name"], percent(row["p@considered"]), *means, merged, *further])
    return table


@dataclass(frozen=True, slots=True)
class _Searched:
    """The first turn of one episode."""

    found: bool
    """Whether the given reply or one that was considered is right."""
    record: Mapping[str, Any] | None
    tokens: int


def _table(log: Iterable[Trajectory]) -> dict[str, _Searched]:
    """Return problem -> its first turn; empty if the first episodes show no search."""
    episodes = iter(log)
    first = list(islice(episodes, _LOOKED_AT))
    if not any(_record(one.turns[0].action) or one.turns[0].considered for one in first if one.turns):
        return {}
    return {episode.problem.id: _searched(episode) for episode in chain(first, episodes)}


def _searched(episode: Trajectory) -> _Searched:
    if not episode.turns:
        return _Searched(found=False, record=None, tokens=0)
    turn = episode.turns[0]
    found = any(attempt.check.correct for attempt in (turn.action, *turn.considered))
    return _Searched(found, _record(turn.action), turn.action.usage.completion_tokens)


def _record(attempt: Attempt) -> Mapping[str, Any] | None:
    return next((one for one in attempt.messages if one.get("role") == SEARCH_ROLE), None)


def _ratio(total: float, of: float) -> float | None:
    return total / of if of else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
