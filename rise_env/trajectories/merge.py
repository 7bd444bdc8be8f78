"""Merges several stores into one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.errors import StoreError
from rise_env.trajectories.store import VOLATILE, TrajectoryStore, read_run, read_trajectories
from rise_env.types import Trajectory


def merge(stores: Sequence[str | Path], out: str | Path, *, drop_failed: bool = False) -> int:
    """Write every episode of `stores` once into a new store, and return the number of episodes.

    If all stores are of one run (its shards, for example), the new store is one of that run, and the run can
    continue it. If they are of different runs, the new run record lists their run records under "merged".

    Args:
        stores: Paths of the stores. If several episodes have the same id, the first one is taken.
        out: Path of the new store.
        drop_failed: Leave out episodes that failed, so that the run plays them again.

    Raises:
        StoreError: `out` exists already, or a store is damaged.
        DataNotFoundError: A store does not exist.
    """
    out = Path(out)
    if out.exists():
        raise StoreError(f"{out} exists already; choose another name")
    records = [read_run(path) for path in stores]
    same = all(_without_volatile(record) == _without_volatile(records[0]) for record in records)
    record = records[0] if same else {"kind": "run", "merged": records}
    count = 0
    with TrajectoryStore(out, record) as store:
        for path in stores:
            for chunk in _chunks(read_trajectories(path)):
                count += store.append(t for t in chunk if not (drop_failed and t.error is not None))
    return count


def _without_volatile(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in VOLATILE}


def _chunks(trajectories: Iterator[Trajectory], size: int = 1024) -> Iterator[list[Trajectory]]:
    chunk: list[Trajectory] = []
    for trajectory in trajectories:
        chunk.append(trajectory)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
