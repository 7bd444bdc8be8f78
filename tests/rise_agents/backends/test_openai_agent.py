import re
import threading
from pathlib import Path

import pytest

from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.errors import AgentError, ConfigError, StoreError
from rise_env.types import Conversation, Usage
from tests.rise_agents.backends.faulty_server import (
    PASSING,
    Fault,
    FaultyServer,
    agent_of,
    chat,
    counted,
    full_disk,
    garbled,
    serving,
    slow,
    status,
    trusting_agent_of,
    until,
)
from tests.rise_agents.fake_agents import envs

openai_agent = pytest.importorskip("rise_agents.backends.openai_agent")
pytest.importorskip("openai")

SAMPLING = SamplingConfig(max_new_tokens=50)
FIELDS: dict[str, object] = {"top_k": 20, "min_p": 0.1}


def asked(count: int) -> list[Conversation]:
    return [({"role": "user", "content": str(i)},) for i in range(count)]


def test_a_healthy_server_answers_in_order(healthy: FaultyServer) -> None:
    agent = agent_of(healthy, max_concurrent_requests=8)
    replies = agent.act(
        asked(40), SamplingConfig(temperature=0.5, top_p=0.9, max_new_tokens=7), list(range(40))
    )
    assert [reply.text for reply in replies] == [f"reply to {i}" for i in range(40)]
    assert replies[0].usage.prompt_tokens == 10
    assert replies[0].usage.completion_tokens == 4
    body = next(body for body in healthy.bodies if body["messages"][0]["content"] == "3")
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "3"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "seed": 3,
    }
    agent.close()


