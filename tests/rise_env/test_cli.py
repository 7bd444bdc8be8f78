import subprocess
import sys

import pytest

from rise_env.cli import COMMANDS, main


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rise_env.cli import main; main(['--help']);"
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
