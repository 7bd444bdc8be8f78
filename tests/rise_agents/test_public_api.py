"""The exported functions of rise_agents stay functions, and back ends are named in one place."""

import subprocess
import sys
from pathlib import Path

import pytest

import rise_agents


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "imports",
    [
        "import rise_agents",
        "import rise_agents.rollouts.rollout, rise_agents.rollouts.collect, rise_agents.evaluation.runner",
        "from rise_agents.rollouts import collect, rollout; from rise_agents.cli import collect, evaluate",
    ],
)
def test_exported_functions_stay_functions_whatever_else_is_imported(imports: str) -> None:
    names = "from rise_agents import collect, evaluate, rollout"
    check = "assert {type(f).__name__ for f in (collect, evaluate, rollout)} == {'function'}"
    run(f"{imports}\n{names}\n{check}\n")
    run(f"{names}\n{imports}\n{names}\n{check}\n")


def test_only_the_front_door_and_the_registry_name_a_back_end() -> None:
    package = Path(rise_agents.__file__).parent
    users = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if path.parent.name != "backends" and "rise_agents.backends" in path.read_text()
    }
    # learning methods make the agents that play with what was learned, and scripted ones for their examples
    methods = {user for user in users if user.split("/")[0] in ("learning", "memory", "rules")}
    assert users - methods <= {"__init__.py", "registry.py", "evaluation/evolving.py"}
