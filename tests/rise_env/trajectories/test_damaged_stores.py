import dataclasses
import gzip
from pathlib import Path

import pytest

from rise_env.cli.main import main
from rise_env.errors import BusyError, StoreError
from rise_env.trajectories.repair import repair
from rise_env.trajectories.serialization import from_line, id_of_line
from rise_env.trajectories.store import TrajectoryStore, load_trajectories, read_trajectories
from rise_env.types import Trajectory
from tests.rise_env.problem_factories import trajectory

RUN = {"settings": {"turns": 2}, "seed": 3}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, RUN) as opened:
        opened.append([trajectory(i) for i in range(4)])
    return path


def failed(index: int) -> Trajectory:
    return dataclasses.replace(trajectory(index, turns=0), error="turn 1: gone", truncated=False)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b'{"kind":"run"}\n' * 20, mtime=0)[:-3],
        b"a note without a line end",
        b"first line\nsecond line, without a line end",
        b"\0" * 500,
        b'{"kind":"run","schema":99}\n{"id":"half',
    ],
)
def test_a_foreign_file_is_refused_before_a_byte_of_it_is_changed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    for use in (lambda: TrajectoryStore(path, RUN), lambda: repair(path)):
        with pytest.raises(StoreError):
            use()
        assert path.read_bytes() == content
    assert [found.name for found in tmp_path.iterdir()] == ["notes"]


def test_an_incomplete_line_of_another_run_is_left_alone(store: Path) -> None:
    with store.open("ab") as file:
        file.write(b'{"id":"half a li')
    before = store.read_bytes()
    with pytest.raises(StoreError, match="another run"):
        TrajectoryStore(store, {**RUN, "seed": 4})
    assert store.read_bytes() == before
    assert list(store.parent.iterdir()) == [store]


DAMAGES = {
    "invalid UTF-8": (b"It is 1", b"It is \xff"),
    "unknown verdict": (b'"verdict":"wrong"', b'"verdict":"maybe"'),
    "cut line": (b'"attempts":', b'"atte\n'),
    "missing attempt": (b'"agent":"a"', b'"agent":1'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_is_found_on_resume_and_mended_by_repair(
    store: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    whole = lines(store)
    before, after = DAMAGES[damage]
    store.write_bytes(b"".join([*whole[:2], whole[2].replace(before, after), *whole[3:]]))
    for use in (lambda: TrajectoryStore(store, RUN), lambda: load_trajectories(store)):
        with pytest.raises(StoreError, match=f"line 3 is not a trajectory.*rise store repair {store}"):
            use()
    assert main(["store", "repair", str(store)]) == 0
    said = capsys.readouterr().out
    assert "3 episodes" in said
    assert f"damaged lines moved to {store}.damaged" in said
    with TrajectoryStore(store, RUN) as opened:  # the run plays the episode again
        assert opened.append([trajectory(i) for i in range(4)]) == 1
    assert {t.id for t in read_trajectories(store)} == {trajectory(i).id for i in range(4)}
    assert store.with_name("s.jsonl.damaged").read_bytes() == whole[2].replace(before, after)


def test_an_episode_that_chose_a_missing_attempt_is_found_on_resume(store: Path) -> None:
    whole = lines(store)
    bad = whole[2].replace(b'}],"', b'}],"', 1).replace(b"}]}", b'}],"chosen":3}', 1)
    assert bad != whole[2]
    store.write_bytes(b"".join([*whole[:2], bad, *whole[3:]]))
    with pytest.raises(StoreError, match="line 3"):
        TrajectoryStore(store, RUN)


def test_the_id_of_a_line_is_that_of_its_trajectory(store: Path) -> None:
    for line in lines(store)[1:]:
        assert id_of_line(line) == from_line(line).id


def test_an_id_in_several_lines_counts_once_and_repair_sets_the_others_aside(store: Path) -> None:
    whole = lines(store)
    store.write_bytes(b"".join([*whole, whole[1], whole[3]]))
    made = [trajectory(i) for i in range(4)]
    assert list(read_trajectories(store)) == load_trajectories(store) == made
    done = repair(store)
    assert (done.kept, done.damaged, done.repeated, done.incomplete) == (4, 0, 2, 0)
    assert lines(store) == whole
    assert lines(store.with_name("s.jsonl.repeated")) == [whole[1], whole[3]]


def test_a_healthy_store_is_not_written_by_repair(store: Path) -> None:
    before = store.stat()
    assert repair(store).kept == 4
    assert (store.stat().st_ino, store.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(store.parent.iterdir()) == [store]


def test_a_repair_keeps_the_permissions_and_moves_an_incomplete_line(store: Path) -> None:
    store.chmod(0o640)
    with store.open("ab") as file:
        file.write(b'nonsense\n{"id":"half')
    done = repair(store)
    assert (done.damaged, done.incomplete) == (1, 1)
    assert store.stat().st_mode & 0o777 == 0o640
    assert store.with_name("s.jsonl.incomplete").read_bytes() == b'{"id":"half\n'


def test_a_store_that_is_being_written_is_not_repaired(store: Path) -> None:
    with TrajectoryStore(store, RUN), pytest.raises(BusyError):
        repair(store)


def test_failed_episodes_are_set_aside_and_played_again(store: Path) -> None:
    whole = lines(store)
    with TrajectoryStore(store, RUN) as opened:
        opened.append([failed(7), trajectory(5), failed(8)])
        assert opened.set_aside_failed() == 2
        assert failed(7).id not in opened.ids
        assert opened.append([trajectory(7), trajectory(5)]) == 1
        assert opened.set_aside_failed() == 0
    assert lines(store)[:5] == whole
    assert [t.problem.id for t in read_trajectories(store)][4:] == ["sums/5", "sums/7"]
    assert [from_line(line) for line in lines(store.with_name("s.jsonl.failed"))] == [failed(7), failed(8)]


def test_a_store_whose_failed_episodes_were_set_aside_stays_locked(store: Path) -> None:
    with TrajectoryStore(store, RUN) as opened:
        opened.append([failed(7)])
        opened.set_aside_failed()
        with pytest.raises(BusyError):
            repair(store)
    assert repair(store).kept == 4


def test_lines_are_moved_completely_or_not_at_all(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with TrajectoryStore(store, RUN) as opened:
        opened.append([failed(7)])
        before = store.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", full)
            with pytest.raises(StoreError, match="No space left"):
                opened.set_aside_failed()
        assert store.read_bytes() == before
        assert not store.with_name("s.jsonl.partial").exists()
        assert opened.set_aside_failed() == 1
