import csv
import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import DataNotFoundError, MissingDependencyError, ProblemError
from rise_env.problems.loading import load_problems
from rise_env.problems.reading.files import ending_of, find_split, read_file

ROWS = [{"question": "1 + 1?", "answer": "2"}, {"question": "6 * 7?", "answer": "6 * 7 = 42\n#### 42"}]


def write_json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows))


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist(rows), path)


WRITERS = {".jsonl": write_json_lines, ".json": write_json, ".csv": write_csv, ".parquet": write_parquet}


def answers(**settings: Any) -> list[str]:
    return [problem.reference for problem in load_problems("Custom", **settings)]


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize(("ending", "write"), WRITERS.items(), ids=WRITERS)
def test_every_format_is_read_by_its_ending_in_any_case(
    ending: str, write: Callable[[Path, list[dict[str, Any]]], None], compressed: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"a{ending}"
    write(path, ROWS)
    content = path.read_bytes()
    for name in (f"b{ending}", f"B{ending.upper()}"):
        other = tmp_path / (name + (".gz" if compressed else ""))
        other.write_bytes(gzip.compress(content) if compressed else content)
        assert answers(dataset=other) == ["2", "42"]
    for split in ("train", "TEST"):
        name = split + ending + (".GZ" if compressed else "")
        (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
        assert answers(dataset=tmp_path, split=split) == ["2", "42"]


def test_the_ending_does_not_count_the_compression() -> None:
    assert [ending_of(Path(name)) for name in ("a.JSONL", "a.b.csv.GZ", "a.gz", "a")] == [
        ".jsonl",
        ".csv",
        "",
        "",
    ]


def test_a_folder_may_hold_shards_and_its_data_folder_counts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for shard, row in enumerate(ROWS):
        write_parquet(data / f"train-0000{shard}-of-00002.parquet", [row])
    assert answers(dataset=tmp_path) == ["2", "42"]
    with pytest.raises(DataNotFoundError, match=r"no file test\.jsonl .*: train-00000-of-00002\.parquet"):
        find_split(tmp_path, "test")
    with pytest.raises(DataNotFoundError, match="no data file"):
        find_split(tmp_path / "none", "test")


def test_json_lines_in_a_file_called_json_are_read(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "a.json", ROWS)
    assert answers(dataset=tmp_path / "a.json") == ["2", "42"]


def test_messages_in_parquet_stay_messages(tmp_path: Path) -> None:
    row = {
        "prompt": [{"role": "user", "content": "1 + 1?"}],
        "reward_model": {"ground_truth": "2", "style": "r"},
    }
    write_parquet(tmp_path / "a.parquet", [row])
    [problem] = load_problems("Custom", dataset=tmp_path / "a.parquet")
    assert (problem.question, problem.reference, problem.meta) == (
        "1 + 1?",
        "2",
        {"reward_model": {"style": "r"}},
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "a.csv", b"question,answer\nq,1\nq,2,3\n", r"row 1 of .*\(line 3\) has more fields", id="fields"
        ),
        pytest.param("a.csv", b'question,answer\n"q,1\n', "row 0 of .* is not CSV", id="open quote"),
        pytest.param(
            "a.csv", b"question,answer\nq\n", "column 'answer', is None: the answer is missing", id="short"
        ),
        pytest.param("a.jsonl.gz", b"{}", "is not compressed with gzip", id="gzip"),
        pytest.param("a.jsonl.gz", gzip.compress(b"{}")[:-4], "is not compressed with gzip", id="cut"),
        pytest.param("a.parquet", b"no parquet", "is not a Parquet file", id="parquet"),
        pytest.param("a.jsonl", b'{"a": 1}\n{"a"', r"a\.jsonl:2 is not JSON", id="JSON lines"),
        pytest.param("a.jsonl", b"\n[1]", r"row 0 of .*a\.jsonl \(line 2\) is a list", id="list"),
        pytest.param("a.json", b"{", "is not JSON", id="JSON"),
        pytest.param("a.txt.gz", b"", "a data file is", id="ending"),
        pytest.param("a.csv", b"\xe9", "is not UTF-8", id="encoding"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ProblemError, match=message) as raised:
        answers(dataset=path)
    assert str(path) in str(raised.value)


def test_a_long_field_of_a_csv_file_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"question": "q" * 200_000, "answer": "1"}])
    before = csv.field_size_limit(131_072)
    assert len(load_problems("Custom", dataset=tmp_path / "a.csv")[0].question) == 200_000
    assert csv.field_size_limit(before) == 131_072


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install '\.\[hub\]'"):
        read_file(tmp_path / "a.parquet")
