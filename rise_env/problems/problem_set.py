"""A list of problems in memory, with their origin."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from rise_env.types import Problem


class ProblemSet(Sequence[Problem]):
    """An immutable list of problems. Environments share it, and its copies are the object itself.

    Args:
        problems: In the order of the set.
        name: Name of the set.
        split: Name of the split.
        source: File or hub address, revision, SHA-256; the same text as in each problem's `source`.
        sha256: Hash of the file, or of the rows where they came from the hub.
        revision: Commit of the hub's data set; empty for files.
        left_out: Number of rows that were left out because they could not be read; see
            `SetSpec.skip_unreadable`.
        answer_column: Column of the reference answers, for error messages; empty if it is not known.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        name: str = "",
        split: str = "",
        source: str = "",
        sha256: str = "",
        revision: str = "",
        left_out: int = 0,
        answer_column: str = "",
    ) -> None:
        self._problems = tuple(problems)
        self.name = name
        self.split = split
        self.source = source
        self.sha256 = sha256
        self.revision = revision
        self.left_out = left_out
        self.answer_column = answer_column

    def __len__(self) -> int:
        return len(self._problems)

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | Sequence[Problem]:
        return self._problems[index]

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._problems)

    def __copy__(self) -> "ProblemSet":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "ProblemSet":
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProblemSet) and self._problems == other._problems

    def __hash__(self) -> int:
        return hash((self.name, self.split, self.sha256, len(self)))

    def __repr__(self) -> str:
        return f"ProblemSet({self.name!r}, split={self.split!r}, {len(self)} problems)"
