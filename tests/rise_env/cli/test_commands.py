import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rise_env.cli import main as cli
from rise_env.cli import play as play_command
from rise_env.problems.loading import SETS


@pytest.fixture
def own_set(tmp_path: Path) -> Path:
    path = tmp_path / "own.jsonl"
    rows = [{"question": f"{i} + 1?", "answer": str(i + 1)} for i in range(3)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def typed(*lines: str) -> Callable[[str], str]:
    """Someone who types these lines and then ends."""
    replies: Iterator[str] = iter(lines)

    def ask(prompt: str) -> str:
        try:
            return next(replies)
        except StopIteration:
            raise EOFError from None

    return ask


def test_envs_lists_every_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["envs"]) == 0
    text = capsys.readouterr().out
    assert "RISE-GSM8K-v0" in text
    assert "1,000,000  generated" in text
    assert cli.main(["envs", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} >= {"RISE-MATH-v0", "RISE-Custom-v0"}
    assert next(row for row in rows if row["id"] == "RISE-GSM8K-v0")["splits"]["test"]["problems"] == 1319


@pytest.mark.parametrize(("command", "column"), [(["envs"], "RISE-{}-v0"), (["problems", "list"], "{}")])
def test_a_long_name_of_a_set_is_followed_by_a_space(
    command: list[str], column: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "Olympiads" * 3
    monkeypatch.setitem(SETS, name, replace(SETS["GSM8K"], name=name))  # type: ignore[misc]
    assert cli.main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(column.format(name) + " ") for line in lines)


def test_envs_says_which_splits_were_never_read_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["envs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, never in (("DeepScaleR", True), ("AIME26", True), ("GSM8K", False), ("Arithmetic", False)):
        split = lines[next(i for i, line in enumerate(lines) if line.startswith(f"RISE-{name}-v0")) + 1]
        assert split.endswith("; never read here") is never
    assert cli.main(["envs", "--json"]) == 0
    rows = {row["id"]: row["splits"] for row in json.loads(capsys.readouterr().out)}
    assert not rows["RISE-Polaris-v0"]["train"]["read_here"]
    assert rows["RISE-MATH-v0"]["test"]["read_here"]
    assert not rows["RISE-MATH-v0"]["train"]["read_here"]


def test_problems_list_says_where_each_split_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k" / "test.jsonl").touch()
    assert cli.main(["problems", "list", "--data-dir", str(tmp_path), "--json"]) == 0
    where = {(row["set"], row["split"]): row["where"] for row in json.loads(capsys.readouterr().out)}
    assert where["GSM8K", "test"] == "file gsm8k/test.jsonl"
    assert where["GSM8K", "train"] == "hub openai/gsm8k@cc7b047"
    assert where["MATH", "test_rise"] == "not here"
    assert cli.main(["problems", "list"]) == 0
    assert "symbolic" in capsys.readouterr().out


def test_problems_show_prints_one(capsys: pytest.CaptureFixture[str], own_set: Path) -> None:
    assert cli.main(["problems", "show", "Custom", "2", "--dataset", str(own_set)]) == 0
    assert "question: 2 + 1?" in capsys.readouterr().out
    assert cli.main(["problems", "show", "arithmetic", "7", "--split", "test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "arithmetic/test/0/7"


def test_problems_audit_exits_with_1_where_something_is_wrong(
    capsys: pytest.CaptureFixture[str], own_set: Path
) -> None:
    arguments = ["problems", "audit", "Custom", "--dataset", str(own_set)]
    assert cli.main(arguments) == 0
    assert "golds accepted   3 of 3" in capsys.readouterr().out
    own_set.write_text(own_set.read_text() + '\n{"question": "0 + 1?", "answer": "9"}')
    assert cli.main([*arguments, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["wrong"] == ["train: 1 repeated questions with another answer"]
    assert len(report["splits"]["train"]["sha256"]) == 64


def test_problems_audit_of_the_generated_set_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["problems", "audit", "Arithmetic", "--split", "test"]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["problems", "show", "GSM9K", "0"], "no problem set 'GSM9K'; did you mean 'GSM8K'"),
        (["problems", "show", "Arithmetic", "5000000"], "has the problems 0 to 999999, but INDEX is 5000000"),
        (["problems", "show", "Custom", "0"], "Custom needs --dataset FILE"),
        (["problems", "audit", "GSM8K", "--data-dir", "/nowhere"], "is not here (no file"),
        (["play", "RISE-GSM9K-v0"], "no environment 'RISE-GSM9K-v0'; did you mean 'RISE-GSM8K-v0'"),
        (["play", "RISE-Arithmetic-v0", "--set", "x"], "--set takes NAME=VALUE, got 'x'"),
        (["play", "RISE-Arithmetic-v0", "--set", "max_turn=3"], "did you mean 'max_turns'"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_person_plays_until_the_problem_is_solved(
    capsys: pytest.CaptureFixture[str], own_set: Path
) -> None:
    arguments = ["RISE-Custom-v0", "--index", "2", "--set", f"dataset={own_set}", "--set", "checker=numeric"]
    assert play_command.main(arguments, typed("9", "three?", "3")) == 0
    text = capsys.readouterr().out
    assert "2 + 1?" in text
    assert "-> wrong, reward 0" in text
    assert "That is not right" in text
    assert "solved\nturns 3, return " in text


def test_a_person_who_does_not_find_it_is_told(capsys: pytest.CaptureFixture[str], own_set: Path) -> None:
    arguments = ["RISE-Custom-v0", "--index", "2", "--max-turns", "1", "--set", f"dataset={own_set}"]
    play_command.main(arguments, typed("9"))
    assert "the answer was 3" in capsys.readouterr().out


def test_a_person_may_stop(capsys: pytest.CaptureFixture[str]) -> None:
    assert play_command.main(["RISE-Arithmetic-v0", "--seed", "1"], typed()) == 0
    assert "stopped\nturns 0, return 0" in capsys.readouterr().out


def test_a_bare_word_is_an_answer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({"question": "Is 3 prime?", "answer": "Yes"}))
    play_command.main(["RISE-Custom-v0", "--set", f"dataset={path}"], typed("yes"))
    assert "solved" in capsys.readouterr().out
