import math
from pathlib import Path
from typing import Any

import pytest

from rise_benchmarks.report import figures
from rise_benchmarks.report.plot_style import colour, marker
from rise_benchmarks.report.report import make_report
from tests.rise_benchmarks.report.evaluation_logs import play


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("run")
    play(folder, "base", 0, 0, lambda _: "\\boxed{-1}", draws=10)
    play(folder, "iteration 1", 1, 0, draws=10)
    return make_report(folder)


def lines(axes: Any) -> dict[str, list[float]]:
    return {line.get_label(): list(line.get_ydata()) for line in axes.get_lines() if len(line.get_xdata())}


def test_twelve_rows_have_their_own_colours_and_markers_and_more_rows_their_own_pairs() -> None:
    assert len({colour(row) for row in range(12)}) == len({marker(row) for row in range(12)}) == 12
    assert len({(colour(row), marker(row)) for row in range(144)}) == 144


def test_curves_show_the_numbers_of_the_report(report: dict[str, Any]) -> None:
    [axes] = figures.accuracy_by_turn(report).axes
    assert lines(axes) == {"base": [0] * 5, "iteration 1": [0, 0, 100, 100, 100]}
    left, right = figures.with_and_without_oracle(report).axes
    assert lines(left)["iteration 1"] == [0, 0, 100, 100, 100]
    # wrong wrong right: 2 to 1; at the fourth turn a tie
    assert lines(right)["iteration 1"] == [0, 0, 0, 50, 100]


def test_parallel_and_sequential_are_compared_at_equal_generations(report: dict[str, Any]) -> None:
    [axes] = figures.pass_vs_seq(report).axes
    drawn = [list(line.get_ydata()) for line in axes.get_lines() if len(line.get_xdata())]
    assert drawn == [[0] * 5, [0] * 5, [0, 0, 100, 100, 100], [0] * 5]


def test_the_four_shares_of_a_step_fill_it(report: dict[str, Any]) -> None:
    for axes in figures.turn_correctness_change(report).axes:
        for step in range(4):
            heights = [container[step].get_height() for container in axes.containers]
            assert math.isclose(sum(heights), 100, abs_tol=1e-3)
    second = figures.turn_correctness_change(report).axes[1]
    fixed = [bar.get_height() for bar in second.containers[1]]
    assert fixed == [0, 100, 0, 0]


def test_the_unsolved_are_solved_by_turns(report: dict[str, Any]) -> None:
    [axes] = figures.success_rate_unsolved(report).axes
    assert sorted(text.get_text() for text in axes.texts) == ["6"] * 4  # two policies, 5 and 10 draws
    assert max(bar.get_height() for bar in axes.patches) == 100


def test_tokens_are_those_of_the_replies(report: dict[str, Any]) -> None:
    [axes] = figures.equal_tokens(report).axes
    assert list(axes.get_lines()[0].get_xdata()) == [1, 2, 3, 4, 5]  # a word a reply


def test_an_ablation_shows_its_rows_alone(
    report: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[str]] = []
    original = figures.ablation
    monkeypatch.setattr(
        figures,
        "ablation",
        lambda r, h: (drawn.append([row["name"] for row in r["rows"]]), original(r, h))[1],
    )
    names = [row["name"] for row in report["rows"]]
    figures.draw_all(report, tmp_path, {"fail_samples": names[:1], "correct_to_correct": ()})
    assert drawn == [names[:1], names]


def test_an_ablation_is_drawn_under_its_heading(report: dict[str, Any]) -> None:
    [axes] = figures.ablation(report, figures.ABLATIONS["fail_samples"]).axes
    assert axes.get_title().startswith("What to learn from")
    assert lines(axes)["iteration 1"] == [0, 0, 0, 50, 100]


def test_every_figure_is_written_twice_and_the_same_each_time(report: dict[str, Any], tmp_path: Path) -> None:
    names = {*figures.FIGURES, "fail_samples"} - {"measure_nll", "loss_vs_epoch"}  # no fits here
    for folder in ("one", "two"):
        assert set(figures.draw_all(report, tmp_path / folder, {"fail_samples": ()})) == names
    for name in names:
        one, two = (tmp_path / folder / f"{name}.svg" for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
        assert (tmp_path / "one" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_figures_without_values_are_left_out(tmp_path: Path) -> None:
    play(tmp_path, "base", 0, 0, lambda _: "\\boxed{-1}", draws=5)
    report = make_report(tmp_path)
    report["rows"][0]["unsolved"] = []
    assert "success_rate_unsolved" not in figures.draw_all(report, tmp_path / "figures")


def test_legends_have_a_place_of_their_own_outside_of_the_panels(report: dict[str, Any]) -> None:
    report = {
        **report,
        "rows": [{**row, "answer_logp_by_turn": row["accuracy_by_turn"]} for row in report["rows"]],
        "training": [{"name": "fit", "points": [{"epoch": 1.0, "mean": 2.0, "low": 1.0, "high": 3.0}]}],
    }
    for draw in (*figures.FIGURES.values(), lambda values: figures.ablation(values, "heading")):
        figure = draw(report)
        assert [axes.get_legend() for axes in figure.axes] == [None] * len(figure.axes)
        [legend] = figure.legends
        figure.draw_without_rendering()
        box = legend.get_window_extent()
        assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)
