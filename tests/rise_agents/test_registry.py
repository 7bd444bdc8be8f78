import os
import subprocess
import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.registry import check_agent, load_agent, takes_model
from rise_env.errors import AgentError, ConfigError, MissingDependencyError
from rise_env.utils import plugins


def make_agent(text: str = "hello") -> ScriptedAgent:
    return ScriptedAgent(lambda conversation: text, name=text)


def make_nothing() -> int:
    return 3


def test_a_name_gives_an_agent() -> None:
    assert isinstance(load_agent("expert"), ExpertAgent)


def test_a_factory_of_the_users_own_gets_its_settings() -> None:
    assert load_agent(f"{__name__}:make_agent", text="hi").name == "hi"


def make_trouble(kind: str = "TypeError") -> ScriptedAgent:
    raise {"TypeError": TypeError("two\nlines"), "AgentError": AgentError("gone")}[kind]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("transfomers:x", "did you mean 'transformers'", id="typo before a path"),
        pytest.param("tinny", "did you mean 'tiny'", id="typo"),
        pytest.param("zebra", "no agent 'zebra'; there are: ", id="nothing near"),
        pytest.param("transformers", "write 'transformers:MODEL'", id="no path"),
        pytest.param("tiny:x", "write 'tiny'", id="argument too many"),
        pytest.param("no.such.module:make", "no agent 'no.such.module:make'", id="no module"),
        pytest.param(f"{__name__}:make", "no agent", id="no function"),
        pytest.param(f"{__name__}:make_nothing", "made a int", id="no agent made"),
        pytest.param("./flaky.py:A", r"no agent './flaky.py:A'.*module:factory", id="a file"),
        pytest.param("own/flaky.py:A", r"no agent 'own/flaky.py:A'; .*module:factory", id="a file below"),
        pytest.param(".flaky:A", r"no agent '.flaky:A'.*module:factory", id="relative module"),
        pytest.param(f"{__name__}:__name__", "is a str, which cannot make an agent", id="no factory"),
    ],
)
def test_a_wrong_name_says_what_there_is(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_agent(spec)


def test_a_factory_that_fails_is_one_line() -> None:
    spec = f"{__name__}:make_trouble"
    with pytest.raises(ConfigError) as caught:
        load_agent(spec)
    assert str(caught.value) == f"agent {spec!r} cannot be made: TypeError: two lines"
    with pytest.raises(AgentError, match=r"^gone$"):
        load_agent(spec, kind="AgentError")


def test_a_module_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rise_bad_syntax.py").write_text("def make(:\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="'rise_bad_syntax:make' cannot be made: SyntaxError: ") as caught:
        load_agent("rise_bad_syntax:make")
    assert "\n" not in str(caught.value)


def test_a_setting_of_the_wrong_type_is_one_line() -> None:
    with pytest.raises(
        ConfigError, match="'openai:m@http://x': max_concurrent_requests is 'many': expected int"
    ):
        load_agent("openai:m@http://x", max_concurrent_requests="many")


def test_a_wrong_setting_says_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'txt'; did you mean 'text'"):
        load_agent(f"{__name__}:make_agent", txt="hi")


def test_a_library_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("rise_needs_absent")
    monkeypatch.setitem(sys.modules, "absent_library", None)
    entry = EntryPoint("absent", "rise_needs_absent:make", plugins.AGENTS)
    monkeypatch.setattr(plugins, "plugins", lambda group: {"absent": entry})
    monkeypatch.setitem(sys.modules, "rise_needs_absent", module)

    class Finder:
        def __getattr__(self, name: str) -> object:
            raise ModuleNotFoundError("No module named 'absent_library'", name="absent_library")

    monkeypatch.setitem(sys.modules, "rise_needs_absent", Finder())
    with pytest.raises(MissingDependencyError, match="agent 'absent' needs absent_library"):
        load_agent("absent")


@pytest.mark.parametrize(
    ("name", "expected"), [("transformers", True), ("tiny", False), ("expert", False), ("replay", False)]
)
def test_an_agent_takes_a_model_if_its_argument_is_one(name: str, expected: bool) -> None:
    assert takes_model(name) == expected


def test_settings_are_checked_before_an_agent_is_made() -> None:
    check_agent("transformers:no/such/model", {"dtype": "float32", "max_concurrent_requests": 4})
    with pytest.raises(ConfigError, match=r"dtype is 'float23': did you mean 'float32'\?"):
        check_agent("transformers:no/such/model", {"dtype": "float23"})
    with pytest.raises(ConfigError, match=r"no setting 'dtpye'; did you mean 'dtype'\?"):
        check_agent("transformers:no/such/model", {"dtpye": "float32"})


def test_an_agent_of_another_package_has_a_name(tmp_path: Path) -> None:
    (tmp_path / "their_agents.py").write_text(
        "from rise_agents.backends.scripted_agent import ScriptedAgent\n"
        "def shout(word: str, times: int = 1) -> ScriptedAgent:\n"
        "    return ScriptedAgent(lambda conversation: word * times, name=f'shout-{word}')\n"
    )
    metadata = tmp_path / "their_agents-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-agents\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[rise.agents]\nshout = their_agents:shout\n")
    code = "from rise_agents.registry import load_agent; print(load_agent('shout:hey', times=2).name)"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "shout-hey", done.stderr


def test_a_misspelt_setting_of_an_agent_suggests_the_right_one() -> None:
    with pytest.raises(ConfigError, match=r"agent 'tiny' has no setting 'dtpye'; did you mean 'dtype'\?$"):
        load_agent("tiny", dtpye="float32")
