"""The table of a report at equal budgets: each row against draws of the first row that cost as much.

The first row's protocol "parallel" gives the draws. Scores for best of n come from its protocol "best_of_n"
if it was played, and otherwise from the log-probabilities of the replies, if the agent returns them: the
score of a reply is then the probability of its least likely token.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rise_benchmarks.report.evaluation_logs import Measured, read_episodes
from rise_env.metrics.budgets.equal_budget import Budget
from rise_env.metrics.budgets.equal_row import ScoredDraws, equal_row
from rise_env.metrics.policy_results import PolicyResults
from rise_env.metrics.reply_arrays import Replies, by_draw, by_turn
from rise_env.metrics.report_values import percent
from rise_env.trajectories.store import read_run
from rise_env.types import Trajectory, Turn, Usage

UNITS = {"generated": "generated tokens", "total": "generated and read tokens", "calls": "calls"}
"""Budget -> what it counts."""


def equal_budget(
    found: Sequence[Measured], results: Sequence[PolicyResults], budget: Budget
) -> dict[str, Any]:
    """Return the table as JSON values: "by", "scores" (what gave them, or null) and "rows".

    Args:
        found: The logs of the policies; the first one is the base.
        results: Their results.
        budget: What is held equal.

    Raises:
        ConfigError: The agent counts no tokens.
    """
    scored = scored_draws(found[0], results[0].problems)
    return {
        "by": budget,
        "scores": None if scored is None else scored.by,
        "rows": [
            equal_row(measured.name, own, results[0], budget, scored)
            for measured, own in zip(found, results, strict=True)
        ],
    }


def scored_draws(base: Measured, problems: Sequence[str]) -> ScoredDraws | None:
    """Return the draws of a policy with scores, or None if there are none.

    Args:
        base: The logs of the policy.
        problems: Problem ids, in the order of the results.
    """
    rated = base.logs.get("best_of_n", ())
    verifier = [path.with_name("verifier.jsonl") for path in rated]
    if rated and all(path.is_file() for path in verifier):
        number = int(read_run(rated[0])["num_samples"])
        draws = [by_draw(read_episodes(path, base.checker), number) for path in rated]
        costs = [by_turn(map(_ratings_together, read_episodes(path, None)), number) for path in verifier]
        return ScoredDraws(
            str(read_run(rated[0]).get("verifier")), _in_order(draws, problems), _in_order(costs, problems)
        )
    parallel = base.logs["parallel"]
    draws = [_draws_with_confidence(path, base.checker) for path in parallel]
    if any(math.isnan(score) for log in draws for score in log.score[log.given]):
        return None
    return ScoredDraws("confidence", _in_order(draws, problems))


def cells(report: Mapping[str, Any]) -> list[list[str]]:
    """Return the table as texts; the first row is the head.

    Args:
        report: The content of report.json, with the key "equal".
    """
    equal = report["equal"]
    choices = list(equal["rows"][0]["choices"])
    by = f" by {equal['scores']}" if equal["scores"] else ""
    heads = [name if name == "majority" else f"{name}{by}" for name in choices]
    head = [
        "",
        "m1@t1",
        "generated",
        "read, not cached",
        "calls",
        *(f"{name} at its {equal['by']}" for name in heads),
    ]
    body = [
        [
            row["name"],
            percent(row["m1@t1"]),
            *(f"{row[key]:,.0f}" for key in ("generated", "read")),
            f"{row['calls']:,.1f}",
            *(_choice(row["choices"][name]) for name in choices),
            "–" if row["gain"] is None else f"{percent(row['gain'])} (p {row['gain']['p']:.2g})",
        ]
        for row in equal["rows"]
    ]
    return [[*head, "row - better of majority and best of n"], *body]


def too_few_draws(report: Mapping[str, Any]) -> list[str]:
    """Return sentences about rows that spend more than all draws of the first row."""
    equal = report["equal"]
    base = equal["rows"][0]["name"]
    lines = []
    for row in equal["rows"]:
        for name, found in row["choices"].items():
            if found["score"] is None:
                needed = math.ceil(found["draws"])
                option = "draws" if name == "majority" or equal["scores"] == "confidence" else "num_samples"
                lines.append(
                    f"{row['name']} spends {row['spent']:,.0f} {UNITS[equal['by']]} per problem, {needed} "
                    f"draws of {base} for {name}; there are {found['available']}: "
                    f"rise evaluate --{option} {needed}"
                )
    return lines


def _choice(found: Mapping[str, Any]) -> str:
    if found["score"] is None:
        return "too few draws"
    return f"{percent(found['score'])} (n = {found['draws']:.1f})"


def _draws_with_confidence(path: Path, checker: str | None) -> Replies:
    record = read_run(path)
    episodes = _with_confidence(read_episodes(path, checker))
    return by_draw(episodes, record.get("draws", record["num_samples"]))


def _with_confidence(episodes: Iterable[Trajectory]) -> Iterator[Trajectory]:
    for episode in episodes:
        turns = []
        for turn in episode.turns:
            attempts = (
                replace(one, score=math.exp(min(one.logprobs)) if one.logprobs else None)
                for one in turn.attempts
            )
            turns.append(replace(turn, attempts=tuple(attempts)))
        yield replace(episode, turns=tuple(turns))


def _ratings_together(episode: Trajectory) -> Trajectory:
    """Return an episode of ratings in which each turn has one attempt with the usage of all."""
    return replace(episode, turns=tuple(_one_rating(turn) for turn in episode.turns))


def _one_rating(turn: Turn) -> Turn:
    usages = [attempt.usage for attempt in turn.attempts]
    together = Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        calls=sum(usage.calls or 1 for usage in usages),
    )
    return replace(turn, attempts=(replace(turn.attempts[0], usage=together),), chosen=0)


def _in_order(logs: Sequence[Replies], problems: Sequence[str]) -> tuple[Replies, ...]:
    return tuple(log.in_order(problems) for log in logs)
