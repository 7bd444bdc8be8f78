import json
import sys
from pathlib import Path

import pytest

from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_benchmarks.report.evaluation_logs import find_logs
from rise_benchmarks.report.report import make_report, write_report
from rise_env.cli.main import main
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.trajectories.store import read_trajectories
from tests.rise_benchmarks.report.evaluation_logs import late, play


def test_an_agent_that_is_right_late_shows_in_every_figure(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    report = make_report(tmp_path)
    [row] = report["rows"]
    assert [turn["mean"] for turn in row["accuracy_by_turn"]] == [0, 0, 1, 1, 1]
    means = {name: row[name]["mean"] for name in ("m1@t1", "m5@t1", "m1@t5", "p1@t5", "t5 - t1")}
    assert means == {"m1@t1": 0, "m5@t1": 0, "m1@t5": 1, "p1@t5": 1, "t5 - t1": 1}
    assert report["problems"] == 6
    assert report["seeds"] == [0]


def test_the_sequential_protocol_is_blind_and_does_not_stop(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    for trajectory in read_trajectories(tmp_path / "base" / "seed-0" / "sequential.jsonl"):
        assert len(trajectory.turns) == 5
        feedback = {turn.observation[-1]["content"] for turn in trajectory.turns[1:]}
        assert len(feedback) == 1  # the same after wrong and right replies
    for trajectory in read_trajectories(tmp_path / "base" / "seed-0" / "parallel.jsonl"):
        assert [len(turn.attempts) for turn in trajectory.turns] == [5]


def test_rows_keep_the_order_of_the_run_and_seeds_are_pooled(tmp_path: Path) -> None:
    for label in ("base", "iteration 2", "iteration 10"):
        for seed in (0, 1):
            answer = late if label != "base" else lambda _: "\\boxed{-1}"
            play(tmp_path, label, 0, seed, answer)
    report = make_report(tmp_path)
    assert [row["name"] for row in report["rows"]] == ["base", "iteration 2", "iteration 10"]
    assert report["seeds"] == [0, 1]
    for row in report["rows"][1:]:  # each against the first
        assert row["gain m1@t5"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
        exact = row["mcnemar m1@t5"]
        assert (exact["only_before"], exact["only_after"]) == (0, 6)
        assert exact["p"] == pytest.approx(2 / 2**6, abs=1e-4)


def test_every_two_rows_are_compared_where_there_are_more_than_two(tmp_path: Path) -> None:
    def wrong(conversation: object) -> str:
        return "\\boxed{-1}"

    play(tmp_path, "base", 0, 0, wrong)
    play(tmp_path, "late", 0, 0, late)
    play(tmp_path, "never", 0, 0, wrong)
    report = write_report(tmp_path, page=False)
    means = {(gain["name"], gain["over"]): gain["mean"] for gain in report["gains"]}
    assert means == {("late", "base"): 1.0, ("never", "base"): 0.0, ("never", "late"): -1.0}
    text = (tmp_path / "report.md").read_text()
    assert "| late | 100.0 ± 0.0 |  |" in text
    assert "| never | 0.0 ± 0.0 | -100.0 ± 0.0 |" in text
    lines = [line.split(" | ") for line in text.splitlines()]
    [at] = [at for at, cells in enumerate(lines) if "wrong to right per turn" in cells]
    head, turns = lines[at], next(cells for cells in lines[at:] if cells[0] == "| late")
    assert turns[head.index("wrong to right per turn")].startswith("50 %")  # no one, then all of the wrong


def test_the_command_prints_the_table_and_writes_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(tmp_path, "base", 0, 0)
    assert main(["report", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "RISE-Arithmetic-v0 · 6 held-out problems · 1 seed · 95 % intervals" in printed
    assert "0.0 0.0 100.0 100.0 100.0" in printed
    assert json.loads((tmp_path / "report.json").read_text())["rows"][0]["name"] == "base"
    assert (tmp_path / "accuracy_by_turn.png").read_bytes().startswith(b"\x89PNG")
    assert "| base |" in (tmp_path / "report.md").read_text()
    lines = (tmp_path / "report.csv").read_text().splitlines()
    assert lines[0] == "row,figure,at,mean,low,high"
    assert "base,accuracy_by_turn,3,1.0,1.0,1.0" in lines
    assert "base,m1@t5,,1.0,1.0,1.0" in lines
    assert "<title>RISE: RISE-Arithmetic-v0" in (tmp_path / "report.html").read_text()


def test_several_runs_stand_in_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run in ("one", "two"):
        play(tmp_path / run, "base", 0, 0)
    out = tmp_path / "both"
    assert main(["report", str(tmp_path / "one"), str(tmp_path / "two"), "--out", str(out)]) == 0
    rows = json.loads((out / "report.json").read_text())["rows"]
    assert [row["name"] for row in rows] == ["one: base", "two: base"]
    assert "two: base against one: base" in capsys.readouterr().out
    assert not (tmp_path / "one" / "report.json").exists()


@pytest.mark.parametrize(
    ("runs", "names"),
    [
        ({"tiny": "tiny@9661de95b4fa", "cooler": "cooler"}, ["tiny@9661de95b4fa", "cooler"]),
        ({"tiny": "tiny@1", "tiny-2": "tiny@1"}, ["tiny@1", "tiny-2: tiny@1"]),
        ({"a": "b and a", "b": "b and a"}, ["a: b and a", "b: b and a"]),
        ({"in": "training", "b": "base"}, ["in: training", "b: base"]),
    ],
)
def test_a_row_is_named_after_its_folder_unless_its_label_has_that_name(
    tmp_path: Path, runs: dict[str, str], names: list[str]
) -> None:
    for run, label in runs.items():
        play(tmp_path / run, label, 0, 0)
    assert [row.name for row in find_logs([tmp_path / run for run in runs])] == names


def test_an_evaluation_that_did_not_end_is_named(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    (tmp_path / "base" / "seed-0" / "sequential.jsonl").unlink()
    with pytest.raises(DataNotFoundError, match=r"no sequential\.jsonl"):
        make_report(tmp_path)


def test_the_released_codes_way_of_checking_is_a_switch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(tmp_path, "base", 0, 0, lambda conversation: late(conversation).replace("}", ".0}"))
    assert main(["report", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "report.json").read_text())["rows"][0]["p1@t5"]["mean"] == 1.0
    assert main(["report", str(tmp_path), "--checker", "released_rise_gsm8k"]) == 0
    assert "checked by released_rise_gsm8k" in capsys.readouterr().out
    row = json.loads((tmp_path / "report.json").read_text())["rows"][0]
    assert row["p1@t5"]["mean"] == 0.0  # it reads whole numbers only
    assert row["format_failures"]["mean"] == 1.0
    assert main(["report", str(tmp_path), "--checker", "relaesed_rise_gsm8k"]) == 2
    assert "did you mean 'released_rise_gsm8k'" in capsys.readouterr().err


def test_no_run_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert "run" in capsys.readouterr().err


def test_a_folder_without_logs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "no evaluation logs" in capsys.readouterr().err


def test_the_protocols_own_feedback_and_turns() -> None:
    with pytest.raises(ConfigError, match="set by the protocols"):
        EvaluateConfig(env_settings={"feedback": "oracle"})
    with pytest.raises(ConfigError, match="one label per agent"):
        EvaluateConfig(agent=("tiny", "expert"), label=("a",))


@pytest.mark.parametrize("name", ["nothing", "a/b"])
def test_a_run_that_is_not_there_creates_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["report", str(tmp_path / name)]) == 2
    assert "no evaluation logs in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_run_or_of_the_output_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    file.write_text("{}")
    play(tmp_path / "run", "base", 0, 0)
    for arguments in ([str(file)], [str(tmp_path / "run"), "--out", str(file)]):
        assert main(["report", *arguments]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert file.read_text() == "{}"


def test_without_matplotlib_the_tables_are_written_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path, "base", 0, 0)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["report", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "m1@t5" in out
    assert "no figures: matplotlib is not installed" in out
    assert "accuracy_by_turn.png" not in out
    assert {path.name for path in tmp_path.iterdir()} >= {"report.html", "report.json", "report.md"}
    assert json.loads((tmp_path / "report.json").read_text())["figures"] == []


def test_without_files_only_the_table_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(tmp_path, "base", 0, 0)
    before = sorted(tmp_path.iterdir())
    assert main(["report", str(tmp_path), "--files", "false"]) == 0
    out = capsys.readouterr().out
    assert "m1@t5" in out
    assert "report files" not in out
    assert sorted(tmp_path.iterdir()) == before


def spoil(path: Path, **changes: object) -> None:
    """Change fields of all replies in a log."""
    head, *lines = path.read_text().splitlines()
    episodes = [json.loads(line) for line in lines]
    for episode in episodes:
        for turn in episode["turns"]:
            for attempt in turn["attempts"]:
                attempt.update(changes)
    path.write_text("\n".join([head, *map(json.dumps, episodes)]) + "\n")


def test_a_row_whose_replies_were_all_cut_is_warned_about_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(tmp_path, "base", 0, 0)
    play(tmp_path, "cut", 1, 0)
    for protocol in ("sequential", "parallel"):
        spoil(tmp_path / "cut" / "seed-0" / f"{protocol}.jsonl", finish="length")
    assert main(["report", str(tmp_path), "--page", "false"]) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    warned = [line for line in lines if line.startswith("cut: warning: 100.0 % of the replies are cut")]
    head = next(line for line in lines if "m1@t1" in line)
    assert lines.index(warned[0]) < lines.index(head)
    assert "cut: of 60 replies: 60 cut" in lines
    assert said.err == "rise report: cut: 100.0 % of the replies were cut (failures.max_cut is 0.5)\n"
    assert "cut: warning: 100.0 %" in (tmp_path / "report.md").read_text()
    counts = json.loads((tmp_path / "report.json").read_text())["rows"][1]["outcomes"]
    assert (counts["replies"], counts["cut"], counts["episodes"]) == (60, 60, 12)
    assert main(["report", str(tmp_path), "--page", "false", "--failures.max-cut", "1"]) == 0
