"""Servers that answer nothing, or nothing that can be read: the run ends after a few requests."""

import threading
from pathlib import Path
from typing import Any

import pytest

from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError, DeadAgentError
from tests.rise_agents.backends.faulty_server import (
    Fault,
    FaultyServer,
    agent_of,
    chat,
    cut,
    garbled,
    serving,
    status,
    trusting_agent_of,
)
from tests.rise_agents.backends.test_openai_agent import SAMPLING, asked
from tests.rise_agents.fake_agents import envs

pytest.importorskip("openai")


def answer(status: int, **error: Any) -> Fault:
    """Answer with this error."""

    def fault(handler: Any) -> bool:
        handler.answer(status, {"error": error})
        return True

    return fault


def play(server: FaultyServer, **settings: Any) -> None:
    """Play 64 episodes of two turns."""
    agent = agent_of(server, **settings)
    try:
        rollout([TurnPlan(agent)] * 2, envs(64), range(64), SAMPLING, seed=0)
    finally:
        agent.close()


NO_REPLY = {**chat(""), "choices": []}
UNREADABLE = {
    "no reply": garbled(NO_REPLY),
    "no choices": garbled({"id": "1", "usage": chat("")["usage"]}),
    "a page": garbled(b"<html>welcome</html>"),
    "half": garbled(b'{"id": "1", "cho'),
    "a list": garbled([chat("4")]),
    "unknown content": garbled({**chat(""), "choices": [{"message": {"content": {"deep": "4"}}}]}),
    "unknown parts": garbled({**chat(""), "choices": [{"message": {"content": [{"type": "song"}]}}]}),
    "an error": garbled({"error": {"message": "upstream failed", "code": 502}}),
    "an error in the choice": garbled(
        {**chat(""), "choices": [{"message": {"content": ""}, "error": {"code": 502, "message": "upstream"}}]}
    ),
    "an error as finish reason": garbled(chat("", finish="error")),
}


@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE)
def test_a_server_whose_answers_nobody_can_read_is_asked_four_times(fault: Fault, short_waits: None) -> None:
    with serving(lambda label: [fault] * 99) as server, pytest.raises(DeadAgentError) as caught:
        play(server)
    assert sum(server.tries.values()) == 4
    assert len(server.tries) == 2  # another request is tried, in case that the first one is the fault
    assert (
        f"all of the first 4 tries failed, the last one with: {server.url}/chat/completions answered"
        in str(caught.value)
    )


@pytest.mark.parametrize(
    ("fault", "tries"), [(status(500), 4), (status(502), 4), (cut, 4), (status(503), 8), (status(429), 8)]
)
def test_a_server_that_fails_from_the_start_is_asked_four_times_and_a_busy_one_eight_times(
    fault: Fault, tries: int, short_waits: None
) -> None:
    with serving(lambda label: [fault] * 99) as server, pytest.raises(DeadAgentError):
        play(server)
    assert sum(server.tries.values()) == tries


def test_a_server_that_rejects_each_request_is_asked_four_times(short_waits: None) -> None:
    with (
        serving(lambda label: [status(400)] * 9) as server,
        pytest.raises(DeadAgentError, match="status 400"),
    ):
        play(server)
    assert sum(server.tries.values()) == len(server.tries) == 4


def test_a_server_for_whom_each_prompt_is_too_long_is_asked_four_times(short_waits: None) -> None:
    fault = answer(400, code="context_length_exceeded", message="maximum context length is 10 tokens")
    with serving(lambda label: [fault] * 9) as server, pytest.raises(DeadAgentError, match="maximum context"):
        play(server)
    assert sum(server.tries.values()) == 4


