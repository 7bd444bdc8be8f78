"""What the README says of commands and links is true; tests/test_doc_blocks.py runs its code."""

import configparser
import re
import runpy

import pytest

from tests.doc_blocks import PAGES
from tests.source_tree import ROOT

README = (ROOT / "README.md").read_text()


def test_commands_of_the_readme_have_help() -> None:
    from rise_env.cli.main import main

    used = set(re.findall(r"\brise ([a-z]+)\b(?= [A-Z-]| runs)", README))
    assert used
    for command in sorted(used):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0


def test_the_repository_has_one_address() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    url = setup["metadata"]["url"]
    owner = re.escape(url.split("/")[3])
    for page in [*PAGES, ROOT / "docs" / "tutorials" / "notebook.ipynb"]:
        for found in re.findall(rf"https://github\.com/{owner}/[\w.-]+", page.read_text()):
            assert found == url, page
    assert f"git clone {url}" in README


def test_a_package_index_gets_absolute_links_and_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    monkeypatch.setattr("setuptools.setup", lambda **arguments: given.update(arguments))
    runpy.run_path(str(ROOT / "setup.py"))
    targets = re.findall(r"\]\(([^)\s]+)\)", given["long_description"])
    assert len(targets) > 20
    assert all(re.match(r"https://|#", target) for target in targets)
    assert "/raw/main/benchmarks/results/embedded/figures/accuracy_by_turn.png" in given["long_description"]