def test_every_request_is_retried_until_it_succeeds_and_never_after(short_waits: None) -> None:
    def faults(text: str) -> list[Fault]:
        kind = int(text) % (len(PASSING) + 1)
        return PASSING[kind : kind + 1] * (1 + int(text) // 20)

    with serving(faults) as server:
        agent = agent_of(server, max_concurrent_requests=16)
        replies = agent.act(asked(45), SAMPLING, list(range(45)))
        agent.close()
    assert [reply.text for reply in replies] == [f"reply to {i}" for i in range(45)]
    assert set(server.successes.values()) == {1}
    assert len(server.successes) == 45
    assert [server.tries[str(i)] for i in range(45)] == [1 + len(faults(str(i))) for i in range(45)]


def test_retry_after_is_obeyed() -> None:
    with serving(lambda text: [status(429, retry_after="0.4")]) as server:
        agent = agent_of(server)
        agent.act(asked(1), SAMPLING, [1])
        agent.close()
    assert server.times[1] - server.times[0] >= 0.4


def test_a_request_that_times_out_is_retried(short_waits: None) -> None:
    with serving(lambda text: [slow(2.0)]) as server:
        agent = agent_of(server, timeout=1.5)
        [reply] = agent.act(asked(1), SAMPLING, [0])
        agent.close()
    assert reply.text == "reply to 0"
    assert server.tries["0"] >= 2  # on a busy machine, more than one try may time out


def test_a_request_that_never_succeeds_fails_alone(short_waits: None) -> None:
    with serving(lambda text: [status(500)] * 100 if text == "2" else []) as server:
        agent = agent_of(server, attempts=3)
        replies = agent.act(asked(4), SAMPLING, [0, 1, 2, 3])
        agent.close()
    assert [reply.finish for reply in replies] == ["stop", "stop", "error", "stop"]
    assert "status 500" in replies[2].text
    assert server.tries["2"] == 3


def test_a_rejected_request_is_not_retried() -> None:
    with serving(lambda text: [status(400)] * 9 if text == "0" else []) as server:
        agent = agent_of(server)
        replies = agent.act(asked(2), SAMPLING, [0, 1])
        agent.close()
    assert [reply.finish for reply in replies] == ["error", "stop"]
    assert server.tries["0"] == 1


@pytest.mark.parametrize("code", [401, 403, 404])
def test_a_refused_key_or_model_stops_the_run(code: int) -> None:
    with serving(lambda text: [status(code)] * 9) as server:
        agent = agent_of(server, max_concurrent_requests=1)
        with pytest.raises(ConfigError, match=f"the server refuses 'm'.*status {code}"):
            agent.act(asked(20), SAMPLING, list(range(20)))
        agent.close()
    assert sum(server.tries.values()) <= 2


def test_an_unreachable_server_ends_the_rollout_and_fails_no_episode(short_waits: None) -> None:
    with serving(lambda text: []) as server:
        agent = agent_of(server, attempts=2)
    with pytest.raises(AgentError, match=r"all of the first 4 tries failed.*the connection was refused"):
        rollout([TurnPlan(agent)], envs(3), range(3), SAMPLING, seed=0)
    agent.close()


def test_the_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-very-secret")

    def leak(handler: object) -> bool:
        handler.answer(400, {"error": {"message": "bad key sk-very-secret"}})  # type: ignore[attr-defined]
        return True

    with serving(lambda text: [leak] * 9) as server:
        agent = agent_of(server, key_variable="MY_KEY")
        [reply] = agent.act(asked(1), SAMPLING, [1])
        agent.close()
    assert "Bearer sk-very-secret" in server.headers[0]
    assert "secret" not in reply.text
    assert "***" in reply.text
    assert "secret" not in agent.name + repr(agent)


def test_with_a_reply_log_no_reply_is_paid_for_twice(tmp_path: Path, healthy: FaultyServer) -> None:
    reply_log = str(tmp_path / "j.jsonl")
    first = agent_of(healthy, reply_log=reply_log)
    replies = first.act(asked(6), SAMPLING, list(range(6)))
    first.close()
    second = agent_of(healthy, reply_log=reply_log)
    assert second.act(asked(8), SAMPLING, list(range(8)))[:6] == replies
    second.close()
    assert set(healthy.tries.values()) == {1}
    assert len(healthy.tries) == 8


def test_a_reply_log_holds_no_failed_replies(tmp_path: Path) -> None:
    reply_log = str(tmp_path / "j.jsonl")
    with serving(lambda text: [status(500)]) as server:
        agent = agent_of(server, reply_log=reply_log, attempts=1)
        assert agent.act(asked(1), SAMPLING, [1])[0].finish == "error"
        assert agent.act(asked(1), SAMPLING, [1])[0].text == "reply to 0"
        agent.close()


def test_a_reply_log_numbers_repeated_requests_without_seeds(tmp_path: Path) -> None:
    others_served = threading.Event()
    numbers = iter("0123456")

    def reply(label: str) -> str:
        number = next(numbers)
        if number == "4":
            others_served.set()
        return number

    reply_log = str(tmp_path / "j.jsonl")
    with serving(lambda label: [until(others_served)], reply=reply) as server:
        agent = trusting_agent_of(server, reply_log=reply_log, max_concurrent_requests=6)
        replies = agent.act(asked(1) * 6, SAMPLING)
        agent.close()
        again = agent_of(server, reply_log=reply_log)
        assert again.act(asked(1) * 7, SAMPLING)[:6] == replies
        again.close()
    assert sorted(reply.text for reply in replies) == list("012345")
    assert server.tries["0"] == 7


def test_extra_fields_change_the_name_and_the_reply_log(tmp_path: Path, healthy: FaultyServer) -> None:
    reply_log = str(tmp_path / "j.jsonl")
    agents = [
        agent_of(healthy, extra=extra) for extra in ({}, FIELDS, dict([*FIELDS.items()][::-1]), {"a": 1})
    ]
    names = [agent.name for agent in agents]
    assert names[0] == "openai:m"
    assert names[1] == names[2] != names[3]
    assert re.fullmatch(r"openai:m\+[0-9a-f]{8}", names[1])
    agent_of(healthy, reply_log=reply_log).act(asked(1), SAMPLING, [1])
    with pytest.raises(StoreError, match=r"holds replies of 'openai:m', not of 'openai:m\+"):
        agent_of(healthy, reply_log=reply_log, extra=FIELDS)


@pytest.mark.parametrize(("first", "word"), [(False, "without"), (True, "with")])
def test_reply_logs_with_and_without_log_probabilities_are_not_mixed(
    tmp_path: Path, healthy: FaultyServer, first: bool, word: str
) -> None:
    reply_log = str(tmp_path / "j.jsonl")
    agent_of(healthy, reply_log=reply_log, logprobs=first).act(asked(1), SAMPLING, [1])
    agent_of(healthy, reply_log=reply_log, logprobs=first).act(asked(1), SAMPLING, [1])
    with pytest.raises(StoreError, match=f"replies {word} log-probabilities: set logprobs to {first}"):
        agent_of(healthy, reply_log=reply_log, logprobs=not first)


def test_a_full_disk_ends_the_run_and_keeps_the_earlier_replies_in_the_log(
    tmp_path: Path, healthy: FaultyServer
) -> None:
    reply_log = tmp_path / "j.jsonl"
    agent = agent_of(healthy, reply_log=str(reply_log), max_concurrent_requests=1)
    agent.act(asked(3), SAMPLING, [0, 1, 2])
    before = reply_log.read_bytes()
    with full_disk(len(before) + 30), pytest.raises(StoreError, match=r"cannot write to .*make room"):
        agent.act(asked(30), SAMPLING, list(range(30)))
    agent.close()
    assert reply_log.read_bytes() == before
    assert healthy.tries["3"] == 1
    assert len(healthy.tries) == 4
    again = agent_of(healthy, reply_log=str(reply_log))
    assert [reply.text for reply in again.act(asked(4), SAMPLING, [0, 1, 2, 3])][3] == "reply to 3"
    again.close()
    assert [healthy.tries[str(i)] for i in range(4)] == [1, 1, 1, 2]


def test_the_cap_on_cost_is_never_exceeded(tmp_path: Path, healthy: FaultyServer) -> None:
    # a token costs 1 dollar, so a request may cost 50 dollars and costs 4
    prices = {"completion": 1e6}
    agent = agent_of(
        healthy, max_usd=100.0, prices=prices, max_concurrent_requests=1, reply_log=str(tmp_path / "j.jsonl")
    )
    with pytest.raises(ConfigError, match=r"the cap of \$100 is reached: \$52\.0000 spent"):
        agent.act(asked(30), SAMPLING, list(range(30)))
    assert agent.spent == 52.0
    assert sum(healthy.tries.values()) == 13
    agent.close()
    richer = agent_of(healthy, max_usd=1000.0, prices=prices, reply_log=str(tmp_path / "j.jsonl"))
    assert len(richer.act(asked(30), SAMPLING, list(range(30)))) == 30
    assert set(healthy.tries.values()) == {1}
    richer.close()


def test_replies_in_the_log_count_towards_the_cap(tmp_path: Path, healthy: FaultyServer) -> None:
    settings = {"max_usd": 100.0, "prices": {"completion": 1e6}, "reply_log": str(tmp_path / "j.jsonl")}
    for _ in range(3):  # a request may cost 50 dollars and costs 4
        agent = agent_of(healthy, max_concurrent_requests=1, **settings)
        with pytest.raises(ConfigError, match=r"the cap of \$100 is reached: \$52\.0000 spent"):
            agent.act(asked(30), SAMPLING, list(range(30)))
        assert agent.spent == 52.0
        agent.close()
    assert sum(healthy.tries.values()) == 13


def test_requests_that_together_might_exceed_the_cap_run_one_after_another(healthy: FaultyServer) -> None:
    agent = agent_of(healthy, max_usd=60.0, prices={"completion": 1e6}, max_concurrent_requests=8)
    assert [reply.finish for reply in agent.act(asked(3), SAMPLING, [0, 1, 2])] == ["stop"] * 3
    assert agent.spent == 12.0
    agent.close()


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 10}, "much"], ids=str)
def test_a_reply_without_usage_is_billed_at_the_maximum(tmp_path: Path, usage: object) -> None:
    settings = {"max_usd": 120.0, "prices": {"completion": 1e6}, "reply_log": str(tmp_path / "j.jsonl")}
    with serving(lambda text: [counted(usage)] * 9) as server:
        for _ in range(2):
            agent = agent_of(server, max_concurrent_requests=1, **settings)
            with pytest.raises(ConfigError, match=r"\$100\.0000 spent"):
                agent.act(asked(30), SAMPLING, list(range(30)))
            agent.close()
    assert server.tries == {"0": 1, "1": 1}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": None, "completion_tokens": None}, Usage()),
        ({"prompt_tokens": 10.0, "completion_tokens": 4.5}, Usage(prompt_tokens=10, completion_tokens=4)),
        ({"prompt_tokens": "10", "completion_tokens": [4]}, Usage()),
        ({"prompt_tokens": -10, "completion_tokens": 4}, Usage(completion_tokens=4)),
        ({"prompt_tokens": 10, "prompt_tokens_details": 3}, Usage(prompt_tokens=10)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": "six"}}, Usage(prompt_tokens=10)),
        (
            {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 16}},
            Usage(prompt_tokens=10, cached_tokens=10),
        ),
        ([1, 2], Usage()),
    ],
    ids=str,
)
def test_malformed_usage_does_not_lose_the_reply(usage: object, expected: Usage) -> None:
    with serving(lambda text: [counted(usage)] * 9) as server:
        agent = agent_of(server, prices={"prompt": 1.0, "completion": 1.0})
        [reply] = agent.act(asked(1), SAMPLING, [1])
        agent.close()
    assert (reply.text, reply.usage) == ("counted", expected)
    assert server.tries == {"0": 1}


