"""The table of known formats: which columns of a row hold question, answer, solution and id."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rise_env.problems.reading.row_set import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFormat:
    """The columns of one format. A name with dots is an entry of a mapping inside the row."""

    name: str
    question: str
    """Column with the question."""
    answer: str
    """Column with the final answer, alone or at the end of a worked solution."""
    solution: str | None = None
    """Column with a worked solution, which may be missing."""
    identity: str | None = None
    """Column with the id of the problem, which may be missing."""
    marks: tuple[str, ...] = ()
    """Further columns that a row of this format has."""


FORMATS = (
    RowFormat(
        name="verl",
        question="prompt",
        answer="reward_model.ground_truth",
        solution="extra_info.answer",
        identity="extra_info.index",
    ),
    RowFormat(
        name="DAPO-Math-17k, processed",
        question="prompt",
        answer="solution",
        identity="extra_info.index",
        marks=("source_prompt",),
    ),
    RowFormat(
        name="prime-rl SYNTHETIC",
        question="prompt",
        answer="verification_info.ground_truth",
        solution="gold_standard_solution",
        identity="problem_id",
    ),
    RowFormat(
        name="prime-rl",
        question="question",
        answer="answer",
        identity="info.problem_id",
        marks=("info",),
    ),
    RowFormat(name="GSM8K", question="question", answer="answer", solution="solution", identity="id"),
    RowFormat(
        name="Big-Math",
        question="problem",
        answer="answer",
        solution="solution",
        identity="id",
        marks=("llama8b_solve_rate",),
    ),
    RowFormat(
        name="NuminaMath-1.5",
        question="problem",
        answer="answer",
        solution="solution",
        identity="uuid",
        marks=("question_type",),
    ),
    RowFormat(
        name="Omni-MATH",
        question="problem",
        answer="answer",
        solution="solution",
        identity="id",
        marks=("domain", "difficulty"),
    ),
    RowFormat(name="Polaris", question="problem", answer="answer", identity="id", marks=("difficulty",)),
    RowFormat(
        name="MATH-500",
        question="problem",
        answer="answer",
        solution="solution",
        identity="unique_id",
        marks=("unique_id",),
    ),
    RowFormat(
        name="MathArena",
        question="problem",
        answer="answer",
        solution="solution",
        identity="problem_idx",
        marks=("problem_idx",),
    ),
    RowFormat(
        name="OpenMathReasoning",
        question="problem",
        answer="expected_answer",
        solution="generated_solution",
        identity="id",
    ),
    RowFormat(name="DeepScaleR", question="problem", answer="answer", solution="solution", identity="id"),
    RowFormat(name="MATH, NuminaMath-CoT", question="problem", answer="solution", identity="id"),
    RowFormat(name="TRL", question="prompt", answer="answer", solution="solution", identity="id"),
    RowFormat(name="TRL", question="prompt", answer="ground_truth", solution="solution", identity="id"),
    RowFormat(name="TRL", question="prompt", answer="solution", identity="id"),
    RowFormat(name="TRL prompt-completion", question="prompt", answer="completion", identity="id"),
)
"""The format of a row is the first entry whose columns the row has."""

QUESTIONS = ("question", "problem", "prompt", "input", "query", "instruction")
"""Columns that hold the question in rows of no known format."""
ANSWERS = (
    "answer", "reference", "target", "final_answer", "ground_truth", "expected_answer", "gold", "solution",
    "output", "reward_model.ground_truth",
)  # fmt: skip
"""Columns that hold the answer in rows of no known format."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a data set, in the order in which they are tried."""

    question: tuple[str, ...]
    answer: tuple[str, ...]
    solution: tuple[str, ...] = ()
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """The columns that a user named; None for columns that are to be recognised."""

    question: str | None = None
    answer: str | None = None
    solution: str | None = None


def recognise(row: Row, keys: Keys) -> Columns:
    """Return the columns of the data set whose first row this is.

    Args:
        row: The first row.
        keys: The columns that the user named.
    """
    for known in FORMATS:
        question, answer = keys.question or known.question, keys.answer or known.answer
        if all(has(row, column) for column in (known.question, known.answer, question, answer, *known.marks)):
            # a column that the user gave another meaning no longer has the one of the format
            solution = keys.solution or (known.solution if known.solution not in (question, answer) else None)
            return Columns((question,), (answer,), (solution,) if solution else (), known.identity)
    return Columns(
        (keys.question,) if keys.question else QUESTIONS,
        (keys.answer,) if keys.answer else ANSWERS,
        (keys.solution or "solution",),
        "id",
    )


def has(row: Row, column: str) -> bool:
    """Return whether a row has a column, which may be a name with dots; its value may be None."""
    if column in row:
        return True
    head, dot, rest = column.partition(".")
    inner = _mapping(row.get(head)) if dot else None
    return inner is not None and has(inner, rest)


def get(row: Row, column: str) -> Any:
    """Return the value of a column, which may be a name with dots; None if the row has no such column.

    >>> get({"reward_model": {"ground_truth": "7"}}, "reward_model.ground_truth")
    '7'
    """
    if column in row:
        return row[column]
    head, dot, rest = column.partition(".")
    inner = _mapping(row.get(head)) if dot else None
    return None if inner is None else get(inner, rest)


def without(row: Row, columns: Sequence[str]) -> Row:
    """Return a row without some columns, names with dots included.

    >>> without({"reward_model": {"ground_truth": "7", "style": "rule"}}, ["reward_model.ground_truth"])
    {'reward_model': {'style': 'rule'}}
    """
    rest = dict(row)
    for column in columns:
        if column in rest:
            del rest[column]
            continue
        head, dot, inner_name = column.partition(".")
        inner = _mapping(rest.get(head)) if dot else None
        if inner is not None and has(inner, inner_name):
            rest[head] = without(inner, [inner_name])
            if not rest[head]:
                del rest[head]
    return rest


def _mapping(value: Any) -> Row | None:
    """Return a mapping, given as a mapping or as a JSON string; None for other values."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return None
    return dict(value) if isinstance(value, Mapping) else None
