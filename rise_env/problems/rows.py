"""Turns the rows of a data set into problems, as a `SetSpec` says."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rise_env.errors import ProblemError
from rise_env.problems.catalog import SetSpec
from rise_env.problems.problem_set import ProblemSet
from rise_env.problems.sources import Dataset, Row, Rows, read_dataset, stamp
from rise_env.types import Problem


def load_own(spec: SetSpec, split: str, dataset: Dataset, revision: str | None = None) -> Sequence[Problem]:
    """Return the problems of a user's data set. Where it holds problems, they are returned unchanged.

    A file is read again only after it changed.

    Args:
        spec: Says which columns hold what.
        split: Names the file of a folder or the split of the hub's data set; part of every problem's id.
        dataset: See `Dataset`.
        revision: Commit of the hub's data set; by default "main".

    Raises:
        ConfigError: The data set is neither text, rows nor problems.
        DataNotFoundError: The file or the hub's data set is not there.
        ProblemError: A file or row cannot be read, or has no question or answer.
    """
    changed = stamp(dataset)
    if changed is not None:
        return _load_file(spec, split, str(dataset), changed)
    return _load(spec, split, dataset, revision)


@lru_cache(maxsize=32)
def _load_file(spec: SetSpec, split: str, path: str, changed: tuple[int, int]) -> Sequence[Problem]:
    return _load(spec, split, path, None)


def _load(spec: SetSpec, split: str, dataset: Dataset, revision: str | None) -> Sequence[Problem]:
    found = read_dataset(dataset, split, revision)
    return (
        build(spec, split, found.content, found.where) if isinstance(found.content, Rows) else found.content
    )


def build(spec: SetSpec, split: str, rows: Rows, where: str) -> ProblemSet:
    """Return the problems of `rows`, read as `spec` says.

    Args:
        spec: Says which columns hold what, and how the final answer is read.
        split: Name of the split; part of every problem's id.
        rows: The rows of the split.
        where: The origin of the rows, for `Problem.source` and error messages.

    Raises:
        ProblemError: A row has no question or no reference answer; names it.
    """
    source = f"{where} sha256:{rows.sha256}"
    prefix = f"{spec.name.lower()}/{split}/"
    kept = rows.rows if spec.keep is None else [row for row in rows.rows if spec.keep(row)]
    problems = []
    for index, row in enumerate(kept):
        question = _first(row, spec.question)
        answer = _first(row, spec.answer)
        reference = None if answer is None else spec.reference(answer)
        if not question or reference is None:
            missing = "question" if not question else "reference answer"
            raise ProblemError(f"row {index} of {where} has no {missing}; its fields are: {', '.join(row)}")
        problems.append(
            Problem(
                id=prefix + str(index),
                question=_with_context(row, spec.context, str(question)),
                reference=reference,
                solution=_as_text(_first(row, spec.solution)),
                source=source,
                split=split,
                meta={name: row[name] for name in spec.meta if row.get(name) is not None},
            )
        )
    return ProblemSet(
        problems, name=spec.name, split=split, source=source, sha256=rows.sha256, revision=rows.revision
    )


def _first(row: Row, columns: Sequence[str]) -> Any:
    for column in columns:
        value = row.get(column)
        if value is not None and value != "":
            return value
    return None


def _with_context(row: Row, columns: Sequence[str], question: str) -> str:
    parts = [str(row[column]).strip() for column in columns if row.get(column)]
    # some texts of SVAMP and ASDiv lack their full stop
    ended = [part + "." if part[-1:].isalnum() else part for part in parts]
    return " ".join([*ended, question.strip()])


def _as_text(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None else str(value)
