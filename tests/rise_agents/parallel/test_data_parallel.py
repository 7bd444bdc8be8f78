"""Copies of small agents in processes of their own."""

from pathlib import Path

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.rollout.rollout import TurnPlan, rollout
from rise_agents.types import Agent, Reply, StreamingAgent
from rise_env.types import Conversation, Trajectory
from tests.rise_agents.fake_agents import SeededAgent, envs, luck, wrong
from tests.rise_agents.parallel.fake_replicas import SAMPLING, Requests, ask, copies, end, requests, who


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
    monkeypatch.setattr("rise_agents.parallel.data_parallel._MAX_PREFIXES", 4)
    agent = copies(2, "make_teller")
    try:
        agent.act([ask(f"question {i}") for i in range(10)], SAMPLING)
        assert 0 < len(agent._homes) <= 4
    finally:
        agent.close()


def test_a_streamed_rollout_is_that_of_one_agent_in_lock_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def played(agent: Agent) -> list[Trajectory]:
        plan = [TurnPlan(agent), TurnPlan(agent, 4), TurnPlan(ScriptedAgent(wrong)), TurnPlan(agent)]
        return rollout(plan, envs(12, max_turns=4), range(12), SAMPLING, seed=3)

    agent = copies(3, "make_lucky")
    monkeypatch.setattr(agent, "act", lambda *_: pytest.fail("not streamed"))
    try:
        assert isinstance(agent, StreamingAgent)
        assert agent.max_concurrent_requests == 3 * 7
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
    assert agent.max_concurrent_requests == 0
    agent.close()
