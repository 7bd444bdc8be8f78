"""The table of folders in CONTRIBUTING.md: which folder is for what.

    python -m tests.folder_table

writes it anew. What a folder is for is the first line of its `__init__.py`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.source_tree import FOLDERS, ROOT, files

PAGE = ROOT / "CONTRIBUTING.md"
BEGIN = "<!-- written by `make folder-table` -->"
END = "<!-- end of the table -->"


def rows() -> Iterator[tuple[str, str]]:
    """Yield (folder, what it is for) of every folder of the packages."""
    for package in FOLDERS:
        for init in [path for path in files(package) if path.name == "__init__.py"]:
            yield f"{init.parent.relative_to(ROOT)}/", purpose(init)


def purpose(init: Path) -> str:
    """Return the first line of a package's docstring."""
    return (ast.get_docstring(ast.parse(init.read_text())) or "").partition("\n")[0]


def table() -> str:
    """Return the table in Markdown."""
    lines = ["| folder | what it is for |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{folder}` | {text} |" for folder, text in rows())])


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
