"""The rows of one split, with their hash and their positions in the file."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one split, with hash and revision."""

    rows: Sequence[Row]
    sha256: str
    """Hash of the file's bytes, or of the rows as JSON lines if they came from the hub or from memory."""
    revision: str = ""
    """Commit of the hub's data set; empty for others."""
    lines: Sequence[int] = ()
    """Number of each row's line in the file, from 1; empty if rows are not lines."""

    def place(self, index: int, where: str) -> str:
        """Return the place of a row in words, for error messages; rows count from 0.

        Args:
            index: Index of the row, from 0.
            where: The file or other origin of the rows.
        """
        line = f" (line {self.lines[index]})" if self.lines else ""
        return f"row {index} of {where}{line}"


def hash_rows(rows: Iterable[Row]) -> str:
    """Return the SHA-256 of rows written as JSON lines with sorted keys."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
    return digest.hexdigest()
