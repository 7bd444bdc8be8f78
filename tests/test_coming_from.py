"""Every program of docs/coming_from.md runs, those of other libraries where they are installed."""

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import gymnasium
import pytest

import rise_env
from rise_env.errors import DataNotFoundError
from rise_env.problems.loading import SETS, load_problems
from tests.doc_blocks import RISE_COLUMN
from tests.source_tree import ROOT

assert rise_env  # registers the ids

PAGE = (ROOT / "docs" / "coming_from.md").read_text()
ROWS = [{"question": "6 * 7?", "problem": "6 * 7?", "answer": "42"}]


class Library(NamedTuple):
    """Another library whose program the page shows."""

    distribution: str
    versions: tuple[str, ...]
    """Beginnings of the versions whose interface the page shows."""
    prepare: Callable[[], None] = lambda: None
    """What a run without network needs."""


def register_gem() -> None:
    """Register problems of our own with GEM, whose "math:GSM8K" would be downloaded."""
    gem = importlib.import_module("gem")
    dataset = importlib.import_module("datasets").Dataset.from_list(ROWS)
    if "stand-in:math" not in gem.envs.registration.ENV_REGISTRY:
        entry = "gem.envs.math_env:MathEnv"
        gem.register("stand-in:math", entry, dataset=dataset, question_key="question", use_mp=False)


LIBRARIES = {
    "gym": Library("gym", ("0.21", "0.22", "0.23", "0.24", "0.25")),
    "GEM": Library("gem-llm", ("0.",), register_gem),
    "skyrl-gym": Library("skyrl-gym", ("0.",)),
    "verifiers 0.3": Library("verifiers", ("0.3",)),
}
STAND_INS = {
    "GEM": {'"math:GSM8K"': '"stand-in:math"'},
    "RISE": {'"transformers:Qwen/Qwen3-1.7B"': '"expert"', "range(500)": "range(64)"},
}
"""Column -> text that needs a network or a download -> what the test runs instead."""
NO_DATA = {"RISE-GSM8K-v0": "RISE-Arithmetic-v0"}
"""What the test runs instead where the problems of GSM8K are not on the machine."""

PROGRAMS = []
for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
    head, *lines = block.splitlines()
    theirs, ours = (part.strip(" #") for part in (head[:RISE_COLUMN], head[RISE_COLUMN:]))
    PROGRAMS += [
        pytest.param(theirs, "\n".join(line[:RISE_COLUMN] for line in lines), id=theirs),
        pytest.param(ours, "\n".join(line[RISE_COLUMN:] for line in lines), id=f"RISE for {theirs}"),
    ]


def require(name: str) -> None:
    """Skip the test where a library is not installed in a version that the page shows."""
    library = LIBRARIES[name]
    try:
        found = version(library.distribution)
    except PackageNotFoundError:
        pytest.skip(f"{library.distribution} is not installed")
    if not found.startswith(library.versions):
        pytest.skip(f"{library.distribution} {found} is installed, the page shows {name}")
    library.prepare()


def has_gsm8k() -> bool:
    try:
        return bool(load_problems("GSM8K"))
    except DataNotFoundError:
        return False


def policy(_: Any) -> str:
    return r"It is \boxed{42}." + "\n#### 42"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("column", "program"), PROGRAMS)
def test_a_program_of_the_page_runs(column: str, program: str) -> None:
    if column != "RISE":
        require(column)
    for name, instead in STAND_INS.get(column, {}).items():
        program = program.replace(name, instead)
    if column == "RISE" and not has_gsm8k():
        for name, instead in NO_DATA.items():
            program = program.replace(name, instead)
    names: dict[str, Any] = {
        "policy": (lambda _: 0) if column == "gym" else policy,
        "config": {},
        "prompt": [{"role": "user", "content": "6 * 7?"}],
        "assistant": lambda text: {"role": "assistant", "content": text},
    }
    exec(compile(program, "coming_from.md", "exec"), names)  # noqa: S102 our own page
    ended = [names[name] for name in ("done", "term", "terminated", "truncated", "trunc") if name in names]
    assert any(ended) or names.get("episodes")
    assert names.get("right") in (None, True, False)


def test_the_page_shows_a_program_for_every_library_and_every_stand_in_stands_for_something() -> None:
    assert {param.values[0] for param in PROGRAMS} == {*LIBRARIES, "RISE"}
    for column, instead in STAND_INS.items():
        text = "".join(str(param.values[1]) for param in PROGRAMS if param.values[0] == column)
        assert all(name in text for name in instead)


def rows(section: str) -> list[tuple[str, str]]:
    """Return the rows of the table of a section, without its head."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (.*?) \| (.*) \|$", text, re.MULTILINE)
    return [row for row in found[1:] if set(row[0]) != {"-"}]


OURS = [
    code
    for section in ("GEM", "verifiers", "The released RISE code")
    for _, text in rows(section)
    for code in re.findall(r"`([^`]+)`", text)
]
"""What the tables show of RISE, in the order of the page."""


def test_every_setting_that_the_tables_name_is_an_argument() -> None:
    known = set(inspect.signature(rise_env.MathEnv).parameters) | {"checker", "history_turns", "num_envs"}
    known |= {name for problems in SETS.values() for name in problems.settings}
    named = {name for code in OURS if not code.startswith("rise ") for name in re.findall(r"\b(\w+)=", code)}
    assert len(named) >= 10
    assert named <= known | {"options"}  # of `reset`


def test_every_option_that_the_tables_name_is_in_the_help_of_its_command() -> None:
    names = ("rise collect", "rise evaluate", "rise run", "rise store import")
    commands: dict[str, list[str]] = {name: [] for name in names}
    for code in OURS:
        used = [name for name in commands if code.startswith(name)]
        if used:
            commands[used[0]] += re.findall(r"--\w+", code)
    commands["rise collect"] += [code.split()[0] for code in OURS if code.startswith("--")]
    commands["rise run"] += [f"--{code}" for code in OURS if re.fullmatch(r"improve\.\w+", code)]
    for command, options in commands.items():
        assert options, command
        call = [sys.executable, "-m", "rise_env.cli.main", *command.split()[1:], "--help"]
        text = subprocess.run(call, capture_output=True, text=True, check=True, cwd=ROOT).stdout
        for option in options:
            assert re.search(rf"{re.escape(option)}\b", text), f"{command} has no {option}"


def test_the_episodes_that_the_tables_ask_for_are_made() -> None:
    unfinished = re.compile(r"\.\.\.|=[,)]|=ds")
    made = [code for code in OURS if code.startswith("gym.make(") and not unfinished.search(code)]
    assert len(made) >= 2
    for code in made:
        try:
            env = eval(code, {"gym": gymnasium})  # noqa: S307 our own page
        except (DataNotFoundError, rise_env.errors.MissingDependencyError):
            continue
        assert env.reset()[0]


@pytest.mark.filterwarnings("ignore")
def test_the_names_of_gem_exist() -> None:
    require("GEM")
    gem = importlib.import_module("gem")
    ids = {name for left, _ in rows("GEM") for name in re.findall(r"`((?:math|eval|rg):\w+)`", left)}
    assert len(ids) >= 8
    assert ids <= set(gem.envs.registration.ENV_REGISTRY)
    math_env = inspect.signature(importlib.import_module("gem.envs.math_env").MathEnv).parameters
    assert {"dataset", "question_key", "answer_key", "use_mp"} <= set(math_env)
    assert "async_mode" in inspect.signature(gem.make_vec).parameters
    assert hasattr(gem.core.Env, "spawn")
