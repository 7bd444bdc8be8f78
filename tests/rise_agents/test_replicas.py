"""Copies of small agents in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rise_agents.base import Agent, Reply, SamplingConfig
from rise_agents.replicas import Replicas
from rise_agents.scripted_agent import ScriptedAgent
from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation

SAMPLING = SamplingConfig()


def make_teller() -> Agent:
    """Tells which copy answers, and what it was asked."""
    return ScriptedAgent(lambda said: f"{os.environ['COPY']}: {said[-1]['content']}", name="teller")


def make_breaker() -> Agent:
    def answer(conversation: Conversation) -> str:
        if conversation[-1]["content"] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ZeroDivisionError

    return ScriptedAgent(answer, name="breaker")


def make_refuser() -> Agent:
    raise ConfigError("no such thing")


def make_recorder(folder: str) -> Agent:
    agent = make_teller()

    def close() -> None:
        (Path(folder) / f"{os.environ['COPY']}-{os.getpid()}").touch()

    agent.close = close  # type: ignore[method-assign]
    return agent


def copies(count: int, factory: str, **settings: object) -> Replicas:
    return Replicas(f"{__name__}:{factory}", settings, [{"COPY": str(i)} for i in range(count)])


def ask(text: str) -> Conversation:
    return ({"role": "system", "content": "The same for all."}, {"role": "user", "content": text})


def who(replies: list[Reply]) -> list[str]:
    return [reply.text.partition(":")[0] for reply in replies]


def test_copies_share_the_work_and_keep_the_order() -> None:
    agent = copies(3, "make_teller")
    try:
        asked = [ask(f"question {i}") for i in range(8)]
        replies = agent.act(asked, SAMPLING, list(range(8)))
        assert agent.name == "teller"
        assert [reply.text.partition(": ")[2] for reply in replies] == [f"question {i}" for i in range(8)]
        assert sorted(who(replies).count(copy) for copy in "012") == [2, 3, 3]
        later = [(*said, {"role": "assistant", "content": "?"}, ask("again")[1]) for said in asked]
        assert who(agent.act(later[::-1], SAMPLING)) == who(replies)[::-1], "away from its prefix cache"
        assert agent.act([], SAMPLING) == []
        many = who(agent.act([asked[0]] * 9, SAMPLING))
        assert [many.count(copy) for copy in "012"] == [3, 3, 3], "one copy alone drew all samples"
    finally:
        agent.close()


@pytest.mark.parametrize(("question", "message"), [("die", "exit code -9"), ("fail", "ZeroDivisionError")])
def test_a_copy_that_fails_ends_all_with_one_line(
    question: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    agent = copies(2, "make_breaker")
    processes = list(agent._processes)
    with pytest.raises(AgentError, match=message) as caught:
        agent.act([ask(question)] * 2, SAMPLING)
    assert "\n" not in str(caught.value)
    assert not any(process.is_alive() for process in processes)
    agent.close()  # harmless
    with pytest.raises(AgentError, match="closed"):
        agent.act([ask("anyone there?")], SAMPLING)
    assert ("ZeroDivisionError" in capfd.readouterr().err) == (question == "fail")


def test_what_a_copy_finds_wrong_at_the_start_is_raised_here() -> None:
    with pytest.raises(ConfigError, match="no such thing"):
        copies(2, "make_refuser")


def test_every_copy_is_closed(tmp_path: Path) -> None:
    agent = copies(2, "make_recorder", folder=str(tmp_path))
    agent.close()
    agent.close()
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["0", "1"]


def test_copies_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time\n"
        "from rise_agents.replicas import Replicas\n"
        "if __name__ == '__main__':\n"
        "    agent = Replicas(sys.argv[1], {'folder': sys.argv[2]}, [{'COPY': '0'}])\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(100)\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script), f"{__name__}:make_recorder", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("0-*")):
        assert time.monotonic() < deadline, "the copy goes on alone"
        time.sleep(0.05)
