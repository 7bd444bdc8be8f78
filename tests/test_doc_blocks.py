"""Every code block of README and documentation runs, or says what it needs and is checked for syntax.

The Python blocks of a page run in one namespace, in their order. The shell blocks run in a slow test, in one
folder per page and with the Python blocks between them. A Python block whose first line names a file is also
written to that file.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rise_env.cli.main import main
from rise_env.errors import MissingDependencyError
from rise_env.utils.settings import check_names, setting_names
from rise_trainers import RunConfig
from tests.doc_blocks import LANGUAGES, NEEDS, PAGES, Block, blocks, commands, python_code
from tests.source_tree import ROOT

BLOCKS = [block for page in PAGES for block in blocks(page)]
OTHER_TEST = {"coming_from.md": "tests/test_coming_from.py"}
"""Pages whose Python blocks another test runs, with what it puts in place of downloads."""
INSTALLING = re.compile(
    r"\. |\.venv/bin/|(git clone|cd|pip install|python3? -m venv|source|pip uninstall|make|docker|apt-get)\b"
)
"""Commands that install, build or test RISE itself; continuous integration runs them."""


def name(block: Block) -> str:
    return str(block)


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def rise_commands() -> list[tuple[Block, str]]:
    """Return the blocks with each `rise` command in them, also those that srun or torchrun start."""
    found = []
    for block in of("sh"):
        for command in commands(block):
            match = re.search(r"(?:^|\s)(?:rise|-m rise_env\.cli\.main) (.*)", command)
            if match:
                found.append((block, match[1]))
    return found


@pytest.mark.parametrize("block", BLOCKS, ids=name)
def test_a_block_has_a_language_and_known_needs(block: Block) -> None:
    assert block.language in LANGUAGES
    assert block.needs <= NEEDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_stand_in_fences(page: Path) -> None:
    outside = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"\n\n {4}(?:rise|make|pip|python|srun) .*", outside)


def test_shell_blocks_have_no_syntax_error() -> None:
    for block in of("sh"):
        done = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}: {done.stderr}"


def test_yaml_blocks_are_yaml_and_settings_in_them_exist() -> None:
    names = {entry.partition(".")[0] for entry in setting_names(RunConfig)}
    for block in of("yaml"):
        settings = yaml.safe_load(block.code)
        if set(settings) & names:
            check_names(RunConfig, settings, where=f"{block}: ")


@pytest.mark.parametrize(
    ("block", "command"), [pytest.param(*pair, id=str(pair[0])) for pair in rise_commands()]
)
def test_the_options_of_a_command_exist_and_have_values_of_their_type(
    block: Block, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    words = [word for word in shlex.split(command) if word not in ("...", "|", "&&")]
    inner = [words[0]] if words[0] not in ("store", "problems", "checkers") else words[:2]
    assert _run([*inner, "--help"]) == 0, f"{block}: {command}"
    text = capsys.readouterr().out
    if "--print_config" in text and words[:2] != ["bench", "real"]:
        assert _run([*words, "--print_config"]) == 0, f"{block}: {command}: {capsys.readouterr().err}"
        return
    for option in re.findall(r"(?<=\s)--\w+", f" {command}"):
        assert re.search(rf"{option}\b", text) or "--config" in text, f"{block}: rise {inner} has no {option}"


def _run(words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as end:
        return int(end.code or 0)


def is_quick(block: Block) -> bool:
    """Return whether a Python block runs without files that the shell blocks of its page make."""
    return not block.needs and "runs/" not in block.code


PYTHON_PAGES = [
    page
    for page in PAGES
    if page.name not in OTHER_TEST and any(is_quick(block) for block in blocks(page, "python"))
]


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=lambda page: page.stem)
def test_the_python_code_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in filter(is_quick, blocks(page, "python")):
        run_python(block, names, capsys)


def run_python(block: Block, names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a Python block; what a comment behind a `print` promises must be printed."""
    code = python_code(block)
    file = re.match(r"# (\w+\.py)\n", code)
    if file:
        Path(file[1]).write_text(code)
    try:
        exec(compile(code, str(block), "exec"), names)  # noqa: S102 our own page
    except MissingDependencyError as error:
        pytest.skip(f"{block}: {error}")
    printed = capsys.readouterr().out
    for promised in re.findall(r"print\(.*\)\s+# (\d.*)", code):
        assert promised in printed, f"{block}: {promised}"


def installs(block: Block) -> bool:
    return all(INSTALLING.match(command) for command in commands(block))


SHELL_PAGES = [
    page for page in PAGES if any(not block.needs and not installs(block) for block in blocks(page, "sh"))
]


@pytest.mark.slow
@pytest.mark.parametrize("page", SHELL_PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "benchmarks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    names: dict[str, Any] = {}
    for block in blocks(page):
        if block.needs or (block.language == "sh" and installs(block)):
            continue
        if block.language == "python" and page.name not in OTHER_TEST:
            run_python(block, names, capsys)
        if block.language == "sh":
            command = ["bash", "-euo", "pipefail", "-c", block.code]
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
            )
            assert done.returncode == 0, f"{block}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
