"""`OpenAIAgent.stream`: the order of requests, the reply log, the cap and errors."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rise_agents.client.rate_limit import RateLimiter
from rise_agents.client.reply_log import ReplyLog
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply, SamplingConfig, StreamingAgent
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from tests.rise_agents.backends.faulty_server import (
    PASSING,
    Fault,
    FaultyServer,
    Handler,
    agent_of,
    passing,
    serving,
    status,
    together,
    trusting_agent_of,
    until,
)
from tests.rise_agents.fake_agents import attempts_in, envs, number_in
from tests.waiting import PATIENCE_S

openai_agent = pytest.importorskip("rise_agents.backends.openai_agent")
pytest.importorskip("openai")

SAMPLING = SamplingConfig(max_new_tokens=50)


class Chains:
    """A callback that requests "3.1" after the reply to "3.0", and so on."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.received: list[tuple[int, Reply]] = []
        self.threads: set[int] = set()

    def __call__(self, key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        self.threads.add(threading.get_ident())
        self.received.append((key, reply))
        turn = sum(k == key for k, _ in self.received)
        return {key: chain(key, turn)} if turn < self.length else {}


def chain(key: int, turn: int = 0) -> tuple[Conversation, int]:
    return ({"role": "user", "content": f"{key}.{turn}"},), key


def chains(count: int) -> dict[int, tuple[Conversation, int]]:
    return {key: chain(key) for key in range(count)}


def test_a_stream_is_depth_first_and_calls_back_in_the_thread_of_the_caller(healthy: FaultyServer) -> None:
    agent, on_reply = agent_of(healthy, max_concurrent_requests=1), Chains(3)
    assert isinstance(agent, StreamingAgent)
    agent.stream(chains(4), SAMPLING, on_reply)
    agent.close()
    order = [f"{key}.{turn}" for key in range(4) for turn in range(3)]
    assert [body["messages"][0]["content"] for body in healthy.bodies] == order
    assert [(key, reply.text) for key, reply in on_reply.received] == [
        (int(t[0]), f"reply to {t}") for t in order
    ]
    assert on_reply.threads == {threading.get_ident()}


def test_a_stream_uses_all_allowed_concurrent_requests_and_no_more() -> None:
    together, one_more, lock, running, most = threading.Barrier(3), threading.Event(), threading.Lock(), 0, 0

    def begin(label: str) -> list[Fault]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if most > 3:
            one_more.set()
        return [wait] if label in {"0.0", "1.0", "2.0"} else []

    def wait(handler: Handler) -> bool:
        together.wait(PATIENCE_S)
        one_more.wait(0.2)
        return False

    def end(label: str) -> str:
        nonlocal running
        with lock:
            running -= 1
        return label

    with serving(begin, reply=end) as server:
        agent, on_reply = trusting_agent_of(server, max_concurrent_requests=3, attempts=1), Chains(3)
        agent.stream(chains(9), SAMPLING, on_reply)
        agent.close()
    assert most == 3
    assert sorted(reply.text for _, reply in on_reply.received) == [
        f"{k}.{t}" for k in range(9) for t in range(3)
    ]


def test_other_episodes_continue_while_one_waits_for_its_reply() -> None:
    others_are_over = threading.Event()
    served = 0

    def reply(label: str) -> str:
        nonlocal served
        served += not label.startswith("0/")  # one at a time: the first episode has the other place
        if served == 5 * 4:
            others_are_over.set()
        return "\\boxed{-1}"

    with serving(lambda label: [until(others_are_over)] * (label[:4] == "0/0/"), of_rollout, reply) as server:
        agent = trusting_agent_of(server, max_concurrent_requests=2, attempts=1)
        made = rollout([TurnPlan(agent)] * 4, envs(6), range(6), SAMPLING, seed=0)
        agent.close()
    assert [(trajectory.error, len(trajectory.turns)) for trajectory in made] == [(None, 4)] * 6


def of_rollout(body: Any) -> str:
    """Label a request of a rollout: problem, turn and seed."""
    return f"{number_in(body['messages'])}/{attempts_in(body['messages'])}/{body['seed']}"


def by_luck(label: str) -> str:
    number, _, seed = map(int, label.split("/"))
    return f"\\boxed{{{2 * number if seed % 5 == 0 else -(seed % 7) - 1}}}"


def test_a_streamed_rollout_over_a_faulty_server_is_that_of_lock_step(short_waits: None) -> None:
    def faults(label: str) -> list[Fault]:
        kind = int(label.split("/")[2]) % (len(PASSING) + 1)
        return PASSING[kind : kind + 1] * 2

    played, asked = [], []
    for max_concurrent_requests in (8, 0):
        with serving(faults, of_rollout, by_luck) as server:
            agent = agent_of(server, max_concurrent_requests=8)
            agent.max_concurrent_requests = max_concurrent_requests
            plan = [TurnPlan(agent), TurnPlan(agent), TurnPlan(agent, num_samples=4)]
            played.append(rollout(plan, envs(12), range(12), SAMPLING, seed=1))
            agent.close()
        assert set(server.successes.values()) == {1}
        assert server.tries == {label: 1 + len(faults(label)) for label in server.successes}
        asked.append(server.tries)
    assert played[0] == played[1]
    assert asked[0] == asked[1]
    assert {trajectory.error for trajectory in played[0]} == {None}
    assert {len(trajectory.turns) for trajectory in played[0]} == {1, 2, 3}
    assert sum(asked[0].values()) > 2 * len(asked[0])


def test_a_streamed_reply_is_in_the_log_before_the_callback_runs(
    tmp_path: Path, healthy: FaultyServer
) -> None:
    reply_log = str(tmp_path / "j.jsonl")

    class CheckingLog(Chains):
        def __call__(self, key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
            assert reply in ReplyLog(reply_log)._replies.values()
            return super().__call__(key, reply)

    callbacks = [CheckingLog(3), CheckingLog(5)]
    for on_reply in callbacks:  # in the second run, the log answers the first three of each chain
        agent = agent_of(healthy, reply_log=reply_log, max_concurrent_requests=4)
        agent.stream(chains(6), SAMPLING, on_reply)
        agent.close()
    assert [len(on_reply.received) for on_reply in callbacks] == [18, 30]
    assert len(healthy.tries) == 30
    assert set(healthy.tries.values()) == {1}


@pytest.mark.parametrize("max_concurrent_requests", [1, 3])
def test_the_cap_ends_a_stream_and_every_billed_reply_is_in_the_log(
    tmp_path: Path, healthy: FaultyServer, max_concurrent_requests: int
) -> None:
    # a request may cost 50 dollars and costs 4: see the cap in a batch
    reply_log, prices = str(tmp_path / "j.jsonl"), {"completion": 1e6}
    on_reply = Chains(5)
    agent = agent_of(
        healthy,
        max_usd=200.0,
        prices=prices,
        max_concurrent_requests=max_concurrent_requests,
        reply_log=reply_log,
    )
    with pytest.raises(ConfigError, match=r"the cap of \$200 is reached"):
        agent.stream(chains(20), SAMPLING, on_reply)
    agent.close()
    paid = sum(healthy.successes.values())
    assert len(ReplyLog(reply_log)) == paid == agent.spent / 4
    assert 0 <= paid - len(on_reply.received) < max_concurrent_requests
    assert (200 - 50 * max_concurrent_requests) / 4 < paid <= (200 - 50) / 4 + 1
    richer = agent_of(
        healthy,
        max_usd=1000.0,
        prices=prices,
        max_concurrent_requests=max_concurrent_requests,
        reply_log=reply_log,
    )
    richer.stream(chains(20), SAMPLING, Chains(5))
    richer.close()
    assert len(healthy.tries) == 100
    assert set(healthy.tries.values()) == {1}


def test_a_stream_that_ends_does_not_wait_for_the_rate_limiter() -> None:
    pauses: list[object] = []
    others_wait = threading.Event()

    class RecordingLimiter(RateLimiter):
        waiting = 0

        def wait(self, tokens: int, sleep: Callable[[float], object] = time.sleep) -> None:
            super().wait(tokens, lambda seconds: self.pause(seconds, sleep))

        def pause(self, seconds: float, sleep: Callable[[float], object]) -> None:
            self.waiting += 1
            if self.waiting == 2:
                others_wait.set()
            pauses.append(sleep(seconds))

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        raise KeyError(key)

    with serving(lambda label: [until(others_wait)]) as server:
        agent = trusting_agent_of(server, max_concurrent_requests=3)
        # the second request may start after 20 s, the third after 40 s
        agent._rate_limiter = RecordingLimiter(per_minute=3)
        with pytest.raises(KeyError):
            agent.stream(chains(9), SAMPLING, on_reply)
        agent.close()
    assert pauses == [True, True]  # the event was set; a wait to the end would be False or None
    assert sum(server.tries.values()) == 1


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_an_exception_of_the_callback_ends_a_stream_after_the_running_requests(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    raised, three = threading.Event(), threading.Barrier(3)

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        raised.set()
        raise kind("enough")

    def faults(label: str) -> list[Fault]:
        return [together(three, passing if label == "0.0" else until(raised))]

    with serving(faults) as server:
        agent = trusting_agent_of(server, max_concurrent_requests=3, reply_log=str(tmp_path / "j.jsonl"))
        with pytest.raises(kind, match="enough"):
            agent.stream(chains(9), SAMPLING, on_reply)
        assert sorted(server.successes) == ["0.0", "1.0", "2.0"]
        assert len(ReplyLog(tmp_path / "j.jsonl")) == 3
        agent.close()
    assert sorted(server.tries) == ["0.0", "1.0", "2.0"]


def test_a_stream_that_ends_retries_nothing() -> None:
    failed = threading.Event()

    def slow_down(handler: Handler) -> bool:
        failed.set()
        return status(429, retry_after="250")(handler)

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        raise KeyError(key)

    with serving(lambda label: [slow_down] if label == "1.0" else [until(failed)]) as server:
        agent = trusting_agent_of(server, max_concurrent_requests=2)
        with pytest.raises(KeyError):
            agent.stream(chains(2), SAMPLING, on_reply)
        agent.close()
    assert server.tries == {"0.0": 1, "1.0": 1}


def test_an_interrupt_ends_a_stream_after_the_running_requests(tmp_path: Path) -> None:
    interrupted, three = threading.Event(), threading.Barrier(3)

    def interrupt(handler: Handler) -> bool:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        interrupted.set()
        return False

    def faults(label: str) -> list[Fault]:
        return [together(three, interrupt if label == "2.0" else until(interrupted))]

    with serving(faults) as server:
        agent, on_reply = (
            trusting_agent_of(server, max_concurrent_requests=3, reply_log=str(tmp_path / "j.jsonl")),
            Chains(2),
        )
        with pytest.raises(KeyboardInterrupt):
            agent.stream(chains(9), SAMPLING, on_reply)
        assert len(ReplyLog(tmp_path / "j.jsonl")) == 3
        agent.close()
    assert sorted(server.tries) == ["0.0", "1.0", "2.0"]


def test_a_streamed_request_that_never_succeeds_is_passed_to_the_callback(short_waits: None) -> None:
    with serving(lambda label: [status(500)] * 9 if label == "1.0" else []) as server:
        agent, on_reply = agent_of(server, attempts=3), Chains(2)
        agent.stream(chains(3), SAMPLING, on_reply)
        agent.close()
    received = sorted((key, reply.finish) for key, reply in on_reply.received)
    assert received == [(0, "stop"), (0, "stop"), (1, "error"), (1, "stop"), (2, "stop"), (2, "stop")]
    assert server.tries["1.0"] == 3
