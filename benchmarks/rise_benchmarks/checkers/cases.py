"""Labelled cases of answer checking, and what a checker made of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rise_env.errors import DataNotFoundError, ProblemError

CURATED = frozenset({"upstream", "adversarial"})
"""Groups of cases that were written to be hard; all others are real references and replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One reply, the reference, and whether the reply is right."""

    id: str
    reply: str
    reference: str
    expected: bool
    kind: str = ""
    group: str = ""
    disputed: bool = False
    """Reasonable people differ: scored apart."""
    boxed: bool = True
    """Whether the reply boxes its answer."""

    @property
    def curated(self) -> bool:
        """Whether the case was written to be hard."""
        return self.group in CURATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a checker did with one case."""

    accepted: bool
    verdict: str
    seconds: float
    error: str = ""
    """The class of what it raised, or "killed"."""
    files: int = 0
    """Files that appeared in its folder meanwhile: code of the reply ran."""


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """Read cases from JSON lines with `gold`, `response` or `prediction`, `expected`, `kind`, `group`.

    Raises:
        DataNotFoundError: A file is not there.
        ProblemError: A line is no case; names file and line.
    """
    cases = []
    for path in paths:
        if not path.is_file():
            raise DataNotFoundError(f"no file {str(path)!r}: give JSON lines of labelled cases")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                cases.append(_read(line, f"{path.name}:{number}"))
    return cases


def _read(line: str, place: str) -> Case:
    try:
        data = json.loads(line)
        return Case(
            id=str(data.get("id", place)),
            reply=data["response"] if "response" in data else data["prediction"],
            reference=data["gold"],
            expected=bool(data["expected"]),
            kind=data.get("kind", ""),
            group=data.get("group", ""),
            disputed=bool(data.get("disputed", False)),
            boxed=not data.get("unboxed", False),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProblemError(f"{place} is no labelled case: {error!r}; see docs/checker.md") from None
