"""The figures of a report: one function each, from the values of report.json to a matplotlib figure.

They are the figures of the RISE paper (arXiv:2407.18219), drawn from our own logs. Bands are 95 % intervals.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rise_benchmarks.report.plot_style import (
    TEXT,
    add_legend,
    colour,
    curve,
    new_figure,
    save,
    title,
    whole_numbers,
)
from rise_benchmarks.report.training_figures import loss_vs_epoch, measure_nll
from rise_env.utils.suggestions import validate_choice

Report = Mapping[str, Any]

TRANSITIONS = {
    "right to right": ("#0072B2", ""),
    "wrong to right": ("#56B4E9", "//"),
    "right to wrong": ("#D55E00", "\\\\"),
    "wrong to wrong": ("#BBBBBB", ""),
}
"""Transition between two turns -> colour and hatch of its bar."""
DASHED = {"linestyle": "--", "markerfacecolor": "white"}


def accuracy_by_turn(report: Report) -> Any:
    """Draw the accuracy of the reply at each turn, one line per row, without an oracle."""
    figure, [axes] = new_figure()
    for number, row in enumerate(report["rows"]):
        points = row["accuracy_by_turn"]
        curve(axes, range(1, len(points) + 1), points, number=number, label=row["name"])
    _finish(figure, axes, report, "turn (blind feedback, no oracle)", "accuracy of the reply, %")
    return figure


def with_and_without_oracle(report: Report) -> Any:
    """Draw success over turns: left with an oracle (p1@tj), right without (m1@tj). The paper's figure 3."""
    figure, [left, right] = new_figure(2)
    for number, row in enumerate(report["rows"]):
        turns = range(1, len(row["any_by_turn"]) + 1)
        curve(left, turns, row["any_by_turn"], number=number, label=row["name"])
        curve(right, turns, row["majority_by_turn"], number=number, label=row["name"])
    _finish(figure, left, report, "turns j, with oracle: p1@tj", "problems solved, %")
    _finish(None, right, report, "turns j, without oracle: m1@tj", "")
    return figure


def pass_vs_seq(report: Report) -> Any:
    """Draw pass@k of parallel draws (dashed) and success within k sequential turns (solid).

    pass@k is the unbiased estimate from all draws. The paper's figure pass_vs_seq.
    """
    figure, [axes] = new_figure()
    for number, row in enumerate(report["rows"]):
        turns = range(1, len(row["any_by_turn"]) + 1)
        curve(axes, turns, row["any_by_turn"], number=number, label=row["name"])
        draws = row["pass_at_k"][: len(turns)]
        curve(axes, range(1, len(draws) + 1), draws, number=number, **DASHED)
    _two_kinds(axes, "k turns", "k draws")
    _finish(figure, axes, report, "generations k", "at least one reply right, %")
    return figure


def turn_correctness_change(report: Report) -> Any:
    """Draw the shares of the four transitions at each turn as stacked bars, one panel per row.

    The paper's figure turn_correctness_change.
    """
    rows = report["rows"]
    figure, panels = new_figure(len(rows), width=6.4 if len(rows) == 1 else 4.4)
    for axes, row in zip(panels, rows, strict=True):
        bottom = [0.0] * (report["turns"] - 1)
        places = range(1, report["turns"])
        for name, (shade, hatch) in TRANSITIONS.items():
            heights = [100 * value["mean"] for value in row["transitions_by_turn"][name]]
            axes.bar(places, heights, 0.7, bottom, color=shade, hatch=hatch, edgecolor="white", label=name)
            bottom = [a + b for a, b in zip(bottom, heights, strict=True)]
        axes.set_xticks(list(places), [f"{t}→{t + 1}" for t in places])
        axes.set_title(row["name"], fontsize=TEXT)
        axes.set_xlabel("turn", fontsize=TEXT)
    panels[0].set_ylabel("problems, %", fontsize=TEXT)
    add_legend(figure, panels[0])
    figure.suptitle(title(report), fontsize=TEXT)
    return figure


def success_rate_unsolved(report: Report) -> Any:
    """Draw the share of problems solved by T sequential turns, among those that B = T k draws do not solve.

    The solid part is the share solved by majority, without an oracle; the hatched part is what an oracle
    adds. The number above each bar is the number of these problems, over all seeds. The paper's figure 5.
    """
    rows = report["rows"]
    figure, [axes] = new_figure()
    width = 0.8 / len(rows)
    for number, row in enumerate(rows):
        for part in row["unsolved"]:
            if not part["problems"]:
                continue
            at = part["k"] + (number - (len(rows) - 1) / 2) * width
            m1, p1 = part["m1"], part["p1"]
            low, high = 100 * m1["mean"], 100 * p1["mean"]
            label = row["name"] if part["k"] == 1 else None
            axes.bar(at, low, 0.9 * width, color=colour(number), label=label)
            axes.bar(
                at, high - low, 0.9 * width, low,
                color="white", hatch="////", edgecolor=colour(number), linewidth=0.8,
            )  # fmt: skip
            axes.errorbar(
                at, high, [[high - 100 * p1["low"]], [100 * p1["high"] - high]],
                color="#555555", capsize=2, linewidth=1,
            )  # fmt: skip
            axes.annotate(
                str(part["problems"]), (at, 100 * p1["high"]), (0, 2),
                textcoords="offset points", ha="center", fontsize=9,
            )  # fmt: skip
    turns = report["turns"]
    ks = sorted({part["k"] for row in rows for part in row["unsolved"]})
    axes.set_xticks(ks, [f"{turns * k}" for k in ks])
    axes.margins(y=0.12)
    label = f"solved by {turns} turns, % (hatched: oracle)"
    _finish(
        figure,
        axes,
        report,
        "draws that leave the problem unsolved\n(above a bar: number of these problems)",
        label,
        whole=False,
    )
    return figure


