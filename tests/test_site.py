"""The documentation site builds without a warning, and what is made from the code is in it."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from rise_env.problems.loading import SETS
from rise_env.registration import env_id
from rise_trainers import FitConfig, RunConfig
from tests.public import exported
from tests.source_tree import ROOT

HAS_MKDOCS = all(importlib.util.find_spec(name) for name in ("mkdocs", "material", "mkdocstrings_handlers"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once."""
    if not HAS_MKDOCS:
        pytest.skip("MkDocs is not installed: pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


def test_every_command_has_a_page(site: Path) -> None:
    pages = {path.parent.name for path in (site / "reference" / "commands").glob("*/index.html")}
    assert pages == {entry.name for entry in entry_points(group="rise.commands")}


@pytest.mark.parametrize(("command", "config"), [("run", RunConfig), ("fit", FitConfig)])
def test_every_setting_is_on_the_page_of_its_command(site: Path, command: str, config: type) -> None:
    text = text_of(site / "reference" / "commands" / command / "index.html")
    for field in fields(config):
        assert re.search(rf"\b{field.name}\b", text), field.name


def test_every_public_name_is_on_the_page_of_its_package(site: Path) -> None:
    for package, names in exported().items():
        text = text_of(site / "reference" / "api" / package / "index.html")
        for name in names:
            assert name.strip("_") in text


def test_every_id_is_on_the_page_of_ids(site: Path) -> None:
    text = text_of(site / "reference" / "ids" / "index.html")
    for name in SETS:
        assert env_id(name) in text


def test_no_page_needs_another_server(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]*)"', page.read_text()
        )
        assert not loaded, page
