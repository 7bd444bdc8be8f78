import shutil
import subprocess

import pytest

from rise_env.cli.completion import SCRIPTS, main, words_after


def test_commands_are_completed_and_then_their_options() -> None:
    assert {"collect", "store", "report", "--version"} <= set(words_after([]))
    assert {"--agent", "--retry_failed", "--sampling.temperature"} <= set(words_after(["collect"]))
    assert {"info", "repair", "export"} <= set(words_after(["store"]))
    assert {"--format", "--out"} <= set(words_after(["store", "export"]))
    assert "info" not in words_after(["store", "export"])
    assert words_after(["no-such-command"]) == []
    assert "--limit" in words_after(["collect", "RISE-GSM8K-v0"])


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_read_by_its_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([shell]) == 0
    script = capsys.readouterr().out
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} is installed")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_bash_completes_with_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash is installed")
    main(["bash"])
    script = capsys.readouterr().out + (
        'rise() { [ "$*" = "completion words store" ] && printf "info\\nrepair\\nrecheck\\n"; }\n'
        "COMP_WORDS=(rise store re); COMP_CWORD=2; _rise; echo ${COMPREPLY[@]}\n"
    )
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout == "repair recheck\n"


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["tcsh"])
    assert "invalid choice" in capsys.readouterr().err
