"""Figures of a report. Colours are Okabe and Ito's, told apart by colour-blind eyes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rise_env.errors import MissingDependencyError

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def accuracy_by_turn(report: Mapping[str, Any], path: Path) -> None:
    """Draw accuracy against the turn, one line with its 95 % band per row, and save it at `path`."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError as error:
        raise MissingDependencyError("figures need matplotlib: pip install 'rise-env[report]'") from error
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for number, row in enumerate(report["rows"]):
        colour = COLOURS[number % len(COLOURS)]
        points = row["accuracy_by_turn"]
        turns = range(1, len(points) + 1)
        axes.plot(turns, [100 * p["mean"] for p in points], color=colour, marker="o", label=row["name"])
        low, high = ([100 * p[side] for p in points] for side in ("low", "high"))
        axes.fill_between(turns, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xlabel("turn (blind feedback, no oracle)")
    axes.set_ylabel("accuracy, %")
    axes.set_title(f"{report['env']}, {report['problems']} held-out problems", fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
