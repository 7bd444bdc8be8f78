from pathlib import Path

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.cli.collect import run
from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.collect_config import CollectConfig


class FailsToClose(ScriptedAgent):
    """Raises when it is closed."""

    def close(self) -> None:
        raise OSError("busy")


def make_agent() -> ScriptedAgent:
    return FailsToClose(lambda _: "\\boxed{1}", name="agent")


def test_an_agent_that_does_not_close_is_logged_and_the_others_are_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed = []
    last = ScriptedAgent(lambda _: "")
    last.close = lambda: closed.append(True)  # type: ignore[method-assign]
    close_all(make_agent(), last)
    assert closed == [True]
    assert "FailsToClose did not close: OSError('busy')" in caplog.text


def test_a_collection_whose_agent_does_not_close_succeeds(tmp_path: Path) -> None:
    config = CollectConfig(
        env="RISE-Arithmetic-v0", agent=f"{__name__}:make_agent", out=str(tmp_path), limit=3, turns=1
    )
    assert run(config, show=False).done == 3
