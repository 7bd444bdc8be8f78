from pathlib import Path
from typing import Any

import pytest

from rise_env.cli.main import main
from rise_env.errors import StoreError
from rise_env.trajectories.merge import merge
from rise_env.trajectories.old_names import episode_ids, rename_record, rename_run_settings
from rise_env.trajectories.serialization import episode_id
from rise_env.trajectories.store import TrajectoryStore, load_trajectories, read_run
from rise_env.types import Problem
from tests.rise_env.problem_factories import trajectory

OLD = Path(__file__).parents[2] / "fixtures" / "version_0_1"
COLLECTED = OLD / "collected" / "trajectories.jsonl"


def test_a_store_with_old_names_is_read_with_the_new_ones(capsys: pytest.CaptureFixture[str]) -> None:
    record = read_run(COLLECTED)
    assert record["settings"]["num_samples"] == 1
    assert record["settings"]["env_settings"] == {"released_rise": True}
    assert "last_samples" not in record["settings"]
    assert len(load_trajectories(COLLECTED)) == 3
    evaluated = read_run(OLD / "run" / "evaluate" / "base" / "seed-0" / "sequential.jsonl")
    assert (evaluated["num_samples"], evaluated["draws"]) == (2, 2)
    assert main(["store", "info", str(COLLECTED)]) == 0
    printed = capsys.readouterr().out
    assert "num_samples 1" in printed
    assert "episodes      3\n" in printed


def test_a_store_with_old_names_is_continued_with_the_new_ones_and_with_no_other_values(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.jsonl"
    old = {"settings": {"last_samples": 2, "env_settings": {"original": True, "checker": "original_math"}}}
    new = {
        "settings": {
            "num_samples": 2,
            "env_settings": {"released_rise": True, "checker": "released_rise_math"},
        }
    }
    TrajectoryStore(path, old).close()
    written = path.read_bytes()
    with TrajectoryStore(path, new) as store:
        store.append([trajectory(1)])
    assert path.read_bytes().startswith(written)
    with pytest.raises(StoreError, match=r"settings\.num_samples is 2, not 3"):
        TrajectoryStore(path, {"settings": {**new["settings"], "num_samples": 3}})


def test_a_setting_of_a_users_environment_may_have_an_old_name(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    for _ in range(2):
        TrajectoryStore(path, {"env_settings": {"original": 1}}).close()
        TrajectoryStore(tmp_path / "both.jsonl", {"samples": 1, "num_samples": 2}).close()
    assert read_run(tmp_path / "both.jsonl")["samples"] == 1


def test_shards_of_one_run_with_old_and_new_names_are_merged_as_one_run(tmp_path: Path) -> None:
    TrajectoryStore(tmp_path / "old.jsonl", {"settings": {"last_samples": 2}}).close()
    TrajectoryStore(tmp_path / "new.jsonl", {"settings": {"num_samples": 2}}).close()
    merge([tmp_path / "old.jsonl", tmp_path / "new.jsonl"], tmp_path / "out.jsonl")
    assert read_run(tmp_path / "out.jsonl")["settings"] == {"num_samples": 2}


def test_a_record_keeps_what_was_not_renamed() -> None:
    record = {
        "label": "original",
        "sampling": {"samples": 3},
        "env_settings": {"feedback": "original", "split": "test"},
        "rechecked": "original_gsm8k",
        "merged": [{"samples": 5}],
    }
    assert rename_record(record) == {
        "label": "original",
        "sampling": {"samples": 3},
        "env_settings": {"feedback": "released_rise", "split": "test"},
        "rechecked": "released_rise_gsm8k",
        "merged": [{"num_samples": 5}],
    }


def test_every_section_of_a_runs_settings_is_renamed() -> None:
    old: dict[str, Any] = {
        "chunk": 4,
        "problems": {"train": 8, "settings": {"original": True}},
        "agent": {"settings": {"max_batch": 2}},
        "boost": {"teacher": "cassette:FILE:1", "settings": {"journal": "a", "concurrency": 3}},
        "improve": {"samples": 4, "teacher": "expert", "teacher_settings": {"journal": "b"}},
        "measure": {"turns": 2, "samples": 5},
    }
    assert rename_run_settings(old) == {
        "max_concurrent_episodes": 4,
        "problems": {"train": 8, "settings": {"released_rise": True}},
        "agent": {"settings": {"max_concurrent_requests": 2}},
        "boost": {
            "teacher": "replay:FILE:1",
            "settings": {"reply_log": "a", "max_concurrent_requests": 3},
        },
        "improve": {"num_samples": 4, "teacher": "expert", "teacher_settings": {"reply_log": "b"}},
        "measure": {"turns": 2, "num_samples": 5},
    }


def test_an_episode_is_found_under_the_id_that_it_had_before() -> None:
    problem = Problem(id="p", question="?", reference="1")
    old = {"env": "E", "env_settings": {"original": True, "feedback": "original"}}
    new = {"env": "E", "env_settings": {"released_rise": True, "feedback": "released_rise"}}
    assert episode_ids(problem, new, 3) == {episode_id(problem, new, 3), episode_id(problem, old, 3)}
    plain = {"env": "E", "env_settings": {"split": "test"}}
    assert episode_ids(problem, plain, 3) == {episode_id(problem, plain, 3)}
