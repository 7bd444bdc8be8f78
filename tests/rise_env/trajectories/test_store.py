import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rise_env.errors import DataNotFoundError, StoreError
from rise_env.trajectories.store import TrajectoryStore, load_trajectories, read_run, read_trajectories
from tests.rise_env.problem_factories import trajectory

RUN = {"settings": {"turns": 2, "agent": ("a", 1)}, "seed": 3}


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "s.jsonl"
    made = [trajectory(i) for i in range(5)]
    with TrajectoryStore(path, RUN) as store:
        assert store.append(made[:3]) == 3
        assert store.append(made[3:]) == 2
    assert list(read_trajectories(path)) == load_trajectories(path) == made
    assert read_run(path) == {
        "kind": "run",
        "schema": 1,
        "settings": {"turns": 2, "agent": ["a", 1]},
        "seed": 3,
    }


def test_an_id_is_stored_once_within_a_call_between_calls_and_between_processes(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, RUN) as store:
        assert store.append([trajectory(1), trajectory(1), trajectory(2)]) == 2
        assert store.append([trajectory(2)]) == 0
    with TrajectoryStore(path, RUN) as store:
        assert store.ids == {trajectory(1).id, trajectory(2).id}
        assert store.append([trajectory(1), trajectory(3)]) == 1
    assert [t.id for t in read_trajectories(path)] == [trajectory(i).id for i in (1, 2, 3)]


def test_a_file_cut_at_any_byte_loses_only_its_incomplete_line(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    made = [trajectory(i, turns=1) for i in range(3)]
    with TrajectoryStore(whole, RUN) as store:
        store.append(made)
    data = whole.read_bytes()
    path = tmp_path / "cut.jsonl"
    for cut in range(0, len(data) + 1, 7):
        path.write_bytes(data[:cut])
        with TrajectoryStore(path, RUN) as store:
            store.append(made)
        assert list(read_trajectories(path)) == made
        assert path.read_bytes() == data


def test_an_incomplete_last_line_is_kept_beside_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, RUN) as store:
        store.append([trajectory(1)])
    with path.open("ab") as file:
        file.write(b'{"id":"half a li')
    assert [t.id for t in read_trajectories(path)] == [trajectory(1).id]
    with TrajectoryStore(path, RUN) as store:
        assert store.incomplete_bytes == 16
    assert (tmp_path / "s.jsonl.incomplete").read_bytes() == b'{"id":"half a li\n'


def test_a_store_of_another_run_is_refused_and_the_setting_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    TrajectoryStore(path, RUN).close()
    before = path.read_bytes()
    other = {"settings": {"turns": 3, "agent": ("a", 1)}, "seed": 3}
    with pytest.raises(StoreError, match=r"settings\.turns is 2, not 3"):
        TrajectoryStore(path, other)
    assert path.read_bytes() == before


def test_versions_may_change_between_runs(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    TrajectoryStore(path, {**RUN, "versions": {"torch": "1"}}).close()
    TrajectoryStore(path, {**RUN, "versions": {"torch": "2"}}).close()


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\nno store here\n")
    with pytest.raises(StoreError, match="not a store"):
        TrajectoryStore(path, RUN)
    assert path.read_text() == "dear diary\nno store here\n"


@pytest.mark.parametrize("line", [b"garbage\n", b"{}\n", b'{"id":"x","turns":[{}]}\n', b"[1]\n", b"\xff\n"])
def test_a_damaged_line_is_an_error_that_names_it(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, RUN) as store:
        store.append([trajectory(1)])
    with path.open("ab") as file:
        file.write(line)
    with pytest.raises(StoreError, match="line 3"):
        list(read_trajectories(path))


def test_a_missing_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="there is no store"):
        list(read_trajectories(tmp_path / "none.jsonl"))


def test_two_processes_cannot_write_to_one_store(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    script = (
        "import sys; from rise_env.trajectories.store import TrajectoryStore\n"
        "from rise_env.errors import StoreError\n"
        "try: TrajectoryStore(sys.argv[1], {})\n"
        "except StoreError as error: sys.exit(str(error))"
    )
    with TrajectoryStore(path, {}):
        other = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
        )
    assert other.returncode == 1
    assert "written by another process" in other.stderr


def test_reading_leaves_the_garbage_collector_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, RUN) as store:
        store.append([trajectory(1)])
    for read in (load_trajectories, lambda path: next(read_trajectories(path))):
        read(path)
        assert gc.isenabled()
    gc.disable()
    try:
        load_trajectories(path)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_json_cannot_hold_stores_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    bad = trajectory(2)
    object.__setattr__(bad.turns[0].attempts[0], "reward", float("nan"))
    with TrajectoryStore(path, RUN) as store:
        with pytest.raises(StoreError, match="cannot be stored"):
            store.append([trajectory(1), bad])
        assert not store.ids
        store.append([trajectory(1)])
    assert list(read_trajectories(path)) == [trajectory(1)]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error")])
def test_an_append_that_is_interrupted_stores_nothing_and_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    made = [trajectory(1), trajectory(2)]

    def interrupted(_: int) -> None:
        raise error

    with TrajectoryStore(tmp_path / "s.jsonl", RUN) as store:
        store.append(made[:1])
        whole = store.path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", interrupted)
            with pytest.raises((KeyboardInterrupt, StoreError)):
                store.append(made)
        assert store.path.read_bytes() == whole
        assert store.ids == {made[0].id}
        assert store.append(made) == 1
    assert list(read_trajectories(tmp_path / "s.jsonl")) == made


def test_replies_of_any_characters_stay_one_line_each(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    made = trajectory(1)
    reply = 'line\nbreak\r\u2028\x85 tab\t nul\0 quote" 中文 😀 lone \ud800 surrogate'
    object.__setattr__(made.turns[1].attempts[0], "reply", reply)
    with TrajectoryStore(path, RUN) as store:
        store.append([made, trajectory(2)])
    assert next(iter(read_trajectories(path))).turns[1].action.reply == reply
    assert len(path.read_bytes().splitlines(keepends=True)) == 3
    assert all(json.loads(line) for line in path.read_bytes().split(b"\n")[:-1])


def test_a_full_disk_is_an_error_and_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    script = (
        "import resource, sys\n"
        "from rise_env.errors import StoreError\n"
        "from rise_env.trajectories.store import TrajectoryStore\n"
        "from tests.rise_env.problem_factories import trajectory\n"
        "store = TrajectoryStore(sys.argv[1], {})\n"
        "store.append([trajectory(1)])\n"
        "size = store.path.stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))\n"
        "try: store.append([trajectory(2)])\n"
        "except StoreError as error: print(error, len(store.ids))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert "cannot write" in done.stdout
    assert done.stdout.split()[-1] == "1"
    assert path.read_bytes().endswith(b"\n")
    assert list(read_trajectories(path)) == [trajectory(1)]
