"""Stores hold episodes in the order of their problems, whichever end first."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rise_agents.rollout.ordered_writer import PATIENCE, SECONDS, OrderedWriter
from rise_env.errors import StoreError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Problem, Trajectory

ORDER = (3, 1, 4, 0, 5)


def episode(index: int) -> Trajectory:
    problem = Problem(id=f"p/{index}", question="?", reference="1")
    return Trajectory(id=f"{index:032x}", problem=problem, turns=(), seed=0)


class Desk:
    """A writer with a clock that is set by hand."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.time = 0.0
        self.told: list[int] = []
        self.store = TrajectoryStore(path, {})
        self.writer = OrderedWriter(self.store, ORDER, size, self._tell, clock=lambda: self.time)

    def add(self, *indices: int) -> None:
        for index in indices:
            self.writer.add(index, episode(index))

    def stored(self) -> list[int]:
        return [int(trajectory.id, 16) for trajectory in read_trajectories(self.path)]

    def _tell(self, written: Sequence[Trajectory]) -> None:
        self.told.append(len(written))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "s.jsonl", size=2)
    yield made
    made.store.close()


def test_episodes_are_written_in_the_order_they_were_begun_in(desk: Desk) -> None:
    desk.add(4, 1)
    assert desk.stored() == []
    desk.add(3)
    assert desk.stored() == [3, 1, 4]
    desk.add(5, 0)
    assert desk.stored() == list(ORDER)
    assert desk.told == [3, 2]


def test_few_episodes_are_written_after_a_while(desk: Desk) -> None:
    desk.add(3)
    assert desk.stored() == []
    desk.time += SECONDS + 1
    desk.add(4)
    assert desk.stored() == [3]


def test_one_that_takes_long_holds_up_the_others_for_a_while_only(desk: Desk) -> None:
    desk.add(4, 1)
    desk.time += PATIENCE + 1
    desk.add(0)
    assert desk.stored() == [4, 1, 0]
    desk.add(3, 5)
    assert desk.stored() == [4, 1, 0, 3, 5]
    assert desk.told == [3, 2]


def test_flushing_writes_what_is_finished(desk: Desk) -> None:
    desk.add(4)
    desk.writer.flush()
    desk.writer.flush()
    assert desk.stored() == [4]
    assert desk.told == [1]


def test_what_could_not_be_written_is_written_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise StoreError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(TrajectoryStore, "append", full)
        with pytest.raises(StoreError):
            desk.add(3, 1)
    desk.writer.flush()
    assert desk.stored() == [3, 1]