def test_max_completion_tokens_replaces_max_tokens(healthy: FaultyServer) -> None:
    agent = agent_of(healthy, extra={"max_completion_tokens": 70}, max_usd=60.0, prices={"completion": 1e6})
    with pytest.raises(ConfigError, match=r"may cost \$70"):
        agent.act(asked(1), SAMPLING, [1])
    agent.close()
    agent = agent_of(healthy, extra={"max_completion_tokens": 70})
    agent.act(asked(1), SAMPLING, [1])
    agent.close()
    assert "max_tokens" not in healthy.bodies[0]
    assert healthy.bodies[0]["max_completion_tokens"] == 70


def test_log_probabilities_and_cached_tokens_are_read() -> None:
    body = chat("4", finish="length")
    body["choices"][0]["logprobs"] = {"content": [{"token": "4", "logprob": -0.25, "top_logprobs": []}]}
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 6}
    with serving(lambda text: [garbled(body)]) as server:
        agent = agent_of(server, logprobs=True)
        [reply] = agent.act(asked(1), SAMPLING, [1])
        agent.close()
    assert reply.logprobs == (-0.25,)
    assert reply.usage.cached_tokens == 6
    assert reply.finish == "length"
    assert server.bodies[0]["logprobs"] is True


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        pytest.param("model", {}, "write openai:MODEL@URL", id="no url"),
        pytest.param("@http://x/v1", {}, "write openai:MODEL@URL", id="no model"),
        pytest.param("m@ftp://x", {}, "write openai:MODEL@URL", id="no http"),
        pytest.param("m@https://api.openai.com/v1", {}, "set the environment variable", id="no key"),
        pytest.param("m@http://x/v1", {"max_usd": 1.0}, "max_usd needs prices", id="cap without prices"),
        pytest.param("m@http://x/v1", {"prices": {"p": 1}}, "prices must have", id="unknown price"),
        pytest.param("m@http://x/v1", {"extra": {"stop": {"a"}}}, "extra must hold only JSON", id="no JSON"),
        pytest.param("m@http://x/v1", {"max_concurrent_requests": 0}, "at least 1", id="no concurrency"),
        pytest.param("m@http://x/v1", {"thinking": "show"}, "hide, template", id="no such thinking"),
    ],
)
def test_wrong_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, target: str, settings: dict[str, object], message: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=message):
        load_agent(f"openai:{target}", **settings)
