"""Loads a set of the catalog: from a folder, from the hub, or from the user's own copy."""

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from rise_env.errors import DataNotFoundError, MissingDependencyError
from rise_env.problems.catalog import SetSpec
from rise_env.problems.problem_set import ProblemSet
from rise_env.problems.reading.files import read_file
from rise_env.problems.reading.where import Where, check_where
from rise_env.problems.rows import build, load_own
from rise_env.problems.sources import Dataset, read_hub
from rise_env.types import Problem
from rise_env.utils.extras import install_hint
from rise_env.utils.suggestions import validate_choice

DATA_DIR_VARIABLE = "RISE_DATA_DIR"
"""Environment variable that names the folder of the sets if no `data_dir` is given."""


def load_catalog_set(
    spec: SetSpec,
    *,
    split: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    dataset: Dataset | None = None,
    where: Where | None = None,
    revision: str | None = None,
) -> Sequence[Problem]:
    """Return one split of a set of the catalog: from a folder, or else from the hub.

    A file is read again only after it changed, so that hundreds of environments share one list.

    Args:
        spec: The set's entry in the catalog.
        split: One of `spec.splits`; by default its first.
        data_dir: Folder with one folder per set; by default the one that RISE_DATA_DIR names.
        dataset: Your own copy of the set, with the same columns: a file, a folder, a hub id, a frame, rows,
            or problems.
        where: Which rows are wanted, by any of their columns; see `Where`.
        revision: Commit of the hub's data set; by default the pinned one.

    Raises:
        ConfigError: There is no such split, or the filter is malformed or leaves nothing.
        DataNotFoundError: The split is not in the folder and cannot be fetched; the message says how to get
            it.
        ProblemError: A row has no question or no reference answer; the message names the row.
    """
    split = validate_choice(split or spec.splits[0], spec.splits, f"split of {spec.name}")
    if dataset is not None:
        return load_own(spec, split, dataset, where=where, revision=revision)
    conditions = json.dumps(check_where(where or {}), sort_keys=True)
    folder = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    file = spec.files.get(spec.published(split))
    path = Path(folder) / spec.folder / file if folder and file else None
    if path is not None and path.is_file():
        status = path.stat()
        return _from_file(spec, split, path, conditions, status.st_mtime_ns, status.st_size)
    if data_dir is not None:
        why = f"no file {path}" if path else "no file of that split is known"
        raise DataNotFoundError(_how_to_get(spec, split, why))
    return _from_hub(spec, split, conditions, revision)


def location(spec: SetSpec, split: str, data_dir: str | os.PathLike[str] | None = None) -> str:
    """Return where a split would be read from: "file ...", "hub ..." or "not here". Reads nothing."""
    folder = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    split = spec.published(split)
    if folder and split in spec.files and (Path(folder) / spec.folder / spec.files[split]).is_file():
        return f"file {spec.folder}/{spec.files[split]}"
    if split in spec.hub_splits:
        return f"hub {spec.hub}@{(spec.revision or 'main')[:7]}"
    return "not here"


@lru_cache(maxsize=32)
def _from_file(
    spec: SetSpec, split: str, path: Path, conditions: str, modified: int, size: int
) -> ProblemSet:
    where = f"{spec.folder}/{spec.files[spec.published(split)]}"
    return build(spec, split, read_file(path), where, conditions=json.loads(conditions))


@lru_cache(maxsize=32)
def _from_hub(spec: SetSpec, split: str, conditions: str, revision: str | None) -> ProblemSet:
    published = spec.published(split)
    if spec.hub is None or published not in spec.hub_splits:
        raise DataNotFoundError(_how_to_get(spec, split, "the hub has no such split"))
    try:
        rows = read_hub(spec.hub, spec.hub_config, spec.hub_splits[published], revision or spec.revision)
    except (DataNotFoundError, MissingDependencyError) as error:
        raise DataNotFoundError(_how_to_get(spec, split, str(error))) from error
    return build(spec, split, rows, f"{spec.hub}@{rows.revision}", conditions=json.loads(conditions))


def _how_to_get(spec: SetSpec, split: str, why: str) -> str:
    ways = []
    split = spec.published(split)
    if split in spec.files:
        file = f"{spec.folder}/{spec.files[split]}"
        ways.append(f"put {file} into a folder and pass data_dir=FOLDER or set {DATA_DIR_VARIABLE}=FOLDER")
    if split in spec.hub_splits:
        ways.append(f"{install_hint('hub')} and be online, to fetch it from {spec.hub}")
    ways.append("pass your own copy as dataset=FILE")
    return f"{spec.name} {split!r} is not here ({why}). Either {'; or '.join(ways)}. Origin: {spec.url}"
