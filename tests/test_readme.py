"""What the README says of commands and links is true; tests/test_doc_blocks.py runs its code."""

import re

import pytest

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
