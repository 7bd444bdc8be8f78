"""The style of figures: colours, markers, bands, legends, and how they are saved as PNG and SVG.

The first seven colours are those of Okabe and Ito, which colour-blind people can tell apart; five darker ones
follow that differ from all others with normal sight, protanopia and deuteranopia. Each line also has a
marker of its own, so that figures can be read without colours.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_env.utils.extras import missing_library

COLOURS = (
    "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#800000", "#332288", "#004D40", "#117733", "#AD1457",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "*", "p", ">", "h")
SIZE = (5.6, 3.8)
"""Width and height of one panel in inches."""
TEXT = 11
"""Size of all texts in points: the report page shows a figure 370 pixels wide on a phone."""
LETTERS = 11.5
"""Letters of this size per inch of a line."""
KEY = 7
"""Letters for which the key of a label, and the space beside it, take room."""
BAND = 0.15
"""Opacity of a band."""


def new_figure(panels: int = 1, *, width: float = SIZE[0], share_y: bool = True) -> tuple[Any, list[Any]]:
    """Return a figure and its panels, which are side by side.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_library("matplotlib", "a figure") from error
    figure = Figure(figsize=(width if panels == 1 else 0.75 * width * panels, SIZE[1]), layout="constrained")
    axes = list(figure.subplots(1, panels, sharey=share_y, squeeze=False)[0])
    for panel in axes:
        panel.grid(axis="y", alpha=0.3)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=TEXT)
    return figure, axes


def curve(
    axes: Any, x: Sequence[float], estimates: Sequence[Mapping[str, Any]], *, number: int, **style: Any
) -> None:
    """Draw estimates in percent: a line with a band of their intervals.

    Args:
        axes: The panel.
        x: One position per estimate.
        estimates: Fractions, {"mean", "low", "high"}; those with a mean of None are left out.
        number: Number of the row, which selects colour and marker.
        style: Arguments of `axes.plot` that replace colour, marker and others.
    """
    known = [(at, value) for at, value in zip(x, estimates, strict=True) if value["mean"] is not None]
    if not known:
        return
    places = [at for at, _ in known]
    mean, low, high = ([100 * value[key] for _, value in known] for key in ("mean", "low", "high"))
    look = {"color": colour(number), "marker": marker(number), "markersize": 5} | style
    axes.plot(places, mean, **look)
    axes.fill_between(places, low, high, color=look["color"], alpha=BAND, linewidth=0)


def add_legend(figure: Any, axes: Any) -> None:
    """Add a legend outside of the panels, where it covers no curve.

    Up to four lines of labels stand below the panels; if they need more lines, they stand at the right.

    Args:
        figure: The figure that the legend is added to.
        axes: The panel whose labels are listed.
    """
    handles, labels = axes.get_legend_handles_labels()
    longest = max(map(len, labels), default=0)
    most = max(1, int(LETTERS * figure.get_figwidth() / (longest + KEY)))
    lines = math.ceil(len(labels) / most)
    if lines > 4:
        place, columns = "outside center right", 1
    else:
        place, columns = "outside lower center", math.ceil(len(labels) / max(1, lines))
    # never loc="best": its search is slow for long curves, and it may cover them
    figure.legend(handles, labels, loc=place, ncols=columns, frameon=False, fontsize=TEXT)


def whole_numbers(axes: Any) -> None:
    """Put ticks of the x axis at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def colour(number: int) -> str:
    """Return the colour of the row with this number."""
    return COLOURS[number % len(COLOURS)]


def marker(number: int) -> str:
    """Return the marker of the row with this number. In 144 rows, no two have the same colour and marker."""
    return MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]


def title(report: Mapping[str, Any]) -> str:
    """Return the heading of a figure of this report."""
    seeds = len(report["seeds"])
    return f"{report['env']}, {report['problems']} held-out problems, {seeds} seed{'s' if seeds > 1 else ''}"


def save(figure: Any, path: Path) -> None:
    """Save a figure. Two equal figures give SVG files with the same bytes."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "path"}):
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
