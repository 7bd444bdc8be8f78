"""The pages of the API: the public names of docs/api.md with their docstrings."""

import re
from pathlib import Path

API = Path(__file__).resolve().parents[1] / "api.md"


def api_pages() -> dict[str, str]:
    """Return one page per package, with a directive of mkdocstrings for each of its public names."""
    text = API.read_text(encoding="utf-8")
    sections = re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    pages = {}
    for package, section in sections:
        names = re.findall(r"^\| `([a-zA-Z]\w*)` \|", section, re.MULTILINE)
        introduction = section.strip().partition("\n\n|")[0]
        directives = [f"::: {package}.{name}" for name in names]
        pages[f"reference/api/{package}.md"] = (
            "\n\n".join([f"# `{package}`", introduction, *directives]) + "\n"
        )
    return pages
