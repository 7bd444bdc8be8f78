"""Turns the rows of a data set into problems, as a `SetSpec` says."""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar, cast

from rise_env.checkers.base import Checker
from rise_env.errors import ProblemError
from rise_env.problems.catalog import SetSpec
from rise_env.problems.mixture import MixedProblems
from rise_env.problems.problem_set import ProblemSet
from rise_env.problems.reading.columns import Columns, Keys, get, has, recognise, without
from rise_env.problems.reading.content_split import content_split
from rise_env.problems.reading.row_set import Row, Rows
from rise_env.problems.reading.values import (
    ValueFault,
    plain,
    plain_row,
    read_answer,
    read_question,
    read_solution,
    shown,
)
from rise_env.problems.reading.where import Where, check_where, select
from rise_env.problems.sources import Dataset, read_dataset, stamp
from rise_env.types import Problem
from rise_env.utils.suggestions import did_you_mean

Value = TypeVar("Value")


def load_own(
    spec: SetSpec,
    split: str,
    dataset: Dataset,
    *,
    keys: Keys | None = None,
    where: Where | None = None,
    revision: str | None = None,
    hub_config: str | None = None,
) -> Sequence[Problem]:
    """Return the problems of a user's data set. If it holds problems, they are returned unchanged.

    A file is read again only after it changed.

    Args:
        spec: Says which columns hold what if `keys` is None.
        split: Names the file of a folder or the split of the hub's data set; part of every problem's id.
        dataset: See `Dataset`.
        keys: The columns that the user named; the others are recognised in the first row.
        where: Which rows are wanted; see `Where`. For problems, it refers to the entries of `Problem.meta`.
        revision: Commit of the hub's data set; by default "main".
        hub_config: Configuration of the hub's data set.

    Raises:
        ConfigError: The data set is none of those, or the filter is malformed or leaves nothing.
        DataNotFoundError: The file or the hub's data set is not there.
        ProblemError: A file or row cannot be read, or has no question or answer.
    """
    conditions = json.dumps(check_where(where or {}), sort_keys=True)
    changed = stamp(dataset)
    if changed is not None:
        return _load_file(spec, split, str(dataset), keys, conditions, changed)
    return _load(spec, split, dataset, keys, conditions, revision, hub_config)


@lru_cache(maxsize=32)
def _load_file(
    spec: SetSpec, split: str, path: str, keys: Keys | None, conditions: str, changed: tuple[int, int]
) -> Sequence[Problem]:
    return _load(spec, split, path, keys, conditions)


def _load(
    spec: SetSpec,
    split: str,
    dataset: Dataset,
    keys: Keys | None,
    conditions: str,
    revision: str | None = None,
    hub_config: str | None = None,
) -> Sequence[Problem]:
    found = read_dataset(dataset, spec.published(split), revision, hub_config)
    wanted = json.loads(conditions)
    if isinstance(found.content, Rows):
        return build(spec, split, found.content, found.where, keys=keys, conditions=wanted)
    return _select_problems(found.content, wanted, found.where) if wanted else found.content


def _select_problems(problems: Sequence[Problem], wanted: Mapping[str, Any], where: str) -> ProblemSet:
    rows = [{"id": problem.id, "split": problem.split, **problem.meta} for problem in problems]
    return ProblemSet([problems[index] for index in select(rows, wanted, where)])


