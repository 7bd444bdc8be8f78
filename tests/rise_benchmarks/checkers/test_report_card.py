import json
from pathlib import Path

import pytest

from rise_benchmarks.checkers.cases import Case, Outcome, read_cases
from rise_benchmarks.checkers.mutants import mutants
from rise_benchmarks.checkers.peers import NAMES, NOT_COMPARED, installed, load
from rise_benchmarks.checkers.score import markdown, report, without_texts
from rise_env.checkers import check_answer

REFERENCES = ["42", r"\frac{3}{4}", "2+3x", "(1,2)", r"\sqrt{5}", "nan", r"\text{even}", r"\boxed{7}", "0.25"]


def test_mutants_are_right_and_wrong_by_construction() -> None:
    cases = mutants(REFERENCES, 60)
    assert {case.expected for case in cases} == {True, False}
    assert {case.source for case in cases} == {"mutants"}
    for case in cases:
        assert check_answer(case.reply, case.reference).correct == case.expected, case


def test_the_same_seed_makes_the_same_mutants() -> None:
    assert mutants(REFERENCES, 20, seed=1) == mutants(REFERENCES, 20, seed=1)
    assert mutants(REFERENCES, 20, seed=1) != mutants(REFERENCES, 20, seed=2)


def test_field_cases_name_the_checker_and_the_question(tmp_path: Path) -> None:
    path = tmp_path / "field.jsonl"
    line = {
        "id": "a",
        "reply": "B",
        "reference": "B",
        "want": True,
        "checker": "choice",
        "question": "Which?",
    }
    path.write_text(json.dumps(line) + "\n" + json.dumps({**line, "want": "no_answer"}), encoding="utf-8")
    right, wrong = read_cases([path])
    assert (right.source, right.checker, right.question) == ("field", "choice", "Which?")
    assert (right.expected, wrong.expected) == (True, False)


def test_the_report_lists_every_wrong_reply_that_is_accepted() -> None:
    cases = [
        Case(id="one", reply="it is | 5", reference="5", expected=True, kind="k", source="a"),
        Case(id="two", reply="it is | 6", reference="5", expected=False, kind="k", source="b"),
    ]
    outcomes = [Outcome(accepted=True, verdict="correct", seconds=0.1)] * 2
    tables = markdown({"rise": report(list(zip(cases, outcomes, strict=True)))})
    assert "| two | k | `5` | `it is \\| 6` | rise |" in tables
    assert "| one |" not in tables
    assert "| a | 1 (0 / 1) | 100.00 %, 0 / 0 |" in tables
    assert "| b | 1 (1 / 0) | 0.00 %, 1 / 0 |" in tables


def test_our_checker_uses_the_checker_of_the_environment() -> None:
    check = load("rise")
    assert check("The correct option is C) 90", "C", "choice")[0]
    assert installed()[0] == "rise"
    assert not set(NOT_COMPARED) & set(NAMES)


@pytest.mark.parametrize("name", installed())
def test_an_installed_peer_tells_equal_from_unequal(name: str) -> None:
    check = load(name)
    assert check(r"The final answer is \boxed{\frac{1}{2}}.", r"\frac{1}{2}")[0]
    assert not check(r"The final answer is \boxed{\frac{1}{2}}.", r"\frac{1}{3}")[0]


def test_written_reports_name_cases_by_their_ids_alone() -> None:
    rows = [
        (
            Case(id="two", reply="it is 6", reference="5", expected=False, kind="k"),
            Outcome(accepted=True, verdict="", seconds=0.0),
        )
    ]
    written = without_texts({"one": report(rows)})
    assert "it is 6" not in json.dumps(written)
    assert "| two | k |  |  | one |" in markdown(written)
