"""Loads a set of the catalog: from a folder, or else from the hub."""

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rise_env.errors import DataNotFoundError, MissingDependencyError, ProblemError
from rise_env.naming import choose
from rise_env.problems.catalog import SetSpec
from rise_env.problems.problem_set import ProblemSet
from rise_env.problems.sources import Row, Rows, read_file, read_hub
from rise_env.types import Problem

DATA_DIR_VARIABLE = "RISE_DATA_DIR"
"""Environment variable with the folder that is read where no `data_dir` is given."""


def load_catalog_set(
    spec: SetSpec, *, split: str | None = None, data_dir: str | os.PathLike[str] | None = None
) -> ProblemSet:
    """Return one split of a set of the catalog: from a folder, or else from the hub.

    A file that was read once is not read again while it stays as it is, so that hundreds of environments
    share one list.

    Args:
        spec: Which set.
        split: One of `spec.files`; by default its first.
        data_dir: Where the sets' folders are; by default the folder in RISE_DATA_DIR.

    Raises:
        ConfigError: There is no such split.
        DataNotFoundError: It is not in the folder and cannot be fetched; names the ways to get it.
        ProblemError: A row has no question or no reference answer; names it.
    """
    splits = list(dict.fromkeys([*spec.files, *spec.hub_splits]))
    split = choose(split or splits[0], splits, f"split of {spec.name}")
    folder = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    path = Path(folder) / spec.folder / spec.files[split] if folder and split in spec.files else None
    if path is not None and path.is_file():
        status = path.stat()
        return _from_file(spec, split, path, status.st_mtime_ns, status.st_size)
    if data_dir is not None:
        raise DataNotFoundError(_how_to_get(spec, split, f"no file {path}"))
    return _from_hub(spec, split)


@lru_cache(maxsize=32)
def _from_file(spec: SetSpec, split: str, path: Path, modified: int, size: int) -> ProblemSet:
    return build(spec, split, read_file(path), f"{spec.folder}/{spec.files[split]}")


@lru_cache(maxsize=32)
def _from_hub(spec: SetSpec, split: str) -> ProblemSet:
    if spec.hub is None or split not in spec.hub_splits:
        raise DataNotFoundError(_how_to_get(spec, split, "it is not on the hub"))
    try:
        rows = read_hub(spec.hub, spec.hub_config, spec.hub_splits[split], spec.revision)
    except (DataNotFoundError, MissingDependencyError) as error:
        raise DataNotFoundError(_how_to_get(spec, split, str(error))) from error
    return build(spec, split, rows, f"{spec.hub}@{rows.revision}")


def _how_to_get(spec: SetSpec, split: str, why: str) -> str:
    file = f"{spec.folder}/{spec.files[split]}" if split in spec.files else f"{spec.folder}/..."
    hub = f"install rise-env[hub] and be online to fetch {spec.hub}" if spec.hub else f"see {spec.url}"
    return (
        f"{spec.name} {split!r} is not here ({why}): put {file} into a folder and pass data_dir=FOLDER "
        f"or set {DATA_DIR_VARIABLE}=FOLDER; or {hub}; or pass your own copy, dataset=FILE"
    )


def build(spec: SetSpec, split: str, rows: Rows, where: str) -> ProblemSet:
    """Return the problems of `rows`, read as `spec` says.

    Raises:
        ProblemError: A row has no question or no reference answer; names it.
    """
    source = f"{where} sha256:{rows.sha256}"
    prefix = f"{spec.name.lower()}/{split}/"
    problems = []
    for index, row in enumerate(rows.rows):
        question = _first(row, spec.question)
        answer = _first(row, spec.answer)
        reference = None if answer is None else spec.reference(answer)
        if not question or reference is None:
            missing = "question" if not question else "reference answer"
            raise ProblemError(f"row {index} of {where} has no {missing}; its fields are: {', '.join(row)}")
        solution = _first(row, spec.solution)
        problems.append(
            Problem(
                id=prefix + str(index),
                question=_with_context(row, spec.context, str(question)),
                reference=reference,
                solution=_as_text(solution),
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
    return " ".join([*parts, question.strip()])


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return str(value[0]) if value else None
    return str(value)
