from pathlib import Path

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.cli.collect import run
from rise_agents.rollout.cleanup import close
from rise_agents.rollout.collect_config import CollectConfig


class Stuck(ScriptedAgent):
    """Does not close."""

    def close(self) -> None:
        raise OSError("stuck")


def make_stuck() -> ScriptedAgent:
    return Stuck(lambda _: "\\boxed{1}", name="stuck")


def test_what_does_not_close_is_told_and_the_others_are_closed(caplog: pytest.LogCaptureFixture) -> None:
    closed = []
    last = ScriptedAgent(lambda _: "")
    last.close = lambda: closed.append(True)  # type: ignore[method-assign]
    close(make_stuck(), last)
    assert closed == [True]
    assert "Stuck did not close: OSError('stuck')" in caplog.text


def test_a_collection_whose_agent_does_not_close_is_done(tmp_path: Path) -> None:
    config = CollectConfig(
        env="RISE-Arithmetic-v0", agent=f"{__name__}:make_stuck", out=str(tmp_path), limit=3, turns=1
    )
    assert run(config, show=False).done == 3
