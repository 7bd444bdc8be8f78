"""`DataParallelAgent`: agents that fail, replicas that die, callbacks that raise, parents that end."""

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
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Reply
from rise_env.errors import AgentError, ConfigError
from tests.rise_agents.parallel.fake_replicas import (
    SAMPLING,
    StreamRequests,
    ask,
    no_more,
    replicas,
    requests,
)
from tests.rise_agents.parallel.fake_replicas import __name__ as factories
from tests.waiting import PATIENCE_S


def texts(replies: list[Reply]) -> list[str]:
    return [reply.text for reply in replies]


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        ("fail", AgentError, "^a replica of the agent failed: ZeroDivisionError"),
        ("refuse", ConfigError, "^no such thing$"),
        ("forget", AgentError, "^replica 0 returned 1 replies to 2 conversations$"),
    ],
)
def test_after_an_agent_raised_all_replicas_can_be_used_again(
    question: str, error: type[Exception], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    agent = replicas(3, "make_failing")
    try:
        for _ in range(2):
            asked = [ask(what) for what in (question, "one", "two", "three", "four", "refuse")]
            with pytest.raises(error, match=message) as caught:
                agent.act(asked, SAMPLING, [0] * 6)
            assert "\n" not in str(caught.value)
            asked = [ask(what) for what in ("five", "six", "seven")]
            assert texts(agent.act(asked, SAMPLING, [0] * 3)) == ["five", "six", "seven"], (
                "replies to the previous call"
            )
    finally:
        agent.close()
    assert capfd.readouterr().err.count("Traceback") == 2 * (question == "fail")


@pytest.mark.parametrize("question", ["fail", "refuse", "forget"])
def test_a_conversation_that_no_replica_can_answer_fails_alone(question: str) -> None:
    agent = replicas(2, "make_failing")
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
def test_after_an_agent_raised_in_a_stream_all_replicas_can_be_used_again(question: str) -> None:
    agent = replicas(3, "make_failing")
    received: list[str] = []

    def follow(key: int, reply: Reply) -> StreamRequests:
        received.append(reply.text)
        return {key: (ask("for ever"), 0)}

    def on_reply(key: int, reply: Reply) -> StreamRequests:
        received.append(reply.text)
        return {}

    try:
        for _ in range(2):
            with pytest.raises((AgentError, ConfigError), match=r"ZeroDivisionError|^no such thing$"):
                agent.stream(requests(question, "fine", "fine"), SAMPLING, follow)
            received.clear()
            assert texts(agent.act([ask("one"), ask("two")], SAMPLING, [0, 0])) == ["one", "two"]
            agent.stream(requests("1", "2", "3", "4"), SAMPLING, on_reply)
            assert sorted(received) == ["1", "2", "3", "4"]
    finally:
        agent.close()


def test_an_exception_of_the_callback_stops_every_replica_at_its_next_reply(
    capfd: pytest.CaptureFixture[str],
) -> None:
    agent = replicas(3, "make_failing")
    received: list[int] = []

    def fail(key: int, reply: Reply) -> StreamRequests:
        received.append(key)
        if len(received) == 2:
            raise KeyError("mine")
        return {key: (ask("fine"), 0)}

    try:
        unsendable = {7: (ask("fine"), lambda: "cannot be pickled")}
        callbacks: list[Any] = [fail, lambda *_: None, lambda *_: {7: None}, lambda *_: unsendable]
        for callback in callbacks:
            received.clear()
            with pytest.raises((KeyError, TypeError, AttributeError, PicklingError)):
                agent.stream(requests(*["fine"] * 9), SAMPLING, callback)
            assert len(received) == 2 * (callback is fail), "a reply was passed on after the failure"
            assert texts(agent.act([ask("one"), ask("two")], SAMPLING, [0, 0])) == ["one", "two"]
        agent.stream(requests("fine"), SAMPLING, no_more)
    finally:
        agent.close()
    assert "Traceback" not in capfd.readouterr().err, "a traceback although no agent failed"


def closed(agent: DataParallelAgent, why: str) -> None:
    with pytest.raises(AgentError, match=why):
        agent.act([ask("hello")], SAMPLING)
    with pytest.raises(AgentError, match=why):
        agent.stream(requests("hello"), SAMPLING, no_more)


@pytest.mark.parametrize("way", ["act", "stream"])
@pytest.mark.parametrize("other", ["sleep", "ignore exit"])
def test_a_replica_that_dies_closes_the_agent_and_is_named_afterwards(way: str, other: str) -> None:
    agent = replicas(2, "make_failing")
    processes = list(agent._processes)
    following = {"fine": {2: (ask("die"), 3)}}
    ways: dict[str, Callable[[], object]] = {
        "act": lambda: agent.act([ask("die"), ask(other)], SAMPLING, [1, 2]),
        "stream": lambda: agent.stream(
            requests(other, "fine"), SAMPLING, lambda _, reply: following[reply.text]
        ),
    }
    why = f"replica {int(way == 'stream')} of the agent ended with exit code -9$"
    with pytest.raises(AgentError, match=f"^{why}") as caught:
        ways[way]()
    assert "\n" not in str(caught.value)
    assert not any(process.is_alive() for process in processes)
    agent.close()  # harmless
    closed(agent, f"^agent failing is closed: {why}")


def test_a_replica_that_died_between_calls_is_detected_at_the_next_call() -> None:
    agent = replicas(2, "make_failing")
    agent._processes[1].kill()
    with pytest.raises(AgentError, match=r"^replica 1 of the agent ended with exit code -9$"):
        agent.act([ask("one"), ask("two")], SAMPLING)
    closed(agent, "^agent failing is closed: replica 1 of the agent ended with exit code -9$")


def test_a_closed_agent_raises_an_error_that_says_so() -> None:
    agent = replicas(1, "make_failing")
    agent.close()
    closed(agent, "^agent failing is closed$")


def test_the_exception_of_the_callback_is_raised_even_if_a_replica_dies_afterwards() -> None:
    agent = replicas(2, "make_failing")

    def fail(key: int, reply: Reply) -> StreamRequests:
        agent._processes[0].kill()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        agent.stream(requests("sleep", "fine"), SAMPLING, fail)
    closed(agent, "^agent failing is closed: replica 0 of the agent ended with exit code -9$")


def test_a_dead_replica_is_detected_even_if_its_child_process_lives(tmp_path: Path) -> None:
    file = tmp_path / "child"
    agent = replicas(2, "make_forking", file=str(file))
    try:
        with pytest.raises(AgentError, match="replica 0 of the agent ended with exit code -9"):
            agent.stream(requests("?"), SAMPLING, no_more)
    finally:
        os.kill(int(file.read_text()), signal.SIGKILL)


def interrupt(*_: object) -> StreamRequests:
    raise KeyboardInterrupt


def test_an_interrupt_ends_the_replicas() -> None:
    agent = replicas(2, "make_failing")
    processes = list(agent._processes)
    with pytest.raises(KeyboardInterrupt):
        agent.stream(requests("fine", "sleep"), SAMPLING, interrupt)
    assert not any(process.is_alive() for process in processes)
    closed(agent, "^agent failing is closed: KeyboardInterrupt")


def test_an_error_at_the_start_of_a_replica_is_raised_by_the_constructor() -> None:
    with pytest.raises(ConfigError, match="no such thing"):
        replicas(2, "make_invalid")


@pytest.mark.parametrize("question", ["", "fail", "sleep", "ignore exit"])
def test_every_replicas_agent_is_closed(
    tmp_path: Path, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = replicas(2, "make_slow_to_close", folder=str(tmp_path))
    end_processes = agent._end_processes

    def end_twice() -> None:
        for process in agent._processes:  # as a job manager does that ends all processes of a job
            process.terminate()
        time.sleep(0.2)  # by now they are closing
        end_processes()

    monkeypatch.setattr(agent, "_end_processes", end_twice)
    if question == "fail":
        with pytest.raises(AgentError, match="ZeroDivisionError"):
            agent.stream(requests(question, "fail"), SAMPLING, no_more)
    elif question:
        with pytest.raises(KeyboardInterrupt):
            agent.stream(requests(question, "fine"), SAMPLING, interrupt)
    agent.close()
    agent.close()
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ["0", "1"]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize(
    "work",
    ["print('ready', flush=True); time.sleep(10_000)", "agent.stream(requests, SamplingConfig(), on_reply)"],
)
def test_replicas_end_with_their_parent(tmp_path: Path, ending: signal.Signals, work: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import signal, sys, time\n"
        "from rise_agents.types import SamplingConfig\n"
        "from rise_agents.parallel.data_parallel import DataParallelAgent\n"
        "received = []\n"
        "requests = {0: (({'role': 'user', 'content': 'fine'},), 0)}\n"
        "def on_reply(key, reply):\n"
        "    print('ready', flush=True) if not received else None\n"
        "    received.append(key)\n"
        "    return requests\n"
        "def main():\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs ignore it
        "    agent = DataParallelAgent(sys.argv[1], {'folder': sys.argv[2]}, [{'REPLICA': '0'}])\n"
        f"    {work}\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script), f"{factories}:make_slow_to_close", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        if ending == signal.SIGINT:  # a terminal signals the whole process group
            os.killpg(parent.pid, ending)
        else:
            parent.kill()
        try:
            _, stderr = parent.communicate(timeout=PATIENCE_S)
        finally:
            parent.kill()
    assert stderr.count("Traceback") == (ending == signal.SIGINT), "more tracebacks than that of Ctrl-C"
    deadline = time.monotonic() + PATIENCE_S
    while not list(tmp_path.glob("0-*")):
        assert time.monotonic() < deadline, "the replica outlived its parent"
        time.sleep(0.05)
