"""The form of an entry of the catalog."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rise_env.problems import reference_answers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetSpec:
    """Where one problem set comes from and how it is read."""

    name: str
    """The environment is `RISE-<name>-v0`."""
    title: str
    """One line that says what the problems are and names their source."""
    folder: str
    """Name of the set's folder in the folder of all sets."""
    files: Mapping[str, str]
    """Split -> file in the folder. The first split is the default one."""
    sizes: Mapping[str, int]
    """Split -> number of problems, as published."""
    hub: str | None = None
    """Id of the data set on the hub."""
    hub_config: str | None = None
    """Name of the configuration of the hub's data set."""
    hub_splits: Mapping[str, str] = field(default_factory=dict)
    """Our name of a split -> the hub's name."""
    revision: str | None = None
    """Commit of the hub's data set. None fetches "main", which may change: then only the hash in
    `Problem.source` identifies the rows."""
    question: tuple[str, ...] = ("question", "problem")
    """Columns that may hold the question; the first one present counts."""
    context: tuple[str, ...] = ()
    """Columns whose text precedes the question, where present."""
    answer: tuple[str, ...] = ("answer",)
    """Columns that may hold the answer; the first one present counts."""
    reference: Callable[[Any], str | None] = reference_answers.plain
    """Returns the final answer alone from the value of the answer column."""
    solution: tuple[str, ...] = ("solution",)
    """Columns that may hold a worked solution; the first one present counts."""
    keep: Callable[[Mapping[str, Any]], bool] | None = None
    """Returns whether a row belongs to the set; None takes all rows."""
    skip_unreadable: bool = False
    """Whether rows without a question or a final answer are left out; they are an error otherwise."""
    meta: tuple[str, ...] | None = ()
    """Columns that are kept in `Problem.meta`; None keeps every column that is not used otherwise."""
    identity: str | None = None
    """Column with the publisher's id of a problem, kept in `Problem.meta` as "id" as well."""
    write_solution: Callable[[Mapping[str, Any], str], str | None] | None = None
    """Function (row, reference answer) -> worked solution, for sets that have none in a column; None where it
    cannot write one."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """Split -> its fraction, for a set that was published as one part: further splits that divide the default
    one by content, so that near-duplicates are in the same part; see `reading.content_split`."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Split -> hash of the file as its publisher has it. A split without one was never read here:
    its columns are known from the publisher's description only."""
    checker: str
    """The checker that suits the set: a name of `CHECKERS` in `registration.py`."""
    licence: str
    url: str
    """Web page of the files."""

    @property
    def splits(self) -> list[str]:
        """All splits, of files and hub, and their parts; the first is the default one."""
        return list(dict.fromkeys([*self.files, *self.hub_splits, *self.parts]))

    def published(self, split: str) -> str:
        """Return the split that was published: the default one for a part of it, else the split itself."""
        return self.splits[0] if split in self.parts else split

    def was_read(self, split: str) -> bool:
        """Return whether a file of this split was read when the entry was written; see `sha256`."""
        return self.published(split) in self.sha256
