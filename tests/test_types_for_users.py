"""An installed RISE tells type checkers its types, whichever way it was installed."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import venv
from pathlib import Path

import pytest

from tests.source_tree import FOLDERS, ROOT

SCRIPT = '''
"""Compares two policies that never learn."""
from collections.abc import Sequence
from typing import reveal_type

import rise_env
from rise_agents import Agent, Reply, SamplingConfig, TurnPlan, load_agent, rollout
from rise_env import Conversation, Trajectory
from rise_trainers import FitConfig


class Guesser:
    def __init__(self, guess: int) -> None:
        self.name = f"guesser-{guess}"
        self._reply = Reply(text=f"It is \\\\boxed{{{guess}}}.")

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        return [self._reply for _ in conversations]

    def close(self) -> None:
        pass


def play(agent: Agent) -> list[Trajectory]:
    envs = [rise_env.make("RISE-Arithmetic-v0", split="test", max_turns=2) for _ in range(3)]
    return rollout([TurnPlan(agent)] * 2, envs, range(3), SamplingConfig(), seed=0)


agents: list[Agent] = [Guesser(7), load_agent("expert")]
print([sum(episode.terminated for episode in play(agent)) for agent in agents])
reveal_type(Reply(text="").text)
reveal_type(FitConfig(data=("store.jsonl",), model="tiny", output="fitted").learning_rate)
'''
REVEALED = ["str", "float"]

INSTALLS = {
    "plain": ["."],
    "editable": ["--config-settings", "editable_mode=strict", "--editable", "."],
}


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that sees no source of this repository, and return what it prints."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")
    }
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(folder: Path, options: list[str]) -> Path:
    """Install a copy of the repository into a virtual environment; return its interpreter.

    The libraries that RISE needs, and setuptools, are those of this environment: nothing is downloaded. RISE
    itself is not seen there, because folders that a .pth file adds do not have their own .pth files read.
    """
    copy = folder / "repository"
    for package in FOLDERS.values():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package, copy / package.relative_to(ROOT), ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    Path(site, "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check"]
    run(*pip, "install", "--no-deps", "--no-build-isolation", "--no-index", *options, cwd=copy)
    return python


@pytest.mark.slow
@pytest.mark.parametrize("way", INSTALLS)
def test_mypy_strict_finds_the_types_of_an_installed_rise(way: str, tmp_path: Path) -> None:
    python = installed(tmp_path, INSTALLS[way])
    user = tmp_path / "user"
    user.mkdir()
    (user / "script.py").write_text(textwrap.dedent(SCRIPT))
    imported = run(python, "-c", "import rise_env; print(rise_env.__file__)", cwd=user)
    assert Path(imported).is_relative_to(tmp_path)
    assert run(python, "-W", "ignore", "script.py", cwd=user).splitlines()[0] == "[0, 3]"
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, "--cache-dir"]
    said = run(*mypy, tmp_path / "cache", "script.py", cwd=user)
    revealed = re.findall(r'Revealed type is "(?:builtins\.)?(\w+)"', said)
    assert revealed == REVEALED
    assert "Success: no issues found" in said
