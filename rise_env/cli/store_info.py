"""What `rise store info` prints: the settings of a run and a summary of its episodes."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rise_env.trajectories.outcomes import Outcomes, summary
from rise_env.trajectories.store import read_run, read_trajectories

_KEYS = ("env", "agents", "agent", "label", "protocol", "seed", "data", "settings")
"""Keys of run records that are printed, in this order."""
_FURTHER = ("env_settings", "sampling", "versions")
_INDENT = 14
_WIDTH = 100


def info_lines(path: str | Path) -> Iterator[str]:
    """Yield the lines for a store.

    Raises:
        DataNotFoundError: There is no such file.
        StoreError: The store is damaged.
    """
    yield from _record_lines(read_run(path))
    outcomes = Outcomes()
    played: Counter[int] = Counter()
    correct: Counter[int] = Counter()
    verdicts: Counter[str] = Counter()
    for trajectory in read_trajectories(path):
        outcomes.add([trajectory])
        for number, turn in enumerate(trajectory.turns, start=1):
            played[number] += 1
            correct[number] += turn.action.check.correct
            verdicts[turn.action.check.verdict.value] += 1
    yield _line("episodes", str(outcomes.episodes))
    for number in sorted(played):
        share = correct[number] / played[number]
        yield _line(f"turn {number}", f"{played[number]} played, {share:.1%} correct")
    yield _line("verdicts", ", ".join(f"{name} {count}" for name, count in verdicts.most_common()))
    yield _line("replies", f"{outcomes.replies}, {outcomes.tokens} tokens")
    for place, line in enumerate(summary(outcomes)):
        yield _line("" if place else "failures", line)


def _record_lines(record: Mapping[str, Any]) -> Iterator[str]:
    for key in (*_KEYS, *_FURTHER):
        if key in record:
            yield _line(key, _said(_without_own_lines(record[key]), key))
    for place, part in enumerate(record.get("merged", ()), start=1):
        about = "; ".join(f"{key} {_said(part[key], key)}" for key in _KEYS[:-1] if key in part)
        yield _line("" if place > 1 else "merged", f"run {place}: {about}")


def _without_own_lines(value: Any) -> Any:
    """Return settings without those that have a line of their own."""
    if not isinstance(value, Mapping):
        return value
    return {name: part for name, part in value.items() if name not in _KEYS}


def _said(value: Any, key: str = "") -> str:
    """Return a JSON value as text: settings as `name value`, equal neighbours of a list once."""
    if isinstance(value, Mapping):
        return ", ".join(_settings(value)) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        if key == "agents":  # one pair (agent, largest number of samples) per turn
            value = [
                agent if samples == 1 else f"{agent} (up to {samples} samples)" for agent, samples in value
            ]
        runs = [(said, sum(1 for _ in same)) for said, same in groupby(_said(part) for part in value)]
        return ", ".join(said if count == 1 else f"{said} x {count}" for said, count in runs) or "none"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _settings(value: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, part in value.items():
        if isinstance(part, Mapping) and part:
            yield from _settings(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name} {_said(part)}"


def _line(key: str, text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=f"{key:<{_INDENT}}",
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