@pytest.mark.parametrize(
    "fault",
    [
        answer(401, message="wrong key"),
        answer(402, message="no credits"),
        answer(403, message="not yours"),
        answer(404, message="no such model"),
        answer(429, type="insufficient_quota", code="insufficient_quota", message="check your plan"),
        garbled({"error": {"message": "no such key", "code": 401}}),
    ],
)
def test_what_no_retry_can_mend_ends_the_run_at_once(fault: Fault) -> None:
    with (
        serving(lambda label: [fault] * 9) as server,
        pytest.raises(ConfigError, match=r"the server refuses 'm': http://.*/chat/completions answered with"),
    ):
        play(server)
    assert sum(server.tries.values()) == 1


def test_one_request_is_sent_before_the_others() -> None:
    running, most, lock = 0, [0], threading.Lock()
    answered = threading.Event()

    def faults(label: str) -> list[Fault]:
        nonlocal running
        with lock:
            running += 1
            if not answered.is_set():
                most[0] = max(most[0], running)
        return []

    def reply(label: str) -> str:
        answered.set()
        return label

    with serving(faults, reply=reply) as server:
        agent = agent_of(server, max_concurrent_requests=8)
        agent.act(asked(20), SAMPLING, list(range(20)))
        agent.close()
    assert most == [1]


@pytest.mark.parametrize("max_failures", [3, 8])
def test_a_server_that_dies_during_a_run_ends_it_soon(short_waits: None, max_failures: int) -> None:
    with serving(lambda label: [status(500)] * 99) as server:
        agent = trusting_agent_of(server, max_failures=max_failures, max_concurrent_requests=16)
        with pytest.raises(DeadAgentError, match=f"{2 * max_failures} tries in a row failed"):
            rollout([TurnPlan(agent)], envs(100), range(100), SAMPLING, seed=0)
        agent.close()
    assert 2 * max_failures <= sum(server.tries.values()) <= 2 * max_failures + 16


def test_a_dead_server_is_asked_again_by_the_next_call(short_waits: None) -> None:
    with serving(lambda label: [status(500)] * 4) as server:
        agent = agent_of(server)
        with pytest.raises(DeadAgentError):
            agent.act(asked(1), SAMPLING, [0])
        assert agent.act(asked(1), SAMPLING, [0])[0].text == "reply to 0"
        agent.close()


def test_the_first_request_may_be_one_that_always_fails(short_waits: None) -> None:
    with serving(lambda label: [status(500)] * 99 if label == "0" else []) as server:
        agent = agent_of(server, max_concurrent_requests=4)
        replies = agent.act(asked(30), SAMPLING, list(range(30)))
        agent.close()
    assert [reply.finish for reply in replies] == ["error"] + ["stop"] * 29


def test_errors_name_the_url_and_the_cause_and_not_the_password(short_waits: None, tmp_path: Path) -> None:
    with serving(lambda label: []) as server:
        port = server.server_address[1]
    for target, said in {
        f"m@http://me:hunter2@127.0.0.1:{port}/v1/": "the connection was refused",
        f"m@https://127.0.0.1:{port}/v1": "the connection was refused",
        "m@http://no-such-host.invalid/v1": "no-such-host.invalid/v1/chat/completions: ",
    }.items():
        agent = load_agent(f"openai:{target}", attempts=4)
        with pytest.raises(DeadAgentError) as caught:
            agent.act(asked(1), SamplingConfig(max_new_tokens=5), [0])
        agent.close()
        assert said in str(caught.value)
        assert "/v1/chat/completions" in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_a_tls_error_and_a_proxy_are_named(short_waits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda label: []) as server:
        port = server.server_address[1]
        agent = load_agent(f"openai:m@https://127.0.0.1:{port}/v1")
        with pytest.raises(DeadAgentError, match=r"https://127.*: the TLS connection failed: "):
            agent.act(asked(1), SAMPLING, [0])
        agent.close()
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{port}")
        agent = load_agent("openai:m@https://model.invalid/v1")
        with pytest.raises(
            DeadAgentError, match=r"the proxy 127.0.0.1:\d+ refused the connection: "
        ) as caught:
            agent.act(asked(1), SAMPLING, [0])
        agent.close()
        assert "secret" not in str(caught.value)
