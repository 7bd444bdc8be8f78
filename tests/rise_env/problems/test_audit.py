from dataclasses import replace
from pathlib import Path

import pytest

from rise_env.checkers import NumericChecker
from rise_env.cli.problems import audit_set
from rise_env.problems.audit import audit_overlap, audit_split
from rise_env.problems.catalog import CATALOG
from rise_env.problems.catalog_loader import location
from rise_env.problems.loading import SETS, load_problems
from rise_env.registration import get_checker
from rise_env.types import Problem
from tests.rise_env.conftest import SUMS

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen"


def problem(name: str, question: str, reference: str = "1") -> Problem:
    return Problem(id=name, question=question, reference=reference, split="train")


def test_sound_problems_pass() -> None:
    audit = audit_split(SUMS, NumericChecker())
    assert (audit.problems, audit.comma_golds) == (20, 0)
    assert (audit.golds_rejected, audit.solutions_rejected, audit.empty) == ([], [], [])
    assert (audit.duplicates, audit.contradictions) == ([], [])


def test_a_gold_that_its_checker_does_not_accept_is_named_with_the_verdict() -> None:
    problems = [*SUMS[:2], problem("x", "q?", "purple"), problem("y", "p?", "2,125")]
    audit = audit_split(problems, NumericChecker())
    assert audit.golds_rejected == ["x (reference unreadable)"]
    assert audit.comma_golds == 1


def test_a_solution_that_does_not_state_the_reference_is_named() -> None:
    audit = audit_split([replace(SUMS[0], solution="#### 5")], NumericChecker())
    assert audit.solutions_rejected == ["sums/0 (wrong)"]


def test_repeated_questions_are_told_apart_by_their_answers() -> None:
    problems = [problem("a", "How many?"), problem("b", "how  MANY?"), problem("c", "How many?", "2")]
    audit = audit_split(problems, NumericChecker())
    assert (audit.duplicates, audit.contradictions) == ([("a", "b")], [("a", "c")])


def test_questions_that_differ_in_a_sign_are_two() -> None:
    audit = audit_split([problem("a", "2 + 2?", "4"), problem("b", "2 - 2?", "0")], NumericChecker())
    assert (audit.duplicates, audit.contradictions) == ([], [])


def test_empty_fields_are_named() -> None:
    assert audit_split([problem("a", "  ")], NumericChecker()).empty == ["a"]


def test_overlap_counts_the_same_words_and_thirteen_in_a_row() -> None:
    first = [problem("a", "How many, then?"), problem("b", f"Count: {LONG}!")]
    second = [
        problem("c", "how many then"),
        problem("d", f"and now {LONG} again"),
        problem("e", LONG.removesuffix(" thirteen") + " fourteen"),
    ]
    assert audit_overlap(first, second) == ([("a", "c")], ["d"])


def test_a_file_that_is_not_the_published_one_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "amc23").mkdir()
    (tmp_path / "amc23" / "test.jsonl").write_text('{"question": "q", "answer": 1.0}')
    found = {"test": load_problems("AMC23", data_dir=tmp_path)}
    report = audit_set(SETS["AMC23"], found)
    assert len(report["wrong"]) == 1
    assert "not the published file" in report["wrong"][0]
    assert audit_set(SETS["AMC23"], found, own=True)["wrong"] == []


def test_training_problems_in_the_test_set_are_wrong() -> None:
    found = {"train": [problem("a", "How many?")], "test": [problem("b", "How many?")]}
    assert audit_set(SETS["Custom"], found)["wrong"] == ["train, test: 1 questions are in both"]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CATALOG)
def test_every_gold_of_the_published_sets_passes_its_checker(name: str, data_dir: Path) -> None:
    spec = CATALOG[name]
    here = [split for split in spec.splits if location(spec, split, data_dir).startswith("file")]
    if not here:
        pytest.skip(f"{spec.folder} is not in {data_dir}")
    for split in here:
        problems = load_problems(name, split=split, data_dir=data_dir)
        audit = audit_split(problems, get_checker(spec.checker))
        assert not audit.golds_rejected
        assert not audit.empty
