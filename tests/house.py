"""The table of folders in CONTRIBUTING.md: what is where, and how much of it.

    python -m tests.house

writes it anew. What a folder is for is the first line of its `__init__.py`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.source_tree import FOLDERS, ROOT, files

PAGE = ROOT / "CONTRIBUTING.md"
BEGIN = "<!-- written by `make house` -->"
END = "<!-- end of the table -->"


class Row(NamedTuple):
    """One folder."""

    folder: str
    files: int
    lines: int
    purpose: str


def rows() -> Iterator[Row]:
    """Yield one row per folder of the packages."""
    for package in FOLDERS:
        for init in [path for path in files(package) if path.name == "__init__.py"]:
            modules = [path for path in init.parent.glob("*.py") if path != init]
            lines = sum(len(path.read_text().splitlines()) for path in [init, *modules])
            folder = f"{init.parent.relative_to(ROOT)}/"
            yield Row(folder, len(modules), lines, purpose(init))


def purpose(init: Path) -> str:
    """Return the first line of a package's docstring."""
    return (ast.get_docstring(ast.parse(init.read_text())) or "").partition("\n")[0]


def table() -> str:
    """Return the table in Markdown; lines are rounded to hundreds, and at least 100."""
    lines = ["| folder | files | lines | what it is for |", "| --- | ---: | ---: | --- |"]
    for row in rows():
        about = f"{max(100, round(row.lines, -2)):,}" if row.files else ""
        lines.append(f"| `{row.folder}` | {row.files} | {about} | {row.purpose} |")
    return "\n".join(lines)


def written() -> str:
    """Return the table as it stands in the page."""
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def main() -> None:
    """Replace the table in the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}")


if __name__ == "__main__":
    main()