def equal_tokens(report: Report) -> Any:
    """Draw majority over turns (solid) and over draws (dashed) against the tokens generated for them."""
    figure, [axes] = new_figure()
    for number, row in enumerate(report["rows"]):
        cost = row["cost"]
        turns, draws = row["majority_by_turn"], row["majority_by_samples"]
        spent = cost["sequential"]["generated"]
        curve(axes, spent, turns, number=number, label=row["name"])
        # draws as far as the tokens of the turns reach, and at least as many as turns
        pairs = list(zip(cost["parallel"]["generated"], draws, strict=True))
        pairs = [pair for at, pair in enumerate(pairs) if at < len(turns) or pair[0] <= spent[-1]]
        curve(axes, [x for x, _ in pairs], [y for _, y in pairs], number=number, **DASHED)
    _two_kinds(axes, "turns", "draws")
    _finish(figure, axes, report, "tokens generated per problem", "accuracy of the majority, %", whole=False)
    return figure


def ablation(report: Report, heading: str) -> Any:
    """Draw m1@tj over j, one line per row: the paper's three ablations and correct_to_correct.

    Args:
        report: A report whose rows are the variants, each trained separately.
        heading: Says what is varied; see ABLATIONS.
    """
    figure, [axes] = new_figure()
    for number, row in enumerate(report["rows"]):
        points = row["majority_by_turn"]
        curve(axes, range(1, len(points) + 1), points, number=number, label=row["name"])
    _finish(figure, axes, report, "turns j", "m1@tj, %")
    axes.set_title(heading, fontsize=TEXT)
    return figure


FIGURES: Mapping[str, Callable[[Report], Any]] = {
    "accuracy_by_turn": accuracy_by_turn,
    "with_and_without_oracle": with_and_without_oracle,
    "pass_vs_seq": pass_vs_seq,
    "turn_correctness_change": turn_correctness_change,
    "success_rate_unsolved": success_rate_unsolved,
    "equal_tokens": equal_tokens,
    "measure_nll": measure_nll,
    "loss_vs_epoch": loss_vs_epoch,
}
"""Name -> function from the values of report.json to the figure."""

ABLATIONS = {
    "multi_turn_interaction": "History in training: several turns or one, weighted or not",
    "fail_samples": "What to learn from: all rollouts, or successes only",
    "iterative_ablation": "A second iteration: on-policy or old data",
    "correct_to_correct": "Training with and without right answers followed by right answers",
}
"""Name, as in the paper -> heading of `ablation`."""


def draw_all(
    report: Report, folder: Path, ablations: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> dict[str, Path]:
    """Draw every figure for which the report has values, as PNG and SVG.

    Args:
        report: The content of report.json.
        folder: The folder of the files; it is created if it is missing.
        ablations: Names from ABLATIONS of further figures -> the names of their rows; an empty tuple takes
            all rows.

    Returns:
        Name -> path of the SVG.

    Raises:
        ConfigError: There is no such ablation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, function in FIGURES.items():
        if _has_values(report, name):
            drawn[name] = _both(function(report), folder, name)
    for name, chosen in ablations.items():
        heading = ABLATIONS[validate_choice(name, ABLATIONS, "ablation")]
        rows = [row for row in report["rows"] if row["name"] in chosen] if chosen else report["rows"]
        drawn[name] = _both(ablation({**report, "rows": rows}, heading), folder, name)
    return drawn


def _has_values(report: Report, name: str) -> bool:
    if name == "turn_correctness_change":
        return bool(report["turns"] > 1)
    if name == "success_rate_unsolved":
        return any(part["problems"] for row in report["rows"] for part in row["unsolved"])
    if name == "measure_nll":
        return any(row.get("answer_logp_by_turn") for row in report["rows"])
    if name == "loss_vs_epoch":
        return any(fit["points"] for fit in report.get("training", ()))
    if name == "equal_tokens":
        return all(row["cost"]["parallel"]["generated"][0] > 0 for row in report["rows"])
    return True


def _both(figure: Any, folder: Path, name: str) -> Path:
    save(figure, folder / f"{name}.png")
    save(figure, folder / f"{name}.svg")
    return folder / f"{name}.svg"


def _two_kinds(axes: Any, solid: str, dashed: str) -> None:
    """Add labels for solid and for dashed lines to the legend."""
    axes.plot([], [], color="#777777", label=solid)
    axes.plot([], [], color="#777777", label=dashed, linestyle="--")


def _finish(figure: Any, axes: Any, report: Report, x: str, y: str, *, whole: bool = True) -> None:
    """Label the axes; add title and legend to `figure`, which is None for a second panel."""
    axes.set_xlabel(x, fontsize=TEXT)
    axes.set_ylabel(y, fontsize=TEXT)
    if whole:
        whole_numbers(axes)
    if figure is not None:
        figure.suptitle(title(report), fontsize=TEXT)
        add_legend(figure, axes)
