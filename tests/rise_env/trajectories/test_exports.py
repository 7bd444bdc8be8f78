"""Exports stream: every format and file type, with equal rows and little memory."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import StoreError
from rise_env.trajectories.export import arrow_files
from rise_env.trajectories.export.formats import FORMATS, VERL_NAMES, verl
from rise_env.trajectories.export.writers import WRITERS, write_rows
from rise_env.types import Trajectory
from tests.rise_env.problem_factories import trajectory

MOST_MIB = 300


def read(path: Path, cache: Path) -> list[dict[str, Any]]:
    if path.suffix == ".json":
        return list(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    datasets = pytest.importorskip("datasets")
    if path.suffix == ".parquet":
        return list(datasets.Dataset.from_parquet(str(path), cache_dir=str(cache)).to_list())
    return list(datasets.load_from_disk(str(path)).to_list())


def exported(rows: list[dict[str, Any]], suffix: str, tmp_path: Path) -> list[dict[str, Any]]:
    if suffix in (".parquet", ""):
        pytest.importorskip("datasets")
    out = tmp_path / f"rows{suffix}"
    assert write_rows(lambda: iter(rows), out) == len(rows)
    assert {path.name for path in tmp_path.iterdir()} - {"cache"} == {out.name}
    return read(out, tmp_path / "cache")


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_file_type_has_the_rows_of_every_format(name: str, suffix: str, tmp_path: Path) -> None:
    episodes = [trajectory(i) for i in range(30)] + [paired(40), paired(41)]
    rows = list(FORMATS[name](episodes))
    assert rows
    assert exported(rows, suffix, tmp_path) == rows


def paired(index: int) -> Trajectory:
    episode = trajectory(index)
    first, *others = episode.turns
    better = dataclasses.replace(first.action, reply="better", reward=1.0)
    first = dataclasses.replace(first, attempts=(first.action, better))
    return dataclasses.replace(episode, turns=(first, *others))


@pytest.mark.parametrize("suffix", [".parquet", ""])
def test_columns_that_later_rows_fill_or_add_are_in_the_file(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrow_files, "_BATCH", 2)
    said = {"role": "user", "content": "x"}
    rows = [
        {"answers": [None], "messages": [said], "more": None},
        {"answers": [], "messages": [said], "more": None},
        {"answers": ["1"], "messages": [said, {**said, "reasoning_content": "so"}], "more": 1},
        {"answers": [None], "messages": [], "more": None},
        {"answers": ["2"], "messages": [said], "more": 2},
    ]
    found = exported(rows, suffix, tmp_path)
    assert [row["answers"] for row in found] == [row["answers"] for row in rows]
    assert [row["more"] for row in found] == [None, None, 1, None, 2]
    assert found[2]["messages"] == [{**said, "reasoning_content": None}, {**said, "reasoning_content": "so"}]


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_lone_surrogate_of_a_reply_is_no_error(suffix: str, tmp_path: Path) -> None:
    found = exported([{"reply": "a"}, {"reply": "lone \ud800 surrogate"}], suffix, tmp_path)
    assert found[1]["reply"] in ("lone \ud800 surrogate", "lone ? surrogate")


def test_two_exports_as_folders_are_different_data_sets_to_caches(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    for name in ("a", "b"):
        write_rows(lambda name=name: iter([{"name": "same"}, {"name": name}]), tmp_path / name)  # type: ignore[misc]
    prints = {datasets.load_from_disk(str(tmp_path / name))._fingerprint for name in ("a", "b")}
    assert len(prints) == 2


@pytest.mark.parametrize("suffix", WRITERS)
def test_an_export_that_fails_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    if suffix in (".parquet", ""):
        pytest.importorskip("datasets")

    def rows() -> Any:
        yield {"a": 1}
        raise StoreError("line 3 is not a trajectory")

    with pytest.raises(StoreError, match="line 3"):
        write_rows(rows, tmp_path / f"out{suffix}")
    assert list(tmp_path.iterdir()) == []


def problem_of(name: str, reference: str) -> Trajectory:
    made = trajectory(1)
    problem = dataclasses.replace(made.problem, id=f"{name}/test/0", reference=reference, source="f sha256:0")
    return dataclasses.replace(made, problem=problem)


def test_verl_finds_its_reward_function_by_the_data_source() -> None:
    names = {name: next(verl([problem_of(name, "1")]))["data_source"] for name in (*VERL_NAMES, "svamp")}
    assert names.pop("svamp") == "svamp"
    known = {"openai/gsm8k", "DigitalLearningGmbH/MATH-lighteval", "math_dapo"}
    assert {name for name in names.values() if not name.startswith("aime")} == known
    row = next(verl([problem_of("gsm8k", "1,234")]))
    assert row["reward_model"]["ground_truth"] == "1234"
    assert row["extra_info"]["source"] == "f sha256:0"
    assert next(verl([problem_of("math", "(1,2)")]))["reward_model"]["ground_truth"] == "(1,2)"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ""])
@pytest.mark.parametrize("name", FORMATS)
def test_the_memory_of_an_export_does_not_grow_with_the_store(name: str, suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    script = (
        "import resource, sys\n"
        "from tests.rise_env.trajectories.test_exports import many\n"
        "from rise_env.trajectories.export.formats import FORMATS\n"
        "from rise_env.trajectories.export.writers import write_rows\n"
        "from pathlib import Path\n"
        "write_rows(lambda: FORMATS[sys.argv[1]](many(20_000)), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, name, str(tmp_path / f"out{suffix}")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert float(done.stdout.split()[-1]) < MOST_MIB


def many(count: int) -> Any:
    """Episodes of many different problems, made one at a time."""
    for index in range(count):
        yield paired(index)
