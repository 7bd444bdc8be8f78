import json
import sys
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, DataNotFoundError, ProblemError
from rise_env.problems.custom import any_answer
from rise_env.problems.loading import load_problems
from rise_env.problems.sources import read_hub
from tests.rise_env.conftest import SUMS

ROWS = [{"question": "1 + 1?", "answer": "2"}, {"question": "6 * 7?", "answer": "6 * 7 = 42\n#### 42"}]


def answers(**settings: Any) -> list[str]:
    return [problem.reference for problem in load_problems("Custom", **settings)]


def test_json_lines_json_and_csv_say_the_same(tmp_path: Path) -> None:
    lines, whole, table = tmp_path / "a.jsonl", tmp_path / "a.json", tmp_path / "a.csv"
    lines.write_text("\n".join(map(json.dumps, ROWS)) + "\n\n")
    whole.write_text(json.dumps(ROWS))
    table.write_text('question,answer\n1 + 1?,2\n6 * 7?,"6 * 7 = 42\n#### 42"\n')
    for path in (lines, whole, table, str(lines)):
        assert answers(dataset=path) == ["2", "42"]


def test_rows_problems_and_folders_work_too(tmp_path: Path) -> None:
    assert answers(dataset=ROWS) == ["2", "42"]
    assert load_problems("Custom", dataset=SUMS)[3] is SUMS[3]
    (tmp_path / "test.jsonl").write_text(json.dumps(ROWS[0]))
    assert answers(dataset=tmp_path, split="test") == ["2"]


def test_a_file_is_read_once_and_problems_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(ROWS[0]))
    assert load_problems("Custom", dataset=path) is load_problems("Custom", dataset=str(path))
    generated = load_problems("Arithmetic")
    assert math_env_of(gymnasium.make("RISE-Custom-v0", dataset=generated)).problems is generated


def test_a_data_set_of_the_datasets_library_works() -> None:
    datasets = pytest.importorskip("datasets")
    assert answers(dataset=datasets.Dataset.from_list(ROWS)) == ["2", "42"]


def test_columns_can_be_named(tmp_path: Path) -> None:
    rows = [{"q": "1 + 1?", "gold": 2.0}]
    assert answers(dataset=rows, question_key="q", answer_key="gold") == ["2"]
    with pytest.raises(
        ProblemError, match="row 0 of rows of the caller's has no question; its fields are: q, gold"
    ):
        answers(dataset=rows)


def test_a_custom_set_plays() -> None:
    env = gymnasium.make("RISE-Custom-v0", dataset=ROWS, shuffle=False)
    env.reset()
    assert env.step(r"\boxed{2}")[2]
    assert gymnasium.make("RISE-GSM8K-v0", dataset=[ROWS[1]]).reset()[1]["problem_id"] == "gsm8k/train/0"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ('{"question": "q", "answer"', "a.jsonl", r"a.jsonl:1 is not JSON: .* at column"),
        ('{"question": "q", "answer": "1"}\n[1]', "a.jsonl", r"row 1 of .*a.jsonl \(line 2\) is a list"),
        ('{"a": 1}', "a.json", "is not a list of objects"),
        ("x", "a.txt", "ends in '.txt': a data file is .jsonl, .json, .csv, .parquet, or"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: str, name: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ProblemError, match=message):
        answers(dataset=path)


def test_other_mistakes_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs dataset="):
        load_problems("Custom")
    with pytest.raises(DataNotFoundError, match="no file"):
        answers(dataset=tmp_path / "none.jsonl")
    with pytest.raises(DataNotFoundError, match="no file"):
        answers(dataset="no such file")
    with pytest.raises(ConfigError, match="a list of problems or of rows"):
        answers(dataset=[1, 2])
    (tmp_path / "latin.jsonl").write_bytes(b"\xe9")
    with pytest.raises(ProblemError, match="is not UTF-8"):
        answers(dataset=tmp_path / "latin.jsonl")
    with pytest.raises(ConfigError, match="no problems to pose"):
        gymnasium.make("RISE-Custom-v0", dataset=[])


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("a\n#### 2,125", "2,125"),
        (r"so \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ("7", "7"),
        (7.5, "7.5"),
        ("", None),
    ],
)
def test_the_answer_is_found_at_the_end_of_a_solution(value: Any, answer: str | None) -> None:
    assert any_answer(value) == answer


def test_a_hub_id_is_fetched_with_its_configuration_and_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    class Datasets:
        @staticmethod
        def load_dataset(name: str, config: str | None, *, split: str, revision: str) -> list[dict[str, str]]:
            asked.append((name, config, split, revision))
            return [
                {"problem": "q", "answer": "7", "level": "5"},
                {"problem": "p", "answer": "8", "level": "1"},
            ]

    monkeypatch.setitem(sys.modules, "datasets", Datasets)
    read_hub.cache_clear()
    try:
        [problem] = load_problems(
            "Custom", dataset="org/name", split="dev", hub_config="en", revision="abc", where={"level": 5}
        )
    finally:
        read_hub.cache_clear()
    assert asked == [("org/name", "en", "dev", "abc")]
    assert (problem.id, problem.reference, problem.meta) == ("custom/dev/0", "7", {"level": "5"})
    assert problem.source.startswith("org/name@abc sha256:")
