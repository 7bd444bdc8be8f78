"""The user's own problems: a file, a folder, a hub data set, a frame, rows or problems."""

from collections.abc import Sequence
from typing import Any

from rise_env.errors import ConfigError
from rise_env.problems.catalog import SetSpec
from rise_env.problems.reading.columns import Keys
from rise_env.problems.reading.where import Where
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
    reference=any_answer,
    meta=None,
    checker="symbolic",
    licence="",
    url="",
)


def load_custom(
    dataset: Dataset | None,
    *,
    split: str = "train",
    question_key: str | None = None,
    answer_key: str | None = None,
    solution_key: str | None = None,
    where: Where | None = None,
    revision: str | None = None,
    hub_config: str | None = None,
) -> Sequence[Problem]:
    """Return the user's own problems.

    Args:
        dataset: A file, folder, hub id, frame, data set, rows or problems; see `Dataset`.
        split: Names the file of a folder or the split of the hub's data set; part of every problem's id.
        question_key: The column with the question; by default that of the format that the first row has. A
            name with dots is an entry of a mapping, as "extra_info.question".
        answer_key: The column with the answer, alone or at the end of a worked solution; see `question_key`.
        solution_key: The column with a worked solution; see `question_key`.
        where: Which rows are wanted; see `Where`.
        revision: Commit of the hub's data set; by default "main".
        hub_config: Configuration of the hub's data set, if it has several.

    Raises:
        ConfigError: No dataset is given, or the filter is malformed or leaves nothing.
        DataNotFoundError: The dataset is not there.
        ProblemError: A row cannot be read, or has no question or answer.
    """
    if dataset is None:
        raise ConfigError(
            "RISE-Custom-v0 needs dataset=: a file (.jsonl, .json, .csv, .parquet), a folder, a hub id, "
            'a frame, rows, problems, or a mixture such as [("gsm8k", 0.7), ("math", 0.3)]'
        )
    keys = Keys(question_key, answer_key, solution_key)
    return load_own(_CUSTOM, split, dataset, keys=keys, where=where, revision=revision, hub_config=hub_config)
