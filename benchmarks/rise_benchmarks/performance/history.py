"""Finds the commit of every committed result, and writes it into benchmarks/results/commits.json.

A result names its commit itself in the field "commit" that `provenance.write_result` writes, or in a
README.md beside it. For other results, the commit is found in git's history: the one that committed the file,
or, if the file is changed and not committed yet, the commit on which it was changed.
"""

import datetime
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from rise_benchmarks.performance.provenance import CHANGED, git
from rise_benchmarks.performance.results import RESULTS, Result

COMMITS = "commits.json"
MEASURED_AT, COMMITTED_IN, MADE_AFTER, NAMED = (
    "measured at",
    "committed in",
    "made after",
    "named in README.md",
)


def own_commit(path: Path) -> tuple[str, str] | None:
    """Return how a result names its commit, and the commit; None if it names none."""
    if path.suffix == ".json":
        named = json.loads(path.read_text(encoding="utf-8")).get("commit")
        if named:
            return MEASURED_AT, str(named).removesuffix(CHANGED)
    readme = path.parent / "README.md"
    if readme.exists() and (
        match := re.search(r"commit ([0-9a-f]{7,40})\b", readme.read_text(encoding="utf-8"))
    ):
        return NAMED, match[1]
    return None


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def update(results: Path) -> dict[str, Any]:
    """Write commits.json, and return its content.

    Args:
        results: The folder of the results, in a clone with its whole history.

    Raises:
        subprocess.CalledProcessError: The folder is not in a clone, or the clone is shallow.
    """
    root = Path(git("rev-parse", "--show-toplevel", at=results))
    found = {
        result.file: _entry(result, results / result.file, root)
        for result in RESULTS
        if (results / result.file).exists()
    }
    content = {"counted": datetime.datetime.now(datetime.UTC).date().isoformat(), "results": found}
    (results / COMMITS).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return content


def _entry(result: Result, path: Path, root: Path) -> dict[str, Any]:
    named = own_commit(path)
    if named is not None:
        how, commit = named[0], git("rev-parse", named[1], at=root)
    elif git("status", "--porcelain", "--", str(path), at=root):
        how, commit = MADE_AFTER, git("rev-parse", "HEAD", at=root)
    else:
        how, commit = COMMITTED_IN, git("log", "-1", "--format=%H", "--", str(path), at=root)
    newer = git("rev-list", "--no-merges", f"{commit}..HEAD", "--", *result.code, at=root).split()
    return {
        "how": how,
        "commit": commit,
        "date": git("log", "-1", "--format=%cs", commit, at=root),
        "newer_commits_of_the_code": len(newer),
        "sha256": None if named is not None or result.by_hand else digest(path),
    }
