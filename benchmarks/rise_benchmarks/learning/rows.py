"""The rows of the suites conventions and memory: one agent, and what it learns without weights.

Rows that learn do so once per seed, with `rise learn`, and are then measured on the test problems. All rows
have problems with small numbers, so that calculating is not what decides.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from rise_agents.evaluation.evaluate_agents import EvaluateConfig, folder_name
from rise_agents.learning.config import LearnConfig
from rise_agents.learning.learn import RESULT, run
from rise_agents.memory.learner import MEMORY
from rise_agents.rules.book import Rule, RuleBook, write_book
from rise_agents.rules.learner import RULES
from rise_benchmarks.learning.ceiling import TRUE_RULES
from rise_benchmarks.learning.given import examples, write_told_memory
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
    best_of: int = 1
    """How often it is learned, with other seeds; the result with the best validation score is measured."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of what plays around the agent."""
    book: RuleBook | None = None
    """Rules that are given."""
    told: bool = False
    """Whether the memory holds a true statement of every convention."""
    examples: int = 0
    """Number of solved training problems before each problem (few-shot), other ones for each seed."""
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the environment."""
    what: str = ""
    """What the row shows, in words."""


_SMALL = {"largest": 10}


def _rules(what: str, *, best_of: int = 1, **rules: Any) -> LearnedRow:
    learn = {"train": 120, "validate": 120, "rules": {"step_validate": 24, "draws": 2, "retries": 3, **rules}}
    return LearnedRow(
        wraps="instructed",
        method="rules",
        learn=learn,
        best_of=best_of,
        env_settings=_SMALL,
        what=what,
    )


CONVENTIONS: Mapping[str, LearnedRow] = {
    "no rules": LearnedRow(env_settings=_SMALL, what="the agent alone"),
    "ceiling": LearnedRow(
        wraps="instructed", book=TRUE_RULES, env_settings=_SMALL, what="all true rules given"
    ),
    "sentence": LearnedRow(
        wraps="instructed",
        book=RuleBook((Rule("Think step by step, and check each calculation."),)),
        env_settings=_SMALL,
        what="a hand-written sentence",
    ),
    "1 example": LearnedRow(
        examples=1, env_settings=_SMALL, what="one worked example, about as many tokens as the true rules"
    ),
    "6 examples": LearnedRow(examples=6, env_settings=_SMALL, what="six worked examples"),
    "rules": _rules("rules learned from failures and tested"),
    "rules, no test": _rules(
        "the same, every change accepted", accept="always", step_validate=0, draws=1, calls=500
    ),
    "rules, best of 4": _rules(
        "four books made without a test, the best one on the validation problems",
        best_of=4,
        accept="always",
        step_validate=0,
        draws=1,
        calls=250,
    ),
}
"""Name of the row -> what is measured, on problems with the six shared conventions."""

_RECALL = {"checks": 0, "gamma": 0.0}
"""No reviews, and recall by similarity alone, so that policies differ only in what they keep."""
_FAMILIES = {"families": 30, "law": "zipf", **_SMALL}


def _remembering(policy: str, what: str, **memory: Any) -> LearnedRow:
    return LearnedRow(
        wraps="sage",
        method="memory",
        learn={"train": 600, "memory": {"policy": policy, "capacity": 10, "generation": 8, **memory}},
        settings=_RECALL,
        env_settings=_FAMILIES,
        what=what,
    )


MEMORIES: Mapping[str, LearnedRow] = {
    "no memory": LearnedRow(env_settings=_FAMILIES, what="the agent alone"),
    "told": LearnedRow(
        wraps="sage",
        told=True,
        settings=_RECALL,
        env_settings=_FAMILIES,
        what="a memory that holds a true statement of every convention",
    ),
    "reviewer": LearnedRow(wraps="sage", env_settings=_FAMILIES, what="up to two reviews, no memory"),
    "ebbinghaus": _remembering("ebbinghaus", "reflections kept by the forgetting curve with rehearsal"),
    "ebbinghaus, compressed": _remembering(
        "ebbinghaus", "the same, and the agent shortens each reflection", compress=True
    ),
    "lru": _remembering("lru", "the same memory, least recently used goes first"),
    "fifo": _remembering("fifo", "the same memory, oldest goes first"),
    "all": _remembering("all", "the same memory without a limit"),
}
"""Name of the row -> what is measured, on problems with 30 families that come back by Zipf's law."""


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
    if row.examples:
        env_settings["few_shot"] = examples(row.env_settings, seed, row.examples)
    own = replace(common, label=(label,), seeds=(seed,), env_settings=env_settings)
    if not row.wraps:
        return own
    [agent] = common.agent
    settings: dict[str, Any] = {**row.settings, "inner": dict(common.agent_settings)}
    if row.method is not None:
        runs = [_learn(own, row, settings, seed * row.best_of + at, out, at) for at in range(row.best_of)]
        best = max(runs, key=_validation)
        file = {"memory": MEMORY, "rules": RULES}[row.method]
        settings[row.method] = str(best / file)
    elif row.book is not None or row.told:
        out.mkdir(parents=True, exist_ok=True)
        if row.book is not None:
            write_book(out / RULES, row.book, {"given": label})
            settings["rules"] = str(out / RULES)
        if row.told:
            write_told_memory(out / MEMORY, common.env, row.env_settings)
            settings["memory"] = str(out / MEMORY)
    return replace(own, agent=(f"{row.wraps}:{agent}",), agent_settings=settings)


def _learn(
    own: EvaluateConfig, row: LearnedRow, settings: Mapping[str, Any], seed: int, out: Path, place: int
) -> Path:
    """Run `rise learn` and return its folder; it goes on where it was."""
    [agent] = own.agent
    wrapped = row.method == "memory"
    folder = out if row.best_of == 1 else out / str(place)
    given = {
        "env": own.env,
        "method": row.method,
        "agent": f"sage:{agent}" if wrapped else agent,
        "agent_settings": settings if wrapped else own.agent_settings,
        "out": str(folder),
        "seed": seed,
        "env_settings": {name: value for name, value in own.env_settings.items() if name != "split"},
        "sampling": asdict(own.sampling),
        "reflector_sampling": asdict(replace(own.sampling, temperature=0.0)),
        **row.learn,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    run(build(LearnConfig, given), say=lambda _: None)
    return folder


def _validation(folder: Path) -> float:
    """Return the validation score of what was learned; of several, the first best one is taken."""
    scores = json.loads((folder / RESULT).read_text()).get("validation", {})
    return float(scores.get("rules", scores.get("without", 0.0)))
