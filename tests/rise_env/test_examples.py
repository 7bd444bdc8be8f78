import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import rise_env

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gym_loop", "turn 1: wrong reward 0"),
        ("custom_problems", "nothing is wrong"),
        ("vector_env", "episodes solved by guessing"),
    ],
)
def test_an_example_runs(name: str, said: str) -> None:
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        module.name
        for module in pkgutil.walk_packages(rise_env.__path__, "rise_env.")
        if not module.name.startswith("rise_env.checkers")
    ],
)
def test_the_docstrings_of_a_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
