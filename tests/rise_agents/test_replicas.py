"""Copies of small agents in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from rise_agents.asking import Asker
from rise_agents.base import Agent, Reply, SamplingConfig, StreamingAgent
from rise_agents.replicas import Replicas
from rise_agents.rollout import TurnPlan, rollout
from rise_agents.scripted_agent import ScriptedAgent
from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation, Trajectory

from .players import SeededAgent, envs, luck, wrong

SAMPLING = SamplingConfig()
Requests = Mapping[int, tuple[Conversation, int]]


class Streamer(SeededAgent):
    """Answers the latest request first."""

    in_flight = 7

    def stream(
        self, requests: Requests, sampling: SamplingConfig, hear: Callable[[int, Reply], Requests]
    ) -> None:
        stack = list(requests.items())
        while stack:
            key, (conversation, seed) = stack.pop()
            stack.extend(hear(key, self.act([conversation], sampling, [seed])[0]).items())


def make_teller() -> Agent:
    """Tells which copy answers, and what it was asked."""
    return ScriptedAgent(lambda said: f"{os.environ['COPY']}: {said[-1]['content']}", name="teller")


def make_streamer() -> Agent:
    return Streamer(lambda said, _: f"{os.environ['COPY']}: {said[-1]['content']}")


def make_lucky() -> Agent:
    return Streamer(luck)


def make_waiter(file: str) -> Agent:
    """Its first copy answers late: when there is the file."""

    def answer(conversation: Conversation, seed: int) -> str:
        deadline = time.monotonic() + 30
        while os.environ["COPY"] == "0" and not Path(file).exists():
            if time.monotonic() > deadline:
                return "0: in vain"
            time.sleep(0.01)
        return f"{os.environ['COPY']}: done"

    return Streamer(answer)


class Breaker(Streamer):
    """Forgets a reply where it is asked to."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        replies = super().act(conversations, sampling, seeds)
        return [reply for reply in replies if reply.text != "forget"]


def make_breaker() -> Agent:
    def answer(conversation: Conversation, seed: int) -> str:
        what = conversation[-1]["content"]
        if what == "sleep":
            time.sleep(100)
        if what == "insist":
            try:
                time.sleep(100)
            except SystemExit as error:
                raise ValueError from error
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "refuse":
            raise ConfigError("no such thing")
        if what == "fail":
            raise ZeroDivisionError
        return what

    return Breaker(answer, name="breaker")


def make_parent(file: str) -> Agent:
    """Forks a process that keeps all files open, and dies."""

    def answer(conversation: Conversation, seed: int) -> str:
        child = os.fork()
        if not child:
            time.sleep(100)
        Path(file).write_text(str(child))
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    return Streamer(answer)


def make_refuser() -> Agent:
    raise ConfigError("no such thing")


def make_recorder(folder: str) -> Agent:
    """Takes a while to close, and leaves a file."""
    agent = make_breaker()

    def close() -> None:
        time.sleep(0.5)
        (Path(folder) / f"{os.environ['COPY']}-{os.getpid()}").touch()

    agent.close = close  # type: ignore[method-assign]
    return agent


def copies(count: int, factory: str, **settings: object) -> Replicas:
    return Replicas(f"{__name__}:{factory}", settings, [{"COPY": str(i)} for i in range(count)])


def ask(text: str) -> Conversation:
    return ({"role": "system", "content": "The same for all."}, {"role": "user", "content": text})


def requests(*texts: str) -> dict[int, tuple[Conversation, int]]:
    return {key: (ask(text), key) for key, text in enumerate(texts)}


def end(key: int, reply: Reply) -> Requests:
    return {}


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
        later: list[Conversation] = [
            (*said, {"role": "assistant", "content": "?"}, ask("again")[1]) for said in asked
        ]
        assert who(agent.act(later[::-1], SAMPLING)) == who(replies)[::-1], "away from its prefix cache"
        assert agent.act([], SAMPLING) == []
        many = who(agent.act([asked[0]] * 9, SAMPLING))
        assert [many.count(copy) for copy in "012"] == [3, 3, 3], "one copy alone drew all samples"
    finally:
        agent.close()


def test_not_every_conversation_is_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rise_agents.replicas._MOST_HOMES", 4)
    agent = copies(2, "make_teller")
    try:
        agent.act([ask(f"question {i}") for i in range(10)], SAMPLING)
        assert 0 < len(agent._homes) <= 4
    finally:
        agent.close()


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
                Asker().ask(agent, [ask(text) for text in what], SAMPLING, range(8))
            return
        replies = Asker().ask(agent, [ask(text) for text in what], SAMPLING, range(8))
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

    try:
        for _ in range(2):
            with pytest.raises((AgentError, ConfigError), match=r"ZeroDivisionError|^no such thing$"):
                agent.stream(requests(question, "fine", "fine"), SAMPLING, follow)
            heard.clear()
            assert texts(agent.act([ask("one"), ask("two")], SAMPLING, [0, 0])) == ["one", "two"]
            agent.stream(
                requests("1", "2", "3", "4"), SAMPLING, lambda key, reply: heard.append(reply.text) or {}
            )
            assert sorted(heard) == ["1", "2", "3", "4"]
    finally:
        agent.close()


