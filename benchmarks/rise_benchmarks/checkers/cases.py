"""Labelled cases of answer checking, and the outcome of a checker on a case."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rise_env.errors import DataNotFoundError, ProblemError

CURATED = frozenset({"upstream", "adversarial", "field"})
"""Groups of cases that were written to be difficult. All other groups are real references and replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A reply, the reference, and whether the reply is correct."""

    id: str
    reply: str
    reference: str
    expected: bool
    kind: str = ""
    group: str = ""
    source: str = ""
    """The name of the set: that of the file without its suffix, or "mutants"."""
    checker: str | None = None
    """Which of our checkers the environment of the case uses; None is the symbolic one."""
    question: str | None = None
    disputed: bool = False
    """Whether graders may differ. Such cases are scored separately."""
    boxed: bool = True
    """Whether the reply boxes its answer."""

    @property
    def curated(self) -> bool:
        """Whether the case was written to be difficult."""
        return self.group in CURATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a checker on one case."""

    accepted: bool
    verdict: str
    seconds: float
    error: str = ""
    """The class of the exception that the checker raised, or "killed"; empty if there was none."""
    files: int = 0
    """Files that were created in its folder during the case, which means that code of the reply was run."""


def read_cases(paths: Sequence[Path]) -> list[Case]:
    """Read cases from JSON lines.

    A line has `gold`, `response` or `prediction`, `expected`, and optionally `id`, `kind`, `group`,
    `disputed`, `unboxed`; or it has `reference`, `reply`, `want` (true, false or "no_answer"), and optionally
    `id`, `kind`, `checker`, `question`, `disputed`.

    Raises:
        DataNotFoundError: A file does not exist.
        ProblemError: A line is not a case; the message has the file and the line.
    """
    cases = []
    for path in paths:
        if not path.is_file():
            raise DataNotFoundError(f"no file {str(path)!r}: give a file of labelled cases as JSON lines")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                cases.append(_read(line, f"{path.name}:{number}", path.stem))
    return cases


def _read(line: str, place: str, source: str) -> Case:
    try:
        data = json.loads(line)
        if "want" in data:
            return Case(
                id=str(data.get("id", place)),
                reply=data["reply"],
                reference=data["reference"],
                expected=data["want"] is True,
                kind=data.get("kind", ""),
                group="field",
                source=source,
                checker=data.get("checker"),
                question=data.get("question"),
                disputed=bool(data.get("disputed", False)),
                boxed="boxed" in data["reply"],
            )
        return Case(
            id=str(data.get("id", place)),
            reply=data["response"] if "response" in data else data["prediction"],
            reference=data["gold"],
            expected=bool(data["expected"]),
            kind=data.get("kind", ""),
            group=data.get("group", ""),
            source=source,
            disputed=bool(data.get("disputed", False)),
            boxed=not data.get("unboxed", False),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProblemError(f"{place} is not a labelled case: {error!r}; see docs/checker.md") from None
