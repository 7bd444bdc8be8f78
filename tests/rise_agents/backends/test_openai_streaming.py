"""`OpenAIAgent` while it is given further requests: order, reply_log, cap and errors."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rise_agents.client.rate_limit import RateLimiter
from rise_agents.client.reply_log import ReplyLog
from rise_agents.rollout.rollout import TurnPlan, rollout
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
    until,
)
from tests.rise_agents.fake_agents import attempts_in, envs, number_in

openai_agent = pytest.importorskip("rise_agents.backends.openai_agent")
pytest.importorskip("openai")

SAMPLING = SamplingConfig(max_new_tokens=50)


class Chains:
    """Hears: after the reply to "3.0" it asks "3.1", and so on."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.heard: list[tuple[int, Reply]] = []
        self.threads: set[int] = set()

    def __call__(self, key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        self.threads.add(threading.get_ident())
        self.heard.append((key, reply))
        turn = sum(k == key for k, _ in self.heard)
        return {key: chain(key, turn)} if turn < self.length else {}


def chain(key: int, turn: int = 0) -> tuple[Conversation, int]:
    return ({"role": "user", "content": f"{key}.{turn}"},), key


def chains(count: int) -> dict[int, tuple[Conversation, int]]:
    return {key: chain(key) for key in range(count)}


def test_a_stream_is_depth_first_and_heard_where_it_was_called(healthy: FaultyServer) -> None:
    agent, on_reply = agent_of(healthy, max_concurrent_requests=1), Chains(3)
    assert isinstance(agent, StreamingAgent)
    agent.stream(chains(4), SAMPLING, on_reply)
    agent.close()
    order = [f"{key}.{turn}" for key in range(4) for turn in range(3)]
    assert [body["messages"][0]["content"] for body in healthy.bodies] == order
    assert [(key, reply.text) for key, reply in on_reply.heard] == [
        (int(t[0]), f"reply to {t}") for t in order
    ]
    assert on_reply.threads == {threading.get_ident()}


def test_a_stream_has_as_many_requests_in_flight_as_allowed_and_never_more() -> None:
    together, one_more, lock, flying, most = threading.Barrier(3), threading.Event(), threading.Lock(), 0, 0

    def begin(label: str) -> list[Fault]:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        if most > 3:
            one_more.set()
        return [wait] if label in {"0.0", "1.0", "2.0"} else []

    def wait(handler: Handler) -> bool:
        together.wait(20)
        one_more.wait(0.2)
        return False

    def end(label: str) -> str:
        nonlocal flying
        with lock:
            flying -= 1
        return label

    with serving(begin, reply=end) as server:
        agent, on_reply = agent_of(server, max_concurrent_requests=3, attempts=1), Chains(3)
        agent.stream(chains(9), SAMPLING, on_reply)
        agent.close()
    assert most == 3
    assert sorted(reply.text for _, reply in on_reply.heard) == [
        f"{k}.{t}" for k in range(9) for t in range(3)
    ]


def test_other_episodes_go_on_while_one_waits_for_its_reply() -> None:
    others_are_over = threading.Event()
    served = 0

    def reply(label: str) -> str:
        nonlocal served
        served += not label.startswith("0/")  # one at a time: the first episode has the other place
        if served == 5 * 4:
            others_are_over.set()
        return "\\boxed{-1}"

    with serving(lambda label: [until(others_are_over)] * (label[:4] == "0/0/"), of_rollout, reply) as server:
        agent = agent_of(server, max_concurrent_requests=2, attempts=1)
        made = rollout([TurnPlan(agent)] * 4, envs(6), range(6), SAMPLING, seed=0)
        agent.close()
    assert [(trajectory.error, len(trajectory.turns)) for trajectory in made] == [(None, 4)] * 6


def of_rollout(body: Any) -> str:
    """Label a request of a rollout: problem, turn and seed."""
    return f"{number_in(body['messages'])}/{attempts_in(body['messages'])}/{body['seed']}"


def by_luck(label: str) -> str:
    number, _, seed = map(int, label.split("/"))
    return f"\\boxed{{{2 * number if seed % 5 == 0 else -(seed % 7) - 1}}}"


def test_a_streamed_rollout_over_a_faulty_server_is_that_of_lock_step(quick: None) -> None:
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


def test_a_streamed_reply_is_in_the_journal_before_it_is_heard(tmp_path: Path, healthy: FaultyServer) -> None:
    reply_log = str(tmp_path / "j.jsonl")

    class Doubting(Chains):
        def __call__(self, key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
            assert reply in ReplyLog(reply_log)._replies.values()
            return super().__call__(key, reply)

    hears = [Doubting(3), Doubting(5)]
    for on_reply in hears:  # the second run is told the first three of each chain by the journal
        agent = agent_of(healthy, reply_log=reply_log, max_concurrent_requests=4)
        agent.stream(chains(6), SAMPLING, on_reply)
        agent.close()
    assert [len(on_reply.heard) for on_reply in hears] == [18, 30]
    assert len(healthy.tries) == 30
    assert set(healthy.tries.values()) == {1}


@pytest.mark.parametrize("max_concurrent_requests", [1, 3])
def test_the_cap_ends_a_stream_and_what_was_paid_for_is_in_the_journal(
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
    assert 0 <= paid - len(on_reply.heard) < max_concurrent_requests
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


def test_a_stream_that_ends_waits_for_no_pace(healthy: FaultyServer) -> None:
    pauses: list[object] = []

    class Noting(RateLimiter):
        def wait(self, tokens: int, sleep: Callable[[float], object] = time.sleep) -> None:
            super().wait(tokens, lambda seconds: pauses.append(sleep(seconds)))

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        raise KeyError(key)

    agent = agent_of(healthy, max_concurrent_requests=3)
    agent._pace = Noting(per_minute=3)  # the second request may start after 20 s, the third after 40 s
    with pytest.raises(KeyError):
        agent.stream(chains(9), SAMPLING, on_reply)
    agent.close()
    assert pauses == [True, True]  # the event was set; a wait to the end would be False or None
    assert sum(healthy.tries.values()) == 1


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_what_hear_raises_ends_a_stream_after_the_replies_in_flight(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    raised, three = threading.Event(), threading.Barrier(3)

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        raised.set()
        raise kind("enough")

    def faults(label: str) -> list[Fault]:
        return [together(three, passing if label == "0.0" else until(raised))]

    with serving(faults) as server:
        agent = agent_of(server, max_concurrent_requests=3, reply_log=str(tmp_path / "j.jsonl"))
        with pytest.raises(kind, match="enough"):
            agent.stream(chains(9), SAMPLING, on_reply)
        assert sorted(server.successes) == ["0.0", "1.0", "2.0"]
        assert len(ReplyLog(tmp_path / "j.jsonl")) == 3
        agent.close()
    assert sorted(server.tries) == ["0.0", "1.0", "2.0"]


def test_a_stream_that_ends_tries_nothing_again() -> None:
    failed = threading.Event()

    def slow_down(handler: Handler) -> bool:
        failed.set()
        return status(429, retry_after="250")(handler)

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        raise KeyError(key)

    with serving(lambda label: [slow_down] if label == "1.0" else [until(failed)]) as server:
        agent = agent_of(server, max_concurrent_requests=2)
        with pytest.raises(KeyError):
            agent.stream(chains(2), SAMPLING, on_reply)
        agent.close()
    assert server.tries == {"0.0": 1, "1.0": 1}


def test_an_interrupt_ends_a_stream_after_the_replies_in_flight(tmp_path: Path) -> None:
    interrupted, three = threading.Event(), threading.Barrier(3)

    def interrupt(handler: Handler) -> bool:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        interrupted.set()
        return False

    def faults(label: str) -> list[Fault]:
        return [together(three, interrupt if label == "2.0" else until(interrupted))]

    with serving(faults) as server:
        agent, on_reply = (
            agent_of(server, max_concurrent_requests=3, reply_log=str(tmp_path / "j.jsonl")),
            Chains(2),
        )
        with pytest.raises(KeyboardInterrupt):
            agent.stream(chains(9), SAMPLING, on_reply)
        assert len(ReplyLog(tmp_path / "j.jsonl")) == 3
        agent.close()
    assert sorted(server.tries) == ["0.0", "1.0", "2.0"]


def test_a_streamed_request_that_never_succeeds_is_heard_like_others(quick: None) -> None:
    with serving(lambda label: [status(500)] * 9 if label == "1.0" else []) as server:
        agent, on_reply = agent_of(server, attempts=3), Chains(2)
        agent.stream(chains(3), SAMPLING, on_reply)
        agent.close()
    heard = sorted((key, reply.finish) for key, reply in on_reply.heard)
    assert heard == [(0, "stop"), (0, "stop"), (1, "error"), (1, "stop"), (2, "stop"), (2, "stop")]
    assert server.tries["1.0"] == 3
