"""What the README shows runs."""

import re

import pytest

from tests.source_tree import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_python_blocks_run(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102
    printed = capsys.readouterr().out
    for promised in re.findall(r"print\(.*\)\s+# (\d.*)", block):
        assert promised in printed


def test_commands_of_the_readme_have_help() -> None:
    from rise_env.cli.main import main

    used = set(re.findall(r"\brise ([a-z]+)\b(?= [A-Z-]| runs)", README))
    assert used
    for command in sorted(used):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
