from pathlib import Path

import pytest

from rise_agents.rules.book import Rule, RuleBook, as_text, digest, read_book, write_book
from rise_agents.rules.edits import Edit, as_lines, edited, read_edits
from rise_agents.rules.leaks import leaks, pieces
from rise_env.errors import ConfigError, DataNotFoundError

BOOK = RuleBook((Rule("First.", 1, 2), Rule("Second.", 2), Rule("Third.", 3)))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("ADD: Be brief.", [Edit("add", 0, "Be brief.")]),
        ("- **ADD:** Be brief.", [Edit("add", 0, "Be brief.")]),
        ("1. Edit 2: Better\nREMOVE 3", [Edit("edit", 2, "Better"), Edit("remove", 3)]),
        ("Here you are:\nremove 1.", [Edit("remove", 1)]),
        ("KEEP", []),
        ("", []),
        ("I would say that all is well.", None),
        ("ADD:", None),
        ("EDIT: no number", None),
    ],
)
def test_the_edits_of_a_reply_are_read_and_garbage_is_none(reply: str, expected: list[Edit] | None) -> None:
    assert read_edits(reply) == expected


def test_edits_are_written_as_they_are_read() -> None:
    edits = [Edit("add", 0, "A."), Edit("edit", 2, "B."), Edit("remove", 3)]
    assert read_edits(as_lines(edits)) == edits
    assert as_lines([]) == "KEEP"


def test_all_numbers_of_edits_are_those_of_the_book_that_the_reflector_saw() -> None:
    book = edited(
        BOOK, [Edit("remove", 1), Edit("edit", 2, "New."), Edit("edit", 9, "No.")], step=4, limit=12
    )
    assert [rule.text for rule in book.rules] == ["New.", "Third."]
    assert book.rules[0].born == 2


def test_a_rule_that_is_added_again_gains_support() -> None:
    book = edited(BOOK, [Edit("add", 0, "second!"), Edit("add", 0, "Fourth.")], step=4, limit=12)
    assert book.rules == (*BOOK.rules[:1], Rule("Second.", 2, 2), BOOK.rules[2], Rule("Fourth.", 4))


def test_the_rule_with_the_least_support_goes_and_the_oldest_first() -> None:
    book = edited(BOOK, [Edit("add", 0, "Fourth.")], step=4, limit=3)
    assert [rule.text for rule in book.rules] == ["First.", "Third.", "Fourth."]


def test_a_book_is_read_as_it_was_written_and_a_person_may_write_texts_alone(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    write_book(path, BOOK, {"env": "e"})
    assert read_book(path) == BOOK
    path.write_text('{"rules": ["First.", " Second. ", ""]}')
    assert read_book(path) == RuleBook((Rule("First."), Rule("Second.")))
    assert digest(RuleBook((Rule("First."), Rule("Second.")))) != digest(BOOK)
    assert as_text(RuleBook()) == ""


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"rules": "A."}', '{"rules": [1]}', '{"schema": 2, "rules": []}']
)
def test_another_file_is_no_file_of_rules(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rules.json"
    with pytest.raises(DataNotFoundError, match="there is no file of rules"):
        read_book(path)
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not a file of rules"):
        read_book(path)


@pytest.mark.parametrize(
    ("rule", "leaking"),
    [
        ("The answer is 47.", True),
        ("The answer is 147.", False),
        ("The answer is 47.5.", False),
        ("A crate holds 7.", False),
        ("Then Ava GETS 12 more pens, always.", True),
        ("Then Ava gets more pens.", False),
    ],
)
def test_a_rule_leaks_with_an_answer_of_two_digits_or_six_words_of_a_problem(
    rule: str, *, leaking: bool
) -> None:
    of_problems = pieces(["Ava has 5 crates of pens. Then Ava gets 12 more pens."])
    assert leaks(rule, ["47", "7", "yes"], of_problems) is leaking
