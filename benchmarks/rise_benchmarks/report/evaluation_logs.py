"""Finds and reads the logs of evaluations.

Layout:
<run>/<label>/seed-<seed>/<protocol>.jsonl       as `rise evaluate` writes them
<run>/evaluate/<label>/seed-<seed>/...           as `rise run` writes them
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rise_env.envs.rewards import Rewards
from rise_env.errors import DataNotFoundError
from rise_env.metrics.policy_results import PolicyResults, policy_results
from rise_env.metrics.reply_arrays import Replies, by_draw, by_turn
from rise_env.registration import get_checker
from rise_env.trajectories.outcomes import Outcomes
from rise_env.trajectories.recheck import Changes, recheck
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Trajectory
from rise_env.utils.suggestions import natural_sort_key

LOGS = "evaluate"
"""Folder of the evaluations in a run folder of `rise run`."""
NEEDED = ("sequential", "parallel")
"""Protocols without which there is no report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The logs of one policy."""

    name: str
    """Name of its row."""
    seeds: tuple[int, ...]
    logs: Mapping[str, tuple[Path, ...]]
    """Protocol -> one store per seed."""
    record: Mapping[str, Any]
    """The run record of the sequential log of its first seed."""
    checker: str | None = None
    """Name of the checker whose verdicts are used (see `rise_env.registration.get_checker`); None uses the
    stored verdicts."""

    def files(self) -> Iterator[tuple[str, int, Path]]:
        """Yield (protocol, seed, store)."""
        for protocol, paths in self.logs.items():
            for seed, path in zip(self.seeds, paths, strict=True):
                yield protocol, seed, path


def find_logs(folders: Sequence[Path], checker: str | None = None) -> list[Measured]:
    """Return the policies that were evaluated in these folders, in the order of their rows.

    Args:
        folders: If there are several, the name of a row begins with the name of its folder, unless the label
            of the row contains it already.
        checker: See `Measured`.

    Raises:
        DataNotFoundError: A folder has no evaluation logs, or they are incomplete.
    """
    found: list[tuple[Path, Measured]] = []
    for folder in folders:
        root = folder / LOGS if (folder / LOGS).is_dir() else folder
        labels = {path.parent.parent for path in root.glob("*/seed-*/parallel.jsonl")}
        if not labels:
            raise DataNotFoundError(
                f"no evaluation logs in {folder}: make them with rise evaluate or rise run"
            )
        found += [(folder, _measured(label, checker)) for label in sorted(labels, key=_position)]
    if len(folders) == 1:
        return [measured for _, measured in found]
    short = [_with_folder(folder.name, measured.name) for folder, measured in found]
    return [
        replace(measured, name=name if short.count(name) == 1 else f"{folder.name}: {measured.name}")
        for name, (folder, measured) in zip(short, found, strict=True)
    ]


def load(measured: Measured, outcomes: Outcomes | None = None) -> PolicyResults:
    """Read the logs of one policy.

    Args:
        measured: The logs.
        outcomes: Counts the failures of all their episodes.

    Raises:
        ConfigError: The logs are of different problems.
        StoreError: A log is damaged; the message has the file and the line.
    """
    tables = {
        protocol: [_table(path, measured, outcomes or Outcomes()) for path in paths]
        for protocol, paths in measured.logs.items()
    }
    others = {name: logs for name, logs in tables.items() if name not in NEEDED}
    return policy_results(
        tables["sequential"], tables["parallel"], others, num_samples=measured.record["num_samples"]
    )


def read_episodes(path: Path, checker: str | None) -> Iterator[Trajectory]:
    """Yield the episodes of a store, with the verdicts of `checker` unless it is None."""
    stored = read_trajectories(path)
    return stored if checker is None else recheck(stored, get_checker(checker), Rewards(), Changes())


def _table(path: Path, measured: Measured, outcomes: Outcomes) -> Replies:
    record = read_run(path)
    episodes = _counted(read_episodes(path, measured.checker), outcomes)
    protocol = record.get("protocol", path.stem)
    if protocol == "parallel":
        return by_draw(episodes, record.get("draws", record["num_samples"]))
    table = by_turn(episodes, record["turns"], edits=protocol == "sequential")
    return table.every(record.get("answer_every", 1))


def _counted(episodes: Iterable[Trajectory], outcomes: Outcomes) -> Iterator[Trajectory]:
    for episode in episodes:
        outcomes.add([episode])
        yield episode


def _measured(label: Path, checker: str | None) -> Measured:
    folders = sorted(label.glob("seed-*"), key=lambda folder: natural_sort_key(folder.name))
    for folder in folders:
        for protocol in NEEDED:
            if not (folder / f"{protocol}.jsonl").is_file():
                raise DataNotFoundError(
                    f"{folder} has no {protocol}.jsonl: let its evaluation finish, or delete the folder"
                )
    records = [read_run(folder / "sequential.jsonl") for folder in folders]
    names = sorted({path.stem for path in folders[0].glob("*.jsonl")} - {"verifier"})
    kept = [*NEEDED, *(name for name in names if name not in NEEDED)]
    return Measured(
        name=str(records[0]["label"]),
        seeds=tuple(int(record["seed"]) for record in records),
        logs={
            name: tuple(folder / f"{name}.jsonl" for folder in folders)
            for name in kept
            if all((folder / f"{name}.jsonl").is_file() for folder in folders)
        },
        record=records[0],
        checker=checker,
    )


def _with_folder(folder: str, label: str) -> str:
    """Return the label, after the name of its folder unless the name is a part of it."""
    contained = re.search(rf"(?<![\w-]){re.escape(folder)}(?![\w-])", label)
    return label if contained else f"{folder}: {label}"


def _position(label: Path) -> tuple[int, list[tuple[int, str]]]:
    first = min(label.glob("seed-*"), key=lambda folder: natural_sort_key(folder.name))
    log = first / "sequential.jsonl"
    order = int(read_run(log).get("order", 0)) if log.is_file() else 0
    return order, natural_sort_key(label.name)
