"""Figures of training losses and of likelihoods: figure 4 of the RISE paper (arXiv:2407.18219)."""

from collections.abc import Mapping
from typing import Any

from rise_benchmarks.report.plot_style import (
    BAND,
    TEXT,
    add_legend,
    colour,
    marker,
    new_figure,
    title,
    whole_numbers,
)

Report = Mapping[str, Any]


def measure_nll(report: Report) -> Any:
    """Draw the mean log-probability of the right answer before each turn, one line per row: figure 4, left.

    Rows without these values (see `rise_agents.evaluation.answer_likelihood`) are left out. Bands are 95 %
    intervals.
    """
    figure, [axes] = new_figure()
    for number, row in enumerate(report["rows"]):
        points = row.get("answer_logp_by_turn")
        if points:
            turns = range(1, len(points) + 1)
            _band(axes, turns, points, number, row["name"], marker=marker(number))
    axes.set_xlabel("turn (history before it)", fontsize=TEXT)
    axes.set_ylabel("log p of the right answer, nats", fontsize=TEXT)
    whole_numbers(axes)
    figure.suptitle(title(report), fontsize=TEXT)
    add_legend(figure, axes)
    return figure


def loss_vs_epoch(report: Report) -> Any:
    """Draw the training loss over epochs, one line per fit, with the range over seeds: figure 4, right."""
    figure, [axes] = new_figure()
    for number, fit in enumerate(report["training"]):
        points = fit["points"]
        _band(axes, [point["epoch"] for point in points], points, number, fit["name"])
    axes.set_xlabel("epoch", fontsize=TEXT)
    axes.set_ylabel("weighted loss, nats per token", fontsize=TEXT)
    figure.suptitle(f"{report['env']}, training loss", fontsize=TEXT)
    add_legend(figure, axes)
    return figure


def _band(axes: Any, x: Any, points: Any, number: int, name: str, **style: Any) -> None:
    places = list(x)
    mean, low, high = ([point[key] for point in points] for key in ("mean", "low", "high"))
    axes.plot(places, mean, color=colour(number), label=name, markersize=5, **style)
    axes.fill_between(places, low, high, color=colour(number), alpha=BAND, linewidth=0)
