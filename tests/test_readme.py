"""What the README shows runs."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_python_blocks_run(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "README.md", "exec"), {})  # noqa: S102
    printed = capsys.readouterr().out
    for promised in re.findall(r"print\(.*\)\s+# (\d.*)", block):
        assert promised in printed


def test_commands_of_the_readme_exist() -> None:
    from rise_env.cli.main import COMMANDS

    used = set(re.findall(r"\brise ([a-z]+)\b(?= [A-Z-]| runs)", README))
    assert used
    assert used <= set(COMMANDS)


def test_files_that_the_readme_names_exist() -> None:
    root = Path(__file__).parent.parent
    for name in re.findall(r"`?((?:examples|docs|benchmarks|rise_env)/[\w./-]+\.\w+)`?", README):
        assert (root / name).exists(), name
