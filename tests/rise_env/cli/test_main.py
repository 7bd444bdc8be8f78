import subprocess
import sys
from pathlib import Path

import pytest

import rise_env
from rise_env.cli.main import main
from rise_env.utils.plugins import COMMANDS, plugins


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from rise_env.cli.main import main; main(['--help']);"
        "heavy = {'torch', 'transformers', 'sympy', 'datasets'} & set(sys.modules); sys.exit(len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(plugins(COMMANDS)) > 10
    assert all(name in done.stdout for name in plugins(COMMANDS))
    assert "cannot be read" not in done.stdout


def test_a_typo_in_a_command_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evalute"]) == 2
    assert "did you mean 'evaluate'?" in capsys.readouterr().err


def test_every_command_is_where_its_entry_point_says() -> None:
    assert all(callable(entry.load()) for entry in plugins(COMMANDS).values())


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"rise {rise_env.__version__}"


def test_modules_beside_the_user_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from rise_agents.backends.expert_agent import ExpertAgent as Agent\n")
    installed = "import sys; del sys.path[0]; from rise_env.cli.main import main; sys.exit(main())"
    command = ["collect", "RISE-Arithmetic-v0", "--agent", "mine:Agent", "--limit", "1", "--out", "played"]
    done = subprocess.run(
        [sys.executable, "-c", installed, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "played" / "trajectories.jsonl").is_file()


@pytest.mark.parametrize(
    ("command", "said"), [("collect", "interrupted; the same command continues"), ("report", "interrupted")]
)
def test_an_interruption_says_what_is_true_of_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rise_env.cli.main.load", interrupted)
    assert main([command]) == 130
    assert capsys.readouterr().err == f"rise {command}: {said}\n"
