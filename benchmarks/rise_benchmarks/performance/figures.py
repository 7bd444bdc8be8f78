"""The figures of the result files as rows for the page. Pure functions of the content of one file."""

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, and what it is compared with."""

    what: str
    value: str
    beside: str = ""
    """A peer or a limit, with its number."""
    ratio: str = ""
    """The value over that number."""


def env_speed(data: Mapping[str, Any]) -> list[Figure]:
    """Return steps per CPU second of each loop beside the loop that it is compared with."""
    rows = {row["loop"]: row for row in data["rates"] if "per_cpu_second" in row}
    beside = {
        "MathEnv, right in turn 3": "gsm8k_multi_turn, right in turn 3",
        "MathEnv, right in turn 1": "MathEnv(use_mp=False), 1 turn, right",
        "RISE-ReasoningGym, chain_sum, 1 turn, right": "reasoning-gym itself, chain_sum, entry and score",
        "MathVectorEnv, 64 at a time, wrong": "MathEnv, right in turn 5",
        "MathEnv in gymnasium.make's wrappers, turn 5": "MathEnv, right in turn 5",
        "empty environment in the same wrappers": "empty environment bare",
    }
    only_beside = set(beside.values()) - {"MathEnv, right in turn 5"}
    found = [
        _beside(f"{_named(row)}: steps per CPU second", row["per_cpu_second"], _peer(rows, beside.get(loop)))
        for loop, row in rows.items()
        if loop not in only_beside
    ]
    if "wrappers" in data:
        ratio = data["wrappers"]["ratio"]
        what = "time that gymnasium.make's wrappers add to a step, over what they add to an empty environment"
        found.append(Figure(what, f"{ratio:.2f}", "goal: at most 1.2"))
    return found


def checker_speed(data: Mapping[str, Any]) -> list[Figure]:
    """Return checks per CPU second; those of hard LaTeX beside Math-Verify."""
    rates = {row["name"]: row["per_cpu_second"] for row in data["rates"]}
    slow = rates.pop("hard LaTeX, math-verify", None)
    peer = slow and ("Math-Verify", slow)
    return [
        _beside(f"{name}: checks per CPU second", rate, peer if "LaTeX" in name else None)
        for name, rate in rates.items()
    ]


def checker_scores(data: Mapping[str, Any]) -> list[Figure]:
    """Return accuracy and errors of the checker beside every other checker."""
    scores = {name: found["all"] for name, found in data["checkers"].items()}
    ours = scores.pop("rise")
    said = (
        "{accuracy:.2%}; {false_accepts} wrong replies accepted, {false_rejects} right ones rejected".format
    )
    others = [Figure(f"the same cases, {name}", said(**score)) for name, score in scores.items()]
    return [Figure(f"accuracy on {ours['cases']:,} labelled cases", said(**ours)), *others]


def rollout_speed(data: Mapping[str, Any]) -> list[Figure]:
    """Return generated tokens per second of rollouts beside the engine alone; medians of the rounds."""
    found = []
    for name, agent in data["agents"].items():
        if isinstance(agent, str):  # not installed
            continue
        rate = statistics.median(agent["rollout_tokens_per_second"])
        limit = statistics.median(agent["generate_tokens_per_second"])
        what = f"rollouts with {name}: generated tokens per second"
        found.append(_beside(what, rate, (f"{name} alone, same prompts", limit)))
        single = agent["one_request_at_a_time_tokens_per_second"]
        found.append(_beside(what, rate, ("one request at a time", single)))
    return found


def search_speed(data: Mapping[str, Any]) -> list[Figure]:
    """Return generated tokens per CPU second of tree searches beside their requests asked at once."""
    rate = statistics.median(data["search_tokens_per_cpu_second"])
    limit = statistics.median(data["limit_tokens_per_cpu_second"])
    what = f"{data['trees']} tree searches at a time: generated tokens per CPU second"
    return [_beside(what, rate, ("the same requests asked at once", limit))]


def store_speed(data: Mapping[str, Any]) -> list[Figure]:
    """Return the speed of reading and writing a store, and the memory of a collection."""
    episodes = data["episodes"]
    read, parse = episodes / data["load_cpu_seconds"], episodes / data["json_loads_alone_cpu_seconds"]
    before = data["collect"]["memory"][0]["resident_mib"]
    return [
        _beside("trajectories read per CPU second", read, ("Python's json parses the same lines", parse)),
        Figure("trajectories written per CPU second", f"{data['append_per_cpu_second']:,.0f}"),
        Figure(
            f"memory while {episodes:,} episodes are collected",
            f"{data['collect']['peak_mib']:.0f} MiB",
            f"before the first episode: {before:.0f} MiB",
        ),
    ]


def fit_speed(data: Mapping[str, Any]) -> list[Figure]:
    """Return trained tokens per second beside the bare loop, the released recipe and TRL."""
    names = {
        "limit": "a bare loop of forward, backward and step",
        "released": "the released recipe",
        "trl": "TRL",
    }
    rate = data["results"]["rise"]["tokens_per_s"]
    return [
        _beside("trained tokens per second", rate, (name, data["results"][key]["tokens_per_s"]))
        for key, name in names.items()
        if key in data["results"]
    ]


def fit_memory(data: Mapping[str, Any]) -> list[Figure]:
    """Return the memory of the loss beside that of all logits."""
    full = data["full_logits_bytes"] / 2**20
    return [
        _beside(
            f"memory of the loss in {found['way'].replace('whole', 'one piece')}, MiB",
            found["bytes"] / 2**20,
            ("all logits in float32", full),
        )
        for found in data["results"]
    ]


def accuracies(data: Mapping[str, Any]) -> list[Figure]:
    """Return the accuracy of every row of a report beside its first row, in percent with 95 % intervals."""
    reports = data.get("tables", {"": data})
    first = next(iter(reports.values()))["rows"][0]
    found = []
    for name, report in reports.items():
        for row in report["rows"]:
            title = f"{name}: {row['name']}" if name else row["name"]
            last = list(_scores(first))[-1:]
            other = "" if row is first else ", ".join(f"{first['name']}: {score}" for score in last)
            found.append(Figure(title, ", ".join(_scores(row)), other))
    return found


def gradient_error(text: str) -> list[Figure]:
    """Return the largest relative error of a gradient in the table."""
    largest = re.search(r"Largest error: ([\d.e+-]+)\.", text)
    return [Figure("largest relative error of a gradient", largest[1] if largest else "", "limit: 1e-04")]


def _scores(row: Mapping[str, Any]) -> list[str]:
    """Return ["m1@t1 35.7 (29.5 to 41.8)", ...] of a row of a report."""
    keys = [key for key in row if re.fullmatch(r"m\d+@t\d+", key)]
    return [f"{key} {_percent(row[key])}" for key in keys if row[key] is not None]


def _percent(estimate: Mapping[str, Any]) -> str:
    low, high = estimate["low"], estimate["high"]
    interval = f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None else ""
    return f"{100 * estimate['mean']:.1f}{interval}"


def _named(row: Mapping[str, Any]) -> str:
    return str(row["loop"]) if row["system"] == "RISE" else f"{row['system']}, {row['loop']}"


def _peer(rows: Mapping[str, Any], loop: str | None) -> tuple[str, float] | None:
    row = rows.get(loop or "")
    return row and (_named(row), row["per_cpu_second"])


def _beside(what: str, value: float, peer: tuple[str, float] | None) -> Figure:
    if peer is None:
        return Figure(what, f"{value:,.0f}")
    name, other = peer
    ratio = value / other
    return Figure(
        what, f"{value:,.0f}", f"{name}: {other:,.0f}", f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
    )
