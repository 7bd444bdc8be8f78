"""Replies that a server continues."""

import pytest

from rise_agents.backends.mcts_agent import MCTSAgent
from rise_agents.chat.beginnings import begun
from rise_agents.types import SamplingConfig, can_continue
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from tests.rise_agents.backends.faulty_server import FaultyServer, agent_of

pytest.importorskip("openai")

ASKED: Conversation = ({"role": "user", "content": "1 + 3?"},)


def test_a_server_continues_a_reply_only_if_the_setting_says_so(healthy: FaultyServer) -> None:
    plain = agent_of(healthy)
    assert not can_continue(plain)
    with pytest.raises(ConfigError, match=r"m cannot continue a reply: .* set continues=true"):
        plain.act([begun(ASKED, "It is")], SamplingConfig(), [0])
    with pytest.raises(ConfigError, match="search over whole replies with option=reply"):
        MCTSAgent(plain)
    assert healthy.bodies == []
    agent = agent_of(healthy, continues=True)
    assert can_continue(agent)
    [reply] = agent.act([begun(ASKED, "It is")], SamplingConfig(), [0])
    assert reply.text == "reply to It is"
    [body] = healthy.bodies
    assert body["messages"][-1] == {"role": "assistant", "content": "It is"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    agent.act([ASKED], SamplingConfig(), [0])
    assert "continue_final_message" not in healthy.bodies[-1]
    assert agent.name == plain.name
