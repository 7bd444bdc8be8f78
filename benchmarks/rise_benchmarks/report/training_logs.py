"""Reads the training losses and the likelihoods of the right answers from the logs of a run."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rise_benchmarks.report.evaluation_logs import Measured
from rise_env.errors import ConfigError
from rise_env.metrics.report_values import estimate

METRICS = "metrics.jsonl"
POLICY = ("fit/sampler_gap", "fit/kl_to_first", "fit/entropy")
"""What the keys of policy metrics begin with."""
NLL = "nll.json"


def losses(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the training loss of every fit by epoch, and its policy metrics, per iteration and over seeds.

    Args:
        folders: Run folders; those without a metrics.jsonl are left out.

    Returns:
        [{"name", "seeds", "points": [{"epoch", "mean", "low", "high"}], "policy": {metric: mean over
        seeds}}]. Iteration 0 is the boost stage, and low and high are the range over seeds. Steps and metrics
        that not all seeds have are left out. `rise_trainers.policies.policy_metrics` says what the metrics
        are.
    """
    found = []
    for folder in folders:
        path = folder / METRICS
        if not path.is_file():
            continue
        curves: dict[int, dict[int, dict[float, float]]] = defaultdict(lambda: defaultdict(dict))
        policies: dict[int, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for text in path.read_text().splitlines():
            line = json.loads(text)
            policy = {key[4:]: line[key] for key in line if key.startswith(POLICY)}
            if policy:
                policies[line["iteration"]][line["seed"]] |= policy
            if "train/loss" in line and "train/epoch" in line:
                curves[line["iteration"]][line["seed"]][line["train/epoch"]] = line["train/loss"]
        prefix = f"{folder.name}: " if len(folders) > 1 else ""
        for iteration, by_seed in sorted(curves.items()):
            name = prefix + (f"iteration {iteration}" if iteration else "boost")
            seeds = list(policies[iteration].values())
            shared = [key for key in seeds[0] if all(key in other for other in seeds)] if seeds else []
            found.append(
                {
                    "name": name,
                    "seeds": len(by_seed),
                    "points": _points(list(by_seed.values())),
                    "policy": {key: sum(seed[key] for seed in seeds) / len(seeds) for key in shared},
                }
            )
    return found


def answer_logps(measured: Measured, problems: Sequence[str]) -> list[dict[str, float | None]] | None:
    """Return the mean log-probability of the right answer before each turn, with intervals.

    Args:
        measured: The policy. The files nll.json next to its sequential logs are read; see
            `rise_agents.evaluation.answer_likelihood`.
        problems: Ids, in the order of the result.

    Returns:
        One estimate per turn, or None if a seed has no nll.json.

    Raises:
        ConfigError: A file is of other problems, or of episodes that ended early.
    """
    paths = [path.with_name(NLL) for path in measured.logs["sequential"]]
    if not all(path.is_file() for path in paths):
        return None
    tables = []
    for path in paths:
        logps: Mapping[str, list[float]] = json.loads(path.read_text())["logp"]
        if set(logps) != set(problems) or any(None in row for row in logps.values()):
            raise ConfigError(
                f"{path} has other problems or turns than the log beside it: delete it and measure it again"
            )
        tables.append([logps[problem] for problem in problems])
    values = np.array(tables, dtype=float)
    return [estimate(values[:, :, turn]) for turn in range(values.shape[2])]


def _points(curves: Sequence[Mapping[float, float]]) -> list[dict[str, float]]:
    shared = sorted(set.intersection(*(set(curve) for curve in curves)))
    points = []
    for epoch in shared:
        values = [curve[epoch] for curve in curves]
        mean = sum(values) / len(values)
        points.append({"epoch": epoch, "mean": mean, "low": min(values), "high": max(values)})
    return points
