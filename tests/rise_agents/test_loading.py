import sys
import types

import pytest

from rise_agents.expert_agent import ExpertAgent
from rise_agents.loading import AGENTS, load_agent
from rise_agents.scripted_agent import ScriptedAgent
from rise_env.errors import ConfigError, MissingDependencyError


def make_agent(text: str = "hello") -> ScriptedAgent:
    return ScriptedAgent(lambda conversation: text, name=text)


def make_nothing() -> int:
    return 3


def test_a_name_gives_an_agent() -> None:
    assert isinstance(load_agent("expert"), ExpertAgent)


def test_a_factory_of_the_users_own_gets_its_settings() -> None:
    assert load_agent(f"{__name__}:make_agent", text="hi").name == "hi"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("transfomers:x", "did you mean 'transformers'", id="typo before a path"),
        pytest.param("tinny", "did you mean 'tiny'", id="typo"),
        pytest.param("zebra", "there are: tiny, transformers", id="nothing near"),
        pytest.param("transformers", "transformers:PATH_OR_HUB_ID", id="no path"),
        pytest.param("tiny:x", "write 'tiny'", id="argument too many"),
        pytest.param("no.such.module:make", "no agent 'no.such.module:make'", id="no module"),
        pytest.param(f"{__name__}:make", "no agent", id="no function"),
        pytest.param(f"{__name__}:make_nothing", "made a int", id="no agent made"),
    ],
)
def test_a_wrong_name_says_what_there_is(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_agent(spec)


def test_a_wrong_setting_says_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"no setting 'txt'; did you mean 'text'"):
        load_agent(f"{__name__}:make_agent", txt="hi")


def test_a_library_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("rise_needs_absent")
    monkeypatch.setitem(sys.modules, "absent_library", None)
    monkeypatch.setitem(AGENTS, "absent", ("rise_needs_absent:make", "", "vllm"))
    monkeypatch.setitem(sys.modules, "rise_needs_absent", module)

    class Finder:
        def __getattr__(self, name: str) -> object:
            raise ModuleNotFoundError("No module named 'absent_library'", name="absent_library")

    monkeypatch.setitem(sys.modules, "rise_needs_absent", Finder())  # type: ignore[arg-type]
    with pytest.raises(MissingDependencyError, match=r"rise-env\[vllm\]"):
        load_agent("absent")
