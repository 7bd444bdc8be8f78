"""Hooks of MkDocs: pages that are made from the code, and links and pictures outside docs/."""

import configparser
import functools
import posixpath
import re
from pathlib import Path
from typing import Any

import yaml
from api_pages import api_pages
from command_pages import command_pages
from mkdocs.structure.files import File, Files
from notebook_page import notebook_page

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
SECTIONS = {"API": "reference/api/", "Commands and settings": "reference/commands/"}
"""Title in the navigation -> the folder of its pages, which are made from the code."""


@functools.cache
def generated() -> dict[str, str]:
    """Return the pages that are made from the code, by their places in the site."""
    return command_pages() | api_pages() | notebook_page(ROOT / "docs" / "tutorials" / "notebook.ipynb")


def on_config(config: Any) -> Any:
    """Take the repository's URL from setup.cfg, and list the pages that the navigation does not name."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    config.repo_url = setup["metadata"]["url"].rstrip("/")
    config.repo_name = config.repo_url.split("://")[1].partition("/")[2]
    config.edit_uri = None
    [reference] = [section["Reference"] for section in config.nav if "Reference" in section]
    for title, folder in SECTIONS.items():
        [entry] = [entry for entry in reference if isinstance(entry, dict) and title in entry]
        entry[title] = [page for page in generated() if page.startswith(folder)]
    listed = yaml.safe_dump(config.nav)
    reference += [page.name for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in listed]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are made from the code, and the pictures outside docs/ that pages show."""
    for uri, text in generated().items():
        files.append(File.generated(config, uri, content=text))
    for page in files.documentation_pages():
        for picture, _, path in LINK.findall(page.content_string):
            target = outside(page.src_uri, path)
            if picture and target and files.get_file_from_path(f"assets/{target}") is None:
                files.append(File.generated(config, f"assets/{target}", abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn relative links to files outside docs/ into URLs of the repository."""

    def inside(link: re.Match[str]) -> str:
        picture, text, path = link.groups()
        target = outside(page.file.src_uri, path)
        if target is None:
            return link[0]
        if picture:
            return f"![{text}]({posixpath.relpath('assets/' + target, posixpath.dirname(page.file.src_uri))})"
        kind = "tree" if (ROOT / target).is_dir() else "blob"
        anchor = "#" + path.partition("#")[2] if "#" in path else ""
        return f"[{text}]({config.repo_url}/{kind}/main/{target}{anchor})"

    return LINK.sub(inside, markdown)


def outside(page: str, link: str) -> str | None:
    """Return the file of the repository outside docs/ that a page links to, or None.

    MkDocs warns of a relative link to a file that does not exist.

    Args:
        page: The page's place in docs/.
        link: The target of the link.
    """
    path = link.partition("#")[0]
    if ":" in path or not path:
        return None
    target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), path))
    return target if not target.startswith("docs/") and (ROOT / target).exists() else None
