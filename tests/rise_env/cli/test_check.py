import io
import json
import os
import signal
from pathlib import Path

import pytest

from rise_benchmarks.checkers.cases import Case, read_cases
from rise_benchmarks.checkers.isolated_runner import IsolatedRunner
from rise_benchmarks.checkers.peers import load
from rise_env.cli.main import main
from rise_env.errors import ConfigError, DataNotFoundError, ProblemError


def test_check_prints_the_verdict_and_says_it_with_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--reply", r"\boxed{x = 0.5}", "--reference", r"\frac{1}{2}"]) == 0
    assert capsys.readouterr().out == "correct\n"
    assert main(["check", "--reply", r"\boxed{0.51}", "--reference", r"\frac{1}{2}"]) == 1
    assert capsys.readouterr().out == "wrong\n"


def test_check_explains_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--reply", r"It is \boxed{\frac{2}{4} x}.", "--reference", "x/2", "--explain"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "correct"
    assert [line.split()[0] for line in lines[1:]] == [
        "visible", "answer", "cleaned", "read", "reference", "read", "decided"
    ]  # fmt: skip
    assert "(product (quotient 2 4) x)" in lines[4]


def test_check_reads_a_long_reply_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("so \\boxed{7}"))
    assert main(["check", "--reply", "-", "--reference", "7"]) == 0


def test_a_reference_that_cannot_be_read_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--reply", "5", "--reference", ""]) == 2
    assert "the reference answer ''" in capsys.readouterr().err


def line(name: str, reference: str, reply: str, expected: bool, **more: object) -> str:
    return json.dumps({"id": name, "gold": reference, "response": reply, "expected": expected, **more})


CASES = [
    line("a", "1/2", r"\boxed{0.5}", True, kind="fraction", group="upstream"),
    line("b", "1/2", r"\boxed{0.6}", False, kind="fraction", group="gsm8k_model"),
    line("c", "1/2", "I think so", True, kind="text", group="adversarial"),
    line("d", "2", r"\boxed{2}", False, kind="text", disputed=True),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(CASES), encoding="utf-8")
    return path


def test_bench_scores_ours_and_writes_a_report_card(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = file.with_name("card")
    assert main(["checkers", "bench", str(file), "--checker", "rise", "--output", str(card)]) == 0
    found = json.loads(card.with_suffix(".json").read_text())["checkers"]["rise"]
    assert found["all"]["cases"] == 3
    assert found["all"]["accuracy"] == pytest.approx(2 / 3)
    assert found["curated"]["false_rejects"] == 1
    assert found["real"]["false_rejects"] == found["all"]["false_accepts"] == 0
    assert found["disputed"]["false_accepts"] == 1
    assert found["mistakes"] == [{"id": "c", "kind": "text", "mistake": "false reject", "boxed": True}]
    assert found["threads"] == "0 of 3 verdicts differ"
    assert "| rise | 66.67 % |" in card.with_suffix(".md").read_text()
    assert "| fraction | 2 (1 / 1) | 0 / 0 |" in capsys.readouterr().out


def test_bench_names_a_file_that_is_missing_and_a_line_that_is_no_case(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="no file"):
        read_cases([tmp_path / "nothing.jsonl"])
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"gold": "1"}\n', encoding="utf-8")
    with pytest.raises(ProblemError, match=r"bad\.jsonl:1"):
        read_cases([bad])


def test_an_unknown_contestant_is_refused() -> None:
    with pytest.raises(ConfigError, match="no checker 'nobody'"):
        load("nobody")


def test_a_case_that_hangs_is_killed_and_the_next_one_runs() -> None:
    runner = IsolatedRunner("rise", limit=60.0)
    try:
        assert runner.run(Case(id="a", reply=r"\boxed{2}", reference="2", expected=True)).accepted
        assert runner._process is not None
        os.kill(runner._process.pid, signal.SIGSTOP)  # it does not answer, however quick the machine is
        runner.limit = 0.1
        assert runner.run(Case(id="b", reply=r"\boxed{2}", reference="2", expected=True)).error == "killed"
        runner.limit = 60.0
        assert runner.run(Case(id="c", reply=r"\boxed{2}", reference="2", expected=True)).accepted
        outcome = runner.run(Case(id="d", reply="", reference="", expected=False))
        assert (outcome.accepted, outcome.error) == (False, "ProblemError")
    finally:
        runner.close()
