"""README and documentation: code, imports, ids, commands and file names in them are true."""

import ast
import importlib
import re
from importlib.metadata import entry_points
from pathlib import Path

import gymnasium
import pytest

import rise_env
from rise_env.errors import MissingDependencyError
from rise_env.trajectories.export.formats import FORMATS
from tests.doc_blocks import PAGES, blocks, python_code
from tests.public import exported, names_in_source, not_public, public_modules, source_of
from tests.source_tree import FOLDERS, ROOT

assert rise_env  # registers the ids

PLACES = {"runs", "models"}
"""Folders that commands of the pages write into."""

CODE = [
    pytest.param(page, python_code(block), id=str(block))
    for page in PAGES
    for block in blocks(page, "python")
]


@pytest.mark.parametrize(("page", "block"), CODE)
def test_code_of_a_page_compiles_and_imports_public_names_only(page: Path, block: str) -> None:
    compile(block, page.name, "exec")
    assert not not_public(ast.parse(block))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    packages = "|".join(FOLDERS)
    names = re.findall(rf"(?<![\w/.-])((?:{packages})(?:\.\w+)+)", page.read_text())
    for name in names:
        assert found(name.split(".")), f"{page.name} names {name}"


def found(parts: list[str]) -> bool:
    """Return whether a dotted name is a module, or an attribute of one."""
    for end in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:end]))
        except MissingDependencyError:  # an adapter to a library that is not installed here
            return set(parts[end:]) <= names_in_source(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[end:]:
            if not hasattr(value, attribute):
                return False
            value = getattr(value, attribute)
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_id_that_a_page_names_is_registered(page: Path) -> None:
    for name in set(re.findall(r"RISE-[A-Za-z0-9]+-v\d+", page.read_text())):
        assert name in gymnasium.registry


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    used = set(re.findall(r"(?:^(?:    )?|`)rise ([a-z]+)\b", page.read_text(), re.MULTILINE))
    assert used <= {entry.name for entry in entry_points(group="rise.commands")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    linked = [
        link.partition("#")[0]
        for link in re.findall(r"\]\(([^):\s]+)\)", text)
        if not link.startswith(("#", "../../actions"))  # pages of the repository's host
    ]
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", text)
    for name in linked:
        assert (page.parent / name).exists(), name
    for name in named:
        if not name.endswith("...") and name.split("/")[0] in {path.name for path in ROOT.iterdir()} - PLACES:
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("package", FOLDERS)
def test_the_page_on_the_api_lists_what_a_package_exports(package: str) -> None:
    assert sorted(exported()[package]) == sorted(importlib.import_module(package).__all__)


def test_the_page_on_agents_has_a_row_for_every_agent() -> None:
    [table] = re.findall(
        r"^\| `--agent`(?:.*\n)+?\n", (ROOT / "docs" / "agents.md").read_text(), re.MULTILINE
    )
    agents = entry_points(group="rise.agents")
    ours = {entry.name for entry in agents if entry.module.startswith("rise_agents.")}
    assert ours
    assert set(re.findall(r"^\| `(\w[\w-]*)[:`]", table, re.MULTILINE)) == ours | {"module"}


def test_the_page_on_agents_names_every_export_format() -> None:
    [formats] = re.findall(
        r"The export formats are (.*?)\. ", (ROOT / "docs" / "agents.md").read_text(), re.DOTALL
    )
    assert re.findall(r"`(\w+)`", formats) == list(FORMATS)


def test_the_public_modules_say_what_they_hold() -> None:
    for name in public_modules():
        assert ast.get_docstring(source_of(name)), name


def test_the_tables_that_contributing_names_are_in_the_files_that_it_names() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`([A-Z_]+)`(?: or `([A-Z_]+)`)? of `([\w/]+\.py)`", page)
    assert len(named) >= 9
    for table, other, path in named:
        for name in filter(None, (table, other)):
            assert re.search(rf"^{name}\b.*=", (ROOT / path).read_text(), re.MULTILINE), f"{name} in {path}"
