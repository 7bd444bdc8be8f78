"""The problem sets, as one table: adding one is one entry.

A set is read from a folder (`FOLDER/<folder>/<file>`) or from the hub. Only what is stated here is used:
no set needs code of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_env.problems import extraction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetSpec:
    """Where one problem set comes from and how it is read."""

    name: str
    """The environment is `RISE-<name>-v0`."""
    title: str
    folder: str
    files: Mapping[str, str]
    """Split -> file in the folder. The first split is the default one."""
    sizes: Mapping[str, int]
    """Split -> number of problems, as published."""
    hub: str | None = None
    hub_config: str | None = None
    hub_splits: Mapping[str, str] = field(default_factory=dict)
    """Our split -> the hub's."""
    revision: str | None = None
    """The hub's commit that is fetched; None where none could be pinned: then "main" is, and problems
    carry the hash of what came."""
    question: tuple[str, ...] = ("question", "problem")
    """Columns, the first that is there counts."""
    context: tuple[str, ...] = ()
    """Columns to put before the question, where there."""
    answer: tuple[str, ...] = ("answer",)
    """Columns, the first that is there counts."""
    reference: Callable[[Any], str | None] = extraction.plain
    """From the answer column to the final answer alone."""
    solution: tuple[str, ...] = ("solution",)
    meta: tuple[str, ...] = ()
    """Columns kept in `Problem.meta`."""
    checker: Literal["numeric", "symbolic"]
    licence: str
    url: str
    """Where the authors publish it."""


CATALOG: Mapping[str, SetSpec] = {
    spec.name: spec
    for spec in (
        SetSpec(
            name="GSM8K",
            title="grade-school word problems (Cobbe et al. 2021, arXiv:2110.14168)",
            folder="gsm8k",
            files={"train": "train.jsonl", "test": "test.jsonl"},
            sizes={"train": 7473, "test": 1319},
            hub="openai/gsm8k",
            hub_config="main",
            hub_splits={"train": "train", "test": "test"},
            reference=extraction.after_hashes,
            solution=("answer",),
            checker="numeric",
            licence="MIT",
            url="https://github.com/openai/grade-school-math",
        ),
    )
}
"""Name -> how to get it."""
