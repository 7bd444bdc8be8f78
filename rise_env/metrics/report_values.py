"""The values of a report: bootstrap estimates as JSON values, and JSON values as text for tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from rise_env.metrics.bootstrap import Estimate, bootstrap

Array = npt.NDArray[np.float64]
EstimateJson = dict[str, float | None]
"""{"mean", "low", "high"}, as fractions, not percent; null where the denominators sum to 0."""


def estimate(values: Array, of: Array | None = None) -> EstimateJson:
    """Return the bootstrapped mean of `values`, or the ratio of `values` to `of`, as a JSON value.

    Args:
        values: Shape [seeds, problems].
        of: Denominators of the same shape.
    """
    return to_json(bootstrap(values, of))


def to_json(value: Estimate) -> EstimateJson:
    """Return an estimate as a JSON value, rounded to 6 digits; NaN becomes null."""
    return {key: None if np.isnan(part) else round(part, 6) for key, part in asdict(value).items()}


def is_estimate(value: Any) -> bool:
    """Return whether a value of a report is an estimate."""
    return isinstance(value, Mapping) and value.keys() == {"mean", "low", "high"}


def percent(value: Mapping[str, Any]) -> str:
    """Write an estimate in percent with half the width of its interval: "47.3 ± 2.8"."""
    if value["mean"] is None:
        return "–"
    half = (value["high"] - value["low"]) / 2
    return f"{100 * value['mean']:.1f} ± {100 * half:.1f}"


def percents(values: Sequence[Mapping[str, Any]]) -> str:
    """Write the means of several estimates in percent: "33.3 47.1 50.2"."""
    return " ".join(f"{100 * value['mean']:.1f}" for value in values)


def mean_percent(rates: Sequence[Mapping[str, Any]]) -> str:
    """Write the mean of several rates in percent: "47 %". Rates that are null are left out."""
    known = [rate["mean"] for rate in rates if rate["mean"] is not None]
    return f"{100 * sum(known) / len(known):.0f} %" if known else "–"
