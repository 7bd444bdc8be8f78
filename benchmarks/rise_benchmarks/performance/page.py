"""Writes docs/performance.md from the committed results.

python -m rise_benchmarks.performance.page            # from the files alone
python -m rise_benchmarks.performance.page --update   # looks up the commits in git's history first
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_benchmarks.performance.figures import Figure
from rise_benchmarks.performance.history import COMMITS, update
from rise_benchmarks.performance.results import RESULTS, Result

RESULTS_FOLDER = Path("benchmarks/results")
PAGE = Path("docs/performance.md")
_HEAD = """\
# Measured results

`make performance-page` writes this page from the files in [benchmarks/results](../benchmarks/results). Each
section is one measurement: its command, machine and commit, and its figures beside a peer or a limit. "Ratio"
is the value over the number beside it. Rates per CPU second depend less on other programs on the machine than
rates per second. Accuracies are in percent, with 95 % intervals.

"Committed in" is the commit that added the numbers. "Measured at", "made after" and "named in README.md" are
the commits of the code that was measured. A result is older than the code if later commits have changed files
that can change its numbers. Not each of them has changed the numbers. They were counted on {counted}.
"""


def page(results: Path) -> str:
    """Return the page.

    Args:
        results: The folder of the results, with commits.json.
    """
    commits = json.loads((results / COMMITS).read_text(encoding="utf-8"))
    present = [result for result in RESULTS if (results / result.file).exists()]
    entries = commits["results"]
    old = [result for result in present if entries[result.file]["newer_commits_of_the_code"]]
    parts = [_HEAD.format(counted=commits["counted"]), "## Commits\n", _ages(present, entries)]
    parts.append(f"{len(old)} of {len(present)} results are older than the code.\n")
    for result in present:
        if result.figures is not None:
            parts += [f"## {result.title}\n", _facts(result, results, entries[result.file])]
            parts.append(_table(result.figures(_content(results / result.file))))
    return "\n".join(parts).rstrip() + "\n"


def _content(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else text


def _ages(present: Sequence[Result], entries: Mapping[str, Any]) -> str:
    lines = ["| result | commit | date | commits to its code since |", "| --- | --- | --- | ---: |"]
    for result in present:
        entry = entries[result.file]
        link = f"[{result.title}](../benchmarks/results/{result.file})"
        newer = entry["newer_commits_of_the_code"]
        lines.append(f"| {link} | {_commit(entry)} | {entry['date']} | {newer or 'none'} |")
    return "\n".join(lines) + "\n"


def _commit(entry: Mapping[str, Any]) -> str:
    return f"{entry['commit'][:9]}, {entry['how']}"


def _facts(result: Result, results: Path, entry: Mapping[str, Any]) -> str:
    content = _content(results / result.file)
    recorded = content if isinstance(content, Mapping) else {}
    lines = [f"- Command: `{recorded.get('command') or result.command}`", f"- Machine: {machine(recorded)}"]
    named = recorded.get("commit") or _commit(entry)
    lines.append(f"- Commit: {named}, {recorded.get('date') or entry['date']}")
    files = ", ".join(f"[{file}](../benchmarks/results/{file})" for file in (result.file, *result.with_it))
    lines.append(f"- Files: {files}")
    return "\n".join(lines) + "\n"


def machine(recorded: Mapping[str, Any]) -> str:
    """Return the machine and the versions that a result has recorded, as a text."""
    found = dict(recorded.get("machine") or recorded.get("versions") or {})
    if "machine" in found:  # of a file with versions: the processor
        found = {"processor": found.pop("machine"), **found}
    parts = [str(found.pop("processor"))] if "processor" in found else []
    for name, text in (("cores", "{} cores"), ("threads", "{} thread per process"), ("memory_gib", "{} GiB")):
        if found.get(name) is not None:
            parts.append(text.format(found.pop(name)))
    if "load_average" in found:
        parts.append(f"load average {found.pop('load_average')[0]:.1f}")
    if not found and "python" in recorded:
        found = {"python": recorded["python"]}
    parts += [f"{name} {version}" for name, version in found.items() if version is not None]
    return ", ".join(parts) or "not recorded in the file"


def _table(figures: Sequence[Figure]) -> str:
    lines = ["| figure | value | beside | ratio |", "| --- | ---: | --- | ---: |"]
    lines += [f"| {row.what} | {row.value} | {row.beside} | {row.ratio} |" for row in figures]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="write commits.json from git's history first")
    arguments = parser.parse_args(argv)
    if arguments.update:
        update(RESULTS_FOLDER)
    PAGE.write_text(page(RESULTS_FOLDER), encoding="utf-8")


if __name__ == "__main__":
    main()