def test_what_the_listener_of_a_stream_raises_stops_every_copy_at_its_next_reply() -> None:
    agent = copies(3, "make_breaker")
    heard: list[int] = []

    def fail(key: int, reply: Reply) -> Requests:
        heard.append(key)
        if len(heard) == 2:
            raise KeyError("mine")
        return {key: (ask("fine"), 0)}

    try:
        for bad in (fail, lambda *_: None, lambda *_: {7: None}, lambda *_: {7: lambda: "cannot be sent"}):
            heard.clear()
            with pytest.raises((KeyError, TypeError)):
                agent.stream(requests(*["fine"] * 9), SAMPLING, bad)
            assert len(heard) == 2 * (bad is fail), "it heard more"
            assert texts(agent.act([ask("one"), ask("two")], SAMPLING, [0, 0])) == ["one", "two"]
        agent.stream(requests("fine"), SAMPLING, end)
    finally:
        agent.close()


def closed(agent: Replicas, why: str) -> None:
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
    with pytest.raises(AgentError, match="^copy 1 of the agent ended with exit code -9$"):
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


def test_a_streamed_rollout_is_that_of_one_agent_in_lock_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def played(agent: Agent) -> list[Trajectory]:
        plan = [TurnPlan(agent), TurnPlan(agent, 4), TurnPlan(ScriptedAgent(wrong)), TurnPlan(agent)]
        return rollout(plan, envs(12, max_turns=4), range(12), SAMPLING, seed=3)

    agent = copies(3, "make_lucky")
    monkeypatch.setattr(agent, "act", lambda *_: pytest.fail("not streamed"))
    try:
        assert isinstance(agent, StreamingAgent)
        assert agent.in_flight == 3 * 7
        expected = played(SeededAgent(luck))
        assert {len(episode.turns) for episode in expected} >= {1, 2, 4}
        assert played(agent) == expected
    finally:
        agent.close()


def test_a_stream_is_shared_and_what_follows_stays_with_its_copy() -> None:
    agent = copies(3, "make_streamer")
    heard: dict[int, Reply] = {}

    def follow(key: int, reply: Reply) -> Requests:
        heard[key] = reply
        return {key + 9: (ask(f"question {key + 9}"), key)} if key < 18 else {}

    try:
        agent.stream(requests(*[f"question {i}" for i in range(9)]), SAMPLING, follow)
        replies = [heard.pop(i) for i in range(27)]
        assert not heard
        assert [reply.text.partition(": ")[2] for reply in replies] == [f"question {i}" for i in range(27)]
        assert [who(replies[:9]).count(copy) for copy in "012"] == [3, 3, 3]
        assert who(replies) == who(replies[:9]) * 3
        later = [ask(f"question {i}") for i in range(27)]
        assert who(agent.act(later[::-1], SAMPLING, [0] * 27)) == who(replies)[::-1], "not at home"
        agent.stream({}, SAMPLING, end)
        agent.stream({key: (later[key], 0) for key in range(26, 17, -1)}, SAMPLING, follow)
        assert who([heard[i] for i in range(18, 27)]) == who(replies[18:]), "not at home"
    finally:
        agent.close()


def test_a_slow_copy_holds_up_no_other(tmp_path: Path) -> None:
    agent = copies(3, "make_waiter", file=str(tmp_path / "go"))
    heard: list[Reply] = []

    def follow(key: int, reply: Reply) -> Requests:
        heard.append(reply)
        if len(heard) == 22:  # the slow one has one of the three, the others have done the rest
            (tmp_path / "go").touch()
        return {key + 3: (ask("?"), key)} if len(heard) <= 20 else {}

    try:
        agent.stream(requests("?", "?", "?"), SAMPLING, follow)
        assert len(heard) == 23
        assert heard[-1].text == "0: done"
        assert who(heard).count("0") == 1
    finally:
        agent.close()


def test_copies_stream_where_their_agents_do() -> None:
    agent = copies(1, "make_teller")
    assert agent.in_flight == 0
    agent.close()


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
        "from rise_agents.base import SamplingConfig\n"
        "from rise_agents.replicas import Replicas\n"
        "heard = []\n"
        "requests = {0: (({'role': 'user', 'content': 'fine'},), 0)}\n"
        "def go_on(key, reply):\n"
        "    print('ready', flush=True) if not heard else None\n"
        "    heard.append(key)\n"
        "    return requests\n"
        "def main():\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in jobs of a shell
        "    agent = Replicas(sys.argv[1], {'folder': sys.argv[2]}, [{'COPY': '0'}])\n"
        f"    {work}\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script), f"{__name__}:make_recorder", str(tmp_path)],
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
