import json
import resource
import signal
from pathlib import Path

import pytest

from rise_env.metrics.report_table import headline
from rise_env.trajectories.store import read_trajectories
from rise_trainers.loop.config import RunConfig
from rise_trainers.tracking.charts import HISTOGRAMS, REPORT_COLUMNS, SECTIONS, reward_bins
from rise_trainers.tracking.phase_metrics import statistics
from rise_trainers.tracking.tracker import Tracker, tracked_settings
from tests.rise_trainers.loop.run_folders import phases


def test_json_lines_hold_every_phase(folder: Path) -> None:
    with Tracker(folder, "none", {}) as tracker:
        for phase in phases(folder):
            tracker.log_phase(phase)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["train/loss"] for line in lines if "train/loss" in line] == [0.5, 0.25]
    assert lines[0]["collect/episodes"] == 4
    assert lines[-1]["eval/acc@t5"] == 0.0
    assert {line["phase"] for line in lines} == {phase.name for phase in phases(folder)}


def test_an_evaluation_logs_what_the_report_says(folder: Path) -> None:
    with Tracker(folder, "none", {}) as tracker:
        tracker.log_phase(phases(folder)[2])
    line = json.loads((folder / "metrics.jsonl").read_text())
    report = json.loads((folder / "report.json").read_text())
    for name, value in headline(report)[0].items():
        assert line[f"eval/{name}"] == value
    flips = line["eval/transitions_by_turn"]
    assert set(flips) == {"right to right", "right to wrong", "wrong to right", "wrong to wrong"}
    for name, rates in flips.items():
        assert rates == [value["mean"] for value in report["rows"][0]["transitions_by_turn"][name]]


def test_lines_of_a_phase_that_did_not_end_are_dropped(folder: Path) -> None:
    with Tracker(folder, "none", {}) as tracker:
        for phase in phases(folder):
            tracker.log_phase(phase)
        with open(tracker.path, "a") as file:
            file.write('{"phase": "torn')
        tracker.drop_unfinished(["seed-0.1-collect"])
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == ["seed-0.1-collect"]


def test_a_phase_that_was_done_and_not_logged_is_logged_when_the_run_goes_on(folder: Path) -> None:
    first, second, third = phases(folder)
    with Tracker(folder, "none", {}) as tracker:
        tracker.log_phase(first)
    with Tracker(folder, "none", {}) as tracker:
        tracker.drop_unfinished([first.name, second.name])
        for phase in (first, second, third):
            tracker.log_phase(phase)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == [first.name] + [second.name] * 4 + [third.name]


def test_a_phase_that_a_full_disk_cut_short_is_logged_whole_when_the_run_goes_on(folder: Path) -> None:
    first, second, _ = phases(folder)
    with Tracker(folder, "none", {}) as tracker:
        tracker.log_phase(first)
        size = (folder / "metrics.jsonl").stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            with pytest.raises(OSError, match="too large"):
                tracker.log_phase(second)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
    with Tracker(folder, "none", {}) as tracker:
        tracker.drop_unfinished([first.name, second.name])
        tracker.log_phase(first)
        tracker.log_phase(second)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines] == [first.name] + [second.name] * 4


def test_tracked_settings_are_nested_and_name_every_setting_of_a_fit() -> None:
    settings = tracked_settings(RunConfig(fit={"tau": 0.5}))
    assert settings["fit"]["tau"] == 0.5
    assert settings["fit"]["selection"]["criterion"] == "all"
    assert settings["problems"]["train"] == 2000
    assert "model" not in settings["fit"]
    assert "torch" in settings["versions"]


def test_statistics_count_verdicts_and_rewards(folder: Path) -> None:
    log = folder / "evaluate" / "base" / "seed-0" / "sequential.jsonl"
    found = statistics(list(read_trajectories(log)))
    assert found["episodes"] == 4
    assert found["replies"] == 20
    assert sum(found["verdicts"].values()) == 20
    assert set(found["verdicts"]) == {"wrong", "no_answer"}
    assert found["rewards"] == {"-1.0": found["verdicts"]["no_answer"], "0.0": found["verdicts"]["wrong"]}


def test_the_mean_reward_is_over_all_replies(folder: Path) -> None:
    found = statistics(list(read_trajectories(folder / "evaluate" / "base" / "seed-0" / "sequential.jsonl")))
    total = sum(float(reward) * count for reward, count in found["rewards"].items())
    assert found["reward_mean"] == round(total / found["replies"], 6)
    assert statistics([])["reward_mean"] is None


def test_every_reward_has_a_bin_of_its_own() -> None:
    assert reward_bins({"1.0": 7, "-1.0": 2, "0.0": 5}) == ([2, 5, 7], [-1.5, -0.5, 0.5, 1.5])
    assert reward_bins({"0.0": 3}) == ([3], [-0.5, 0.5])


def test_every_logged_key_belongs_to_a_section_of_charts(folder: Path) -> None:
    with Tracker(folder, "none", {}) as tracker:
        for phase in phases(folder):
            tracker.log_phase(phase)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    keys = {key for line in lines for key in line if "/" in key}
    assert {key.partition("/")[0] for key in keys} <= {section.name for section in SECTIONS}
    assert all(f"eval/{column}".format(t=5, k=5) in keys for column in REPORT_COLUMNS)
    drawn = {histogram.metric for histogram in HISTOGRAMS.values()}
    of_fits = ("data/", "train/", "fit/")  # no fit ran here
    assert not {key for key in drawn - keys if not key.startswith(of_fits)}
