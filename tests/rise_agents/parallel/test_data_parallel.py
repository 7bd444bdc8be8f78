"""`DataParallelAgent`: routing, the order of replies, and streaming."""

from pathlib import Path

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.parallel.data_parallel import DataParallelAgent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, Reply, StreamingAgent
from rise_env.types import Conversation, Trajectory
from tests.rise_agents.fake_agents import SeededAgent, envs, luck, wrong
from tests.rise_agents.parallel.fake_replicas import (
    SAMPLING,
    StreamRequests,
    ask,
    no_more,
    replicas,
    replicas_of,
    requests,
)
from tests.rise_agents.thinking_agent import ThinkingAgent


def test_replicas_share_the_work_and_replies_keep_the_order() -> None:
    agent = replicas(3, "make_echo")
    try:
        asked = [ask(f"question {i}") for i in range(8)]
        replies = agent.act(asked, SAMPLING, list(range(8)))
        assert agent.name == "echo"
        assert [reply.text.partition(": ")[2] for reply in replies] == [f"question {i}" for i in range(8)]
        assert sorted(replicas_of(replies).count(replica) for replica in "012") == [2, 3, 3]
        later: list[Conversation] = [
            (*conversation, {"role": "assistant", "content": "?"}, ask("again")[1]) for conversation in asked
        ]
        assert replicas_of(agent.act(later[::-1], SAMPLING)) == replicas_of(replies)[::-1], (
            "not routed to the replica with the prefix"
        )
        assert agent.act([], SAMPLING) == []
        many = replicas_of(agent.act([asked[0]] * 9, SAMPLING))
        assert [many.count(replica) for replica in "012"] == [3, 3, 3], "one replica sampled everything"
    finally:
        agent.close()


def test_the_number_of_remembered_prefixes_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rise_agents.parallel.data_parallel._MAX_PREFIXES", 4)
    agent = replicas(2, "make_echo")
    try:
        agent.act([ask(f"question {i}") for i in range(10)], SAMPLING)
        assert 0 < len(agent._replica_of_prefix) <= 4
    finally:
        agent.close()


def test_a_streamed_rollout_is_that_of_one_agent_in_lock_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def played(agent: Agent) -> list[Trajectory]:
        plan = [TurnPlan(agent), TurnPlan(agent, 4), TurnPlan(ScriptedAgent(wrong)), TurnPlan(agent)]
        return rollout(plan, envs(12, max_turns=4), range(12), SAMPLING, seed=3)

    agent = replicas(3, "make_lucky")
    monkeypatch.setattr(agent, "act", lambda *_: pytest.fail("not streamed"))
    try:
        assert isinstance(agent, StreamingAgent)
        assert agent.max_concurrent_requests == 3 * 7
        expected = played(SeededAgent(luck))
        assert {len(episode.turns) for episode in expected} >= {1, 2, 4}
        assert played(agent) == expected
    finally:
        agent.close()


def test_a_stream_is_shared_and_added_requests_stay_with_the_replica() -> None:
    agent = replicas(3, "make_streaming_echo")
    received: dict[int, Reply] = {}

    def follow(key: int, reply: Reply) -> StreamRequests:
        received[key] = reply
        return {key + 9: (ask(f"question {key + 9}"), key)} if key < 18 else {}

    try:
        agent.stream(requests(*[f"question {i}" for i in range(9)]), SAMPLING, follow)
        replies = [received.pop(i) for i in range(27)]
        assert not received
        assert [reply.text.partition(": ")[2] for reply in replies] == [f"question {i}" for i in range(27)]
        assert [replicas_of(replies[:9]).count(replica) for replica in "012"] == [3, 3, 3]
        assert replicas_of(replies) == replicas_of(replies[:9]) * 3
        later = [ask(f"question {i}") for i in range(27)]
        assert replicas_of(agent.act(later[::-1], SAMPLING, [0] * 27)) == replicas_of(replies)[::-1], (
            "not routed to the replica with the prefix"
        )
        agent.stream({}, SAMPLING, no_more)
        agent.stream({key: (later[key], 0) for key in range(26, 17, -1)}, SAMPLING, follow)
        assert replicas_of([received[i] for i in range(18, 27)]) == replicas_of(replies[18:]), (
            "not routed to the replica with the prefix"
        )
    finally:
        agent.close()


def test_a_slow_replica_delays_no_other(tmp_path: Path) -> None:
    agent = replicas(3, "make_waiting", file=str(tmp_path / "go"))
    received: list[Reply] = []

    def follow(key: int, reply: Reply) -> StreamRequests:
        received.append(reply)
        if len(received) == 22:  # the slow replica has one request, the others have answered the rest
            (tmp_path / "go").touch()
        return {key + 3: (ask("?"), key)} if len(received) <= 20 else {}

    try:
        agent.stream(requests("?", "?", "?"), SAMPLING, follow)
        assert len(received) == 23
        assert received[-1].text == "0: done"
        assert replicas_of(received).count("0") == 1
    finally:
        agent.close()


def test_replicas_of_an_agent_that_does_not_stream_do_not_stream() -> None:
    agent = replicas(1, "make_echo")
    assert agent.max_concurrent_requests == 0
    agent.close()


def test_replicas_hand_on_the_format_and_everything_in_a_reply() -> None:
    spec = "tests.rise_agents.thinking_agent:ThinkingAgent"
    agent = DataParallelAgent(spec, {"stops": [2, 9]}, [{}], attributes=("format",))
    try:
        assert agent.attributes["format"].stop_tokens == (2, 9)
        assert agent.act([ask("question")], SAMPLING) == ThinkingAgent().act([ask("question")], SAMPLING)
    finally:
        agent.close()
