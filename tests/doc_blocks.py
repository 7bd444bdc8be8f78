"""The code blocks of README and documentation: which there are, and what each one needs.

A block that the tests cannot run says why in its first line, a comment such as `# needs: gpu, hub`:

    hub         a download of a model, a data set or a library
    gpu         a GPU
    cluster     several machines
    server      a server with an API, or a key that costs money
    data        files of a public problem set in RISE_DATA_DIR
    minutes     more time than the tests have

`python -m tests.doc_blocks` lists these blocks.
"""

import re
from pathlib import Path
from typing import NamedTuple

from tests.source_tree import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "examples" / "configs" / "README.md",
]
NEEDS = {"hub", "gpu", "cluster", "server", "data", "minutes"}
LANGUAGES = {"python", "sh", "yaml", "dockerfile", "text"}
RISE_COLUMN = 48
"""Where RISE's program begins in a block that shows two programs side by side."""


class Block(NamedTuple):
    """One code block of a page."""

    page: Path
    line: int
    """Line of the page at which the block begins."""
    language: str
    code: str

    @property
    def needs(self) -> set[str]:
        """What the tests lack to run the block, from its first line."""
        found = re.match(r"# needs: ([\w, ]+)", self.code)
        return set(re.split(r",\s*", found[1].strip())) if found else set()

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """Return the code blocks of a page, in all languages or in one."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^( *)```([\w.]*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        code = re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
        found.append(Block(page, text.count("\n", 0, match.start()) + 1, match[2], code))
    return [block for block in found if language in (None, block.language)]


def python_code(block: Block) -> str:
    """Return the Python code of a block; of two programs side by side, the right one."""
    if not block.code.partition("\n")[0].endswith("# RISE"):
        return block.code
    return "".join(line[RISE_COLUMN:].rstrip() + "\n" for line in block.code.splitlines())


def commands(block: Block) -> list[str]:
    """Return the commands of a shell block, each on one line and without comments."""
    joined = re.sub(r"\\\n\s*", " ", block.code)
    lines = [re.sub(r"(?:^|\s+)#(?=\s|$).*", "", line).strip() for line in joined.splitlines()]
    return [line for line in lines if line]


def marked() -> list[Block]:
    """Return the blocks that the tests only check for syntax."""
    return [block for page in PAGES for block in blocks(page) if block.needs]


if __name__ == "__main__":
    for block in marked():
        first = next(iter(block.code.splitlines()[1:]), "")
        print(f"{block}: needs {', '.join(sorted(block.needs))}: {first[:70]}")
