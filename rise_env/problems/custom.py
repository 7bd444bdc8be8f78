"""The user's own problems: a file (JSON lines, JSON, CSV), a hub data set, rows or problems."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rise_env.errors import ConfigError
from rise_env.problems.catalog import SetSpec
from rise_env.problems.reference_answers import after_hashes, boxed, plain
from rise_env.problems.rows import load_own
from rise_env.problems.sources import Dataset
from rise_env.types import Problem


def any_answer(value: Any) -> str | None:
    r"""Return the final answer of a field: the text after "####", or in the last box, or all of it.

    >>> any_answer("9 * 2 = 18\n#### 18"), any_answer(r"So \boxed{3}."), any_answer(7.0)
    ('18', '3', '7')
    """
    text = str(value)
    if "####" in text:
        return after_hashes(text)
    return boxed(text) if "boxed" in text else plain(value)


_CUSTOM = SetSpec(
    name="Custom",
    title="your own problems",
    folder="",
    files={},
    sizes={},
    question=("question", "problem", "prompt", "input", "query"),
    answer=("answer", "reference", "target", "final_answer", "solution", "output"),
    reference=any_answer,
    checker="symbolic",
    licence="",
    url="",
)


def load_custom(
    *,
    dataset: Dataset | None = None,
    split: str = "train",
    question_key: str | None = None,
    answer_key: str | None = None,
    revision: str | None = None,
) -> Sequence[Problem]:
    """Return the user's own problems.

    Args:
        dataset: A file (.jsonl, .json, .csv), a folder with `<split>.jsonl`, a hub id, rows, or problems.
        split: Names the file of a folder or the split of the hub's data set; part of every problem's id.
        question_key: The column with the question; by default the first usual name that the rows have.
        answer_key: The column with the answer, alone or at the end of a worked solution; by default the
            first usual name that the rows have.
        revision: Commit of the hub's data set; by default "main".

    Raises:
        ConfigError: No dataset is given.
        DataNotFoundError: The dataset is not there.
        ProblemError: A row cannot be read, or has no question or answer.
    """
    if dataset is None:
        raise ConfigError(
            "RISE-Custom-v0 needs dataset=: a file (.jsonl, .json, .csv), a hub id, rows or problems"
        )
    return load_own(_spec(question_key, answer_key), split, dataset, revision)


@lru_cache(maxsize=32)
def _spec(question_key: str | None, answer_key: str | None) -> SetSpec:
    return replace(
        _CUSTOM,
        question=(question_key,) if question_key else _CUSTOM.question,
        answer=(answer_key,) if answer_key else _CUSTOM.answer,
    )
