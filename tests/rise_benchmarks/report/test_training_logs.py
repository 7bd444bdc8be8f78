import json
from pathlib import Path

import pytest

from rise_benchmarks.report.figures import draw_all
from rise_benchmarks.report.report import make_report
from rise_benchmarks.report.tables import fit_cells, markdown
from rise_benchmarks.report.training_figures import loss_vs_epoch, measure_nll
from rise_benchmarks.report.training_logs import losses
from rise_env.errors import ConfigError
from tests.rise_benchmarks.report.evaluation_logs import play


def log_losses(folder: Path) -> None:
    lines = [{"phase": "x", "iteration": 0, "seed": 0, "eval/episodes": 3}]
    for seed in (0, 1):
        for epoch in (0.5, 1.0):
            loss = 2.0 - epoch + seed
            lines.append(
                {"phase": "f", "iteration": 1, "seed": seed, "train/epoch": epoch, "train/loss": loss}
            )
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_losses_are_averaged_over_seeds_and_show_their_range(tmp_path: Path) -> None:
    log_losses(tmp_path)
    [fit] = losses([tmp_path])
    assert (fit["name"], fit["seeds"]) == ("iteration 1", 2)
    assert fit["points"] == [
        {"epoch": 0.5, "mean": 2.0, "low": 1.5, "high": 2.5},
        {"epoch": 1.0, "mean": 1.5, "low": 1.0, "high": 2.0},
    ]


def test_likelihoods_and_losses_are_in_the_report_and_drawn(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    ids = [f"arithmetic/test/0/{i}" for i in range(6)]
    logps = {problem: [-4.0, -3.0, -2.0, -1.0, -0.5 * (i % 2)] for i, problem in enumerate(ids)}
    (tmp_path / "base" / "seed-0" / "nll.json").write_text(json.dumps({"logp": logps}))
    log_losses(tmp_path)
    report = make_report(tmp_path)
    means = [value["mean"] for value in report["rows"][0]["answer_logp_by_turn"]]
    assert means == [-4.0, -3.0, -2.0, -1.0, -0.25]
    [axes] = measure_nll(report).axes
    assert list(axes.get_lines()[0].get_ydata()) == means
    [axes] = loss_vs_epoch(report).axes
    assert list(axes.get_lines()[0].get_ydata()) == [2.0, 1.5]
    assert {"measure_nll", "loss_vs_epoch"} <= set(draw_all(report, tmp_path / "figures"))


def test_likelihoods_of_other_problems_are_an_error(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    (tmp_path / "base" / "seed-0" / "nll.json").write_text(json.dumps({"logp": {"other": [0.0]}}))
    with pytest.raises(ConfigError, match="delete it"):
        make_report(tmp_path)


def test_policy_metrics_of_fits_are_averaged_over_seeds_and_stand_in_a_table(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    log_losses(tmp_path)
    lines = []
    for seed in (0, 1):
        place = {"phase": "f", "iteration": 1, "seed": seed}
        before = {"fit/sampler_gap_mean": 1e-6 * (seed + 1), "fit/sampler_gap_p99": 4e-6, "fit/step": 0}
        lines.append({**place, **before, "fit/entropy_first@t1": 1.5, "fit/sampled_tokens": 100})
        lines.append(
            {
                **place,
                "fit/kl_to_first": 0.25,
                "fit/kl_to_first@t1": 0.2,
                "fit/entropy@t1": 1.25,
                "fit/step": 9,
            }
        )
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    report = make_report(tmp_path)
    [fit] = report["training"]
    assert fit["policy"]["sampler_gap_mean"] == pytest.approx(1.5e-6)
    head, row = fit_cells(report)
    assert head[-2:] == ["KL t1", "entropy t1"]
    assert row == ["iteration 1", "1.5e-06", "4e-06", "0.25", "0.2", "1.500 → 1.250"]
    assert "| iteration 1 | 1.5e-06 |" in markdown(report)


def test_a_report_without_policy_metrics_has_no_table_of_them(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0)
    log_losses(tmp_path)
    report = make_report(tmp_path)
    assert len(fit_cells(report)) == 1
    assert "Policies in the fits" not in markdown(report)
