"""Stores hold episodes in the order of their problems, whichever end first."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rise_agents.rollouts.ordered_writer import FLUSH_AFTER_S, WRITE_AFTER_S, OrderedWriter
from rise_env.errors import StoreError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Problem, Trajectory

ORDER = (3, 1, 4, 0, 5)


def episode(index: int) -> Trajectory:
    problem = Problem(id=f"p/{index}", question="?", reference="1")
    return Trajectory(id=f"{index:032x}", problem=problem, turns=(), seed=0)


class ManualWriter:
    """A writer with a clock that the test sets."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.time = 0.0
        self.written: list[int] = []
        self.store = TrajectoryStore(path, {})
        self.writer = OrderedWriter(self.store, ORDER, size, self._on_write, clock=lambda: self.time)

    def add(self, *indices: int) -> None:
        for index in indices:
            self.writer.add(index, episode(index))

    def stored(self) -> list[int]:
        return [int(trajectory.id, 16) for trajectory in read_trajectories(self.path)]

    def _on_write(self, written: Sequence[Trajectory]) -> None:
        self.written.append(len(written))


@pytest.fixture
def manual(tmp_path: Path) -> Iterator[ManualWriter]:
    made = ManualWriter(tmp_path / "s.jsonl", size=2)
    yield made
    made.store.close()


def test_episodes_are_written_in_the_order_they_were_begun_in(manual: ManualWriter) -> None:
    manual.add(4, 1)
    assert manual.stored() == []
    manual.add(3)
    assert manual.stored() == [3, 1, 4]
    manual.add(5, 0)
    assert manual.stored() == list(ORDER)
    assert manual.written == [3, 2]


def test_few_episodes_are_written_after_a_time(manual: ManualWriter) -> None:
    manual.add(3)
    assert manual.stored() == []
    manual.time += WRITE_AFTER_S + 1
    manual.add(4)
    assert manual.stored() == [3]


def test_an_unfinished_episode_delays_later_ones_only_for_a_limited_time(manual: ManualWriter) -> None:
    manual.add(4, 1)
    manual.time += FLUSH_AFTER_S + 1
    manual.add(0)
    assert manual.stored() == [4, 1, 0]
    manual.add(3, 5)
    assert manual.stored() == [4, 1, 0, 3, 5]
    assert manual.written == [3, 2]


def test_flushing_writes_what_is_finished(manual: ManualWriter) -> None:
    manual.add(4)
    manual.writer.flush()
    manual.writer.flush()
    assert manual.stored() == [4]
    assert manual.written == [1]


def test_a_failed_write_is_repeated_later(manual: ManualWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise StoreError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(TrajectoryStore, "append", full)
        with pytest.raises(StoreError):
            manual.add(3, 1)
    manual.writer.flush()
    assert manual.stored() == [3, 1]
