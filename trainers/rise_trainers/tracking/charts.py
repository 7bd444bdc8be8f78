"""The charts of a run in W&B and TensorBoard: their metrics, sections and x axes.

Both draw one chart for every logged number. The part of its name before the slash is the section. The few
charts of `HEADLINE` are in sections of their own. All other numbers of RUN/metrics.jsonl are in the section
"detail", under the same name. To add a chart:

- of a number during a fit, over its steps: add it to what `fitting.metrics_log` writes, or, if it describes
  the training data, to what `fitting.prepare_data.prepare` returns;
- of one number per collection and evaluation: add an entry to the dictionary that `phase_metrics.statistics`
  returns;
- of a metric of the report, for every evaluation: add its key to `REPORT_COLUMNS`;
- of a distribution: log it as above, and add an entry to `HISTOGRAMS`;
- in a new section: add an entry to `SECTIONS`;
- outside "detail": add its name to `HEADLINE`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Bins = tuple[list[float], list[float]]
"""Counts [n] and edges [n + 1] of the bins of a histogram."""

ITERATION = "iteration"
"""Name of the iteration of the run."""
GLOBAL_STEP = "train/global_step"
"""Name of the number of optimizer steps over all fits of a seed."""
DETAIL = "detail/"
"""What the names of all numbers outside `HEADLINE` start with."""
ACCURACY_BY_TURN = "eval/accuracy_by_turn"
"""Name of the line chart with the accuracy at each turn, one line per evaluated model."""
REPORT_TABLE = "report/table"

HEADLINE = (
    ITERATION, GLOBAL_STEP, "train/loss", "collect/reward_mean", "fit/kl_to_first",
    r"eval/m1_t\d+", r"eval/m\d+_t1", ACCURACY_BY_TURN, REPORT_TABLE,
)  # fmt: skip
"""The names outside "detail", as regular expressions. They match at most ten names of a run."""


@dataclass(frozen=True, slots=True)
class Section:
    """The charts whose names start with one word."""

    name: str
    x_axis: str
    """The name of the x axis of the charts of the section."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """A chart of a distribution."""

    metric: str
    """The key in metrics.jsonl that it is drawn from. A chart with this key replaces its single numbers."""
    bins: Callable[[Any], Bins]
    """Returns the bins from the value of the metric."""


def displayed(name: str) -> str:
    """Return the name under which a metric is logged: itself if it is a headline, else under "detail"."""
    return name if any(re.fullmatch(pattern, name) for pattern in HEADLINE) else DETAIL + name


def reward_bins(counts: Mapping[str, int]) -> Bins:
    """Return one bin for every reward; the edges are halfway between neighbouring rewards.

    Args:
        counts: Reward -> number of replies.
    """
    values, numbers = zip(*sorted((float(reward), n) for reward, n in counts.items()), strict=True)
    between = [(low + high) / 2 for low, high in pairwise(values)]
    return list(numbers), [values[0] - 0.5, *between, values[-1] + 0.5]


def weight_bins(histogram: Mapping[str, list[float]]) -> Bins:
    """Return the bins of `data.weights.histogram`."""
    return histogram["counts"], histogram["edges"]


SECTIONS = (
    Section("report", x_axis=ITERATION),
    Section("train", x_axis=GLOBAL_STEP),
    Section("collect", x_axis=ITERATION),
    Section("eval", x_axis=ITERATION),
    Section("data", x_axis=ITERATION),
    Section("fit", x_axis=ITERATION),
    Section("critic", x_axis=ITERATION),
)

HISTOGRAMS: Mapping[str, Histogram] = {
    "data/weight_histogram": Histogram("data/weight_histogram", weight_bins),
    "collect/reward_histogram": Histogram("collect/rewards", reward_bins),
    "eval/reward_histogram": Histogram("eval/rewards", reward_bins),
}
"""Name of a chart -> what it shows."""

REPORT_COLUMNS = (
    "any_by_turn", "majority_by_turn", "pass_at_k",
    "transitions_by_turn", "wrong_to_right_by_turn", "right_to_wrong_by_turn",
    "distinct_answers", "repeats", "format_failures", "timeouts", "tokens_per_reply",
)  # fmt: skip
"""Keys of `rise_env.metrics.report_metrics.METRICS`, with {t} and {k} as there, that every evaluation logs
under "eval/" beside the metrics of the main table of the report."""
