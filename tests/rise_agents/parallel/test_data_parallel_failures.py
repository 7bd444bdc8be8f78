"""Copies whose agent fails, that die, or whose parent gives up."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from pickle import PicklingError
from typing import Any

import pytest

from rise_agents.parallel.data_parallel import DataParallelAgent
from rise_agents.rollout.fault_isolation import FaultIsolator
from rise_agents.types import Reply
from rise_env.errors import AgentError, ConfigError
from tests.rise_agents.parallel.fake_replicas import SAMPLING, Requests, ask, copies, end, requests
from tests.rise_agents.parallel.fake_replicas import __name__ as factories


def texts(replies: list[Reply]) -> list[str]:
    return [reply.text for reply in replies]


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        ("fail", AgentError, "^a copy of the agent failed: ZeroDivisionError"),
        ("refuse", ConfigError, "^no such thing$"),
        ("forget", AgentError, "^copy 0 of the agent returned 1 replies to 2 conversations$"),
    ],
)
def test_a_copy_whose_agent_cannot_answer_says_so_and_all_go_on(
    question: str, error: type[Exception], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    agent = copies(3, "make_breaker")
    try:
        for _ in range(2):
            asked = [ask(what) for what in (question, "one", "two", "three", "four", "refuse")]
            with pytest.raises(error, match=message) as caught:
                agent.act(asked, SAMPLING, [0] * 6)
            assert "\n" not in str(caught.value)
            asked = [ask(what) for what in ("five", "six", "seven")]
            assert texts(agent.act(asked, SAMPLING, [0] * 3)) == ["five", "six", "seven"], "of the last call"
    finally:
        agent.close()
    assert capfd.readouterr().err.count("Traceback") == 2 * (question == "fail")


@pytest.mark.parametrize("question", ["fail", "refuse", "forget"])
def test_one_conversation_that_no_copy_can_answer_costs_no_other_its_reply(question: str) -> None:
    agent = copies(2, "make_breaker")
    what = [str(i) for i in range(5)] + [question] + [str(i) for i in range(6, 8)]
    try:
        if question == "refuse":  # a setup error
            with pytest.raises(ConfigError, match="no such thing"):
                FaultIsolator().ask(agent, [ask(text) for text in what], SAMPLING, range(8))
            return
        replies = FaultIsolator().ask(agent, [ask(text) for text in what], SAMPLING, range(8))
        assert [reply.finish for reply in replies] == ["stop"] * 5 + ["error"] + ["stop"] * 2
        assert [*texts(replies[:5]), question, *texts(replies[6:])] == what
    finally:
        agent.close()


@pytest.mark.parametrize("question", ["fail", "refuse"])
def test_after_a_stream_in_which_an_agent_raised_the_copies_go_on(question: str) -> None:
    agent = copies(3, "make_breaker")
    heard: list[str] = []

    def follow(key: int, reply: Reply) -> Requests:
        heard.append(reply.text)
        return {key: (ask("for ever"), 0)}

    def on_reply(key: int, reply: Reply) -> Requests:
        heard.append(reply.text)
        return {}

    try:
        for _ in range(2):
            with pytest.raises((AgentError, ConfigError), match=r"ZeroDivisionError|^no such thing$"):
                agent.stream(requests(question, "fine", "fine"), SAMPLING, follow)
            heard.clear()
            assert texts(agent.act([ask("one"), ask("two")], SAMPLING, [0, 0])) == ["one", "two"]
            agent.stream(requests("1", "2", "3", "4"), SAMPLING, on_reply)
            assert sorted(heard) == ["1", "2", "3", "4"]
    finally:
        agent.close()


def test_what_the_listener_of_a_stream_raises_stops_every_copy_at_its_next_reply(
    capfd: pytest.CaptureFixture[str],
) -> None:
    agent = copies(3, "make_breaker")
    heard: list[int] = []

    def fail(key: int, reply: Reply) -> Requests:
        heard.append(key)
        if len(heard) == 2:
            raise KeyError("mine")
        return {key: (ask("fine"), 0)}

    try:
        unsendable = {7: (ask("fine"), lambda: "cannot be pickled")}
        listeners: list[Any] = [fail, lambda *_: None, lambda *_: {7: None}, lambda *_: unsendable]
        for bad in listeners:
            heard.clear()
            with pytest.raises((KeyError, TypeError, AttributeError, PicklingError)):
                agent.stream(requests(*["fine"] * 9), SAMPLING, bad)
            assert len(heard) == 2 * (bad is fail), "it heard more"
            assert texts(agent.act([ask("one"), ask("two")], SAMPLING, [0, 0])) == ["one", "two"]
        agent.stream(requests("fine"), SAMPLING, end)
    finally:
        agent.close()
    assert "Traceback" not in capfd.readouterr().err, "no agent failed"


def closed(agent: DataParallelAgent, why: str) -> None:
    with pytest.raises(AgentError, match=why):
        agent.act([ask("anyone there?")], SAMPLING)
    with pytest.raises(AgentError, match=why):
        agent.stream(requests("anyone there?"), SAMPLING, end)


@pytest.mark.parametrize("way", ["act", "stream"])
@pytest.mark.parametrize("other", ["sleep", "insist"])
def test_a_copy_that_dies_ends_all_and_is_remembered(way: str, other: str) -> None:
    agent = copies(2, "make_breaker")
    processes = list(agent._processes)
    following = {"fine": {2: (ask("die"), 3)}}
    ways: dict[str, Callable[[], object]] = {
        "act": lambda: agent.act([ask("die"), ask(other)], SAMPLING, [1, 2]),
        "stream": lambda: agent.stream(
            requests(other, "fine"), SAMPLING, lambda _, reply: following[reply.text]
        ),
    }
    began = time.monotonic()
    why = f"copy {int(way == 'stream')} of the agent ended with exit code -9$"
    with pytest.raises(AgentError, match=f"^{why}") as caught:
        ways[way]()
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 30
    assert not any(process.is_alive() for process in processes)
    agent.close()  # harmless
    closed(agent, f"^agent breaker is closed: {why}")


def test_a_copy_that_dies_on_its_own_is_missed_at_the_next_call() -> None:
    agent = copies(2, "make_breaker")
    agent._processes[1].kill()
    with pytest.raises(AgentError, match=r"^copy 1 of the agent ended with exit code -9$"):
        agent.act([ask("one"), ask("two")], SAMPLING)
    closed(agent, "^agent breaker is closed: copy 1 of the agent ended with exit code -9$")


def test_closed_copies_say_no_more_than_that() -> None:
    agent = copies(1, "make_breaker")
    agent.close()
    closed(agent, "^agent breaker is closed$")


def test_what_the_listener_raises_comes_out_even_if_a_copy_dies_thereafter() -> None:
    agent = copies(2, "make_breaker")

    def fail(key: int, reply: Reply) -> Requests:
        agent._processes[0].kill()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        agent.stream(requests("sleep", "fine"), SAMPLING, fail)
    closed(agent, "^agent breaker is closed: copy 0 of the agent ended with exit code -9$")


def test_a_copy_is_missed_even_where_what_it_forked_lives_on(tmp_path: Path) -> None:
    file = tmp_path / "child"
    agent = copies(2, "make_parent", file=str(file))
    began = time.monotonic()
    try:
        with pytest.raises(AgentError, match="copy 0 of the agent ended with exit code -9"):
            agent.stream(requests("?"), SAMPLING, end)
        assert time.monotonic() - began < 30
    finally:
        os.kill(int(file.read_text()), signal.SIGKILL)


def interrupt(*_: object) -> Requests:
    raise KeyboardInterrupt


def test_an_interrupt_ends_the_copies() -> None:
    agent = copies(2, "make_breaker")
    processes = list(agent._processes)
    with pytest.raises(KeyboardInterrupt):
        agent.stream(requests("fine", "sleep"), SAMPLING, interrupt)
    assert not any(process.is_alive() for process in processes)
    closed(agent, "^agent breaker is closed: KeyboardInterrupt")


def test_what_a_copy_finds_wrong_at_the_start_is_raised_here() -> None:
    with pytest.raises(ConfigError, match="no such thing"):
        copies(2, "make_refuser")


@pytest.mark.parametrize("question", ["", "fail", "sleep", "insist"])
def test_every_copy_is_closed(tmp_path: Path, question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = copies(2, "make_recorder", folder=str(tmp_path))
    end_all = agent._end

    def late() -> None:
        for process in agent._processes:  # whoever ends all processes of a job
            process.terminate()
        time.sleep(0.2)  # they are closing by then
        end_all()

    monkeypatch.setattr(agent, "_end", late)
    if question == "fail":
        with pytest.raises(AgentError, match="ZeroDivisionError"):
            agent.stream(requests(question, "fail"), SAMPLING, end)
    elif question:
        with pytest.raises(KeyboardInterrupt):
            agent.stream(requests(question, "fine"), SAMPLING, interrupt)
    agent.close()
    agent.close()
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["0", "1"]


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize(
    "work", ["print('ready', flush=True); time.sleep(100)", "agent.stream(requests, SamplingConfig(), go_on)"]
)
def test_copies_end_with_their_parent(tmp_path: Path, blow: signal.Signals, work: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import signal, sys, time\n"
        "from rise_agents.types import SamplingConfig\n"
        "from rise_agents.parallel.data_parallel import DataParallelAgent\n"
        "heard = []\n"
        "requests = {0: (({'role': 'user', 'content': 'fine'},), 0)}\n"
        "def go_on(key, reply):\n"
        "    print('ready', flush=True) if not heard else None\n"
        "    heard.append(key)\n"
        "    return requests\n"
        "def main():\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in jobs of a shell
        "    agent = DataParallelAgent(sys.argv[1], {'folder': sys.argv[2]}, [{'COPY': '0'}])\n"
        f"    {work}\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script), f"{factories}:make_recorder", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        if blow == signal.SIGINT:  # a terminal tells all
            os.killpg(parent.pid, blow)
        else:
            parent.kill()
        try:
            _, said = parent.communicate(timeout=60)
        finally:
            parent.kill()
    assert said.count("Traceback") == (blow == signal.SIGINT), "more than Ctrl-C's own"
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("0-*")):
        assert time.monotonic() < deadline, "the copy goes on alone"
        time.sleep(0.05)
