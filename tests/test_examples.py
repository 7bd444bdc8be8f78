"""Examples run, and import public names only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.public import not_public
from tests.source_tree import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_imports_public_names_only(example: Path) -> None:
    assert not not_public(ast.parse(example.read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_how_it_is_run(example: Path) -> None:
    said = ast.get_docstring(ast.parse(example.read_text())) or ""
    assert f"examples/{example.name}" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gym_loop", "turn 1: wrong reward 0"),
        ("custom_problems", "nothing is wrong"),
        ("vector_env", "episodes solved by guessing"),
    ],
)
def test_an_example_runs(name: str, said: str) -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