def build(
    spec: SetSpec,
    split: str,
    rows: Rows,
    where: str,
    *,
    keys: Keys | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> ProblemSet:
    """Return the problems of `rows`, read as `spec` says.

    Args:
        spec: Says which columns hold what, and how the final answer is read.
        split: Name of the split; part of every problem's id.
        rows: The rows of the split.
        where: The origin of the rows, for `Problem.source` and error messages.
        keys: If given, the columns are recognised in the first row, and those of `spec` do not count.
        conditions: Which rows are wanted, as `check_where` returns it. The ids count all rows of the set.

    Raises:
        ConfigError: No row meets the conditions.
        ProblemError: A row has no question or no reference answer, or one that cannot be used; names the row,
            the column and the value.
    """
    source = f"{where} sha256:{rows.sha256}"
    prefix = f"{spec.name.lower()}/{spec.published(split)}/"
    of_set = [i for i, row in enumerate(rows.rows) if spec.keep is None or spec.keep(row)]
    chosen = select([rows.rows[i] for i in of_set], conditions or {}, where)
    if split in spec.parts:
        rank = {number: i for i, number in enumerate(_part(spec, split, [rows.rows[i] for i in of_set]))}
        chosen = sorted((number for number in chosen if number in rank), key=rank.__getitem__)
    if keys is not None and chosen:
        columns = recognise(rows.rows[of_set[chosen[0]]], keys)
    else:
        columns = Columns(spec.question, spec.answer, spec.solution, spec.identity)
    problems = []
    for number in chosen:
        row = rows.rows[of_set[number]]
        try:
            problems.append(
                _problem(spec, columns, row, prefix + str(number), split, source, keys is not None)
            )
        except ValueFault as fault:
            if not spec.skip_unreadable:
                raise ProblemError(f"{rows.place(of_set[number], where)}{fault}") from None
    return ProblemSet(
        problems,
        name=spec.name,
        split=split,
        source=source,
        sha256=rows.sha256,
        revision=rows.revision,
        left_out=len(chosen) - len(problems),
        answer_column=columns.answer[0],
    )


def check_references(problems: Sequence[Problem], checker: Checker) -> None:
    """Check that a checker can read all reference answers of a user's data, before any episode needs them.

    Args:
        problems: Those of a data set or a mixture; problems that the user made are not checked.
        checker: Reads the reference answers.

    Raises:
        ProblemError: It cannot read one; the message names the row and column.
    """
    if isinstance(problems, MixedProblems):
        for part in problems.parts:
            check_references(part, checker)
    elif isinstance(problems, ProblemSet):
        _check_references(problems, cast(Hashable, checker))


@lru_cache(maxsize=32)
def _check_references(problems: ProblemSet, checker: Any) -> None:
    for problem in problems:
        try:
            checker.check("", problem.reference)
        except ProblemError as error:
            number, where = problem.id.rpartition("/")[2], problem.source.partition(" sha256:")[0]
            column = f", column {problems.answer_column!r}" if problems.answer_column else ""
            raise ProblemError(f"row {number} of {where}{column}: {error}") from None


def _problem(
    spec: SetSpec, columns: Columns, row: Row, name: str, split: str, source: str, is_own: bool
) -> Problem:
    question_column = _first(row, columns.question, "question")
    question, system = _read(row, question_column, read_question)
    answer_column = _first(row, columns.answer, "reference answer")
    reference = _read(row, answer_column, lambda value: read_answer(value, spec.reference))
    solution_column = next(
        (column for column in columns.solution if get(row, column) not in (None, "")), None
    )
    solution = None if solution_column is None else read_solution(get(row, solution_column))
    if solution is None and spec.write_solution is not None:
        solution = spec.write_solution(row, reference)
    answer = get(row, answer_column)
    if solution is None and is_own and isinstance(answer, str) and answer.strip() != reference:
        solution = answer  # the answer stands at the end of a worked solution
    if spec.meta is None:
        used = [column for column in (question_column, answer_column, solution_column) if column]
        meta = plain_row(without(row, used))
    else:
        meta = {column: row[column] for column in spec.meta if row.get(column) is not None}
    identity = None if columns.identity is None else plain(get(row, columns.identity))
    if identity is not None:
        meta["id"] = identity
    if system is not None:
        meta["system_prompt"] = system
    return Problem(
        id=name,
        question=_with_context(row, spec.context, question),
        reference=reference,
        solution=solution,
        source=source,
        split=split,
        meta=meta,
    )


def _part(spec: SetSpec, split: str, rows: Sequence[Row]) -> list[int]:
    """Return the numbers of the rows that are in a part of the set, in an order that looks random.

    Published sets are often sorted by difficulty; the first problems of a part are a sample of all of it.
    """
    questions = []
    for row in rows:
        text, _ = _read(row, _first(row, spec.question, "question"), read_question)
        questions.append(_with_context(row, spec.context, text))
    splits = content_split(questions, spec.parts)
    numbers = [number for number, found in enumerate(splits) if found == split]
    return sorted(numbers, key=lambda number: sha256(questions[number].encode()).digest())


def _first(row: Row, columns: Sequence[str], what: str) -> str:
    """Return the first column that is not empty; if all are, the first that exists."""
    there = [column for column in columns if has(row, column)]
    if not there:
        if len(columns) == 1:
            raise ValueFault(f" has no {what}: no column {columns[0]!r}; {did_you_mean(columns[0], row)}")
        raise ValueFault(f" has no {what}; its fields are: {', '.join(map(str, row))}")
    return next((column for column in there if get(row, column) not in (None, "")), there[0])


def _read(row: Row, column: str, read: Callable[[Any], Value]) -> Value:
    value = get(row, column)
    try:
        return read(value)
    except ValueFault as fault:
        raise ValueFault(f", column {column!r}, is {shown(value)}: {fault}") from None


def _with_context(row: Row, columns: Sequence[str], question: str) -> str:
    parts = [str(row[column]).strip() for column in columns if row.get(column)]
    # some texts of SVAMP and ASDiv lack their full stop
    ended = [part + "." if part[-1:].isalnum() else part for part in parts]
    return " ".join([*ended, question.strip()])
