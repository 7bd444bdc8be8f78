from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import ConfigError
from rise_env.problems.loading import load_problems
from rise_env.problems.reading.where import check_where, meets
from rise_env.types import Problem

ROWS = [
    {"question": f"q{i}", "answer": str(i), "level": i, "subject": "ab"[i % 2], "info": {"rate": f"{i}/8"}}
    for i in range(1, 7)
]


def references(where: Any, dataset: Any = ROWS) -> list[str]:
    return [problem.reference for problem in load_problems("Custom", dataset=dataset, where=where)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"level": 5}, "5"),
        ({"level": "5"}, "5"),
        ({"level": [1, 6, 9]}, "16"),
        ({"level": {"min": 3}}, "3456"),
        ({"level": {"min": 2, "max": 4}}, "234"),
        ({"level": {"max": 4.5}, "subject": "b"}, "13"),
        ({"info.rate": {"min": 0.25, "max": 0.5}}, "234"),
        ({"info": {"rate": {"max": 0.2}}}, "1"),
        ({}, "123456"),
    ],
    ids=str,
)
def test_rows_are_chosen_by_values_lists_and_ranges(where: Any, expected: str) -> None:
    assert "".join(references(where)) == expected


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("Level 5", 5, False),
        ("5.0", 5, True),
        (5.0, 5, True),
        (float("nan"), {"min": 0}, False),
        (None, 5, False),
        (True, True, True),
        ("true", True, True),
        (1, True, False),
        (["Algebra", "Geometry"], "Geometry", True),
        (["Algebra"], ["Geometry", "Algebra"], True),
        ("n/a", {"max": 1}, False),
        ("1/0", {"max": 1}, False),
    ],
)
def test_values_are_compared_and_never_evaluated(value: Any, wanted: Any, expected: bool) -> None:
    assert meets(value, wanted) is expected


def test_rows_that_are_not_wanted_need_no_answer_and_ids_count_all_rows() -> None:
    rows = [
        {"question": "prove it", "answer": None, "kind": "proof"},
        {"question": "q", "answer": "7", "kind": "sum"},
    ]
    [problem] = load_problems("Custom", dataset=rows, where={"kind": "sum"})
    assert (problem.id, problem.meta) == ("custom/train/1", {"kind": "sum"})


def test_problems_are_chosen_by_their_meta() -> None:
    problems = [Problem(id=str(i), question="q", reference=str(i), meta={"level": i}) for i in range(4)]
    assert references({"level": {"min": 2}}, problems) == ["2", "3"]


def test_sets_of_the_catalog_are_filtered_by_any_of_their_columns(tmp_path: Path) -> None:
    (tmp_path / "math500").mkdir()
    lines = [f'{{"problem": "q", "answer": "{i}", "level": {i}, "subject": "s"}}' for i in range(3)]
    (tmp_path / "math500" / "test.jsonl").write_text("\n".join(lines))
    for settings in ({"data_dir": tmp_path}, {"dataset": tmp_path / "math500" / "test.jsonl"}):
        [problem] = load_problems("MATH500", where={"level": 2}, **settings)
        assert (problem.id, problem.reference) == ("math500/test/2", "2")
        assert len(load_problems("MATH500", **settings)) == 3


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("level > 3", "where is .level > 3.: expected mapping"),
        ({"level": None}, "where.level is None: give a value"),
        ({"level": []}, r"where.level is \[\]: a list holds the values"),
        ({"level": {"min": "high"}}, "a range has the numbers min, max or both"),
        ({"level": {"min": 1, "most": 2}}, "a range has the numbers min, max or both"),
        ({"level": {"min": 5, "max": 2}}, "min is above max"),
        ({"levle": 5}, "no column 'levle' in rows of the caller's; did you mean 'level'"),
        ({"level": 50}, r"no row of .* is left with level = 50; its values are: 1, 2, 3, 4, 5, 6"),
        ({"level": 1, "subject": "a"}, "is left with subject = 'a'; its values are: 'b'"),
    ],
)
def test_a_filter_that_is_wrong_or_leaves_nothing_says_so(where: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        references(where)


def test_nested_conditions_get_names_with_dots() -> None:
    assert check_where({"a": {"b": {"c": 1}}, "d": {"max": 2}}) == {"a.b.c": 1, "d": {"max": 2}}
