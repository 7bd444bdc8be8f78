"""The rows of the suites conventions and memory: one agent, and what it learns without weights.

Rows that learn do so once per seed, with `rise learn`, and are then measured on the test problems.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rise_agents.evaluation.evaluate_agents import EvaluateConfig, folder_name
from rise_agents.learning.config import LearnConfig
from rise_agents.learning.learn import run
from rise_agents.memory.learner import MEMORY
from rise_agents.rules.book import Rule, RuleBook, write_book
from rise_agents.rules.learner import RULES
from rise_benchmarks.learning.ceiling import TRUE_RULES
from rise_env.utils.settings import build


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRow:
    """One row."""

    wraps: Literal["", "instructed", "sage"] = ""
    """What plays around the agent."""
    method: Literal["rules", "memory"] | None = None
    """What is learned first; None learns nothing."""
    learn: Mapping[str, Any] = field(default_factory=dict)
    """Settings of `rise learn`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of what plays around the agent."""
    book: RuleBook | None = None
    """Rules that are given."""
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the environment."""
    what: str = ""
    """What the row shows, in words."""


CONVENTIONS: Mapping[str, LearnedRow] = {
    "no rules": LearnedRow(what="the agent alone"),
    "ceiling": LearnedRow(wraps="instructed", book=TRUE_RULES, what="all true rules given"),
    "sentence": LearnedRow(
        wraps="instructed",
        book=RuleBook((Rule("Think step by step, and check each calculation."),)),
        what="a hand-written sentence",
    ),
    "rules": LearnedRow(wraps="instructed", method="rules", what="rules learned from failures and tested"),
    "rules, mean": LearnedRow(
        wraps="instructed",
        method="rules",
        learn={"rules": {"accept": "mean", "step_validate": 8, "draws": 1}},
        what="the same with the common reading of the paper's test",
    ),
}
"""Name of the row -> what is measured, on problems with the six shared conventions."""

_FAMILIES = {"families": 60, "law": "zipf"}


def _remembering(policy: str, what: str) -> LearnedRow:
    return LearnedRow(
        wraps="sage",
        method="memory",
        learn={"train": 600, "memory": {"policy": policy, "capacity": 20, "generation": 8}},
        settings={"checks": 0},
        env_settings=_FAMILIES,
        what=what,
    )


MEMORIES: Mapping[str, LearnedRow] = {
    "no memory": LearnedRow(env_settings=_FAMILIES, what="the agent alone"),
    "reviewer": LearnedRow(wraps="sage", env_settings=_FAMILIES, what="up to two reviews, no memory"),
    "ebbinghaus": _remembering("ebbinghaus", "reflections kept by the forgetting curve with rehearsal"),
    "lru": _remembering("lru", "the same memory, least recently used goes first"),
    "fifo": _remembering("fifo", "the same memory, oldest goes first"),
    "all": _remembering("all", "the same memory without a limit"),
}
"""Name of the row -> what is measured, on problems with 60 families that come back by Zipf's law."""


def measurements(common: EvaluateConfig, rows: Mapping[str, LearnedRow], out: Path) -> list[EvaluateConfig]:
    """Let every row learn with every seed, and return how they are measured.

    Args:
        common: The evaluation of the agent alone; it names one agent.
        rows: Name of the row -> the row.
        out: Folder for the runs of `rise learn`.
    """
    return [
        _measured(common, label, row, seed, out / folder_name(label) / f"seed-{seed}")
        for label, row in rows.items()
        for seed in common.seeds
    ]


def _measured(common: EvaluateConfig, label: str, row: LearnedRow, seed: int, out: Path) -> EvaluateConfig:
    env_settings = {**common.env_settings, **row.env_settings}
    own = replace(common, label=(label,), seeds=(seed,), env_settings=env_settings)
    if not row.wraps:
        return own
    [agent] = common.agent
    settings: dict[str, Any] = {**row.settings, "inner": dict(common.agent_settings)}
    if row.method is not None:
        train = {name: value for name, value in env_settings.items() if name != "split"}
        wrapped = row.method == "memory"
        given = {
            "env": common.env,
            "method": row.method,
            "agent": f"sage:{agent}" if wrapped else agent,
            "agent_settings": settings if wrapped else common.agent_settings,
            "out": str(out),
            "seed": seed,
            "env_settings": train,
            "sampling": asdict(common.sampling),
            **row.learn,
        }
        run(build(LearnConfig, given), say=lambda _: None)
        settings |= {"memory": str(out / MEMORY)} if wrapped else {"rules": str(out / RULES)}
    elif row.book is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_book(out / RULES, row.book, {"given": label})
        settings["rules"] = str(out / RULES)
    return replace(own, agent=(f"{row.wraps}:{agent}",), agent_settings=settings)
