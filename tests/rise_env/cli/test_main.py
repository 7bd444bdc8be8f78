import subprocess
import sys
from pathlib import Path

import pytest

from rise_env.cli.main import COMMANDS, main


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rise_env.cli.main import main; main(['--help']);"
        "heavy = {'torch', 'transformers', 'sympy', 'datasets'} & set(sys.modules); sys.exit(len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def test_a_typo_in_a_command_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evalute"]) == 2
    assert "did you mean 'evaluate'?" in capsys.readouterr().err


def test_every_command_is_where_the_table_says() -> None:
    import importlib

    for target, _ in COMMANDS.values():
        module, function = target.split(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_modules_beside_the_user_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from rise_agents.backends.expert_agent import ExpertAgent as Agent\n")
    installed = "import sys; del sys.path[0]; from rise_env.cli.main import main; sys.exit(main())"
    command = ["collect", "RISE-Arithmetic-v0", "--agent", "mine:Agent", "--limit", "1", "--out", "played"]
    done = subprocess.run(
        [sys.executable, "-c", installed, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "played" / "trajectories.jsonl").is_file()
