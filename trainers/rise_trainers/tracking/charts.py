"""The charts of a run in W&B: their metrics, sections and x axes.

W&B draws one chart for every logged key. The part of the key before the slash is the name of its section.
Every number in RUN/metrics.jsonl is logged, and also what the tables below add. To add a chart:

- of a number during a fit, over its steps: add it to what `fitting.metrics_log` writes, or, if it describes
  the training data, to what `fitting.prepare_data.prepare` returns;
- of one number per collection and evaluation: add an entry to the dictionary that `phase_metrics.statistics`
  returns;
- of a metric of the report, for every evaluation: add its key to `REPORT_COLUMNS`;
- of a distribution: log it as above, and add an entry to `HISTOGRAMS`;
- in a new section: add an entry to `SECTIONS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Bins = tuple[list[float], list[float]]
"""Counts [n] and edges [n + 1] of the bins of a histogram."""


@dataclass(frozen=True, slots=True)
class Section:
    """The charts whose keys start with one name."""

    name: str
    x_axis: str
    """The key that is the x axis of the charts of the section."""
    per_seed: bool = True
    """Whether each seed of a run with several seeds has its own charts, whose keys start with "seed-S/"."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """A chart of a distribution."""

    metric: str
    """The key in metrics.jsonl that it is drawn from. A chart with this key replaces its single numbers."""
    bins: Callable[[Any], Bins]
    """Returns the bins from the value of the metric."""


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
    Section("report", x_axis="iteration", per_seed=False),
    Section("train", x_axis="train/update"),
    Section("collect", x_axis="iteration"),
    Section("eval", x_axis="iteration"),
    Section("data", x_axis="iteration"),
    Section("fit", x_axis="iteration"),
)
"""`iteration` is the iteration of the run; `train/update` counts optimizer steps over all fits."""

HISTOGRAMS: Mapping[str, Histogram] = {
    "data/weight_histogram": Histogram("data/weight_histogram", weight_bins),
    "collect/reward_histogram": Histogram("collect/rewards", reward_bins),
    "eval/reward_histogram": Histogram("eval/rewards", reward_bins),
}
"""Key of a chart -> what it shows."""

REPORT_COLUMNS = (
    "any_by_turn", "majority_by_turn", "pass_at_k",
    "transitions_by_turn", "wrong_to_right_by_turn", "right_to_wrong_by_turn",
    "distinct_answers", "repeats", "format_failures", "timeouts", "tokens_per_reply",
)  # fmt: skip
"""Keys of `rise_env.metrics.report_metrics.METRICS`, with {t} and {k} as there, that every evaluation logs
under "eval/" beside the metrics of the main table of the report."""
