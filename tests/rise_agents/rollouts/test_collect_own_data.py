"""`rise collect` on the user's own data, as a user types it."""

import json
from pathlib import Path

import pytest

from rise_agents.rollouts.collect_config import STORE
from rise_env.cli import main as cli
from rise_env.trajectories.store import read_trajectories


def messages(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


def test_the_rows_of_a_parquet_file_that_a_filter_wants_are_collected(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [
        {
            "prompt": messages(f"What is {i} + {i}?"),
            "reward_model": {"style": "rule", "ground_truth": str(2 * i)},
            "extra_info": {"index": f"row-{i}"},
            "level": 4 + i % 2,
        }
        for i in range(12)
    ]
    path = tmp_path / "data.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    command = ["collect", "RISE-Custom-v0", "--agent", "expert", "--env_settings.dataset", str(path)]
    command += ["--env_settings.where.level", "5", "--limit", "3", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 0
    found = list(read_trajectories(tmp_path / "out" / STORE))
    assert [trajectory.problem.meta["id"] for trajectory in found] == ["row-1", "row-3", "row-5"]
    assert [trajectory.problem.reference for trajectory in found] == ["2", "6", "10"]
    assert all(trajectory.problem.meta["level"] == 5 for trajectory in found)
    assert all(trajectory.turns[-1].action.check.correct for trajectory in found)


def test_a_mixture_is_part_of_what_a_store_was_made_of(tmp_path: Path) -> None:
    for name in "ab":
        lines = [json.dumps({"question": f"{name}{i}", "answer": str(i)}) for i in range(4)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out"

    def collect(weight: str) -> int:
        mixture = f"[[{tmp_path}/a.jsonl, {weight}], [{tmp_path}/b.jsonl, 1]]"
        command = ["collect", "RISE-Custom-v0", "--agent", "expert", "--out", str(out), "--limit", "4"]
        return cli.main([*command, "--env_settings.dataset", mixture])

    assert collect("1") == 0
    assert [trajectory.problem.question[0] for trajectory in read_trajectories(out / STORE)] == [
        "a",
        "b",
        "a",
        "b",
    ]
    assert collect("3") != 0
